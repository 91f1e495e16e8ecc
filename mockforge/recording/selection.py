"""Which exchanges of a recording are meant: a filter as written, and what it selects of one recording.

A filter is a list of terms that all must hold: `status>=400 operation=GET /orders/{id} latency>200ms`. A
term is a key, a sign and a value, up to where the next term begins. `*` in a text stands for anything.

    method path operation error     = !=               texts; `error=*` is any error
    status                          = != < <= > >=     503, 5xx, none (no answer)
    latency ttfb                    = != < <= > >=     durations: 200ms, 1.5s
    failed                          =                  yes, no
    from to                         =                  seconds or durations since the start, a time, @marker
    phase                           = !=               a marker's label: from it to the next marker

What a filter says of the run itself (times of day, markers, the names of operations) is looked up when it is
bound to a recording.
"""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches

from mockforge.errors import UsageError
from mockforge.model.exchange import Exchange, Marker
from mockforge.recording.schema import FAILED

__all__ = ["Filter", "Selection", "Term", "duration_ns"]

_UNITS_NS = {"ns": 1, "us": 10**3, "µs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ns|us|µs|ms|s|m|h)?")
_LEAST, _MOST = -(2**63), 2**63 - 1

_EQUAL = ("=", "!=")
_ORDERED = ("=", "!=", "<", "<=", ">", ">=")
_SIGNS: Mapping[str, tuple[str, ...]] = {
    "method": _EQUAL,
    "path": _EQUAL,
    "operation": _EQUAL,
    "error": _EQUAL,
    "status": _ORDERED,
    "latency": _ORDERED,
    "ttfb": _ORDERED,
    "failed": ("=",),
    "from": ("=",),
    "to": ("=",),
    "phase": _EQUAL,
}
_TERM = re.compile(r"(?:^|(?<=\s))([a-z_]+)\s*(!=|>=|<=|=|<|>)\s*")
_EXAMPLE = "for example 'status>=400 operation=GET /orders/{id}'"

Span = tuple[int, int]
#: `name_of(method, target)`
Names = Callable[[str, str], str]


@dataclass(frozen=True, slots=True)
class Term:
    """One condition as written; raises UsageError for a key, sign or value that means nothing."""

    key: str
    sign: str
    value: str

    def __post_init__(self) -> None:
        if self.key not in _SIGNS:
            near = get_close_matches(self.key, _SIGNS, 1)
            raise self._refused(f"{self.key!r} is no key", f"{near[0]}?" if near else ", ".join(_SIGNS))
        if not self.value:
            raise self._refused("it has no value", _EXAMPLE)
        if self.sign not in _SIGNS[self.key]:
            raise self._refused(f"{self.key} takes {' or '.join(_SIGNS[self.key])}", _EXAMPLE)
        if self.key == "status" and not re.fullmatch(r"[1-9]\d\d|[1-9]xx|none", self.value):
            raise self._refused(f"{self.value!r} is no status", "503, 5xx or none")
        if self.value == "none" and self.key == "status" and self.sign not in _EQUAL:
            raise self._refused("where there is no status, nothing is less or more", "status=none")
        if self.key in ("latency", "ttfb"):
            duration_ns(self.value)
        if self.key == "failed" and self.value not in ("yes", "no"):
            raise self._refused(f"{self.value!r} is neither yes nor no", "failed=yes")
        if self.key in ("from", "to") and not self.value.startswith("@"):
            _moment_ns(self.value, 0)

    def __str__(self) -> str:
        return f"{self.key}{self.sign}{self.value}"

    def _refused(self, why: str, hint: str) -> UsageError:
        return UsageError(f"{self} filters nothing: {why}", hint=hint)


