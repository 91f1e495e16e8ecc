"""What a service remembers between requests: its scenarios, its counters, and its seeded generator."""

from __future__ import annotations

from collections import OrderedDict
from random import Random

from mockforge.state.scenarios import Scenarios

__all__ = ["MOST_COUNTERS", "ServiceMemory"]

#: So many counters are kept; beyond, the one that was left alone longest begins anew.
MOST_COUNTERS = 100_000


class ServiceMemory:
    """The `Memory` of templates. Counters outlive an edit of the stubs, as scenarios do."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.scenarios = Scenarios()
        self._answers: dict[str, int] = {}
        self._counters: OrderedDict[str, int] = OrderedDict()

    def of(self, random: Random) -> ServiceMemory:
        """The same memory, with another generator."""
        other = object.__new__(ServiceMemory)
        other.random, other.scenarios = random, self.scenarios
        other._answers, other._counters = self._answers, self._counters
        return other

    def state(self, scenario: str, key: tuple[str, ...]) -> str:
        """The state that a scenario is in, for that key; ValueError where there is no such scenario."""
        if not self.scenarios.knows(scenario):
            known = [view.name for view in self.scenarios.listing()]
            hint = f"known: {', '.join(known)}" if known else "no stub has a scenario"
            raise ValueError(f"there is no scenario {scenario!r}; {hint}")
        return self.scenarios.state(scenario, key)

    def next_number(self, counter: str, start: int) -> int:
        """The number of a counter, which begins at `start` and goes on with each call."""
        number = self._counters.get(counter, start)
        self._counters[counter] = number + 1
        self._counters.move_to_end(counter)
        if len(self._counters) > MOST_COUNTERS:
            self._counters.popitem(last=False)
        return number

    def answers(self, stub: str) -> int:
        """How many requests a stub has answered, with the one that it is about to answer."""
        count = self._answers.get(stub, 0) + 1
        self._answers[stub] = count
        return count

    def reset(self) -> None:
        """Scenarios back to their beginnings, counters too."""
        self.scenarios.reset()
        self._answers.clear()
        self._counters.clear()
