"""The figures shown while recording."""

from __future__ import annotations

import pytest

from mockforge.model.exchange import Exchange, Request, Response
from mockforge.proxy.traffic import Traffic

SECOND = 1_000_000_000


def exchange(ended_ns: int, total_ns: int = 5_000_000, status: int = 200) -> Exchange:
    return Exchange(0, ended_ns - total_ns, Request("GET", "/"), Response(status), total_ns)


def test_counts_errors_and_latencies_are_kept() -> None:
    traffic = Traffic()
    traffic.add(exchange(SECOND))
    traffic.add(exchange(SECOND, total_ns=20_000_000, status=503))
    assert (traffic.count, traffic.errors) == (2, 1)
    assert traffic.latency_ms.quantile(0.5) == pytest.approx(5, rel=0.01)
    assert traffic.latency_ms.quantile(1) == pytest.approx(20, rel=0.01)


@pytest.mark.parametrize(
    ("ends_s", "now_s", "rate"),
    [
        ([], 0, 0),
        ([0.1, 0.2], 0.5, 2),  # before the first whole second: what there is
        ([0.1, 0.2], 1, 2),
        ([0.1, 0.2], 2, 1),
        ([0.1, 1.2, 1.3, 1.4], 2.9, 2),  # the second that is not over does not count
        ([0.1, 1.2, 2.3, 3.4, 4.5, 5.6], 7.0, 0.8),
        ([0.1, 0.2, 0.3], 60, 0),
    ],
)
def test_the_rate_is_that_of_the_last_whole_seconds(ends_s: list[float], now_s: float, rate: float) -> None:
    traffic = Traffic(window_s=5)
    for end_s in ends_s:
        traffic.add(exchange(round(end_s * SECOND)))
    assert traffic.rate(round(now_s * SECOND)) == pytest.approx(rate)
