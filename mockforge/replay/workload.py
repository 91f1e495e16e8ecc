"""What a recording gives a replay to send: its requests in the order of their arrival, each kept once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mockforge.errors import RecordingError
from mockforge.learning.operations import Operations
from mockforge.model.exchange import Exchange, Request

__all__ = ["Workload", "read_workload"]


@dataclass(frozen=True, slots=True)
class Workload:
    """n recorded requests, ordered by arrival.

    `arrived_ns` has shape (n,) and begins with 0; `which` has the place of each in `requests`, which holds
    equal ones once. `operations` are the names that the recording gave the distinct requests, or None.
    """

    arrived_ns: NDArray[np.int64]
    which: NDArray[np.int32]
    requests: tuple[Request, ...]
    operations: tuple[str | None, ...]

    def __len__(self) -> int:
        return int(self.arrived_ns.size)

    def request(self, index: int) -> Request:
        """The request that arrived as number `index`."""
        return self.requests[int(self.which[index])]

    @property
    def rate(self) -> float | None:
        """Mean requests a second as recorded; None where all arrived at one moment."""
        span_ns = int(self.arrived_ns[-1])
        return (len(self) - 1) / span_ns * 1e9 if span_ns else None

    def names(self) -> tuple[str, ...]:
        """The operation of each distinct request: the recording's name, or else the one found by its path."""
        found = Operations.find((one.method, one.target) for one in self.requests)
        return tuple(
            name or found.name_of(one.method, one.target)
            for name, one in zip(self.operations, self.requests, strict=True)
        )

    def with_requests(self, requests: Iterable[Request]) -> Workload:
        """The same arrivals with other requests, one for each distinct one."""
        return replace(self, requests=tuple(requests))

    def times_sent(self) -> NDArray[np.int64]:
        """How often each distinct request was recorded."""
        return np.bincount(self.which, minlength=len(self.requests))


def read_workload(exchanges: Iterable[Exchange]) -> Workload:
    """The workload of `exchanges`, read once; raises RecordingError where there are none."""
    places: dict[tuple[Request, str | None], int] = {}
    arrived: list[int] = []
    which: list[int] = []
    for exchange in exchanges:
        arrived.append(exchange.arrived_ns)
        which.append(places.setdefault((exchange.request, exchange.operation), len(places)))
    if not arrived:
        raise RecordingError("the recording has no exchanges, so there is nothing to replay")
    arrived_ns = np.array(arrived, dtype=np.int64)
    order = np.argsort(arrived_ns, kind="stable")
    arrived_ns = arrived_ns[order]
    return Workload(
        arrived_ns - arrived_ns[0],
        np.array(which, dtype=np.int32)[order],
        tuple(request for request, _ in places),
        tuple(_distinct(operation for _, operation in places)),
    )


def _distinct(names: Iterable[str | None]) -> Iterator[str | None]:
    """One string object for each name."""
    known: dict[str | None, str | None] = {}
    for name in names:
        yield known.setdefault(name, name)
