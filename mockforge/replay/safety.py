"""What is refused before anything is sent, so that a replay does not harm what it is pointed at."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Iterable

from mockforge.errors import UsageError
from mockforge.replay.schedule import Schedule
from mockforge.replay.workload import Workload
from mockforge.targets import Target

__all__ = ["check_host", "check_methods", "check_rate"]

#: Methods that ask for no change (RFC 9110 §9.2.1, and the registry's read-only ones).
_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "REPORT", "SEARCH"})


def check_host(target: Target, allowed: Iterable[str]) -> None:
    """Raises UsageError where the target is neither of this machine nor among the `allowed` hosts."""
    names = [name.strip("[]").lower() for name in allowed]
    if _is_loopback(target.host) or target.host.lower() in names:
        return
    given = f", and --allow-host names {', '.join(names)}" if names else ""
    raise UsageError(
        f"the target {target} is not on this machine{given}",
        hint=f"add --allow-host {target.host} if it may be loaded",
    )


def _is_loopback(host: str) -> bool:
    if host.lower() == "localhost" or host.lower().endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_methods(workload: Workload) -> None:
    """Raises UsageError where requests may change something at the target, with how many of each."""
    counts: Counter[str] = Counter()
    for request, times in zip(workload.requests, workload.times_sent().tolist(), strict=True):
        if request.method not in _SAFE:
            counts[request.method] += times
    if not counts:
        return
    told = ", ".join(f"{times:,} {method}" for method, times in sorted(counts.items()))
    raise UsageError(
        f"{told} of {len(workload):,} requests may change data at the target",
        hint="add --unsafe if they may, or leave them out with --filter method=GET",
    )


def check_rate(schedule: Schedule, most: float | None) -> None:
    """Raises UsageError where more than `most` requests, if given, are due in any second, and says where."""
    if most is None:
        return
    peak = schedule.peak()
    if peak.requests > most:
        from_s = max(0.0, peak.at_ns / 1e9 - 1)
        raise UsageError(
            f"{peak.requests:,} requests are due within the second from {from_s:.1f} s on, "
            f"and --max-rate is {most:g}",
            hint="lower --speed, --rate or --ramp, or raise --max-rate",
        )
