"""HTTP/1.1 as the fast lane speaks it: one connection, read by read."""

from __future__ import annotations

import logging

import pytest

from mockforge.model.stub import Body, RequestPattern, ResponseDefinition, Stub, UrlPattern, ValuePattern
from mockforge.server.lane import Limits
from tests.unit.server.harness import MS, START, Mock, Wire, bodies, get, statuses, stub

CHUNKED = "Transfer-Encoding: chunked"
SMALL = Limits(body=1_000, target=200, head=1_000, pipelined=4)


def wire(limits: Limits | None = None) -> Wire:
    return Mock(limits=limits).connect()


def ask(*data: bytes, limits: Limits | None = None) -> tuple[list[int], bool]:
    """The statuses that come back for these reads, and whether the connection is still open."""
    connection = wire(limits)
    connection.send(*data)
    return statuses(connection.received()), connection.is_open


def targets(connection: Wire) -> list[str]:
    return [event.request.target for event in connection.mock.events()]


# Requests


def test_a_request_is_answered_in_the_read_that_completes_it() -> None:
    connection = wire()
    connection.send(get("/a"))
    assert connection.received() == b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n/a"
    assert connection.is_open


@pytest.mark.parametrize("size", [1, 2, 7, 40])
def test_a_request_may_come_in_pieces_of_any_size(size: int) -> None:
    data = get("/a", "X-Long: " + "x" * 50, method="POST", body=b"hello") + get("/b")
    connection = wire()
    connection.send(*(data[at : at + size] for at in range(0, len(data), size)))
    assert bodies(connection.received()) == [b"/a", b"/b"]
    (first, second) = connection.mock.events()
    assert (first.request.method, first.request.body) == ("POST", b"hello")
    assert first.request.headers.get("x-long") == "x" * 50
    assert (second.request.method, second.request.body) == ("GET", b"")


def test_a_request_arrives_with_its_last_byte() -> None:
    connection = wire()
    data = get("/slow", body=b"hello")
    connection.send(data[:-1])
    connection.mock.advance(30)
    connection.send(data[-1:])
    connection.mock.advance(20)
    assert connection.mock.served() == [("/slow", 50, 50)]


def test_the_same_bytes_are_the_same_request_decided_anew() -> None:
    mock = Mock((stub("/a"), stub("/b")))
    first, second = mock.connect(), mock.connect()
    for connection in (first, second, first):
        connection.send(get("/a", "X-Id: 7", body=b"{}"))
        mock.advance(1)
    assert [event.plan.arrived_ns for event in mock.events()] == [START, START + MS, START + 2 * MS]
    assert {event.request.body for event in mock.events()} == {b"{}"}
    assert {event.request.headers.get("X-Id") for event in mock.events()} == {"7"}


@pytest.mark.parametrize(
    "data",
    [
        get("/a") + get("/__admin/health"),
        get("/__admin/health") + get("/a"),
        get("/a") + get("/b"),
        get("/a") + get("/b")[:-1],
        get("/a", "Connection: Upgrade", "Upgrade: h2c"),
        get("/a", "Connection: keep-alive", version="1.0"),
    ],
    ids=["before admin", "after admin", "two", "one and a half", "upgrade", "1.0"],
)
def test_only_bytes_that_are_one_request_are_known_again(data: bytes) -> None:
    mock = Mock()
    mock.connect().send(data)
    mock.loop.run_tasks()
    assert mock.lane.known == {}


def test_known_bytes_in_the_middle_of_a_body_are_its_body() -> None:
    connection = wire()
    connection.send(get("/a"))
    connection.send(get("/b", f"Content-Length: {len(get('/a'))}"), get("/a"))
    assert targets(connection) == ["/a", "/b"]
    assert connection.mock.events()[1].request.body == get("/a")


def test_empty_lines_before_a_request_are_overlooked() -> None:
    assert ask(b"\r\n\r\n" + get("/a") + b"\r\n" + get("/b")) == ([200, 200], True)


@pytest.mark.parametrize(
    ("sent", "target"),
    [
        ("http://mock/a?x=1", "/a?x=1"),
        ("http://user:password@mock:8080/a", "/a"),
        ("HTTPS://mock/a", "/a"),
        ("http://mock", "/"),
        ("http://mock?x=/1", "/?x=/1"),
        ("/a?to=http://other/b", "/a?to=http://other/b"),
        ("//mock/a", "//mock/a"),
    ],
)
def test_a_target_is_matched_by_its_path_whatever_its_form(sent: str, target: str) -> None:
    connection = wire()
    connection.send(get(sent, method="OPTIONS"))
    assert targets(connection) == [target]
    assert connection.is_open


