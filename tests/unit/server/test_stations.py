"""Answers that wait at a station: when they are planned, in what order they leave, and who is refused."""

from __future__ import annotations

from typing import Any

import pytest

from mockforge.engine import compile_service
from mockforge.model.headers import Headers
from mockforge.model.service import Capacity, ColdStart, RateRule, Service, Timeout
from mockforge.model.stub import Body, DelayDistribution, RequestPattern, ResponseDefinition, Stub, UrlPattern
from mockforge.server.lane import Limits
from tests.unit.server.harness import MS, START, Mock, Wire, bodies, get, statuses, stub

STUBS = (stub("/ten", 10), stub("/thirty", 30), stub("/now"))
ONE = Capacity(servers=1)


def pooled(path: str, pool: str | None = None, **response: Any) -> Stub:
    response.setdefault("body", Body("body", path))
    pattern = RequestPattern("ANY", UrlPattern("urlPath", path))
    return Stub(path, pattern, (ResponseDefinition(**response),), pool=pool)


def ask(mock: Mock, *paths: str, every_ms: float = 0) -> list[Wire]:
    """A connection for each path."""
    wires = []
    for path in paths:
        wires.append(mock.connect())
        wires[-1].send(get(path))
        mock.advance(every_ms)
    return wires


def figures(mock: Mock, name: str = "default") -> tuple[int, int]:
    (pool,) = [each for each in mock.lane.stations.figures() if each.name == name]
    return pool.in_flight, pool.waiting


def test_one_server_answers_one_after_another_each_at_its_planned_time() -> None:
    mock = Mock(STUBS, capacity=ONE)
    ask(mock, "/thirty", "/thirty", "/thirty", every_ms=1)
    assert figures(mock) == (3, 2)
    mock.advance(200)
    assert mock.served() == [("/thirty", 30, 30), ("/thirty", 60, 60), ("/thirty", 90, 90)]
    assert figures(mock) == (0, 0)
    assert mock.lane.in_flight == 0


def test_those_that_share_are_planned_by_who_comes_and_goes() -> None:
    mock = Mock(STUBS, capacity=Capacity(servers=1, discipline="ps"))
    ask(mock, "/thirty", "/ten", every_ms=5)
    mock.advance(200)
    assert mock.served() == [("/ten", 25, 25), ("/thirty", 40, 40)]


def test_an_answer_without_a_delay_waits_for_those_before_it() -> None:
    mock = Mock(STUBS, capacity=ONE)
    ask(mock, "/ten", "/now")
    mock.advance(0)
    assert mock.served() == []
    mock.advance(50)
    assert mock.served() == [("/ten", 10, 10), ("/now", 10, 10)]


def test_requests_that_match_no_stub_wait_for_nobody() -> None:
    mock = Mock(STUBS, capacity=ONE)
    ask(mock, "/thirty", "/nothing")
    assert mock.served() == [("/nothing", 0, 0)]


def test_the_planned_time_is_the_stations_however_late_the_mock_is() -> None:
    mock = Mock(STUBS, capacity=ONE)
    ask(mock, "/ten", "/ten")
    mock.clock.advance(50 * MS)  # as if the process had been stopped
    mock.advance(0)
    assert mock.served() == [("/ten", 10, 50), ("/ten", 20, 50)]


def test_a_fixed_delay_beside_a_distribution_comes_after_the_station() -> None:
    delay = DelayDistribution("fixed", {"milliseconds": 10})
    mock = Mock((pooled("/both", fixed_delay_ms=7, delay=delay),), capacity=ONE)
    ask(mock, "/both", "/both")
    mock.advance(100)
    assert mock.served() == [("/both", 17, 17), ("/both", 27, 27)]


def test_a_fixed_delay_alone_is_the_demand() -> None:
    mock = Mock((pooled("/fixed", fixed_delay_ms=10),), capacity=ONE)
    ask(mock, "/fixed", "/fixed")
    mock.advance(100)
    assert mock.served() == [("/fixed", 10, 10), ("/fixed", 20, 20)]


