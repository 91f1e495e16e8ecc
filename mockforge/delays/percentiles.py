"""A law through percentiles that somebody knows: `{p50: 12ms, p99: 80ms}`.

Between two neighbours, and beyond the outermost, the logarithm of the value is straight in the normal score
of the probability: through two percentiles that is the lognormal law, through more it is lognormal piece by
piece. What is given holds exactly. `p0` and `p100` bound the law: nothing is below, nothing above.
"""

from __future__ import annotations

import bisect
import itertools
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist

from mockforge.delays.parameters import LONGEST_MS, milliseconds, to_ns
from mockforge.errors import StubFileError

__all__ = ["Percentiles", "is_percentile", "percentiles"]

_NAME = re.compile(r"p(\d{1,3}(?:\.\d+)?)")
_NORMAL = NormalDist()
_TINY = 1e-12
_LARGEST_EXPONENT = 700.0
_EXAMPLE = "such as {p50: 12ms, p99: 80ms}"


def is_percentile(key: str) -> bool:
    """Whether it names one, as `p50` and `p99.9` do."""
    found = _NAME.fullmatch(key)
    return found is not None and float(found[1]) <= 100


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Logarithms of values (ms) at rising normal scores, at least two."""

    scores: tuple[float, ...]
    logs: tuple[float, ...]
    least_ms: float
    most_ms: float

    def at(self, probability: float) -> int:
        score = _NORMAL.inv_cdf(min(max(probability, _TINY), 1 - _TINY))
        right = min(max(bisect.bisect_right(self.scores, score), 1), len(self.scores) - 1)
        left = right - 1
        share = (score - self.scores[left]) / (self.scores[right] - self.scores[left])
        log = self.logs[left] + share * (self.logs[right] - self.logs[left])
        value_ms = math.exp(min(log, _LARGEST_EXPONENT))
        return to_ns(min(max(value_ms, self.least_ms), self.most_ms))


def percentiles(parameters: Mapping[str, object]) -> Percentiles:
    """The law; StubFileError where it cannot be."""
    table = []
    for key in parameters:
        if not is_percentile(key):
            raise StubFileError(f"{key!r} is not a percentile", hint=_EXAMPLE)
        table.append((float(key[1:]), milliseconds(parameters, key, at_least=0), key))
    table.sort()
    for (level, value, name), (next_level, next_value, next_name) in itertools.pairwise(table):
        if level == next_level:
            raise StubFileError(f"{name} and {next_name} are the same percentile")
        if next_value < value:
            raise StubFileError(f"{next_name} is {next_value:g}, and {name} is {value:g}: they must rise")
    inner = [(level, value, key) for level, value, key in table if 0 < level < 100]
    if len(inner) < 2:
        raise StubFileError("needs two percentiles between p0 and p100", hint=_EXAMPLE)
    for _, value, key in inner:
        if value <= 0:
            raise StubFileError(f"{key} is 0; it must be above 0", hint="p0 alone may be 0")
    return Percentiles(
        tuple(_NORMAL.inv_cdf(level / 100) for level, _, _ in inner),
        tuple(math.log(value) for _, value, _ in inner),
        table[0][1] if table[0][0] == 0 else 0.0,
        table[-1][1] if table[-1][0] == 100 else float(LONGEST_MS),
    )
