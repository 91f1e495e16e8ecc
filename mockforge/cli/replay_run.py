"""Running a replay that is planned: check the target, send, write everything down, show it."""

from __future__ import annotations

import asyncio
import contextlib
import time

from mockforge.cli.recordings_redact import redactor_for
from mockforge.cli.replay_plan import Plan, Running
from mockforge.cli.replay_shown import show_end, show_progress
from mockforge.clock import DeadlineTimer, SystemClock
from mockforge.model.exchange import Exchange
from mockforge.recording.store import RecordingMeta, RecordingWriter
from mockforge.replay.abort import AbortedError, Watch
from mockforge.replay.correlated import CorrelatedFeed
from mockforge.replay.feed import Feed, RecordedFeed
from mockforge.replay.sender import Limits, Sender, Wiring
from mockforge.replay.statistics import ReplayStatistics, generator_limit
from mockforge.replay.transport import HttpTransport
from mockforge.targets import check_target

__all__ = ["run_plan"]


async def run_plan(plan: Plan, stop: asyncio.Event) -> None:
    """Send the plan's schedule until it is done or `stop` is set.

    Raises TargetError where the target does not answer, AbortedError where a condition ended the run,
    RecordingError where the result could not be written; what was gathered is kept.
    """
    target = plan.load.target
    await check_target(target, tls=plan.tls)
    if stop.is_set():
        return
    context = plan.tls.context() if target.tls else None
    correlated, feed = _feed(plan)
    meta = RecordingMeta("replay", str(target), time.time_ns(), notes=plan.notes)
    with (
        RecordingWriter(plan.into, meta, redactor=redactor_for(plan.into, None, None)) as writer,
        contextlib.closing(DeadlineTimer(asyncio.get_running_loop())) as timer,
    ):
        async with HttpTransport(target, plan.load.timeout_s, context) as transport:
            statistics, watch = ReplayStatistics(), Watch(plan.conditions)

            def on_exchange(exchange: Exchange, name: str) -> None:
                writer.add(exchange)
                statistics.add(exchange, name)
                reason = watch.add(exchange)
                if reason is not None and running.aborted is None:
                    running.aborted = reason
                    stop.set()
                if writer.failure is not None:
                    stop.set()

            wiring = Wiring(transport, SystemClock(), timer)
            sender = Sender(plan.load.schedule, feed, wiring, on_exchange, Limits(plan.load.cap))
            running = Running(plan, sender, transport, statistics, correlated)
            try:
                await _send(running, stop)
            finally:
                _note_the_end(running, writer)
    show_end(running)
    if writer.failure is not None:
        raise writer.failure
    if running.aborted is not None:
        raise AbortedError(f"--abort-if {running.aborted}", hint=f"what was gathered is in {plan.into}")


def _feed(plan: Plan) -> tuple[CorrelatedFeed | None, Feed]:
    if plan.correlations is None:
        return None, RecordedFeed(plan.load.workload, plan.load.mold)
    correlated = CorrelatedFeed(plan.load.workload, plan.load.mold, plan.correlations)
    return correlated, correlated


async def _send(running: Running, stop: asyncio.Event) -> None:
    progress = asyncio.create_task(show_progress(running))
    try:
        await running.sender.run(stop)
    finally:
        progress.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await progress


def _note_the_end(running: Running, writer: RecordingWriter) -> None:
    statistics = running.statistics
    planned, ended = running.plan.load.schedule.count, statistics.count
    if limit := generator_limit(statistics):
        writer.note("generator_limited", limit)
    if ended < planned:
        writer.note("interrupted", f"after {ended} of {planned} requests")
    if running.aborted is not None:
        writer.note("aborted_if", running.aborted)
    if running.correlated is not None:
        writer.note("uncorrelated", str(running.correlated.uncorrelated))
