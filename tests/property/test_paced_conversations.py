"""Whatever goes out at its own pace: all of it comes, in the order in which it was asked for."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from mockforge.model.sending import Dribble, EventStream, FaultDefinition, SendingDefinition, ServerSentEvent
from mockforge.model.stub import Body
from tests.unit.server.harness import MS, Mock, get, stub

TICKS = EventStream((ServerSentEvent("a", delay_ms=7), ServerSentEvent("b", delay_ms=4)), rounds=2)
SLOW_HEAD = FaultDefinition("SLOW_HEADERS", duration_ms=13)
STUBS = (
    stub("/plain"),
    stub("/late", 9),
    stub("/dribble", 3, body=Body("body", "0123456789"), sending=SendingDefinition(Dribble(4, 20))),
    stub("/line", body=Body("body", "x" * 100), sending=SendingDefinition(bandwidth=5_000.0)),
    stub("/head", body=Body("body", "slow"), sending=SendingDefinition(fault=SLOW_HEAD)),
    stub("/events", body=None, sending=SendingDefinition(events=TICKS)),
)
PATHS = st.lists(st.sampled_from([each.name for each in STUBS]), min_size=1, max_size=8)
STEPS = st.lists(st.tuples(st.integers(0, 30), st.sampled_from([None, 0, 40])))


def alone(path: str) -> bytes:
    """The answer on a connection of its own."""
    mock = Mock(STUBS)
    wire = mock.connect()
    wire.send(get(path))
    mock.advance(1_000)
    return wire.received()


EXPECTED = {each.name: alone(each.name) for each in STUBS}


@settings(deadline=None, max_examples=40)
@given(paths=PATHS, steps=STEPS)
def test_pipelined_answers_come_whole_and_in_order(
    paths: list[str], steps: list[tuple[int, int | None]]
) -> None:
    mock = Mock(STUBS)
    wire = mock.connect()
    wire.send(b"".join(map(get, paths)))
    for ms, room in steps:  # a caller that now and then does not read, or takes 40 bytes at most
        wire.transport.drain(room)
        mock.advance(ms)
    for _ in range(1_000):
        wire.transport.drain()
        mock.advance(10)
        if not mock.lane.in_flight:
            break
    assert wire.received() == b"".join(EXPECTED[path] for path in paths)
    assert [event.stub for event in mock.events()] == paths
    assert all((event.lateness_ns or 0) >= 0 for event in mock.events())


@settings(deadline=None, max_examples=40)
@given(paths=PATHS, leaves_ms=st.integers(0, 100))
def test_a_caller_may_leave_at_any_moment(paths: list[str], leaves_ms: int) -> None:
    mock = Mock(STUBS)
    wire = mock.connect()
    wire.send(b"".join(map(get, paths)))
    mock.advance(leaves_ms)
    wire.leave()
    mock.advance(1_000)
    assert mock.lane.in_flight == 0
    assert sorted(str(event.stub) for event in mock.events()) == sorted(paths)
    assert all(event.end_ns <= (1_000 + leaves_ms) * MS for event in mock.events())
