"""Resources that writes change, so that the same request is answered differently before and after.

    writes of one resource ─► its state: the last of them ─► samples of each operation by state
     └ creations too, by the member of the answer               └ is it the state's doing?
       that stands in later paths

A resource is what the last parameter of a path names (`/todos/{id}`, and what lies below), or the path
itself where it has none. Its state is its last successful write, which a scenario can express: writes lead
to a state, and what answers differently in it requires it. What answers alike in all states, or changes in
ways that the last write does not tell, stands in no state, and answers in any: no request is ever left
without an answer for the state that its resource is in.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias

from mockforge.learning.answers import Answers, Sample, is_failure
from mockforge.learning.cases import kind_of
from mockforge.learning.volatile import json_of
from mockforge.learning.writes import SAFE_METHODS
from mockforge.matching.parameters import compile_parameters
from mockforge.matching.url import template_regex
from mockforge.model.operation import Operation, is_parameter
from mockforge.model.stub import ScenarioStep

__all__ = ["Resources", "Stateful"]

#: The state that a scenario begins in, as WireMock calls it.
_STARTED = "Started"
#: Of the changes of an operation's answers so much must follow a write, and so many of the conflicts be
#: cleared up by the state, for it to be the state's doing.
_EXPLAINED = 0.9
_CLEARED = 0.5
#: Two states are alike when the same kind of answer makes up nearly as much of both.
_ALIKE = 0.9
#: So many states of an operation have stubs of their own.
_MOST_STATES = 6
#: Of the created resources so many must be asked for later, for a member of the answer to be their id.
_ASKED_LATER = 0.2
_DISTINCT = 0.9

Instance = tuple[str, ...]


class _Write(NamedTuple):
    """A write that has ended: when, and which operation."""

    ended_ns: int
    state: str


class _Told(NamedTuple):
    """A sample, what it is about, and in which state that was."""

    sample: Sample
    instance: Instance
    state: str


#: From a sample to what was asked, and what was answered.
_Naming: TypeAlias = Callable[[_Told], tuple[Hashable, Hashable]]


@dataclass(slots=True)
class _Resource:
    """What lies at a template: who writes it, and when each instance was written."""

    template: str
    parameters: int
    writers: dict[Operation, str] = field(default_factory=dict)
    #: By the operation that creates instances: the member of its answers that names them.
    creators: dict[Operation, tuple[str, ...]] = field(default_factory=dict)
    history: dict[Instance, list[_Write]] = field(default_factory=lambda: defaultdict(list))
    #: The states that some operation's stubs require.
    required: set[str] = field(default_factory=set)

    def state(self, instance: Instance, at_ns: int) -> str:
        """The instance's last write that had ended by then."""
        writes = self.history.get(instance, ())
        last = bisect_right(writes, at_ns, key=lambda write: write.ended_ns)
        return writes[last - 1].state if last else _STARTED

    def written(self, instance: Instance, after_ns: int, upto_ns: int) -> bool:
        """Whether a write ended in that time."""
        writes = self.history.get(instance, ())
        return any(after_ns < write.ended_ns <= upto_ns for write in writes)


@dataclass(frozen=True, slots=True)
class Stateful:
    """The part of an operation's samples that a state explains; `state` None: all the rest, in any state."""

    state: str | None
    answers: Answers


