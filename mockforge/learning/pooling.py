"""What an outcome of few samples borrows: the spread of latencies around the median, from its parent.

The parent is the operation's outcomes that have enough samples, else those of the whole service. Each gives
its latencies over its own median; the few samples give the median that they are moved to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mockforge.learning.answers import Answers
from mockforge.learning.latency import FEW_SAMPLES
from mockforge.model.operation import Operation

__all__ = ["Parent", "Parents"]

#: So many values stand for a parent that has more.
_MOST = 2_001


@dataclass(frozen=True, slots=True)
class Parent:
    """`name` for people; `shape`, shape (m,): `count` latencies or fewer, each over its outcome's median."""

    name: str
    shape: NDArray[np.float64]
    count: int


class Parents:
    """The parents of a recording's operations."""

    def __init__(self, answers: Mapping[Operation, Answers]) -> None:
        shapes = {
            operation: [
                _shape(outcome.ttfb_ns) for outcome in each.outcomes() if len(outcome.ttfb_ns) >= FEW_SAMPLES
            ]
            for operation, each in answers.items()
        }
        self._of = {
            operation: _parent(f"other answers of {operation.name}", some)
            for operation, some in shapes.items()
        }
        every = [one for some in shapes.values() for one in some]
        self._service = _parent("answers of the service", every)

    def of(self, operation: Operation) -> Parent | None:
        """The operation's parent; None where the whole service has too few samples to lend any."""
        return self._of.get(operation) or self._service


def _shape(latencies_ns: list[int]) -> NDArray[np.float64]:
    latencies = np.maximum(np.asarray(latencies_ns, dtype=np.float64), 1.0)
    return np.asarray(latencies / np.median(latencies), dtype=np.float64)


def _parent(name: str, shapes: list[NDArray[np.float64]]) -> Parent | None:
    if not shapes:
        return None
    whole = np.sort(np.concatenate(shapes))
    if whole.size > _MOST:
        kept = np.quantile(whole, (np.arange(_MOST) + 0.5) / _MOST)
        return Parent(name, kept, whole.size)
    return Parent(name, whole, whole.size)
