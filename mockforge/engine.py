"""The engine: which stub answers a request, with what, and when.

Written stubs are compiled once; deciding is synchronous and touches no socket, clock or file:

    request ─► index ─► matchers, by priority ─► response: by share, then by the request's parameters
            ─► delay drawn ─► due time counted from ARRIVAL ─► Decision

Under a capacity the drawn delay is what the request demands of its pool: the decision then says so, and
whoever delivers the answer has it wait there first.

Randomness comes from one injected, seeded generator. `replace` swaps the whole service in one step, so that
no request sees half an edit.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from typing import NamedTuple

from mockforge.delays.distributions import Distribution, compile_distribution
from mockforge.delays.spells import SpellClock
from mockforge.delays.station import Refusal, Station
from mockforge.delays.station_of import station_of
from mockforge.errors import StubFileError
from mockforge.matching.index import StubIndex
from mockforge.matching.near_miss import describe_miss, nearest, state_difference
from mockforge.matching.parameters import ParameterKey, compile_parameters
from mockforge.matching.regexes import RunawayError
from mockforge.matching.request import Difference, RequestMatcher
from mockforge.matching.url import path_parameters, template_regex
from mockforge.model.headers import Headers
from mockforge.model.request import RequestView
from mockforge.model.response import DelayPlan, RenderedResponse
from mockforge.model.service import DEFAULT_POOL, Capacity, Service
from mockforge.model.stub import ResponseDefinition, ScenarioStep, Stub, Variants
from mockforge.state.pools import Demand, PoolRule, RefusalAnswer
from mockforge.state.scenarios import Scenarios
from mockforge.state.strata import Strata
from mockforge.state.turns import Turns
from mockforge.templating.jinja import RenderBody
from mockforge.templating.rendering import rendered_for
from mockforge.templating.transformers import TRANSFORMERS

__all__ = ["CompiledService", "Decision", "Engine", "compile_service"]

#: Fields that say how a body is sent, and for how long a connection lasts: whoever sends it writes them.
_FRAMING = ("content-length", "transfer-encoding", "connection", "keep-alive")

_PLAIN_TEXT = ((b"Content-Type", b"text/plain; charset=utf-8"),)

#: Makes a named tuple without the detour through its Python-level constructor, on the way of most answers.
_new = tuple.__new__


class Decision(NamedTuple):
    """What a request gets. `stub` is None for a miss, whose 404 is due at once.

    With a `demand` the answer waits at a pool first: the plan is then the earliest that can be.
    """

    stub: str | None
    response: RenderedResponse
    plan: DelayPlan
    demand: Demand | None = None


@dataclass(frozen=True, slots=True)
class _VariantTable:
    """Rendered variants; `by_key` gives the rows recorded for a key."""

    key_of: ParameterKey
    rows: tuple[RenderedResponse, ...]
    by_key: dict[tuple[str, ...], tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class _CompiledResponse:
    """One answer of a stub: its bytes, or how to make them, and the laws of its delay."""

    rendered: RenderedResponse
    fixed_ns: int
    delays: tuple[Distribution, ...]
    variants: _VariantTable | None
    template: RenderBody | None

    @property
    def is_static(self) -> bool:
        """Whether it is always the same bytes after the same time."""
        return not (self.delays or self.variants or self.template)


@dataclass(frozen=True, slots=True)
class _CompiledStub:
    name: str
    matcher: RequestMatcher
    path_template: re.Pattern[str] | None
    responses: tuple[_CompiledResponse, ...]
    cumulative_shares: tuple[float, ...]
    #: The answer of a stub that always gives the same one after the same time.
    static: _CompiledResponse | None
    #: Where it waits before its delay runs, if anywhere.
    pool: PoolRule | None
    scenario: ScenarioStep | None


@dataclass(frozen=True, slots=True)
class CompiledService:
    """A service ready to decide."""

    service: Service
    index: StubIndex[_CompiledStub]

    def matchers(self) -> Iterator[tuple[str, RequestMatcher]]:
        """Every stub's name and matcher, for near misses."""
        for stub in self.index:
            yield stub.name, stub.matcher

    def steps(self) -> Iterator[ScenarioStep]:
        """Every stub's step in a scenario."""
        return (stub.scenario for stub in self.service.stubs if stub.scenario is not None)


