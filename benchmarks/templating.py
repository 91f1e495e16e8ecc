"""What a rendering costs: from a request that nobody has parsed yet to the body's bytes, in this process.

JSON bodies of ten expressions; beside them the engine's whole decision, and what a template costs that has no
expression at all.
"""

from __future__ import annotations

import timeit
from collections.abc import Callable
from random import Random

from benchmarks.measure import Bench, Figures, Measured, Row
from benchmarks.results import Check, Contestant
from mockforge.engine import Engine, compile_service
from mockforge.model.request import RequestView
from mockforge.model.service import Service
from mockforge.model.stub import Body, RequestPattern, ResponseDefinition, Stub, UrlPattern
from mockforge.state.memory import ServiceMemory
from mockforge.templating.jinja import compile_body_template
from mockforge.templating.request import TemplateRequest

__all__ = ["BODIES", "ROWS", "deciding_us", "rendering_us"]

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


def rendering_us(kind: str, times: int = _TIMES) -> float:
    """What one body takes, the reading of its request included: the best of five."""
    template = compile_body_template(_body(kind))
    memory = ServiceMemory(Random(1))
    return _best(lambda: template(TemplateRequest(_request(), {"id": "17"}, memory)), times)


def deciding_us(kind: str, times: int = _TIMES) -> float:
    """What one decision of an engine takes, matching and rendering and all."""
    transformers = () if kind == _STATIC else ("jinja",)
    response = ResponseDefinition(body=_body(kind), transformers=transformers)
    pattern = RequestPattern("POST", UrlPattern("urlPathTemplate", "/orders/{id}"))
    engine = Engine(compile_service(Service("s", stubs=(Stub("s", pattern, (response,)),))), Random(1))
    return _best(lambda: engine.decide(_request(), 0), times)


def _body(kind: str) -> Body:
    expressions = {f"field{number}": f"{{{{ {each} }}}}" for number, each in enumerate(BODIES[kind])}
    return Body("jsonBody", expressions or {"a": "b"})


def _request() -> RequestView:
    return RequestView("POST", "/orders/17?page=2", [(b"Host", b"shop.test")], _BODY)


def _best(work: Callable[[], object], times: int) -> float:
    return min(timeit.repeat(work, number=times, repeat=5)) / times * 1e6


def _measure(bench: Bench) -> Measured:
    rounds: dict[str, list[Figures]] = {kind: [] for kind in BODIES}
    for _ in range(bench.scale.rounds):
        for kind, measured in rounds.items():
            measured.append({"rendering_us": rendering_us(kind), "deciding_us": deciding_us(kind)})
    contestants = {kind: Contestant(kind, tuple(measured)) for kind, measured in rounds.items()}
    rendering = {kind: contestants[kind].values("rendering_us") for kind in _BOUNDED}
    decided = {kind: contestants[kind].values("deciding_us") for kind in (_LITERAL, _STATIC)}
    literal = tuple(one / other for one, other in zip(decided[_LITERAL], decided[_STATIC], strict=True))
    return Measured(
        "Rendering a template",
        "In one process, in µs: rendering JSON bodies of ten members for a request that nobody has parsed, "
        "and the engine's whole decision, with matching. Computed: arithmetic, a filter, a date, a UUID, a "
        "random number.",
        (
            *(Check(kind, "at most", _MOST_US, "µs", rendering[kind]) for kind in _BOUNDED),
            Check(f"{_LITERAL}, over a static body", "at most", _SAME, "×", literal),
        ),
        tuple(contestants.values()),
    )


ROWS: dict[str, Row] = {"templates": _measure}