def test_the_options_of_the_whole_server_are_no_request_of_the_service() -> None:
    connection = wire()
    connection.send(get("/slow") + get("*", method="OPTIONS") + get("/a"))
    connection.mock.advance(20)
    connection.mock.loop.run_tasks()
    assert statuses(connection.received()) == [200, 204, 200]
    assert targets(connection) == ["/slow", "/a"]


def test_a_target_that_is_not_ascii_is_malformed() -> None:
    assert ask("GET /grüße HTTP/1.1\r\nHost: mock\r\n\r\n".encode()) == ([400], False)


# Bodies


@pytest.mark.parametrize("together", [True, False])
def test_a_chunked_body_is_put_together_and_its_trailers_are_no_headers(together: bool) -> None:
    pieces = [
        get("/a", CHUNKED, "Trailer: X-Sum"),
        b"5;note=1\r\nhello\r\n",
        b"7\r\n, world\r\n",
        b"0\r\nX-Sum: 12\r\nX-Tenant: evil\r\n\r\n",
        get("/b", "X-Tenant: acme"),
    ]
    connection = wire()
    connection.send(*([b"".join(pieces)] if together else pieces))
    first, second = connection.mock.events()
    assert first.request.body == b"hello, world"
    assert [name for name, _ in first.request.headers] == ["Host", "Transfer-Encoding", "Trailer"]
    assert second.request.headers.get("X-Tenant") == "acme"


def test_a_body_in_many_small_chunks_arrives_whole() -> None:
    connection = wire()
    connection.send(get("/a", CHUNKED), *(b"1\r\n%c\r\n" % (65 + n % 26) for n in range(500)), b"0\r\n\r\n")
    assert len(connection.mock.events()[0].request.body) == 500


# Keeping and closing


@pytest.mark.parametrize(
    ("version", "field", "said", "stays"),
    [
        ("1.1", None, None, True),
        ("1.1", "Connection: keep-alive", None, True),
        ("1.1", "Connection: close", b"close", False),
        ("1.1", "connection: Keep-Alive, Close", b"close", False),
        ("1.0", None, b"close", False),
        ("1.0", "Connection: close", b"close", False),
        ("1.0", "Connection: Keep-Alive", b"keep-alive", True),
    ],
)
@pytest.mark.parametrize("path", ["/a", "/slow", "/large"])
def test_the_connection_stays_or_closes_as_its_caller_wishes_and_the_answer_says_so(
    version: str, field: str | None, said: bytes | None, stays: bool, path: str
) -> None:
    connection = wire()
    connection.send(get(path, *([field] if field else []), version=version))
    connection.mock.advance(20)
    answer = connection.received()
    assert statuses(answer) == [200]
    assert (b"Connection: " in answer) == (said is not None)
    assert said is None or b"Connection: %s\r\n" % said in answer
    assert connection.is_open == stays


def test_http_1_0_and_1_1_may_take_turns_on_a_connection() -> None:
    connection = wire()
    connection.send(get("/a", "Connection: keep-alive", version="1.0"), get("/a"), get("/b", version="1.0"))
    assert statuses(connection.received()) == [200, 200, 200]
    assert not connection.is_open


def test_chunks_from_a_caller_of_http_1_0_end_the_connection() -> None:
    connection = wire()
    data = get("/a", "Connection: keep-alive", CHUNKED, version="1.0") + b"0\r\n\r\n" + get("/b")
    connection.send(data)
    assert statuses(connection.received()) == [200]
    assert not connection.is_open


@pytest.mark.parametrize("path", ["/a", "/slow", "/__admin/health"])
def test_nothing_is_served_after_the_request_that_was_to_be_the_last(path: str) -> None:
    connection = wire()
    connection.send(get(path, "Connection: close") + get("/b"), get("/b"))
    connection.mock.advance(20)
    connection.mock.loop.run_tasks()
    assert statuses(connection.received()) == [200]
    assert "/b" not in targets(connection)
    assert not connection.is_open


# Pipelines


def test_pipelined_requests_are_answered_in_order_though_their_delays_differ() -> None:
    connection = wire()
    connection.send(get("/slower") + get("/a") + get("/slow") + get("/b"))
    connection.mock.advance(49)
    assert connection.received() == b""
    connection.mock.advance(1)
    assert bodies(connection.received()) == [b"/slower", b"/a", b"/slow", b"/b"]
    assert connection.mock.served() == [
        ("/slower", 50, 50),
        ("/a", 50, 50),
        ("/slow", 50, 50),
        ("/b", 50, 50),
    ]


