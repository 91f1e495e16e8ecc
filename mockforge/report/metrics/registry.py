"""Every family of numbers, in the order in which a report shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mockforge.report.metrics.errors import ERRORS
from mockforge.report.metrics.kinds import Family, Kind, Scale, Unit
from mockforge.report.metrics.latency import LATENCY
from mockforge.report.metrics.own_lateness import OWN_LATENESS
from mockforge.report.metrics.phases import PHASES
from mockforge.report.metrics.sizes import SIZES
from mockforge.report.metrics.structure import STRUCTURE
from mockforge.report.metrics.throughput import THROUGHPUT

__all__ = ["DISTANCES", "FAMILIES", "FAMILY_OF", "KINDS"]

FAMILIES: Sequence[Family] = (LATENCY, ERRORS, THROUGHPUT, PHASES, STRUCTURE, SIZES, OWN_LATENESS)

#: Numbers of two runs together, which are measured in `report.distances`; a tolerance bounds them from above.
DISTANCES = (
    Kind("gap", "the deviation gap: W1 over the real mean", Unit.SHARE, Scale.DIFFERENCE, 0.15),
    Kind(
        "inhomogeneity",
        "the energy statistic's H: 0 is the same law, 1 apart altogether",
        Unit.SHARE,
        Scale.DIFFERENCE,
    ),
)

KINDS: Mapping[str, Kind] = {
    kind.name: kind for kind in (*(kind for family in FAMILIES for kind in family.kinds), *DISTANCES)
}
FAMILY_OF: Mapping[str, str] = {
    **{kind.name: family.name for family in FAMILIES for kind in family.kinds},
    **{kind.name: "distance" for kind in DISTANCES},
}
