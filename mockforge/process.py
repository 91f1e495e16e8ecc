"""This process among others: short pauses, enough descriptors."""

from __future__ import annotations

import contextlib
import gc
import sys
from collections.abc import Iterator

__all__ = ["quiet", "room_for_connections"]

_SWITCH_INTERVAL_S = 0.0001
#: What is kept of each request comes and goes by the thousand, and hardly ever in cycles.
_THRESHOLDS = (50_000, 20, 50)

#: Descriptors beside the connections: the recording, the event loop, the terminal.
_OTHER_DESCRIPTORS = 64


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Few and short pauses while it lasts; everything is as before afterwards."""
    before = sys.getswitchinterval()
    # The schedule stays to the end, and walking it would pause the sender for as long as it is large.
    gc.collect()
    gc.freeze()
    thresholds = gc.get_threshold()
    gc.set_threshold(*_THRESHOLDS)
    # The recording is written by another thread, which may keep the interpreter for a whole interval.
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
        gc.unfreeze()
        gc.set_threshold(*thresholds)


def room_for_connections(wanted: int) -> int:
    """Raise the limit of open files so that `wanted` connections fit; how many of them do."""
    try:
        import resource  # noqa: PLC0415 - not on Windows, which has no such limit
    except ImportError:
        return wanted
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + _OTHER_DESCRIPTORS
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return wanted
    allowed = needed if hard == resource.RLIM_INFINITY else min(hard, needed)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return allowed - _OTHER_DESCRIPTORS
