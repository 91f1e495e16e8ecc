"""What a capacity is learned from: order, what is left out, and what is looked at."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from benchmarks.identifiability import served_in_order, trace_of
from mockforge.learning.capacity_trace import Jobs, jobs_of, sampled


def test_exchanges_are_taken_by_arrival_and_impossible_times_left_out() -> None:
    trace = trace_of(np.array([30.0, 10.0, 20.0]), np.array([40.0, 15.0, 12.0]))
    assert trace.usable().tolist() == [1, 0]


def test_the_first_byte_ends_the_wait_where_one_came() -> None:
    trace = trace_of(np.zeros(3), np.array([10.0, 10.0, 10.0]))
    trace = replace(trace, ttfb_ns=np.array([4, -1, 99]))
    assert trace.answered_ns().tolist() == [4.0, 10.0, 10.0]


def test_times_count_from_the_first_arrival() -> None:
    trace = trace_of(np.array([1_000.0, 1_500.0]), np.array([1_100.0, 1_700.0]))
    jobs = jobs_of(trace, np.array([True, True]), np.array([True, False]))
    assert jobs.arrived.tolist() == [0.0, 500.0]
    assert jobs.departed.tolist() == [100.0, 700.0]
    assert jobs.counted.tolist() == [True, False]


def recorded(count: int) -> Jobs:
    generator = np.random.default_rng(2)
    arrived = np.cumsum(generator.exponential(6e6, count))
    departed = served_in_order(arrived, 20e6 * generator.exponential(1.0, count), 4)
    return jobs_of(trace_of(arrived, departed), np.ones(count, bool), np.ones(count, bool))


def test_the_begin_of_a_recording_is_not_counted() -> None:
    jobs = sampled(recorded(1_000))
    assert jobs.counted.tolist() == [False] * 20 + [True] * 980


def test_a_long_recording_is_looked_at_in_segments_that_keep_what_jobs_find() -> None:
    whole = recorded(60_000)
    jobs = sampled(whole)
    assert 20_000 <= jobs.arrived.size < 20_400
    assert (np.diff(jobs.arrived) >= 0).all()
    assert jobs.counted.sum() <= 20_000
    found, counted = jobs.in_flight(), jobs.counted
    responses, times = np.unique(whole.response, return_counts=True)
    once = counted & np.isin(jobs.response, responses[times == 1])
    known = dict(zip(whole.response.tolist(), whole.in_flight().tolist(), strict=True))
    assert once.sum() > 15_000
    assert [known[response] for response in jobs.response[once].tolist()] == found[once].tolist()
