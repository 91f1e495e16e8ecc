"""Whether an answer that changed did so because something was written, or by chance."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from mockforge.learning.answers import Answers, Key, Outcome, Sample
from mockforge.learning.writes import SAFE_METHODS

__all__ = ["Changes", "changes_of"]

#: So much of the changes must come after a write for them to be a state's.
_EXPLAINED = 0.9


@dataclass(frozen=True, slots=True)
class Changes:
    """Answers to equal requests that changed: how many requests, how often, after which write."""

    requests: int
    changes: int
    after_writes: int
    example: str

    @property
    def are_state(self) -> bool:
        """Whether what was written explains them."""
        return self.changes > 0 and self.after_writes >= _EXPLAINED * self.changes

    def described(self) -> str | None:
        """For people; None where nothing changed."""
        if not self.changes:
            return None
        times = f"{self.requests:,} request" + ("s" if self.requests > 1 else "")
        if self.are_state:
            return (
                f"state: {times} got another answer after a write ({self.example}); the answers are given "
                "in the recorded order, in turn"
            )
        return f"{times} got different answers, and nothing in them tells why; they are given in turn"


def changes_of(answers: Answers, outcome: Outcome, by: Sequence[str]) -> Changes:
    """The changes among one outcome's answers, requests being equal when they are in `by`."""
    told: dict[Key, list[Sample]] = defaultdict(list)
    for sample in sorted(outcome.samples, key=lambda each: each.arrived_ns):
        told[answers.key_of(sample, by)].append(sample)
    requests = changes = written = 0
    example = ""
    for samples in told.values():
        changed = [
            (one, other)
            for one, other in pairwise(samples)
            if answers.steady(one.answer) != answers.steady(other.answer)
        ]
        requests += bool(changed)
        changes += len(changed)
        for one, other in changed if answers.operation.method in SAFE_METHODS else ():
            write = answers.written_between(other.view.target, one.arrived_ns, other.arrived_ns)
            written += write is not None
            example = example or (f"{write}" if write else "")
    return Changes(requests, changes, written, example)
