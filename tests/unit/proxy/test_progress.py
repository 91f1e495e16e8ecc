"""From monotonic times under way to the durations of an Exchange."""

from __future__ import annotations

from mockforge.clock import ManualClock
from mockforge.model.exchange import Exchange, Piece, Request, Response
from mockforge.proxy.body import body_of
from mockforge.proxy.head import RequestHead, read_answer_head
from mockforge.proxy.progress import PIECES_LIMIT, ExchangeInProgress, RunStart

HEAD = RequestHead(Request("GET", "/"), b"", 0, closes=False, upgrades=False, repeatable=True)
START = RunStart(now_ns=1_000, wall_ns=50_000)


def under_way() -> ExchangeInProgress:
    return ExchangeInProgress(HEAD, connection_id=5, arrived_ns=1_700, in_flight=2)


def ended(exchange: ExchangeInProgress) -> Exchange:
    return exchange.ended(START, 2_000, exchange.response)


def test_all_times_count_from_the_arrival_and_the_arrival_from_the_start() -> None:
    progress = under_way()
    progress.first_byte_ns = 1_900
    progress.connect_ns, progress.tls_ns = 33, 44
    progress.reads = [(1_900, 3, "response"), (1_950, 4, "response")]
    exchange = ended(progress)
    assert exchange.arrived_ns == 700
    assert exchange.wall_ns == 50_700
    assert exchange.ttfb_ns == 200
    assert exchange.total_ns == 300
    assert (exchange.connect_ns, exchange.tls_ns) == (33, 44)
    assert exchange.pieces == (Piece(200, 3, "response"), Piece(250, 4, "response"))
    assert (exchange.in_flight, exchange.connection_id) == (2, 5)
    assert exchange.error is None
    assert exchange.lateness_ns is None


def test_an_exchange_of_which_nothing_was_sent_has_no_first_byte() -> None:
    exchange = under_way().ended(START, 1_800, None, "caller: left")
    assert exchange.ttfb_ns is None
    assert exchange.response is None
    assert exchange.failed
    assert exchange.total_ns == 100


def test_the_answer_is_what_has_come_of_it() -> None:
    progress = under_way()
    assert progress.response is None
    progress.answer = read_answer_head(b"HTTP/1.1 200 Fine\r\nContent-Length: 5\r\n\r\n")
    assert progress.response == Response(200, progress.answer.headers, reason="Fine")
    progress.answer_body = body_of(5, limit=10)
    assert progress.answer_body
    progress.answer_body.feed(b"abc", 0)
    assert ended(progress).response == Response(200, progress.answer.headers, b"abc", reason="Fine")


def test_the_phase_is_how_far_an_exchange_has_come() -> None:
    progress = ExchangeInProgress(HEAD, connection_id=1)
    assert progress.phase == "send"
    progress.arrived_ns = 1
    assert progress.phase == "wait"
    progress.answer = read_answer_head(b"HTTP/1.1 200 OK\r\n\r\n")
    assert progress.phase == "body"


def test_a_timeline_has_an_end() -> None:
    progress = under_way()
    for _ in range(PIECES_LIMIT + 1):
        progress.note(1_800, 1, "response")
    assert len(ended(progress).pieces) == PIECES_LIMIT


def test_a_run_starts_on_both_clocks_at_once() -> None:
    assert RunStart.of(ManualClock(77)) == RunStart(77, 77)
