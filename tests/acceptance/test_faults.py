"""Every fault and every pace of `examples/unreliable`, on the raw socket, over plain TCP and over TLS."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest

from mockforge.delays.faults import FAULTS
from mockforge.engine import Engine, compile_service
from mockforge.model.request import RequestView
from mockforge.stubfiles.reader import read_service
from tests.acceptance.conftest import PATIENCE_S, ROOT, Program, running

STUBS = ROOT / "examples" / "unreliable"
PAGE = ROOT / "docs" / "faults-and-delays.md"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n"


class Server(NamedTuple):
    program: Program
    trusted: Path | None

    def connect_plain(self) -> socket.socket:
        address = urlsplit(self.program.url)
        return socket.create_connection((address.hostname, address.port), timeout=PATIENCE_S)

    def connect(self) -> socket.socket:
        plain = self.connect_plain()
        if self.trusted is None:
            return plain
        return ssl.create_default_context(cafile=self.trusted).wrap_socket(plain, server_hostname="127.0.0.1")


@pytest.fixture(scope="module", params=["tcp", "tls"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    serve = ("-m", "mockforge", "serve", str(STUBS), "--port", "0", "--seed", "1")
    if request.param == "tcp":
        with running(*serve) as program:
            yield Server(program, None)
    else:
        if shutil.which("openssl") is None:
            pytest.skip("needs openssl to make a certificate")
        certificate, key = _certificate(tmp_path_factory.mktemp("tls"))
        tls = ("--tls-cert", str(certificate), "--tls-key", str(key))
        with running(*serve, *tls, ready=r"(https://127\.0\.0\.1:\d+)") as program:
            yield Server(program, certificate)
    assert "Traceback" not in program.output


def _certificate(folder: Path) -> tuple[Path, Path]:
    certificate, key = folder / "cert.pem", folder / "key.pem"
    command = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    names = ["-subj", "/CN=mock", "-addext", "subjectAltName=IP:127.0.0.1"]
    written = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(["openssl", *command.split(), *names, *written], check=True, capture_output=True)
    return certificate, key


def received(server: Server, path: str) -> tuple[bytes, str]:
    """All that comes of a request, and how the connection then ends: `closed` or `reset`."""
    asked = f"GET {path} HTTP/1.1\r\nHost: mock\r\n\r\n".encode()
    with server.connect_plain() as caller:
        if server.trusted is None:
            caller.sendall(asked)
            return _to_the_end(caller)
        return _deciphered(caller, server.trusted, asked)


def _to_the_end(caller: socket.socket) -> tuple[bytes, str]:
    data = b""
    try:
        while part := caller.recv(65_536):
            data += part
    except ConnectionResetError:
        return data, "reset"
    return data, "closed"


def _deciphered(caller: socket.socket, trusted: Path, asked: bytes) -> tuple[bytes, str]:
    """The same over TLS; the socket is read apart from it, as TLS clients hide a reset."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.create_default_context(cafile=trusted)
    tls = context.wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
    while True:
        try:
            tls.do_handshake()
            break
        except ssl.SSLWantReadError:
            caller.sendall(outgoing.read())
            incoming.write(caller.recv(65_536))
    tls.write(asked)
    caller.sendall(outgoing.read())
    plain = b""
    while True:
        try:
            part = caller.recv(65_536)
        except ConnectionResetError:
            return plain, "reset"
        incoming.write(part)
        with contextlib.suppress(ssl.SSLWantReadError):
            while data := tls.read(65_536):
                plain += data
            return plain, "closed"  # as TLS says it; TCP follows when the caller agrees
        if not part:
            return plain, "closed"


def whole(server: Server, path: str) -> tuple[http.client.HTTPResponse, bytes]:
    """A whole answer, as a client reads it."""
    caller = server.connect()
    caller.sendall(f"GET {path} HTTP/1.1\r\nHost: mock\r\n\r\n".encode())
    answer = http.client.HTTPResponse(caller)
    answer.begin()
    body = answer.read()
    caller.close()
    return answer, body


def test_every_fault_stands_in_the_example_and_on_the_page() -> None:
    written = (STUBS / "mappings" / "faults.yaml").read_text()
    for name in FAULTS:
        assert name in written
        assert f"| `{name}` |" in PAGE.read_text()


