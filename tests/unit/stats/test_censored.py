"""What is only known to be longer gives its weight to what is."""

from __future__ import annotations

import numpy as np
import pytest

from mockforge.stats.censored import kaplan_meier


def test_without_censored_values_all_weigh_the_same() -> None:
    values, weights = kaplan_meier(np.array([3.0, 1.0, 2.0]), np.array([]))
    assert values.tolist() == [1, 2, 3]
    assert weights == pytest.approx([1 / 3] * 3)


def test_a_censored_value_gives_its_weight_to_those_beyond_it() -> None:
    values, weights = kaplan_meier(np.array([1.0, 3.0, 4.0]), np.array([2.0]))
    assert values.tolist() == [1, 3, 4]
    assert weights == pytest.approx([0.25, 0.375, 0.375])


def test_the_published_example_comes_out() -> None:
    """Times 6 (3 of 4 ended), 7, 10, 13, 16, 22, 23 ended, others censored (Freireich 1963, 6-MP arm)."""
    ended = np.array([6, 6, 6, 7, 10, 13, 16, 22, 23], dtype=float)
    left = np.array([6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35], dtype=float)
    values, weights = kaplan_meier(ended, left)
    survival = {value: 1 - weights[values <= value].sum() for value in np.unique(values)}
    expected = {6: 0.857, 7: 0.807, 10: 0.753, 13: 0.690, 16: 0.627, 22: 0.538, 23: 0.448}
    for value, share in expected.items():
        assert survival[value] == pytest.approx(share, abs=5e-4)


def test_what_is_censored_beyond_all_others_is_weight_that_is_lost() -> None:
    _, weights = kaplan_meier(np.array([1.0]), np.array([2.0]))
    assert weights.sum() == pytest.approx(0.5)


def test_nothing_observed_has_no_weights() -> None:
    values, weights = kaplan_meier(np.array([]), np.array([1.0, 2.0]))
    assert (values.size, weights.size) == (0, 0)
