"""A sample of a recording's answers, spread over its length, to see what is answered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mockforge.model.exchange import Response
from mockforge.model.sample import Run
from mockforge.recording.store import RecordingReader
from mockforge.report.drift import Traits, traits_of

__all__ = ["traits_by_operation"]

#: No more answers than this are looked into, of one operation and of a whole recording.
_MOST = 60
_MOST_IN_ALL = 3_000
_FEWEST = 8


def traits_by_operation(path: Path, run: Run, ids: NDArray[np.int64]) -> Mapping[str, Traits]:
    """The traits of good answers of each operation; `ids` are the exchanges of the run's samples."""
    most = max(_FEWEST, min(_MOST, _MOST_IN_ALL // max(len(run.operations), 1)))
    good = (run.status // 100 == 2) & ~run.failed
    with RecordingReader(path) as reader:
        return {
            name: traits_of(_responses(reader, _spread(ids[good & run.of(name)], most)))
            for name in run.operations
        }


def _spread(ids: NDArray[np.int64], most: int) -> list[int]:
    if ids.size > most:
        ids = ids[np.linspace(0, ids.size - 1, most).astype(np.int64)]
    return [int(one) for one in ids]


def _responses(reader: RecordingReader, ids: list[int]) -> Iterator[Response]:
    for number in ids:
        response = reader.exchange(number).response
        if response is not None:
            yield response