def test_a_reset_is_a_reset_and_no_byte(server: Server) -> None:
    assert received(server, "/faults/reset") == (b"", "reset")


def test_an_empty_response_is_the_end_of_the_connection_and_no_byte(server: Server) -> None:
    assert received(server, "/faults/empty") == (b"", "closed")


def test_a_malformed_chunk_is_a_head_and_then_no_chunk(server: Server) -> None:
    data, end = received(server, "/faults/malformed")
    head, _, noise = data.partition(b"\r\n\r\n")
    assert head == b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked"
    assert not re.match(rb"[0-9a-fA-F]+\r\n", noise)
    assert (len(noise), end) == (64, "closed")


def test_random_data_is_no_http(server: Server) -> None:
    data, end = received(server, "/faults/random")
    assert (len(data), data.startswith(b"HTTP"), end) == (64, False, "closed")


def test_an_answer_that_gives_up_closes_after_its_time(server: Server) -> None:
    assert received(server, "/faults/gives-up") == (b"", "closed")


def test_a_reset_after_some_bytes_comes_after_just_those(server: Server) -> None:
    assert received(server, "/faults/reset-after") == (HEAD + b"twel", "reset")


def test_a_truncated_body_was_promised_in_full(server: Server) -> None:
    assert received(server, "/faults/truncated") == (HEAD + b"twelve", "closed")


@pytest.mark.parametrize("path", ["/faults/slow-headers", "/slow/dribble", "/slow/line", "/slow/body"])
def test_what_takes_its_time_is_a_whole_answer(server: Server, path: str) -> None:
    answer, body = whole(server, path)
    assert (answer.status, answer.getheader("Content-Length"), body) == (200, "12", b"twelve bytes")


def test_events_are_a_whole_chunked_answer(server: Server) -> None:
    answer, body = whole(server, "/events")
    assert answer.getheader("Content-Type") == "text/event-stream"
    assert answer.getheader("Transfer-Encoding") == "chunked"
    once = (
        b'id: 1\nevent: state\ndata: {"order":17,"state":"packed"}\n\n'
        b'id: 2\nevent: state\ndata: {"order":17,"state":"shipped"}\n\n'
        b": still there\n\n"
    )
    assert body == 2 * once


def test_a_caller_that_gives_up_waiting_is_told_by_the_journal(server: Server) -> None:
    def left() -> int:
        return int(json.loads(whole(server, "/__admin/metrics")[1])["callersLeft"])

    before = left()
    with server.connect() as caller:
        caller.sendall(b"GET /faults/never HTTP/1.1\r\nHost: mock\r\n\r\n")
    while left() == before:
        pass
    (event, *_) = json.loads(whole(server, "/__admin/requests?limit=1")[1])["requests"]
    assert (event["mockforge"]["fault"], event["mockforge"]["callerLeft"]) == ("NO_RESPONSE", True)


def test_the_server_ends_though_somebody_waits_for_ever() -> None:
    with running("-m", "mockforge", "serve", str(STUBS), "--port", "0") as program:
        server = Server(program, None)
        waiting, listening = server.connect(), server.connect()
        waiting.sendall(b"GET /faults/never HTTP/1.1\r\nHost: mock\r\n\r\n")
        listening.sendall(b"GET /ticker HTTP/1.1\r\nHost: mock\r\n\r\n")
        assert listening.recv(100)
    assert waiting.recv(1) == b""
    waiting.close()
    listening.close()


def test_the_page_s_stubs_can_be_served(tmp_path: Path) -> None:
    blocks = re.findall(r"^```yaml unreliable/(\S+)\n(.*?)^```", PAGE.read_text("utf-8"), re.DOTALL | re.M)
    for name, content in blocks:
        (tmp_path / name).write_text(content, "utf-8")
    engine = Engine(compile_service(read_service(tmp_path)), Random(1))
    sendings = [engine.decide(RequestView("GET", "/report"), 0).sending for _ in range(100)]
    assert sum(sending is not None and sending.fault is not None for sending in sendings) == 2
    assert engine.decide(RequestView("GET", "/orders/17/events"), 0).sending is not None
