"""The mock as an ASGI application, with callers and a clock that the test moves."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest

from mockforge.clock import ManualClock
from mockforge.engine import Decision, Engine, compile_service
from mockforge.model.event import ServeEvent
from mockforge.model.headers import Headers
from mockforge.model.request import RequestView
from mockforge.model.sending import (
    Dribble,
    EventStream,
    FaultDefinition,
    SendingDefinition,
    ServerSentEvent,
)
from mockforge.model.service import Capacity, Service
from mockforge.model.stub import (
    Body,
    DelayDistribution,
    RequestPattern,
    ResponseDefinition,
    Stub,
    UrlPattern,
    ValuePattern,
)
from mockforge.server.app import MockApp
from mockforge.state.journal import Journal

MS = 1_000_000
Message = MutableMapping[str, Any]
SLOW = DelayDistribution("fixed", {"milliseconds": 20})


class Caller:
    """One request as an ASGI server hands it on; `body` may come in chunks."""

    def __init__(
        self, method: str, target: str, *chunks: bytes, headers: tuple[tuple[bytes, bytes], ...] = ()
    ) -> None:
        path, _, query = target.partition("?")
        self.scope: dict[str, Any] = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode("latin-1"),
            "query_string": query.encode("latin-1"),
            "headers": list(headers),
        }
        self.sent: list[Message] = []
        self._chunks = list(chunks) or [b""]
        self._left = asyncio.Event()
        self.before_chunk: Callable[[int], object] = lambda left: None

    def leave(self) -> None:
        self._left.set()

    async def receive(self) -> Message:
        if self._chunks:
            self.before_chunk(len(self._chunks))
        if self._chunks and not self._left.is_set():
            body = self._chunks.pop(0)
            return {"type": "http.request", "body": body, "more_body": bool(self._chunks)}
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.sent.append(message)

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        return [(bytes(name), bytes(value)) for name, value in self.sent[0]["headers"]]

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent[1:])


class Mock:
    """A service behind the application, its journal and its clock."""

    def __init__(self, *stubs: Stub, engine: type[Engine] = Engine, capacity: Capacity | None = None) -> None:
        self.clock = ManualClock(now_ns=1_000 * MS)
        self.journal = Journal()
        self.engine = engine(compile_service(Service("orders", stubs, capacity=capacity)), Random(1))
        self.app = MockApp(self.engine, self.journal, self.clock)

    def call(self, caller: Caller) -> Awaitable[None]:
        return asyncio.ensure_future(self.app(caller.scope, caller.receive, caller.send))

    def events(self) -> list[ServeEvent]:
        return self.journal.latest()


@contextlib.asynccontextmanager
async def running(mock: Mock) -> AsyncIterator[None]:
    """The application between its start and its end."""
    messages: asyncio.Queue[Message] = asyncio.Queue()
    replies: asyncio.Queue[Message] = asyncio.Queue()
    task = asyncio.create_task(mock.app({"type": "lifespan"}, messages.get, replies.put))
    await messages.put({"type": "lifespan.startup"})
    assert await replies.get() == {"type": "lifespan.startup.complete"}
    try:
        yield
    finally:
        await messages.put({"type": "lifespan.shutdown"})
        assert await replies.get() == {"type": "lifespan.shutdown.complete"}
        await task


async def turns() -> None:
    """Enough turns of the loop for everything that is not waiting for the clock."""
    for _ in range(30):
        await asyncio.sleep(0)


def stub(name: str, *, method: str = "ANY", path: str | None = None, **response: Any) -> Stub:
    url = UrlPattern("urlPath", path) if path else None
    return Stub(name, RequestPattern(method, url), (ResponseDefinition(**response),))


def served(mock: Mock, *callers: Caller) -> list[Caller]:
    """The callers, answered one after another."""

    async def serve() -> None:
        async with running(mock):
            for caller in callers:
                await mock.call(caller)

    asyncio.run(serve())
    return list(callers)


# What goes out


def test_an_answer_has_the_stubs_status_headers_and_body_and_its_length() -> None:
    mock = Mock(
        stub("a", status=201, headers=Headers((("X-Id", "7"), ("X-Id", "8"))), body=Body("body", "grüß"))
    )
    (caller,) = served(mock, Caller("GET", "/"))
    assert caller.status == 201
    assert caller.headers == [(b"X-Id", b"7"), (b"X-Id", b"8"), (b"content-length", b"6")]
    assert caller.body == "grüß".encode()


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_that_never_has_a_body_has_no_length_either(status: int) -> None:
    mock = Mock(stub("a", status=status, body=Body("body", "not to be sent")))
    (caller,) = served(mock, Caller("GET", "/"))
    assert (caller.status, caller.headers, caller.body) == (status, [], b"")


def test_head_gets_the_length_and_no_body() -> None:
    mock = Mock(stub("a", body=Body("body", "hello")))
    (caller,) = served(mock, Caller("HEAD", "/"))
    assert (caller.headers, caller.body) == ([(b"content-length", b"5")], b"")


def test_the_engine_sees_the_request_as_it_was_sent() -> None:
    mock = Mock(
        Stub(
            "exact",
            RequestPattern(
                "PUT",
                UrlPattern("url", "/a%2Fb?q=%20"),
                headers=(("X-Tenant", ValuePattern("equalTo", "acme")),),
            ),
            (ResponseDefinition(),),
        )
    )
    caller = Caller("PUT", "/a%2Fb?q=%20", b"in ", b"two", headers=((b"x-tenant", b"acme"),))
    caller.scope["path"] = "/a/b"
    served(mock, caller)
    (event,) = mock.events()
    assert (event.stub, event.request.target, event.request.body) == ("exact", "/a%2Fb?q=%20", b"in two")


def test_a_server_without_raw_paths_will_do() -> None:
    mock = Mock(stub("a", path="/orders"))
    caller = Caller("GET", "/orders?x=1")
    del caller.scope["raw_path"]
    served(mock, caller)
    assert mock.events()[0].request.target == "/orders?x=1"


def test_a_miss_is_a_readable_404() -> None:
    mock = Mock(stub("order", path="/orders"))
    (caller,) = served(mock, Caller("GET", "/order"))
    assert caller.status == 404
    assert b"Near miss: order" in caller.body
    assert mock.journal.unmatched == 1


# When it goes out


def test_an_answer_leaves_when_it_is_due_and_not_before() -> None:
    mock = Mock(stub("slow", delay=SLOW))

    async def serve() -> None:
        async with running(mock):
            caller = Caller("GET", "/")
            answered = mock.call(caller)
            await turns()
            mock.clock.advance(20 * MS - 1)
            await turns()
            assert caller.sent == []
            mock.clock.advance(1)
            await answered
            assert caller.status == 200

    asyncio.run(serve())
    (event,) = mock.events()
    assert (event.plan.arrived_ns, event.plan.first_byte_ns) == (1_000 * MS, 1_020 * MS)
    assert (event.first_byte_ns, event.lateness_ns, event.end_ns) == (1_020 * MS, 0, 1_020 * MS)


class SlowEngine(Engine):
    """An engine whose every decision takes 5 ms."""

    clock: ManualClock

    def decide(self, request: RequestView, arrived_ns: int) -> Decision:
        self.clock.advance(5 * MS)
        return super().decide(request, arrived_ns)


@pytest.mark.parametrize(
    ("delay_ms", "first_byte_ms"), [(20, 1_020), (5, 1_005), (3, 1_005)], ids=["absorbed", "just", "late"]
)
def test_delay_counts_from_arrival_so_that_work_is_absorbed(delay_ms: int, first_byte_ms: int) -> None:
    mock = Mock(stub("slow", delay=DelayDistribution("fixed", {"milliseconds": delay_ms})), engine=SlowEngine)
    assert isinstance(mock.engine, SlowEngine)
    mock.engine.clock = mock.clock

    async def serve() -> None:
        async with running(mock):
            answered = mock.call(Caller("GET", "/"))
            await turns()
            mock.clock.advance(first_byte_ms * MS - mock.clock.now_ns())
            await answered

    asyncio.run(serve())
    (event,) = mock.events()
    assert event.first_byte_ns == first_byte_ms * MS
    assert event.lateness_ns == (first_byte_ms - 1_000 - delay_ms) * MS


def test_a_request_arrives_with_its_last_byte() -> None:
    mock = Mock(stub("a", method="POST"))
    caller = Caller("POST", "/", b"one", b"two", b"three")
    caller.before_chunk = lambda left: mock.clock.advance(7 * MS)
    served(mock, caller)
    assert mock.events()[0].plan.arrived_ns == 1_021 * MS


def test_answers_do_not_wait_for_one_another() -> None:
    mock = Mock(stub("fast", path="/fast"), stub("slow", path="/slow", delay=SLOW))

    async def serve() -> list[str | None]:
        async with running(mock):
            slow, fast = Caller("GET", "/slow"), Caller("GET", "/fast")
            answered = mock.call(slow)
            await turns()
            await mock.call(fast)
            assert slow.sent == []
            mock.clock.advance(20 * MS)
            await answered
        return [event.stub for event in mock.events()]

    assert asyncio.run(serve()) == ["fast", "slow"]


# Who waits at a station


def test_an_answer_waits_for_its_place_and_then_for_what_comes_on_top() -> None:
    mock = Mock(stub("slow", delay=SLOW, fixed_delay_ms=5), capacity=Capacity(servers=1))

    async def serve() -> None:
        async with running(mock):
            answered = [mock.call(Caller("GET", f"/{number}")) for number in range(3)]
            for _ in range(70):
                await turns()
                mock.clock.advance(MS)
            await asyncio.gather(*answered)

    asyncio.run(serve())
    assert [(event.plan.first_byte_ns - 1_000 * MS) / MS for event in mock.events()] == [25, 45, 65]
    assert mock.app.lane.in_flight == 0


def test_a_request_that_is_not_let_in_is_refused_and_not_out_of_the_metrics() -> None:
    mock = Mock(stub("slow", delay=SLOW), capacity=Capacity(servers=1, queue_limit=0, recorded_up_to=9))

    async def serve() -> None:
        async with running(mock):
            answered = mock.call(Caller("GET", "/1"))
            await turns()
            refused, metrics = Caller("GET", "/2"), Caller("GET", "/__admin/metrics")
            await mock.call(refused)
            await mock.call(metrics)
            assert refused.status == 503
            assert orjson.loads(metrics.body)["pools"] == {
                "default": {
                    "inFlight": 1,
                    "waiting": 0,
                    "refused": {"queueFull": 1, "rateLimit": 0},
                    "timedOut": 0,
                    "beyondRecorded": 0,
                }
            }
            mock.clock.advance(20 * MS)
            await answered

    asyncio.run(serve())
    assert [event.response.status for event in mock.events()] == [503, 200]


def test_a_caller_that_leaves_while_it_waits_frees_its_place() -> None:
    mock = Mock(stub("slow", delay=SLOW), capacity=Capacity(servers=1, abandoned="frees"))

    async def serve() -> None:
        async with running(mock):
            leaving = Caller("GET", "/1")
            answered = [mock.call(leaving), mock.call(Caller("GET", "/2"))]
            await turns()
            mock.clock.advance(5 * MS)
            leaving.leave()
            await answered[0]
            mock.clock.advance(20 * MS)
            await answered[1]

    asyncio.run(serve())
    left, served = mock.events()
    assert (left.caller_left, left.first_byte_ns) == (True, None)
    assert served.plan.first_byte_ns == 1_025 * MS


# Who is under way


def test_in_flight_counts_the_others_under_way_at_arrival() -> None:
    mock = Mock(stub("slow", delay=SLOW))

    async def serve() -> None:
        async with running(mock):
            first = mock.call(Caller("GET", "/1"))
            await turns()
            second = mock.call(Caller("GET", "/2"))
            await turns()
            mock.clock.advance(20 * MS)
            await asyncio.gather(first, second)
            third = mock.call(Caller("GET", "/3"))
            await turns()
            mock.clock.advance(20 * MS)
            await third

    asyncio.run(serve())
    assert [(event.request.target, event.in_flight) for event in mock.events()] == [
        ("/1", 0),
        ("/2", 1),
        ("/3", 0),
    ]


def test_a_caller_that_leaves_is_an_event_and_no_longer_in_flight() -> None:
    mock = Mock(stub("slow", path="/slow", delay=SLOW), stub("fast", path="/fast"))

    async def serve() -> None:
        async with running(mock):
            leaving = Caller("GET", "/slow")
            answered = mock.call(leaving)
            await turns()
            mock.clock.advance(5 * MS)
            leaving.leave()
            await answered
            assert leaving.sent == []
            mock.clock.advance(100 * MS)
            await turns()
            await mock.call(Caller("GET", "/fast"))

    asyncio.run(serve())
    left, stayed = mock.events()
    assert (left.caller_left, left.first_byte_ns, left.end_ns) == (True, None, 1_005 * MS)
    assert (stayed.caller_left, stayed.in_flight) == (False, 0)
    assert (mock.journal.served, mock.journal.callers_left) == (2, 1)


def test_a_caller_that_leaves_while_sending_its_body_asked_for_nothing() -> None:
    mock = Mock(stub("a"))
    caller = Caller("POST", "/", b"one", b"two")
    caller.before_chunk = lambda left: caller.leave() if left == 1 else None
    served(mock, caller)
    assert caller.sent == []
    assert mock.events() == []


def test_a_task_that_is_cancelled_while_it_waits_is_no_longer_in_flight() -> None:
    mock = Mock(stub("slow", path="/slow", delay=SLOW), stub("fast", path="/fast"))

    async def serve() -> None:
        async with running(mock):
            caller = Caller("GET", "/slow")
            task = asyncio.create_task(mock.app(caller.scope, caller.receive, caller.send))
            await turns()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            mock.clock.advance(100 * MS)
            await turns()
            await mock.call(Caller("GET", "/fast"))

    asyncio.run(serve())
    assert [(event.stub, event.in_flight) for event in mock.events()] == [("fast", 0)]


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="descriptors are counted in /proc")
def test_the_end_frees_what_waiting_took() -> None:
    mock = Mock(stub("slow", delay=SLOW))

    async def serve() -> None:
        before = open_descriptors()
        async with running(mock):
            answered = mock.call(Caller("GET", "/"))
            await turns()
            mock.clock.advance(20 * MS)
            await answered
        assert open_descriptors() == before

    asyncio.run(serve())


# What is not the service's


def test_the_admin_api_says_that_it_is_healthy_and_is_not_in_the_journal() -> None:
    mock = Mock(stub("everything"))
    (caller,) = served(mock, Caller("GET", "/__admin/health"))
    assert caller.status == 200
    assert orjson.loads(caller.body)["status"] == "healthy"
    assert mock.events() == []


def test_the_admin_api_has_the_metrics_of_what_was_served() -> None:
    mock = Mock(stub("order", path="/orders"))
    calls = [
        Caller("GET", "/__admin/metrics"),
        Caller("GET", "/orders"),
        Caller("GET", "/"),
        Caller("GET", "/__admin/metrics"),
    ]
    before, _, _, after = served(mock, *calls)
    assert orjson.loads(before.body) == {
        "service": "orders",
        "stubs": 1,
        "served": 0,
        "unmatched": 0,
        "callersLeft": 0,
        "faults": {},
        "lateWindows": 0,
        "latenessMilliseconds": None,
        "callbacks": {"made": 0, "failed": 0, "dropped": 0, "waiting": 0},
        "pools": {},
    }
    metrics = orjson.loads(after.body)
    assert (metrics["served"], metrics["unmatched"]) == (2, 1)
    assert metrics["latenessMilliseconds"] == {"p50": 0, "p99": 0, "max": 0}


@pytest.mark.parametrize("target", ["/__admin/nothing", "/__admin/"])
def test_an_unknown_admin_path_never_reaches_the_stubs(target: str) -> None:
    mock = Mock(stub("everything"))
    (caller,) = served(mock, Caller("GET", target))
    assert caller.status == 404
    assert mock.events() == []


def test_a_path_that_only_begins_like_the_admin_api_is_the_services() -> None:
    mock = Mock(stub("everything"))
    (caller,) = served(mock, Caller("GET", "/__administrators"))
    assert caller.status == 200


def test_a_websocket_is_declined() -> None:
    mock = Mock(stub("everything"))
    caller = Caller("GET", "/")
    caller.scope["type"] = "websocket"
    served(mock, caller)
    assert caller.sent == [{"type": "websocket.close", "code": 1000}]


# What takes its time, and faults


def paced(**sending: Any) -> Mock:
    return Mock(stub("a", body=Body("body", "0123456789"), sending=SendingDefinition(**sending)))


def fault(kind: str, **told: Any) -> Mock:
    return paced(fault=FaultDefinition(kind, **told))


async def left(mock: Mock, caller: Caller) -> None:
    """A call whose caller leaves while it waits."""
    async with running(mock):
        call = mock.call(caller)
        await turns()
        caller.leave()
        await call


def test_pieces_of_a_body_are_sent_one_by_one_and_the_last_ends_it() -> None:
    (caller,) = served(paced(dribble=Dribble(2, 0)), Caller("GET", "/"))
    assert caller.headers == [(b"content-length", b"10")]
    assert [message["body"] for message in caller.sent[1:]] == [b"01234", b"56789", b""]


def test_events_are_a_body_without_a_length() -> None:
    mock = Mock(stub("a", sending=SendingDefinition(events=EventStream((ServerSentEvent("x"),)))))
    (caller,) = served(mock, Caller("GET", "/"))
    assert caller.headers == [(b"Content-Type", b"text/event-stream"), (b"Cache-Control", b"no-cache")]
    assert caller.body == b"data: x\n\n"


@pytest.mark.parametrize(("kind", "after"), [("TRUNCATED_BODY", 3), ("RESET_AFTER_BYTES", 42)])
def test_an_answer_that_breaks_off_breaks_the_connection(kind: str, after: int) -> None:
    mock, caller = fault(kind, after_bytes=after), Caller("GET", "/")
    with pytest.raises(ConnectionError, match=kind):
        served(mock, caller)
    assert (caller.headers, caller.body) == ([(b"content-length", b"10")], b"012")
    assert mock.journal.faults == {kind: 1}


@pytest.mark.parametrize("kind", ["CONNECTION_RESET_BY_PEER", "EMPTY_RESPONSE", "RANDOM_DATA_THEN_CLOSE"])
def test_a_fault_that_asgi_cannot_do_is_a_500_that_says_so(kind: str) -> None:
    (caller,) = served(fault(kind), Caller("GET", "/"))
    assert (caller.status, kind.encode() in caller.body) == (500, True)


def test_no_response_waits_until_the_caller_leaves() -> None:
    mock, caller = fault("NO_RESPONSE"), Caller("GET", "/")
    asyncio.run(left(mock, caller))
    assert caller.sent == []
    (event,) = mock.events()
    assert (event.caller_left, event.first_byte_ns) == (True, None)
