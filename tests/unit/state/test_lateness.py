"""The mock says when it is late by more than its model can hide."""

from __future__ import annotations

import pytest

from mockforge.state.lateness import WINDOW, Lateness, LateWindow

MS = 1_000_000


def told_of(lateness_ms: list[float], planned_ms: float, batch: int = 1) -> list[LateWindow]:
    lateness = Lateness()
    told: list[LateWindow] = []
    lateness.on_late = told.append
    for first in range(0, len(lateness_ms), batch):
        late_ns = [round(each * MS) for each in lateness_ms[first : first + batch]]
        lateness.add(late_ns, round(planned_ms * MS) * len(late_ns))
    assert lateness.total_ms.count == len(lateness_ms)
    assert lateness.late_windows == len(told)
    return told


@pytest.mark.parametrize(
    ("late_ms", "planned_ms", "late"),
    [
        (0.1, 0, False),
        (4.9, 0, False),
        (5.1, 0, True),
        (5.1, 100, False),
        (9.9, 100, False),
        (10.1, 100, True),
    ],
)
def test_a_window_is_late_where_its_slowest_hundredth_is_beyond_both_bounds(
    late_ms: float, planned_ms: float, late: bool
) -> None:
    slowest = WINDOW // 100
    told = told_of([0.0] * (WINDOW - slowest) + [late_ms] * slowest, planned_ms)
    assert bool(told) is late
    assert [(round(each.p99_ms, 6), each.planned_ms) for each in told] == [(late_ms, planned_ms)] * late


def test_fewer_than_a_hundredth_do_not_make_a_window_late() -> None:
    slowest = WINDOW // 100 - 1
    assert told_of([0.0] * (WINDOW - slowest) + [900.0] * slowest, planned_ms=0) == []


@pytest.mark.parametrize("batch", [1, 100, WINDOW])
def test_each_window_is_judged_by_itself(batch: int) -> None:
    lateness_ms = [20.0] * WINDOW + [0.0] * WINDOW + [30.0] * (WINDOW + WINDOW // 2)
    told = told_of(lateness_ms, planned_ms=1, batch=batch)
    assert [each.p99_ms for each in told] == pytest.approx([20, 30])


def test_the_planned_delays_of_a_window_do_not_excuse_the_next() -> None:
    lateness = Lateness()
    lateness.add([0] * WINDOW, 1_000 * MS * WINDOW)
    lateness.add([30 * MS] * WINDOW, 0)
    assert lateness.late_windows == 1


def test_the_word_to_the_user_names_both_times() -> None:
    assert "7.5 ms or more after they were due (mean planned delay 20.0 ms)" in str(LateWindow(7.5, 20))
