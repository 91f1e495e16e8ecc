"""From a recording's exchanges to a virtual service, and an account of what was learned how well."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl

from mockforge.learning.answers import Answers, Sample
from mockforge.learning.cases import Case, by_content, by_kind, levels
from mockforge.learning.conditions import Condition, with_conditions
from mockforge.learning.fingerprints import stamped
from mockforge.learning.graphql import graphql_operation
from mockforge.learning.latency import FEW_SAMPLES, LatencyFit, supported
from mockforge.learning.openapi import ApiDescription
from mockforge.learning.openapi_answers import AnswerCheck
from mockforge.learning.operations import Operations, path_of
from mockforge.learning.performance import Performance
from mockforge.learning.pooling import Parents
from mockforge.learning.resources import Resources
from mockforge.learning.responses import LearnedOutcome, is_plain, learn_responses
from mockforge.learning.soundness import Soundness, has_possible_times
from mockforge.learning.volatile import Volatile
from mockforge.learning.writes import Writes
from mockforge.matching.url import template_regex
from mockforge.model.exchange import Exchange, Response
from mockforge.model.operation import Operation
from mockforge.model.service import Service
from mockforge.model.stub import RequestPattern, ResponseDefinition, ScenarioStep, Stub, UrlPattern

__all__ = ["Learned", "Learner"]

#: So many query parameters of an operation, the most frequent ones, may choose among its answers: a client
#: that writes values where names belong (`?1699999999`) is not followed.
_MOST_QUERY_NAMES = 16
_LONGEST_FILE_NAME = 100
#: So many answers of a backend that was full are looked at for what it says then.
_MOST_REFUSALS = 1_000
_LONGEST_NAME = 120
#: So many requests that no stub can spell are told of.
_MOST_TOLD = 5
#: A path template that a stub file may hold.
_SPEAKABLE = re.compile(r"/\S*")
#: The priority of a stub that nothing else overlaps; steps between overlapping ones leave room for cases.
_PRIORITY = 5


@dataclass(frozen=True, slots=True)
class Learned:
    """A learned service.

    `comments` holds, by stub name, where the stub came from, and `volatile` what of its answers is of their
    moment. `remarks` are about the recording as a whole.
    """

    service: Service
    outcomes: tuple[LearnedOutcome, ...]
    comments: Mapping[str, list[str]]
    incomplete: Mapping[str, int]
    volatile: Mapping[str, Volatile]
    remarks: tuple[str, ...] = ()


class Learner:
    """Gathers exchanges, one at a time, and learns a service from them.

    `requests` are the (method, target) pairs of the whole recording: what is an operation shows only in all.
    An `api` description wins over what they suggest. `performance` numbers the exchanges whose times can be.
    """

    def __init__(
        self,
        requests: Sequence[tuple[str, str]],
        api: ApiDescription | None = None,
        performance: Performance | None = None,
    ) -> None:
        self._api = api
        self._described = None if api is None else AnswerCheck(api)
        self._performance = performance
        self._taken = 0
        self._refusals: list[Response] = []
        self._soundness = Soundness()
        self._unspeakable: Counter[str] = Counter()
        self._switched: Counter[Operation] = Counter()
        self._late: list[Response] = []
        if api is not None:
            self._operations = Operations.find(requests, api.template_of)
        else:
            self._operations = Operations.find(requests)
        self._writes = Writes()
        names: dict[Operation, Counter[str]] = defaultdict(Counter)
        for method, target in set(requests):
            query = parse_qsl(target.partition("?")[2], keep_blank_values=True)
            names[self._operations.of(method, target)].update({name for name, _ in query if name})
        self._answers = {
            operation: Answers(operation, _most_frequent(names[operation]), self._writes)
            for operation in self._operations.all
        }

    def add(self, exchange: Exchange) -> None:
        """Take in one exchange; those of the whole recording, in its order where its performance is given."""
        request, response = exchange.request, exchange.response
        self._soundness.add(exchange)
        if self._described is not None and response is not None:
            self._described.add(self._operations.of(request.method, request.target), response)
        if self._performance is not None and has_possible_times(exchange):
            alone = self._performance.unloaded(self._taken, exchange)
            late = bool(self._performance.timed_out[self._taken])
            self._taken += 1
            if late and alone is not None:  # its answer was the limit's; what it asked for is in the law
                self._answers[self._operations.of(request.method, request.target)].left(alone)
            if late or alone is None:
                seen = self._late if late else self._refusals
                if response is not None and len(seen) < _MOST_REFUSALS:
                    seen.append(response)
                return
            exchange = alone
        operation = self._operations.of(request.method, request.target)
        if path_of(request.target)[:1] != "/" or not _SPEAKABLE.fullmatch(operation.template):
            self._unspeakable[f"{request.method} {request.target}"] += 1
            return
        if response is not None and response.status < 200:
            self._switched[operation] += 1
            return
        if response is not None and response.status < 400:
            self._writes.add(request.method, request.target, exchange.arrived_ns)
        self._answers[operation].add(exchange)

    def add_all(self, exchanges: Iterable[Exchange]) -> None:
        """Take in all of them."""
        for exchange in exchanges:
            self.add(exchange)

    def learn(self, name: str, upstream: str | None, source: str) -> Learned:
        """The service `name`; `source` says in the stubs' comments where they came from."""
        naming = _Naming()
        whole = _Whole(naming, Resources(self._answers), Parents(self._answers))
        stubs: list[Stub] = []
        outcomes: list[LearnedOutcome] = []
        comments: dict[str, list[str]] = {}
        volatile: dict[str, Volatile] = {}
        found = [each for operation in self._answers for each in self._stubs(operation, whole)]
        # Priorities say which stub wins, so they may stand as their files do: by name.
        for stub, learned, case in sorted(found, key=lambda each: naming.file_of(each[0].name)):
            comments[stub.name] = _comments(source, case, learned, stub.scenario)
            volatile[stub.name] = case.answers.volatile
            stubs.append(stamped(stub, comments[stub.name]))
            outcomes += learned
        incomplete: Counter[str] = Counter()
        for answers in self._answers.values():
            incomplete.update(answers.incomplete)
        service = Service(name, tuple(stubs), upstream)
        if self._performance is not None:
            service = replace(
                service,
                capacity=self._performance.capacity(self._refusals, self._late),
                slow_spells=self._performance.slow_spells,
            )
        return Learned(service, tuple(outcomes), comments, incomplete, volatile, tuple(self._remarks()))

    def _stubs(
        self, operation: Operation, whole: _Whole
    ) -> Iterator[tuple[Stub, list[LearnedOutcome], Case]]:
        """The stubs of an operation: one, or one for each of its cases."""
        cases = [
            Case(_of_state(part.state) + case.conditions, case.answers, part.state)
            for part in whole.resources.parts(operation)
            for case in _cases(part.answers)
        ]
        base = self._api.name_of(operation) if self._api else operation.name
        priority = _PRIORITY * (1 + self._shadows(operation))
        for case, level in zip(cases, levels(cases), strict=True):
            name, file_name = whole.naming.take(_named(base, case.conditions))
            request = with_conditions(_pattern(operation), case.conditions)
            named = request.url is not None and request.url.kind == "urlPathTemplate"
            parent = whole.parents.of(operation)
            parts = learn_responses(name, case.answers, file_name, named=named, parent=parent)
            if parts:
                responses = tuple(self._with_offset(response) for response, _ in parts)
                step = whole.resources.step(operation, case.state, case.answers)
                stub = Stub(name, request, responses, priority=max(1, priority - level), scenario=step)
                yield stub, [outcome for _, outcome in parts], case

    def _with_offset(self, response: ResponseDefinition) -> ResponseDefinition:
        """What does not queue comes after the station, beside the law of what does."""
        offset_ms = self._performance.offset_ms if self._performance is not None else 0.0
        return replace(response, fixed_delay_ms=offset_ms) if offset_ms else response

    def _shadows(self, operation: Operation) -> int:
        """By how much this operation must yield: 0 unless its template also matches a more literal one."""
        template = template_regex(operation.template)
        covers = any(
            other.method == operation.method and template.fullmatch(other.template)
            for other in self._operations.all
            if other != operation and len(other.parameters) < len(operation.parameters)
        )
        return len(operation.parameters) if covers else 0

    def _remarks(self) -> Iterator[str]:
        yield from self._soundness.sentences()
        for asked, times in sorted(self._unspeakable.items())[:_MOST_TOLD]:
            yield f"{asked!r} is left out ({times:,} times): no stub can spell such a path"
        for operation, times in self._switched.items():
            yield f"{operation.name}: left HTTP {times:,} times, for WebSocket or the like: no stub can"
        if self._api is not None:
            for path in self._api.refused:
                yield f"OpenAPI: {path} cannot be a path template: a parameter fills a whole segment"
            for operation in self._operations.all:
                if not self._api.covers(operation):
                    times = len(self._answers[operation].samples)
                    yield f"OpenAPI: {operation.name} is not described (exchanges: {times:,})"
        if self._described is not None:
            yield from self._described.remarks()
        for operation, answers in self._answers.items():
            if answers.omitted:
                yield f"{operation.name}: bodies too large to be kept, learned as empty: {answers.omitted:,}"


