"""An upstream's answers: asked for in their turn, given when due, and as fast as the caller reads."""

from __future__ import annotations

import pytest

from mockforge.forwarding.proxied import forward_all
from mockforge.model.forwarding import ProxyDefinition
from mockforge.model.headers import Headers
from mockforge.model.service import Capacity
from mockforge.model.stub import Stub
from mockforge.model.upstream import UpstreamHead
from mockforge.server.run_record import exchange_of
from mockforge.server.upstream_answer import KEPT_BODY
from mockforge.targets import parse_target
from tests.unit.server.harness import MS, START, Mock, get, statuses, stub

UPSTREAM = "http://real:9000"


def passed_on(path: str = "/p", delay_ms: float = 0, **proxy: object) -> Stub:
    definition = ProxyDefinition(UPSTREAM, **proxy)  # type: ignore[arg-type]
    return stub(path, delay_ms, body=None, proxy=definition)


def proxying(*stubs: Stub, **options: object) -> Mock:
    return Mock(stubs or (passed_on(), stub("/a")), **options)  # type: ignore[arg-type]


def test_the_upstream_answers() -> None:
    mock = proxying()
    caller = mock.connect()
    caller.send(get("/p?x=1", "X-Id: 7"))
    (call,) = mock.upstream.calls
    assert call.request.url == "http://real:9000/p?x=1"
    assert (call.header("Host"), call.header("X-Id")) == ("real:9000", "7")
    assert caller.received() == b""
    call.answer(b"hello", 201, ("X-Real", "yes"), ("Connection", "X-Hop"), ("X-Hop", "1"))
    assert caller.received() == b"HTTP/1.1 201 Fine\r\nX-Real: yes\r\nContent-Length: 5\r\n\r\nhello"


def test_an_answer_that_came_in_one_read_goes_out_in_one_write() -> None:
    mock = proxying()
    caller = mock.connect()
    caller.send(get("/p"))
    mock.upstream.calls[0].answer(b"hello")
    assert len(caller.transport.written) == 1


def test_the_delay_counts_from_arrival_and_not_from_the_upstreams_answer() -> None:
    mock = proxying(passed_on(delay_ms=20))
    caller = mock.connect()
    caller.send(get("/p"))
    mock.advance(15)
    mock.upstream.calls[0].answer(b"early")
    assert caller.received() == b""
    mock.advance(5)
    assert caller.received().endswith(b"early")
    assert mock.served() == [("/p", 20, 20)]


def test_an_upstream_that_is_later_than_the_delay_is_not_the_mocks_lateness() -> None:
    mock = proxying(passed_on(delay_ms=20))
    caller = mock.connect()
    caller.send(get("/p"))
    mock.advance(50)
    assert caller.received() == b""
    mock.upstream.calls[0].answer(b"late")
    assert caller.received().endswith(b"late")
    assert mock.served() == [("/p", 50, 50)]


def test_the_event_says_where_the_request_went_and_what_came() -> None:
    mock = proxying()
    caller = mock.connect()
    caller.send(get("/p"))
    mock.advance(3)
    call = mock.upstream.calls[0]
    call.begin(length=4)
    mock.advance(2)
    call.say(b"body")
    call.end()
    (event,) = mock.events()
    assert event.stub == "/p"
    assert (event.response.status, event.response.body) == (200, b"body")
    told = event.forwarded
    assert told is not None
    assert told.url == "http://real:9000/p"
    assert told.first_byte_ns == START + 3 * MS
    assert told.end_ns == START + 5 * MS
    assert (told.connect_ns, told.body_bytes, told.error) == (5, 4, None)


def test_what_no_stub_matches_goes_on_to_the_fallback() -> None:
    mock = proxying(stub("/a"), fallback=forward_all(parse_target("http://real:9000/base")))
    caller = mock.connect()
    caller.send(get("/a"))
    assert statuses(caller.received()) == [200]
    caller.send(get("/b"))
    mock.upstream.calls[0].answer(b"real")
    assert mock.upstream.calls[0].request.url == "http://real:9000/base/b"
    assert caller.received().endswith(b"real")
    assert mock.journal.unmatched == 1


