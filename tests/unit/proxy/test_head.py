"""Heads are read for what they say and pass as they stand."""

from __future__ import annotations

import pytest

from mockforge.proxy.head import (
    CHUNKED,
    UNTIL_CLOSE,
    AnswerHead,
    MalformedError,
    RefusedError,
    RequestHead,
    answer_head_end,
    may_begin_request,
    read_answer_head,
    request_reader,
)
from mockforge.targets import parse_target


def read(head: bytes, url: str = "http://there:9000", host: str | None = "there:9000") -> RequestHead:
    return request_reader(parse_target(url), host)(head)


def request(*fields: bytes, line: bytes = b"GET /a?q=%2F HTTP/1.1") -> bytes:
    return b"\r\n".join((line, *fields, b"", b""))


def answer(*fields: bytes, line: bytes = b"HTTP/1.1 200 OK") -> AnswerHead:
    return read_answer_head(b"\r\n".join((line, *fields, b"", b"")))


def test_only_the_host_changes_of_a_request() -> None:
    head = request(
        b"Host: proxy:8080", b"X-b:1", b"x-B:  2 ", b"X-Latin: caf\xe9", b"Connection: keep-alive", b"TE: x"
    )
    assert read(head).out == head.replace(b"proxy:8080", b"there:9000")


@pytest.mark.parametrize("spelling", [b"hOST: proxy", b"Host:proxy", b"HOST : proxy", b"Host:\t proxy"])
def test_the_host_fields_name_keeps_its_spelling(spelling: bytes) -> None:
    assert read(request(spelling)).out == request(spelling.replace(b"proxy", b"there:9000"))


def test_fields_that_only_look_like_the_host_stay() -> None:
    head = request(b"X-Host: proxy", b"Forwarded: host=proxy", b"X: y", b" Host: folded")
    assert read(head).out == head


def test_the_host_may_be_left_or_be_given() -> None:
    head = request(b"Host: proxy")
    assert read(head, host=None).out == head
    assert read(head, host="orders.example.com").out == request(b"Host: orders.example.com")


def test_a_request_without_a_host_gets_none() -> None:
    head = request(line=b"GET / HTTP/1.0")
    assert read(head).out == head


@pytest.mark.parametrize(
    ("target", "path"),
    [
        (b"http://orders.example.com/a/b?c=d", b"/a/b?c=d"),
        (b"HTTPS://orders.example.com", b"/"),
        (b"http://orders.example.com?c=/d", b"/?c=/d"),
        (b"/http://x", b"/http://x"),
        (b"/caf\xc3\xa9", b"/caf\xc3\xa9"),
    ],
)
def test_a_target_in_absolute_form_becomes_path_and_query(target: bytes, path: bytes) -> None:
    head = read(request(line=b"GET " + target + b" HTTP/1.1"))
    assert head.out == request(line=b"GET " + path + b" HTTP/1.1")
    assert head.request.target == path.decode("latin-1")


def test_a_target_with_a_path_puts_it_before_each_request_and_it_is_not_recorded() -> None:
    head = read(request(), url="http://there:9000/api")
    assert head.out.startswith(b"GET /api/a?q=%2F HTTP/1.1\r\n")
    assert head.request.target == "/a?q=%2F"


def test_fields_are_recorded_in_order_with_their_case_and_without_blanks_around() -> None:
    head = read(
        request(
            b"Host: proxy", b"X-b:  1 ", b"x-B:2", b"Empty:", b"L: caf\xe9", b"F: a", b"\t b", b"no field"
        )
    )
    assert head.request.headers.pairs == (
        ("Host", "proxy"),
        ("X-b", "1"),
        ("x-B", "2"),
        ("Empty", ""),
        ("L", "caf\xe9"),
        ("F", "a b"),
    )


@pytest.mark.parametrize(
    ("fields", "length"),
    [
        ((), 0),
        ((b"Content-Length: 7",), 7),
        ((b"content-length:007",), 7),
        ((b"Content-Length: 7, 7", b"Content-Length: 7"), 7),
        ((b"Transfer-Encoding: gzip, Chunked",), CHUNKED),
        ((b"Transfer-Encoding: gzip", b"transfer-encoding: chunked", b"Content-Length: 7"), CHUNKED),
        ((b"Transfer-Encoding: identity", b"Content-Length: 7"), 7),
    ],
)
def test_the_length_of_a_requests_body_is_told_by_its_fields(fields: tuple[bytes, ...], length: int) -> None:
    assert read(request(*fields)).length == length


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"what is this?\r\n\r\n", 400),
        (b"GET /\r\n\r\n", 400),
        (b"GET / a HTTP/1.1\r\n\r\n", 400),
        (request(line=b"OPTIONS * HTTP/1.1"), 400),
        (request(line=b"CONNECT orders.example.com:443 HTTP/1.1"), 501),
        (b"PRI * HTTP/2.0\r\n\r\n", 505),
        (request(b"Content-Length: 7", b"Content-Length: 8"), 400),
        (request(b"Content-Length: -7"), 400),
        (request(b"Content-Length: 0x7"), 400),
        (request(b"Content-Length: 9999999999999999999"), 400),
        (request(b"Transfer-Encoding: gzip"), 400),
    ],
)
def test_a_request_that_cannot_be_passed_on_is_refused(head: bytes, status: int) -> None:
    with pytest.raises(RefusedError) as caught:
        read(head)
    assert caught.value.status == status


