"""The responses of one stub: static where all answers are alike, a template where they give back what was
asked, else the recorded ones as variants."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mockforge.learning.answers import Answer, Answers, Key, Outcome, written_body
from mockforge.learning.body_times import fit_body_time
from mockforge.learning.echoes import find_echo
from mockforge.learning.latency import FEW_SAMPLES, LatencyFit, fit_latency
from mockforge.learning.pooling import Parent
from mockforge.learning.states import changes_of
from mockforge.model.headers import Headers
from mockforge.model.sending import SendingDefinition
from mockforge.model.stub import Body, ResponseDefinition, Variant, Variants

__all__ = ["LearnedOutcome", "is_plain", "learn_responses"]

#: A response keeps at most this many variants, the most frequent ones.
MOST_VARIANTS = 2_000
#: Of answers to equal requests that differ only in what is of their moment, so many are kept.
_MOST_ALIKE = 10
#: A body above this size stands in a file of its own.
_LONGEST_INLINE = 2_000
#: A body that takes longer than this share of the whole latency to arrive is counted into the delay.
_SLOW_TRANSFER = 0.1
#: Header fields that may differ from answer to answer without saying anything.
_SAYS_NOTHING = re.compile(
    r"age|traceparent|tracestate|server-timing|x-runtime|cf-ray"
    r"|x-.*(?:request|trace|correlation|span|ratelimit|time).*",
    re.IGNORECASE,
)
_EXTENSIONS = {"json": "json", "html": "html", "plain": "txt", "xml": "xml", "css": "css", "csv": "csv"}


@dataclass(frozen=True, slots=True)
class LearnedOutcome:
    """How one outcome of a stub was learned; `share` is its part of the stub's answers.

    `form` is `static`, `template` or `variants`.
    """

    operation: str
    outcome: str
    statuses: tuple[int, ...]
    share: float
    form: str
    variants: int
    by: tuple[str, ...]
    fit: LatencyFit
    remarks: tuple[str, ...]


def learn_responses(
    name: str, answers: Answers, file_name: str, *, named: bool = True, parent: Parent | None = None
) -> list[tuple[ResponseDefinition, LearnedOutcome]]:
    """The responses of the stub `name`, the most frequent first; their files are called after `file_name`.

    Without `named`, templates cannot see path parameters by name. `parent` lends outcomes of few samples
    its spread.
    """
    outcomes = answers.outcomes()
    total = sum(outcome.count for outcome in outcomes)
    choosers = answers.choosers()
    shares = _shares([outcome.count / total for outcome in outcomes]) if outcomes else []
    learned = []
    for outcome, share in zip(outcomes, shares, strict=True):
        by = choosers[outcome.name]
        if not named:
            by = tuple(each for each in by if not each.startswith("path."))
        form = _Forming(answers, outcome, by, f"{file_name}.{outcome.name}", named, parent)
        learned.append(_learn_outcome(name, form, share))
    return learned


def is_plain(answers: Answers) -> bool:
    """Whether one body, or one template that does not name path parameters, gives all answers."""
    outcomes = answers.outcomes()
    return len(outcomes) == 1 and (
        len({answers.steady(sample.answer) for sample in outcomes[0].samples}) == 1
        or _echo(answers, outcomes[0], named=False) is not None
    )


@dataclass(frozen=True, slots=True)
class _Forming:
    """One outcome on its way to a response; `by` names the parameters that choose among its answers."""

    answers: Answers
    outcome: Outcome
    by: tuple[str, ...]
    file_name: str
    named: bool
    parent: Parent | None

    @property
    def is_sole(self) -> bool:
        """Whether no other outcome is chosen by what a request asks for."""
        others = (each.name for each in self.answers.outcomes() if each.name != self.outcome.name)
        return self.answers.befalls(self.outcome.name) or all(map(self.answers.befalls, others))

    def rows(self) -> list[tuple[Key, Answer]]:
        """The distinct answers by what chooses them, in the order in which they first came.

        Of those that differ only in what is of their moment, a few.
        """
        rows: Counter[tuple[Key, Answer]] = Counter()
        for (key, answer), times in self.outcome.answers.items():
            rows[(self.answers.project(key, self.by), answer)] += times
        alike: Counter[tuple[Key, Hashable]] = Counter()
        kept: Counter[tuple[Key, Answer]] = Counter()
        for (key, answer), times in rows.items():
            says = (key, self.answers.steady(answer))
            alike[says] += 1
            if alike[says] <= _MOST_ALIKE:
                kept[(key, answer)] = times
        return list(kept) if len(kept) <= MOST_VARIANTS else _most_frequent(kept)


def _learn_outcome(name: str, form: _Forming, share: float) -> tuple[ResponseDefinition, LearnedOutcome]:
    outcome, answers = form.outcome, form.answers
    left_ns = answers.left_ns if outcome.name == answers.outcomes()[0].name else []
    body_time = fit_body_time(*_times(outcome))
    fit, remarks = _latency(outcome, left_ns, form.parent, apart=body_time is not None)
    if body_time is not None:
        remarks.append(
            f"the body takes its own time: p50 {body_time.p50_ms:.3g} ms, p95 {body_time.p95_ms:.3g} ms"
        )
    rows = form.rows()
    response = _response(rows, form)
    kind = "template" if response.transformers else "variants" if response.variants else "static"
    by = form.by if response.variants else ()
    if kind == "variants":
        remarks += _remarks_on_variants(form, rows)
    if kind == "variants" and answers.volatile and outcome.name == "success":
        remarks.append(
            f"changes by itself: {', '.join(answers.volatile.described()[:5])}; recorded values are given"
        )
    learned = LearnedOutcome(
        operation=name,
        outcome=outcome.name,
        statuses=tuple(sorted({answer.status for _, answer in outcome.answers})),
        share=share,
        form=kind,
        variants=len(response.variants.rows) if response.variants else 1,
        by=by,
        fit=fit,
        remarks=tuple(remarks),
    )
    sending = SendingDefinition(body_time=body_time.distribution) if body_time is not None else None
    share_or_all = share if share < 1 else None
    return replace(response, share=share_or_all, delay=fit.distribution, sending=sending), learned


def _times(outcome: Outcome) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """To the first byte, and to the last, of each answer."""
    return np.asarray(outcome.ttfb_ns, dtype=np.int64), np.asarray(outcome.total_ns, dtype=np.int64)


def _remarks_on_variants(form: _Forming, rows: Sequence[tuple[Key, Answer]]) -> list[str]:
    remarks = []
    distinct = {(form.answers.project(key, form.by), answer) for key, answer in form.outcome.answers}
    if len(rows) == MOST_VARIANTS < len(distinct):
        remarks.append(f"kept the {len(rows):,} most frequent of {len(distinct):,} variants")
    changed = changes_of(form.answers, form.outcome, form.by).described() if form.by else None
    return [*remarks, changed] if changed else remarks


def _latency(
    outcome: Outcome, left_ns: Sequence[int], parent: Parent | None, *, apart: bool
) -> tuple[LatencyFit, list[str]]:
    """The law of the time to the first byte; to the last one where the body counts and has no law `apart`."""
    ttfb_ns, total_ns = _times(outcome)
    if not total_ns.size:
        return fit_latency(np.ones(1, dtype=np.int64)), ["no time of these can be: they are given at once"]
    remarks = []
    transfer_ns = float(np.median(total_ns - ttfb_ns))
    if not apart and transfer_ns > _SLOW_TRANSFER * float(np.median(total_ns)):
        remarks.append("the body's time is part of the delay")
        ttfb_ns = total_ns
    if total_ns.size < FEW_SAMPLES:
        lent = (
            f"the spread around their median is that of {parent.count:,} {parent.name}"
            if parent is not None
            else "nothing longer than these is ever given"
        )
        remarks.append(f"few samples: {total_ns.size}; {lent}")
        return fit_latency(ttfb_ns, parent_shape=parent.shape if parent is not None else None), remarks
    if left_ns:
        remarks.append(f"callers that left: {len(left_ns):,}; they count as having waited at least so long")
    return fit_latency(ttfb_ns, np.asarray(left_ns, dtype=np.int64), tail=True), remarks


def _response(rows: Sequence[tuple[Key, Answer]], form: _Forming) -> ResponseDefinition:
    """The common part, and a template or variants where the answers differ or `by` says who gets this one."""
    answers = [answer for _, answer in rows]
    status = Counter(answer.status for answer in answers).most_common(1)[0][0]
    headers = _common_headers(answers)
    same = len(set(answers)) == 1
    body = _static_body(answers[0], form.file_name) if same else None
    if same and (not form.by or form.is_sole):
        return ResponseDefinition(status, headers, body)
    if form.is_sole:
        echo = _echo(form.answers, form.outcome, named=form.named)
        if echo is not None:
            return ResponseDefinition(status, headers, echo, transformers=("jinja",))
    variants = tuple(
        Variant(
            when=key,
            status=None if answer.status == status else answer.status,
            headers=_other_headers(answer.headers, headers),
            body=None if same else written_body(answer.body) or Body("body", ""),
        )
        for key, answer in sorted(rows, key=lambda row: _natural(row[0]))
    )
    return ResponseDefinition(status, headers, body, Variants(f"{form.file_name}.jsonl", form.by, variants))


def _echo(answers: Answers, outcome: Outcome, *, named: bool) -> Body | None:
    """The template of an outcome's bodies, where they have one status and one set of headers that matter."""
    distinct = {answer for _, answer in outcome.answers}
    told = {
        tuple(pair for pair in answer.headers if not _SAYS_NOTHING.fullmatch(pair[0])) for answer in distinct
    }
    if len({answer.status for answer in distinct}) > 1 or len(told) > 1:
        return None
    pairs = [(sample.view, sample.answer.body) for sample in outcome.samples]
    return find_echo(pairs, answers.operation.template, named=named)


def _static_body(answer: Answer, file_name: str) -> Body | None:
    if len(answer.body) <= _LONGEST_INLINE:
        return written_body(answer.body)
    subtype = (answer.headers.get("content-type") or "").partition(";")[0].rpartition("/")[2]
    extension = _EXTENSIONS.get(subtype.strip().lower(), "bin")
    return Body("bodyFileName", f"{file_name}.{extension}", answer.body)


def _common_headers(answers: Sequence[Answer]) -> Headers:
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


def _most_frequent(rows: Counter[tuple[Key, Answer]]) -> list[tuple[Key, Answer]]:
    frequent = {row for row, _ in rows.most_common(MOST_VARIANTS)}
    return [row for row in rows if row in frequent]


def _natural(key: tuple[str, ...]) -> tuple[tuple[int, int, str], ...]:
    """Numbers by value, then words: the order in which people look things up."""
    return tuple((0, int(part), "") if re.fullmatch(r"\d{1,18}", part) else (1, 0, part) for part in key)
