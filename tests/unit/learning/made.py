"""Made-up exchanges, and what is learned from them."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mockforge.engine import Engine, compile_service
from mockforge.learning.answers import Answers
from mockforge.learning.learn import Learned, Learner
from mockforge.learning.openapi import ApiDescription
from mockforge.learning.writes import Writes
from mockforge.model.exchange import Exchange, Request, Response
from mockforge.model.headers import Headers
from mockforge.model.operation import Operation
from mockforge.model.request import RequestView
from mockforge.model.response import RenderedResponse
from mockforge.model.stub import Stub

__all__ = ["answer", "answers_of", "exchange", "learn", "stub_of", "stub_that_answers", "view"]

S = 1_000_000_000


def exchange(
    asked: str,
    answered: object = b"",
    status: int = 200,
    *,
    at_s: float = 0,
    sent: object = b"",
    headers: Mapping[str, str] | None = None,
    sent_headers: Mapping[str, str] | None = None,
) -> Exchange:
    """One exchange; `asked` is `METHOD target`, bodies that are not bytes are written as JSON."""
    method, _, target = asked.partition(" ")
    response = Response(status, Headers(tuple((headers or {}).items())), _bytes(answered))
    request = Request(method, target, Headers(tuple((sent_headers or {}).items())), _bytes(sent))
    arrived_ns = round(at_s * S)
    return Exchange(1_700_000_000 * S + arrived_ns, arrived_ns, request, response, 10_000_000, 10_000_000)


def _bytes(body: object) -> bytes:
    return body if isinstance(body, bytes) else json.dumps(body, separators=(",", ":")).encode()


def learn(exchanges: Sequence[Exchange], api: ApiDescription | None = None) -> Learned:
    """What is learned from them."""
    learner = Learner([(each.request.method, each.request.target) for each in exchanges], api)
    learner.add_all(exchanges)
    return learner.learn("shop", None, "shop.mfrec")


def answers_of(
    exchanges: Iterable[Exchange], operation: str = "GET /orders/{id}", query: Sequence[str] = ()
) -> Answers:
    """The answers of one operation."""
    method, _, template = operation.partition(" ")
    writes = Writes()
    answers = Answers(Operation(method, template), query, writes)
    for each in exchanges:
        if each.request.method == method:
            answers.add(each)
        writes.add(each.request.method, each.request.target, each.arrived_ns)
    return answers


def view(asked: str, sent: object = b"", headers: Mapping[str, str] | None = None) -> RequestView:
    """A request as matchers see it."""
    method, _, target = asked.partition(" ")
    return RequestView(method, target, Headers(tuple((headers or {}).items())).raw(), _bytes(sent))


def stub_of(learned: Learned, name: str) -> Stub:
    """The stub of that name."""
    (found,) = [stub for stub in learned.service.stubs if stub.name == name]
    return found


def _decided(learned: Learned, request: RequestView) -> Any:
    return Engine(compile_service(learned.service), random.Random(1)).decide(request, 0)


def answer(
    learned: Learned, asked: str, sent: object = b"", headers: Mapping[str, str] | None = None
) -> RenderedResponse:
    """What the learned service answers."""
    response: RenderedResponse = _decided(learned, view(asked, sent, headers)).response
    return response


def stub_that_answers(
    learned: Learned, asked: str, sent: object = b"", headers: Mapping[str, str] | None = None
) -> str | None:
    """The name of the stub that answers."""
    name: str | None = _decided(learned, view(asked, sent, headers)).stub
    return name
