"""Time: a clock that can be injected, and a timer that is late by microseconds.

asyncio and uvloop round timers to a millisecond, which is as long as many a backend's whole answer.
`DeadlineTimer` keeps a heap of deadlines behind one `timerfd` where the kernel has it, and falls back to
the loop's own timers elsewhere (bias: up to +1 ms on asyncio, up to -0.5 ms on uvloop, which the
timer then waits out).
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import heapq
import logging
import os
import sys
import time
from collections.abc import Callable
from typing import Protocol

__all__ = ["Clock", "Deadline", "DeadlineTimer", "ManualClock", "SystemClock"]

log = logging.getLogger(__name__)


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
    """A callback due at a time; `cancel()` frees it."""

    __slots__ = ("callback", "due_ns")

    def __init__(self, due_ns: int, callback: Callable[[], object] | None) -> None:
        self.due_ns = due_ns
        self.callback = callback

    def cancel(self) -> None:
        self.callback = None

    def __lt__(self, other: Deadline) -> bool:
        return self.due_ns < other.due_ns


class DeadlineTimer:
    """Runs callbacks at absolute monotonic times on a running event loop.

    A callback that raises is logged and never keeps the others from running.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, clock: Clock | None = None) -> None:
        self._loop = loop
        self._now_ns = (clock or SystemClock()).now_ns
        self._heap: list[Deadline] = []
        self._armed_ns: int | None = None
        self._handle: asyncio.TimerHandle | None = None
        self._fd = _open_timerfd()
        if self._fd is not None:
            try:
                loop.add_reader(self._fd, self._on_timerfd)
            except NotImplementedError:
                os.close(self._fd)
                self._fd = None

    @property
    def precise(self) -> bool:
        """Whether a timerfd is behind it; otherwise the loop's rounded timers are."""
        return self._fd is not None

    def at(self, due_ns: int, callback: Callable[[], object]) -> Deadline:
        """Run `callback` as soon as the monotonic clock has reached `due_ns`."""
        deadline = Deadline(due_ns, callback)
        heapq.heappush(self._heap, deadline)
        if self._armed_ns is None or due_ns < self._armed_ns:
            self._arm(due_ns)
        return deadline

    def close(self) -> None:
        """Drop every deadline and free the descriptor."""
        self._heap.clear()
        if self._handle is not None:
            self._handle.cancel()
        if self._fd is not None:
            self._loop.remove_reader(self._fd)
            os.close(self._fd)
            self._fd = None

    def _on_timerfd(self) -> None:
        if self._fd is not None:
            with contextlib.suppress(BlockingIOError):
                os.read(self._fd, 8)
        self._run_due()

    def _run_due(self) -> None:
        self._armed_ns = None
        heap = self._heap
        while heap and heap[0].due_ns <= self._now_ns():
            callback = heapq.heappop(heap).callback
            if callback is None:
                continue
            try:
                callback()
            except Exception:
                log.exception("a deadline's callback failed")
        while heap and heap[0].callback is None:
            heapq.heappop(heap)
        if heap:
            self._arm(heap[0].due_ns)

    def _arm(self, due_ns: int) -> None:
        self._armed_ns = due_ns
        if self._fd is not None:
            _set_timerfd(self._fd, max(due_ns, 1))
            return
        if self._handle is not None:
            self._handle.cancel()
        self._handle = self._loop.call_later(max(0, due_ns - self._now_ns()) / 1e9, self._run_due)


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


def _set_timerfd(fd: int, due_ns: int) -> None:
    seconds, rest = divmod(due_ns, 1_000_000_000)
    spec = _Itimerspec(0, 0, seconds, rest)
    assert _libc is not None
    if _libc.timerfd_settime(fd, _TFD_ABSTIME, ctypes.byref(spec), None) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
