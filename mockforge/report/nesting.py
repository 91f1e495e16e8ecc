"""Which of a caller's requests made which calls to its dependency, from the times of both.

A call lies within the request that made it. Where several requests of different operations were under way, it
is shared out among them by how often such requests call while they are under way, which is itself found from
how calls are shared out (expectation maximisation). Both files' clocks have to be the same, or nearly so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mockforge.model.sample import Run

__all__ = ["Calls", "calls_within"]

#: Clocks of one machine, and load tools that round to a millisecond, differ by less.
_SLACK_NS = 3_000_000
_MOST_CALLS = 20_000
_ROUNDS = 60
#: With fewer of the calls than this within any request, the files are of different times.
_LEAST_WITHIN = 0.5


@dataclass(frozen=True, slots=True)
class Calls:
    """Calls a request and their mean latency in ms, by (caller's operation, dependency's).

    `within` is the part of all calls that lie within a request.
    """

    per_request: Mapping[tuple[str, str], float]
    mean_ms: Mapping[tuple[str, str], float]
    within: float


def calls_within(caller: Run, caller_wall_ns: int, dependency: Run, dependency_wall_ns: int) -> Calls | None:
    """The calls of each operation of the caller; None where the two were not recorded at the same time."""
    if not len(caller) or not len(dependency) or caller_wall_ns <= 0 or dependency_wall_ns <= 0:
        return None
    stride = -(-len(dependency) // _MOST_CALLS)
    chosen = dependency.select(np.arange(0, len(dependency), stride))
    candidates = _candidates(caller, chosen, dependency_wall_ns - caller_wall_ns)
    inside = candidates.any(axis=1)
    if inside.mean() < _LEAST_WITHIN:
        return None
    requests = np.maximum(np.bincount(caller.operation, minlength=len(caller.operations)), 1)
    per_request, mean_ms = {}, {}
    for index, name in enumerate(dependency.operations):
        of_it = inside & (chosen.operation == index)
        shares = _shared_out(candidates[of_it], _room(caller, chosen.total_ns[of_it]))
        latency_ms = chosen.total_ns[of_it] / 1e6
        for place, caller_name in enumerate(caller.operations):
            weight = shares[:, place]
            if weight.sum() > 0.5:
                per_request[caller_name, name] = float(weight.sum()) * stride / float(requests[place])
                mean_ms[caller_name, name] = float(np.average(latency_ms, weights=weight))
    return Calls(per_request, mean_ms, float(inside.mean()))


def _candidates(caller: Run, calls: Run, offset_ns: int) -> NDArray[np.float64]:
    """How many requests of each operation were under way all through each call, (n, operations)."""
    starts = caller.start_ns
    ends = starts + caller.total_ns
    call_starts = calls.start_ns + offset_ns
    call_ends = call_starts + calls.total_ns
    first = np.searchsorted(starts, call_starts - int(caller.total_ns.max()) - _SLACK_NS)
    last = np.searchsorted(starts, call_starts + _SLACK_NS, side="right")
    found = np.zeros((len(calls), len(caller.operations)))
    for row, (begin, end, until) in enumerate(
        zip(first.tolist(), last.tolist(), call_ends.tolist(), strict=True)
    ):
        under_way = caller.operation[begin:end][ends[begin:end] >= until - _SLACK_NS]
        if under_way.size:
            found[row] = np.bincount(under_way, minlength=len(caller.operations))
    return found


def _room(caller: Run, call_ns: NDArray[np.int64]) -> NDArray[np.float64]:
    """For how long in all a call could have begun in a request of each operation and have ended in it."""
    usual_ns = float(np.median(call_ns)) if call_ns.size else 0.0
    room_ns = np.maximum(caller.total_ns - usual_ns + 2 * _SLACK_NS, 1.0)
    room_by_operation = np.bincount(caller.operation, weights=room_ns, minlength=len(caller.operations))
    return room_by_operation.astype(np.float64)


def _shared_out(candidates: NDArray[np.float64], room_ns: NDArray[np.float64]) -> NDArray[np.float64]:
    """What part of each call is each operation's, shape as `candidates`: by its calls where they fit."""
    rates = np.ones(candidates.shape[1])
    shares = np.zeros_like(candidates)
    for _ in range(_ROUNDS):
        weighted = candidates * rates
        shares = weighted / np.maximum(weighted.sum(axis=1, keepdims=True), 1e-300)
        rates = shares.sum(axis=0) / np.maximum(room_ns, 1.0)
    return shares
