"""Answers whose body or headers are templates, and what stays ready bytes."""

from __future__ import annotations

from random import Random

import pytest

from mockforge.engine import Engine, compile_service
from mockforge.model.headers import Headers
from mockforge.model.request import RequestView
from mockforge.model.response import RenderedResponse
from mockforge.model.service import Service
from mockforge.model.stub import Body, RequestPattern, ResponseDefinition, Stub


def engine(body: Body | None, *fields: tuple[str, str]) -> Engine:
    response = ResponseDefinition(201, Headers(fields), body, transformers=("jinja",))
    return Engine(
        compile_service(Service("s", stubs=(Stub("made", RequestPattern(), (response,)),))), Random(1)
    )


def answer(made: Engine, target: str = "/a?id=7") -> RenderedResponse:
    return made.decide(RequestView("GET", target), 0).response


def test_header_values_are_rendered_beside_the_body() -> None:
    made = engine(Body("body", "{{ request.query.id }}"), ("Location", "/{{ request.query.id }}"), ("X", "1"))
    assert answer(made) == RenderedResponse(201, ((b"Location", b"/7"), (b"X", b"1")), b"7")


def test_headers_alone_may_be_rendered() -> None:
    made = engine(None, ("Location", "/{{ request.query.id }}"))
    assert answer(made) == RenderedResponse(201, ((b"Location", b"/7"),), b"")


@pytest.mark.parametrize("body", [Body("body", "plain"), Body("jsonBody", {"a": [1, "é"]}), None])
def test_what_is_literal_is_ready_before_it_is_asked_for(body: Body | None) -> None:
    made = engine(body, ("X", "1"))
    assert answer(made) is answer(made, "/b")
    assert answer(made).body == (b"" if body is None else body.content())


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("{{ request.query.id }}", "header X holds a control character: b'a\\r\\nSet-Cookie: b'"),
        ("{{ request.query.none }}", "header X: {{ request.query.none }}: is not in this request"),
        ("{{ request.query.sign }}", "header X is not Latin-1"),
    ],
)
def test_a_header_that_cannot_be_sent_is_a_500_that_names_it(value: str, reason: str) -> None:
    failed = answer(engine(None, ("X", value)), "/a?id=a%0D%0ASet-Cookie:%20b&sign=%E2%82%AC")
    assert failed.status == 500
    assert failed.body.decode().startswith(f"stub 'made': {reason}")


def test_what_is_drawn_follows_the_services_seed() -> None:
    body = Body("body", "{{ uuid() }}")
    first, second = engine(body), engine(body)
    drawn = [answer(first).body for _ in range(3)]
    assert drawn == [answer(second).body for _ in range(3)]
    assert len(set(drawn)) == 3
