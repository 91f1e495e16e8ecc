"""A feed whose requests carry what the target has answered in this run, in place of what was recorded."""

from __future__ import annotations

from mockforge.model.exchange import Response
from mockforge.replay.correlation import Correlations, Use
from mockforge.replay.feed import Mold, RecordedFeed, Shot
from mockforge.replay.values import read_spot, replaced
from mockforge.replay.workload import Workload

__all__ = ["CorrelatedFeed"]


class CorrelatedFeed:
    """Puts known values into the requests that depend on them, when they are due.

    A request is never held back: one whose value has not come yet goes out on time with the value that was
    recorded, and is counted as `uncorrelated`. Values belong to one round through the recording.
    """

    def __init__(self, workload: Workload, mold: Mold, correlations: Correlations) -> None:
        self._recorded = RecordedFeed(workload, mold)
        self._workload = workload
        self._mold = mold
        self._uses = correlations.uses
        self._extractions = correlations.extractions
        self._size = len(workload)
        #: The round in which each variable was last answered, and its value.
        self._known: dict[int, tuple[int, str]] = {}
        #: Requests that depend on an answer, and those of them that were due before it.
        self.dependent = 0
        self.uncorrelated = 0

    def shot(self, number: int) -> Shot:
        shot = self._recorded.shot(number)
        turn, index = divmod(number, self._size)
        uses = self._uses.get(index)
        return shot if uses is None else self._with_values(shot, index, turn, uses)

    def on_answer(self, number: int, response: Response) -> None:
        turn, index = divmod(number, self._size)
        for extraction in self._extractions.get(index, ()):
            value = read_spot(response, extraction.spot)
            if value is not None:
                self._known[extraction.variable] = (turn, value)

    def _with_values(self, shot: Shot, index: int, turn: int, uses: tuple[Use, ...]) -> Shot:
        self.dependent += 1
        request = self._workload.request(index)
        complete = True
        for use in uses:
            known = self._known.get(use.variable)
            if known is None or known[0] != turn:
                complete = False
            elif known[1] != use.recorded:
                request = replaced(request, use.place, use.recorded, known[1])
        self.uncorrelated += not complete
        return self._mold.shot(request, shot.name, shot.operation)
