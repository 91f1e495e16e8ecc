"""What a replay refuses, what ends it, what it changes and what it exports, as a user sees it."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from mockforge.cli.main import application
from mockforge.errors import MockForgeError
from mockforge.model.exchange import Exchange, Request, Response
from mockforge.model.headers import Headers
from mockforge.recording.store import RecordingMeta, RecordingReader, RecordingWriter

MS = 1_000_000
JSON = Headers((("Content-Type", "application/json"),))

#: Against hanging for ever; nothing is measured by it.
PATIENCE_S = 60


def recorded(path: Path, *exchanges: Exchange) -> Path:
    with RecordingWriter(path, RecordingMeta("recording", "http://old:1", 0)) as writer:
        for exchange in exchanges:
            writer.add(exchange)
    return path


def exchange(at_ms: float, request: Request, response: Response | None = None) -> Exchange:
    return Exchange(0, round(at_ms * MS), request, response or Response(200), MS // 10)


def gets(number: int) -> list[Exchange]:
    return [exchange(at, Request("GET", f"/orders/{at}")) for at in range(number)]


def refusal(*arguments: object) -> str:
    """The one line with which the command refuses."""
    result = CliRunner().invoke(application(), ["replay", *map(str, arguments)])
    assert isinstance(result.exception, MockForgeError), result.output
    assert result.exception.exit_code == 2
    return str(result.exception)


def test_methods_that_change_data_need_unsafe(tmp_path: Path) -> None:
    source = recorded(tmp_path / "r.mfrec", *gets(2), exchange(9, Request("POST", "/orders")))
    line = refusal(source, "--target", "http://127.0.0.1:9")
    assert "1 POST of 3 requests may change data" in line
    assert "--unsafe" in line
    assert "--filter method=GET" in line


def test_a_host_that_is_not_this_machine_must_be_named(tmp_path: Path) -> None:
    source = recorded(tmp_path / "r.mfrec", *gets(1))
    line = refusal(source, "--target", "http://staging.example.com")
    assert "--allow-host staging.example.com" in line


def test_a_schedule_above_the_highest_rate_is_refused_with_the_place(tmp_path: Path) -> None:
    source = recorded(tmp_path / "r.mfrec", *gets(1))
    line = refusal(
        source, "--target", "http://127.0.0.1:9", "--ramp", "10:10:5s,90:90:1s", "--max-rate", "50"
    )
    assert "90 requests are due within the second from 5.0 s on, and --max-rate is 50" in line


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--abort-if", "p95>2"), "no condition"),
        (("--ramp", "5:5"), "FROM:TO:TIME"),
        (("--loop", "x"), "--loop is 'x'"),
        (("--filter", "nonsense"), "'nonsense' is no filter"),
        (("--filter", "method=PATCH"), "--filter leaves none of 1 exchanges"),
        (("--header", "nonsense"), "--header is not of the form"),
        (("--header", "A: env:NOT_THERE_7"), "NOT_THERE_7, which is not set"),
        (("--insecure",), "--insecure is for https"),
        (("--export", "jmeter", "--out", "x"), "--export is 'jmeter'"),
        (("--export", "k6"), "needs a file to write"),
        (("--export", "k6", "--out", "x", "--header", "A: env:B"), "would write the variable's value"),
        (("--export", "k6", "--out", "x", "--correlate"), "--correlate cannot be exported"),
    ],
)
def test_what_cannot_be_asked_for_is_refused_in_one_line(
    arguments: tuple[str, ...], why: str, tmp_path: Path
) -> None:
    source = recorded(tmp_path / "r.mfrec", *gets(1))
    line = refusal(source, "--target", "http://127.0.0.1:9", *arguments)
    assert why in line
    assert "\n" not in line


@dataclass
class Shop:
    """Logs in with a token of its own, and takes orders from who shows it; `broken` from a request on."""

    broken_from: int = 1_000_000
    heads: list[bytes] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    (line for line in head.split(b"\r\n") if line.startswith(b"Content-Length")), b":0"
                )
                body = await reader.readexactly(int(length.partition(b":")[2]))
                status, said = self.answer(head, body)
                writer.write(
                    b"HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
                    % (status, len(said), said)
                )
                await writer.drain()
        writer.close()

    def answer(self, head: bytes, body: bytes) -> tuple[int, bytes]:
        if head.startswith(b"OPTIONS * "):
            return 200, b""
        self.heads.append(head)
        self.bodies.append(body)
        if len(self.heads) > self.broken_from:
            return 500, b""
        return 200, b'{"token": "fresh-token-99"}' if head.startswith(b"POST /login") else b"{}"


@contextlib.asynccontextmanager
async def opened(shop: Shop) -> AsyncIterator[None]:
    handled: list[asyncio.Task[None]] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        current = asyncio.current_task()
        assert current is not None
        handled.append(current)
        await shop.handle(reader, writer)

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    shop.port = server.sockets[0].getsockname()[1]
    try:
        yield
    finally:
        server.close()
        await asyncio.wait_for(asyncio.gather(*handled), PATIENCE_S)
        await server.wait_closed()


@dataclass(frozen=True)
class Ended:
    code: int | None
    out: str
    err: str


def replayed_at(shop: Shop, run: Callable[..., Awaitable[Ended]], *arguments: object) -> Ended:
    async def main() -> Ended:
        async with asyncio.timeout(PATIENCE_S), opened(shop):
            return await run(*arguments[:1], "--target", shop.url, *arguments[1:])

    return asyncio.run(main())


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Awaitable[Ended]]:
    import os
    import sys

    async def replay(*arguments: object) -> Ended:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "mockforge", "replay", *map(str, arguments)),
            cwd=tmp_path,
            env={**os.environ, "SHOP_TOKEN": "made-up-secret"},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        return Ended(process.returncode, out.decode(), err.decode())

    return replay


def test_a_condition_ends_the_run_with_exit_code_1_and_keeps_what_was_gathered(
    tmp_path: Path, run: Callable[..., Awaitable[Ended]]
) -> None:
    hour_ms = 3_600_000
    source = recorded(tmp_path / "r.mfrec", *gets(120), exchange(hour_ms, Request("GET", "/last")))
    shop = Shop(broken_from=30)
    result = replayed_at(
        shop, run, source, "--out", "o.mfrec", "--abort-if", "error_rate>20%", "--abort-if", "p95>50s"
    )
    assert result.code == 1, result.err
    assert "mockforge: --abort-if error_rate>20%: " in result.err
    assert "Traceback" not in result.err
    with RecordingReader(tmp_path / "o.mfrec") as reader:
        assert reader.count == len(shop.heads) >= 50
        assert reader.meta.notes["aborted_if"].startswith("error_rate>20%")


def test_a_replay_logs_in_with_the_token_of_today(
    tmp_path: Path, run: Callable[..., Awaitable[Ended]]
) -> None:
    old = Headers((("Authorization", "Bearer old-token-11"),))
    source = recorded(
        tmp_path / "r.mfrec",
        exchange(0, Request("POST", "/login"), Response(200, JSON, b'{"token": "old-token-11"}')),
        exchange(1000, Request("GET", "/orders", old)),
    )
    shop = Shop()
    result = replayed_at(shop, run, source, "--out", "o.mfrec", "--correlate", "--unsafe")
    assert result.code == 0, result.err
    assert b"Authorization: Bearer fresh-token-99\r\n" in shop.heads[1]
    assert "1 requests depend on an answer" in result.err
    assert "$.token" in result.err
    assert "0 were due before it" in result.out


def test_given_headers_are_sent_and_their_secrets_not_written_down(
    tmp_path: Path, run: Callable[..., Awaitable[Ended]]
) -> None:
    source = recorded(tmp_path / "r.mfrec", *gets(1))
    shop = Shop()
    given = ("--header", "Authorization: Bearer env:SHOP_TOKEN", "--host-header", "shop.example.com")
    result = replayed_at(shop, run, source, "--out", "o.mfrec", *given)
    assert result.code == 0, result.err
    assert b"Authorization: Bearer made-up-secret\r\n" in shop.heads[0]
    assert b"Host: shop.example.com\r\n" in shop.heads[0]
    assert b"made-up-secret" not in (tmp_path / "o.mfrec").read_bytes()


def test_a_filter_and_a_loop_say_what_is_sent(tmp_path: Path, run: Callable[..., Awaitable[Ended]]) -> None:
    source = recorded(tmp_path / "r.mfrec", *gets(3), exchange(9, Request("POST", "/orders")))
    shop = Shop()
    result = replayed_at(
        shop, run, source, "--out", "o.mfrec", "--filter", "method=GET path=/orders/*", "--loop", "2"
    )
    assert result.code == 0, result.err
    with RecordingReader(tmp_path / "o.mfrec") as reader:
        sent = [one.request.target for one in reader.exchanges()]
        assert reader.meta.notes["loop"] == "2"
    assert sent == ["/orders/0", "/orders/1", "/orders/2"] * 2
    assert "connections: " in result.out


@pytest.mark.parametrize("tool", ["k6", "locust", "vegeta"])
def test_the_workload_is_exported_and_nothing_is_sent(tool: str, tmp_path: Path) -> None:
    posted = Request("POST", "/orders", JSON, b'{"a": 1}')
    source = recorded(tmp_path / "r.mfrec", *gets(2), exchange(9, posted))
    out = tmp_path / "made" / f"load-{tool}"
    arguments = ["replay", str(source), "--target", "https://staging.example.com", "--export", tool]
    result = CliRunner().invoke(application(), [*arguments, "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert f"wrote {out}" in result.output.replace("\n", "")
    first = out.read_text()
    if tool == "vegeta":
        assert json.loads(first.splitlines()[2])["url"] == "https://staging.example.com/orders"
    else:
        document = orjson.loads((out.parent / f"{out.name}.requests.json").read_bytes())
        assert document["order"] == [0, 1, 2]
    again = CliRunner().invoke(application(), [*arguments, "--out", str(out)])
    assert "exists already" in str(again.exception)
    assert out.read_text() == first
