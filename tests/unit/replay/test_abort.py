"""Conditions that end a run, over the last ten seconds of answers."""

from __future__ import annotations

import pytest

from mockforge.errors import UsageError
from mockforge.model.exchange import Exchange, Request, Response
from mockforge.replay.abort import FEWEST, Watch, parse_condition

MS = 1_000_000
S = 1_000_000_000


def ended(at_s: float, *, took_ms: float = 1, status: int = 200, sent: bool = True) -> Exchange:
    """An exchange that ended then."""
    total_ns = round(took_ms * MS)
    return Exchange(
        wall_ns=0,
        arrived_ns=round(at_s * S) - total_ns,
        request=Request("GET", "/"),
        response=Response(status),
        total_ns=total_ns,
        lateness_ns=0 if sent else None,
    )


def watch(*conditions: str) -> Watch:
    return Watch(tuple(parse_condition(text) for text in conditions))


def first_reason(watching: Watch, exchanges: list[Exchange]) -> tuple[int, str] | None:
    for number, exchange in enumerate(exchanges):
        reason = watching.add(exchange)
        if reason is not None:
            return number, reason
    return None


@pytest.mark.parametrize(
    ("text", "limit", "probability"),
    [
        ("error_rate>5%", 0.05, None),
        ("error_rate > 0.5 %", 0.005, None),
        ("p95>2s", 2 * S, 0.95),
        ("p99.9 > 250ms", 250 * MS, 0.999),
    ],
)
def test_a_condition_is_a_share_of_errors_or_a_percentile(
    text: str, limit: float, probability: float | None
) -> None:
    condition = parse_condition(text)
    assert condition.limit == pytest.approx(limit)
    assert condition.probability == (None if probability is None else pytest.approx(probability))


@pytest.mark.parametrize(
    "text", ["", "p95", "p95>2", "p95<2s", "p100>1s", "p0>1s", "error_rate>5", "error_rate>200%", "rps>5"]
)
def test_what_is_no_condition_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="which is no condition"):
        parse_condition(text)


def test_fewer_than_fifty_answers_judge_nothing() -> None:
    bad = [ended(0.1 + i / 1000, status=500) for i in range(FEWEST)]
    assert first_reason(watch("error_rate>5%"), bad[:-1]) is None
    assert first_reason(watch("error_rate>5%"), bad) == (
        FEWEST - 1,
        "error_rate>5%: 50 of 50 answers were errors in the last 10 s",
    )


def test_at_the_limit_a_run_goes_on() -> None:
    exchanges = [ended(0.1 + i / 100, status=500 if i % 20 == 0 else 200) for i in range(1000)]
    assert first_reason(watch("error_rate>6%"), exchanges) is None


def test_a_percentile_above_its_limit_ends_the_run() -> None:
    quick = [ended(i / 100, took_ms=5) for i in range(1000)]
    slow = [ended(10 + i / 100, took_ms=900) for i in range(500)]
    assert first_reason(watch("p95>500ms"), quick) is None
    found = first_reason(watch("p95>500ms"), quick + slow)
    assert found is not None
    assert 1000 < found[0] < 1100
    assert found[1].startswith("p95>500ms: it was 0.9 s over ")


def test_answers_older_than_ten_seconds_are_forgotten() -> None:
    watching = watch("error_rate>5%")
    start = [ended(0.1, status=500) for _ in range(FEWEST - 1)]
    later = [ended(11 + i / 100) for i in range(200)]
    assert first_reason(watching, start + later) is None


def test_what_was_not_sent_is_no_answer() -> None:
    dropped = [ended(i / 100, status=500, sent=False) for i in range(500)]
    assert first_reason(watch("error_rate>5%"), dropped) is None