class Resources:
    """The resources of a recording whose states show in its answers."""

    def __init__(self, answers: Mapping[Operation, Answers]) -> None:
        self._found: dict[str, _Resource] = {}
        self._of: dict[Operation, _Resource] = {}
        self._parts: dict[Operation, list[Stateful]] = {}
        self._note_writes(answers)
        for operation, each in answers.items():
            self._of.update(self._deepest(operation))
            self._parts[operation] = self._split(operation, each)
        for operation, parts in self._parts.items():
            states = {part.state for part in parts if part.state is not None}
            if states:
                self._of[operation].required |= states

    def parts(self, operation: Operation) -> list[Stateful]:
        """The operation's samples by state, those of any state last."""
        return self._parts[operation]

    def keeps_state(self, operation: Operation, state: str | None) -> bool:
        """Whether the stubs of that part of the operation require a state or lead to one."""
        own = self._of.get(operation)
        return own is not None and bool(own.required) and (state is not None or operation in own.writers)

    def step(self, operation: Operation, state: str | None, answers: Answers) -> ScenarioStep | None:
        """The place in a scenario of a stub of that operation, which answers so in that state."""
        succeeded = sum(sample.answer.status < 400 for sample in answers.samples)
        writes = succeeded * 2 > len(answers.samples)
        for resource in self._found.values():
            if writes and resource.required and operation in resource.creators:
                members = "response." + ".".join(resource.creators[operation])
                key = (*_key(operation, resource.parameters - 1), members)
                return ScenarioStep(resource.template, None, _led_to(resource, operation), key)
        own = self._of.get(operation)
        if own is None or not self.keeps_state(operation, state):
            return None
        new = _led_to(own, operation) if writes and operation in own.writers else None
        if new is None and state is None:
            return None
        return ScenarioStep(own.template, state, new, _key(operation, own.parameters))

    def _note_writes(self, answers: Mapping[Operation, Answers]) -> None:
        for operation in answers:
            if operation.method not in SAFE_METHODS:
                resource = self._at(_resource_template(operation))
                resource.writers[operation] = f"after {operation.name}"
        for operation, each in answers.items():
            if operation.method == "POST" and self._found[_resource_template(operation)].template == (
                operation.template
            ):
                self._note_creations(operation, each, answers)
        for resource in self._found.values():
            for operation in resource.writers:
                instance_of = _instances(operation, resource.parameters)
                for sample in answers[operation].samples:
                    self._note(resource, instance_of(sample), operation, sample)
            for writes in resource.history.values():
                writes.sort()

    def _note(self, resource: _Resource, instance: Instance, operation: Operation, sample: Sample) -> None:
        if sample.answer.status < 400:
            ended_ns = sample.arrived_ns + sample.total_ns
            resource.history[instance].append(_Write(ended_ns, f"after {operation.name}"))

    def _note_creations(
        self, operation: Operation, created: Answers, answers: Mapping[Operation, Answers]
    ) -> None:
        """Creations of what is then found below the operation's path, by an id that the answer gives."""
        below = [
            other.template
            for other in answers
            if _parent(_resource_template(other)) == operation.template
            and other.template != operation.template
        ]
        made = [sample for sample in created.samples if sample.answer.status < 400]
        if not below or not made:
            return
        resource = self._at(_resource_template(Operation("GET", below[0])))
        known = {
            _instances(other, resource.parameters)(sample)[-1]
            for other, each in answers.items()
            if _resource_template(other) == resource.template
            for sample in each.samples
        }
        member = _id_member([json_of(sample.answer.body) for sample in made], known)
        if member is None:
            return
        resource.creators[operation] = member
        above = _instances(operation, resource.parameters - 1)
        for sample in made:
            value = _looked_up(json_of(sample.answer.body), member)
            if value is not None:
                self._note(resource, (*above(sample), value), operation, sample)

    def _at(self, template: str) -> _Resource:
        return self._found.setdefault(template, _Resource(template, _parameters(template)))

    def _deepest(self, operation: Operation) -> Iterator[tuple[Operation, _Resource]]:
        """The resource that the operation's path lies at or below; of several the deepest."""
        parts = operation.template.split("/")
        for end in range(len(parts), 1, -1):
            resource = self._found.get("/".join(parts[:end]))
            if resource is not None and (resource.parameters or end == len(parts)):
                yield operation, resource
                return

    def _split(self, operation: Operation, answers: Answers) -> list[Stateful]:
        """The samples by the states that explain them; all in one part where none does."""
        whole = [Stateful(None, answers)]
        resource = self._of.get(operation)
        is_safe = operation.method in SAFE_METHODS
        if resource is None or not resource.history or (not is_safe and not resource.parameters):
            return whole
        instance_of = _instances(operation, resource.parameters)
        every = [
            _Told(sample, instance_of(sample), resource.state(instance_of(sample), sample.arrived_ns))
            for sample in sorted(answers.samples, key=lambda each: each.arrived_ns)
        ]
        told = [each for each in every if not is_failure(each.sample.answer.status)]
        if len({each.state for each in told}) < 2:
            return whole
        by_content = is_safe and self._explains(resource, told, _asked_and_content(answers))
        if by_content:
            apart = [state for state, _ in Counter(each.state for each in told).most_common()]
        elif self._explains(resource, told, _instance_and_kind):
            apart = _unlike_the_first(told)
        else:
            return whole
        first = _STARTED if any(each.state == _STARTED for each in every) else _usual(told)
        apart = [state for state in apart if state not in (_STARTED, first)][:_MOST_STATES]
        return _parted(answers, {id(each.sample): each.state for each in every}, apart)

    def _explains(self, resource: _Resource, told: Sequence[_Told], of: _Naming) -> bool:
        """Whether equal requests got different answers, and the state tells most of them apart."""
        groups: dict[Hashable, list[tuple[_Told, Hashable]]] = defaultdict(list)
        for each in told:
            asked, label = of(each)
            groups[asked].append((each, label))
        changes = after_writes = 0
        for group in groups.values():
            for (one, before), (other, after) in pairwise(group):
                if before != after:
                    changes += 1
                    after_writes += resource.written(
                        other.instance, one.sample.arrived_ns, other.sample.arrived_ns
                    )
        if not changes or after_writes < _EXPLAINED * changes:
            return False
        conflicts = sum(len({label for _, label in group}) - 1 for group in groups.values())
        left = sum(
            len({(each.state, label) for each, label in group}) - len({each.state for each, _ in group})
            for group in groups.values()
        )
        return left <= (1 - _CLEARED) * conflicts


