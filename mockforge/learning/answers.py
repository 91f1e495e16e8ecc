"""What an operation answers: recorded answers by outcome, and the parameters that choose among them."""

from __future__ import annotations

import base64
import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Self

import orjson
import zstandard

from mockforge.learning.busters import cache_busters
from mockforge.learning.soundness import has_possible_times
from mockforge.learning.volatile import Seen, Volatile, find_volatile
from mockforge.learning.writes import SAFE_METHODS, Writes
from mockforge.matching.parameters import ParameterKey, compile_parameters
from mockforge.matching.url import template_regex
from mockforge.model.charset import without_unknown_charset
from mockforge.model.exchange import Exchange, Response
from mockforge.model.headers import HOP_BY_HOP, Headers
from mockforge.model.operation import Operation
from mockforge.model.request import RequestView
from mockforge.model.stub import Body

__all__ = ["Answer", "Answers", "Key", "Outcome", "Sample", "decoded", "is_failure", "written_body"]

Key = tuple[str, ...]

#: A duration that the recording does not tell.
UNKNOWN_NS = -1

#: How an exchange ends whose caller left without an answer.
_CALLER_LEFT = "caller: left"

#: Fields of a response that speak of the moment or the connection, never of the answer.
_TRANSIENT = HOP_BY_HOP | {"date", "content-length"}

#: Header fields that make two requests different ones.
_ASKED_BY = ("accept", "accept-language", "authorization", "cookie", "if-none-match", "prefer", "range")

#: Of the keys that failed and were asked again, this share must have answered alike for the failure to
#: be what the request asked for, and not what befell it.
_DETERMINED = 0.9


@dataclass(frozen=True, slots=True)
class Answer:
    """One distinct answer: its status, the body as written in a stub, and the headers it first came with."""

    status: int
    headers: Headers
    body: bytes


class Sample(NamedTuple):
    """One exchange with a complete answer. Times in ns; durations UNKNOWN_NS where they cannot be."""

    view: RequestView
    answer: Answer
    arrived_ns: int
    wall_ns: int
    ttfb_ns: int
    total_ns: int


@dataclass(slots=True)
class Outcome:
    """The exchanges of an operation that ended alike: `success`, `error` (4xx) or `failure` (429, 5xx).

    `answers` counts each answer by the key of its request, in the order in which they first came.
    """

    name: str
    samples: list[Sample] = field(default_factory=list)
    answers: Counter[tuple[Key, Answer]] = field(default_factory=Counter)

    @property
    def count(self) -> int:
        return len(self.samples)

    @property
    def ttfb_ns(self) -> list[int]:
        """Of those whose times can be."""
        return [sample.ttfb_ns for sample in self.samples if sample.total_ns != UNKNOWN_NS]

    @property
    def total_ns(self) -> list[int]:
        """Of those whose times can be."""
        return [sample.total_ns for sample in self.samples if sample.total_ns != UNKNOWN_NS]


