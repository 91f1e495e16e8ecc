"""Change points: found where a series shifts or spreads, none where it does not, the same each time."""

from __future__ import annotations

import numpy as np
import pytest

from mockforge.stats.change_points import _statistics, change_points


def noise(seed: int, size: int, mean: float = 0.1, spread: float = 0.01) -> list[float]:
    return [float(value) for value in np.random.default_rng(seed).normal(mean, spread, size)]


def test_a_shift_is_found_where_it_is_with_the_means_of_both_sides() -> None:
    (change,) = change_points([*noise(1, 12), *noise(2, 12, mean=0.2)])
    assert change.index == 12
    assert [change.before, change.after] == pytest.approx([0.1, 0.2], abs=0.01)
    assert change.p <= 0.01


def test_several_shifts_are_found_in_order() -> None:
    changes = change_points([*noise(1, 10), *noise(2, 10, mean=0.3), *noise(3, 10)])
    assert [change.index for change in changes] == [10, 20]


def test_another_spread_is_a_change_too() -> None:
    changes = change_points([*noise(1, 60, spread=0.005), *noise(2, 60, spread=0.1)])
    assert len(changes) == 1
    assert changes[0].index == pytest.approx(60, abs=8)


def test_noise_changes_as_seldom_as_the_level_says() -> None:
    found = sum(bool(change_points(noise(seed, 20), level=0.05)) for seed in range(60))
    assert found <= 8  # 3 expected; more than 8 has a chance of 0.3 %


@pytest.mark.parametrize("series", [[], [0.1], [0.1] * 50, [0.1, 0.9, 0.1, 0.9, 0.1]])
def test_what_is_short_or_constant_has_none(series: list[float]) -> None:
    assert change_points(series) == ()


def test_the_same_series_has_the_same_change_points() -> None:
    series = [*noise(5, 15), *noise(6, 15, mean=0.12)]
    assert change_points(series) == change_points(series)


def test_a_unit_and_an_origin_do_not_matter() -> None:
    series = np.array([*noise(1, 12), *noise(2, 12, mean=0.2)])
    assert [change.index for change in change_points(series * 1e3 - 5)] == [12]


def test_gaps_in_a_series_are_refused() -> None:
    with pytest.raises(ValueError, match="not finite"):
        change_points([0.1, float("nan")])


def test_the_statistic_is_the_energy_distance_of_both_sides() -> None:
    left, right = np.array([1.0, 2.0, 4.0]), np.array([3.0, 7.0, 8.0, 20.0])
    both = np.concatenate([left, right])
    found = _statistics(np.abs(both[:, None] - both[None, :]))[0, -1]
    across, within, beyond = (
        float(np.abs(x[:, None] - y[None, :]).sum()) for x, y in ((left, right), (left, left), (right, right))
    )
    assert found == pytest.approx((2 * across / 12 - within / 6 - beyond / 12) * 12 / 7)
