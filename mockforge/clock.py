"""Time: a clock that can be injected, and a timer that is late by microseconds.

asyncio and uvloop round timers to a millisecond, which is as long as many a backend's whole answer.
`DeadlineTimer` keeps a heap of deadlines behind one `timerfd` where the kernel has it, and falls back to
the loop's own timers elsewhere (bias: up to +1 ms on asyncio, up to -0.5 ms on uvloop, which the
timer then waits out).
"""

from __future__ import annotations

import asyncio
import ctypes
import heapq
import itertools
import logging
import os
import sys
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

__all__ = ["Clock", "Deadline", "DeadlineTimer", "ManualClock", "SystemClock"]

log = logging.getLogger(__name__)

#: So many deadlines fire before the loop's other work has its turn.
_AT_ONCE = 8
#: What it takes from the kernel's timer to our callback. Deadlines are armed for so much earlier, and one
#: that is no further off fires: the error is some tens of microseconds either way, and not one way only.
_WAKE_UP_NS = 50_000


class Clock(Protocol):
    """Where the time comes from."""

    def now_ns(self) -> int:
        """Monotonic nanoseconds."""
        ...

    def wall_ns(self) -> int:
        """Nanoseconds since 1970, UTC."""
        ...


class SystemClock:
    """The machine's clocks."""

    now_ns = staticmethod(time.monotonic_ns)
    wall_ns = staticmethod(time.time_ns)


class ManualClock:
    """A clock that a test moves."""

    def __init__(self, now_ns: int = 0) -> None:
        self._now_ns = now_ns

    def now_ns(self) -> int:
        return self._now_ns

    def wall_ns(self) -> int:
        return self._now_ns

    def advance(self, by_ns: int) -> None:
        self._now_ns += by_ns


class Deadline:
    """What is due at a time: `fire` is called then, unless it was cancelled before."""

    __slots__ = ("cancelled",)

    def __init__(self) -> None:
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True

    def fire(self) -> None:
        """What is to be done; for a subclass to say."""
        raise NotImplementedError


class _Call(Deadline):
    """A deadline that calls a function."""

    __slots__ = ("_callback",)

    def __init__(self, callback: Callable[[], object]) -> None:
        super().__init__()
        self._callback = callback

    def fire(self) -> None:
        self._callback()


#: When it is due, its place among those due at the same time, and what is due.
_Entry = tuple[int, int, Deadline]


class DeadlineTimer:
    """Fires deadlines at absolute monotonic times on a running event loop.

    One that raises is logged and never keeps the others from firing. Deadlines that are set in the order in
    which they are due (a fixed delay's are) wait in a queue, at no cost but that; the others in a heap.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, clock: Clock | None = None) -> None:
        self._loop = loop
        clock = clock or SystemClock()
        self._now_ns = clock.now_ns
        self._queue: deque[_Entry] = deque()
        self._heap: list[_Entry] = []
        self._sequence = itertools.count()  # equal deadlines fire in the order in which they were set
        self._armed_ns: int | None = None
        self._handle: asyncio.TimerHandle | None = None
        self._fd = _open_timerfd()
        if self._fd is not None:
            try:
                loop.add_reader(self._fd, self._run_due)
            except NotImplementedError:
                os.close(self._fd)
                self._fd = None
        self._early_ns = _WAKE_UP_NS if self.precise and isinstance(clock, SystemClock) else 0

    @property
    def precise(self) -> bool:
        """Whether a timerfd is behind it; otherwise the loop's rounded timers are."""
        return self._fd is not None

    def at(self, due_ns: int, callback: Callable[[], object]) -> Deadline:
        """Call `callback` when the monotonic clock reaches `due_ns`, to within a wake-up's time."""
        deadline = _Call(callback)
        self.add(due_ns, deadline)
        return deadline

    def add(self, due_ns: int, deadline: Deadline) -> None:
        """Fire `deadline` when the monotonic clock reaches `due_ns`, to within a wake-up's time."""
        queue = self._queue
        if not queue or due_ns >= queue[-1][0]:
            queue.append((due_ns, next(self._sequence), deadline))
        else:
            heapq.heappush(self._heap, (due_ns, next(self._sequence), deadline))
        if self._armed_ns is None or due_ns < self._armed_ns:
            self._arm(due_ns)

    def close(self) -> None:
        """Drop every deadline and free the descriptor."""
        self._queue.clear()
        self._heap.clear()
        if self._handle is not None:
            self._handle.cancel()
        if self._fd is not None:
            self._loop.remove_reader(self._fd)
            os.close(self._fd)
            self._fd = None

    def _run_due(self) -> None:
        self._armed_ns = 0  # what is set meanwhile is armed for below, once
        next_ns = self._fire_due()
        if next_ns is None:
            self._disarm()
        elif self._fd is None or next_ns > self._now_ns() + self._early_ns:
            self._arm(next_ns)  # otherwise the descriptor stays readable, and the loop comes back

    def _fire_due(self) -> int | None:
        """Fire what is due, a few at a time; gives when the next is.

        Were it all, requests would wait to be read until no answer is due; they would then arrive together,
        be due together, and so on: a convoy that never dissolves.
        """
        queue, heap = self._queue, self._heap
        now_ns = self._now_ns() + self._early_ns
        fired = 0
        while queue or heap:
            from_heap = not queue or (heap and heap[0] < queue[0])
            due_ns, _, deadline = heap[0] if from_heap else queue[0]
            if not deadline.cancelled and (due_ns > now_ns or fired == _AT_ONCE):
                return due_ns
            if from_heap:
                heapq.heappop(heap)
            else:
                queue.popleft()
            if deadline.cancelled:
                continue
            fired += 1
            try:
                deadline.fire()
            except Exception:
                log.exception("a deadline failed")
        return None

    def _arm(self, due_ns: int) -> None:
        self._armed_ns = due_ns
        if self._fd is not None:
            _set_timerfd(self._fd, max(due_ns - self._early_ns, 1))
            return
        if self._handle is not None:
            self._handle.cancel()
        self._handle = self._loop.call_later(max(0, due_ns - self._now_ns()) / 1e9, self._run_due)

    def _disarm(self) -> None:
        self._armed_ns = None
        if self._fd is not None:
            _set_timerfd(self._fd, 0)


class _Itimerspec(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_long) for name in ("interval_s", "interval_ns", "value_s", "value_ns"))


_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
_TFD_FLAGS = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
_TFD_ABSTIME = 1


def _open_timerfd() -> int | None:
    """A timerfd on the monotonic clock, or None where the platform has none."""
    if _libc is None or not hasattr(_libc, "timerfd_create"):
        return None
    fd = int(_libc.timerfd_create(time.CLOCK_MONOTONIC, _TFD_FLAGS))
    return fd if fd >= 0 else None


_spec = _Itimerspec()


def _set_timerfd(fd: int, due_ns: int) -> None:
    """Arm for an absolute time, or disarm with 0; either forgets an expiry that was not read."""
    _spec.value_s, _spec.value_ns = divmod(due_ns, 1_000_000_000)
    assert _libc is not None
    if _libc.timerfd_settime(fd, _TFD_ABSTIME, _spec_pointer, None) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


_spec_pointer = ctypes.byref(_spec)
