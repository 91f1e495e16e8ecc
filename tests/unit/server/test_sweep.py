"""Connections that overstay are ended by the sweep; nobody else is."""

from __future__ import annotations

import asyncio

import pytest

from mockforge.server.lane import Limits
from mockforge.server.sweep import sweep, sweep_regularly
from tests.unit.server.harness import Mock, Wire, bodies, get, statuses

CHUNKED = "Transfer-Encoding: chunked"


def swept(mock: Mock, ms: float) -> None:
    """Move the time by `ms`, and sweep."""
    mock.advance(ms)
    sweep(mock.lane, list(mock.state.connections))


def closed(connection: Wire) -> bool:
    return connection.transport.closed


# Idle connections


@pytest.mark.parametrize("used", [False, True])
def test_an_idle_connection_is_closed_75_seconds_after_its_last_answer(used: bool) -> None:
    mock = Mock()
    connection = mock.connect()
    if used:
        connection.send(get("/slow"))
        mock.advance(20)
        connection.received()
    swept(mock, 75_000)
    assert not closed(connection)
    swept(mock, 1)
    assert closed(connection)
    assert connection.received() == b""


def test_a_connection_that_is_used_is_not_idle() -> None:
    mock = Mock()
    connection = mock.connect()
    for _ in range(10):
        swept(mock, 74_000)
        connection.send(get("/a"))
    assert len(bodies(connection.received())) == 10
    assert not closed(connection)


def test_a_connection_that_is_owed_an_answer_is_not_idle() -> None:
    mock = Mock()
    connection = mock.connect()
    connection.transport.room = 0
    connection.send(get("/large"))
    swept(mock, 1_000_000)
    assert not closed(connection)


def test_empty_lines_keep_no_connection_open() -> None:
    mock = Mock()
    connection = mock.connect()
    for _ in range(80):
        swept(mock, 1_000)
        connection.send(b"\r\n")
    assert closed(connection)


# Slow senders


@pytest.mark.parametrize(
    "begun",
    [
        b"G",
        b"GET /a HTTP/1.1\r\nHost: mo",
        get("/a", "Content-Length: 10") + b"hello",
        get("/a", CHUNKED),
        get("/b") + b"G",
        get("/a", "Connection: Upgrade", "Upgrade: h2c", "Content-Length: 10"),
    ],
)
def test_a_request_that_is_not_complete_after_30_seconds_is_refused(begun: bytes) -> None:
    mock = Mock()
    connection = mock.connect()
    connection.send(get("/a"), begun)
    connection.received()
    swept(mock, 30_000)
    assert connection.is_open
    swept(mock, 1)
    assert statuses(connection.received()) == [408]
    assert not connection.is_open


def test_a_slow_sender_is_slow_however_often_it_sends() -> None:
    mock = Mock()
    connection = mock.connect()
    for byte in get("/a", "X-Long: x"):
        connection.send(bytes([byte]))
        swept(mock, 1_000)
    assert statuses(connection.received()) == [408]


def test_the_time_counts_for_each_request() -> None:
    mock = Mock()
    connection = mock.connect()
    data = get("/a", body=b"hello")
    for _ in range(5):
        connection.send(data[:-1])
        swept(mock, 29_000)
        connection.send(data[-1:])
    assert statuses(connection.received()) == [200] * 5


def test_a_refused_sender_still_gets_what_it_is_owed_first() -> None:
    mock = Mock()
    connection = mock.connect()
    connection.transport.room = 0
    connection.send(get("/large"), b"G")
    swept(mock, 30_001)
    connection.transport.drain()
    mock.advance(0)
    assert statuses(connection.received()) == [200, 408]


def test_a_caller_that_waits_to_be_asked_for_its_body_is_not_slow() -> None:
    mock = Mock()
    connection = mock.connect()
    connection.transport.room = 0
    connection.send(get("/large"), get("/a", "Expect: 100-continue", "Content-Length: 5"))
    swept(mock, 60_000)
    connection.transport.drain()
    mock.advance(0)
    assert statuses(connection.received()) == [200, 100]
    swept(mock, 29_000)
    connection.send(b"hello")
    assert statuses(connection.received()) == [200]