def compile_service(service: Service) -> CompiledService:
    """Compile every stub; raises one StubFileError that lists all problems, each with its place."""
    index: StubIndex[_CompiledStub] = StubIndex()
    problems = []
    pools = _compile_pools(service)
    for stub in service.stubs:
        try:
            compiled = _compile_stub(stub, pools)
            index.add(stub, compiled.matcher, compiled)
        except StubFileError as error:
            where = f"{stub.place}: " if stub.place else ""
            problems.append(f"{where}stub {stub.name!r}: {error}")
    if problems:
        raise StubFileError(f"{len(problems)} stubs cannot be served", problems=tuple(problems))
    return CompiledService(service, index)


class Engine:
    """Decides what each request of one service gets. Not thread-safe: one event loop owns it.

    Every planned delay is multiplied by `time_scale`; at 0 every answer is due at once.
    """

    def __init__(
        self,
        compiled: CompiledService,
        random: Random,
        turns: Turns | None = None,
        *,
        time_scale: float = 1.0,
    ) -> None:
        self._compiled = compiled
        self._random = random
        self._strata = Strata(random)
        self._turns = turns or Turns()
        self._time_scale = time_scale
        self._spells = self._spell_clock(compiled.service)
        self.scenarios = Scenarios()
        self.scenarios.declare(compiled.steps())

    @property
    def service(self) -> Service:
        return self._compiled.service

    def replace(self, compiled: CompiledService) -> None:
        """Swap the service; the next request is the first to see it."""
        if compiled.service.slow_spells != self._compiled.service.slow_spells:
            self._spells = self._spell_clock(compiled.service)
        self._compiled = compiled
        self.scenarios.declare(compiled.steps())

    def decide(self, request: RequestView, arrived_ns: int) -> Decision:
        """What `request` gets, and when; `arrived_ns` is when its last byte came."""
        try:
            candidates = self._compiled.index.candidates(request)
        except RunawayError as error:
            return _failed(None, f"a URL pattern failed: {error}", arrived_ns)
        for rest, stub in candidates:
            try:
                if rest is not None and not rest(request):
                    continue
            except Exception as error:  # a matcher that fails is an error of its stub, never "no match"
                return _failed(stub.name, f"a matcher failed: {error}", arrived_ns)
            if stub.static is not None:
                due_ns = arrived_ns
                if stub.static.fixed_ns:
                    due_ns += int(stub.static.fixed_ns * self._time_scale)
                plan = _new(DelayPlan, (arrived_ns, due_ns))
                return _new(Decision, (stub.name, stub.static.rendered, plan, None))
            if stub.scenario is None or self.scenarios.enter(stub.scenario):
                return self._answer(stub, request, arrived_ns)
        return self._miss(request, arrived_ns)

    def _answer(self, stub: _CompiledStub, request: RequestView, arrived_ns: int) -> Decision:
        number = self._choose_response(stub, request) if len(stub.responses) > 1 else 0
        response = stub.responses[number]
        rendered = response.rendered
        if response.variants is not None:
            rendered = self._choose_variant(response.variants, request, (stub.name, number))
        elif response.template is not None:
            parameters = path_parameters(stub.path_template, request.path) if stub.path_template else {}
            rendered = rendered_for(response.template, rendered, request, stub.name, parameters)
        delay_ns = 0
        for position, delay in enumerate(response.delays):
            delay_ns += delay.at(self._level((stub.name, number, position), arrived_ns))
        if stub.pool is not None:
            service_ns, offset_ns = (
                (delay_ns, response.fixed_ns) if response.delays else (response.fixed_ns, 0)
            )
            demand = Demand(stub.pool, self._scaled(service_ns), self._scaled(offset_ns))
            earliest_ns = arrived_ns + demand.service_ns + demand.offset_ns
            return Decision(stub.name, rendered, DelayPlan(arrived_ns, earliest_ns), demand)
        delay_ns += response.fixed_ns
        due_ns = arrived_ns + int(delay_ns * self._time_scale) if delay_ns else arrived_ns
        return Decision(stub.name, rendered, DelayPlan(arrived_ns, due_ns))

    def _level(self, whose: tuple[str, int, int], now_ns: int) -> float:
        """Where in its law a delay is drawn: anywhere alike, but for slow spells."""
        spells = self._spells
        if spells is None:
            return self._strata.draw(whose)
        return spells.level(now_ns, self._strata.draw((*whose, spells.is_slow(now_ns))))

    def _spell_clock(self, service: Service) -> SpellClock | None:
        """The service's slow spells, with a generator of their own."""
        if service.slow_spells is None:
            return None
        return SpellClock(service.slow_spells, Random(self._random.getrandbits(64)))

    def refuse(self, decision: Decision, refusal: Refusal) -> Decision:
        """What the request of `decision` gets instead, as its pool did not let it in."""
        demand = decision.demand
        assert demand is not None
        wait_ns = refusal.retry_after_ns
        answer = demand.pool.when_full if wait_ns is None else demand.pool.when_limited
        response = answer.response if wait_ns is None else _telling_when(answer.response, wait_ns)
        arrived_ns = decision.plan.arrived_ns
        plan = DelayPlan(arrived_ns, arrived_ns + self._scaled(answer.delay_ns))
        return Decision(decision.stub, response, plan)

    def station(self, pool: PoolRule) -> Station:
        """A station for `pool`, with nobody in it."""
        capacity = pool.capacity
        # Stalls have a generator of their own: when one comes must not change what the next request gets.
        random = Random(self._random.getrandbits(64)) if capacity.stalls is not None else self._random
        return station_of(capacity, random, time_scale=self._time_scale)

    def _scaled(self, delay_ns: int) -> int:
        return int(delay_ns * self._time_scale)

    def _choose_response(self, stub: _CompiledStub, request: RequestView) -> int:
        """By share; but an answer recorded for just this request's parameters goes before any that was not.

        Answers without parameters (a 503 under load) keep their share whatever is asked.
        """
        draw = self._strata.draw(stub.name) * stub.cumulative_shares[-1]
        drawn = next(number for number, upto in enumerate(stub.cumulative_shares) if draw < upto)
        table = stub.responses[drawn].variants
        if table is None or not table.by_key or table.key_of(request) in table.by_key:
            return drawn
        for number, response in enumerate(stub.responses):
            table = response.variants
            if table is not None and table.key_of(request) in table.by_key:
                return number
        return drawn

    def _choose_variant(
        self, table: _VariantTable, request: RequestView, whose: tuple[str, int]
    ) -> RenderedResponse:
        key = table.key_of(request)
        recorded = table.by_key.get(key)
        if recorded is None:
            return table.rows[self._turns.take(whose, len(table.rows))]
        if len(recorded) == 1:
            return table.rows[recorded[0]]
        return table.rows[recorded[self._turns.take((*whose, key), len(recorded))]]

    def _states_elsewhere(self) -> dict[str, Difference]:
        """By stub: the state that its scenario would have to be in, and is not."""
        steps = ((stub.name, stub.scenario) for stub in self._compiled.service.stubs)
        return {
            name: state_difference(step, self.scenarios.state(step.scenario))
            for name, step in steps
            if step is not None and not self.scenarios.admits(step)
        }

    def _miss(self, request: RequestView, arrived_ns: int) -> Decision:
        misses = nearest(self._compiled.matchers(), request, self._states_elsewhere())
        text = describe_miss(request, misses)
        response = RenderedResponse(404, _PLAIN_TEXT, text.encode())
        return Decision(None, response, DelayPlan(arrived_ns, arrived_ns))


