"""What is read out of wrk's output, and what wrk is told to send."""

from __future__ import annotations

import pytest

from benchmarks.processes import NotRunError, Probe
from benchmarks.wrk import lua_text, parse, script_of


def figures(requests: int, duration_us: int, errors: int, latencies_us: tuple[int, int, int]) -> str:
    """The line that the script adds."""
    p50, p99, most = latencies_us
    return (
        f'figures {{"requests": {requests}, "duration_us": {duration_us}, "errors": {errors}, '
        f'"p50_us": {p50}, "p99_us": {p99}, "max_us": {most}}}\n'
    )


#: As wrk 4.1.0 printed it for a server that answered everything with 503.
REFUSED = """\
Running 1s test @ http://127.0.0.1:18098/a
  1 threads and 8 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency    68.56us  211.39us   4.52ms   98.17%
    Req/Sec   118.11k     9.18k  124.66k    90.00%
  Latency Distribution
     50%   47.00us
     75%   52.00us
     90%   61.00us
     99%  624.00us
  117237 requests in 1.00s, 19.90MB read
  Non-2xx or 3xx responses: 117237
Requests/sec: 117091.22
Transfer/sec:     19.88MB
"""
REFUSED += figures(117_237, 1_001_245, 117_237, (47, 624, 4521))


def test_figures_are_read_in_microseconds_and_given_in_milliseconds() -> None:
    load = parse(REFUSED)
    assert (load.requests, load.errors) == (117_237, 117_237)
    assert load.requests_per_s == pytest.approx(117_091.22, abs=0.01)
    assert (load.p50_ms, load.p99_ms, load.max_ms) == (0.047, 0.624, 4.521)


def test_a_second_keeps_its_milliseconds() -> None:
    output = "     99%    1.05s\n" + figures(9, 1, 0, (1049, 1_049_999, 9))
    assert parse(output).p99_ms == 1049.999


def test_output_without_figures_says_what_wrk_said() -> None:
    with pytest.raises(NotRunError, match="no figures: attempt to index a nil value"):
        parse("attempt to index a nil value\n")


def test_no_answer_at_all_is_not_a_measurement() -> None:
    line = (
        'figures {"requests": 0, "duration_us": 1000000, "errors": 64, "p50_us": 0, "p99_us": 0, "max_us": 0}'
    )
    with pytest.raises(NotRunError, match="no answer"):
        parse(line)


def test_a_single_request_is_set_once_and_several_are_sent_in_turn() -> None:
    one = script_of([Probe("/orders", "POST", '{"a": 1}', {"Content-Type": "application/json"})])
    assert 'wrk.method = "POST"' in one
    assert 'wrk.headers["Content-Type"] = "application/json"' in one
    assert 'wrk.body = "{\\034a\\034: 1}"' in one
    assert "request = function" not in one
    several = script_of([Probe("/a"), Probe("/b")])
    assert '{method = "GET", path = "/a", headers = {}, body = nil}' in several
    assert "request = function" in several
    assert "done = function" in one
    assert "done = function" in several


@pytest.mark.parametrize(
    ("text", "literal"),
    [("plain", '"plain"'), ('"\\\n', '"\\034\\092\\010"'), ("é1", '"\\195\\1691"')],
)
def test_any_text_is_a_lua_literal(text: str, literal: str) -> None:
    assert lua_text(text) == literal
