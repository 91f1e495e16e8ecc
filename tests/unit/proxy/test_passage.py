"""What passes between a caller and the target, and what is told of it: no sockets, and a time by hand."""

from __future__ import annotations

import pytest

from mockforge.model.exchange import Piece
from mockforge.proxy.failure import Failure
from mockforge.proxy.recorder import ProxyOptions
from tests.unit.proxy.harness import CONNECT_NS, GET, MS, OK, SENT_GET, DrivenProxy, websocket_frame

POST = b"POST /orders HTTP/1.1\r\nHost: proxy\r\nContent-Length: 6\r\n\r\n"
SENT_POST = POST.replace(b"Host: proxy", b"Host: there:9000")
UPGRADE = b"GET /feed HTTP/1.1\r\nHost: proxy\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
SWITCHING = b"HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"


def test_a_request_and_its_answer_pass_and_are_told_with_their_times() -> None:
    proxy = DrivenProxy()
    caller = proxy.caller()
    caller.say(GET)
    assert proxy.in_flight == 1
    assert proxy.target.got == SENT_GET
    proxy.advance(3 * MS)
    proxy.target.say(OK)
    assert caller.got == OK
    assert proxy.in_flight == 0
    (exchange,) = proxy.exchanges
    assert (exchange.arrived_ns, exchange.ttfb_ns, exchange.total_ns) == (0, 3 * MS, 3 * MS)
    assert (exchange.connect_ns, exchange.tls_ns, exchange.connection_id) == (CONNECT_NS, None, 1)
    assert exchange.request.target == "/orders/1"
    assert exchange.response
    assert (exchange.response.status, exchange.response.reason) == (200, "OK")
    assert (exchange.response.body, exchange.pieces, exchange.error) == (b"ok", (), None)


def test_a_small_request_and_a_small_answer_are_one_write_each() -> None:
    proxy = DrivenProxy()
    caller = proxy.caller()
    caller.say(POST + b"abcdef")
    proxy.target.say(OK)
    assert (proxy.target.transport.writes, caller.transport.writes) == (1, 1)


def test_an_upstream_connection_serves_its_callers_next_requests() -> None:
    proxy = DrivenProxy()
    caller = proxy.caller()
    for _ in range(3):
        caller.say(GET)
        proxy.target.say(OK)
    assert len(proxy.targets) == 1
    assert [exchange.connect_ns for exchange in proxy.exchanges] == [CONNECT_NS, None, None]


def test_each_caller_has_an_upstream_connection_and_a_number_of_its_own() -> None:
    proxy = DrivenProxy()
    for _ in range(2):
        proxy.caller().say(GET)
        proxy.target.say(OK)
    assert len(proxy.targets) == 2
    assert [exchange.connection_id for exchange in proxy.exchanges] == [1, 2]


def test_a_target_that_closed_between_two_requests_is_connected_to_again() -> None:
    proxy = DrivenProxy()
    caller = proxy.caller()
    caller.say(GET)
    proxy.target.say(OK)
    proxy.target.close()
    assert not caller.transport.ended
    caller.say(GET)
    proxy.target.say(OK)
    assert caller.got == OK + OK
    assert [exchange.connect_ns for exchange in proxy.exchanges] == [CONNECT_NS, CONNECT_NS]


def test_arrival_is_when_the_last_byte_came_and_the_head_waits_for_nothing_but_itself() -> None:
    proxy = DrivenProxy()
    caller = proxy.caller()
    caller.say(POST[:20])
    assert not proxy.targets
    proxy.advance(MS)
    caller.say(POST[20:] + b"abc")
    assert proxy.target.got == SENT_POST + b"abc"
    proxy.advance(MS)
    caller.say(b"def")
    proxy.advance(MS)
    proxy.target.say(OK)
    (exchange,) = proxy.exchanges
    assert (exchange.arrived_ns, exchange.total_ns) == (2 * MS, MS)
    assert exchange.request.body == b"abcdef"