@pytest.mark.parametrize("again", [False, True])
def test_a_connection_is_not_read_on_while_too_many_answers_are_owed(again: bool) -> None:
    connection = wire(SMALL)
    for _ in range(4):
        assert connection.transport.reading
        connection.send(get("/slow") if again else get("/slow", f"X: {len(targets(connection))}"))
    assert not connection.transport.reading
    connection.mock.advance(20)
    assert len(bodies(connection.received())) == 4
    assert connection.transport.reading


def test_admin_requests_are_answered_in_their_turn() -> None:
    connection = wire()
    connection.send(get("/slow") + get("/__admin/health?verbose=1") + get("/a"))
    connection.mock.loop.run_tasks()
    assert connection.received() == b""
    connection.mock.advance(20)
    assert bodies(connection.received()) == [b"/slow"]
    connection.mock.loop.run_tasks()
    admin, behind = bodies(connection.received())
    assert b"healthy" in admin
    assert behind == b"/a"
    assert targets(connection) == ["/slow", "/a"]
    assert connection.is_open


@pytest.mark.parametrize(
    ("target", "version", "fields"),
    [
        ("/__admin/health", "1.0", ["Connection: keep-alive"]),
        ("/__admin/health", "1.1", ["Connection: close"]),
        ("http://mock/__admin/h%65alth?x", "1.1", ["Connection: close"]),
    ],
)
def test_an_admin_request_may_end_its_connection(target: str, version: str, fields: list[str]) -> None:
    connection = wire()
    connection.send(get(target, *fields, version=version))
    connection.mock.loop.run_tasks()
    answer = connection.received()
    assert b"healthy" in answer
    assert b"connection: close" in answer
    assert not connection.is_open


# Expect: 100-continue


def expecting(path: str = "/a", length: int = 5, *, version: str = "1.1") -> bytes:
    return get(path, "Expect: 100-Continue", f"Content-Length: {length}", version=version)


def test_a_caller_that_holds_its_body_back_is_asked_for_it() -> None:
    connection = wire()
    connection.send(expecting())
    assert connection.received() == b"HTTP/1.1 100 Continue\r\n\r\n"
    connection.send(b"hello")
    assert bodies(connection.received()) == [b"/a"]


def test_it_is_asked_for_only_when_it_is_its_turn() -> None:
    connection = wire()
    connection.send(get("/slow"), expecting())
    assert connection.received() == b""
    connection.mock.advance(20)
    assert statuses(connection.received()) == [200, 100]
    connection.send(b"hello")
    assert statuses(connection.received()) == [200]
    assert connection.mock.events()[1].lateness_ns == 0


@pytest.mark.parametrize("ahead", [True, False])
def test_a_body_that_came_at_once_is_not_asked_for(ahead: bool) -> None:
    connection = wire()
    if ahead:
        connection.send(get("/slow"))
    connection.send(expecting() + b"hel", b"lo")
    connection.mock.advance(20)
    assert 100 not in statuses(connection.received())
    assert connection.mock.events()[-1].request.body == b"hello"


def test_a_caller_of_http_1_0_is_never_asked() -> None:
    assert ask(expecting(version="1.0"), b"hello") == ([200], False)


def test_a_body_that_is_too_large_is_never_asked_for() -> None:
    assert ask(expecting(length=1_001), limits=SMALL) == ([413], False)


# Upgrades


@pytest.mark.parametrize("protocol", ["h2c", "websocket"])
def test_a_wish_for_another_protocol_is_overlooked(protocol: str) -> None:
    connection = wire()
    fields = ("Connection: Upgrade, HTTP2-Settings", f"Upgrade: {protocol}", "HTTP2-Settings: AAEAAEAA")
    connection.send(get("/a", *fields), get("/slow", *fields, method="POST", body=b"hello") + get("/b"))
    connection.mock.advance(20)
    assert bodies(connection.received()) == [b"/a", b"/slow", b"/b"]
    assert [event.request.body for event in connection.mock.events()] == [b"", b"hello", b""]
    assert connection.is_open


