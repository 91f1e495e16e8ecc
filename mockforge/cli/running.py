"""Running a command until it is done or interrupted: Ctrl-C and SIGTERM end it cleanly."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable

from mockforge.process import quiet

try:
    import uvloop
except ImportError:  # it has no Windows build; the standard loop serves there
    uvloop = None  # type: ignore[assignment]

__all__ = ["run_until_interrupted"]

_NEW_LOOP = asyncio.new_event_loop if uvloop is None else uvloop.new_event_loop


def run_until_interrupted(main: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Run `main(stop)` on a fresh event loop.

    The first SIGINT or SIGTERM sets `stop`, which `main` must heed; a second one cancels it.
    """

    async def supervised() -> None:
        loop = asyncio.get_running_loop()
        stop = asyncio.Event()
        task = asyncio.ensure_future(main(stop))

        def on_signal() -> None:
            if stop.is_set():
                task.cancel()
            stop.set()

        for number in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError, ValueError):
                loop.add_signal_handler(number, on_signal)
        with contextlib.suppress(asyncio.CancelledError):
            await task

    # The garbage collector would walk through all that is loaded, in pauses of tens of milliseconds, several
    # a second under load; they would be measured as the backend's latency, or be the mock's lateness.
    with quiet(), asyncio.Runner(loop_factory=_NEW_LOOP) as runner:
        runner.run(supervised())
