"""Outcomes of few samples have the spread of their parent, and say so."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mockforge.delays.distributions import compile_distribution
from mockforge.learning.learn import Learned
from mockforge.model.exchange import Exchange
from tests.unit.learning.made import exchange, learn, stub_of

MS = 1_000_000


def timed(each: Exchange, latency_ms: float) -> Exchange:
    latency_ns = round(latency_ms * MS)
    return replace(each, ttfb_ns=latency_ns, total_ns=latency_ns)


def recorded(asked: str, latencies_ms: list[float], status: int = 200) -> list[Exchange]:
    return [timed(exchange(asked, status=status, at_s=at), ms) for at, ms in enumerate(latencies_ms)]


def level_ms(learned: Learned, stub: str, response: int, level: float) -> float:
    delay = stub_of(learned, stub).responses[response].delay
    assert delay is not None
    return compile_distribution(delay).at(level) / MS


SPREAD = [float(each) for each in np.geomspace(5, 80, 101)]


def test_few_errors_spread_as_the_operations_other_answers_around_their_own_median() -> None:
    learned = learn([*recorded("GET /a", SPREAD), *recorded("GET /a", [2, 2, 2], 503)])
    assert level_ms(learned, "GET /a", 1, 0.5) == pytest.approx(2, rel=0.05)
    assert level_ms(learned, "GET /a", 1, 0.99) == pytest.approx(2 * 80 / 20, rel=0.1)
    remark = "few samples: 3; the spread around their median is that of 101 other answers of GET /a"
    assert f"failure: {remark}" in learned.comments["GET /a"]


def test_an_operation_of_few_samples_spreads_as_the_service_does() -> None:
    learned = learn([*recorded("GET /a", SPREAD), *recorded("GET /b", [30])])
    assert level_ms(learned, "GET /b", 0, 0.5) == pytest.approx(30, rel=0.05)
    assert level_ms(learned, "GET /b", 0, 0.99) == pytest.approx(30 * 4, rel=0.1)
    assert any("that of 101 answers of the service" in line for line in learned.comments["GET /b"])


def test_where_nothing_has_enough_samples_nothing_beyond_them_is_given() -> None:
    learned = learn(recorded("GET /a", [10, 12, 20]))
    assert level_ms(learned, "GET /a", 0, 1.0) == pytest.approx(20)
    assert "success: few samples: 3; nothing longer than these is ever given" in learned.comments["GET /a"]


def test_no_quantile_is_told_that_the_sample_does_not_support() -> None:
    learned = learn(recorded("GET /a", [float(each) for each in range(1, 51)]))
    (line,) = [line for line in learned.comments["GET /a"] if "samples, p50" in line]
    assert line.startswith("success: 50 samples, p50 25.5 ms, p95 and p99 not supported; ")
    assert (
        learn(recorded("GET /a", [1.0]))
        .comments["GET /a"][1]
        .startswith("success: 1 sample, p50 and p95 and p99 not supported")
    )


def test_callers_that_left_count_as_having_waited_at_least_so_long() -> None:
    answered = recorded("GET /a", [float(each) for each in range(10, 110)])
    left = [replace(each, response=None, error="caller: left") for each in recorded("GET /a", [60.0] * 50)]
    alone, beside = learn(answered), learn([*answered, *left])
    assert level_ms(beside, "GET /a", 0, 0.9) > level_ms(alone, "GET /a", 0, 0.9)
    assert any("callers that left: 50" in line for line in beside.comments["GET /a"])
