"""What an operation answers, and which of a request's parameters choose among the answers."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Mapping

import pytest
import zstandard

from mockforge.learning.answers import Answers, written_body
from mockforge.model.exchange import Exchange, Request, Response
from mockforge.model.headers import Headers
from mockforge.model.operation import Operation
from mockforge.model.stub import Body

ORDER = Operation("GET", "/orders/{id}")
SEARCH = Operation("GET", "/search")


def exchange(
    target: str,
    status: int = 200,
    body: bytes = b"",
    *,
    sent: bytes = b"",
    headers: Mapping[str, str] | None = None,
    error: str | None = None,
) -> Exchange:
    response = Response(status, Headers(tuple((headers or {}).items())), body)
    return Exchange(0, 0, Request("GET", target, body=sent), response, 2_000_000, 1_000_000, error=error)


def gather(exchanges: Iterable[Exchange], operation: Operation = ORDER, query: Iterable[str] = ()) -> Answers:
    answers = Answers(operation, list(query))
    for each in exchanges:
        answers.add(each)
    return answers


def only_answer(each: Exchange) -> tuple[Headers, bytes]:
    (outcome,) = gather([each]).outcomes()
    ((_, answer),) = outcome.answers
    return answer.headers, answer.body


# Outcomes


def test_answers_are_gathered_by_how_they_ended_the_most_frequent_first() -> None:
    statuses = [200, 304, 201, 503, 429, 404, 400, 404, 404]
    outcomes = gather(
        exchange(f"/orders/{number}", status) for number, status in enumerate(statuses)
    ).outcomes()
    assert [(each.name, each.count) for each in outcomes] == [("error", 4), ("success", 3), ("failure", 2)]


def test_times_go_with_their_outcome_and_an_unknown_first_byte_is_the_last() -> None:
    answers = Answers(ORDER, [])
    answers.add(Exchange(0, 0, Request("GET", "/orders/1"), Response(200), total_ns=9, ttfb_ns=7))
    answers.add(Exchange(0, 0, Request("GET", "/orders/1"), Response(200), total_ns=8))
    (outcome,) = answers.outcomes()
    assert (outcome.total_ns, outcome.ttfb_ns) == ([9, 8], [7, 8])


def test_what_came_without_a_complete_answer_is_counted_and_not_learned() -> None:
    answers = gather(
        [
            exchange("/orders/1", error="body: reset"),
            exchange("/orders/1", error="body: reset"),
            Exchange(0, 0, Request("GET", "/orders/1"), None, 5),
        ]
    )
    assert answers.outcomes() == []
    assert answers.incomplete == {"body: reset": 2, "no answer": 1}


# Which parameters choose


def test_the_parameter_that_tells_answers_apart_is_kept() -> None:
    answers = gather(exchange(f"/orders/{number % 7}", body=b"%d" % (number % 7)) for number in range(50))
    assert answers.choosers() == {"success": ("path.id",)}


def test_a_parameter_is_dropped_where_all_answers_are_the_same() -> None:
    answers = gather(exchange(f"/orders/{number}", body=b"ok") for number in range(50))
    assert answers.choosers() == {"success": ()}


@pytest.mark.parametrize("noise", ["_", "nonce", "A"], ids=["before q", "between", "first"])
def test_a_cache_buster_and_a_constant_are_dropped_whatever_their_names(noise: str) -> None:
    names = sorted([noise, "q", "lang"])
    answers = gather(
        (
            exchange(f"/search?lang=en&{noise}={number}&q={number % 5}", body=b"%d" % (number % 5))
            for number in range(50)
        ),
        SEARCH,
        names,
    )
    assert answers.choosers() == {"success": ("query.q",)}


def test_a_cache_buster_is_dropped_beside_a_path_parameter_even_where_none_repeats() -> None:
    answers = gather(
        (exchange(f"/orders/{number}?_={number + 10**9}", body=b"%d" % number) for number in range(50)),
        query=["_"],
    )
    assert answers.choosers() == {"success": ("path.id",)}


def test_two_parameters_are_kept_where_it_takes_both() -> None:
    answers = gather(
        (
            exchange(f"/search?page={page}&q={word}", body=f"{word}{page}".encode())
            for page in range(3)
            for word in "abc"
            for _ in range(2)
        ),
        SEARCH,
        ["page", "q"],
    )
    assert answers.choosers() == {"success": ("query.page", "query.q")}


def test_the_body_chooses_where_nothing_else_does() -> None:
    answers = gather(
        (
            exchange("/search", body=b"%d" % (number % 3), sent=b'{"q":%d}' % (number % 3))
            for number in range(9)
        ),
        SEARCH,
    )
    assert answers.choosers() == {"success": ("body",)}


def test_parameters_that_tell_an_error_from_a_success_choose_for_both() -> None:
    answers = gather(
        exchange(f"/orders/{number}", 404 if number > 7 else 200, b"gone" if number > 7 else b"there")
        for number in range(10)
    )
    assert answers.choosers() == {"success": ("path.id",), "error": ("path.id",)}


# Failures: what befell a request, or what it asked for


def test_a_failure_that_befalls_any_request_has_no_chooser() -> None:
    answers = gather(
        exchange(f"/orders/{number % 10}", 503 if number % 7 == 0 else 200, b"%d" % (number % 10))
        for number in range(200)
    )
    assert answers.choosers() == {"success": ("path.id",), "failure": ()}


def test_a_failure_that_was_never_asked_for_again_is_taken_to_befall() -> None:
    answers = gather(
        exchange(f"/orders/{number}", 503 if number % 7 == 0 else 200, b"%d" % number)
        for number in range(100)
    )
    assert answers.choosers()["failure"] == ()


@pytest.mark.parametrize("statuses", [[200, 500], [200, 404, 500, 503], [500, 503], [429, 200]])
def test_a_failure_that_the_request_asks_for_is_chosen_by_its_parameters(statuses: list[int]) -> None:
    operation = Operation("GET", "/status/{code}")
    answers = gather((exchange(f"/status/{status}", status) for status in statuses * 5), operation)
    assert set(answers.choosers().values()) == {("path.code",)}


def test_a_failure_asked_for_is_found_beside_a_cache_buster() -> None:
    operation = Operation("GET", "/status/{code}")
    answers = gather(
        (
            exchange(f"/status/{(200, 500)[number % 2]}?_={number}", (200, 500)[number % 2])
            for number in range(20)
        ),
        operation,
        ["_"],
    )
    assert set(answers.choosers().values()) == {("path.code",)}


def test_failures_alone_have_no_chooser_where_they_are_all_alike() -> None:
    assert gather(exchange(f"/orders/{number}", 503) for number in range(9)).choosers() == {"failure": ()}


# Headers and bodies


def test_fields_of_the_moment_and_of_the_connection_are_dropped() -> None:
    headers, _ = only_answer(
        exchange(
            "/orders/1",
            headers={
                "Date": "now",
                "Content-Length": "0",
                "Transfer-Encoding": "chunked",
                "Connection": "close",
                "Content-Type": "text/plain",
                "ETag": "7",
            },
        )
    )
    assert headers.pairs == (("Content-Type", "text/plain"), ("ETag", "7"))


def test_answers_that_differ_in_headers_alone_are_one_answer_with_the_first_ones() -> None:
    (outcome,) = gather(
        exchange("/orders/1", body=b"same", headers={"X-Request-Id": str(number)}) for number in range(5)
    ).outcomes()
    ((_, answer),) = outcome.answers
    assert answer.headers.pairs == (("X-Request-Id", "0"),)
    assert outcome.answers.total() == 5


@pytest.mark.parametrize(
    ("coding", "encoded"),
    [
        ("gzip", gzip.compress(b"plain text", mtime=0)),
        (" GZIP ", gzip.compress(b"plain text", mtime=0)),
        ("deflate", zlib.compress(b"plain text")),
        ("zstd", zstandard.compress(b"plain text")),
    ],
)
def test_a_coded_body_is_kept_in_plain_text_and_its_coding_dropped(coding: str, encoded: bytes) -> None:
    headers, body = only_answer(
        exchange("/orders/1", body=encoded, headers={"Content-Encoding": coding, "ETag": "7"})
    )
    assert body == b"plain text"
    assert headers.pairs == (("ETag", "7"),)


@pytest.mark.parametrize(
    ("coding", "encoded"),
    [("br", b"\x0b\x02"), ("gzip", b"not gzip"), ("gzip", b""), ("zstd", b"not zstd"), ("gzip, br", b"x")],
)
def test_a_coding_that_cannot_be_undone_is_kept_as_it_came(coding: str, encoded: bytes) -> None:
    headers, body = only_answer(exchange("/orders/1", body=encoded, headers={"Content-Encoding": coding}))
    assert body == encoded
    assert headers.get("content-encoding") == coding


@pytest.mark.parametrize(
    ("body", "written"),
    [
        (b"", None),
        (b'{"a":[1,2.5,null,"\xc3\xa9"]}', Body("jsonBody", {"a": [1, 2.5, None, "é"]})),
        (b"[]", Body("jsonBody", [])),
        (b'{"a": 1}', Body("body", '{"a": 1}')),
        (b'{"a":1e2}', Body("body", '{"a":1e2}')),
        (b'{"a":1,"a":1}', Body("body", '{"a":1,"a":1}')),
        (b"17", Body("body", "17")),
        (b'"text"', Body("body", '"text"')),
        (b"<p>\n\tgr\xc3\xbc\xc3\x9f</p>", Body("body", "<p>\n\tgrüß</p>")),
        (b"a\r\nb", Body("body", "a\r\nb")),
        (b"\x00\x01\xff", Body("base64Body", "AAH/")),
        (b"caf\xe9", Body("base64Body", "Y2Fm6Q==")),
        (b"\x1b[0m", Body("base64Body", "G1swbQ==")),
        (b"[" * 300 + b"]" * 300, Body("body", "[" * 300 + "]" * 300)),
    ],
)
def test_a_body_is_written_in_the_most_readable_form_that_gives_its_bytes_back(
    body: bytes, written: Body | None
) -> None:
    assert written_body(body) == written
    assert written is None or written.content() == body
