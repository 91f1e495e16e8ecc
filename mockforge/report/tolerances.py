"""How far a mock may be off: a bound for each metric, for all operations or for one; and expectations.

Written as `p95=10%`, `error_rate=1pp`, `throughput=5%`, `gap=10%`, or with an operation in front,
`GET /orders/{id}: p95=15%`. What is written as an expression (`p95.deviation<10%`) is an expectation.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from mockforge.errors import UsageError
from mockforge.report.expectations import Expectation, known_metric
from mockforge.report.metrics.kinds import Scale, Unit
from mockforge.report.metrics.registry import KINDS

__all__ = ["DEFAULTS", "METRICS", "Tolerances"]

#: What numbers may be off by default, as shares (differences of shares for error rates); the others are free.
DEFAULTS: Mapping[str, float] = {
    kind.name: kind.tolerance for kind in KINDS.values() if kind.tolerance is not None
}
METRICS = tuple(DEFAULTS)
#: A deviation of less than this, in ms, is none, whatever share of the latency it is.
_FLOOR_MS = 1.0

_SET = re.compile(r"^(?:(?P<operation>[A-Z]+ \S.*?|\S[^:=]*?):\s*)?(?P<metric>[\w.]+)\s*=\s*(?P<value>\S.*)$")
_HINT = "such as p95=10%, error_rate=1pp, 'GET /orders/{id}: p99=25%' or 'throughput.ratio>0.95'"


@dataclass(frozen=True, slots=True)
class Tolerances:
    """Bounds by metric, and by operation and metric; `floor_ms` is the absolute one of latencies.

    `given` are the metrics that somebody bounded for every operation; they, `special` and the expectations
    decide the exit code. `written` are the words that they were read from.
    """

    general: Mapping[str, float] = field(default_factory=lambda: dict(DEFAULTS))
    special: Mapping[tuple[str, str], float] = field(default_factory=dict)
    floor_ms: float = _FLOOR_MS
    given: frozenset[str] = frozenset()
    expectations: tuple[Expectation, ...] = ()
    written: tuple[str, ...] = ()

    @classmethod
    def parse(cls, written: Iterable[str], floor_ms: float = _FLOOR_MS) -> Tolerances:
        """From the words of a command line or a file; raises UsageError for one that cannot be."""
        general, special, given, expectations = dict(DEFAULTS), {}, set(), []
        texts = tuple(map(str.strip, written))
        for text in texts:
            found = _SET.match(text)
            if not found:
                expectations.append(Expectation.parse(text, _HINT))
                continue
            metric = known_metric(found["metric"], text)
            bound = _bound(metric, found["value"], text)
            if found["operation"]:
                special[found["operation"].strip(), metric] = bound
            else:
                general[metric] = bound
                given.add(metric)
        return cls(general, special, floor_ms, frozenset(given), tuple(expectations), texts)

    @property
    def decide(self) -> bool:
        """Whether somebody gave any: then the exit code is the verdict's."""
        return bool(self.given or self.special or self.expectations)

    def of(self, operation: str, metric: str) -> float | None:
        """What the metric of the operation may be off; None where nobody says."""
        return self.special.get((operation, metric), self.general.get(metric))

    def asked(self, operation: str, metric: str) -> bool:
        """Whether somebody gave a tolerance for it."""
        return metric in self.given or (operation, metric) in self.special


def _bound(metric: str, value: str, text: str) -> float:
    """A share, points of one, or a figure in the metric's own unit."""
    kind = KINDS[metric]
    units = {"": 1.0, "%": 0.01, "pp": 0.01}
    if kind.scale is Scale.DIFFERENCE and kind.unit is Unit.MS:
        units = {"": 1.0, "ms": 1.0, "s": 1000.0}
    number, unit = re.fullmatch(r"([-+\d.eE]*)\s*(.*)", value).groups()  # type: ignore[union-attr]
    try:
        bound = float(number) * units[unit]
    except (ValueError, KeyError):
        known = ", ".join(filter(None, units))
        raise UsageError(f"tolerance {text!r}: {value!r} is no number, {known}", hint=_HINT) from None
    if not (math.isfinite(bound) and bound > 0):
        raise UsageError(f"tolerance {text!r} must be above zero", hint=_HINT)
    return bound