def test_pipelined_requests_pass_at_once_and_are_answered_in_order() -> None:
    proxy = DrivenProxy()
    caller = proxy.caller()
    head, chunked = GET.replace(b"GET", b"HEAD"), POST.replace(b"Content-Length: 6", b"X-A: 1")
    caller.say(GET + head + chunked + GET)
    assert proxy.target.got == (GET + head + chunked + GET).replace(b"Host: proxy", b"Host: there:9000")
    assert proxy.in_flight == 4
    length = b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"
    proxy.target.say(OK + length + b"HTTP/1.1 204 No Content\r\n\r\n" + OK)
    assert caller.got == OK + length + b"HTTP/1.1 204 No Content\r\n\r\n" + OK
    assert [exchange.request.method for exchange in proxy.exchanges] == ["GET", "HEAD", "POST", "GET"]
    assert [exchange.in_flight for exchange in proxy.exchanges] == [0, 1, 2, 3]
    assert all(exchange.error is None for exchange in proxy.exchanges)


def test_requests_beyond_many_pipelined_ones_wait_and_none_is_lost() -> None:
    proxy = DrivenProxy()
    caller = proxy.caller()
    caller.say(GET * 100)
    assert proxy.target.got.count(b"GET") == 64
    assert not caller.transport.reading
    proxy.target.say(OK)
    assert proxy.target.got.count(b"GET") == 65
    for _ in range(99):
        proxy.target.say(OK)
    assert caller.transport.reading
    assert len(proxy.exchanges) == 100
    assert caller.got == OK * 100


def test_interim_answers_pass_and_the_first_byte_is_the_final_answers() -> None:
    proxy = DrivenProxy()
    caller = proxy.caller()
    caller.say(GET)
    hint = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    proxy.target.say(hint)
    assert caller.got == hint
    proxy.advance(MS)
    proxy.target.say(OK)
    (exchange,) = proxy.exchanges
    assert caller.got == hint + OK
    assert exchange.ttfb_ns == MS
    assert exchange.response
    assert exchange.response.status == 200


def test_a_held_back_body_is_asked_for_by_the_target_not_by_the_proxy() -> None:
    proxy = DrivenProxy()
    caller = proxy.caller()
    caller.say(POST.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"))
    assert b"Expect: 100-continue" in proxy.target.got
    assert caller.got == b""
    proxy.target.say(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert caller.got == b"HTTP/1.1 100 Continue\r\n\r\n"
    caller.say(b"abcdef")
    proxy.target.say(OK)
    (exchange,) = proxy.exchanges
    assert exchange.request.body == b"abcdef"


def test_an_answer_before_the_requests_end_counts_from_the_last_byte_before_it() -> None:
    proxy = DrivenProxy()
    caller = proxy.caller()
    caller.say(POST)
    proxy.advance(2 * MS)
    proxy.target.say(OK.replace(b"200 OK", b"413 No"))
    (exchange,) = proxy.exchanges
    assert (exchange.arrived_ns, exchange.total_ns, exchange.in_flight) == (0, 2 * MS, 0)
    caller.say(b"abcdef" + GET)
    proxy.target.say(OK)
    assert proxy.target.got == SENT_POST + b"abcdef" + SENT_GET
    assert [each.request.method for each in proxy.exchanges] == ["POST", "GET"]
    assert proxy.in_flight == 0


def test_the_rest_of_a_request_that_was_answered_early_is_not_sent_on_a_new_connection() -> None:
    proxy = DrivenProxy()
    caller = proxy.caller()
    caller.say(POST)
    proxy.target.say(OK)
    proxy.target.close()
    caller.say(b"abcdef")
    assert len(proxy.targets) == 1
    assert caller.transport.ended


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        (GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), OK),
        (GET, OK.replace(b"\r\n\r\n", b"\r\nconnection: Keep-Alive, Close\r\n\r\n")),
        (GET.replace(b"1.1", b"1.0"), OK),
        (GET, OK.replace(b"1.1", b"1.0")),
    ],
)
def test_an_end_that_either_side_announced_ends_both_connections(request_: bytes, answer: bytes) -> None:
    proxy = DrivenProxy()
    caller = proxy.caller()
    caller.say(request_)
    proxy.target.say(answer)
    assert caller.got == answer
    assert caller.transport.ended == "closed"
    assert proxy.target.transport.ended
    assert [exchange.error for exchange in proxy.exchanges] == [None]


def test_an_answer_without_a_length_ends_with_the_connection() -> None:
    proxy = DrivenProxy()
    caller = proxy.caller()
    caller.say(GET)
    proxy.target.say(b"HTTP/1.1 200 OK\r\n\r\nab", b"c")
    assert not proxy.exchanges
    proxy.target.close()
    (exchange,) = proxy.exchanges
    assert caller.got.endswith(b"abc")
    assert caller.transport.ended == "closed"
    assert exchange.response
    assert (exchange.response.body, exchange.error) == (b"abc", None)


