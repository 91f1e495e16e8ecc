"""Cold starts, by tables: which requests ask for more."""

from __future__ import annotations

import pytest

from mockforge.delays.cold_starts import ColdStarts
from mockforge.model.service import AfterIdle, ColdStart

START, IDLE = ColdStart(3, 2), AfterIdle(1_000, 5)


@pytest.mark.parametrize(
    ("start", "idle", "arrived_ms", "expected"),
    [
        (START, None, [0, 1, 2, 9_000], [30, 30, 10, 10]),
        (None, IDLE, [0, 900, 1_900, 1_950], [10, 10, 50, 10]),
        (None, AfterIdle(1_000, 2, 2), [0, 1_000, 1_001, 1_002, 2_002], [10, 20, 20, 10, 20]),
        (START, IDLE, [0, 1_500, 1_501], [30, 50, 10]),
        (ColdStart(9, 3), IDLE, [0, 1_500, 1_501], [90, 90, 90]),
    ],
)
def test_the_first_and_those_after_a_pause_ask_for_more(
    start: ColdStart | None, idle: AfterIdle | None, arrived_ms: list[int], expected: list[int]
) -> None:
    cold = ColdStarts(start, idle)
    assert [cold.demand(at * 1_000_000, 10) for at in arrived_ms] == expected
