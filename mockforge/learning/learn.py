"""From a recording's exchanges to a virtual service, and an account of what was learned how well."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl

import numpy as np

from mockforge.learning.answers import Answer, Answers, Outcome, written_body
from mockforge.learning.latency import LatencyFit, fit_latency
from mockforge.learning.operations import Operations
from mockforge.matching.url import template_regex
from mockforge.model.exchange import Exchange
from mockforge.model.headers import Headers
from mockforge.model.operation import Operation
from mockforge.model.service import Service
from mockforge.model.stub import (
    Body,
    DelayDistribution,
    RequestPattern,
    ResponseDefinition,
    Stub,
    UrlPattern,
    Variant,
    Variants,
)

__all__ = ["Learned", "LearnedOutcome", "Learner"]

#: A response keeps at most this many variants, the most frequent ones.
MOST_VARIANTS = 2_000
#: So many query parameters of an operation, the most frequent ones, may choose among its answers: a client
#: that writes values where names belong (`?1699999999`) is not followed.
_MOST_QUERY_NAMES = 16
_LONGEST_FILE_NAME = 100
#: A body above this size stands in a file of its own.
_LONGEST_INLINE = 2_000
#: A body that takes longer than this share of the whole latency to arrive is counted into the delay.
_SLOW_TRANSFER = 0.1
#: Below this many samples a latency table is marked as resting on few.
FEW_SAMPLES = 30
_PRIORITY = 5


@dataclass(frozen=True, slots=True)
class LearnedOutcome:
    """How one outcome of an operation was learned; `share` is its part of the operation's answers."""

    operation: str
    outcome: str
    statuses: tuple[int, ...]
    share: float
    variants: int
    by: tuple[str, ...]
    fit: LatencyFit
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Learned:
    """A learned service. `comments` holds, by stub name, where the stub came from."""

    service: Service
    outcomes: tuple[LearnedOutcome, ...]
    comments: Mapping[str, list[str]]
    incomplete: Mapping[str, int]


class Learner:
    """Gathers exchanges, one at a time, and learns a service from them.

    `requests` are the (method, target) pairs of the whole recording: what is an operation shows only in all.
    """

    def __init__(self, requests: Sequence[tuple[str, str]]) -> None:
        self._operations = Operations.find(requests)
        names: dict[Operation, Counter[str]] = defaultdict(Counter)
        for method, target in set(requests):
            query = parse_qsl(target.partition("?")[2], keep_blank_values=True)
            names[self._operations.of(method, target)].update({name for name, _ in query if name})
        self._answers = {
            operation: Answers(operation, _most_frequent(names[operation]))
            for operation in self._operations.all
        }

    def add(self, exchange: Exchange) -> None:
        request = exchange.request
        self._answers[self._operations.of(request.method, request.target)].add(exchange)

    def add_all(self, exchanges: Iterable[Exchange]) -> None:
        for exchange in exchanges:
            self.add(exchange)

    def learn(self, name: str, upstream: str | None, source: str) -> Learned:
        """The service `name`; `source` says in the stubs' comments where they came from."""
        stubs, learned, comments = [], [], {}
        incomplete: Counter[str] = Counter()
        files = _file_names(self._operations.all)
        for operation, answers in self._answers.items():
            incomplete.update(answers.incomplete)
            parts = _learn_operation(operation, answers, files[operation])
            if not parts:
                continue
            learned += [outcome for _, outcome in parts]
            stubs.append(
                Stub(
                    name=operation.name,
                    request=_pattern(operation),
                    responses=tuple(response for response, _ in parts),
                    priority=_PRIORITY + self._shadows(operation),
                )
            )
            comments[operation.name] = _comments(source, [outcome for _, outcome in parts])
        return Learned(Service(name, tuple(stubs), upstream), tuple(learned), comments, incomplete)

    def _shadows(self, operation: Operation) -> int:
        """By how much this operation must yield: 0 unless its template also matches a more literal one."""
        template = template_regex(operation.template)
        covers = any(
            other.method == operation.method and template.fullmatch(other.template)
            for other in self._operations.all
            if other != operation and len(other.parameters) < len(operation.parameters)
        )
        return len(operation.parameters) if covers else 0


def _pattern(operation: Operation) -> RequestPattern:
    kind = "urlPathTemplate" if operation.parameters else "urlPath"
    return RequestPattern(operation.method, UrlPattern(kind, operation.template))


def _learn_operation(
    operation: Operation, answers: Answers, file_name: str
) -> list[tuple[ResponseDefinition, LearnedOutcome]]:
    outcomes = answers.outcomes()
    if not outcomes:
        return []
    total = sum(outcome.count for outcome in outcomes)
    choosers = answers.choosers()
    shares = _shares([outcome.count / total for outcome in outcomes])
    return [
        _learn_outcome(
            operation, outcome, answers, choosers[outcome.name], share, f"{file_name}.{outcome.name}"
        )
        for outcome, share in zip(outcomes, shares, strict=True)
    ]