def _pattern(operation: Operation) -> RequestPattern:
    kind = "urlPathTemplate" if operation.parameters else "urlPath"
    return RequestPattern(operation.method, UrlPattern(kind, operation.template))


def _cases(answers: Answers) -> list[Case]:
    """All cases of an operation, in the order in which they are tried."""
    cases: list[Case] = []
    for graphql in _by_graphql(answers):
        kinds = by_kind(graphql.answers, digits=True)
        if any(_by_digits(case) and not is_plain(case.answers) for case in kinds):
            kinds = by_kind(graphql.answers, digits=False)
        for kind in kinds:
            contents = [kind] if is_plain(kind.answers) else by_content(kind.answers)
            outer = graphql.conditions + (kind.conditions if kind.answers is not graphql.answers else ())
            cases += [Case(outer + _own(case, kind), case.answers) for case in contents]
    return cases


def _of_state(state: str | None) -> tuple[Condition, ...]:
    """A state as a condition: no part of the request's pattern, but of the stub's name."""
    return () if state is None else (Condition("state", state, RequestPattern()),)


def _own(case: Case, kind: Case) -> tuple[Condition, ...]:
    """The conditions that a case adds to the one that it was cut from."""
    return () if case is kind else case.conditions


def _by_digits(case: Case) -> bool:
    return any(condition.pattern.path and condition.exact for condition in case.conditions)


