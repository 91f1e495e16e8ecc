"""Scenarios: which state each one is in, and which stub may answer in it.

One event loop owns them: checking a state and advancing it is one call, so two requests never win the same
transition.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mockforge.errors import StubFileError
from mockforge.model.stub import ScenarioStep

__all__ = ["STARTED", "ScenarioView", "Scenarios", "UnknownScenarioError", "UnknownStateError"]

#: The state that every scenario begins in.
STARTED = "Started"


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
    """The states of a service's scenarios; they outlive an edit of the stubs that keeps them."""

    def __init__(self) -> None:
        self._states: dict[str, str] = {}
        self._possible: dict[str, tuple[str, ...]] = {}

    def declare(self, steps: Iterable[ScenarioStep]) -> None:
        """Tell which scenarios there are: new ones start, those that are gone are forgotten."""
        possible: dict[str, set[str]] = {}
        for step in steps:
            states = possible.setdefault(step.scenario, {STARTED})
            states.update(state for state in (step.required, step.new) if state is not None)
        self._possible = {name: tuple(sorted(states)) for name, states in possible.items()}
        self._states = {name: self._states.get(name, STARTED) for name in possible}

    def enter(self, step: ScenarioStep) -> bool:
        """Whether a stub may answer now; where it may, its scenario goes on to the new state."""
        if not self.admits(step):
            return False
        if step.new is not None:
            self._states[step.scenario] = step.new
        return True

    def admits(self, step: ScenarioStep) -> bool:
        """Whether the scenario is in the state that the step requires."""
        return step.required is None or self._states.get(step.scenario, STARTED) == step.required

    def state(self, name: str) -> str:
        """The state that a scenario is in."""
        return self._states.get(name, STARTED)

    def listing(self) -> list[ScenarioView]:
        """Every scenario, by name."""
        return [
            ScenarioView(name, self.state(name), possible)
            for name, possible in sorted(self._possible.items())
        ]

    def reset(self) -> None:
        """Every scenario back to `Started`."""
        self._states = dict.fromkeys(self._states, STARTED)

    def set_state(self, name: str, state: str) -> None:
        """Put a scenario into a state; UnknownScenarioError, UnknownStateError where there is none such."""
        possible = self._known(name)
        if state not in possible:
            raise UnknownStateError(
                f"Scenario {name} does not support state {state}", hint=f"known: {', '.join(possible)}"
            )
        self._states[name] = state

    def reset_one(self, name: str) -> None:
        """One scenario back to `Started`; UnknownScenarioError where there is none such."""
        self._known(name)
        self._states[name] = STARTED

    def _known(self, name: str) -> tuple[str, ...]:
        possible = self._possible.get(name)
        if possible is None:
            hint = f"known: {', '.join(self._possible)}" if self._possible else "no stub has a scenario"
            raise UnknownScenarioError(f"Scenario {name} does not exist", hint=hint)
        return possible

    def states(self) -> Mapping[str, str]:
        """The state of every scenario by its name."""
        return dict(self._states)
