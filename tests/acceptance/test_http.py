"""HTTP/1.1 over real sockets: what callers of every kind send to `mockforge serve`, and what they get."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

import h11
import pytest
import uvloop

from mockforge.engine import Engine, compile_service
from mockforge.server.app import MockApp
from mockforge.server.http import serving
from mockforge.sockets import listen
from mockforge.state.journal import Journal
from mockforge.stubfiles.reader import read_service
from tests.acceptance.conftest import PATIENCE_S, Program, running

MIB = 1024 * 1024
LARGE = 100 * MIB

STUBS = """
mappings:
  - {name: hello, request: ANY /hello, response: {body: hello}}
  - {name: soon, request: ANY /soon, response: {body: soon, fixedDelayMilliseconds: 20}}
  - {name: later, request: ANY /later, response: {body: later, fixedDelayMilliseconds: 200}}
  - {name: never, request: ANY /never, response: {body: never, fixedDelayMilliseconds: 3600000}}
  - {name: empty, request: ANY /empty, response: {status: 204}}
  - {name: unchanged, request: ANY /unchanged, response: {status: 304, headers: {ETag: '"7"'}}}
  - {name: large, request: ANY /large, response: {bodyFileName: large.bin}}
"""


@pytest.fixture(scope="module")
def stubs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stubs")
    (folder / "service.yaml").write_text(STUBS)
    (folder / "__files").mkdir()
    with (folder / "__files" / "large.bin").open("wb") as file:
        file.truncate(LARGE)
    return folder


@pytest.fixture(scope="module")
def mock(stubs: Path) -> Iterator[Program]:
    with running("-m", "mockforge", "serve", str(stubs), "--port", "0") as program:
        yield program
    assert "Traceback" not in program.output
    assert "rror" not in program.output


def address(program: Program) -> tuple[str, int]:
    parts = urlsplit(program.url)
    assert parts.hostname is not None
    assert parts.port is not None
    return parts.hostname, parts.port


class Caller:
    """A connection, and h11 to read what comes over it."""

    def __init__(self, to: Program | tuple[str, int], receive_buffer: int | None = None) -> None:
        self.socket = socket.socket()
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(PATIENCE_S)
        self.socket.connect(to if isinstance(to, tuple) else address(to))
        self._unread = b""

    def __enter__(self) -> Caller:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, *requests: bytes) -> Caller:
        self.socket.sendall(b"".join(requests))
        return self

    def answer(self, method: str = "GET") -> tuple[int, dict[bytes, bytes], bytes]:
        """The next answer, interim ones included: status, fields, body."""
        reader = h11.Connection(h11.CLIENT)
        reader.send(h11.Request(method=method, target="/", headers=[("Host", "mock")]))
        reader.send(h11.EndOfMessage())
        if self._unread:  # h11 takes nothing for the end
            reader.receive_data(self._unread)
        head = self._event(reader)
        if isinstance(head, h11.InformationalResponse):
            self._unread = reader.trailing_data[0]
            return head.status_code, dict(head.headers), b""
        assert isinstance(head, h11.Response)
        body = bytearray()
        while isinstance(event := self._event(reader), h11.Data):
            body += event.data
        assert isinstance(event, h11.EndOfMessage)
        self._unread = reader.trailing_data[0]
        return head.status_code, dict(head.headers), bytes(body)

    def _event(self, reader: h11.Connection) -> h11.Event | type[h11.PAUSED]:
        while (event := reader.next_event()) is h11.NEED_DATA:
            reader.receive_data(self.socket.recv(MIB))
        assert not isinstance(event, type)
        return event

    def answers(self, count: int) -> list[tuple[int, bytes]]:
        return [(status, body) for status, _, body in (self.answer() for _ in range(count))]

    @property
    def is_over(self) -> bool:
        """Whether the server has closed the connection; waits for it to say something."""
        return self._unread == b"" and self.socket.recv(1) == b""

    def reset(self) -> None:
        """Leave without a goodbye."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


