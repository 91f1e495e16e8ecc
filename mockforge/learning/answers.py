"""What an operation answers: recorded answers by outcome, and the parameters that choose among them."""

from __future__ import annotations

import base64
import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

import orjson
import zstandard

from mockforge.matching.parameters import ParameterKey, compile_parameters
from mockforge.matching.url import template_regex
from mockforge.model.exchange import Exchange, Response
from mockforge.model.headers import HOP_BY_HOP, Headers
from mockforge.model.operation import Operation
from mockforge.model.request import RequestView
from mockforge.model.stub import Body

__all__ = ["Answer", "Answers", "Outcome", "written_body"]

Key = tuple[str, ...]

#: Fields of a response that speak of the moment or the connection, never of the answer.
_TRANSIENT = HOP_BY_HOP | {"date", "content-length"}

#: Of the keys that failed and were asked again, this share must have answered alike for the failure to
#: be what the request asked for, and not what befell it.
_DETERMINED = 0.9


@dataclass(frozen=True, slots=True)
class Answer:
    """One distinct answer: its status, the body as written in a stub, and the headers it first came with."""

    status: int
    headers: Headers
    body: bytes


@dataclass(slots=True)
class Outcome:
    """The exchanges of an operation that ended alike: `success`, `error` (4xx) or `failure` (429, 5xx)."""

    name: str
    ttfb_ns: list[int] = field(default_factory=list)
    total_ns: list[int] = field(default_factory=list)
    answers: Counter[tuple[Key, Answer]] = field(default_factory=Counter)

    @property
    def count(self) -> int:
        return len(self.total_ns)


class Answers:
    """The answers of one operation, gathered exchange by exchange."""

    def __init__(self, operation: Operation, query_names: Sequence[str]) -> None:
        template = template_regex(operation.template) if operation.parameters else None
        self._by = [
            *(f"path.{name}" for name in operation.parameters),
            *(f"query.{name}" for name in query_names),
            "body",
        ]
        self._key_of: ParameterKey = compile_parameters(self._by, template)
        self._outcomes: dict[str, Outcome] = {}
        self._headers: dict[tuple[int, bytes], Headers] = {}
        self.incomplete: Counter[str] = Counter()

    def add(self, exchange: Exchange) -> None:
        """Count one exchange; one without a complete answer of the backend is only counted as such."""
        response = exchange.response
        if response is None or exchange.error is not None:
            self.incomplete[exchange.error or "no answer"] += 1
            return
        request = exchange.request
        key = self._key_of(RequestView(request.method, request.target, request.headers.raw(), request.body))
        outcome = self._outcomes.setdefault(_outcome(response.status), Outcome(_outcome(response.status)))
        outcome.total_ns.append(exchange.total_ns)
        outcome.ttfb_ns.append(exchange.total_ns if exchange.ttfb_ns is None else exchange.ttfb_ns)
        outcome.answers[(key, self._answer(response))] += 1

    def outcomes(self) -> list[Outcome]:
        """The outcomes by falling count."""
        return sorted(self._outcomes.values(), key=lambda outcome: (-outcome.count, outcome.name))

    def choosers(self) -> dict[str, tuple[str, ...]]:
        """For each outcome, the parameters that choose among its answers.

        There are none for a failure that befalls any request. A parameter is dropped where the others tell
        the same answers apart without it.
        """
        pairs = [pair for outcome in self._outcomes.values() for pair in outcome.answers]
        by_status = self._needed({(key, answer.status) for key, answer in pairs})
        befalls = "failure" in self._outcomes and not self._failure_is_determined(by_status)
        kept = self._needed({pair for pair in pairs if not (befalls and _is_failure(pair[1].status))})
        names = tuple(self._by[position] for position in kept)
        return {name: () if name == "failure" and befalls else names for name in self._outcomes}

    def project(self, key: Key, by: Sequence[str]) -> Key:
        """The part of a key that `by` names."""
        return tuple(key[self._by.index(name)] for name in by)

    def _answer(self, response: Response) -> Answer:
        headers, body = _decoded(response)
        first = self._headers.setdefault((response.status, body), headers)
        return Answer(response.status, first, body)

    def _needed(self, pairs: set[tuple[Key, Hashable]]) -> list[int]:
        """Positions of the parameters without which more keys would have more than one answer.

        Those of most values are tried first: what never repeats (a cache buster) tells everything apart.
        """
        kept = list(range(len(self._by)))
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
        for outcome in self._outcomes.values():
            for (key, answer), times in outcome.answers.items():
                statuses[tuple(key[each] for each in kept)][answer.status] += times
        asked_again = [
            seen
            for seen in statuses.values()
            if seen.total() > 1 and any(_is_failure(status) for status in seen)
        ]
        alike = sum(len(seen) == 1 for seen in asked_again)
        return bool(asked_again) and alike >= _DETERMINED * len(asked_again)


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
    return "failure" if _is_failure(status) else "error"


def _is_failure(status: int) -> bool:
    return status == 429 or status >= 500


def _conflicts(pairs: set[tuple[Key, Hashable]], positions: list[int]) -> int:
    """How many (key, answer) pairs are beyond one answer a key, the key cut down to `positions`."""
    reduced = {(tuple(key[each] for each in positions), answer) for key, answer in pairs}
    return len(reduced) - len({key for key, _ in reduced})


def _decoded(response: Response) -> tuple[Headers, bytes]:
    """Headers worth keeping, and the body without its content coding where that can be undone."""
    headers = response.headers.without(_TRANSIENT)
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