def test_demands_are_scaled() -> None:
    mock = Mock(STUBS, capacity=ONE, time_scale=0.1)
    ask(mock, "/thirty", "/thirty")
    mock.advance(100)
    assert mock.served() == [("/thirty", 3, 3), ("/thirty", 6, 6)]
    mock = Mock(STUBS, capacity=ONE, time_scale=0)
    ask(mock, "/thirty", "/thirty")
    mock.advance(0)
    assert mock.served() == [("/thirty", 0, 0), ("/thirty", 0, 0)]


# Pools


def test_each_pool_has_a_queue_of_its_own_and_the_service_the_others() -> None:
    stubs = (pooled("/db", "db", fixed_delay_ms=30), pooled("/free", "free", fixed_delay_ms=5), *STUBS)
    mock = Mock(stubs, capacity=ONE, pools={"db": ONE, "free": Capacity()})
    ask(mock, "/db", "/thirty", "/db", "/thirty", "/free", "/free")
    mock.advance(100)
    assert sorted(mock.served()) == [
        ("/db", 30, 30),
        ("/db", 60, 60),
        ("/free", 5, 5),
        ("/free", 5, 5),
        ("/thirty", 30, 30),
        ("/thirty", 60, 60),
    ]


# Refusals


def test_a_full_queue_is_answered_at_once_with_what_the_capacity_says() -> None:
    busy = ResponseDefinition(503, Headers((("Retry-After", "3"),)), Body("body", "busy"))
    mock = Mock(STUBS, capacity=Capacity(servers=1, queue_limit=1, when_full=busy))
    *_, third = ask(mock, "/ten", "/ten", "/ten")
    assert (
        third.received()
        == b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 3\r\nContent-Length: 4\r\n\r\nbusy"
    )
    (event,) = mock.events()
    assert (event.stub, event.response.status, event.lateness_ns) == ("/ten", 503, 0)
    mock.advance(100)
    assert [planned for _, planned, _ in mock.served()] == [0, 10, 20]
    assert mock.lane.in_flight == 0


def test_a_refusal_takes_as_long_as_it_took_when_recorded() -> None:
    slow_no = ResponseDefinition(503, fixed_delay_ms=4)
    mock = Mock(STUBS, capacity=Capacity(servers=1, queue_limit=0, when_full=slow_no), time_scale=0.5)
    ask(mock, "/ten", "/ten")
    mock.advance(100)
    assert mock.served() == [("/ten", 2, 2), ("/ten", 5, 5)]


def test_a_rate_limit_says_when_to_come_again() -> None:
    rate = RateRule(per_second=0.4, burst=1)
    mock = Mock(STUBS, capacity=Capacity(rate_limit=rate))
    first, second = ask(mock, "/now", "/now")
    mock.advance(0)
    assert statuses(first.received()) == [200]
    assert (
        second.received() == b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 3\r\nContent-Length: 0\r\n\r\n"
    )
    mock.advance(2_500)
    (third,) = ask(mock, "/now")
    mock.advance(0)
    assert statuses(third.received()) == [200]


def test_a_rate_limit_with_a_retry_after_of_its_own_keeps_it() -> None:
    answer = ResponseDefinition(503, Headers((("retry-after", "60"),)))
    mock = Mock(STUBS, capacity=Capacity(rate_limit=RateRule(1, 1, answer)))
    _, second = ask(mock, "/now", "/now")
    assert (
        second.received()
        == b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 60\r\nContent-Length: 0\r\n\r\n"
    )


# Connections


def test_pipelined_answers_leave_in_order_though_the_station_is_done_with_the_later_one_first() -> None:
    mock = Mock(STUBS, capacity=Capacity(servers=2))
    connection = mock.connect()
    connection.send(get("/thirty") + get("/ten") + get("/now"))
    mock.advance(29)
    assert connection.received() == b""
    mock.advance(100)
    assert bodies(connection.received()) == [b"/thirty", b"/ten", b"/now"]
    assert [event.lateness_ns for event in mock.events()] == [0, 0, 0]


def test_a_refusal_waits_for_its_turn_on_its_connection() -> None:
    mock = Mock(STUBS, capacity=Capacity(servers=1, queue_limit=0))
    connection = mock.connect()
    connection.send(get("/ten") + get("/ten"))
    assert connection.received() == b""
    mock.advance(10)
    assert statuses(connection.received()) == [200, 503]


