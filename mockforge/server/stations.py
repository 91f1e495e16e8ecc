"""The pools of a running service: answers that wait at a station before it is known when they are due.

Each station has one deadline, for the next completion there. It is set anew when that comes to be earlier;
when it comes to be later, the deadline finds nothing done and is set again. One answer completes at a
deadline, however many are due, so that others have their turn between them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, cast

from mockforge.clock import Clock, Deadline, DeadlineTimer
from mockforge.delays.station import Refusal
from mockforge.engine import Decision, Engine
from mockforge.model.response import DelayPlan
from mockforge.model.service import DEFAULT_POOL
from mockforge.state.pools import Beyond, Demand, Done, Pool, PoolCounts, PoolRule

__all__ = ["PoolFigures", "Stations", "Waiting"]


class Waiting(Deadline):
    """An answer that may wait at a station; once its time is known, `fire` is called at it."""

    __slots__ = ("decision", "station")

    decision: Decision
    #: Where it waits; None once that is over.
    station: _Running | None

    def leave(self) -> None:
        """The caller left: the answer is never given, and its place at a station is told of it."""
        self.cancel()
        if self.station is not None:
            self.station.leave(self)

    def schedule(self, timer: DeadlineTimer, now_ns: int) -> None:
        """Fire when the answer is due, which may be now."""
        due_ns = self.decision.plan.first_byte_ns
        if due_ns > now_ns:
            timer.add(due_ns, self)
        else:
            self.fire()


class PoolFigures(NamedTuple):
    """A pool at a moment, and what was counted of it over the run."""

    name: str
    in_flight: int
    waiting: int
    counts: PoolCounts


class Stations:
    """The pools of one service, each opened by the first request that comes to it.

    An edit of a pool opens it anew: what is in flight completes as it would have, apart from what comes.
    """

    def __init__(self, engine: Engine, clock: Clock, timer: Callable[[], DeadlineTimer]) -> None:
        #: Told, at most once a minute a pool, that more are in flight than the recording had.
        self.on_beyond: Callable[[Beyond], object] | None = None
        self._engine = engine
        self._clock = clock
        self._timer = timer
        self._open: dict[str, _Running] = {}
        self._edited: list[_Running] = []
        self._counts: dict[str, PoolCounts] = {}

    def enter(self, answer: Waiting) -> None:
        """Have `answer` wait at the pool that its decision names, or refuse it there."""
        demand = cast(Demand, answer.decision.demand)
        running = self._open.get(demand.pool.name)
        if running is None or running.pool.rule is not demand.pool:
            running = self._open_anew(demand.pool, running)
        refusal = running.enter(answer, demand)
        if refusal is not None:
            answer.decision = self._engine.refuse(answer.decision, refusal)
            answer.schedule(self._timer(), self._clock.now_ns())

    def figures(self) -> list[PoolFigures]:
        """Of each pool that the service has or that was used."""
        service = self._engine.service
        own = () if service.capacity is None else (DEFAULT_POOL,)
        names = dict.fromkeys((*own, *service.pools, *self._counts))
        return [self._figures_of(name) for name in names]

    def _figures_of(self, name: str) -> PoolFigures:
        pools = [each.pool for each in (*self._open.values(), *self._edited) if each.pool.rule.name == name]
        return PoolFigures(
            name,
            sum(pool.in_flight for pool in pools),
            sum(pool.waiting for pool in pools),
            self._counts.get(name) or PoolCounts(),
        )

    def _open_anew(self, rule: PoolRule, before: _Running | None) -> _Running:
        if before is not None:
            if before.pool.rule == rule:  # it was another part of the service that was edited
                before.pool.rule = rule
                return before
            self._edited = [each for each in (*self._edited, before) if each.pool.in_flight]
        counts = self._counts.setdefault(rule.name, PoolCounts())
        engine = self._engine
        pool = Pool(rule, engine.station(rule), counts, self._tell, engine.limit_ns(rule))
        self._open[rule.name] = running = _Running(pool, engine, self._clock, self._timer())
        return running

    def _tell(self, beyond: Beyond) -> None:
        if self.on_beyond is not None:
            self.on_beyond(beyond)


class _Running:
    """A pool with the deadline of its next completion."""

    __slots__ = ("_clock", "_engine", "_timer", "_wake", "pool")

    def __init__(self, pool: Pool, engine: Engine, clock: Clock, timer: DeadlineTimer) -> None:
        self.pool = pool
        self._engine = engine
        self._clock = clock
        self._timer = timer
        self._wake: _Wake | None = None

    def enter(self, answer: Waiting, demand: Demand) -> Refusal | None:
        """Let the answer in, or say why not."""
        refusal = self.pool.arrive(answer.decision.plan.arrived_ns, demand, answer)
        if refusal is None:
            answer.station = self
            self._set()
        return refusal

    def leave(self, answer: Waiting) -> None:
        """The caller of `answer` left."""
        answer.station = None
        self.pool.leave(self._clock.now_ns(), answer)
        self._set()

    def wake(self) -> None:
        """The deadline: one answer may be complete; its time is the station's, however late it is now."""
        self._wake = None
        now_ns = self._clock.now_ns()
        done = self.pool.take(now_ns)
        try:
            if done is not None:
                self._complete(done, now_ns)
        finally:
            self._set()

    def _complete(self, done: Done, now_ns: int) -> None:
        answer = cast(Waiting, done.job)
        answer.station = None
        if answer.cancelled:  # its caller left, and its place was kept
            return
        decision = answer.decision
        if done.late:
            answer.decision = self._engine.time_out(decision)
        else:
            due_ns = done.at_ns + cast(Demand, decision.demand).offset_ns
            plan = DelayPlan(decision.plan.arrived_ns, due_ns)
            answer.decision = decision._replace(plan=plan, demand=None)
        answer.schedule(self._timer, now_ns)

    def _set(self) -> None:
        due_ns = self.pool.next_ns()
        if due_ns is None or (self._wake is not None and self._wake.due_ns <= due_ns):
            return
        if self._wake is not None:
            self._wake.cancel()
        self._wake = _Wake(self, due_ns)
        self._timer.add(due_ns, self._wake)


class _Wake(Deadline):
    """The deadline of a station."""

    __slots__ = ("_running", "due_ns")

    def __init__(self, running: _Running, due_ns: int) -> None:
        super().__init__()
        self._running = running
        self.due_ns = due_ns

    def fire(self) -> None:
        self._running.wake()