def test_a_reset_within_an_answer_without_a_length_is_a_reset_for_the_caller_too() -> None:
    proxy = DrivenProxy()
    caller = proxy.caller()
    caller.say(GET)
    proxy.target.say(b"HTTP/1.1 200 OK\r\n\r\nab")
    proxy.target.close(ConnectionResetError())
    assert caller.transport.ended == "reset"
    assert [exchange.error for exchange in proxy.exchanges] == ["body: reset"]


def test_a_streamed_answer_passes_read_by_read_and_has_a_timeline() -> None:
    proxy = DrivenProxy()
    caller = proxy.caller()
    caller.say(GET)
    reads = [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"3\r\nabc\r\n",
        b"4\r\ndefg\r\n",
        b"0\r\nX-Sum: 7\r\n\r\n",
    ]
    for number, data in enumerate(reads):
        proxy.advance(MS)
        proxy.target.say(data)
        assert caller.got == b"".join(reads[: number + 1])
    (exchange,) = proxy.exchanges
    assert exchange.pieces == (Piece(2 * MS, 3, "response"), Piece(3 * MS, 4, "response"))
    assert (exchange.ttfb_ns, exchange.total_ns) == (MS, 4 * MS)
    assert exchange.response
    assert exchange.response.body == b"abcdefg"
    assert exchange.response.trailers.pairs == (("X-Sum", "7"),)