def test_a_head_and_a_last_request_are_answered_as_ever() -> None:
    mock = Mock(STUBS, capacity=ONE)
    head, last = mock.connect(), mock.connect()
    head.send(get("/ten", method="HEAD"))
    last.send(get("/ten", "Connection: close"))
    mock.advance(20)
    assert head.received() == b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"
    assert last.received() == b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\n/ten"
    assert (head.is_open, last.is_open) == (True, False)


def test_many_pipelined_requests_are_read_no_further_than_the_limit() -> None:
    mock = Mock(STUBS, Limits(pipelined=2), capacity=ONE)
    connection = mock.connect()
    connection.send(get("/ten") + get("/ten"))
    assert not connection.transport.reading
    mock.advance(100)
    assert connection.transport.reading


@pytest.mark.parametrize(("abandoned", "second_ms"), [("keeps", 60), ("frees", 34)])
def test_a_caller_that_leaves_keeps_its_place_or_frees_it(abandoned: str, second_ms: float) -> None:
    mock = Mock(STUBS, capacity=Capacity(servers=1, abandoned=abandoned))
    first, _ = ask(mock, "/thirty", "/thirty")
    mock.advance(4)
    first.leave()
    assert mock.lane.in_flight == 1
    mock.advance(100)
    left, served = mock.events()
    assert (left.caller_left, left.first_byte_ns, left.lateness_ns) == (True, None, None)
    assert left.plan.first_byte_ns == START + 30 * MS, "the earliest that it could have been"
    assert (served.plan.first_byte_ns - START) / MS == second_ms
    assert figures(mock) == (0, 0)
    assert first.received() == b""


def test_a_caller_that_leaves_while_it_waits_is_passed_over() -> None:
    mock = Mock(STUBS, capacity=Capacity(servers=1, abandoned="frees"))
    _, second, _ = ask(mock, "/ten", "/thirty", "/ten")
    second.leave()
    assert figures(mock) == (2, 1)
    mock.advance(100)
    assert [planned for target, planned, sent in mock.served() if sent is not None] == [10, 20]


def test_an_answer_that_cannot_be_written_keeps_no_other_from_its_time() -> None:
    mock = Mock(STUBS, capacity=ONE)
    broken, _ = ask(mock, "/ten", "/ten")
    broken.transport.broken = RuntimeError("made to fail")
    mock.advance(100)
    assert mock.served() == [("/ten", 20, 20)]
    assert broken.transport.aborted


# Time limits and cold starts

TIMED_OUT = Timeout(25, ResponseDefinition(504, body=Body("body", "too late")))


def test_who_is_not_served_in_time_gets_what_the_capacity_says_at_that_time() -> None:
    mock = Mock(STUBS, capacity=Capacity(servers=1, timeout=TIMED_OUT))
    *_, last = ask(mock, "/thirty", "/ten", "/ten", every_ms=8)
    mock.advance(200)
    assert last.received() == b"HTTP/1.1 504 Gateway Timeout\r\nContent-Length: 8\r\n\r\ntoo late"
    assert mock.served() == [("/thirty", 25, 25), ("/ten", 33, 33), ("/ten", 41, 41)]
    assert figures(mock) == (0, 0)
    assert mock.lane.in_flight == 0


def test_freed_places_serve_others_and_kept_ones_nobody() -> None:
    for abandoned, second in (("keeps", 40), ("frees", 35)):
        mock = Mock(STUBS, capacity=Capacity(servers=1, timeout=TIMED_OUT, abandoned=abandoned))
        ask(mock, "/thirty", "/ten", every_ms=20)
        mock.advance(200)
        assert mock.served() == [("/thirty", 25, 25), ("/ten", second, second)]


def test_a_connection_whose_request_timed_out_serves_the_next_while_its_place_is_kept() -> None:
    mock = Mock(STUBS, capacity=Capacity(servers=2, timeout=TIMED_OUT))
    (wire,) = ask(mock, "/thirty")
    mock.advance(26)
    wire.send(get("/ten"))
    mock.advance(100)
    assert statuses(wire.received()) == [504, 200]
    assert mock.served() == [("/thirty", 25, 25), ("/ten", 36, 36)]