def test_answers_stay_in_the_order_of_their_requests() -> None:
    mock = proxying()
    caller = mock.connect()
    caller.send(get("/p") + get("/a") + get("/p"))
    assert len(mock.upstream.calls) == 1, "the second is asked for in its turn"
    mock.upstream.calls[0].answer(b"1")
    assert caller.received().count(b"HTTP/1.1 200") == 2
    mock.upstream.calls[1].answer(b"3")
    assert caller.received().endswith(b"3")


def test_a_body_of_unknown_length_is_chunked() -> None:
    mock = proxying()
    caller = mock.connect()
    caller.send(get("/p"))
    call = mock.upstream.calls[0]
    call.begin()
    assert caller.received() == b"HTTP/1.1 200 Fine\r\nTransfer-Encoding: chunked\r\n\r\n"
    call.say(b"one")
    assert caller.received() == b"3\r\none\r\n"
    call.sink.on_end(Headers((("X-Sum", "9"),)))
    assert caller.received() == b"0\r\nX-Sum: 9\r\n\r\n"
    assert caller.is_open


@pytest.mark.parametrize("fields", [(), ("Connection: keep-alive",)])
def test_an_older_caller_gets_a_body_of_unknown_length_up_to_the_end(fields: tuple[str, ...]) -> None:
    mock = proxying()
    caller = mock.connect()
    caller.send(get("/p", *fields, version="1.0"))
    call = mock.upstream.calls[0]
    call.begin()
    call.say(b"one")
    call.end()
    assert caller.received() == b"HTTP/1.1 200 Fine\r\nConnection: close\r\n\r\none"
    assert not caller.is_open


def test_an_answer_to_head_keeps_the_length_and_has_no_body() -> None:
    mock = proxying()
    caller = mock.connect()
    caller.send(get("/p", method="HEAD"))
    call = mock.upstream.calls[0]
    call.begin(length=5)
    call.end()
    assert caller.received() == b"HTTP/1.1 200 Fine\r\nContent-Length: 5\r\n\r\n"


def test_early_hints_go_on_and_a_continue_does_not() -> None:
    mock = proxying()
    caller = mock.connect()
    caller.send(get("/p"))
    sink = mock.upstream.calls[0].sink
    sink.on_interim(UpstreamHead(100, "Continue", Headers(), None))
    sink.on_read()
    assert caller.received() == b""
    sink.on_interim(UpstreamHead(103, "Early Hints", Headers((("Link", "</a>"),)), None))
    sink.on_read()
    assert caller.received() == b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"


def test_a_caller_that_does_not_read_stops_the_upstream() -> None:
    mock = proxying()
    caller = mock.connect()
    caller.transport.room = 1_000
    caller.send(get("/p"))
    call = mock.upstream.calls[0]
    call.begin(length=2_000)
    call.say(b"x" * 1_500)
    assert call.paused
    call.say(b"x" * 500)
    call.end()
    assert len(mock.events()) == 0
    caller.transport.drain()
    assert len(caller.received()) > 2_000
    assert len(mock.events()) == 1


def test_little_is_taken_of_an_answer_that_is_not_due() -> None:
    mock = proxying(passed_on(delay_ms=20))
    caller = mock.connect()
    caller.send(get("/p"))
    call = mock.upstream.calls[0]
    call.begin(length=600_000)
    call.say(b"x" * 300_000)
    assert call.paused
    mock.advance(20)
    assert not call.paused


def test_a_caller_that_leaves_cancels_the_request() -> None:
    mock = proxying()
    caller = mock.connect()
    caller.send(get("/p"))
    caller.leave()
    assert mock.upstream.calls[0].cancelled
    (event,) = mock.events()
    assert event.caller_left
    assert event.forwarded is not None
    assert event.forwarded.error == "caller: left"
    assert mock.lane.in_flight == 0


