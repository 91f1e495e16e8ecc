"""A whole trace through a station."""

from __future__ import annotations

import numpy as np
import pytest

from mockforge.delays.station import Fifo
from mockforge.delays.station_simulation import simulate

MS = 1_000_000


def test_responses_come_in_the_order_of_the_arrivals_with_the_offset_on_top() -> None:
    arrived, demands = np.array([0, 1, 2]) * MS, np.array([30, 10, 10]) * MS
    responses = simulate(lambda: Fifo(2), arrived, demands, 2 * MS)
    assert responses.tolist() == [32 * MS, 12 * MS, 21 * MS]
    each = simulate(lambda: Fifo(2), arrived, demands, np.array([0, 1, 2]) * MS)
    assert each.tolist() == [30 * MS, 11 * MS, 21 * MS]


def test_a_refused_one_has_no_response_time() -> None:
    responses = simulate(lambda: Fifo(1, queue_limit=0), np.array([0, 1, 30]) * MS, np.full(3, 20.0 * MS))
    assert np.isnan(responses).tolist() == [False, True, False]


def test_arrivals_that_go_back_are_refused() -> None:
    with pytest.raises(ValueError, match="in the order of their times"):
        simulate(lambda: Fifo(1), np.array([2, 1]), np.array([1, 1]))


def test_an_empty_trace_has_no_responses() -> None:
    assert len(simulate(lambda: Fifo(1), np.array([]), np.array([]))) == 0