@pytest.mark.parametrize("size", [1, 13, 200])
def test_it_is_overlooked_in_any_number_of_pieces(size: int) -> None:
    fields = ("Upgrade: h2c", "Connection: Upgrade", CHUNKED)
    data = (get("/a", *fields) + b"5\r\nhello\r\n0\r\n\r\n") * 3
    connection = wire()
    connection.send(*(data[at : at + size] for at in range(0, len(data), size)))
    assert statuses(connection.received()) == [200] * 3
    assert [event.request.body for event in connection.mock.events()] == [b"hello"] * 3


def test_thousands_of_upgrades_may_come_in_one_read() -> None:
    connection = wire()
    connection.send(get("/a", "Upgrade: h2c", "Connection: Upgrade") * 3_000)
    assert len(statuses(connection.received())) == 3_000


def test_a_tunnel_is_not_served() -> None:
    assert ask(b"CONNECT other:443 HTTP/1.1\r\nHost: other\r\n\r\n\x16\x03\x01") == ([501], False)


# Refusals


@pytest.mark.parametrize(
    "data",
    [
        b"PRI / HTTP/1.1\r\nHost: mock\r\n\r\n",
        b"F(O / HTTP/1.1\r\nHost: mock\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01",
        b"GET / HTTP/1.9\r\nHost: mock\r\n\r\n",
        b"GET / FTP/1.1\r\nHost: mock\r\n\r\n",
        b"GET /a b HTTP/1.1\r\nHost: mock\r\n\r\n",
        get("/a", "Bad Name: x"),
        get("/a", "Bad\x00Value: x"),
        get("/a", "X: a\x01b"),
        get("/a", " folded"),
        get("/a", "Content-Length: abc"),
        get("/a", "Content-Length: -1"),
        get("/a", "Content-Length: +1"),
        get("/a", "Content-Length:"),
        get("/a", "Content-Length: 99999999999999999999999"),
        get("/a", "Content-Length: 1", "Content-Length: 2") + b"ab",
        get("/a", "Content-Length: 5", CHUNKED) + b"0\r\n\r\n",
        get("/a", CHUNKED, "Content-Length: 5") + b"0\r\n\r\n",
        get("/a", "Transfer-Encoding: gzip"),
        get("/a", CHUNKED) + b"xyz\r\n",
    ],
)
def test_a_malformed_request_is_refused_and_ends_the_connection(data: bytes) -> None:
    connection = wire()
    connection.send(get("/a"), data, get("/b"))
    answers = connection.received()
    assert statuses(answers) == [200, 400]
    assert b"Connection: close\r\n" in answers
    assert bodies(answers)[1].startswith(b"Malformed request: ")
    assert not connection.is_open
    assert targets(connection) == ["/a"]


