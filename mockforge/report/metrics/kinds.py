"""What a number of the report is: its name, its unit, how two runs' are compared, what it may be off.

A family says of one run what its numbers are; comparing, judging and writing them is the same for all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import NamedTuple

from mockforge.model.sample import Run
from mockforge.stats.intervals import Interval

__all__ = ["Family", "Kind", "Scale", "Unit"]


class Unit(StrEnum):
    """What a figure counts."""

    MS = "ms"
    SHARE = "share"
    PER_S = "per_s"
    BYTES = "bytes"
    NUMBER = "number"


class Scale(StrEnum):
    """How two runs' figures are compared: their ratio less one, or their difference in the figure's unit."""

    RATIO = "ratio"
    DIFFERENCE = "difference"


class Kind(NamedTuple):
    """One number. `tolerance` is what it may be off where nobody says otherwise; None: then it is not judged.

    `rare` numbers are left out where neither run has any.
    """

    name: str
    says: str
    unit: Unit = Unit.MS
    scale: Scale = Scale.RATIO
    tolerance: float | None = None
    rare: bool = False


class Family(NamedTuple):
    """Numbers that belong together; `measure` gives those that a run of one operation has, by name.

    They are left out where no run `tells` of them.
    """

    name: str
    kinds: tuple[Kind, ...]
    measure: Callable[[Run], Mapping[str, Interval]]
    tells: Callable[[Run], bool] = lambda run: True