def test_a_body_above_the_limit_passes_and_is_counted() -> None:
    proxy = DrivenProxy(options=ProxyOptions(keep_body=4))
    caller = proxy.caller()
    caller.say(POST + b"abcdef")
    proxy.target.say(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", b"defghi")
    (exchange,) = proxy.exchanges
    assert (exchange.request.body, exchange.request.omitted) == (b"", 6)
    assert exchange.response
    assert (exchange.response.body, exchange.response.omitted) == (b"", 9)
    assert caller.got.endswith(b"abcdefghi")


# Failures


def test_a_target_that_cannot_be_connected_to_is_a_502_with_the_reason() -> None:
    proxy = DrivenProxy()
    proxy.accepts = False
    caller = proxy.caller()
    caller.say(GET)
    proxy.advance(MS)
    proxy.refuse(Failure("connect", "refused"))
    assert caller.got.startswith(b"HTTP/1.1 502 Bad Gateway\r\n")
    assert caller.got.endswith(b"mockforge: the target failed: connect: refused\n")
    (exchange,) = proxy.exchanges
    assert (exchange.error, exchange.total_ns, exchange.ttfb_ns) == ("connect: refused", MS, MS)
    assert exchange.response
    assert exchange.response.status == 502
    assert proxy.in_flight == 0


def test_the_502_to_a_head_request_has_no_body() -> None:
    proxy = DrivenProxy()
    proxy.accepts = False
    caller = proxy.caller()
    caller.say(GET.replace(b"GET", b"HEAD"))
    proxy.refuse(Failure("connect", "timeout"))
    assert caller.got.startswith(b"HTTP/1.1 504 Gateway Timeout\r\n")
    assert caller.got.endswith(b"\r\n\r\n")


def test_pipelined_requests_behind_a_failed_one_fail_with_it() -> None:
    proxy = DrivenProxy()
    proxy.accepts = False
    caller = proxy.caller()
    caller.say(GET + GET)
    proxy.refuse(Failure("connect", "refused"))
    assert [each.error for each in proxy.exchanges] == ["connect: refused"] * 2
    assert [each.response is None for each in proxy.exchanges] == [False, True]
    assert caller.got.count(b"HTTP/1.1") == 1
    assert proxy.in_flight == 0


@pytest.mark.parametrize(
    ("said", "error", "told"),
    [
        (b"", None, "wait: closed without an answer"),
        (b"HTTP/1.1 200 OK\r\nConte", None, "wait: closed without an answer"),
        (b"", ConnectionResetError(), "wait: reset"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", None, "wait: closed without an answer"),
    ],
)
def test_a_target_that_closes_without_an_answer_is_a_502(
    said: bytes, error: Exception | None, told: str
) -> None:
    proxy = DrivenProxy()
    caller = proxy.caller()
    caller.say(GET)
    if said:
        proxy.target.say(said)
    proxy.target.close(error)
    assert b"HTTP/1.1 502 Bad Gateway\r\n" in caller.got
    assert [exchange.error for exchange in proxy.exchanges] == [told]
    assert len(proxy.targets) == 1


@pytest.mark.parametrize(
    "said", [b"SSH-2.0-x\r\n", b"\x15\x03\x03", b"HTTP/1.1 OK\r\n\r\n", b"HTTP/2 200\r\n\r\n"]
)
def test_a_target_that_speaks_something_else_is_told_at_once(said: bytes) -> None:
    proxy = DrivenProxy()
    caller = proxy.caller()
    caller.say(GET)
    proxy.target.say(said)
    assert b"502" in caller.got
    assert [exchange.error for exchange in proxy.exchanges] == ["wait: not HTTP"]
    assert proxy.target.transport.ended


def test_contradicting_lengths_are_no_answer() -> None:
    proxy = DrivenProxy()
    caller = proxy.caller()
    caller.say(GET)
    proxy.target.say(OK.replace(b"\r\n\r\n", b"\r\nContent-Length: 3\r\n\r\n"))
    assert b"502" in caller.got
    assert [exchange.error for exchange in proxy.exchanges] == ["wait: not HTTP"]


def test_an_answer_that_goes_wrong_reaches_the_caller_as_it_is_and_is_cut() -> None:
    proxy = DrivenProxy()
    caller = proxy.caller()
    caller.say(GET)
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcdef\r\n"
    proxy.target.say(answer)
    assert caller.got == answer
    assert caller.transport.ended == "closed"
    (exchange,) = proxy.exchanges
    assert exchange.error == "body: not HTTP"


def test_a_target_that_fails_while_the_request_is_sent_failed_at_sending() -> None:
    proxy = DrivenProxy()
    caller = proxy.caller()
    caller.say(POST + b"abc")
    proxy.advance(MS)
    proxy.target.close(BrokenPipeError())
    assert b"the target failed: send: reset" in caller.got
    (exchange,) = proxy.exchanges
    assert (exchange.error, exchange.total_ns, exchange.request.body) == ("send: reset", MS, b"abc")
    assert proxy.in_flight == 0


def test_a_stale_connection_is_replaced_for_a_request_that_may_be_repeated() -> None:
    proxy = DrivenProxy()
    caller = proxy.caller()
    caller.say(GET)
    proxy.target.say(OK)
    caller.say(GET)
    proxy.target.close(ConnectionResetError())
    assert len(proxy.targets) == 2
    assert proxy.target.got == SENT_GET
    proxy.target.say(OK)
    assert [exchange.error for exchange in proxy.exchanges] == [None, None]
    assert proxy.in_flight == 0


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (POST + b"abcdef", b""),
        (GET.replace(b"GET", b"POST"), b""),
        (GET, b"HTTP/1.1 100 Continue\r\n\r\n"),
        (GET + GET, b""),
    ],
)
def test_any_other_request_is_sent_once(request_: bytes, said: bytes) -> None:
    proxy = DrivenProxy()
    caller = proxy.caller()
    caller.say(GET)
    proxy.target.say(OK)
    caller.say(request_)
    if said:
        proxy.target.say(said)
    proxy.target.close(ConnectionResetError())
    assert len(proxy.targets) == 1
    assert proxy.exchanges[1].error == "wait: reset"


def test_a_repeated_request_is_not_repeated_again() -> None:
    proxy = DrivenProxy()
    caller = proxy.caller()
    caller.say(GET)
    proxy.target.say(OK)
    caller.say(GET)
    proxy.target.close()
    proxy.target.close()
    assert len(proxy.targets) == 2
    assert proxy.exchanges[1].error == "wait: closed without an answer"


def test_more_than_was_asked_for_does_not_pass_and_ends_the_connection() -> None:
    proxy = DrivenProxy()
    caller = proxy.caller()
    caller.say(GET)
    proxy.target.say(OK + b"HTTP/1.1 200 OK\r\n")
    assert caller.got == OK
    assert caller.transport.ended == "closed"
    assert len(proxy.exchanges) == 1