def _learn_outcome(
    operation: Operation,
    outcome: Outcome,
    answers: Answers,
    by: tuple[str, ...],
    share: float,
    file_name: str,
) -> tuple[ResponseDefinition, LearnedOutcome]:
    rows: Counter[tuple[tuple[str, ...], Answer]] = Counter()
    for (key, answer), times in outcome.answers.items():
        rows[(answers.project(key, by), answer)] += times
    kept = rows.most_common(MOST_VARIANTS)
    delay, fit, remarks = _delay(outcome)
    if len(rows) > len(kept):
        remarks.append(f"kept the {len(kept):,} most frequent of {len(rows):,} variants")
    response = _response([row for row, _ in kept], by, file_name)
    learned = LearnedOutcome(
        operation=operation.name,
        outcome=outcome.name,
        statuses=tuple(sorted({answer.status for _, answer in rows})),
        share=share,
        variants=len(response.variants.rows) if response.variants else 1,
        by=by if response.variants else (),
        fit=fit,
        remarks=tuple(remarks),
    )
    return replace(response, share=share if share < 1 else None, delay=delay), learned


def _delay(outcome: Outcome) -> tuple[DelayDistribution, LatencyFit, list[str]]:
    """The law of the time to the first byte; to the last one where the body came slowly."""
    total_ns = np.asarray(outcome.total_ns, dtype=np.int64)
    ttfb_ns = np.asarray(outcome.ttfb_ns, dtype=np.int64)
    remarks = []
    transfer_ns = float(np.median(total_ns - ttfb_ns))
    if transfer_ns > _SLOW_TRANSFER * float(np.median(total_ns)):
        remarks.append("slow body: its transfer is part of the delay")
        ttfb_ns = total_ns
    if total_ns.size < FEW_SAMPLES:
        remarks.append(f"few samples: {total_ns.size}")
    fit = fit_latency(ttfb_ns)
    return fit.distribution, fit, remarks


def _response(
    rows: list[tuple[tuple[str, ...], Answer]], by: tuple[str, ...], file_name: str
) -> ResponseDefinition:
    """The common part, and variants where the answers differ or where `by` says who gets this one."""
    answers = [answer for _, answer in rows]
    status = Counter(answer.status for answer in answers).most_common(1)[0][0]
    headers = _common_headers(answers)
    same = len(set(answers)) == 1
    body = _static_body(answers[0], file_name) if same else None
    if same and not by:
        return ResponseDefinition(status, headers, body)
    variants = tuple(
        Variant(
            when=key,
            status=None if answer.status == status else answer.status,
            headers=_other_headers(answer.headers, headers),
            body=None if same else written_body(answer.body) or Body("body", ""),
        )
        for key, answer in sorted(rows, key=lambda row: _natural(row[0]))
    )
    return ResponseDefinition(status, headers, body, Variants(f"{file_name}.jsonl", by, variants))


def _static_body(answer: Answer, file_name: str) -> Body | None:
    if len(answer.body) <= _LONGEST_INLINE:
        return written_body(answer.body)
    subtype = (answer.headers.get("content-type") or "").partition(";")[0].rpartition("/")[2]
    extension = {"json": "json", "html": "html", "plain": "txt", "xml": "xml"}.get(subtype, "bin")
    return Body("bodyFileName", f"{file_name}.{extension}", answer.body)


def _common_headers(answers: list[Answer]) -> Headers:
    """The pairs that every answer has, in the first one's order."""
    common = set(answers[0].headers.pairs)
    for answer in answers:
        common &= set(answer.headers.pairs)
    return Headers(tuple(pair for pair in answers[0].headers.pairs if pair in common))


def _other_headers(headers: Headers, common: Headers) -> Headers:
    shared = set(common.pairs)
    return Headers(tuple(pair for pair in headers.pairs if pair not in shared))


def _shares(shares: list[float]) -> list[float]:
    """Rounded to digits that people can read, none of them to nothing, and still adding up to one."""
    digits = max(4, math.ceil(-math.log10(min(shares))) + 1)
    rounded = [round(share, digits) for share in shares]
    rounded[0] = round(1 - sum(rounded[1:]), digits)
    return rounded


def _comments(source: str, outcomes: list[LearnedOutcome]) -> list[str]:
    total = sum(outcome.fit.count for outcome in outcomes)
    lines = [f"learned from {source}: {total:,} exchanges"]
    for outcome in outcomes:
        fit = outcome.fit
        lines.append(
            f"{outcome.outcome}: {fit.count:,} samples, p50 {fit.p50_ms:.3g} ms, p95 {fit.p95_ms:.3g} ms, "
            f"p99 {fit.p99_ms:.3g} ms; the table is {fit.error:.1%} of the mean off"
        )
        lines += [f"{outcome.outcome}: {remark}" for remark in outcome.remarks]
    return lines


def _file_names(operations: Iterable[Operation]) -> dict[Operation, str]:
    """A file name for each, without extension; no two are alike, in upper or lower case."""
    names: dict[Operation, str] = {}
    taken: set[str] = set()
    for operation in operations:
        slug = re.sub(r"[^a-z0-9]+", "-", operation.name.lower())[:_LONGEST_FILE_NAME].strip("-") or "root"
        name, number = slug, 2
        while name in taken:
            name, number = f"{slug}-{number}", number + 1
        taken.add(name)
        names[operation] = name
    return names


def _most_frequent(names: Counter[str]) -> list[str]:
    kept = sorted(names, key=lambda name: (-names[name], name))[:_MOST_QUERY_NAMES]
    return sorted(kept)


def _natural(key: tuple[str, ...]) -> tuple[tuple[int, int, str], ...]:
    """Numbers by value, then words: the order in which people look things up."""
    return tuple((0, int(part), "") if re.fullmatch(r"\d{1,18}", part) else (1, 0, part) for part in key)