def request(target: str, *fields: str, method: str = "GET", version: str = "1.1", body: bytes = b"") -> bytes:
    lines = [f"{method} {target} HTTP/{version}", "Host: mock", *fields]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def metrics(program: Program) -> dict[str, int]:
    with Caller(program) as caller:
        caller.send(request("/__admin/metrics", "Connection: close"))
        found = json.loads(caller.answer()[2])
        assert isinstance(found, dict)
        return found


def wait_for(program: Program, metric: str, value: int) -> None:
    """Ask until the metric has the value; the test's own time limit is the patience."""
    while metrics(program)[metric] < value:
        pass


# One connection, many requests


def test_pipelined_requests_are_answered_in_order_though_their_delays_differ(mock: Program) -> None:
    with Caller(mock) as caller:
        caller.send(*map(request, ["/later", "/hello", "/soon", "/__admin/health?verbose=1", "/hello"]))
        answers = caller.answers(5)
        assert [body for _, body in answers[:3]] == [b"later", b"hello", b"soon"]
        assert json.loads(answers[3][1])["status"] == "healthy"
        assert answers[4] == (200, b"hello")


def test_thousands_of_pipelined_requests_are_answered(mock: Program) -> None:
    with Caller(mock) as caller:
        writing = threading.Thread(
            target=caller.send, args=[request("/hello", "X: 1"), request("/soon")] * 2_000
        )
        writing.start()
        assert {caller.answer()[0] for _ in range(4_000)} == {200}
        writing.join()


@pytest.mark.parametrize(
    ("version", "field", "said", "stays"),
    [
        ("1.1", "X: 1", None, True),
        ("1.1", "Connection: close", b"close", False),
        ("1.0", "X: 1", b"close", False),
        ("1.0", "Connection: keep-alive", b"keep-alive", True),
    ],
)
@pytest.mark.parametrize("target", ["/hello", "/soon"])
def test_a_connection_stays_or_closes_as_its_caller_wishes(
    mock: Program, version: str, field: str, said: bytes | None, stays: bool, target: str
) -> None:
    with Caller(mock) as caller:
        caller.send(request(target, field, version=version))
        status, fields, _ = caller.answer()
        assert (status, fields.get(b"connection")) == (200, said)
        if stays:
            assert caller.send(request("/hello")).answer()[2] == b"hello"
        else:
            assert caller.is_over


def test_head_204_and_304_have_no_body(mock: Program) -> None:
    with Caller(mock) as caller:
        caller.send(
            request("/large", method="HEAD"),
            request("/empty"),
            request("/unchanged"),
            request("/hello", method="HEAD"),
            request("/hello"),
        )
        _, fields, body = caller.answer("HEAD")
        assert (int(fields[b"content-length"]), body) == (LARGE, b"")
        for status in (204, 304):
            found, fields, body = caller.answer()
            assert (found, body, b"content-length" in fields) == (status, b"", False)
        assert caller.answer("HEAD")[1][b"content-length"] == b"5"
        assert caller.answer()[2] == b"hello"


# Bodies


def test_chunked_bodies_trailers_and_bodies_that_are_held_back_are_read(mock: Program) -> None:
    with Caller(mock) as caller:
        chunked = request("/hello", "Transfer-Encoding: chunked", method="POST")
        caller.send(chunked, b"3\r\nabc\r\n", b"0\r\nX-Sum: 1\r\n\r\n", request("/soon"))
        assert caller.answers(2) == [(200, b"hello"), (200, b"soon")]
        caller.send(request("/later"), request("/hello", "Expect: 100-continue", "Content-Length: 3"))
        assert caller.answers(2) == [(200, b"later"), (100, b"")]
        caller.send(b"abc")
        assert caller.answer()[2] == b"hello"


@pytest.mark.parametrize("chunked", [True, False])
def test_a_caller_that_sends_50_mb_before_it_reads_still_gets_its_refusal(
    mock: Program, chunked: bool
) -> None:
    with Caller(mock) as caller:
        if chunked:
            caller.send(request("/hello", "Transfer-Encoding: chunked", method="PUT"))
            chunk = b"100000\r\n" + bytes(MIB) + b"\r\n"
        else:
            caller.send(request("/hello", f"Content-Length: {50 * MIB}", method="PUT"))
            chunk = bytes(MIB)
        for _ in range(50):
            caller.send(chunk)
        status, fields, body = caller.answer()
        assert (status, fields[b"connection"]) == (413, b"close")
        assert b"above 10,485,760 bytes" in body
        assert caller.is_over


