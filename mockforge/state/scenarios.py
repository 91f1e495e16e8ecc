"""Scenarios: which state each one is in, and which stub may answer in it.

One event loop owns them: checking a state and advancing it is one call, so two requests never win the same
transition.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mockforge.errors import StubFileError
from mockforge.model.stub import ScenarioStep

__all__ = [
    "MOST_RESOURCES",
    "STARTED",
    "ScenarioView",
    "Scenarios",
    "UnknownScenarioError",
    "UnknownStateError",
]

#: The state that every scenario begins in.
STARTED = "Started"
#: So many resources have a state of their own; beyond, the one that was left alone longest starts over.
MOST_RESOURCES = 100_000

Key = tuple[str, ...]


class UnknownScenarioError(StubFileError):
    """No stub belongs to a scenario of that name."""


class UnknownStateError(StubFileError):
    """No stub of the scenario requires that state or leads to it."""


@dataclass(frozen=True, slots=True)
class ScenarioView:
    """One scenario: the state it is in, and those that it can be in, sorted."""

    name: str
    state: str
    possible_states: tuple[str, ...]


class Scenarios:
    """The states of a service's scenarios; they outlive an edit of the stubs that keeps them.

    A scenario with keys has a state for each of them; those that have none yet are in the scenario's own.
    """

    def __init__(self) -> None:
        self._states: dict[str, str] = {}
        self._of_key: OrderedDict[tuple[str, Key], str] = OrderedDict()
        self._possible: dict[str, tuple[str, ...]] = {}

    def declare(self, steps: Iterable[ScenarioStep]) -> None:
        """Tell which scenarios there are: new ones start, those that are gone are forgotten."""
        possible: dict[str, set[str]] = {}
        for step in steps:
            states = possible.setdefault(step.scenario, {STARTED})
            states.update(state for state in (step.required, step.new) if state is not None)
        self._possible = {name: tuple(sorted(states)) for name, states in possible.items()}
        self._states = {name: self._states.get(name, STARTED) for name in possible}
        for whose in [whose for whose in self._of_key if whose[0] not in possible]:
            del self._of_key[whose]

    def enter(self, step: ScenarioStep, key: Key = ()) -> bool:
        """Whether a stub may answer now; where it may, its scenario goes on to the new state."""
        if not self.admits(step, key):
            return False
        self.lead(step, key)
        return True

    def admits(self, step: ScenarioStep, key: Key = ()) -> bool:
        """Whether the scenario is in the state that the step requires."""
        return step.required is None or self.state(step.scenario, key) == step.required

    def lead(self, step: ScenarioStep, key: Key = ()) -> None:
        """On to the step's new state, if it has one."""
        if step.new is None:
            return
        if not key:
            self._states[step.scenario] = step.new
            return
        self._of_key[step.scenario, key] = step.new
        self._of_key.move_to_end((step.scenario, key))
        if len(self._of_key) > MOST_RESOURCES:
            self._of_key.popitem(last=False)

    def state(self, name: str, key: Key = ()) -> str:
        """The state that a scenario is in, for that key."""
        state = self._of_key.get((name, key)) if key else None
        return self._states.get(name, STARTED) if state is None else state

    def knows(self, name: str) -> bool:
        """Whether a stub belongs to a scenario of that name."""
        return name in self._possible

    def listing(self) -> list[ScenarioView]:
        """Every scenario, by name."""
        return [
            ScenarioView(name, self.state(name), possible)
            for name, possible in sorted(self._possible.items())
        ]

    def reset(self) -> None:
        """Every scenario back to `Started`."""
        self._states = dict.fromkeys(self._states, STARTED)
        self._of_key.clear()

    def set_state(self, name: str, state: str) -> None:
        """Put a scenario into a state; UnknownScenarioError, UnknownStateError where there is none such."""
        possible = self._known(name)
        if state not in possible:
            raise UnknownStateError(
                f"Scenario {name} does not support state {state}", hint=f"known: {', '.join(possible)}"
            )
        self._put_all(name, state)

    def reset_one(self, name: str) -> None:
        """One scenario back to `Started`; UnknownScenarioError where there is none such."""
        self._known(name)
        self._put_all(name, STARTED)

    def _put_all(self, name: str, state: str) -> None:
        """The scenario with all its keys."""
        self._states[name] = state
        for whose in [whose for whose in self._of_key if whose[0] == name]:
            del self._of_key[whose]

    def _known(self, name: str) -> tuple[str, ...]:
        possible = self._possible.get(name)
        if possible is None:
            hint = f"known: {', '.join(self._possible)}" if self._possible else "no stub has a scenario"
            raise UnknownScenarioError(f"Scenario {name} does not exist", hint=hint)
        return possible

    def states(self) -> Mapping[str, str]:
        """The state of every scenario by its name."""
        return dict(self._states)