def test_a_caller_that_waits_in_vain_is() -> None:
    mock = Mock()
    connection = mock.connect()
    connection.send(get("/a", "Expect: 100-continue", "Content-Length: 5"))
    swept(mock, 30_001)
    assert statuses(connection.received()) == [100, 408]


def test_a_caller_that_is_not_read_on_is_not_slow() -> None:
    mock = Mock(limits=Limits(pipelined=2))
    connection = mock.connect()
    connection.transport.room = 0
    connection.send(get("/large") + get("/a") + b"G")
    assert not connection.transport.reading
    for _ in range(100):
        swept(mock, 1_000)
    connection.transport.drain()
    swept(mock, 1_000)
    connection.send(get("/b")[1:])
    assert statuses(connection.received()) == [200, 200, 200]


# After a refusal


def test_what_still_comes_after_a_refusal_is_dropped_until_nothing_has_come_for_5_seconds() -> None:
    mock = Mock()
    connection = mock.connect()
    connection.send(b"nonsense\r\n\r\n")
    for _ in range(3):
        swept(mock, 4_900)
        connection.send(b"more of it")
    swept(mock, 5_000)
    assert not closed(connection)
    swept(mock, 1)
    assert connection.transport.aborted


def test_that_is_no_longer_than_30_seconds_however_much_comes() -> None:
    mock = Mock()
    connection = mock.connect()
    connection.send(b"nonsense\r\n\r\n")
    for _ in range(30):
        assert not closed(connection)
        swept(mock, 1_000)
        connection.send(b"more of it")
    swept(mock, 1)
    assert connection.transport.aborted


def test_a_last_answer_that_is_read_slowly_is_not_cut() -> None:
    mock = Mock()
    connection = mock.connect()
    connection.send(get("/a", "Connection: close"))
    swept(mock, 1_000_000)
    assert closed(connection)
    assert not connection.transport.aborted


# The sweep itself


def test_the_sweep_looks_at_every_connection_again_and_again_until_it_is_cancelled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mock = Mock()
    others = [mock.connect() for _ in range(1_200)]
    naps: list[float] = []
    nap = asyncio.sleep

    async def sleep(seconds: float) -> None:
        naps.append(seconds)
        mock.advance(seconds * 1_000)
        await nap(0)

    monkeypatch.setattr(asyncio, "sleep", sleep)

    async def run() -> None:
        task = asyncio.create_task(sweep_regularly(mock.lane, mock.state.connections))
        while not all(map(closed, others)):
            await nap(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
    assert sum(naps) >= 75
    assert naps.count(0) >= 3 * 75


def test_a_caller_that_left_in_the_middle_of_a_request_is_no_slow_sender() -> None:
    mock = Mock()
    connection = mock.connect()
    connection.send(get("/a", "Content-Length: 10"))
    connection.leave()
    mock.advance(100_000)
    sweep(mock.lane, [connection.protocol])
    assert connection.received() == b""


def test_connections_that_are_not_ours_are_left_alone() -> None:
    sweep(Mock().lane, [object()])


# Callers that do not read


def test_a_connection_that_takes_nothing_for_60_seconds_is_dropped() -> None:
    mock = Mock()
    connection = mock.connect()
    connection.transport.room = 0
    connection.send(get("/large"))
    connection.transport.unsent = 100_000
    swept(mock, 1_000)
    swept(mock, 60_000)
    assert not closed(connection)
    swept(mock, 1)
    assert connection.transport.aborted


def test_a_connection_that_takes_a_little_now_and_then_is_not_dropped() -> None:
    mock = Mock(limits=Limits(send_s=5))
    connection = mock.connect()
    connection.transport.room = 0
    connection.send(get("/large"))
    for unsent in range(100_000, 99_980, -1):
        connection.transport.unsent = unsent
        swept(mock, 4_000)
    assert not closed(connection)