def test_a_body_within_the_limit_is_served(mock: Program) -> None:
    with Caller(mock) as caller:
        assert caller.send(request("/hello", method="PUT", body=bytes(10 * MIB))).answer()[0] == 200


# Refusals


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"NONSENSE\r\n\r\n", 400),
        (request("/hello", "Content-Length: abc"), 400),
        (request("/hello", "Content-Length: -1"), 400),
        (request("/hello", "Content-Length: 1", "Content-Length: 2"), 400),
        (request("/hello", "Content-Length: 1", "Transfer-Encoding: chunked"), 400),
        (request("/hello", "Bad Name: 1"), 400),
        (request("/hello", version="1.7"), 400),
        (request("/hello", version="2.0"), 505),
        (request("/" + "x" * 20_000), 414),
        (request("/hello", *[f"X-{n}: {'x' * 100}" for n in range(1_000)]), 431),
        (b"CONNECT other:443 HTTP/1.1\r\n\r\n", 501),
    ],
)
def test_what_cannot_be_served_is_refused_after_what_is_owed(mock: Program, data: bytes, status: int) -> None:
    with Caller(mock) as caller:
        caller.send(request("/soon"), data)
        assert caller.answer()[2] == b"soon"
        found, fields, body = caller.answer()
        assert (found, fields[b"connection"]) == (status, b"close")
        assert body.endswith(b"\n")
        assert caller.is_over


# Targets and wishes


@pytest.mark.parametrize("target", ["http://mock/hello", "http://mock:8080/hello?x=1", "/hello?to=http://x/"])
def test_a_target_may_have_any_form(mock: Program, target: str) -> None:
    with Caller(mock) as caller:
        assert caller.send(request(target)).answer()[2] == b"hello"


def test_the_options_of_the_whole_server_can_be_asked_for(mock: Program) -> None:
    with Caller(mock) as caller:
        caller.send(request("*", method="OPTIONS"), request("/hello"))
        assert caller.answers(2) == [(204, b""), (200, b"hello")]


@pytest.mark.parametrize("protocol", ["h2c", "websocket"])
@pytest.mark.parametrize("body", [b"", b"hello"])
def test_a_wish_for_another_protocol_is_answered_as_http_1_1(
    mock: Program, protocol: str, body: bytes
) -> None:
    with Caller(mock) as caller:
        wish = request("/soon", "Connection: Upgrade", f"Upgrade: {protocol}", method="POST", body=body)
        caller.send(wish, request("/hello"))
        assert caller.answers(2) == [(200, b"soon"), (200, b"hello")]


# Callers that leave


def test_callers_that_leave_before_their_answer_is_due_are_counted(mock: Program) -> None:
    before = metrics(mock)["callersLeft"]
    for leave in (Caller.reset, lambda caller: caller.socket.close()):
        for _ in range(20):
            caller = Caller(mock)
            caller.send(request("/hello"), request("/never"))
            assert caller.answer()[2] == b"hello"
            leave(caller)
    wait_for(mock, "callersLeft", before + 40)
    with Caller(mock) as caller:
        assert caller.send(request("/soon")).answer()[2] == b"soon"


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_a_caller_that_closed_its_half_gets_its_answer(mock: Program, version: str) -> None:
    with Caller(mock) as caller:
        caller.send(request("/later", "Connection: close", version=version))
        caller.socket.shutdown(socket.SHUT_WR)
        assert caller.answer()[2] == b"later"
        assert caller.is_over


# Slow readers


def memory(program: Program) -> int:
    """Resident memory of the program, in bytes."""
    lines = Path(f"/proc/{program.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS"))


