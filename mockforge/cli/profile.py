"""`mockforge profile`: load a backend until it saturates, so that its capacity can be learned."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mockforge.cli import replay_options as options
from mockforge.cli.console import out as shown
from mockforge.cli.replay import replay
from mockforge.errors import RecordingError
from mockforge.recording.store import RecordingReader
from mockforge.replay.abort import AbortedError

__all__ = ["profile"]

#: The ramp, over the mean rate that was recorded: from where nothing waits to where most backends give up.
_FROM, _TO = 0.5, 10.0
_STOP_AT = ("error_rate>10%", "p95>2s")
_LEAST_RATE = 1.0


def profile(
    recording: options.Recording,
    target: options.TargetUrl,
    out: options.Out = None,
    ramp: options.Ramp = None,
    seconds: Annotated[
        float, typer.Option(min=1, help="How long the ramp lasts, where none is given.")
    ] = 60.0,
    filter_: options.Filter = None,
    correlate: options.Correlate = False,
    header: options.Header = None,
    unsafe: options.Unsafe = False,
    allow_host: options.AllowHost = None,
    max_rate: options.MaxRate = None,
    abort_if: options.AbortIf = None,
    insecure: options.Insecure = False,
    ca: options.Ca = None,
) -> None:
    """Load a backend more and more, with recorded requests, until it fails or slows down.

    Capacity can only be learned from a recording in which the backend had more to do than it could. The ramp
    goes from half the recorded rate to ten times, and ends early at errors above 10 % or a p95 above 2 s.
    The host must be named by --allow-host unless it is this machine.

    Example:

        mockforge profile recordings/orders.mfrec --target http://127.0.0.1:9000 --out recordings/ramp.mfrec
    """
    into = out or Path("recordings") / f"{recording.stem}-profile.mfrec"
    try:
        replay(
            recording,
            target,
            out=into,
            poisson=True,
            ramp=ramp or [_ramp(recording, seconds, max_rate)],
            filter_=filter_,
            correlate=correlate,
            header=header,
            unsafe=unsafe,
            allow_host=allow_host,
            max_rate=max_rate,
            abort_if=abort_if or list(_STOP_AT),
            insecure=insecure,
            ca=ca,
        )
    except AbortedError as reached:
        shown.print(f"saturated: {reached.what.removeprefix('--abort-if ')}", markup=False, soft_wrap=True)
    shown.print(f"next: mockforge learn {into}", markup=False, soft_wrap=True)


def _ramp(recording: Path, seconds: float, max_rate: float | None) -> str:
    with RecordingReader(recording) as reader:
        arrived_ns = reader.columns().arrived_ns
    if arrived_ns.size < 2:
        raise RecordingError("too few exchanges to load a backend with", where=str(recording))
    span_s = float(arrived_ns.max() - arrived_ns.min()) / 1e9
    rate = max(_LEAST_RATE, arrived_ns.size / max(span_s, 1.0))
    highest = _TO * rate if max_rate is None else min(_TO * rate, max_rate * 0.8)
    return f"{min(_FROM * rate, highest):g}:{highest:g}:{seconds:g}s"