def _by_graphql(answers: Answers) -> list[Case]:
    """A case for each GraphQL operation, and one for what is none."""
    if answers.operation.method != "POST":
        return [Case((), answers)]
    parts: dict[str, tuple[tuple[Condition, ...], list[Sample]]] = {}
    for sample in answers.samples:
        condition = graphql_operation(sample.view)
        key = str(condition.pattern.body) if condition else ""
        parts.setdefault(key, ((condition,) if condition else (), []))[1].append(sample)
    if not any(key for key in parts):
        return [Case((), answers)]
    ordered = sorted(parts.items(), key=lambda part: (not part[0], part[0]))
    return [Case(conditions, answers.only(samples)) for _, (conditions, samples) in ordered]


def _named(base: str, conditions: Sequence[Condition]) -> str:
    """`GET /report: format=csv`, `POST /graphql GetOrder`."""
    graphql = [each.words for each in conditions if each.field == "graphql"]
    others = [each.words for each in conditions if each.field != "graphql"]
    name = " ".join([base, *graphql]) + (f": {', '.join(others)}" if others else "")
    name = "".join(letter if letter.isprintable() else "?" for letter in name)
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"


class _Naming:
    """Names of stubs and of their files; no two are alike, those of files neither in upper nor lower case."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._files: set[str] = set()

    def file_of(self, name: str) -> str:
        """The file of the stub of that name, without its ending."""
        return self._names[name]

    def take(self, wanted: str) -> tuple[str, str]:
        """A stub's name, and a file's without its ending."""
        name, number = wanted, 2
        while name in self._names:
            name, number = f"{wanted} ({number})", number + 1
        slug = re.sub(r"[^a-z0-9]+", "-", wanted.lower())[:_LONGEST_FILE_NAME].strip("-") or "root"
        file, number = slug, 2
        while file in self._files:
            file, number = f"{slug}-{number}", number + 1
        self._files.add(file)
        self._names[name] = file
        return name, file


@dataclass(frozen=True, slots=True)
class _Whole:
    """What shows only in all operations together."""

    naming: _Naming
    resources: Resources
    parents: Parents


def _comments(
    source: str, case: Case, outcomes: Sequence[LearnedOutcome], step: ScenarioStep | None
) -> list[str]:
    answers = case.answers
    count = len(answers.samples)
    exchanges = f"{count:,} exchange" + ("s" if count != 1 else "")
    lines = [f"learned from {source}: {exchanges}, {_span(answers.samples)}"]
    if case.conditions:
        lines.append(f"told apart by: {case.words}")
    if step is not None:
        whose = f"each {step.scenario} has its own" if step.key else f"that of {step.scenario}"
        lines.append(f"state: {whose}, and it is the last successful write; earlier ones do not count")
    lines += [f"query: {text}" for text in _query(answers)]
    for outcome in outcomes:
        fit = outcome.fit
        off = f"; the table is {fit.error:.1%} of the mean off" if fit.count >= FEW_SAMPLES else ""
        counted = f"{fit.count:,} sample" + ("s" if fit.count != 1 else "")
        lines.append(f"{outcome.outcome}: {counted}, {_quantiles(fit)}{off}")
        if outcome.form == "template":
            lines.append(
                f"{outcome.outcome}: the body gives back what was asked; checked against the recording"
            )
        lines += [f"{outcome.outcome}: {remark}" for remark in outcome.remarks]
    return [line if line.isprintable() else repr(line)[1:-1] for line in lines]


def _quantiles(fit: LatencyFit) -> str:
    """`p50 9.8 ms, p95 22 ms, p99 not supported`: what the sample says nothing of is not claimed."""
    told = [
        f"{name} {value:.3g} ms"
        for name, probability, value in fit.levels()
        if supported(probability, fit.count)
    ]
    untold = [name for name, probability, _ in fit.levels() if not supported(probability, fit.count)]
    return ", ".join([*told, *([f"{' and '.join(untold)} not supported"] if untold else [])])


def _span(samples: Sequence[Sample]) -> str:
    """`0.1 s to 59.8 s into the recording`."""
    first, last = min(each.arrived_ns for each in samples), max(each.arrived_ns for each in samples)
    return f"{first / 1e9:.1f} s to {last / 1e9:.1f} s into the recording"


def _query(answers: Answers) -> Iterator[str]:
    """What is left out of patterns and keys, and why."""
    if answers.busters:
        yield f"{', '.join(sorted(answers.busters))} only keeps caches away; left out"
    if answers.ignored:
        yield f"no answer depends on {', '.join(answers.ignored)}; left out"


def _most_frequent(names: Counter[str]) -> list[str]:
    kept = sorted(names, key=lambda name: (-names[name], name))[:_MOST_QUERY_NAMES]
    return sorted(kept)
