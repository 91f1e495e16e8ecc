"""What a service remembers between requests, as far as templates may ask for it."""

from __future__ import annotations

from random import Random
from typing import Final, Protocol

__all__ = ["FORGETFUL", "Memory"]


class Memory(Protocol):
    """`random` is the service's seeded generator."""

    @property
    def random(self) -> Random: ...

    def state(self, scenario: str, key: tuple[str, ...]) -> str:
        """The state that a scenario is in, for that key; ValueError where there is no such scenario."""

    def next_number(self, counter: str, start: int) -> int:
        """The number of a counter, which begins at `start` and goes on with each call."""


class _Forgetful:
    """Stands in where no service is: nothing happened before, and what is drawn repeats."""

    def __init__(self) -> None:
        self.random = Random(0)

    def state(self, scenario: str, key: tuple[str, ...]) -> str:
        raise ValueError(f"there is no scenario {scenario!r} here")

    def next_number(self, counter: str, start: int) -> int:
        return start


FORGETFUL: Final[Memory] = _Forgetful()
