"""A replay over TLS: which certificates are taken, and the handshake's own time."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mockforge.model.exchange import Request
from mockforge.replay.transport import HttpTransport, Outcome
from mockforge.replay.wire import prepare
from mockforge.targets import Target, UpstreamTls

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1, its key beside it as key.pem."""
    made = tmp_path_factory.mktemp("tls") / "cert.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1"
    names = ["-addext", "subjectAltName=IP:127.0.0.1"]
    written = ["-keyout", str(made.with_name("key.pem")), "-out", str(made)]
    subprocess.run([*command.split(), *names, *written], check=True, capture_output=True)
    return made


@contextlib.asynccontextmanager
async def serving(certificate: Path) -> AsyncIterator[Target]:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        writer.close()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context)
    try:
        yield Target("https", "127.0.0.1", server.sockets[0].getsockname()[1])
    finally:
        server.close()
        await server.wait_closed()


class Awaited:
    def __init__(self) -> None:
        self.ended: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

    def on_outcome(self, outcome: Outcome) -> None:
        self.ended.set_result(outcome)


def outcomes(certificate: Path, trust: UpstreamTls, number: int = 1) -> list[Outcome]:
    async def main() -> list[Outcome]:
        async with serving(certificate) as target, HttpTransport(target, 30, trust.context()) as transport:
            ended = []
            for _ in range(number):
                caller = Awaited()
                transport.send(prepare(Request("GET", "/"), target), caller)
                ended.append(await caller.ended)
            return ended

    return asyncio.run(main())


@pytest.mark.parametrize("insecure", [True, False])
def test_a_trusted_target_is_spoken_to_and_the_handshake_is_timed_apart(
    certificate: Path, insecure: bool
) -> None:
    trust = UpstreamTls(insecure=True) if insecure else UpstreamTls(ca=certificate)
    first, second = outcomes(certificate, trust, 2)
    assert (first.error, second.error) == (None, None)
    assert first.connect_ns is not None
    assert first.tls_ns is not None
    assert (second.connect_ns, second.tls_ns) == (None, None)


def test_a_certificate_that_is_not_trusted_fails_in_the_tls_phase(certificate: Path) -> None:
    (outcome,) = outcomes(certificate, UpstreamTls())
    assert outcome.error is not None
    assert outcome.error.startswith("tls: the certificate is not trusted")
    assert outcome.connect_ns is not None