def _parted(answers: Answers, states: Mapping[int, str], apart: Sequence[str]) -> list[Stateful]:
    """A part for each of the states that stand apart, and one for the rest, if anything is left for it."""
    inside: dict[str | None, list[Sample]] = defaultdict(list)
    for sample in answers.samples:
        state = states[id(sample)]
        inside[state if state in apart else None].append(sample)
    ordered = [*(state for state in apart if state in inside), None]
    return [Stateful(state, answers.only(inside[state])) for state in ordered if inside[state]]


def _usual(told: Sequence[_Told]) -> str:
    """The state in which the operation succeeds most: what any state answers where the first was not seen."""
    succeeded = Counter(each.state for each in told if each.sample.answer.status < 400)
    return (succeeded or Counter(each.state for each in told)).most_common(1)[0][0]


def _unlike_the_first(told: Sequence[_Told]) -> list[str]:
    """The states whose answers are of another kind than at first, the most frequent first."""
    kinds: dict[str, Counter[Hashable]] = defaultdict(Counter)
    for each in told:
        kinds[each.state][kind_of(each.sample.answer)] += 1
    first = kinds[_STARTED]
    usual = first.most_common(1)[0][0] if first else None
    at_first = first[usual] / max(first.total(), 1)
    shares = {state: counted[usual] / counted.total() for state, counted in kinds.items() if counted}
    unlike = [
        state
        for state, share in shares.items()
        if usual is None or min(share, at_first) < _ALIKE * max(share, at_first)
    ]
    return sorted(unlike, key=lambda state: (-kinds[state].total(), state))


def _instance_and_kind(told: _Told) -> tuple[Hashable, Hashable]:
    return told.instance, kind_of(told.sample.answer)


def _asked_and_content(answers: Answers) -> _Naming:
    return lambda told: (answers.asked(told.sample), answers.steady(told.sample.answer))


def _led_to(resource: _Resource, operation: Operation) -> str:
    """The state after that write: the first one again where nothing requires its own."""
    state = f"after {operation.name}"
    return state if state in resource.required else _STARTED


def _resource_template(operation: Operation) -> str:
    """The path up to its last parameter; the whole of it where it has none."""
    parts = operation.template.split("/")
    last = max((number for number, part in enumerate(parts) if is_parameter(part)), default=len(parts) - 1)
    return "/".join(parts[: last + 1])


def _parent(template: str) -> str:
    return template.rpartition("/")[0]


def _parameters(template: str) -> int:
    return sum(map(is_parameter, template.split("/")))


def _key(operation: Operation, parameters: int) -> tuple[str, ...]:
    return tuple(f"path.{name}" for name in operation.parameters[:parameters])


def _instances(operation: Operation, parameters: int) -> Callable[[Sample], Instance]:
    """Which instance of a resource with so many parameters a sample of the operation is about."""
    key_of = compile_parameters(_key(operation, parameters), template_regex(operation.template))
    return lambda sample: key_of(sample.view)


def _id_member(created: Sequence[Any], known: set[str]) -> tuple[str, ...] | None:
    """The member of the answers whose values are asked for later, and hardly ever repeat: `id`, `data.id`."""
    best, most = None, 0
    for member in _members(created[0]):
        values = [value for each in created if (value := _looked_up(each, member)) is not None]
        later = sum(value in known for value in values)
        differ = len(set(values)) >= _DISTINCT * len(created)
        if differ and later > most and later >= _ASKED_LATER * len(created):
            best, most = member, later
    return best


def _members(document: Any) -> Iterator[tuple[str, ...]]:
    for name, value in document.items() if isinstance(document, dict) else ():
        if isinstance(value, dict):
            yield from ((name, inner) for inner in value if "." not in inner)
        elif "." not in name:
            yield (name,)


def _looked_up(document: Any, member: Sequence[str]) -> str | None:
    for name in member:
        document = document.get(name) if isinstance(document, dict) else None
    is_id = isinstance(document, str | int) and not isinstance(document, bool) and document != ""
    return str(document) if is_id else None
