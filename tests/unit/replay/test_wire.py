"""What goes on the wire for a recorded request."""

from __future__ import annotations

import pytest

from mockforge.model.exchange import Request
from mockforge.model.headers import Headers
from mockforge.replay.wire import HostPolicy, prepare, with_fields
from mockforge.targets import Target, parse_target

TARGET = parse_target("http://127.0.0.1:9000")


def wire(request: Request, target: Target = TARGET, host: HostPolicy | None = None) -> tuple[bytes, bytes]:
    """The head's bytes and those after it."""
    prepared = prepare(request, target, host)
    assert prepared.refusal is None
    head, _, body = prepared.data.partition(b"\r\n\r\n")
    return head, body


def headers_sent(request: Request, target: Target = TARGET) -> list[tuple[str, str]]:
    lines = wire(request, target)[0].decode("latin-1").split("\r\n")[1:]
    return [(name, value) for name, _, value in (line.partition(": ") for line in lines)]


def target_sent(request: Request, target: Target = TARGET) -> str:
    return wire(request, target)[0].decode("latin-1").split("\r\n")[0].split(" ")[1]


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "/orders/17?sort=-id&q=%20+%zz",
        "//twice//",
        "/a/../b/./c",
        "/a%2Fb%2fc",
        "/empty?",
        "/a?b?c",
        "/fragment#not",
        '/"<>|{}[]^`\\',
        "/semi;colon=1,2",
        "*",
    ],
)
def test_the_request_target_is_untouched(target: str) -> None:
    assert target_sent(Request("GET", target)) == target


def test_the_targets_prefix_stands_before_the_path() -> None:
    sent = target_sent(Request("GET", "/orders?x=1"), parse_target("http://h:1/api/"))
    assert sent == "/api/orders?x=1"


def test_an_absolute_request_target_loses_its_origin() -> None:
    request = Request("GET", "http://old:8080/orders?next=http://x/y")
    assert target_sent(request) == "/orders?next=http://x/y"
    assert headers_sent(request) == [("Host", "127.0.0.1:9000")]


def test_headers_keep_order_case_and_repetition() -> None:
    pairs = (("Host", "old:1"), ("X-b", "2"), ("x-A", "1"), ("X-b", "3"), ("Cookie", "a=1; b=2"))
    sent = headers_sent(Request("GET", "/", Headers(pairs)))
    assert sent == [("Host", "127.0.0.1:9000"), *pairs[1:]]


def test_what_speaks_of_the_old_connection_is_not_sent() -> None:
    pairs = (
        ("Connection", "keep-alive, X-Hop"),
        ("X-Hop", "1"),
        ("Keep-Alive", "timeout=5"),
        ("Transfer-Encoding", "chunked"),
        ("TE", "trailers"),
        ("Expect", "100-continue"),
        ("X-Stays", "1"),
    )
    assert headers_sent(Request("POST", "/", Headers(pairs), b"body")) == [
        ("Host", "127.0.0.1:9000"),
        ("Content-Length", "4"),
        ("X-Stays", "1"),
    ]


def test_the_content_length_is_that_of_the_body() -> None:
    pairs = (("Content-Length", "99"), ("X", "1"))
    assert headers_sent(Request("POST", "/", Headers(pairs), b"four"))[1:] == [
        ("Content-Length", "4"),
        ("X", "1"),
    ]


@pytest.mark.parametrize(
    ("method", "announced", "length"),
    [
        ("GET", False, None),
        ("GET", True, "0"),
        ("DELETE", False, None),
        ("HEAD", False, None),
        ("POST", False, "0"),
        ("PROPFIND", False, "0"),
    ],
)
def test_an_empty_body_is_announced_where_it_was_or_where_one_is_expected(
    method: str, announced: bool, length: str | None
) -> None:
    headers = Headers((("content-length", "0"),)) if announced else Headers()
    sent = {name.lower(): value for name, value in headers_sent(Request(method, "/", headers))}
    assert sent.get("content-length") == length


def test_every_byte_of_a_header_stays() -> None:
    every = bytes(range(0x21, 0x7F)) + bytes(range(0x80, 0x100))
    head, _ = wire(Request("GET", "/caf\xe9", Headers((("X-Odd", every.decode("latin-1")),))))
    assert head == b"GET /caf\xe9 HTTP/1.1\r\nHost: 127.0.0.1:9000\r\nX-Odd: " + every


def test_a_body_goes_out_byte_for_byte() -> None:
    body = bytes(range(256)) * 3
    assert wire(Request("PUT", "/", Headers(), body))[1] == body


def test_trailers_go_out_behind_a_chunked_body() -> None:
    request = Request(
        "POST", "/", Headers((("Trailer", "X-Sum"),)), b"0123456789abcdef", Headers((("X-Sum", "7"),))
    )
    head, body = wire(request)
    assert head.endswith(b"Trailer: X-Sum\r\nTransfer-Encoding: chunked")
    assert body == b"10\r\n0123456789abcdef\r\n0\r\nX-Sum: 7\r\n\r\n"


@pytest.mark.parametrize(
    ("option", "host"),
    [(None, "127.0.0.1:9000"), ("shop.example.com", "shop.example.com"), ("keep", "old:1")],
)
def test_the_host_field_is_the_targets_a_given_one_or_the_recorded(option: str | None, host: str) -> None:
    request = Request("GET", "/", Headers((("X-A", "1"), ("HOST", "old:1"))))
    head, _ = wire(request, host=HostPolicy.of(option, TARGET))
    assert head.split(b"\r\n")[1:] == [b"X-A: 1", f"HOST: {host}".encode()]


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        (
            Request("GET", "/", Headers((("X-Bad", "a\r\nInjected: 1"),))),
            "a line break stands in the field X-Bad",
        ),
        (Request("GET", "/", Headers((("X Bad", "1"),))), "no field has the name 'X Bad'"),
        (Request("G T", "/"), "no request has the method 'G T'"),
        (Request("GET", "/a b"), "a blank or control character stands in the request target"),
        (Request("GET", "/", Headers((("X-Wide", "€"),))), "a character stands in it that no byte can be"),
    ],
)
def test_what_would_not_be_one_request_is_refused(request_: Request, why: str) -> None:
    assert prepare(request_, TARGET).refusal == why


def test_given_fields_stand_where_the_recorded_ones_stood_or_last() -> None:
    headers = Headers((("authorization", "old"), ("X", "1"), ("Authorization", "older")))
    given = (("Authorization", "new"), ("X-New", "2"))
    assert with_fields(headers, given).pairs == (("authorization", "new"), ("X", "1"), ("X-New", "2"))