@pytest.mark.parametrize(
    "data", [b"GET / HTTP/2.0\r\n\r\n", b"GET /\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]
)
def test_another_version_of_http_is_not_served(data: bytes) -> None:
    assert ask(data) == ([505], False)


@pytest.mark.parametrize(
    ("pieces", "status"),
    [
        ([get("/a", "Content-Length: 1001")], 413),
        ([get("/a", "Content-Length: 1001") + b"x" * 200], 413),
        ([get("/a", body=b"x" * 1_001)], 413),
        ([get("/a", CHUNKED), *[b"64\r\n" + b"x" * 100 + b"\r\n"] * 11], 413),
        ([get("/a", CHUNKED), b"1;" + b"x" * 2_000, b"x" * 2_000], 413),
        ([get("/a", CHUNKED), b"0\r\n", *[b"X-Trailer: 1\r\n"] * 1_000], 413),
        ([get("/" + "a" * 200)], 414),
        ([b"GET /" + b"a" * 150, b"a" * 150], 414),
        ([get("/a", "X: " + "x" * 1_000)], 431),
        ([get("/a")[:-2], b"X: " + b"x" * 500, b"x" * 500], 431),
        ([get("/a")[:-2], *[b"X: x\r\n"] * 200], 431),
        ([get("/a")[:-2] + b"X: " + b"x" * 850, b"x" * 150 + b"\r\n\r\n"], 431),
    ],
)
def test_what_is_above_a_limit_is_refused(pieces: list[bytes], status: int) -> None:
    connection = wire(SMALL)
    connection.send(get("/b"), *pieces)
    answers = connection.received()
    assert statuses(answers) == [200, status]
    assert b"above" in bodies(answers)[1]
    assert not connection.is_open
    assert targets(connection) == ["/b"]


@pytest.mark.parametrize("size", [1, 64, 100_000])
def test_what_is_just_below_the_limits_is_served(size: int) -> None:
    longest = get("/" + "a" * 199, "X: " + "x" * 700, body=b"x" * 1_000)
    chunked = get("/a", CHUNKED) + b"".join(b"1\r\nx\r\n" for _ in range(300)) + b"0\r\n\r\n"
    data = (longest + chunked) * 3
    connection = wire(SMALL)
    connection.send(*(data[at : at + size] for at in range(0, len(data), size)))
    assert statuses(connection.received()) == [404, 200] * 3
    assert connection.is_open


@pytest.mark.parametrize("method", ["BREW", "FETCH", "get", "M-SEARCH2", "X"])
def test_any_token_is_a_method(method: str) -> None:
    connection = wire()
    whole = get("/a", method=method, body=b"milk")
    connection.send(whole, get("/b"), whole[:-2], whole[-2:], whole, get("/a"))
    assert statuses(connection.received()) == [200] * 5
    asked = [(event.request.method, event.request.body) for event in connection.mock.events()]
    assert asked == [(method, b"milk"), ("GET", b""), (method, b"milk"), (method, b"milk"), ("GET", b"")]
    assert connection.is_open


def test_a_method_that_nobody_registered_is_refused_behind_another_request_in_one_read() -> None:
    connection = wire()
    connection.send(get("/a") + get("/a", method="BREW"))
    assert statuses(connection.received()) == [200, 400]


def test_a_refusal_waits_for_the_answers_ahead() -> None:
    connection = wire()
    connection.send(get("/slow") + b"nonsense\r\n\r\n")
    connection.mock.advance(19)
    assert (connection.received(), connection.is_open) == (b"", True)
    connection.mock.advance(1)
    assert statuses(connection.received()) == [200, 400]
    assert not connection.is_open


def test_the_refusal_of_head_has_no_body() -> None:
    connection = wire(SMALL)
    connection.send(get("/" + "a" * 300, method="HEAD"))
    assert connection.received().endswith(b"\r\n\r\n")


def test_a_bug_of_ours_is_not_the_callers_fault(caplog: pytest.LogCaptureFixture) -> None:
    mock = Mock()
    mock.engine.decide = lambda request, arrived_ns: 1 / 0  # type: ignore[method-assign,assignment,return-value]
    connection = mock.connect()
    with caplog.at_level(logging.ERROR):
        connection.send(get("/a"))
    assert statuses(connection.received()) == [500]
    assert "ZeroDivisionError" in caplog.text
    assert not connection.is_open


def test_a_bug_with_known_bytes_is_answered_just_so(caplog: pytest.LogCaptureFixture) -> None:
    mock = Mock()
    connection = mock.connect()
    connection.send(get("/a"))
    mock.engine.decide = lambda request, arrived_ns: 1 / 0  # type: ignore[method-assign,assignment,return-value]
    with caplog.at_level(logging.ERROR):
        connection.send(get("/a"))
    assert statuses(connection.received()) == [200, 500]
    assert "ZeroDivisionError" in caplog.text


# Callers that go on sending, and callers that stop


def test_a_refusal_is_followed_by_half_a_close_so_that_it_reaches_a_caller_that_sends() -> None:
    connection = wire(SMALL)
    connection.send(get("/a", "Content-Length: 50000000"), b"x" * 100_000)
    assert statuses(connection.received()) == [413]
    assert connection.transport.ended
    assert not connection.transport.closed
    assert connection.transport.reading
    connection.send(b"x" * 100_000)
    assert not connection.half_close()


def test_what_was_not_read_for_too_many_answers_owed_is_read_and_dropped_after_a_refusal() -> None:
    connection = wire(SMALL)
    connection.send(get("/slow") * 4 + b"nonsense\r\n\r\n")
    assert not connection.transport.reading
    connection.mock.advance(20)
    assert statuses(connection.received()) == [200, 200, 200, 200, 400]
    assert connection.transport.reading


def test_tls_which_has_no_half_close_is_read_on_after_a_refusal() -> None:
    connection = Mock(limits=SMALL).connect(tls=True)
    connection.send(get("/a", "Content-Length: 50000000"))
    assert statuses(connection.received()) == [413]
    assert not connection.transport.closed
    connection.send(b"x" * 100_000)
    assert not connection.half_close()


@pytest.mark.parametrize(("path", "answer"), [("/slow", b"/slow"), ("/slow-large", b"y" * 3_000_000)])
@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_a_caller_that_said_all_and_closed_its_half_gets_its_answer(
    path: str, answer: bytes, version: str
) -> None:
    connection = wire()
    connection.send(get(path, "Connection: close", version=version))
    assert connection.half_close()
    connection.mock.advance(20)
    assert bodies(connection.received()) == [answer]
    assert connection.transport.closed
    assert connection.mock.journal.callers_left == 0


def test_a_caller_that_is_getting_its_answer_may_close_its_half() -> None:
    connection = wire()
    connection.transport.room = 0
    connection.send(get("/large"))
    assert connection.half_close()
    connection.transport.drain()
    connection.mock.advance(0)
    assert len(bodies(connection.received())[0]) == 3_000_000
    assert connection.transport.closed


def test_a_caller_that_could_have_sent_more_has_left_when_it_stops() -> None:
    connection = wire()
    connection.send(get("/slow"), get("/slower"))
    connection.mock.advance(5)
    assert not connection.half_close()
    connection.leave()
    connection.mock.advance(100)
    assert connection.received() == b""
    assert [event.caller_left for event in connection.mock.events()] == [True, True]
    assert {event.end_ns for event in connection.mock.events()} == {START + 5 * MS}
    assert connection.mock.lane.in_flight == 0


def test_half_a_close_over_tls_is_a_whole_one() -> None:
    connection = Mock().connect(tls=True)
    connection.send(get("/slow", "Connection: close"))
    assert not connection.half_close()


def test_a_caller_that_stops_in_the_middle_of_a_request_asked_for_nothing() -> None:
    connection = wire()
    connection.send(get("/a", "Content-Length: 10"), b"hello")
    assert not connection.half_close()
    connection.leave()
    assert connection.mock.events() == []


def test_a_caller_that_leaves_is_never_an_error(caplog: pytest.LogCaptureFixture) -> None:
    mock = Mock()
    with caplog.at_level(logging.DEBUG):
        for path in ("/slow", "/large", "/__admin/health"):
            connection = mock.connect()
            connection.transport.room = 0
            connection.send(get(path), get("/slow"))
            connection.protocol.connection_lost(ConnectionResetError())
        mock.loop.run_tasks()
        mock.advance(100)
    assert [record for record in caplog.records if record.name != "asyncio"] == []
    assert (mock.lane.in_flight, mock.journal.callers_left, len(mock.state.connections)) == (0, 5, 0)


# The server's end


def test_an_idle_connection_closes_with_the_server() -> None:
    connection = wire()
    connection.send(get("/a"))
    connection.protocol.shutdown()
    assert connection.transport.closed


def test_what_is_in_flight_is_finished_and_its_caller_told_to_go() -> None:
    connection = wire()
    connection.send(get("/slow") + get("/slower"))
    connection.protocol.shutdown()
    connection.send(get("/a"))
    assert not connection.transport.closed
    connection.mock.advance(50)
    answers = connection.received()
    assert bodies(answers) == [b"/slow", b"/slower"]
    assert answers.count(b"Connection: close") == 1
    assert not connection.is_open


def test_a_request_that_has_begun_is_served_before_the_server_ends() -> None:
    connection = wire()
    data = get("/a", body=b"hello")
    connection.send(get("/b"), data[:-3])
    connection.protocol.shutdown()
    assert connection.is_open
    connection.send(data[-3:] + get("/b"))
    answers = connection.received()
    assert bodies(answers) == [b"/b", b"/a"]
    assert b"Connection: close" in answers
    assert not connection.is_open


def test_a_connection_that_lingers_closes_with_the_server() -> None:
    connection = wire()
    connection.send(b"nonsense\r\n\r\n")
    connection.protocol.shutdown()
    assert connection.transport.closed


# What the engine sees


def test_the_engine_sees_the_request_as_it_was_sent() -> None:
    exact = Stub(
        "exact",
        RequestPattern(
            "PUT", UrlPattern("url", "/a%2Fb?q=%20"), headers=(("X-Tenant", ValuePattern("equalTo", "acme")),)
        ),
        (ResponseDefinition(body=Body("body", "yes")),),
    )
    connection = Mock((exact,)).connect()
    connection.send(get("/a%2Fb?q=%20", "x-tenant:  acme ", method="PUT"))
    assert bodies(connection.received()) == [b"yes"]


def test_a_miss_is_a_readable_404() -> None:
    connection = wire()
    connection.send(get("/nothing"))
    answer = connection.received()
    assert statuses(answer) == [404]
    assert connection.mock.journal.unmatched == 1
    assert connection.is_open
