"""Answers that give back what was asked become templates; nothing else does."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from mockforge.learning.echoes import find_echo
from mockforge.model.request import RequestView
from mockforge.model.stub import Body
from tests.unit.learning.made import answer, exchange, learn, view


def pairs(
    asked: Callable[[int], RequestView], answered: Callable[[int], object]
) -> list[tuple[RequestView, bytes]]:
    found = []
    for number in range(12):
        body = answered(number)
        written = body if isinstance(body, bytes) else json.dumps(body, separators=(",", ":")).encode()
        found.append((asked(number), written))
    return found


def echo(asked: Callable[[int], RequestView], answered: Callable[[int], object]) -> Body | None:
    return find_echo(pairs(asked, answered), "/orders/{id}")


def order(number: int) -> RequestView:
    return view(
        f"POST /orders/{number}?page=p{number * 3}",
        {
            "sku": f"b-{number}",
            "count": number * 7,
            "express": number % 2 == 0,
            "lines": [number, number + 1],
        },
        {"X-Id": f"x{number}"},
    )


@pytest.mark.parametrize(
    ("answered", "body"),
    [
        (lambda n: {"id": str(n), "ok": True}, Body("jsonBody", {"id": "{{ request.path.id }}", "ok": True})),
        (
            lambda n: {"text": f"order {n} of b-{n}!"},
            Body("jsonBody", {"text": "order {{ request.path.id }} of {{ request.json.sku }}!"}),
        ),
        (lambda n: {"page": f"p{n * 3}"}, Body("jsonBody", {"page": "{{ request.query.page }}"})),
        (lambda n: {"id": n}, Body("body", '{"id":{{ request.path.id }}}')),
        (lambda n: {"units": n * 7}, Body("body", '{"units":{{ request.json.count }}}')),
        (lambda n: {"trace": f"x{n}"}, Body("jsonBody", {"trace": "{{ request.headers['X-Id'] }}"})),
        (
            lambda n: [{"l": [n, n + 1]}],
            Body("body", '[{"l":[{{ request.path.id }},{{ request.json.lines[1] }}]}]'),
        ),
        (lambda n: b"order %d\n" % n, Body("body", "order {{ request.path.id }}\n")),
    ],
    ids=["text", "within a text", "query", "number of the path", "number", "header", "list", "plain text"],
)
def test_what_was_asked_becomes_an_expression(answered: Callable[[int], object], body: Body) -> None:
    assert echo(order, answered) == body


@pytest.mark.parametrize(
    "answered",
    [
        lambda n: {"id": n, "price": n**3 % 101},
        lambda n: {"id": n} if n % 2 else {"id": n, "extra": 1},
        lambda n: {"id": str(n), "note": "{{ not a template }}"},
        lambda n: {"id": "always"},
        lambda n: {"id": n % 2},
        lambda n: bytes([0xFF, n]),
        lambda n: b"",
        lambda n: {"id": n if n else 99},
    ],
    ids=["more", "members come and go", "markup", "constant", "two values", "binary", "empty", "one is off"],
)
def test_what_is_more_than_what_was_asked_does_not(answered: Callable[[int], object]) -> None:
    assert echo(order, answered) is None


def test_a_truth_value_is_given_back_as_one_beside_what_varies_more() -> None:
    sent = [True, False, None]
    asked = [view("POST /orders/1", {"flag": sent[number % 3]}) for number in range(12)]
    found = find_echo(
        [(each, json.dumps({"flag": sent[number % 3]}).encode()) for number, each in enumerate(asked)],
        "/orders/{id}",
    )
    assert found == Body("body", '{"flag": {{ request.json.flag | tojson }}}')


@pytest.mark.parametrize("indent", [None, 2, 4])
def test_the_layout_of_the_backend_is_kept(indent: int | None) -> None:
    learned = learn(
        [
            exchange(
                f"GET /orders/{n}", json.dumps({"id": n, "of": {"a": [1]}}, indent=indent).encode() + b"\n"
            )
            for n in range(9)
        ]
    )
    expected = json.dumps({"id": 77, "of": {"a": [1]}}, indent=indent).encode() + b"\n"
    assert answer(learned, "GET /orders/77").body == expected


def test_a_text_that_is_given_back_cannot_break_the_json() -> None:
    learned = learn([exchange(f"GET /hello?name=n{n}", {"n": 1.5, "hi": f"hi n{n}"}) for n in range(9)])
    asked = "GET /hello?name=" + "%22%7D%0A"
    assert json.loads(answer(learned, asked).body) == {"n": 1.5, "hi": 'hi "}\n'}


def test_a_whole_document_is_given_back() -> None:
    documents: list[Any] = [{"a": n} if n % 2 else {"b": [n]} for n in range(9)]
    learned = learn([exchange("POST /echo", {"got": each}, sent=each) for each in documents])
    assert answer(learned, "POST /echo", {"z": {"y": 1}}).body == b'{"got":{"z":{"y":1}}}'


def test_headers_that_matter_keep_answers_from_being_a_template() -> None:
    def made(field: str) -> str:
        learned = learn(
            [exchange(f"POST /o/{n}", {"id": n}, 201, headers={field: f"v{n}"}) for n in range(9)]
        )
        return learned.outcomes[0].form

    assert made("Location") == "variants"
    assert made("X-Request-Id") == "template"


def test_an_error_beside_a_success_is_no_template_for_it_would_come_to_all() -> None:
    learned = learn(
        [
            exchange(f"GET /o/{n}", {"id": n}) if n % 4 else exchange(f"GET /o/{n}", {"no": n}, 404)
            for n in range(40, 80)
        ]
    )
    assert {each.form for each in learned.outcomes} == {"variants"}
    for n in range(40, 80):
        assert answer(learned, f"GET /o/{n}").status == (200 if n % 4 else 404)
