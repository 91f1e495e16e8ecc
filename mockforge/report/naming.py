"""Which requests of two runs are the same operation: labels that name one, and `--map` for those that do not.

A label such as `GET http://host/orders/17`, `/orders/[id]` or k6's `${}/orders/${}` is a request, whose
operation is found as that of a recorded one; a placeholder stands for a value, so a number takes its place.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

import numpy as np

from mockforge.errors import ComparisonError, UsageError
from mockforge.model.sample import OperationSummary, Run, SummaryRun

__all__ = ["NameMap", "near", "nearest", "operations_of", "renamed", "request_of"]

_REQUEST = re.compile(
    r"(?:(?P<method>[A-Z]{3,12}) +)?(?:[a-z][a-z0-9+.-]*://[^/?#\s]*|\$?\{[^{}/]*\}(?=/))?(?P<target>[/?]\S*)?"
)
_PLACEHOLDER = re.compile(r"\$?\{[^{}/]*\}|\[[^\[\]/]*\]|<[^<>/]*>|(?<=/):\w+")
_HINT = "such as --map 'get order=GET /orders/{id}', the mock's name first; * stands for anything"
#: How much alike two names must be for one to be suggested for the other.
_LIKE = 0.6
_ANY_PART = re.compile(r"\*|\{[^{}]*\}")


def request_of(label: str) -> tuple[str, str] | None:
    """The method and target of the request that a label names; None where it names none."""
    found = _REQUEST.fullmatch(label.strip())
    if found is None or not (found["target"] or "://" in label):
        return None
    target = _PLACEHOLDER.sub("0", found["target"] or "/")
    return found["method"] or "GET", target if target.startswith("/") else f"/{target}"


@dataclass(frozen=True, slots=True)
class NameMap:
    """What operations of the mocked run are called in the real one: the first pattern that leads to one.

    In a pattern, `*` stands for anything and `{id}` for one segment of a path; a `*` of the name is what the
    pattern's stood for.
    """

    pairs: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, written: Iterable[str]) -> NameMap:
        """From the command line's `NAME_IN_B=NAME_IN_A`. Raises UsageError."""
        pairs = []
        for text in written:
            theirs, equals, ours = (part.strip() for part in text.rpartition("="))
            if not (theirs and equals and ours):
                raise UsageError(f"--map {text!r} is not NAME_IN_MOCK=NAME_IN_REAL", hint=_HINT)
            if ours.count("*") > theirs.count("*"):
                raise UsageError(f"--map {text!r} has more * in the real name than in the mock's", hint=_HINT)
            pairs.append((theirs, ours))
        return cls(tuple(pairs))

    def apply(self, mock: Run | SummaryRun, real: Sequence[str]) -> Run | SummaryRun:
        """The mocked run, its operations called as in the real one where a pattern leads to one of it."""
        return renamed(mock, {name: self._named(name, real) for name in operations_of(mock)})

    def refuse_unused(self, levels: Sequence[tuple[Sequence[str], Sequence[str]]]) -> None:
        """Raise ComparisonError for a pair that changes no name of any level (mocked names, real names)."""
        for theirs, ours in self.pairs:
            led = [(_led(theirs, ours, name), real) for mock, real in levels for name in mock]
            if any(name in real for name, real in led if name):
                continue
            fitting = next(((name, real) for name, real in led if name), None)
            if fitting is None:
                raise ComparisonError(
                    f"--map '{theirs}={ours}' fits no operation of the mocked run",
                    hint=near(theirs, [name for mock, _ in levels for name in mock]),
                )
            raise ComparisonError(
                f"--map '{theirs}={ours}' leads to {fitting[0]!r}, which the real run does not have",
                hint=near(*fitting),
            )

    def _named(self, name: str, real: Sequence[str]) -> str:
        led = (_led(theirs, ours, name) for theirs, ours in self.pairs)
        return next((other for other in led if other and other in real), name)


def _led(theirs: str, ours: str, name: str) -> str | None:
    """What a pair makes of a name; None where its pattern does not fit."""
    found = _pattern(theirs).fullmatch(name)
    if found is None:
        return None
    texts = ours.split("*")
    stood = [*found.groups()[: len(texts) - 1], ""]
    return "".join(text + what for text, what in zip(texts, stood, strict=True))


def operations_of(run: Run | SummaryRun) -> list[str]:
    """The names of a run's operations."""
    if isinstance(run, Run):
        return list(run.operations)
    return [operation.name for operation in run.operations]


def renamed(run: Run | SummaryRun, names: dict[str, str]) -> Run | SummaryRun:
    """The run with other names; operations that then share one become one."""
    if isinstance(run, SummaryRun):
        return replace(
            run, operations=_merged([replace(one, name=names[one.name]) for one in run.operations])
        )
    distinct = {name: place for place, name in enumerate(sorted(set(names.values())))}
    places = np.array([distinct[names[name]] for name in run.operations], dtype=np.int32)
    return replace(run, operations=tuple(distinct), operation=places[run.operation])


def _merged(operations: Sequence[OperationSummary]) -> tuple[OperationSummary, ...]:
    """One summary a name. Percentiles of several cannot be had from theirs, so that those have none."""
    found: dict[str, OperationSummary] = {}
    for one in operations:
        known = found.get(one.name)
        found[one.name] = _together(known, one) if known else one
    return tuple(found.values())


def _together(one: OperationSummary, other: OperationSummary) -> OperationSummary:
    count = one.count + other.count
    failed = None if one.failed is None or other.failed is None else one.failed + other.failed
    total_ms = one.mean_ms * one.count + other.mean_ms * other.count
    return OperationSummary(
        name=one.name,
        count=count,
        failed=failed,
        mean_ms=total_ms / count if count else one.mean_ms,
        answered_per_s=one.answered_per_s + other.answered_per_s,
    )


def nearest(name: str, known: Sequence[str]) -> str | None:
    """The known name whose words are most like those of a name; None where none is."""
    simple = {_simple(one): one for one in known}
    found = get_close_matches(_simple(name), simple, 1, _LIKE)
    return simple[found[0]] if found else None


def near(name: str, known: Sequence[str], most: int = 3) -> str:
    """What to say beside a name that is none of the known: the nearest, or some of them."""
    found = nearest(name, known)
    if found is not None:
        return f"did you mean {found!r}?"
    if not known:
        return "it has only figures of all requests"
    more = f" and {len(known) - most} more" if len(known) > most else ""
    return f"it has {', '.join(map(repr, known[:most]))}{more}"


def _simple(name: str) -> str:
    """A name as it is compared: its words alone."""
    return " ".join(re.findall(r"[a-z0-9]+", name.lower()))


def _pattern(text: str) -> re.Pattern[str]:
    """`*` is captured; `{id}` is one segment."""
    parts, at = [], 0
    for found in _ANY_PART.finditer(text):
        parts += [re.escape(text[at : found.start()]), "(.*)" if found[0] == "*" else "[^/]+"]
        at = found.end()
    return re.compile("".join(parts) + re.escape(text[at:]))