class Answers:
    """The answers of one operation, gathered exchange by exchange.

    `query_names` are those query parameters that may choose among them; `writes` are all of the recording.
    """

    def __init__(
        self, operation: Operation, query_names: Sequence[str], writes: Writes | None = None
    ) -> None:
        self.operation = operation
        self.samples: list[Sample] = []
        self.incomplete: Counter[str] = Counter()
        self.omitted = 0
        #: How long callers waited that left without an answer.
        self.left_ns: list[int] = []
        self._query_names = tuple(query_names)
        self._writes = writes or Writes()
        self._headers: dict[tuple[int, bytes], Headers] = {}
        self._views: dict[tuple[str, bytes, tuple[tuple[bytes, bytes], ...]], RequestView] = {}
        self._studied: _Studied | None = None

    def add(self, exchange: Exchange) -> None:
        """Count one exchange; one without a complete answer of the backend is only counted as such."""
        response = exchange.response
        if response is None or exchange.error is not None:
            self.incomplete[exchange.error or "no answer"] += 1
            if exchange.error == _CALLER_LEFT:
                self.left(exchange)
            return
        self._studied = None
        self.omitted += response.omitted > 0
        timed = has_possible_times(exchange)
        ttfb_ns = exchange.total_ns if exchange.ttfb_ns is None else exchange.ttfb_ns
        self.samples.append(
            Sample(
                view=self._view(exchange),
                answer=self._answer(response),
                arrived_ns=exchange.arrived_ns,
                wall_ns=exchange.wall_ns,
                ttfb_ns=ttfb_ns if timed else UNKNOWN_NS,
                total_ns=exchange.total_ns if timed else UNKNOWN_NS,
            )
        )

    def left(self, exchange: Exchange) -> None:
        """Take in how long an exchange took at least, that nobody waited for any longer."""
        self.left_ns.append(exchange.total_ns)

    def only(self, samples: Iterable[Sample]) -> Self:
        """The same operation with some of its samples; with most of them go the callers that left."""
        part = type(self)(self.operation, self._query_names, self._writes)
        part.samples = list(samples)
        if 2 * len(part.samples) > len(self.samples):
            part.left_ns = self.left_ns
        return part

    @property
    def ignored(self) -> list[str]:
        """Query parameters that were sent, and that no answer depends on; without the cache busters."""
        chosen = set(self._study().needed_names())
        return [
            name for name in self._query_names if f"query.{name}" not in chosen and name not in self.busters
        ]

    @property
    def busters(self) -> frozenset[str]:
        """Query parameters that only keep caches away."""
        return self._study().busters

    @property
    def volatile(self) -> Volatile:
        """What of the answers is of their moment."""
        return self._study().volatile

    def outcomes(self) -> list[Outcome]:
        """The outcomes by falling count."""
        outcomes = self._study().outcomes.values()
        return sorted(outcomes, key=lambda outcome: (-outcome.count, outcome.name))

    def befalls(self, outcome: str) -> bool:
        """Whether this outcome comes to any request, whatever it asks for."""
        return outcome == "failure" and self._study().befalls

    def choosers(self) -> dict[str, tuple[str, ...]]:
        """For each outcome, the parameters that choose among its answers.

        There are none for a failure that befalls any request. A parameter is dropped where the others tell
        the same answers apart without it.
        """
        study = self._study()
        names = study.needed_names()
        return {name: () if self.befalls(name) else names for name in study.outcomes}

    def project(self, key: Key, by: Sequence[str]) -> Key:
        """The part of a key that `by` names."""
        positions = [self._study().by.index(name) for name in by]
        return tuple(key[position] for position in positions)

    def key_of(self, sample: Sample, by: Sequence[str]) -> Key:
        """The values of `by` in a sample's request."""
        return self.project(self._study().key_of(sample.view), by)

    def steady(self, answer: Answer) -> Hashable:
        """What an answer says, without what is of its moment: equal for two that say the same."""
        return answer.status, self.volatile.steady(answer.body)

    def asked(self, sample: Sample) -> Hashable:
        """What a sample asked for: equal for two that asked for the same."""
        return _asked(sample.view, self.busters)

    def written_between(self, target: str, after_ns: int, upto_ns: int) -> str | None:
        """The last write in that time that may have changed what `target` answers."""
        return self._writes.between(target, after_ns, upto_ns)

    def _study(self) -> _Studied:
        if self._studied is None:
            self._studied = _Studied.of(self.operation, self._query_names, self.samples, self._writes)
        return self._studied

    def _view(self, exchange: Exchange) -> RequestView:
        """One view for all equal requests, so that each is parsed once."""
        request = exchange.request
        headers = tuple(request.headers.raw())
        key = (request.target, request.body, headers)
        view = self._views.get(key)
        if view is None:
            view = self._views[key] = RequestView(request.method, request.target, headers, request.body)
        return view

    def _answer(self, response: Response) -> Answer:
        headers, body = decoded(response)
        first = self._headers.setdefault((response.status, body), headers)
        return Answer(response.status, first, body)


