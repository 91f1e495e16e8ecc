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
from collections.abc import Mapping
from random import Random
from typing import NamedTuple

from mockforge.compiling import CompiledService, CompiledStub, VariantTable, compile_service
from mockforge.delays.sending import CompiledSending, Sending
from mockforge.delays.spells import SpellClock
from mockforge.delays.station import Refusal, Station
from mockforge.delays.station_of import station_of
from mockforge.errors import UsageError
from mockforge.forwarding.callbacks import PlannedCallback
from mockforge.forwarding.proxied import CompiledForward, Forward
from mockforge.matching.near_miss import COMPARED, NearMiss, describe_miss, nearest
from mockforge.matching.regexes import RunawayError
from mockforge.matching.url import path_parameters
from mockforge.model.request import RequestView
from mockforge.model.response import DelayPlan, RenderedResponse, failed
from mockforge.model.sending import BodyFile
from mockforge.model.service import Service
from mockforge.state.memory import ServiceMemory
from mockforge.state.pools import Demand, PoolRule
from mockforge.state.scenarios import Scenarios
from mockforge.state.steps import elsewhere
from mockforge.state.strata import Strata
from mockforge.state.turns import Turns
from mockforge.templating.failure import TemplateFailure
from mockforge.templating.rendering import rendered_for
from mockforge.templating.request import TemplateRequest

__all__ = ["CompiledService", "Decision", "Engine", "compile_service"]

#: Stands for an answer that an upstream is to give.
_NOTHING = RenderedResponse(200, (), b"")

_PLAIN_TEXT = ((b"Content-Type", b"text/plain; charset=utf-8"),)

#: Makes a named tuple without the detour through its Python-level constructor, on the way of most answers.
_new = tuple.__new__


class Decision(NamedTuple):
    """What a request gets. `stub` is None for a miss, whose 404 is due at once.

    With a `demand` the answer waits at a pool first: the plan is then the earliest that can be. With a
    `forward` it is an upstream that answers, and not before the plan. `callbacks` are made afterwards.
    `sending` says how the bytes go out, where that is not all at once.
    """

    stub: str | None
    response: RenderedResponse
    plan: DelayPlan
    demand: Demand | None = None
    forward: Forward | None = None
    callbacks: tuple[PlannedCallback, ...] = ()
    sending: Sending | None = None


