"""What a rendering costs: from a request that nobody has parsed yet to the answer's bytes, in this process.

JSON bodies of ten expressions, and of none; beside them what a template is that has no expression at all.
"""

from __future__ import annotations

import timeit
from random import Random

from benchmarks.measure import Bench, Figures, Measured, Row
from benchmarks.results import Check, Contestant
from mockforge.engine import Engine, compile_service
from mockforge.model.request import RequestView
from mockforge.model.service import Service
from mockforge.model.stub import Body, RequestPattern, ResponseDefinition, Stub, UrlPattern

__all__ = ["BODIES", "ROWS", "microseconds"]

_TIMES = 5_000
_LOOK_UPS = (
    "path.id query.page json.n json.note json.lines[0].sku method url headers.host json.lines[1].sku body"
)
_COMPUTED = (
    "request.path.id",
    "request.query.page",
    "request.json.n + 1",
    "request.json.note | upper",
    "request.json.lines[0].sku",
    "now('unix')",
    "uuid()",
    "request.headers.host",
    "random_int(1, 6)",
    "request.json.n * 3",
)
_BODY = b'{"n": 1, "note": "abc", "lines": [{"sku": "A-1"}, {"sku": "A-2"}]}'
_MOST_US = 25.0
_SAME = 1.1

_STATIC, _LITERAL = "static", "a template without expressions"
_BOUNDED = "ten look-ups", "four look-ups, six computed"
#: Expressions of a body's members, by what kind they are.
BODIES: dict[str, tuple[str, ...]] = {
    _STATIC: (),
    _LITERAL: (),
    _BOUNDED[0]: tuple(f"request.{each}" for each in _LOOK_UPS.split()),
    _BOUNDED[1]: _COMPUTED,
}


def microseconds(kind: str, times: int = _TIMES) -> float:
    """What one decision takes, the reading of its request included: the best of five."""
    expressions = BODIES[kind]
    body = {f"field{number}": f"{{{{ {each} }}}}" for number, each in enumerate(expressions)} or {"a": "b"}
    response = ResponseDefinition(
        body=Body("jsonBody", body), transformers=() if kind == _STATIC else ("jinja",)
    )
    pattern = RequestPattern("POST", UrlPattern("urlPathTemplate", "/orders/{id}"))
    engine = Engine(compile_service(Service("s", stubs=(Stub("s", pattern, (response,)),))), Random(1))

    def once() -> None:
        engine.decide(RequestView("POST", "/orders/17?page=2", [(b"Host", b"shop.test")], _BODY), 0)

    return min(timeit.repeat(once, number=times, repeat=5)) / times * 1e6


def _measure(bench: Bench) -> Measured:
    rounds: dict[str, list[Figures]] = {kind: [] for kind in BODIES}
    for _ in range(bench.scale.rounds):
        for kind, measured in rounds.items():
            measured.append({"microseconds": microseconds(kind)})
    contestants = {kind: Contestant(kind, tuple(measured)) for kind, measured in rounds.items()}
    times = {kind: each.values("microseconds") for kind, each in contestants.items()}
    rendering = {
        kind: tuple(one - other for one, other in zip(times[kind], times[_STATIC], strict=True))
        for kind in _BOUNDED
    }
    literal = tuple(one / other for one, other in zip(times[_LITERAL], times[_STATIC], strict=True))
    return Measured(
        "Rendering a template",
        "In one process: the engine's whole decision for a request that nobody has parsed, with matching, in "
        "µs. The JSON bodies have ten members; what rendering takes is what is more than for a static "
        "answer. Computed: arithmetic, a filter, a date, a UUID, a random number.",
        (
            *(Check(kind, "at most", _MOST_US, "µs", rendering[kind]) for kind in _BOUNDED),
            Check(f"{_LITERAL}, over a static body", "at most", _SAME, "×", literal),
        ),
        tuple(contestants.values()),
    )


ROWS: dict[str, Row] = {"templates": _measure}