@dataclass(frozen=True, slots=True)
class Filter:
    """Terms that must all hold; none lets everything through."""

    terms: tuple[Term, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Filter:
        """From one line; raises UsageError where it is none."""
        marks = list(_TERM.finditer(text))
        if not marks or text[: marks[0].start()].strip():
            raise UsageError(f"{text!r} is no filter: it begins with no key and sign", hint=_EXAMPLE)
        ends = [*(mark.start() for mark in marks[1:]), len(text)]
        parts = zip(marks, ends, strict=True)
        return cls(tuple(Term(mark[1], mark[2], text[mark.end() : end].strip()) for mark, end in parts))

    def __str__(self) -> str:
        return " ".join(map(str, self.terms))

    @property
    def names_operations(self) -> bool:
        """Whether it must be bound with the names of operations."""
        return any(term.key == "operation" for term in self.terms)

    def bind(
        self, *, started_wall_ns: int = 0, markers: Sequence[Marker] = (), name_of: Names | None = None
    ) -> Selection:
        """What it selects of one recording, whose start, markers and operations these are.

        `name_of(method, target)` names a request's operation, and is needed where `names_operations`.
        Raises UsageError for a marker that the recording does not have.
        """
        assert name_of is not None or not self.names_operations
        run = _Run(started_wall_ns, tuple(sorted(markers, key=lambda marker: marker.at_ns)))
        ranges = [_range_of(term) for term in self.terms if term.key in ("status", "latency", "ttfb")]
        ranges += [_phase(term, run) for term in self.terms if term.key == "phase"]
        ranges += _window([term for term in self.terms if term.key in ("from", "to")], run)
        texts = tuple(_Text.of(term) for term in self.terms if term.key in ("method", "path", "operation"))
        errors = tuple(_Text.of(term) for term in self.terms if term.key == "error")
        failed = tuple(term.value == "yes" for term in self.terms if term.key == "failed")
        return Selection(tuple(ranges), texts, errors, failed, name_of)


@dataclass(frozen=True, slots=True)
class Selection:
    """Says of exchanges, or to SQLite, which ones are meant; `Filter.bind` makes it."""

    ranges: tuple[_Range, ...] = ()
    requests: tuple[_Text, ...] = ()
    errors: tuple[_Text, ...] = ()
    failed: tuple[bool, ...] = ()
    name_of: Names | None = None

    def matches(self, exchange: Exchange) -> bool:
        """Whether `exchange` is one of them."""
        request = exchange.request
        return (
            all(each.holds(_NUMBERS[each.column](exchange)) for each in self.ranges)
            and all(exchange.failed is wanted for wanted in self.failed)
            and self.takes_error(exchange.error)
            and self.takes_request(request.method, request.target)
        )

    def where(self, tag: str = "") -> tuple[str, list[int]]:
        """The condition in SQL over `exchange`, and its parameters; it calls what `functions` names."""
        parts, values = ["1"], []
        for each in self.ranges:
            part, bounds = each.where()
            parts.append(part)
            values += bounds
        parts += [FAILED if wanted else f"NOT {FAILED}" for wanted in self.failed]
        if self.errors:
            parts.append(f"takes_error{tag}(error)")
        if self.requests:
            parts.append(f"takes_request{tag}(method, target)")
        return " AND ".join(parts), values

    def functions(self, tag: str = "") -> Mapping[str, Callable[..., bool]]:
        """The SQL functions of `where`, of the same `tag`; a request that repeats is looked at once."""
        return {
            f"takes_request{tag}": functools.lru_cache(maxsize=65_536)(self.takes_request),
            f"takes_error{tag}": functools.lru_cache(maxsize=1_024)(self.takes_error),
        }

    def takes_request(self, method: str, target: str) -> bool:
        """Whether the terms on method, path and operation hold."""
        return all(each.holds(self._text(each.key, method, target)) for each in self.requests)

    def takes_error(self, error: str | None) -> bool:
        """Whether the terms on the error hold; a missing one is no text."""
        return all(each.holds(error) for each in self.errors)

    def _text(self, key: str, method: str, target: str) -> str:
        if key == "method":
            return method.upper()
        if key == "path":
            return _path(target)
        assert self.name_of is not None
        return self.name_of(method, target)


@dataclass(frozen=True, slots=True)
class _Range:
    """A number lies in one of `spans` (from, to), ends not included; an unknown one lies in none."""

    column: str
    spans: tuple[Span, ...]
    negated: bool = False

    def holds(self, value: int | None) -> bool:
        within = value is not None and any(low <= value < high for low, high in self.spans)
        return within is not self.negated

    def where(self) -> tuple[str, list[int]]:
        spans = " OR ".join([f"({self.column} >= ? AND {self.column} < ?)"] * len(self.spans))
        bounds = [bound for span in self.spans for bound in span]
        return (f"NOT ifnull({spans}, 0)" if self.negated else f"({spans})"), bounds


_NUMBERS: Mapping[str, Callable[[Exchange], int | None]] = {
    "arrived_ns": operator.attrgetter("arrived_ns"),
    "total_ns": operator.attrgetter("total_ns"),
    "ttfb_ns": operator.attrgetter("ttfb_ns"),
    "status": lambda exchange: exchange.response.status if exchange.response else None,
}
_COLUMNS = {"status": "status", "latency": "total_ns", "ttfb": "ttfb_ns"}


@dataclass(frozen=True, slots=True)
class _Text:
    """A text is, or is not, like a pattern."""

    key: str
    pattern: re.Pattern[str]
    negated: bool

    @classmethod
    def of(cls, term: Term) -> _Text:
        value = term.value.upper() if term.key == "method" else term.value
        pattern = ".*".join(map(re.escape, value.split("*")))
        return cls(term.key, re.compile(pattern, re.DOTALL), term.sign == "!=")

    def holds(self, text: str | None) -> bool:
        return (text is not None and self.pattern.fullmatch(text) is not None) is not self.negated


@dataclass(frozen=True, slots=True)
class _Run:
    """What a filter is bound to; `markers` in order of time."""

    started_wall_ns: int
    markers: tuple[Marker, ...]

    def spans_of(self, label: str) -> list[Span]:
        """From each marker of that label to the next marker."""
        ends = [*(marker.at_ns for marker in self.markers[1:]), _MOST]
        found = zip(self.markers, ends, strict=True) if self.markers else ()
        spans = [(marker.at_ns, end) for marker, end in found if marker.label == label]
        if not spans:
            known = ", ".join(dict.fromkeys(marker.label for marker in self.markers))
            raise UsageError(
                f"the recording has no marker {label!r}", hint=f"it has {known}" if known else "it has none"
            )
        return spans

    def moment_ns(self, value: str, after_ns: int = _LEAST) -> int:
        """Nanoseconds since the start of a moment as written; of a marker's, the first one `after_ns`."""
        if not value.startswith("@"):
            return _moment_ns(value, self.started_wall_ns)
        moments = [start for start, _ in self.spans_of(value[1:])]
        return next((moment for moment in moments if moment > after_ns), moments[0])


def duration_ns(text: str, *, without_unit: str | None = None) -> int:
    """`200ms` or `1.5s` in nanoseconds; a bare number is in `without_unit`. Raises UsageError."""
    found = _DURATION.fullmatch(text.strip())
    unit = (found[2] or without_unit) if found else None
    if found is None or unit is None:
        raise UsageError(f"{text!r} is no duration", hint="for example 200ms, 1.5s or 2m")
    return round(float(found[1]) * _UNITS_NS[unit])


def _moment_ns(text: str, started_wall_ns: int) -> int:
    if _DURATION.fullmatch(text):
        return duration_ns(text, without_unit="s")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f"{text!r} is no moment of a run", hint="seconds since its start (90, 1.5m) or a time in ISO 8601"
        ) from error
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    since = moment - datetime.fromtimestamp(0, UTC)
    return (since.days * 86_400 + since.seconds) * 10**9 + since.microseconds * 1_000 - started_wall_ns


