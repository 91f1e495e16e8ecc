"""`mockforge replay`: send the recorded load to a target, open loop, or write it for another load tool."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

from mockforge.cli import replay_options as options
from mockforge.cli.console import out as shown
from mockforge.cli.console import warn
from mockforge.cli.replay_plan import Plan, Recorded
from mockforge.cli.replay_run import run_plan
from mockforge.cli.replay_shown import show_correlations
from mockforge.cli.running import run_until_interrupted
from mockforge.errors import UsageError
from mockforge.process import room_for_connections
from mockforge.recording.store import RecordingReader
from mockforge.replay.abort import parse_condition
from mockforge.replay.correlation import Correlations, find_correlations, links
from mockforge.replay.export import EXPORTERS, Exported
from mockforge.replay.feed import Mold
from mockforge.replay.load import Load
from mockforge.replay.safety import check_host, check_methods, check_rate
from mockforge.replay.schedule import make_schedule
from mockforge.replay.sender import DEFAULT_CAP
from mockforge.replay.wire import HostPolicy
from mockforge.replay.workload import Workload
from mockforge.targets import parse_target

__all__ = ["replay"]


def replay(
    recording: options.Recording,
    target: options.TargetUrl,
    out: options.Out = None,
    timeout: options.Timeout = 60.0,
    max_in_flight: options.MaxInFlight = DEFAULT_CAP,
    export: options.Export = None,
    speed: options.Speed = None,
    rate: options.Rate = None,
    poisson: options.Poisson = False,
    ramp: options.Ramp = None,
    loop: options.LoopFor = None,
    seed: options.Seed = 0,
    filter_: options.Filter = None,
    correlate: options.Correlate = False,
    shift_dates: options.ShiftDates = False,
    header: options.Header = None,
    host_header: options.HostHeader = None,
    unsafe: options.Unsafe = False,
    allow_host: options.AllowHost = None,
    max_rate: options.MaxRate = None,
    abort_if: options.AbortIf = None,
    insecure: options.Insecure = False,
    ca: options.Ca = None,
) -> None:
    """Send the recorded requests to a target on schedule, whatever the answers do (open loop).

    Example:

        mockforge replay recordings/orders.mfrec --target http://127.0.0.1:9000 --speed 1.5 --unsafe
    """
    pace = options.pace_of(speed, rate, ramp or (), loop, poisson=poisson, seed=seed)
    conditions = tuple(parse_condition(text) for text in abort_if or ())
    where = parse_target(target)
    tls = options.tls_of(where, ca, insecure=insecure)
    script = options.check_export(export, out, header or (), correlate=correlate)
    if script is None:
        check_host(where, allow_host or ())
    found = _read(recording, filter_, correlate=correlate)
    rewriting = options.rewriting_of(header or (), shift_dates=shift_dates, recorded_wall_ns=found.began_ns)
    mold = Mold(where, HostPolicy.of(host_header, where), rewriting)
    load = Load(recording, found.workload, make_schedule(found.workload, pace), mold, max_in_flight, timeout)
    check_rate(load.schedule, max_rate)
    if script is not None:
        _export(load, export or "", script)
        return
    notes = options.notes_of(load, pace, filter_, unsafe=unsafe)
    plan = Plan(load, out or _new_name(recording), conditions, found.correlations, tls, notes)
    _send(plan, unsafe=unsafe)


def _send(plan: Plan, *, unsafe: bool) -> None:
    if not unsafe:
        check_methods(plan.load.workload)
    _warn_of_missing_bodies(plan.load.workload)
    load = dataclasses.replace(plan.load, cap=_cap(plan.load.cap))
    plan = dataclasses.replace(plan, load=load)
    run_until_interrupted(lambda stop: run_plan(plan, stop))


def _new_name(recording: Path) -> Path:
    return Path("recordings") / f"{recording.stem}-replay-{time.strftime('%Y%m%d-%H%M%S')}.mfrec"


@dataclasses.dataclass(frozen=True, slots=True)
class _Found:
    """What a recording holds for a replay; it began at `began_ns`, in ns since 1970."""

    workload: Workload
    correlations: Correlations | None
    began_ns: int


def _read(recording: Path, expression: str | None, *, correlate: bool) -> _Found:
    with RecordingReader(recording) as reader:
        recorded = Recorded.of(reader, expression)
        workload = recorded.workload()
        correlations = None
        if correlate:
            correlations = find_correlations(recorded)
            names = workload.names()
            by_exchange = [names[place] for place in workload.which.tolist()]
            show_correlations(links(correlations, by_exchange), len(correlations.uses))
        return _Found(workload, correlations, reader.meta.started_wall_ns)


def _warn_of_missing_bodies(workload: Workload) -> None:
    missing = [request.omitted > 0 for request in workload.requests]
    if any(missing):
        times = int(workload.times_sent()[missing].sum())
        warn(f"{times:,} requests were recorded without their bodies, which were too large, and go out empty")


def _export(load: Load, tool: str, script: Path) -> None:
    """Write the files of `tool`; raises UsageError where one is there already or cannot be written."""
    files = EXPORTERS[tool](Exported(load, script.name))
    for name in files:
        if (path := script.with_name(name)).exists():
            raise UsageError(f"{path} exists already", hint="choose another --out or remove it first")
    for name, text in files.items():
        path = script.with_name(name)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise UsageError(
                f"{path} cannot be written: {error.strerror}", hint="choose another --out"
            ) from error
        shown.print(f"wrote {path}", markup=False, soft_wrap=True)


def _cap(wanted: int) -> int:
    room = room_for_connections(wanted)
    if room < 1:
        raise UsageError(
            "this process may open too few files to connect at all", hint="raise `ulimit -n` to 256 or more"
        )
    if room < wanted:
        warn(f"this process may open few files, so {room} requests can be under way at once (ulimit -n)")
    return room