@dataclass(slots=True)
class _Studied:
    """What shows only in all samples together."""

    by: tuple[str, ...]
    key_of: ParameterKey
    busters: frozenset[str]
    volatile: Volatile
    outcomes: dict[str, Outcome]
    befalls: bool = False
    _needed_positions: list[int] = field(default_factory=list)

    @classmethod
    def of(
        cls, operation: Operation, query_names: Sequence[str], samples: Sequence[Sample], writes: Writes
    ) -> _Studied:
        busters = cache_busters([(sample.view.query, sample.wall_ns / 1e9) for sample in samples])
        by = (
            *(f"path.{name}" for name in operation.parameters),
            *(f"query.{name}" for name in query_names if name not in busters),
            "body",
        )
        template = template_regex(operation.template) if operation.parameters else None
        study = cls(
            by, compile_parameters(by, template), busters, _volatile(operation, samples, busters, writes), {}
        )
        keys: dict[int, Key] = {}
        for sample in samples:
            key = keys.get(id(sample.view))
            if key is None:
                key = keys[id(sample.view)] = study.key_of(sample.view)
            name = _outcome(sample.answer.status)
            outcome = study.outcomes.setdefault(name, Outcome(name))
            outcome.samples.append(sample)
            outcome.answers[(key, sample.answer)] += 1
        study._choose()
        return study

    def needed_names(self) -> tuple[str, ...]:
        return tuple(self.by[position] for position in self._needed_positions)

    def _choose(self) -> None:
        steady: dict[Answer, Hashable] = {}
        pairs: set[tuple[Key, Hashable]] = set()
        by_status: set[tuple[Key, Hashable]] = set()
        for outcome in self.outcomes.values():
            for key, answer in outcome.answers:
                if answer not in steady:
                    steady[answer] = (answer.status, self.volatile.steady(answer.body))
                pairs.add((key, steady[answer]))
                by_status.add((key, answer.status))
        self.befalls = "failure" in self.outcomes and not self._failure_is_determined(self._needed(by_status))
        if self.befalls:
            failures = {each for answer, each in steady.items() if is_failure(answer.status)}
            pairs = {pair for pair in pairs if pair[1] not in failures}
        self._needed_positions = self._needed(pairs)

    def _needed(self, pairs: set[tuple[Key, Hashable]]) -> list[int]:
        """Positions of the parameters without which more keys would have more than one answer.

        Those of most values are tried first: what never repeats (a cache buster) tells everything apart.
        """
        kept = list(range(len(self.by)))
        values = [len({key[position] for key, _ in pairs}) for position in kept]
        conflicts = _conflicts(pairs, kept)
        for position in sorted(kept, key=lambda each: (-values[each], -each)):
            fewer = [each for each in kept if each != position]
            left = _conflicts(pairs, fewer)
            if left <= conflicts:
                kept, conflicts = fewer, left
        return kept

    def _failure_is_determined(self, kept: list[int]) -> bool:
        statuses: dict[Key, Counter[int]] = defaultdict(Counter)
        for outcome in self.outcomes.values():
            for (key, answer), times in outcome.answers.items():
                statuses[tuple(key[each] for each in kept)][answer.status] += times
        asked_again = [
            seen
            for seen in statuses.values()
            if seen.total() > 1 and any(is_failure(status) for status in seen)
        ]
        alike = sum(len(seen) == 1 for seen in asked_again)
        return bool(asked_again) and alike >= _DETERMINED * len(asked_again)


def _volatile(
    operation: Operation, samples: Sequence[Sample], busters: frozenset[str], writes: Writes
) -> Volatile:
    """Of the successful answers alone: an error says nothing of what a success varies in."""
    seen = []
    targets: dict[Hashable, str] = {}
    for sample in sorted(samples, key=lambda each: each.arrived_ns):
        if sample.answer.status < 400:
            view = sample.view
            asked = _asked(view, busters)
            targets[asked] = view.target
            seen.append(
                Seen(asked, sample.answer.status, sample.answer.body, sample.arrived_ns, sample.wall_ns)
            )

    def changed(one: Seen, other: Seen) -> bool:
        return writes.between(targets[one.asked], one.arrived_ns, other.arrived_ns) is not None

    return find_volatile(seen, changed, creates=operation.method not in SAFE_METHODS)


def _asked(view: RequestView, busters: frozenset[str]) -> Hashable:
    """Equal for two requests that ask for the same."""
    query = tuple((name, *given) for name, given in view.query.items() if name not in busters)
    return view.path, query, view.body, tuple(view.headers.get(name) for name in _ASKED_BY)


def written_body(body: bytes) -> Body | None:
    """The body in its most readable form that gives back the same bytes; None for an empty one."""
    if not body:
        return None
    try:
        value = orjson.loads(body)
        if isinstance(value, dict | list) and orjson.dumps(value) == body:
            return Body("jsonBody", value)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):  # the latter: nested too deeply
        pass
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        text = ""
    if text and not re.search(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", text):
        return Body("body", text)
    return Body("base64Body", base64.b64encode(body).decode())


def _outcome(status: int) -> str:
    if status < 400:
        return "success"
    return "failure" if is_failure(status) else "error"


def is_failure(status: int) -> bool:
    return status == 429 or status >= 500


def _conflicts(pairs: set[tuple[Key, Hashable]], positions: list[int]) -> int:
    """How many (key, answer) pairs are beyond one answer a key, the key cut down to `positions`."""
    reduced = {(tuple(key[each] for each in positions), answer) for key, answer in pairs}
    return len(reduced) - len({key for key, _ in reduced})


def decoded(response: Response) -> tuple[Headers, bytes]:
    """Headers worth keeping, and the body without its content coding where that can be undone."""
    headers = without_unknown_charset(response.headers.without(_TRANSIENT))
    coding = (headers.get("content-encoding") or "identity").strip().lower()
    try:
        if coding in ("gzip", "deflate"):
            body = zlib.decompress(response.body, wbits=47)
        elif coding == "zstd":
            body = zstandard.ZstdDecompressor().decompressobj().decompress(response.body)
        else:
            return headers, response.body
    except (zlib.error, zstandard.ZstdError):
        return headers, response.body
    return headers.without({"content-encoding"}), body