def _range_of(term: Term) -> _Range:
    column = _COLUMNS[term.key]
    if term.value == "none":
        return _Range(column, ((_LEAST, _MOST),), negated=term.sign == "=")
    if column != "status":
        low = duration_ns(term.value)
        high = low + 1
    elif term.value.endswith("xx"):
        low = int(term.value[0]) * 100
        high = low + 100
    else:
        low = int(term.value)
        high = low + 1
    spans = {">=": (low, _MOST), ">": (high, _MOST), "<": (_LEAST, low), "<=": (_LEAST, high)}
    return _Range(column, (spans.get(term.sign, (low, high)),), negated=term.sign == "!=")


def _phase(term: Term, run: _Run) -> _Range:
    return _Range("arrived_ns", tuple(run.spans_of(term.value)), negated=term.sign == "!=")


def _window(terms: Sequence[Term], run: _Run) -> list[_Range]:
    """From the latest `from` up to the earliest `to`; a marker at the end is one after the beginning."""
    if not terms:
        return []
    start = max((run.moment_ns(term.value) for term in terms if term.key == "from"), default=_LEAST)
    end = min((run.moment_ns(term.value, start) for term in terms if term.key == "to"), default=_MOST)
    return [_Range("arrived_ns", ((start, end),))]


def _path(target: str) -> str:
    """As `learning.operations.path_of`, which lies in a part that this one may not import."""
    path = target.partition("?")[0].partition("#")[0]
    if "://" in path and not path.startswith("/"):
        path = "/" + path.partition("://")[2].partition("/")[2]
    return path or "/"
