"""A fit from a recording's times, as `learn` makes it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mockforge.learning.capacity_station import FifoStation
from mockforge.learning.capacity_trace import Trace
from mockforge.learning.performance import fit_performance
from mockforge.report.fit_html import render_fit_html
from mockforge.report.fit_recorded import Named, fit_of


def trace(count: int, servers: int | None) -> Trace:
    """Two operations at 80 % of the servers' capacity, each fiftieth answer 404; the last caller leaves."""
    random = np.random.default_rng(1)
    demand = random.lognormal(np.log(1e7), 0.4, count)
    every_ns = 1.1e7 / (0.8 * (servers or 1))
    arrived = np.cumsum(random.exponential(every_ns, count))
    took = FifoStation(servers).responses(arrived, demand) if servers else demand
    number = np.arange(count)
    return Trace(
        arrived_ns=arrived.astype(np.int64),
        total_ns=took.astype(np.int64),
        ttfb_ns=took.astype(np.int64),
        operation=(number % 2).astype(np.int64),
        status=np.where(number % 50 == 0, 404, 200).astype(np.int64),
        failed=np.zeros(count, dtype=np.bool_),
        aborted=number == count - 1,
        retry_after_s=np.zeros(0),
    )


def test_operations_are_told_apart_by_status_and_ordered_by_name() -> None:
    times = trace(300, None)
    report = fit_of(
        Named("orders", "a.mfrec"), times, ["POST /b", "GET /a"], fit_performance(times), ("noted",)
    )
    told = [(each.label, each.recorded_ms.size) for each in report.operations]
    assert told == [("GET /a: 200", 149), ("POST /b: 200", 144), ("POST /b: 404", 6)]
    assert report.count == 300
    assert report.remarks == ("noted",)
    assert report.calls is not None
    assert report.calls.count == 299
    assert "What was learned of orders" in render_fit_html(report)


def test_behind_a_station_the_model_waits_as_the_recording_did() -> None:
    times = trace(1_500, 2)
    report = fit_of(Named("orders", "a.mfrec"), times, ["GET /a", "GET /b"], fit_performance(times))
    assert report.capacity is not None
    assert report.capacity.identifiable
    first = report.operations[0]
    assert first.served_ms is not None
    assert first.fit.p50_ms < np.median(first.recorded_ms)
    assert abs(first.quantiles()[0].error) < 0.15


def test_a_recording_without_answers_is_a_fit_of_nothing() -> None:
    times = trace(0, None)
    report = fit_of(Named("orders", "a.mfrec"), times, [], fit_performance(times))
    assert report.operations == ()
    assert "Nothing was learned" in render_fit_html(report)


def test_time_outs_that_the_station_brings_about_are_told_and_cut_the_models_latency() -> None:
    times = trace(3_000, 2)
    limit_ns = int(np.quantile(times.total_ns, 0.97))
    late = times.total_ns > limit_ns
    times = replace(
        times,
        total_ns=np.minimum(times.total_ns, limit_ns),
        ttfb_ns=np.minimum(times.ttfb_ns, limit_ns),
        status=np.where(late, 504, times.status),
        failed=late,
    )
    performance = fit_performance(times)
    assert performance.timeouts is not None
    report = fit_of(Named("orders", "a.mfrec"), times, ["GET /a", "GET /b"], performance)
    assert all("504" not in each.label for each in report.operations)
    assert report.calls is not None
    assert report.calls.served_ms is not None
    assert report.calls.served_ms.max() <= limit_ns / 1e6 * 1.001
    assert any("time-outs: by the station" in remark for remark in report.remarks)
    page = render_fit_html(report)
    assert "Time limit: " in page
    assert "misses the recording" not in page
    assert "Time-outs: by the station" in page
