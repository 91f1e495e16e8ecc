"""A stub's step in a scenario, compiled: which resource's state it looks at, and when it leads on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import orjson

from mockforge.errors import StubFileError
from mockforge.matching.near_miss import state_difference
from mockforge.matching.parameters import ParameterKey, compile_parameters
from mockforge.matching.request import Difference
from mockforge.model.request import RequestView
from mockforge.model.response import RenderedResponse
from mockforge.model.stub import ScenarioStep
from mockforge.state.scenarios import Key, Scenarios

__all__ = ["Step", "compile_step", "elsewhere"]

_OF_ANSWER = "response."
_ERRORS = 400


@dataclass(frozen=True, slots=True)
class Step:
    """A step, and the key of the resource that it is about: from the request, then from the answer.

    Without a key the scenario goes on as the stub is chosen; with one, as it answers, unless that is an
    error: a write that failed changed nothing.
    """

    written: ScenarioStep
    key_of: ParameterKey | None
    members: tuple[tuple[str, ...], ...]

    @property
    def is_keyed(self) -> bool:
        """Whether `answered` is to be told of the answer."""
        return bool(self.written.key)

    def key(self, request: RequestView) -> Key:
        """What of the key the request tells."""
        return self.key_of(request) if self.key_of is not None else ()

    def enter(self, scenarios: Scenarios, request: RequestView) -> bool:
        """Whether the stub may answer."""
        if self.is_keyed:
            return bool(self.members) or scenarios.admits(self.written, self.key(request))
        return scenarios.enter(self.written)

    def answered(self, scenarios: Scenarios, request: RequestView, response: RenderedResponse) -> None:
        """Go on with the resource that was asked for, or that the answer names."""
        if self.written.new is None or response.status >= _ERRORS:
            return
        found = _members(response.body, self.members) if self.members else ()
        if found is not None:
            scenarios.lead(self.written, (*self.key(request), *found))


def _members(body: bytes, members: Sequence[Sequence[str]]) -> Key | None:
    """The members of a JSON body as a key; None where one is missing, or neither a text nor a number."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    key = []
    for member in members:
        found = document
        for name in member:
            found = found.get(name) if isinstance(found, dict) else None
        if not isinstance(found, str | int) or isinstance(found, bool):
            return None
        key.append(str(found))
    return tuple(key)


def elsewhere(
    steps: Iterable[tuple[str, Step]], scenarios: Scenarios, request: RequestView
) -> dict[str, Difference]:
    """By stub: the state that its scenario would have to be in for that request, and is not."""
    return {
        stub: state_difference(step.written, scenarios.state(step.written.scenario, step.key(request)))
        for stub, step in steps
        if not scenarios.admits(step.written, step.key(request))
    }


def compile_step(step: ScenarioStep | None, template: re.Pattern[str] | None) -> Step | None:
    """StubFileError where the key names what the stub's path does not have."""
    if step is None:
        return None
    asked = [name for name in step.key if not name.startswith(_OF_ANSWER)]
    members = tuple(
        tuple(name.removeprefix(_OF_ANSWER).split(".")) for name in step.key if name.startswith(_OF_ANSWER)
    )
    if tuple(asked) != step.key[: len(asked)]:
        raise StubFileError(
            "scenarioKey: what the answer tells comes last", hint="path.id before response.id"
        )
    if members and step.required is not None:
        raise StubFileError(
            "requiredScenarioState needs a key that the request tells",
            hint="response.NAME only leads to a state",
        )
    return Step(step, compile_parameters(asked, template) if asked else None, members)
