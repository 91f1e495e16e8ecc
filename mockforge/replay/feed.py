"""Which request is the n-th of a replay: the recording's in their order, over again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from mockforge.model.exchange import Request, Response
from mockforge.replay.rewriting import Rewriting
from mockforge.replay.wire import HostPolicy, PreparedRequest, prepare
from mockforge.replay.workload import Workload
from mockforge.targets import Target

__all__ = ["Feed", "Mold", "RecordedFeed", "Shot"]


class Shot(NamedTuple):
    """A request that is about to be sent.

    `name` is the operation's, and `operation` the same where the recording had told it.

    `request` is what the new recording says of it, `prepared` what goes on the wire. They differ in the
    connection's own fields, and in those given on the command line, which may be secret and are not
    written down.
    """

    request: Request
    prepared: PreparedRequest
    name: str
    operation: str | None = None


class Feed(Protocol):
    """Gives the requests; `number` counts what was due since the start, from 0."""

    def shot(self, number: int) -> Shot: ...

    def on_answer(self, number: int, response: Response) -> None:
        """The complete answer to that request came."""
        ...


@dataclass(frozen=True, slots=True)
class Mold:
    """How a recorded request becomes one for the target."""

    target: Target
    host: HostPolicy
    rewriting: Rewriting

    def shot(self, request: Request, name: str, operation: str | None) -> Shot:
        """`request` with what is to be rewritten in it rewritten."""
        moved = self.rewriting.moved(request)
        given = self.rewriting.with_given_fields(moved)
        return Shot(moved, prepare(given, self.target, self.host), name, operation)


class RecordedFeed:
    """Every request as it was recorded, prepared before the start."""

    def __init__(self, workload: Workload, mold: Mold) -> None:
        self._shots = list(_shots(workload, mold))
        self._which: Sequence[int] = workload.which.tolist()
        self._size = len(workload)

    def shot(self, number: int) -> Shot:
        return self._shots[self._which[number % self._size]]

    def on_answer(self, number: int, response: Response) -> None:
        """Nothing depends on an answer."""


def _shots(workload: Workload, mold: Mold) -> Iterator[Shot]:
    columns = zip(workload.requests, workload.names(), workload.operations, strict=True)
    for request, name, operation in columns:
        yield mold.shot(request, name, operation)
