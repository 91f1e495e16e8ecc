"""`mockforge replay`, as a user runs it, against a server of raw sockets."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from mockforge.model.exchange import Exchange, Request, Response
from mockforge.model.headers import Headers
from mockforge.recording.store import RecordingMeta, RecordingReader, RecordingWriter

MS = 1_000_000
HOUR_NS = 3_600_000_000_000

#: Against hanging for ever; nothing is measured by it.
PATIENCE_S = 60


@dataclass
class Backend:
    """Answers 200 once `released`; keeps every request it got, as bytes. Answers the check at once."""

    wanted: int = 0
    released: asyncio.Event = field(default_factory=asyncio.Event)
    got_all: asyncio.Event = field(default_factory=asyncio.Event)
    requests: list[tuple[bytes, bytes]] = field(default_factory=list)
    answered: int = 0
    all_answered: asyncio.Event = field(default_factory=asyncio.Event)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                if not head.startswith(b"OPTIONS * "):
                    await self._take(head, reader)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                await writer.drain()
                if not head.startswith(b"OPTIONS * "):
                    self.answered += 1
                    if self.answered == self.wanted:
                        self.all_answered.set()
        writer.close()

    async def _take(self, head: bytes, reader: asyncio.StreamReader) -> None:
        lengths = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
        body = await reader.readexactly(int(lengths[0].partition(b":")[2])) if lengths else b""
        self.requests.append((head, body))
        if len(self.requests) == self.wanted:
            self.got_all.set()
        await self.released.wait()


def with_backend(test: Callable[[Backend], Awaitable[None]], *, wanted: int, released: bool = True) -> None:
    """Run `test` beside a backend that expects `wanted` requests."""

    async def main() -> None:
        backend = Backend(wanted)
        if released:
            backend.released.set()
        handled: list[asyncio.Task[None]] = []

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            current = asyncio.current_task()
            assert current is not None
            handled.append(current)
            await backend.handle(reader, writer)

        server = await asyncio.start_server(handle, "127.0.0.1", 0)
        backend.port = server.sockets[0].getsockname()[1]
        try:
            async with asyncio.timeout(PATIENCE_S):
                await test(backend)
        finally:
            server.close()
            backend.released.set()
            await asyncio.wait_for(asyncio.gather(*handled), PATIENCE_S)
            await server.wait_closed()

    asyncio.run(main())


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


async def started(*arguments: object, cwd: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "mockforge", "replay", *map(str, arguments)),
        cwd=cwd,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def ended(process: asyncio.subprocess.Process) -> Ended:
    out, err = await process.communicate()
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), err.decode())


async def replayed(*arguments: object, cwd: Path) -> Ended:
    return await ended(await started(*arguments, cwd=cwd))


def refused(*arguments: object, cwd: Path) -> str:
    """The one line with which the command refuses."""
    result = asyncio.run(replayed(*arguments, cwd=cwd))
    assert result.code == 2, result
    assert result.out == ""
    lines = result.err.splitlines()
    assert len(lines) == 1, result.err
    return lines[0]


def recorded(path: Path, *requests: Request, arrived_ns: Callable[[int], int] = lambda index: index) -> Path:
    """A recording of the requests, the n-th arrived at `arrived_ns(n)`."""
    with RecordingWriter(path, RecordingMeta("recording", "http://old:1", 0)) as writer:
        for index, request in enumerate(requests):
            operation = "GET /orders/{id}" if request.target.startswith("/orders/") else None
            writer.add(Exchange(0, 77 + arrived_ns(index), request, Response(200), MS, operation=operation))
    return path


def get(target: str = "/orders/1") -> Request:
    return Request("GET", target, Headers((("Host", "old:1"),)))


def test_requests_arrive_as_they_were_recorded(tmp_path: Path) -> None:
    body = bytes(range(256)) * 300
    awkward = Headers(
        (
            ("Host", "old:1"),
            ("x-lower", "1"),
            ("X-Twice", "b"),
            ("X-Twice", "a"),
            ("Cookie", 'a="1"; b=2'),
            ("Accept-Encoding", "br"),
            ("X-City", "Zürich".encode().decode("latin-1")),
            ("Connection", "keep-alive"),
        )
    )
    posted = Headers((("Host", "old:1"), ("Content-Length", str(len(body))), ("Content-Type", "x/y")))
    requests = (
        Request("GET", "/a/../b//c%2Fd?q=%zz&r=%20+&s=[]{}|\"'&t=#x?", awkward),
        Request("POST", "/orders/?", posted, body),
        Request("DELETE", "/plain"),
        Request("PROPFIND", "/dav", Headers((("Host", "old:1"), ("Depth", "1")))),
    )

    async def test(backend: Backend) -> None:
        source = recorded(tmp_path / "r.mfrec", *requests, arrived_ns=lambda index: index * 20 * MS)
        result = await replayed(source, "--target", backend.url, "--out", "o.mfrec", "--unsafe", cwd=tmp_path)
        assert result.code == 0, result.err
        host = f"Host: 127.0.0.1:{backend.port}"
        wired = [
            (
                "GET /a/../b//c%2Fd?q=%zz&r=%20+&s=[]{}|\"'&t=#x? HTTP/1.1",
                *(host, "x-lower: 1", "X-Twice: b", "X-Twice: a", 'Cookie: a="1"; b=2'),
                *("Accept-Encoding: br", "X-City: Zürich"),
            ),
            ("POST /orders/? HTTP/1.1", host, f"Content-Length: {len(body)}", "Content-Type: x/y"),
            ("DELETE /plain HTTP/1.1", host),
            ("PROPFIND /dav HTTP/1.1", host, "Depth: 1", "Content-Length: 0"),
        ]
        heads = ["".join(f"{line}\r\n" for line in (*head, "")).encode() for head in wired]
        assert sorted(backend.requests) == sorted(zip(heads, [b"", body, b"", b""], strict=True))

    with_backend(test, wanted=len(requests))


def test_every_request_is_sent_before_any_is_answered(tmp_path: Path) -> None:
    async def test(backend: Backend) -> None:
        source = recorded(tmp_path / "r.mfrec", *[get()] * 150, arrived_ns=lambda index: index * MS)
        process = await started(source, "--target", backend.url, "--out", "o.mfrec", cwd=tmp_path)
        await backend.got_all.wait()
        assert backend.answered == 0
        backend.released.set()
        result = await ended(process)
        assert result.code == 0, result.err
        with RecordingReader(tmp_path / "o.mfrec") as reader:
            assert [one.response and one.response.body for one in reader.exchanges()] == [b"ok"] * 150
            assert list(reader.columns().in_flight) == list(range(150))

    with_backend(test, wanted=150, released=False)


def test_the_result_is_a_recording_on_the_intended_schedule(tmp_path: Path) -> None:
    async def test(backend: Backend) -> None:
        targets = ["/orders/1", "/other", "/orders/2", "/orders/3"]
        source = recorded(
            tmp_path / "r.mfrec", *map(get, targets), arrived_ns=lambda index: index * index * 10 * MS
        )
        result = await replayed(
            source, "--target", backend.url, "--speed", 2, "--out", "o.mfrec", cwd=tmp_path
        )
        assert result.code == 0, result.err
        with RecordingReader(tmp_path / "o.mfrec") as reader:
            exchanges = list(reader.exchanges())
            assert reader.meta.kind == "replay"
            assert reader.meta.target == backend.url
            assert reader.meta.notes["source"] == str(source)
            assert reader.meta.notes["speed"] == "2"
        assert [one.arrived_ns for one in exchanges] == [0, 5 * MS, 20 * MS, 45 * MS]
        assert [one.request.target for one in exchanges] == targets
        operation = "GET /orders/{id}"
        assert [one.operation for one in exchanges] == [operation, None, operation, operation]
        for one in exchanges:
            assert one.lateness_ns is not None
            assert one.ttfb_ns is not None
            assert 0 <= one.lateness_ns < one.ttfb_ns <= one.total_ns
        assert exchanges[0].connect_ns is not None

    with_backend(test, wanted=4)


def test_the_end_tells_each_operation_the_send_lag_and_what_comes_next(tmp_path: Path) -> None:
    async def test(backend: Backend) -> None:
        source = recorded(tmp_path / "shop.mfrec", get("/orders/1"), get("/orders/2"), get("/other"))
        result = await replayed(source, "--target", backend.url, "--rate", "100000", cwd=tmp_path)
        assert result.code == 0, result.err
        assert "GET /orders/{id}" in result.out
        assert "GET /other" in result.out
        assert "service" in result.out
        assert "send lag: p50" in result.out
        (made,) = (tmp_path / "recordings").glob("shop-replay-*.mfrec")
        assert f"next: mockforge compare REAL.mfrec recordings/{made.name}" in result.out

    with_backend(test, wanted=3)


def test_an_interrupt_keeps_what_was_gathered(tmp_path: Path) -> None:
    async def test(backend: Backend) -> None:
        source = recorded(
            tmp_path / "r.mfrec", *[get()] * 4, arrived_ns=lambda index: HOUR_NS if index == 3 else index
        )
        process = await started(source, "--target", backend.url, "--out", "o.mfrec", cwd=tmp_path)
        await backend.all_answered.wait()
        process.send_signal(signal.SIGINT)
        result = await ended(process)
        assert result.code == 0, result.err
        assert "ended after 3 of 4 requests; what was gathered is kept" in result.err
        assert "Traceback" not in result.err
        with RecordingReader(tmp_path / "o.mfrec") as reader:
            assert [one.failed for one in reader.exchanges()] == [False] * 3
            assert reader.meta.notes["interrupted"] == "after 3 of 4 requests"

    with_backend(test, wanted=3)


def test_requests_beyond_the_cap_are_dropped_and_the_run_is_stamped(tmp_path: Path) -> None:
    async def test(backend: Backend) -> None:
        source = recorded(tmp_path / "r.mfrec", *[get()] * 5)
        process = await started(
            *(source, "--target", backend.url, "--out", "o.mfrec", "--max-in-flight", 2), cwd=tmp_path
        )
        await backend.got_all.wait()
        backend.released.set()
        result = await ended(process)
        assert result.code == 0, result.err
        assert "invalid: generator-limited" in result.err
        assert "invalid: generator-limited" in result.out
        assert "3 of 5 requests were dropped" in result.err
        with RecordingReader(tmp_path / "o.mfrec") as reader:
            assert sum(one.error is None for one in reader.exchanges()) == 2
            assert "3 of 5 requests were dropped" in reader.meta.notes["generator_limited"]

    with_backend(test, wanted=2, released=False)


def test_a_target_that_fails_every_request_is_recorded_and_told(tmp_path: Path) -> None:
    async def main() -> None:
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            head = await reader.readuntil(b"\r\n\r\n")
            if head.startswith(b"OPTIONS * "):
                writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            writer.close()

        server = await asyncio.start_server(handle, "127.0.0.1", 0)
        source = recorded(tmp_path / "r.mfrec", *[get()] * 3)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server:
            result = await replayed(source, "--target", url, "--out", "o.mfrec", cwd=tmp_path)
        assert result.code == 0, result.err
        assert "3 requests failed: wait: closed without an answer" in result.err
        with RecordingReader(tmp_path / "o.mfrec") as reader:
            assert [one.error for one in reader.exchanges()] == ["wait: closed without an answer"] * 3

    asyncio.run(main())


def test_an_unreachable_target_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    source = recorded(tmp_path / "r.mfrec", get())
    with socket.socket() as taken:  # bound and not listening: nothing else can take the port meanwhile
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        line = refused(source, "--target", url, cwd=tmp_path)
    assert url in line
    assert "nothing listens at the target" in line
    assert not (tmp_path / "recordings").exists()


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--target", "localhost:9000"), "does not begin with http:// or https://"),
        (
            ("--target", "http://h", "--speed", "2", "--rate", "5"),
            "--speed 2 and --rate 5 exclude each other",
        ),
        (("--target", "http://localhost", "--speed", "0"), "--speed is 0, and must be above zero"),
        (("--target", "http://h", "--rate", "-3"), "--rate is -3, and must be above zero"),
    ],
)
def test_what_cannot_be_asked_for_is_refused_in_one_line(
    arguments: tuple[str, ...], why: str, tmp_path: Path
) -> None:
    assert why in refused(recorded(tmp_path / "r.mfrec", get()), *arguments, cwd=tmp_path)


def test_a_missing_recording_is_refused_in_one_line(tmp_path: Path) -> None:
    line = refused("none.mfrec", "--target", "http://127.0.0.1:9", cwd=tmp_path)
    assert "none.mfrec" in line
    assert "there is no such recording" in line


def test_an_empty_recording_is_refused_in_one_line(tmp_path: Path) -> None:
    line = refused(recorded(tmp_path / "r.mfrec"), "--target", "http://127.0.0.1:9", cwd=tmp_path)
    assert "r.mfrec" in line
    assert "no exchanges to replay" in line


def test_a_result_is_never_written_over_another(tmp_path: Path) -> None:
    async def test(backend: Backend) -> None:
        source = recorded(tmp_path / "r.mfrec", get())
        result = await replayed(source, "--target", backend.url, "--out", source, cwd=tmp_path)
        assert result.code == 2
        assert "exists already" in result.err
        assert not backend.requests

    with_backend(test, wanted=1)
