"""What load does to a backend besides queueing: what it refuses, when it gives up, when it stands still."""

from __future__ import annotations

from dataclasses import dataclass

from mockforge.learning.load_limits import ColdStart, TimeLimit
from mockforge.learning.load_shedding import Shedding
from mockforge.learning.load_stalls import StallFit

__all__ = ["LoadBehaviour"]


@dataclass(frozen=True, slots=True)
class LoadBehaviour:
    """Each part carries its evidence as a `reason`, and "not seen" is an answer."""

    shedding: Shedding
    time_limit: TimeLimit
    cold_start: ColdStart
    stalls: StallFit

    def sentences(self) -> tuple[str, ...]:
        """What was found of each, for people."""
        return (
            f"refusals: {self.shedding.reason}",
            f"time limit: {self.time_limit.reason}",
            f"cold start: {self.cold_start.reason}",
            f"stalls: {self.stalls.reason}",
        )