def test_an_empty_line_behind_an_answer_is_no_surplus() -> None:
    proxy = DrivenProxy()
    caller = proxy.caller()
    caller.say(GET)
    proxy.target.say(OK + b"\r\n")
    caller.say(b"\r\n" + GET)
    proxy.target.say(OK)
    assert [exchange.error for exchange in proxy.exchanges] == [None, None]


@pytest.mark.parametrize(("begun", "error"), [(b"", "wait: timeout"), (OK[:-1], "body: timeout")])
def test_a_target_that_keeps_silent_too_long_fails(begun: bytes, error: str) -> None:
    proxy = DrivenProxy()
    caller = proxy.caller()
    caller.say(GET)
    if begun:
        proxy.target.say(begun)
    (passage,) = proxy._passages
    proxy.advance(5 * MS)
    passage.expire(proxy.now_ns(), 5 * MS)
    assert not proxy.exchanges
    proxy.advance(1)
    passage.expire(proxy.now_ns(), 5 * MS)
    assert [exchange.error for exchange in proxy.exchanges] == [error]
    assert (b"HTTP/1.1 504" in caller.got) == (not begun)
    assert caller.transport.ended


def test_a_slow_caller_is_not_the_targets_fault() -> None:
    proxy = DrivenProxy()
    uploading, reading = proxy.caller(), proxy.caller()
    uploading.say(POST)
    reading.say(GET)
    reading.transport.room = 1
    proxy.target.say(OK[:-1])
    proxy.advance(100 * MS)
    for passage in list(proxy._passages):
        passage.expire(proxy.now_ns(), MS)
    assert not proxy.exchanges


def test_a_target_that_does_not_read_on_fails_at_sending() -> None:
    proxy = DrivenProxy()
    caller = proxy.caller()
    caller.say(POST)
    proxy.target.transport.room = 1
    caller.say(b"abc")
    proxy.advance(2 * MS)
    (passage,) = proxy._passages
    passage.expire(proxy.now_ns(), MS)
    assert [exchange.error for exchange in proxy.exchanges] == ["send: timeout"]


# Callers that leave, and the end


def test_a_caller_that_leaves_is_told_with_its_age_and_the_target_is_let_go() -> None:
    proxy = DrivenProxy()
    caller = proxy.caller()
    caller.say(GET)
    proxy.advance(9 * MS)
    caller.leave()
    (exchange,) = proxy.exchanges
    assert (exchange.error, exchange.response, exchange.total_ns) == ("caller: left", None, 9 * MS)
    assert proxy.target.transport.ended == "aborted"
    assert (proxy.in_flight, proxy._passages) == (0, set())


def test_a_caller_that_leaves_within_its_answer_is_told_with_what_it_got() -> None:
    proxy = DrivenProxy()
    caller = proxy.caller()
    caller.say(GET)
    proxy.target.say(OK[:-1])
    caller.leave()
    (exchange,) = proxy.exchanges
    assert exchange.error == "caller: left"
    assert exchange.response
    assert exchange.response.body == b"o"


def test_a_caller_that_leaves_while_the_target_is_connected_to_gives_that_up() -> None:
    proxy = DrivenProxy()
    proxy.accepts = False
    caller = proxy.caller()
    caller.say(GET)
    caller.leave()
    assert proxy.asked[0].cancelled
    assert [exchange.error for exchange in proxy.exchanges] == ["caller: left"]


def test_a_caller_that_leaves_before_its_request_is_whole_is_no_exchange() -> None:
    proxy = DrivenProxy()
    caller = proxy.caller()
    caller.say(POST + b"abc")
    caller.leave()
    assert not proxy.exchanges
    assert proxy.target.transport.ended


def test_a_request_that_cannot_be_followed_is_refused_after_those_before_it() -> None:
    proxy = DrivenProxy()
    caller = proxy.caller()
    caller.say(GET + b"what is this?\r\n\r\n" + GET)
    assert caller.got == b""
    proxy.target.say(OK)
    assert caller.got.startswith(OK + b"HTTP/1.1 400 Bad Request\r\n")
    assert len(proxy.exchanges) == 1
    assert proxy.target.got == SENT_GET


def test_a_body_that_goes_wrong_is_refused_and_the_target_let_go() -> None:
    proxy = DrivenProxy()
    caller = proxy.caller()
    chunked = POST.replace(b"Content-Length: 6", b"Transfer-Encoding: chunked")
    caller.say(chunked + b"3\r\nabc\r\n", b"nonsense\r\n")
    assert caller.got.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert proxy.target.transport.ended
    assert not proxy.exchanges
    assert proxy.in_flight == 0


