"""A warm-up is left out where there is one, and nothing where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from mockforge.errors import ComparisonError, UsageError
from mockforge.report.comparing import Side, compare_sides
from mockforge.report.warmup import WarmUp
from tests.unit.report.runs import drawn_run, run_of


def warming(seed: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Three times as slow for the first tenth of 5,000 requests."""
    latency = 20 * np.random.default_rng(seed).lognormal(0, 0.3, 5_000)
    latency[:500] *= 3
    return latency


def test_a_slow_beginning_is_found() -> None:
    assert [WarmUp().of(run_of(warming(seed))) for seed in range(5)] == pytest.approx([2.5] * 5, abs=0.3)


def test_steady_runs_lose_next_to_nothing() -> None:
    cut = [WarmUp().of(drawn_run(seed, 5_000, phi=0.9)) for seed in range(40)]
    assert sum(each > 0 for each in cut) <= 2


def test_few_requests_say_nothing_of_a_warm_up() -> None:
    assert WarmUp().of(run_of(warming(1)[:600])) == 0


@pytest.mark.parametrize(
    ("written", "seconds"), [("none", 0.0), ("3s", 3.0), ("500ms", 0.5), ("10%", 2.4995)]
)
def test_what_is_asked_for_is_cut(written: str, seconds: float) -> None:
    assert WarmUp.parse(written).of(run_of(warming(1))) == pytest.approx(seconds)


@pytest.mark.parametrize("written", ["", "ten", "100%", "-3s", "5"])
def test_what_cannot_be_a_warm_up_is_refused(written: str) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        WarmUp.parse(written)


def test_both_sides_lose_the_same_time_and_it_is_told() -> None:
    real, mock = run_of(warming(1)), drawn_run(2, 5_000)
    report = compare_sides(Side([real]), Side([mock]))
    assert report.a.warmup_s == report.b.warmup_s == pytest.approx(2.5, abs=0.3)
    assert report.a.count < 5_000 > report.b.count


def test_a_warm_up_that_leaves_nothing_is_refused() -> None:
    run = run_of(warming(1))
    with pytest.raises(ComparisonError, match="nothing is left"):
        compare_sides(Side([run], warmup=WarmUp(seconds=99)), Side([run]))