class Engine:
    """Decides what each request of one service gets. Not thread-safe: one event loop owns it.

    Every planned delay is multiplied by `time_scale`; at 0 every answer is due at once. What no stub matches
    goes on to `fallback`, where there is one.
    """

    def __init__(
        self,
        compiled: CompiledService,
        random: Random,
        turns: Turns | None = None,
        *,
        time_scale: float = 1.0,
        fallback: CompiledForward | None = None,
    ) -> None:
        self._compiled = compiled
        self._random = random
        self._strata = Strata(random)
        self._turns = turns or Turns()
        self._time_scale = time_scale
        self._fallback = fallback
        self._spells = self._spell_clock(compiled.service)
        self.memory = ServiceMemory(random)
        self.scenarios.declare(compiled.steps())

    @property
    def scenarios(self) -> Scenarios:
        return self.memory.scenarios

    @property
    def service(self) -> Service:
        return self._compiled.service

    @property
    def compiled(self) -> CompiledService:
        """What is served now."""
        return self._compiled

    def replace(self, compiled: CompiledService) -> None:
        """Swap the service; the next request is the first to see it."""
        if compiled.service.slow_spells != self._compiled.service.slow_spells:
            self._spells = self._spell_clock(compiled.service)
        self._compiled = compiled
        self.scenarios.declare(compiled.steps())

    def edited(self) -> None:
        """The index of what is served was edited: scenarios may have come or gone with it."""
        self.scenarios.declare(self._compiled.steps())

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
                return _new(Decision, (stub.name, stub.static.rendered, plan, None, None, (), None))
            step = stub.scenario
            if step is None:
                return self._answer(stub, request, arrived_ns)
            if step.enter(self.scenarios, request):
                decision = self._answer(stub, request, arrived_ns)
                if step.is_keyed:
                    step.answered(self.scenarios, request, decision.response)
                return decision
        return self._miss(request, arrived_ns)

    def _answer(self, stub: CompiledStub, request: RequestView, arrived_ns: int) -> Decision:
        number = self._choose_response(stub, request) if len(stub.responses) > 1 else 0
        response = stub.responses[number]
        rendered = response.rendered
        forward = None
        file: BodyFile | None = None
        asked = self._asked(stub, request) if stub.asks else None
        if response.forward is not None and asked is not None:
            try:
                forward = response.forward.of(asked)
            except (TemplateFailure, UsageError) as error:
                return _failed(stub.name, f"its proxyBaseUrl cannot be used: {error}", arrived_ns)
        elif response.variants is not None:
            rendered = self._choose_variant(response.variants, request, (stub.name, number))
        elif response.template is not None and asked is not None:
            rendered, file = rendered_for(response.template, rendered, asked, stub.name)
        delay_ns, level = 0, None
        for position, delay in enumerate(response.delays):
            level = self._level((stub.name, number, position), arrived_ns)
            delay_ns += delay.at(level)
        sending = None
        if response.sending is not None:
            sending = self._sending(response.sending, (stub.name, number), level, arrived_ns)
            if sending is not None and sending.fault is not None:
                forward = None
        if file is not None:
            sending = (sending or Sending(scale=self._time_scale)).of_file(file)
        demand = None
        if stub.pool is not None:
            service_ns, offset_ns = (
                (delay_ns, response.fixed_ns) if response.delays else (response.fixed_ns, 0)
            )
            demand = Demand(stub.pool, self._scaled(service_ns), self._scaled(offset_ns))
            due_ns = arrived_ns + demand.service_ns + demand.offset_ns
        else:
            due_ns = arrived_ns + self._scaled(delay_ns + response.fixed_ns)
        plan = DelayPlan(arrived_ns, due_ns)
        callbacks = self._callbacks(stub, asked) if asked is not None else ()
        return Decision(stub.name, rendered, plan, demand, forward, callbacks, sending)

    def _asked(self, stub: CompiledStub, request: RequestView) -> TemplateRequest:
        """The request as templates see it."""
        return TemplateRequest(
            request, _parameters(stub, request), self.memory, self.memory.answers(stub.name)
        )

    def _sending(
        self, sending: CompiledSending, whose: tuple[str, int], level: float | None, arrived_ns: int
    ) -> Sending | None:
        """How the answer goes out, its body's time at the level of its delay."""
        if level is None and sending.body_time is not None:
            level = self._level((*whose, -1), arrived_ns)
        return sending.draw(
            level or 0.0, lambda: self._strata.draw((*whose, "fault")), self._random, self._time_scale
        )

    def _callbacks(self, stub: CompiledStub, asked: TemplateRequest) -> tuple[PlannedCallback, ...]:
        """The stub's callbacks, each with its delay drawn."""
        planned = []
        for position, callback in enumerate(stub.callbacks):
            law = callback.delay
            delay_ns = 0 if law is None else law.at(self._strata.draw((stub.name, "callback", position)))
            # Each has a generator of its own: when one is made must not change what the next request gets.
            memory = self.memory.of(Random(self._random.getrandbits(64)))
            planned.append(PlannedCallback(callback, self._scaled(delay_ns), asked.remembering(memory)))
        return tuple(planned)

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
        return self._instead(decision, response, answer.delay_ns)

    def time_out(self, decision: Decision) -> Decision:
        """What the request of `decision` gets instead, as its pool was not done with it in time."""
        late = decision.demand.pool.when_late if decision.demand else None
        assert late is not None
        return self._instead(decision, late.response, late.delay_ns)

    def _instead(self, decision: Decision, response: RenderedResponse, delay_ns: int) -> Decision:
        arrived_ns = decision.plan.arrived_ns
        plan = DelayPlan(arrived_ns, arrived_ns + self._scaled(delay_ns))
        return Decision(decision.stub, response, plan)

    def limit_ns(self, pool: PoolRule) -> int | None:
        """The time limit of the pool's requests, where there is one."""
        return None if pool.when_late is None else self._scaled(pool.when_late.delay_ns)

    def station(self, pool: PoolRule) -> Station:
        """A station for `pool`, with nobody in it."""
        capacity = pool.capacity
        # Stalls have a generator of their own: when one comes must not change what the next request gets.
        random = Random(self._random.getrandbits(64)) if capacity.stalls is not None else self._random
        return station_of(capacity, random, time_scale=self._time_scale)

    def _scaled(self, delay_ns: int) -> int:
        return int(delay_ns * self._time_scale)

    def _choose_response(self, stub: CompiledStub, request: RequestView) -> int:
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
        self, table: VariantTable, request: RequestView, whose: tuple[str, int]
    ) -> RenderedResponse:
        key = table.key_of(request)
        recorded = table.by_key.get(key)
        if recorded is None:
            return table.rows[self._turns.take(whose, len(table.rows))]
        if len(recorded) == 1:
            return table.rows[recorded[0]]
        return table.rows[recorded[self._turns.take((*whose, key), len(recorded))]]

    def near_misses(self, request: RequestView) -> list[NearMiss]:
        """The stubs that nearly match, nearest first: their scenarios' states count too."""
        likely = self._compiled.index.likely(request.target, COMPARED)
        steps = [(stub.name, stub.scenario) for stub in likely if stub.scenario is not None]
        states = elsewhere(steps, self.scenarios, request)
        return nearest(((stub.name, stub.matcher) for stub in likely), request, states)

    def _miss(self, request: RequestView, arrived_ns: int) -> Decision:
        if self._fallback is not None:
            forward = self._fallback.of(TemplateRequest(request, {}, self.memory))
            return Decision(None, _NOTHING, DelayPlan(arrived_ns, arrived_ns), None, forward)
        text = describe_miss(request, self.near_misses(request), len(self._compiled.index))
        response = RenderedResponse(404, _PLAIN_TEXT, text.encode())
        return Decision(None, response, DelayPlan(arrived_ns, arrived_ns))


def _parameters(stub: CompiledStub, request: RequestView) -> Mapping[str, str]:
    return path_parameters(stub.path_template, request.path) if stub.path_template else {}


def _failed(stub: str | None, what: str, arrived_ns: int) -> Decision:
    return Decision(stub, failed(stub, what), DelayPlan(arrived_ns, arrived_ns))


def _telling_when(response: RenderedResponse, wait_ns: int) -> RenderedResponse:
    """The answer with a Retry-After, in whole seconds, unless it has one."""
    if any(name.lower() == b"retry-after" for name, _ in response.headers):
        return response
    told = (b"Retry-After", b"%d" % math.ceil(wait_ns / 1e9))
    return RenderedResponse(response.status, (*response.headers, told), response.body)