def _failed(stub: str | None, what: str, arrived_ns: int) -> Decision:
    """A 500 that says what is wrong, and names the stub where it is known."""
    whose = "" if stub is None else f"stub {stub!r}: "
    response = RenderedResponse(500, _PLAIN_TEXT, f"{whose}{what}\n".encode())
    return Decision(stub, response, DelayPlan(arrived_ns, arrived_ns))


def _telling_when(response: RenderedResponse, wait_ns: int) -> RenderedResponse:
    """The answer with a Retry-After, in whole seconds, unless it has one."""
    if any(name.lower() == b"retry-after" for name, _ in response.headers):
        return response
    told = (b"Retry-After", b"%d" % math.ceil(wait_ns / 1e9))
    return RenderedResponse(response.status, (*response.headers, told), response.body)


def _compile_pools(service: Service) -> Mapping[str, PoolRule | None]:
    """By name; None for one that nothing ever waits at."""
    written = dict(service.pools)
    if service.capacity is not None:
        written[DEFAULT_POOL] = service.capacity
    return {name: _compile_pool(name, capacity) for name, capacity in written.items()}


def _compile_pool(name: str, capacity: Capacity) -> PoolRule | None:
    if capacity == Capacity():
        return None
    limited = capacity.rate_limit.answer if capacity.rate_limit else capacity.when_full
    try:
        station_of(capacity, Random(0))
    except ValueError as error:
        raise StubFileError(f"pool {name!r}: {error}") from None
    return PoolRule(name, capacity, _refusal_answer(capacity.when_full), _refusal_answer(limited))


