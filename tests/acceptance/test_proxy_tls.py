"""TLS towards the target, verified unless told otherwise, and towards callers."""

from __future__ import annotations

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from mockforge.errors import TargetError, UsageError
from mockforge.proxy.recorder import ProxyOptions
from mockforge.targets import UpstreamTls, check_target, parse_target
from tests.acceptance.tapping import Reader, Writer, backend, run, tapped

GET = b"GET /a HTTP/1.1\r\nHost: proxy\r\nConnection: close\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

LOOPS = pytest.mark.parametrize("on_uvloop", [True, False], ids=["uvloop", "asyncio"])


@dataclass(frozen=True, slots=True)
class Files:
    certificate: Path
    key: Path

    def server(self, *, asks_for_callers: bool = False) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        if asks_for_callers:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.certificate)
        return context


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = tmp_path_factory.mktemp("tls")
    made = Files(folder / "cert.pem", folder / "key.pem")
    command = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    names = ["-subj", "/CN=orders", "-addext", "subjectAltName=IP:127.0.0.1"]
    written = ["-keyout", str(made.key), "-out", str(made.certificate)]
    subprocess.run(["openssl", *command.split(), *names, *written], check=True, capture_output=True)
    return made


async def serve(reader: Reader, writer: Writer) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(OK)
    await writer.drain()


@LOOPS
@pytest.mark.parametrize("how", ["authority", "insecure"])
def test_a_target_behind_tls_is_reached_and_both_handshakes_are_timed(
    files: Files, how: str, on_uvloop: bool
) -> None:
    tls = UpstreamTls(ca=files.certificate) if how == "authority" else UpstreamTls(insecure=True)

    async def main() -> None:
        async with (
            backend(serve, ssl=files.server()) as port,
            tapped(f"https://127.0.0.1:{port}", ProxyOptions(tls=tls)) as tap,
        ):
            await check_target(parse_target(f"https://127.0.0.1:{port}"), tls=tls)
            assert await tap.ask(GET) == OK
        (exchange,) = tap.exchanges
        assert exchange.connect_ns
        assert exchange.tls_ns
        assert exchange.ttfb_ns is not None
        assert exchange.connect_ns + exchange.tls_ns < exchange.ttfb_ns

    run(main, on_uvloop=on_uvloop)


@LOOPS
def test_a_certificate_that_is_not_trusted_is_a_502_and_no_request_is_sent(
    files: Files, on_uvloop: bool
) -> None:
    async def main() -> None:
        async with backend(serve, ssl=files.server()) as port, tapped(f"https://127.0.0.1:{port}") as tap:
            answer = await tap.ask(GET)
            with pytest.raises(TargetError, match="not trusted"):
                await check_target(parse_target(f"https://127.0.0.1:{port}"))
        assert answer.endswith(b"mockforge: the target failed: tls: certificate not trusted\n")
        assert [exchange.error for exchange in tap.exchanges] == ["tls: certificate not trusted"]

    run(main, on_uvloop=on_uvloop)


@LOOPS
def test_a_target_that_speaks_no_tls_fails_in_that_phase(on_uvloop: bool) -> None:
    async def answer_plainly(reader: Reader, writer: Writer) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async def main() -> None:
        async with backend(answer_plainly) as port, tapped(f"https://127.0.0.1:{port}") as tap:
            assert (await tap.ask(GET)).startswith(b"HTTP/1.1 502 ")
        assert [exchange.error for exchange in tap.exchanges] == ["tls: no TLS"]

    run(main, on_uvloop=on_uvloop)


def test_a_target_that_asks_who_calls_is_shown_the_certificate(files: Files) -> None:
    tls = UpstreamTls(ca=files.certificate, certificate=files.certificate, key=files.key)

    async def main() -> None:
        async with (
            backend(serve, ssl=files.server(asks_for_callers=True)) as port,
            tapped(f"https://127.0.0.1:{port}", ProxyOptions(tls=tls)) as tap,
        ):
            assert await tap.ask(GET) == OK

    run(main)


@LOOPS
def test_callers_may_speak_tls_with_the_proxy(files: Files, on_uvloop: bool) -> None:
    async def main() -> None:
        options = ProxyOptions(caller_tls=files.server())
        async with backend(serve) as port, tapped(f"http://127.0.0.1:{port}", options) as tap:
            trusting = ssl.create_default_context(cafile=files.certificate)
            assert await tap.ask(GET, ssl=trusting) == OK
            assert b"HTTP/1.1 400" in await tap.ask(b"what is this?\r\n\r\n", ssl=trusting)
        assert [exchange.error for exchange in tap.exchanges] == [None]

    run(main, on_uvloop=on_uvloop)


@pytest.mark.parametrize(
    ("tls", "named"),
    [
        (UpstreamTls(ca=Path("gone.pem")), "gone.pem"),
        (UpstreamTls(certificate=Path("gone.pem")), "gone.pem"),
        (UpstreamTls(key=Path("alone.pem")), "alone.pem"),
        (UpstreamTls(ca=Path(__file__)), "test_proxy_tls.py"),
    ],
)
def test_files_that_cannot_be_used_are_one_line(tls: UpstreamTls, named: str) -> None:
    with pytest.raises(UsageError, match=named) as caught:
        tls.context()
    assert "\n" not in str(caught.value)
