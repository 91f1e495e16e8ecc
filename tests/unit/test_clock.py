"""The deadline timer, driven by a clock and a loop that the test moves; then on the real loops."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import pytest
import uvloop

from mockforge import clock as clock_module
from mockforge.clock import DeadlineTimer, ManualClock, SystemClock

MS = 1_000_000


@dataclass
class Handle:
    """A timer of the manual loop."""

    due_ns: int
    callback: Callable[[], object]
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True


class ManualLoop:
    """As much of a loop as the timer needs; its timers fire when the test says so."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self._handles: list[Handle] = []

    def add_reader(self, fd: int, callback: Callable[[], object]) -> None:
        raise NotImplementedError

    def call_later(self, delay_s: float, callback: Callable[[], object]) -> Handle:
        self._handles.append(Handle(self._clock.now_ns() + round(delay_s * 1e9), callback))
        return self._handles[-1]

    def armed_ns(self) -> list[int]:
        """When the timers that still count are due."""
        self._handles = [handle for handle in self._handles if not handle.cancelled]
        return sorted(handle.due_ns for handle in self._handles)

    def fire(self) -> None:
        """Fire the first timer, whatever the clock says."""
        due_ns = self.armed_ns()[0]
        first = next(handle for handle in self._handles if handle.due_ns == due_ns)
        self._handles.remove(first)
        first.callback()

    def run_until(self, until_ns: int) -> None:
        """Move the clock from timer to timer, as far as `until_ns`."""
        while (armed := self.armed_ns()) and armed[0] <= until_ns:
            self._clock.advance(max(0, armed[0] - self._clock.now_ns()))
            self.fire()
        self._clock.advance(until_ns - self._clock.now_ns())


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(now_ns=1_000 * MS)


@pytest.fixture
def loop(clock: ManualClock) -> ManualLoop:
    return ManualLoop(clock)


@pytest.fixture
def timer(loop: ManualLoop, clock: ManualClock) -> DeadlineTimer:
    return DeadlineTimer(cast(Any, loop), clock)