def test_time_limits_are_scaled_as_delays_are() -> None:
    mock = Mock(STUBS, capacity=Capacity(servers=1, timeout=TIMED_OUT), time_scale=0.1)
    ask(mock, "/ten", "/thirty")
    mock.advance(100)
    assert [planned for _, planned, _ in mock.served()] == [1, 2.5]
    mock = Mock(STUBS, capacity=Capacity(servers=1, timeout=TIMED_OUT), time_scale=0)
    (wire,) = ask(mock, "/thirty")
    mock.advance(0)
    assert statuses(wire.received()) == [200]


def test_a_caller_that_left_is_not_answered_when_its_time_is_up() -> None:
    mock = Mock(STUBS, capacity=Capacity(servers=1, timeout=TIMED_OUT))
    gone, _ = ask(mock, "/thirty", "/ten")
    gone.leave()
    mock.advance(200)
    assert [planned for _, planned, sent in mock.served() if sent is not None] == [25]


def test_the_first_requests_are_slower_and_those_behind_them_wait() -> None:
    mock = Mock(STUBS, capacity=Capacity(servers=1, cold_start=ColdStart(3)))
    ask(mock, "/ten", "/ten")
    mock.advance(100)
    assert mock.served() == [("/ten", 30, 30), ("/ten", 40, 40)]


# Edits


def edited(mock: Mock, capacity: Capacity | None, *stubs: Stub) -> None:
    mock.engine.replace(compile_service(Service("orders", (*STUBS, *stubs), capacity=capacity)))


def test_an_edit_elsewhere_leaves_the_queue_as_it_is() -> None:
    mock = Mock(STUBS, capacity=ONE)
    ask(mock, "/thirty")
    edited(mock, Capacity(servers=1), stub("/new"))
    ask(mock, "/ten")
    mock.advance(100)
    assert mock.served() == [("/thirty", 30, 30), ("/ten", 40, 40)]


def test_an_edited_capacity_begins_empty_and_what_was_in_flight_completes_as_planned() -> None:
    mock = Mock(STUBS, capacity=ONE)
    ask(mock, "/thirty", "/thirty")
    edited(mock, Capacity(servers=2))
    ask(mock, "/ten", "/ten", "/ten")
    assert figures(mock) == (5, 2)
    mock.advance(100)
    assert mock.served() == [
        ("/ten", 10, 10),
        ("/ten", 10, 10),
        ("/ten", 20, 20),
        ("/thirty", 30, 30),
        ("/thirty", 60, 60),
    ]
    assert figures(mock) == (0, 0)


def test_a_capacity_that_is_taken_away_holds_nobody_up() -> None:
    mock = Mock(STUBS, capacity=ONE)
    ask(mock, "/thirty", "/thirty")
    edited(mock, None)
    ask(mock, "/ten", "/ten")
    mock.advance(100)
    assert [planned for _, planned, _ in mock.served()] == [10, 10, 30, 60]


def test_counts_outlive_an_edit() -> None:
    mock = Mock(STUBS, capacity=Capacity(servers=1, queue_limit=0))
    ask(mock, "/ten", "/ten")
    edited(mock, Capacity(servers=2, queue_limit=0))
    ask(mock, "/ten", "/ten", "/ten")
    (pool,) = mock.lane.stations.figures()
    assert pool.counts.queue_full == 2


# What is told


def test_whoever_asked_is_told_that_the_load_is_beyond_what_was_recorded() -> None:
    mock = Mock(STUBS, capacity=Capacity(servers=1, recorded_up_to=1))
    told: list[str] = []
    ask(mock, "/ten", "/ten")
    mock.lane.stations.on_beyond = lambda beyond: told.append(str(beyond))
    mock.advance(70_000)
    ask(mock, "/ten", "/ten", "/ten")
    (line,) = told
    assert line.startswith("beyond what was recorded: 2 in flight in pool default, recorded were 1 at most")
    (pool,) = mock.lane.stations.figures()
    assert pool.counts.beyond_recorded == 3


def test_a_service_without_a_capacity_has_no_pools() -> None:
    mock = Mock(STUBS)
    ask(mock, "/now")
    assert mock.lane.stations.figures() == []
