"""From the entries of a source to exchanges in order of arrival, however large the source is.

Everything is read twice: first for the times alone, 24 bytes an entry, from which follow the order, the
begin of the run and how many requests were in flight; then, in that order, for the exchanges themselves.
"""

from __future__ import annotations

import mmap
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from mockforge.interop.run_header import Header
from mockforge.interop.source import Imported, LeftOut, Source, SourceError, Tally
from mockforge.model.exchange import Exchange
from mockforge.recording.foreign.unusable import Unusable
from mockforge.targets import Target

__all__ = ["Entries", "Found", "SpanEntries", "belongs", "in_flight_at", "place", "without_prefix"]

_TOLD_EVERY = 1_000

Raw = TypeVar("Raw")
Raw_co = TypeVar("Raw_co", covariant=True)


class Found(NamedTuple):
    """An exchange as a source has it.

    `origin` is where it went, None where the source does not say so. `placed` says that `arrived_ns` and
    `in_flight` are the source's own.
    """

    exchange: Exchange
    origin: str | None = None
    placed: bool = False


class Entries(Protocol[Raw_co]):
    """The entries of a source: all in its order, then chosen ones in any order."""

    def __iter__(self) -> Iterator[Raw_co]: ...

    def at(self, indices: NDArray[np.int64]) -> Iterator[Raw_co]:
        """The entries at `indices`, shape (n,), which count what `__iter__` gave, from 0."""
        ...


class SpanEntries:
    """Entries that are spans of a file's bytes, found by `spans` as it goes through them."""

    def __init__(
        self, data: bytes | mmap.mmap, spans: Iterable[tuple[int, int]], told: Callable[[float], None]
    ) -> None:
        self._data = data
        self._spans = spans
        self._told = told
        self._begins = array("q")
        self._ends = array("q")

    def __iter__(self) -> Iterator[bytes]:
        for begin, end in self._spans:
            self._begins.append(begin)
            self._ends.append(end)
            if len(self._begins) % _TOLD_EVERY == 0:
                self._told(end / len(self._data))
            yield self._data[begin:end]

    def at(self, indices: NDArray[np.int64]) -> Iterator[bytes]:
        """See Entries."""
        for index in indices:
            yield self._data[self._begins[index] : self._ends[index]]


@dataclass(slots=True)
class _Times:
    """What the first pass keeps of the entries that will be imported."""

    index: array[int] = field(default_factory=lambda: array("q"))
    wall_ns: array[int] = field(default_factory=lambda: array("q"))
    arrived_ns: array[int] = field(default_factory=lambda: array("q"))
    total_ns: array[int] = field(default_factory=lambda: array("q"))
    all_placed: bool = True

    def add(self, index: int, found: Found) -> None:
        exchange = found.exchange
        self.index.append(index)
        self.wall_ns.append(exchange.wall_ns)
        self.arrived_ns.append(exchange.arrived_ns)
        self.total_ns.append(exchange.total_ns)
        self.all_placed = self.all_placed and found.placed


def place(
    source: Source,
    entries: Entries[Raw],
    parse: Callable[[Raw], Found],
    *,
    unit: str,
    header: Header | None = None,
    expected: str = "",
) -> Imported:
    """The exchanges of `entries`, ordered by arrival, with what is not in the source worked out.

    `unit` is what an entry is called ("line"), `expected` what one looks like. Raises SourceError where
    nothing can be used, more than half cannot, or the backend is not named or is not one.
    """
    header = header or Header()
    tally, origins, times = Tally(), Counter[str](), _Times()
    try:
        for index, raw in enumerate(entries):
            _look_at(index, raw, parse, source.target, (tally, origins, times), unit)
    except Unusable as error:  # from the source itself: it ends in the middle
        tally.add_bad(str(source.path), str(error))
    _refuse_what_is_of_no_use(source, tally, times, origins, expected)
    return _placed(source, header, entries, parse, _target(source, header, origins), (tally, times))