# Back-pressure


def test_a_caller_that_reads_slowly_slows_the_target_and_ends_when_it_has_read() -> None:
    proxy = DrivenProxy()
    caller = proxy.caller()
    caller.say(GET)
    caller.transport.room = 10
    proxy.target.say(OK)
    assert not proxy.target.transport.reading
    assert not proxy.exchanges
    proxy.advance(4 * MS)
    caller.transport.drain()
    assert proxy.target.transport.reading
    (exchange,) = proxy.exchanges
    assert (exchange.ttfb_ns, exchange.total_ns) == (0, 4 * MS)


def test_a_caller_that_leaves_without_reading_the_end_has_left() -> None:
    proxy = DrivenProxy()
    caller = proxy.caller()
    caller.say(GET)
    caller.transport.room = 10
    proxy.target.say(OK)
    caller.leave()
    assert [exchange.error for exchange in proxy.exchanges] == ["caller: left"]
    assert proxy.in_flight == 0


def test_a_target_that_reads_slowly_slows_the_caller() -> None:
    proxy = DrivenProxy()
    caller = proxy.caller()
    caller.say(POST)
    proxy.target.transport.room = 1
    caller.say(b"abc")
    assert not caller.transport.reading
    proxy.target.transport.drain()
    assert caller.transport.reading


def test_much_that_comes_before_the_target_is_connected_to_is_not_read() -> None:
    proxy = DrivenProxy()
    proxy.accepts = False
    caller = proxy.caller()
    large = POST.replace(b": 6", b": 200000")
    caller.say(large, bytes(100_000))
    assert not caller.transport.reading
    proxy.accept()
    assert caller.transport.reading
    caller.say(bytes(100_000))
    assert proxy.target.got.partition(b"\r\n\r\n")[2] == bytes(200_000)


# Other protocols


def test_after_a_101_both_directions_are_raw_and_frames_are_timed() -> None:
    proxy = DrivenProxy()
    caller = proxy.caller()
    caller.say(UPGRADE)
    proxy.advance(MS)
    proxy.target.say(SWITCHING + websocket_frame(b"hello"))
    assert proxy.in_flight == 0
    proxy.advance(MS)
    said = websocket_frame(b"x" * 300, masked=True)
    caller.say(said[:9], said[9:])
    assert caller.got == SWITCHING + websocket_frame(b"hello")
    assert proxy.target.got.endswith(said)
    proxy.advance(MS)
    proxy.target.close()
    (exchange,) = proxy.exchanges
    assert exchange.pieces == (Piece(MS, 5, "frame-out"), Piece(2 * MS, 300, "frame-in"))
    assert (exchange.error, exchange.ttfb_ns, exchange.total_ns) == (None, MS, 3 * MS)
    assert exchange.response
    assert (exchange.response.status, exchange.response.body) == (101, b"")
    assert caller.transport.ended == "closed"


def test_a_switched_connection_that_the_caller_ends_has_ended_well() -> None:
    proxy = DrivenProxy()
    caller = proxy.caller()
    caller.say(UPGRADE)
    proxy.target.say(SWITCHING)
    caller.leave()
    assert [exchange.error for exchange in proxy.exchanges] == [None]
    assert proxy.in_flight == 0


def test_what_follows_a_wish_for_another_protocol_waits_for_the_answer() -> None:
    proxy = DrivenProxy()
    caller = proxy.caller()
    caller.say(UPGRADE + websocket_frame(b"early"))
    assert proxy.target.got.endswith(b"\r\n\r\n")
    proxy.target.say(SWITCHING)
    assert proxy.target.got.endswith(websocket_frame(b"early"))
    caller.leave()
    assert [piece.size for piece in proxy.exchanges[0].pieces] == [5]


def test_a_wish_for_another_protocol_that_is_declined_leaves_http() -> None:
    proxy = DrivenProxy()
    caller = proxy.caller()
    caller.say(UPGRADE + GET)
    proxy.target.say(OK)
    assert proxy.target.got.endswith(SENT_GET)
    proxy.target.say(OK)
    assert caller.got == OK + OK
    assert [exchange.error for exchange in proxy.exchanges] == [None, None]