def _refusal_answer(response: ResponseDefinition) -> RefusalAnswer:
    compiled = _compile_response(response, None)
    return RefusalAnswer(compiled.rendered, compiled.fixed_ns)


def _compile_stub(stub: Stub, pools: Mapping[str, PoolRule | None]) -> _CompiledStub:
    if stub.pool is not None and stub.pool not in pools:
        raise StubFileError(f"{stub.pool!r} is none of the service's pools")
    pool = pools.get(stub.pool or DEFAULT_POOL)
    shares = [1.0 if response.share is None else response.share for response in stub.responses]
    url = stub.request.url
    template = template_regex(url.value) if url is not None and url.kind == "urlPathTemplate" else None
    responses = tuple(_compile_response(response, template) for response in stub.responses)
    return _CompiledStub(
        name=stub.name,
        matcher=RequestMatcher(stub.request),
        path_template=template,
        responses=responses,
        cumulative_shares=tuple(accumulate(shares)),
        static=responses[0] if _is_plain(stub, responses) and pool is None else None,
        pool=pool,
        scenario=stub.scenario,
    )


def _is_plain(stub: Stub, responses: tuple[_CompiledResponse, ...]) -> bool:
    """Whether a stub has one answer, always the same, in whatever state."""
    return len(responses) == 1 and responses[0].is_static and stub.scenario is None


def _compile_response(response: ResponseDefinition, path: re.Pattern[str] | None) -> _CompiledResponse:
    delays = (compile_distribution(response.delay),) if response.delay is not None else ()
    fixed_ns = round((response.fixed_delay_ms or 0) * 1e6)
    rendered = RenderedResponse(
        response.status, _raw(response.headers), response.body.content() if response.body else b""
    )
    variants = _compile_variants(rendered, response.variants, path) if response.variants else None
    template = None
    if response.transformers and response.body is not None:
        template = TRANSFORMERS[response.transformers[0]](response.body)
    return _CompiledResponse(rendered, fixed_ns, delays, variants, template)


def _raw(headers: Headers) -> tuple[tuple[bytes, bytes], ...]:
    return tuple(headers.without(_FRAMING).raw())


def _compile_variants(
    rendered: RenderedResponse, variants: Variants, path: re.Pattern[str] | None
) -> _VariantTable:
    if not variants.rows:
        raise StubFileError(
            f"variants file {variants.file_name!r} has no rows", hint="one JSON object a line"
        )
    rows = tuple(
        RenderedResponse(
            rendered.status if row.status is None else row.status,
            rendered.headers + _raw(row.headers),
            row.body.content() if row.body else rendered.body,
        )
        for row in variants.rows
    )
    by_key: dict[tuple[str, ...], tuple[int, ...]] = {}
    for number, row in enumerate(variants.rows if variants.by else ()):
        by_key[row.when] = (*by_key.get(row.when, ()), number)
    return _VariantTable(compile_parameters(variants.by, path), rows, by_key)