def test_any_method_passes() -> None:
    assert read(request(line=b"M-SEARCH2 / HTTP/1.1")).request.method == "M-SEARCH2"


@pytest.mark.parametrize(
    ("line", "fields", "repeatable"),
    [
        (b"PUT / HTTP/1.1", (), True),
        (b"PUT / HTTP/1.1", (b"Content-Length: 1",), False),
        (b"POST / HTTP/1.1", (), False),
        (b"PATCH / HTTP/1.1", (), False),
    ],
)
def test_what_may_be_sent_twice_has_no_body(line: bytes, fields: tuple[bytes, ...], repeatable: bool) -> None:
    assert read(request(*fields, line=line)).repeatable == repeatable


def test_an_answers_head_is_read_whatever_its_spelling() -> None:
    head = answer(b"set-COOKIE: a=1", b"Set-Cookie: b=2", b"X:\tcaf\xe9 ", line=b"HTTP/1.1 299 Sehr sch\xf6n")
    assert (head.status, head.reason) == (299, "Sehr sch\xf6n")
    assert head.headers.pairs == (("set-COOKIE", "a=1"), ("Set-Cookie", "b=2"), ("X", "caf\xe9"))


@pytest.mark.parametrize("line", [b"HTTP/1.1 200", b"HTTP/1.1 200 ", b"\r\nHTTP/1.0 200 "])
def test_a_reason_may_be_missing(line: bytes) -> None:
    assert answer(line=line).reason == ""


def test_a_head_may_end_its_lines_without_a_carriage_return() -> None:
    data = b"HTTP/1.1 200 OK\nContent-Length: 3\n\nabc"
    end = answer_head_end(data, 0)
    assert end
    head = read_answer_head(data[:end])
    assert (head.status, head.length, data[end:]) == (200, 3, b"abc")


@pytest.mark.parametrize("line", [b"HTTP/2 200", b"HTTP/1.1 OK", b"HTTP/1.1 20 OK", b"ICY 200 OK", b""])
def test_what_is_no_status_line_is_malformed(line: bytes) -> None:
    with pytest.raises(MalformedError):
        answer(line=line)


@pytest.mark.parametrize(
    ("method", "status", "fields", "length"),
    [
        ("GET", 200, (), UNTIL_CLOSE),
        ("GET", 200, (b"Content-Length: 5",), 5),
        ("GET", 200, (b"Transfer-Encoding: chunked",), CHUNKED),
        ("GET", 200, (b"Transfer-Encoding: chunked, gzip",), UNTIL_CLOSE),
        ("HEAD", 200, (b"Content-Length: 5",), 0),
        ("HEAD", 200, (), 0),
        ("GET", 204, (), 0),
        ("GET", 304, (b"Content-Length: 5",), 0),
        ("GET", 101, (), 0),
    ],
)
def test_the_length_of_an_answers_body_depends_on_method_status_and_fields(
    method: str, status: int, fields: tuple[bytes, ...], length: int
) -> None:
    assert answer(*fields, line=b"HTTP/1.1 %d X" % status).body_length(method) == length


@pytest.mark.parametrize(
    ("line", "fields", "closes"),
    [
        (b"HTTP/1.1 200 OK", (), False),
        (b"HTTP/1.1 200 OK", (b"Connection: a, Close",), True),
        (b"HTTP/1.0 200 OK", (), True),
        (b"HTTP/1.0 200 OK", (b"Connection: Keep-Alive",), False),
    ],
)
def test_whether_the_connection_ends_is_told(line: bytes, fields: tuple[bytes, ...], closes: bool) -> None:
    assert answer(*fields, line=line).closes == closes


@pytest.mark.parametrize("data", [b"", b"G", b"GET", b"GET /", b"\r\nGE", b"M-SEARCH "])
def test_a_part_of_a_request_may_become_one(data: bytes) -> None:
    assert may_begin_request(data)


@pytest.mark.parametrize("data", [b"\x16\x03\x01", b"GE\tT", b"(x)", b" GET"])
def test_other_bytes_cannot_become_a_request(data: bytes) -> None:
    assert not may_begin_request(data)


def test_a_part_of_an_answer_may_become_one_and_other_bytes_not() -> None:
    for data in (b"", b"H", b"\r\nHTT", b"HTTP/1.1 2"):
        assert answer_head_end(data, 0) is None
    for data in (b"SSH-", b"\x15\x03", b"http/", b" HTTP/"):
        with pytest.raises(MalformedError):
            answer_head_end(data, 0)


def test_lines_that_are_long_and_odd_are_read_in_no_time() -> None:
    blanks = b"X: " + b" " * 60_000 + b"x"
    assert read(request(blanks, b"a" * 60_000, b" " * 60_000)).request.headers.get("x") is not None