@pytest.mark.parametrize(("status", "what"), [(502, "connect: refused"), (504, "wait: timeout")])
def test_an_upstream_that_fails_is_told_to_the_caller(status: int, what: str) -> None:
    mock = proxying()
    caller = mock.connect()
    caller.send(get("/p"))
    mock.upstream.calls[0].sink.on_failure(status, what)
    answer = caller.received()
    assert statuses(answer) == [status]
    assert answer.endswith(f"mockforge: no answer from http://real:9000/p: {what}\n".encode())
    assert caller.is_open
    (event,) = mock.events()
    assert event.forwarded is not None
    assert event.forwarded.error == what


def test_an_answer_that_breaks_off_ends_the_connection() -> None:
    mock = proxying()
    caller = mock.connect()
    caller.send(get("/p"))
    call = mock.upstream.calls[0]
    call.begin(length=10)
    call.say(b"half")
    call.sink.on_failure(502, "body: reset")
    assert caller.received().endswith(b"half")
    assert caller.transport.aborted
    caller.leave()
    (event,) = mock.events()
    assert event.broken == "body: reset"
    exchange = exchange_of(event, START)
    assert (exchange.response, exchange.error) == (None, "body: reset")


def test_the_last_answer_before_the_servers_end_says_that_the_connection_closes() -> None:
    mock = proxying()
    caller = mock.connect()
    caller.send(get("/p"))
    caller.protocol.shutdown()
    mock.upstream.calls[0].answer(b"bye")
    assert b"Connection: close" in caller.received()
    assert not caller.is_open


def test_an_answer_that_breaks_off_before_it_is_due_is_a_502() -> None:
    mock = proxying(passed_on(delay_ms=20))
    caller = mock.connect()
    caller.send(get("/p"))
    call = mock.upstream.calls[0]
    call.begin(length=10)
    call.say(b"half")
    call.sink.on_failure(502, "body: reset")
    mock.advance(20)
    assert statuses(caller.received()) == [502]
    (event,) = mock.events()
    assert event.broken is None, "the caller got a whole answer, if not the upstream's"


def test_a_request_that_comes_back_is_refused() -> None:
    mock = proxying()
    caller = mock.connect()
    caller.send(get("/p"))
    via = mock.upstream.calls[0].header("Via")
    mock.upstream.calls[0].answer()
    caller.received()
    caller.send(get("/p", f"Via: 1.1 another, {via}"))
    answer = caller.received()
    assert statuses(answer) == [508]
    assert b"leads back to this mock" in answer
    assert len(mock.upstream.calls) == 1


def test_a_request_that_another_proxy_passed_on_goes_on() -> None:
    mock = proxying()
    caller = mock.connect()
    caller.send(get("/p", "Via: 1.1 another"))
    assert len(mock.upstream.calls) == 1


def test_a_pool_holds_a_proxied_answer_back() -> None:
    mock = proxying(passed_on(delay_ms=10), capacity=Capacity(servers=1))
    callers = [mock.connect(), mock.connect()]
    for caller in callers:
        caller.send(get("/p"))
    for call in mock.upstream.calls:
        call.answer(b"x")
    mock.advance(10)
    assert [bool(caller.received()) for caller in callers] == [True, False]
    mock.advance(10)
    assert callers[1].received()


def test_a_full_pool_refuses_without_asking_the_upstream() -> None:
    mock = proxying(passed_on(delay_ms=10), capacity=Capacity(servers=1, queue_limit=0))
    callers = [mock.connect(), mock.connect()]
    for caller in callers:
        caller.send(get("/p"))
    assert statuses(callers[1].received()) == [503]
    assert len(mock.upstream.calls) == 1


def test_a_body_above_what_is_kept_passes_and_only_its_size_is_told() -> None:
    mock = proxying()
    caller = mock.connect()
    caller.send(get("/p"))
    call = mock.upstream.calls[0]
    size = KEPT_BODY + 1
    call.begin(length=size)
    call.say(b"x" * size)
    call.end()
    assert len(caller.received()) > size
    (event,) = mock.events()
    assert (event.response.body, event.response.elsewhere) == (b"", size)
    assert event.forwarded is not None
    assert event.forwarded.body_bytes == size
