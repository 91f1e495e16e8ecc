"""Values that the target made and a caller sent back: ids, tokens, cookies, locations.

A recording holds the values of the day it was made. Where an answer brought a value, and a later request
carried it, a replay must carry the value that the target makes *now*. Both places are found by comparing
values: one that looks like an identifier, stands in an answer, and stands in a request that was sent after
that answer had ended, and in no request and no other answer before it. (A number that the caller had said
itself is the caller's, wherever it stands later.)
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from mockforge.model.exchange import Exchange
from mockforge.replay.values import Place, Spot, values_of_request, values_of_response

__all__ = ["Correlations", "Extraction", "Link", "Use", "find_correlations", "links"]


class Extraction(NamedTuple):
    """That the answer to some request brings a variable, and where."""

    variable: int
    spot: Spot


class Use(NamedTuple):
    """That some request carries a variable: where, and the value that was recorded there."""

    variable: int
    place: Place
    recorded: str


@dataclass(frozen=True, slots=True)
class Correlations:
    """What depends on what in a recording; keys are places in the order of arrival, from 0."""

    extractions: Mapping[int, tuple[Extraction, ...]] = field(default_factory=dict)
    uses: Mapping[int, tuple[Use, ...]] = field(default_factory=dict)

    @property
    def variables(self) -> int:
        """How many values are carried on."""
        return sum(len(each) for each in self.extractions.values())


class Link(NamedTuple):
    """For people: so many requests of `to` carry at `place` what `spot` of an answer to `source` brought."""

    source: str
    spot: str
    to: str
    place: str
    times: int


def links(correlations: Correlations, names: Iterable[str]) -> list[Link]:
    """The correlations by operation, the most frequent first; `names` has the operation of every exchange."""
    name_of = list(names)
    origin = {
        each.variable: (name_of[index], each.spot.shown)
        for index, extractions in correlations.extractions.items()
        for each in extractions
    }
    counts = Counter(
        (*origin[use.variable], name_of[index], use.place.shown)
        for index, uses in correlations.uses.items()
        for use in uses
    )
    return [Link(*key, times) for key, times in sorted(counts.items(), key=lambda one: (-one[1], one[0]))]


def find_correlations(exchanges: Iterable[Exchange]) -> Correlations:
    """What depends on what; `exchanges` are in the order of arrival, and are read twice.

    The first reading gathers what requests carry, so that of all the values in all the answers only those
    are remembered that any request has use for.
    """
    wanted = {found.value for exchange in exchanges for found in values_of_request(exchange.request)}
    return _Search(wanted).through(exchanges)


class _Search:
    """Walks a recording in time: requests at their arrival, answers at their end."""

    def __init__(self, wanted: set[str]) -> None:
        self._wanted = wanted
        #: Values that some request carried before any answer had brought them.
        self._callers_own: set[str] = set()
        self._origin: dict[str, tuple[int, Spot]] = {}
        self._ending: list[tuple[int, int, tuple[tuple[str, Spot], ...]]] = []
        self._variables: dict[str, int] = {}
        self._uses: dict[int, tuple[Use, ...]] = {}

    def through(self, exchanges: Iterable[Exchange]) -> Correlations:
        for index, exchange in enumerate(exchanges):
            self._take_answers_until(exchange.arrived_ns)
            uses = tuple(self._uses_of(exchange))
            if uses:
                self._uses[index] = uses
            brought = tuple(self._brought_by(exchange))
            if brought:
                ended_ns = exchange.arrived_ns + exchange.total_ns
                heapq.heappush(self._ending, (ended_ns, index, brought))
        extractions: dict[int, list[Extraction]] = {}
        for value, variable in self._variables.items():
            index, spot = self._origin[value]
            extractions.setdefault(index, []).append(Extraction(variable, spot))
        return Correlations({index: tuple(each) for index, each in extractions.items()}, self._uses)

    def _take_answers_until(self, now_ns: int) -> None:
        while self._ending and self._ending[0][0] <= now_ns:
            _, index, brought = heapq.heappop(self._ending)
            for value, spot in brought:
                if value not in self._callers_own:
                    self._origin.setdefault(value, (index, spot))

    def _uses_of(self, exchange: Exchange) -> Iterator[Use]:
        for value, place in values_of_request(exchange.request):
            if value in self._origin:
                variable = self._variables.setdefault(value, len(self._variables))
                yield Use(variable, place, value)
            else:
                self._callers_own.add(value)

    def _brought_by(self, exchange: Exchange) -> Iterator[tuple[str, Spot]]:
        if exchange.response is None or exchange.error is not None:
            return
        for value, spot in values_of_response(exchange.response):
            if value in self._wanted and value not in self._callers_own:
                yield value, spot
