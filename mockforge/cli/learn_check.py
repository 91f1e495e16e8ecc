"""`mockforge learn --check`: learn from one half of a recording, and answer the other half's requests."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from mockforge.engine import Engine, compile_service
from mockforge.learning.answers import Answer, decoded, is_failure
from mockforge.learning.fidelity import Fidelity, Judged, judge, tally
from mockforge.learning.learn import Learned, Learner
from mockforge.learning.openapi import ApiDescription
from mockforge.learning.volatile import Volatile
from mockforge.model.exchange import Exchange
from mockforge.model.headers import Headers
from mockforge.model.request import RequestView

__all__ = ["check_fidelity"]

_SEED = 1
_NOT_VOLATILE = Volatile({})


def check_fidelity(exchanges: Sequence[Exchange], api: ApiDescription | None = None) -> list[Fidelity]:
    """Split by time in halves, learn from the first, ask what the second asked; by operation.

    The first half is asked before, unjudged: the second begins in the states that it ended in.
    `exchanges` are ordered by arrival. What came without a complete answer is passed over.
    """
    half = len(exchanges) // 2
    requests = [(each.request.method, each.request.target) for each in exchanges[:half]]
    learner = Learner(requests, api)
    learner.add_all(exchanges[:half])
    learned = learner.learn("check", None, "the first half")
    engine = Engine(compile_service(learned.service), Random(_SEED), time_scale=0.0)
    for exchange in exchanges[:half]:
        engine.decide(_asked(exchange), 0)
    by_chance = _failing_by_chance(learned)
    return tally(_judged(engine, learned, by_chance, each) for each in exchanges[half:] if _is_whole(each))


def _judged(
    engine: Engine, learned: Learned, by_chance: frozenset[str], exchange: Exchange
) -> tuple[str, Judged | None]:
    request, response = exchange.request, exchange.response
    view = _asked(exchange)
    assert response is not None  # or it were not whole
    decision = engine.decide(view, 0)
    if decision.stub is None:
        return "(no stub)", Judged(
            status=response.status == decision.response.status, shape=False, content=False
        )
    recorded = Answer(response.status, *decoded(response))
    rendered = decision.response
    given = Answer(rendered.status, Headers.from_raw(rendered.headers), rendered.body_for(request.method))
    differ = recorded.status != given.status
    if differ and decision.stub in by_chance and (is_failure(recorded.status) or is_failure(given.status)):
        return decision.stub, None
    return decision.stub, judge(recorded, given, learned.volatile.get(decision.stub, _NOT_VOLATILE))


def _asked(exchange: Exchange) -> RequestView:
    request = exchange.request
    return RequestView(request.method, request.target, request.headers.raw(), request.body)


def _failing_by_chance(learned: Learned) -> frozenset[str]:
    """Stubs with a failure that comes to any request."""
    return frozenset(
        each.operation
        for each in learned.outcomes
        if each.outcome == "failure" and not each.by and each.share < 1
    )


def _is_whole(exchange: Exchange) -> bool:
    return exchange.response is not None and exchange.error is None
