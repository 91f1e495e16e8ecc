"""The mock says when it is late by more than its model can hide."""

from __future__ import annotations

import pytest

from mockforge.state.lateness import WINDOW, Lateness, LateWindow

MS = 1_000_000


def told_of(lateness_ms: list[float], planned_ms: float) -> list[LateWindow]:
    lateness = Lateness()
    told: list[LateWindow] = []
    lateness.on_late = told.append
    for late_ms in lateness_ms:
        lateness.add(round(late_ms * MS), round(planned_ms * MS))
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
    for window in told:
        assert window == pytest.approx((late_ms, planned_ms), rel=0.01)


def test_fewer_than_a_hundredth_do_not_make_a_window_late() -> None:
    slowest = WINDOW // 100 - 1
    assert told_of([0.0] * (WINDOW - slowest) + [900.0] * slowest, planned_ms=0) == []


def test_each_window_is_judged_by_itself() -> None:
    lateness_ms = [20.0] * WINDOW + [0.0] * WINDOW + [30.0] * (WINDOW + WINDOW // 2)
    told = told_of(lateness_ms, planned_ms=1)
    assert [each.p99_ms for each in told] == pytest.approx([20, 30], rel=0.01)


def test_the_planned_delays_of_a_window_do_not_excuse_the_next() -> None:
    lateness = Lateness()
    for late_ns, planned_ns in ((0, 1_000 * MS), (30 * MS, 0)):
        for _ in range(WINDOW):
            lateness.add(late_ns, planned_ns)
    assert lateness.late_windows == 1


def test_the_word_to_the_user_names_both_times() -> None:
    assert "7.5 ms or more after they were due (mean planned delay 20.0 ms)" in str(LateWindow(7.5, 20))


def test_the_whole_run_is_told_within_a_hundredth_between_windows_too() -> None:
    lateness = Lateness()
    for late_us in range(1, WINDOW * 2 + 500):
        lateness.add(late_us * 1_000, 0)
    assert lateness.total_ms.quantile(0.5) == pytest.approx((WINDOW * 2 + 500) / 2_000, rel=0.015)
    assert lateness.total_ms.count == WINDOW * 2 + 499


def test_an_answer_ahead_of_its_time_is_not_late() -> None:
    lateness = Lateness()
    lateness.add(-50_000, 0)
    assert lateness.total_ms.maximum == 0
