"""How far a mock may be off: a bound for each metric, for all operations or for one.

Written as `p95=10%`, `error_rate=1pp`, `throughput=5%`, `gap=10%`, or with an operation in front,
`GET /orders/{id}: p95=15%`; or as an expression, `p95.deviation<10%`, `error_rate.delta<1pp`,
`throughput.ratio>0.95`, `gap<0.1`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from mockforge.errors import UsageError
from mockforge.report.metrics.registry import KINDS

__all__ = ["DEFAULTS", "METRICS", "Tolerances"]

#: What numbers may be off by default, as shares (differences of shares for error rates); the others are free.
DEFAULTS: Mapping[str, float] = {
    kind.name: kind.tolerance for kind in KINDS.values() if kind.tolerance is not None
}
METRICS = tuple(DEFAULTS)
#: A deviation of less than this, in ms, is none, whatever share of the latency it is.
_FLOOR_MS = 1.0

_SET = re.compile(r"^(?:(?P<operation>[A-Z]+ \S.*?):\s*)?(?P<metric>[\w.]+)\s*=\s*(?P<value>\S+)$")
_EXPRESSION = re.compile(
    r"^(?:(?P<operation>[A-Z]+ \S.*?):\s*)?(?P<metric>p\d[\d.]*?|error_rate|throughput|gap)"
    r"(?:\.(?P<part>deviation|delta|ratio))?\s*(?P<sense><|>)=?\s*(?P<value>\S+)$"
)
_PARTS = {"error_rate": "delta", "throughput": "ratio", "gap": None}
_HINT = "such as p95=10%, error_rate=1pp, 'GET /orders/{id}: p99=25%' or 'throughput.ratio>0.95'"


@dataclass(frozen=True, slots=True)
class Tolerances:
    """Bounds by metric, and by operation and metric; `floor_ms` is the absolute one of latencies.

    `given` are the metrics that somebody asked for: they decide the exit code.
    """

    general: Mapping[str, float] = field(default_factory=lambda: dict(DEFAULTS))
    special: Mapping[tuple[str, str], float] = field(default_factory=dict)
    floor_ms: float = _FLOOR_MS
    given: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, written: Iterable[str], floor_ms: float = _FLOOR_MS) -> Tolerances:
        """From the command line's words; raises UsageError for one that cannot be."""
        general, special, given = dict(DEFAULTS), {}, set()
        for text in written:
            operation, metric, bound = _parsed(text.strip())
            given.add(metric)
            if operation is None:
                general[metric] = bound
            else:
                special[operation, metric] = bound
        return cls(general, special, floor_ms, frozenset(given))

    def of(self, operation: str, metric: str) -> float | None:
        """What the metric of the operation may be off; None where nobody says."""
        return self.special.get((operation, metric), self.general.get(metric))


def _parsed(text: str) -> tuple[str | None, str, float]:
    found = _SET.match(text)
    if found:
        return found["operation"], _metric(found["metric"], text), _bound(found["value"], text)
    found = _EXPRESSION.match(text)
    if not found:
        raise UsageError(f"tolerance {text!r} cannot be read", hint=_HINT)
    metric = _metric(found["metric"], text)
    part, sense = found["part"], found["sense"]
    if part not in (None, _PARTS.get(metric, "deviation")):
        raise UsageError(f"tolerance {text!r}: {metric} has no {part}", hint=_HINT)
    bound = _bound(found["value"], text)
    if part == "ratio":
        bound = bound - 1 if sense == "<" else 1 - bound
    elif sense == ">":
        raise UsageError(f"tolerance {text!r} bounds {metric} from below", hint=_HINT)
    if bound <= 0:
        raise UsageError(f"tolerance {text!r} allows nothing", hint=_HINT)
    return found["operation"], metric, bound


def _metric(name: str, text: str) -> str:
    if name not in KINDS:
        near = get_close_matches(name, KINDS, 1)
        meant = f"did you mean {near[0]}? " if near else ""
        raise UsageError(f"tolerance {text!r}: no metric {name}", hint=f"{meant}known: {', '.join(KINDS)}")
    return name


def _bound(value: str, text: str) -> float:
    number, unit = re.fullmatch(r"([-+\d.eE]*)(.*)", value).groups()  # type: ignore[union-attr]
    try:
        bound = float(number) * {"": 1.0, "%": 0.01, "pp": 0.01}[unit]
    except (ValueError, KeyError):
        raise UsageError(f"tolerance {text!r}: {value!r} is no number, % or pp", hint=_HINT) from None
    if not (math.isfinite(bound) and bound > 0):
        raise UsageError(f"tolerance {text!r} must be above zero", hint=_HINT)
    return bound
