"""How right a learned service answers: recorded answers it has not seen against those it gives."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mockforge.learning.answers import Answer
from mockforge.learning.shapes import same_shape
from mockforge.learning.volatile import Volatile, json_of

__all__ = ["Fidelity", "Judged", "judge", "tally"]


@dataclass(frozen=True, slots=True)
class Judged:
    """One answer: whether its status, the shape of its body, and its content are the recorded ones."""

    status: bool
    shape: bool
    content: bool


@dataclass(frozen=True, slots=True)
class Fidelity:
    """Counts of right answers among those `asked` of one operation.

    `by_chance` more were a failure that befalls any request, on one side alone: nobody can foretell them,
    and they are not counted.
    """

    operation: str
    asked: int
    status: int
    shape: int
    content: int
    by_chance: int = 0

    def shares(self) -> tuple[float, float, float]:
        """The right statuses, shapes and contents over those asked; 1 where nothing was."""
        if not self.asked:
            return 1.0, 1.0, 1.0
        return self.status / self.asked, self.shape / self.asked, self.content / self.asked


def judge(recorded: Answer, given: Answer, volatile: Volatile) -> Judged:
    """Compare an answer with the recorded one; content does not count what is of its moment.

    JSON has the right shape when a program that reads one can read the other, anything else when it is of
    the same content type. Shape and content are only right where the status is.
    """
    if recorded.status != given.status:
        return Judged(status=False, shape=False, content=False)
    expected, found = json_of(recorded.body), json_of(given.body)
    if expected is None and found is None:
        alike = _content_type(recorded) == _content_type(given) and bool(recorded.body) == bool(given.body)
        same = recorded.body == given.body or volatile.whole
        return Judged(status=True, shape=alike, content=alike and same)
    shape = expected is not None and found is not None and same_shape(expected, found)
    same = expected == found or volatile.steady(recorded.body) == volatile.steady(given.body)
    return Judged(status=True, shape=shape, content=shape and same)


def tally(judged: Iterable[tuple[str, Judged | None]]) -> list[Fidelity]:
    """Counts by operation, in the order of their names; a verdict None is one by chance."""
    by_operation: dict[str, list[Judged | None]] = {}
    for operation, verdict in judged:
        by_operation.setdefault(operation, []).append(verdict)
    return [_fidelity(operation, by_operation[operation]) for operation in sorted(by_operation)]


def _fidelity(operation: str, verdicts: list[Judged | None]) -> Fidelity:
    told = [verdict for verdict in verdicts if verdict is not None]
    return Fidelity(
        operation=operation,
        asked=len(told),
        status=sum(verdict.status for verdict in told),
        shape=sum(verdict.shape for verdict in told),
        content=sum(verdict.content for verdict in told),
        by_chance=len(verdicts) - len(told),
    )


def _content_type(answer: Answer) -> str:
    return (answer.headers.get("content-type") or "").partition(";")[0].strip().lower()