def test_callbacks_run_in_due_order_each_at_its_time(
    timer: DeadlineTimer, loop: ManualLoop, clock: ManualClock
) -> None:
    ran: list[tuple[int, int]] = []
    for due_ms in (1_030, 1_010, 1_020, 1_010, 1_040):
        timer.at(due_ms * MS, lambda due_ms=due_ms: ran.append((due_ms, clock.now_ns() // MS)))  # type: ignore[misc]
    loop.run_until(1_035 * MS)
    assert ran == [(1_010, 1_010), (1_010, 1_010), (1_020, 1_020), (1_030, 1_030)]


def test_an_earlier_deadline_arms_anew_and_a_later_one_does_not(
    timer: DeadlineTimer, loop: ManualLoop
) -> None:
    timer.at(1_050 * MS, lambda: None)
    timer.at(1_080 * MS, lambda: None)
    assert loop.armed_ns() == [1_050 * MS]
    timer.at(1_020 * MS, lambda: None)
    assert loop.armed_ns() == [1_020 * MS]


def test_a_cancelled_callback_does_not_run_and_arms_nothing(timer: DeadlineTimer, loop: ManualLoop) -> None:
    ran: list[str] = []
    timer.at(1_010 * MS, lambda: ran.append("first"))
    doomed = [timer.at(due_ms * MS, lambda: ran.append("doomed")) for due_ms in (1_010, 1_020, 1_030)]
    for deadline in doomed:
        deadline.cancel()
    loop.fire()
    loop.run_until(1_010 * MS)
    assert ran == ["first"]
    assert loop.armed_ns() == []


def test_a_callback_that_raises_does_not_stop_the_others(
    timer: DeadlineTimer, loop: ManualLoop, caplog: pytest.LogCaptureFixture
) -> None:
    ran: list[str] = []
    timer.at(1_010 * MS, lambda: 1 // 0)
    timer.at(1_010 * MS, lambda: ran.append("same time"))
    timer.at(1_020 * MS, lambda: ran.append("later"))
    loop.run_until(1_020 * MS)
    assert ran == ["same time", "later"]
    assert "ZeroDivisionError" in caplog.text


def test_a_loop_that_fires_early_is_waited_out(
    timer: DeadlineTimer, loop: ManualLoop, clock: ManualClock
) -> None:
    ran: list[int] = []
    timer.at(1_010 * MS, lambda: ran.append(clock.now_ns()))
    clock.advance(10 * MS - 1)
    loop.fire()
    assert ran == []
    assert loop.armed_ns() == [1_010 * MS]
    loop.run_until(1_010 * MS)
    assert ran == [1_010 * MS]


def test_what_is_past_due_runs_at_the_loops_next_turn_and_not_within_the_call(
    timer: DeadlineTimer, loop: ManualLoop
) -> None:
    ran: list[str] = []
    timer.at(990 * MS, lambda: ran.append("late"))
    assert ran == []
    assert loop.armed_ns() == [1_000 * MS]
    loop.fire()
    assert ran == ["late"]


def test_a_callback_may_ask_for_more(timer: DeadlineTimer, loop: ManualLoop, clock: ManualClock) -> None:
    ran: list[int] = []

    def chunk() -> None:
        ran.append(clock.now_ns() // MS)
        if len(ran) < 3:
            timer.at(clock.now_ns() + 5 * MS, chunk)

    timer.at(1_010 * MS, chunk)
    timer.at(1_012 * MS, lambda: ran.append(0))
    loop.run_until(1_100 * MS)
    assert ran == [1_010, 0, 1_015]


def test_nothing_runs_after_close(timer: DeadlineTimer, loop: ManualLoop) -> None:
    ran: list[str] = []
    timer.at(1_010 * MS, lambda: ran.append("closed"))
    timer.close()
    assert loop.armed_ns() == []
    loop.run_until(1_020 * MS)
    assert ran == []


@pytest.fixture(params=["timerfd", "loop timers"])
def mechanism(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "loop timers":
        monkeypatch.setattr(clock_module, "_open_timerfd", lambda: None)
    return str(request.param)


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_on_a_real_loop_all_run_in_order_and_none_earlier_than_a_wake_up_takes(
    new_loop: Callable[[], asyncio.AbstractEventLoop], mechanism: str
) -> None:
    async def ask() -> list[tuple[int, int]]:
        loop = asyncio.get_running_loop()
        clock = SystemClock()
        timer = DeadlineTimer(loop, clock)
        assert timer.precise == (mechanism == "timerfd")
        start_ns = clock.now_ns()
        ran: list[tuple[int, int]] = []
        done = asyncio.Event()
        for due_ns in (start_ns + each * 500_000 for each in (4, 0, 3, 1, 2)):
            timer.at(due_ns, lambda due_ns=due_ns: ran.append((due_ns, clock.now_ns())))  # type: ignore[misc]
        timer.at(start_ns + 2_500_000, done.set)
        await done.wait()
        timer.close()
        return ran

    with asyncio.Runner(loop_factory=new_loop) as runner:
        ran = runner.run(ask())
    assert [due_ns for due_ns, _ in ran] == sorted(due_ns for due_ns, _ in ran)
    assert len(ran) == 5
    assert all(now_ns >= due_ns - 50_000 for due_ns, now_ns in ran)


def test_the_descriptor_is_freed_by_close(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[int] = []
    open_timerfd = clock_module._open_timerfd

    def remembering() -> int | None:
        fd = open_timerfd()
        assert fd is not None
        opened.append(fd)
        return fd

    monkeypatch.setattr(clock_module, "_open_timerfd", remembering)

    async def open_and_close() -> None:
        timer = DeadlineTimer(asyncio.get_running_loop())
        timer.at(SystemClock.now_ns() + 10**12, lambda: None)
        os.fstat(opened[0])
        timer.close()
        timer.close()

    asyncio.run(open_and_close())
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(opened[0])


def test_a_loop_without_readers_frees_the_descriptor_and_goes_on(
    loop: ManualLoop, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, write = os.pipe()
    monkeypatch.setattr(clock_module, "_open_timerfd", lambda: read)
    ran: list[str] = []
    timer = DeadlineTimer(cast(Any, loop), clock)
    assert not timer.precise
    timer.at(1_001 * MS, lambda: ran.append("due"))
    loop.run_until(1_001 * MS)
    assert ran == ["due"]
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(read)
    os.close(write)


def test_a_manual_clock_stands_until_it_is_moved() -> None:
    clock = ManualClock(5)
    assert (clock.now_ns(), clock.wall_ns()) == (5, 5)
    clock.advance(7)
    assert (clock.now_ns(), clock.wall_ns()) == (12, 12)
