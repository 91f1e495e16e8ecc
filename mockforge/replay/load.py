"""What is to be sent, when, and what to: the whole of a replay that does not depend on how it is done."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mockforge.replay.feed import Mold
from mockforge.replay.schedule import Schedule
from mockforge.replay.workload import Workload
from mockforge.targets import Target

__all__ = ["Load"]


@dataclass(frozen=True, slots=True)
class Load:
    """The requests of the recording `source`, when they are due, and how they become the target's.

    At most `cap` are under way at once, each for `timeout_s` at most.
    """

    source: Path
    workload: Workload
    schedule: Schedule
    mold: Mold
    cap: int
    timeout_s: float

    @property
    def target(self) -> Target:
        return self.mold.target
