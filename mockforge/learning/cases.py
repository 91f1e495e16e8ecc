"""Cases of an operation: requests that are answered differently, and what tells them apart.

A small decision list: of all conditions that a pattern can hold, the one that explains most of the
difference becomes a case of its own, and so on with the rest. A condition must be significant (a G-test,
corrected for the number of conditions tried) and clear up a few errors at least, so that what is only
chance (503 under load) makes no case.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from mockforge.learning.answers import Answer, Answers, Sample
from mockforge.learning.conditions import Condition, condition_candidates, path_candidates
from mockforge.learning.volatile import json_of
from mockforge.model.request import RequestView

__all__ = ["Case", "by_content", "by_kind", "kind_of", "levels"]

#: From so many samples on an operation is looked at.
_LEAST_SAMPLES = 20
#: So many answers at least must be explained by a condition that were not before.
_LEAST_EXPLAINED = 2
#: The search looks at so many samples of an operation, evenly chosen.
_MOST_SEARCHED = 3_000
_MOST_FIELDS = 4
_MOST_CONTENTS = 20
_DEEPEST = 2
#: Of an operation's answers this share at least must differ within keys for their content to be looked at.
_LEAST_CONFLICT = 0.02


@dataclass(frozen=True, slots=True)
class Case:
    """The samples that meet the conditions, and none of the cases that stand before in the list.

    `state`: the one of the resource that they were answered in, where that tells them apart.
    """

    conditions: tuple[Condition, ...]
    answers: Answers
    state: str | None = None

    @property
    def words(self) -> str:
        """`format=csv, Accept: text/csv`; empty for the last case, which takes the rest."""
        return ", ".join(condition.words for condition in self.conditions)


@dataclass(frozen=True, slots=True)
class _Labelled:
    sample: Sample
    group: Hashable
    label: Hashable


def by_kind(answers: Answers, *, digits: bool) -> list[Case]:
    """Cases that differ in status, or in the names of the JSON members; the last one takes the rest.

    `digits`: conditions on the number of digits of path parameters may be used.
    """
    labelled = [_Labelled(sample, (), kind_of(sample.answer)) for sample in answers.samples]
    views = _views(labelled)
    candidates = condition_candidates(views)
    candidates = [each for each in candidates if each.field.removeprefix("query.") not in answers.busters]
    paths = path_candidates(views, answers.operation.template)
    candidates += [each for each in paths if digits or not each.exact]
    return _cases(answers, labelled, candidates)


def by_content(answers: Answers) -> list[Case]:
    """Cases that differ in content where path and query are the same; the last one takes the rest."""
    by = next((by for name, by in answers.choosers().items() if name == "success"), ())
    names = tuple(name for name in by if name != "body")
    labelled = [
        _Labelled(sample, answers.key_of(sample, names), answers.volatile.steady(sample.answer.body))
        for sample in answers.samples
        if sample.answer.status < 400
    ]
    contents: dict[Hashable, set[Hashable]] = defaultdict(set)
    for each in labelled:
        contents[each.group].add(each.label)
    conflicting = sum(len(some) > 1 for some in contents.values())
    most = max(map(len, contents.values()), default=0)
    if conflicting < _LEAST_CONFLICT * max(len(contents), 1) or not 1 < most <= _MOST_CONTENTS:
        return [Case((), answers)]
    return _cases(answers, labelled, condition_candidates(_views(labelled), query=False))


def levels(cases: Sequence[Case]) -> list[int]:
    """By how much each case must go before the last: 0 for the last; only cases that may overlap differ."""
    found: list[int] = []
    for case in reversed(cases):
        later = [
            level
            for other, level in zip(reversed(cases), found, strict=False)
            if not any(a.excludes(b) for a in case.conditions for b in other.conditions)
        ]
        found.append(1 + max(later, default=-1))
    return found[::-1]


def _cases(answers: Answers, labelled: Sequence[_Labelled], candidates: Sequence[Condition]) -> list[Case]:
    if len(labelled) < _LEAST_SAMPLES or len({each.label for each in labelled}) < 2 or not candidates:
        return [Case((), answers)]
    step = -(-len(labelled) // _MOST_SEARCHED)
    chains = _split(labelled[::step], [(each, _Test(each)) for each in candidates], (), set())
    if len(chains) == 1:
        return [Case((), answers)]
    left, cases = answers.samples, []
    for chain in chains:
        tests = [_Test(condition) for condition in chain]
        inside = [sample for sample in left if all(test.of(sample.view) for test in tests)]
        left = [sample for sample in left if not all(test.of(sample.view) for test in tests)]
        if inside:
            cases.append(Case(chain, answers.only(inside)))
    return cases


def _split(
    labelled: Sequence[_Labelled],
    candidates: Sequence[tuple[Condition, _Test]],
    chain: tuple[Condition, ...],
    fields: set[str],
) -> list[tuple[Condition, ...]]:
    """The chains of conditions, those that go before first; the last is the given one."""
    chains: list[tuple[Condition, ...]] = []
    while True:
        usable = [
            (condition, test)
            for condition, test in candidates
            if (len(fields) < _MOST_FIELDS or condition.field in fields)
        ]
        best = _best(labelled, usable)
        if best is None:
            return [*chains, chain]
        condition, test = best
        fields.add(condition.field)
        inside = [each for each in labelled if test.of(each.sample.view)]
        labelled = [each for each in labelled if not test.of(each.sample.view)]
        longer = (*chain, condition)
        chains += _split(inside, candidates, longer, fields) if len(longer) < _DEEPEST else [longer]


def _best(
    labelled: Sequence[_Labelled], candidates: Sequence[tuple[Condition, _Test]]
) -> tuple[Condition, _Test] | None:
    """The condition that explains most, of equals the rarer and then the plainer one; None if none does."""
    if len(labelled) < _LEAST_SAMPLES or len({each.label for each in labelled}) < 2:
        return None
    wrong, entropy = _disorder(labelled, [False] * len(labelled))
    best, most = None, (0, 0.0, 0)
    for condition, test in candidates:
        mask = [test.of(each.sample.view) for each in labelled]
        if not any(mask) or all(mask):
            continue
        still_wrong, still = _disorder(labelled, mask)
        gained = (wrong - still_wrong, round(entropy - still, 6), -sum(mask))
        is_more = gained[0] >= _LEAST_EXPLAINED and gained > most
        if is_more and _significant(labelled, mask, 2 * (entropy - still), len(candidates)):
            best, most = (condition, test), gained
    return best


def _disorder(labelled: Sequence[_Labelled], mask: Sequence[bool]) -> tuple[int, float]:
    """How many labels are not their part's most frequent one, and the labels' entropy in nats, times n."""
    parts: dict[Hashable, Counter[Hashable]] = defaultdict(Counter)
    for each, inside in zip(labelled, mask, strict=True):
        parts[each.group, inside][each.label] += 1
    wrong, entropy = 0, 0.0
    for counts in parts.values():
        total = counts.total()
        wrong += total - max(counts.values())
        entropy += total * math.log(total) - sum(count * math.log(count) for count in counts.values())
    return wrong, entropy


def _significant(labelled: Sequence[_Labelled], mask: Sequence[bool], g: float, tried: int) -> bool:
    """A G-test against independence, four standard deviations and Bonferroni's correction above its mean."""
    labels: dict[Hashable, set[Hashable]] = defaultdict(set)
    sides: dict[Hashable, set[bool]] = defaultdict(set)
    for each, inside in zip(labelled, mask, strict=True):
        labels[each.group].add(each.label)
        sides[each.group].add(inside)
    freedom = sum(len(labels[group]) - 1 for group in labels if len(sides[group]) == 2)
    return g > freedom + 4 * math.sqrt(2 * freedom) + 2 * math.log(tried)


class _Test:
    """A condition's test, remembered for each request."""

    def __init__(self, condition: Condition) -> None:
        self._holds = condition.holds
        self._known: dict[int, bool] = {}

    def of(self, view: RequestView) -> bool:
        known = self._known.get(id(view))
        if known is None:
            known = self._known[id(view)] = self._holds(view)
        return known


def _views(labelled: Sequence[_Labelled]) -> list[RequestView]:
    step = -(-len(labelled) // _MOST_SEARCHED) or 1
    return list({id(each.sample.view): each.sample.view for each in labelled[::step]}.values())


def kind_of(answer: Answer) -> Hashable:
    """The status, the kind of content, and of JSON the names of the members, two levels down."""
    content = (answer.headers.get("content-type") or "").partition(";")[0].strip().lower()
    return answer.status, content, _members(json_of(answer.body), 2)


def _members(value: Any, depth: int) -> Hashable:
    if isinstance(value, dict) and depth:
        return tuple(sorted((name, _members(each, depth - 1)) for name, each in value.items()))
    return ("list",) if isinstance(value, list) else ("object",) if isinstance(value, dict) else ()