def in_flight_at(arrived_ns: NDArray[np.int64], total_ns: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many others were under way at each arrival, shape (n,); arrivals in ascending order."""
    ended = np.searchsorted(np.sort(arrived_ns + total_ns), arrived_ns, side="right")
    flying: NDArray[np.int64] = np.maximum(np.arange(arrived_ns.size) - ended, 0)
    return flying


def _look_at(
    index: int,
    raw: Raw,
    parse: Callable[[Raw], Found],
    target: Target | None,
    into: tuple[Tally, Counter[str], _Times],
    unit: str,
) -> None:
    tally, origins, times = into
    try:
        found = parse(raw)
        if not (-(1 << 63) <= found.exchange.wall_ns < 1 << 63 and found.exchange.total_ns < 1 << 62):
            raise Unusable("its time is out of all bounds")
    except LeftOut as why:
        tally.left_out[str(why)] += 1
        return
    except Unusable as error:
        tally.add_bad(f"{unit} {index + 1}", str(error), raw)
        return
    if found.origin is not None:
        origins[found.origin] += 1
        if target is not None and not belongs(found, target):
            tally.left_out["of another target"] += 1
            return
    times.add(index, found)


def belongs(found: Found, target: Target) -> bool:
    """Whether the exchange went to `target`, to a path below its prefix."""
    path = found.exchange.request.target
    return found.origin == target.origin and (
        not target.prefix
        or path == target.prefix
        or path.startswith((f"{target.prefix}/", f"{target.prefix}?"))
    )


def _refuse_what_is_of_no_use(
    source: Source, tally: Tally, times: _Times, origins: Counter[str], expected: str
) -> None:
    where, usable = str(source.path), len(times.index) + tally.left_out.total()
    if tally.bad > usable:
        raise SourceError(
            f"{tally.bad} of {tally.bad + usable} cannot be read; the first is {tally.first_bad}",
            where=where,
            hint=f"expected {expected}" if expected else None,
        )
    if times.index:
        return
    if source.target is not None and origins:
        raise SourceError(
            f"nothing in it went to {source.target}", where=where, hint=f"it has {_list_of(origins)}"
        )
    left_out = ", ".join(f"{number} {why}" for why, number in tally.left_out.items())
    raise SourceError("there is nothing to import in it", where=where, hint=left_out or None)


def _target(source: Source, header: Header, origins: Counter[str]) -> str:
    if source.target is not None:
        return str(source.target)
    if len(origins) > 1:
        raise SourceError(
            f"its requests went to {len(origins)} backends",
            where=str(source.path),
            hint=f"choose one with --target: {_list_of(origins)}",
        )
    named = header.target or next(iter(origins), "")
    if not named:
        raise SourceError(
            "it does not say which backend answered",
            where=str(source.path),
            hint="say so with --target, for example --target http://127.0.0.1:9000",
        )
    return named


def _list_of(origins: Counter[str]) -> str:
    shown = ", ".join(f"{origin} ({number})" for origin, number in origins.most_common(5))
    return f"{shown}, …" if len(origins) > 5 else shown


def _placed(
    source: Source,
    header: Header,
    entries: Entries[Raw],
    parse: Callable[[Raw], Found],
    target: str,
    seen: tuple[Tally, _Times],
) -> Imported:
    tally, times = seen
    index, wall_ns = np.array(times.index, np.int64), np.array(times.wall_ns, np.int64)
    if times.all_placed:
        arrived_ns = np.array(times.arrived_ns, np.int64)
        order = np.argsort(arrived_ns, kind="stable")
        first = int(order[0])
        started = header.started_wall_ns
        started_wall_ns = int(wall_ns[first] - arrived_ns[first]) if started is None else started
        flying = None
    else:
        order = np.argsort(wall_ns, kind="stable")
        started_wall_ns = int(wall_ns.min())
        flying = in_flight_at(wall_ns[order], np.array(times.total_ns, np.int64)[order])
    prefix = source.target.prefix if source.target is not None else ""

    def exchanges() -> Iterator[Exchange]:
        for number, raw in enumerate(entries.at(index[order])):
            found = parse(raw)
            exchange = without_prefix(found.exchange, prefix) if found.origin else found.exchange
            if flying is not None:
                arrived = exchange.wall_ns - started_wall_ns
                exchange = replace(exchange, arrived_ns=arrived, in_flight=int(flying[number]))
            yield exchange

    return Imported(
        target,
        started_wall_ns,
        int(index.size),
        exchanges(),
        tally,
        header.kind,
        dict(header.notes),
        header.markers,
    )


def without_prefix(exchange: Exchange, prefix: str) -> Exchange:
    """The exchange as a caller of the target sees it, whose prefix is put before every path."""
    if not prefix:
        return exchange
    target = exchange.request.target[len(prefix) :]
    return replace(
        exchange, request=replace(exchange.request, target=target if target[:1] == "/" else f"/{target}")
    )
