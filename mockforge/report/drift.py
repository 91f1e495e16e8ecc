"""Functional drift: whether the mock still answers what the real service answers.

A mock that answers something else also performs otherwise, and its latencies are those of another question.
Compared are the statuses of all answers, and of a sample of the good ones (2xx) the fields of their JSON and
their header fields. What few answers have is left out: keys that are data come and go.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import orjson

from mockforge.learning.answers import decoded
from mockforge.model.exchange import Response
from mockforge.model.headers import HOP_BY_HOP
from mockforge.model.sample import Run
from mockforge.stats.intervals import newcombe

__all__ = ["Drift", "Finding", "Traits", "drift", "status_drift", "traits_of"]

#: Header fields that say nothing of what is answered, or are the server's own.
_OWN_FIELDS = HOP_BY_HOP | {
    "age",
    "content-encoding",
    "content-length",
    "date",
    "etag",
    "server",
    "vary",
    "via",
}
_LEAST_STATUS = 0.01
#: A trait that one side's answers have, and so many fewer of the other's, has drifted.
_LEAST_TRAIT = 0.3
_DEEPEST = 8
_MOST_ITEMS = 20
_TYPES: Mapping[type, str] = {
    bool: "true or false",
    int: "number",
    float: "number",
    str: "text",
    type(None): "null",
    dict: "object",
    list: "array",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """What shares of the real answers and of the mock's have: a `status`, `json` (a field) or `header`."""

    kind: str
    what: str
    real: float
    mock: float


@dataclass(frozen=True, slots=True)
class Traits:
    """What `looked_at` good answers of one operation have: how many of them each (kind, what)."""

    looked_at: int = 0
    counts: Mapping[tuple[str, str], int] = field(default_factory=dict)

    def share(self, trait: tuple[str, str]) -> float:
        """The part of the answers that has it."""
        return self.counts.get(trait, 0) / self.looked_at


@dataclass(frozen=True, slots=True)
class Drift:
    """What has drifted of one operation; how many answers of either side were looked into."""

    findings: tuple[Finding, ...] = ()
    looked_at: tuple[int, int] = (0, 0)


def status_drift(real: Sequence[Run], mock: Sequence[Run]) -> Drift:
    """The statuses whose shares differ by more than chance and a hundredth."""
    a, b = (np.concatenate([run.status for run in side]) for side in (real, mock))
    found = []
    for status in np.union1d(a, b).tolist():
        hits = int(np.count_nonzero(b == status)), int(np.count_nonzero(a == status))
        difference, low, high = newcombe(hits[0], b.size, hits[1], a.size)
        if abs(difference) > _LEAST_STATUS and not low <= 0 <= high:
            what = str(status) if status else "no answer"
            found.append(Finding("status", what, hits[1] / a.size, hits[0] / b.size))
    return Drift(tuple(found))


def drift(of_statuses: Drift, real: Traits, mock: Traits) -> Drift:
    """The drift of the statuses, and that of the answers' fields where both sides' were looked into."""
    looked_at = real.looked_at, mock.looked_at
    if not all(looked_at):
        return Drift(of_statuses.findings, looked_at)
    differing = [
        Finding(*trait, real.share(trait), mock.share(trait))
        for trait in {*real.counts, *mock.counts}
        if abs(real.share(trait) - mock.share(trait)) >= _LEAST_TRAIT
    ]
    found = sorted(_outermost(differing), key=lambda one: (one.kind != "json", one.what))
    return Drift((*of_statuses.findings, *found), looked_at)


def traits_of(responses: Iterable[Response]) -> Traits:
    """The traits of good answers."""
    counts: Counter[tuple[str, str]] = Counter()
    looked_at = 0
    for response in responses:
        looked_at += 1
        counts.update({*_fields(response), *_shape(response)})
    return Traits(looked_at, counts)


def _fields(response: Response) -> Iterator[tuple[str, str]]:
    for name, value in response.headers:
        lowered = name.lower()
        if lowered == "content-type":
            yield "header", f"{lowered}: {value.partition(';')[0].strip().lower()}"
        elif lowered not in _OWN_FIELDS:
            yield "header", lowered


def _shape(response: Response) -> Iterator[tuple[str, str]]:
    if response.omitted:
        return
    _, body = decoded(response)
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        yield "json", "no JSON" if body else "no body"
        return
    for path, kind in _paths(value, "$", 0):
        yield "json", f"{path}: {kind}"


def _paths(value: object, path: str, depth: int) -> Iterator[tuple[str, str]]:
    yield path, _TYPES[type(value)]
    if depth == _DEEPEST:
        return
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _paths(inner, f"{path}.{key}", depth + 1)
    elif isinstance(value, list):
        for inner in value[:_MOST_ITEMS]:
            yield from _paths(inner, f"{path}[]", depth + 1)


def _outermost(findings: Sequence[Finding]) -> Iterator[Finding]:
    """Without the fields of an object that is itself missing: it says it all."""
    lost = {
        one.what.rpartition(": ")[0]
        for one in findings
        if one.kind == "json" and one.what.endswith(("object", "array"))
    }
    for one in findings:
        path = one.what.rpartition(": ")[0]
        if one.kind == "json" and any(path.startswith((f"{outer}.", f"{outer}[")) for outer in lost):
            continue
        yield one