@pytest.mark.skipif(not Path("/proc").exists(), reason="needs /proc")
def test_slow_readers_of_a_large_answer_take_no_memory(mock: Program) -> None:
    left_before = metrics(mock)["callersLeft"]
    with Caller(mock) as caller:
        assert len(caller.send(request("/large")).answer()[2]) == LARGE
    before = memory(mock)
    with contextlib.ExitStack() as leaving:
        readers = [leaving.enter_context(Caller(mock, receive_buffer=65_536)) for _ in range(5)]
        read = dict.fromkeys(readers, 0)
        most = 0
        for reader in readers:
            reader.send(request("/large"))
        for _ in range(50):
            for reader in readers:
                read[reader] += len(reader.socket.recv(100_000))
            most = max(most, memory(mock))
        while read[readers[0]] < LARGE:
            read[readers[0]] += len(readers[0].socket.recv(MIB))
            most = max(most, memory(mock))
        for reader in readers[1:]:
            reader.reset()
        assert most - before < 20 * MIB
    wait_for(mock, "callersLeft", left_before + 4)


# The end of the server


def test_a_delayed_answer_still_arrives_after_ctrl_c_and_nobody_new_is_served(stubs: Path) -> None:
    with running("-m", "mockforge", "serve", str(stubs), "--port", "0") as program:
        with Caller(program) as caller, Caller(program) as idle, Caller(program) as half:
            half.send(request("/hello", body=b"hello")[:-2])
            caller.send(request("/hello"), request("/later"))
            assert caller.answer()[2] == b"hello"
            program.process.send_signal(signal.SIGINT)
            assert idle.is_over
            half.send(b"lo")
            assert half.answer()[1][b"connection"] == b"close"
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(address(program)).close()
            _, fields, body = caller.answer()
            assert (fields[b"connection"], body) == (b"close", b"later")
            assert caller.is_over
        program.process.wait(PATIENCE_S)
    assert "Traceback" not in program.output


def test_a_stub_whose_header_would_inject_another_is_refused(
    tmp_path: Path, mockforge: Callable[..., str]
) -> None:
    stub = tmp_path / "stub.yaml"
    stub.write_text('{request: GET /a, response: {headers: {X-Id: "7\\r\\nSet-Cookie: a=b"}}}')
    assert "control character" in mockforge("serve", str(stub), "--port", "0", code=2)


# Event loops


@pytest.mark.parametrize(
    "new_loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"]
)
def test_the_ways_to_end_a_connection_are_the_same_on_every_event_loop(
    stubs: Path, new_loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    def call(to: tuple[str, int]) -> None:
        with Caller(to) as caller:
            caller.send(request("/soon", "Connection: close"))
            caller.socket.shutdown(socket.SHUT_WR)
            assert caller.answer()[2] == b"soon"
            assert caller.is_over
        with Caller(to) as caller:
            caller.send(request("/hello", f"Content-Length: {20 * MIB}", method="PUT"), bytes(20 * MIB))
            assert caller.answer()[0] == 413
            assert caller.is_over
        with Caller(to) as caller:
            caller.send(request("/never"))
        with Caller(to, receive_buffer=65_536) as caller:
            assert len(caller.send(request("/large")).answer()[2]) == LARGE
        caller = Caller(to)
        caller.send(request("/large"))
        assert caller.socket.recv(1)
        caller.reset()

    async def run() -> Journal:
        journal = Journal()
        all_served = asyncio.Event()
        journal.listeners.append(lambda event: all_served.set() if journal.served == 4 else None)
        app = MockApp(Engine(compile_service(read_service(stubs)), Random(1)), journal)
        sock = listen("127.0.0.1", 0)
        async with serving(app, sock):
            await asyncio.to_thread(call, sock.getsockname())
            await all_served.wait()
        return journal

    with asyncio.Runner(loop_factory=new_loop) as runner:
        journal = runner.run(run())
    left = {event.request.target: event.first_byte_ns for event in journal.latest() if event.caller_left}
    assert set(left) == {"/never", "/large"}
    assert left["/never"] is None
    assert left["/large"] is not None
    assert journal.served == 4
