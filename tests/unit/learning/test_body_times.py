"""The body's time as a law of its own: first byte and whole come out as recorded."""

from __future__ import annotations

import numpy as np
import pytest

from mockforge.delays.distributions import compile_distribution
from mockforge.learning.body_times import fit_body_time
from mockforge.learning.latency import fit_latency

MS = 1e6
LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95, 0.99)


@pytest.mark.parametrize("together", ["independent", "slow with slow"])
def test_the_whole_is_distributed_as_recorded(together: str) -> None:
    random = np.random.default_rng(3)
    level = random.normal(size=8_000)
    other = level if together == "slow with slow" else random.normal(size=8_000)
    ttfb_ns = np.rint(20 * MS * np.exp(0.5 * level)).astype(np.int64)
    total_ns = ttfb_ns + np.rint(60 * MS * np.exp(0.3 * other)).astype(np.int64)
    body = fit_body_time(ttfb_ns, total_ns)
    assert body is not None
    first, rest = (compile_distribution(each.distribution) for each in (fit_latency(ttfb_ns), body))
    drawn = [first.at(each) + rest.at(each) for each in LEVELS]
    assert drawn == pytest.approx(np.quantile(total_ns, LEVELS), rel=0.03)
    if together == "slow with slow":
        assert body.p95_ms == pytest.approx(np.quantile((total_ns - ttfb_ns) / MS, 0.95), rel=0.03)


def test_bodies_of_slow_answers_that_are_quick_keep_the_mean() -> None:
    ttfb_ns = np.linspace(10 * MS, 50 * MS, 400).astype(np.int64)
    total_ns = ttfb_ns + np.linspace(40 * MS, 10 * MS, 400).astype(np.int64)
    body = fit_body_time(ttfb_ns, total_ns)
    assert body is not None
    assert body.p50_ms == pytest.approx(25, rel=0.05)


@pytest.mark.parametrize(("ttfb_ms", "body_ms"), [(10, 0.4), (200, 1.5), (5, 0)])
def test_a_body_that_is_nearly_at_once_has_no_law(ttfb_ms: float, body_ms: float) -> None:
    ttfb_ns = np.full(100, round(ttfb_ms * MS))
    assert fit_body_time(ttfb_ns, ttfb_ns + round(body_ms * MS)) is None


def test_nothing_has_no_law() -> None:
    assert fit_body_time(np.zeros(0, np.int64), np.zeros(0, np.int64)) is None
