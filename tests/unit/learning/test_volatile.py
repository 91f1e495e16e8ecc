"""What of an answer is of its moment."""

from __future__ import annotations

import json

import pytest

from mockforge.learning.volatile import Seen, Volatile, find_volatile, json_of, moment_s

WALL_S = 1_700_000_000


def seen(*bodies: object, asked: str = "same") -> list[Seen]:
    return [
        Seen(
            asked,
            200,
            each if isinstance(each, bytes) else json.dumps(each).encode(),
            number * 10**9,
            (WALL_S + number) * 10**9,
        )
        for number, each in enumerate(bodies)
    ]


def found(answers: list[Seen]) -> Volatile:
    return find_volatile(answers, lambda one, other: False)


def test_what_differs_between_equal_requests_is_volatile() -> None:
    answers = seen(*({"id": 1, "items": [{"n": number}, {"n": 0}]} for number in range(5)))
    assert found(answers).parts == {("items", "*", "n"): "value"}


def test_what_differs_between_different_requests_is_not() -> None:
    answers = [each for number in range(5) for each in seen({"id": number}, asked=str(number))]
    assert not found(answers)


def test_what_differs_because_something_was_written_is_not() -> None:
    answers = seen(*({"n": number} for number in range(5)))
    assert not find_volatile(answers, lambda one, other: True)


def test_what_changes_now_and_then_is_not() -> None:
    assert not found(seen(*({"n": number // 4} for number in range(12))))


@pytest.mark.parametrize(
    "written",
    [
        lambda at: at,
        lambda at: at * 1000,
        lambda at: f"2023-11-14T22:13:{at - WALL_S + 20:02d}Z",
        lambda at: f"Tue, 14 Nov 2023 22:13:{at - WALL_S + 20:02d} GMT",
    ],
    ids=["epoch seconds", "epoch milliseconds", "ISO 8601", "RFC 1123"],
)
def test_the_time_of_the_exchange_is_an_instant_even_where_no_request_repeats(written: object) -> None:
    assert callable(written)
    answers = [
        Seen(number, 200, json.dumps({"at": written(WALL_S + number)}).encode(), 0, (WALL_S + number) * 10**9)
        for number in range(5)
    ]
    assert found(answers).parts == {("at",): "instant"}


def test_dates_of_long_ago_are_not_of_the_moment() -> None:
    answers = [Seen(n, 200, b'{"at":"2001-01-0%dT00:00:00Z"}' % (n + 1), 0, WALL_S * 10**9) for n in range(5)]
    assert not found(answers)


def test_a_fresh_identifier_is_told_from_other_values() -> None:
    ids = [f"0b5d3c9e-1f2a-4b3c-8d4e-5f6a7b8c9d{number:02x}" for number in range(6)]
    assert found(seen(*({"trace": each} for each in ids))).parts == {("trace",): "id"}
    created = [Seen(number, 201, json.dumps({"id": each}).encode(), 0, 0) for number, each in enumerate(ids)]
    assert not found(created)
    assert find_volatile(created, lambda one, other: False, creates=True).parts == {("id",): "id"}


def test_a_body_that_is_not_json_is_volatile_as_a_whole() -> None:
    volatile = found(seen(*(bytes([number, 7]) for number in range(5))))
    assert volatile.whole
    assert volatile.steady(b"ab") == volatile.steady(b"cd") != volatile.steady(b"abc")


def test_answers_of_different_status_prove_nothing() -> None:
    answers = [Seen("same", 200 + number % 2, b"%d" % (number % 2), 0, 0) for number in range(6)]
    assert not found(answers)


def test_steady_bodies_are_equal_where_they_say_the_same() -> None:
    volatile = Volatile({("at",): "instant"})
    assert volatile.steady(b'{"a":1,"at":5}') == volatile.steady(b'{"at":6,"a":1}')
    assert volatile.steady(b'{"a":1,"at":5}') != volatile.steady(b'{"a":2,"at":5}')
    assert volatile.steady(b"text") == b"text"
    assert volatile.described() == ["$.at (instant)"]


@pytest.mark.parametrize("body", [b"", b"17", b'"a"', b"{oops", b"<p>"])
def test_only_objects_and_lists_count_as_json(body: bytes) -> None:
    assert json_of(body) is None


@pytest.mark.parametrize("value", [True, None, 17, "soon", "2026-13-99T99:99:99Z", "x" * 20])
def test_what_is_no_moment_has_none(value: object) -> None:
    assert moment_s(value) is None


def test_a_body_nested_too_deeply_is_taken_as_it_is() -> None:
    body = b'{"a":' * 300 + b"1" + b"}" * 300
    assert Volatile({("b",): "value"}).steady(body) == body
