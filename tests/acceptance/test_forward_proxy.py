"""The forward proxy, over real sockets and TLS, where mitmproxy is installed."""

from __future__ import annotations

import asyncio
import http.client
import importlib.util
import queue
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from mockforge.errors import AddressError
from mockforge.interop.forward_proxy import ForwardProxyOptions, run_forward_proxy
from mockforge.interop.source import SourceError
from mockforge.model.exchange import Exchange
from mockforge.targets import parse_target
from tests.acceptance.conftest import PATIENCE_S

HAS_MITMPROXY = importlib.util.find_spec("mitmproxy") is not None
needs_mitmproxy = pytest.mark.skipif(
    not HAS_MITMPROXY or shutil.which("openssl") is None, reason="needs mitmproxy, and openssl"
)
# What other people's code does with its sockets at the end of a process is not our concern here.
pytestmark = pytest.mark.filterwarnings("ignore")


class Backend(BaseHTTPRequestHandler):
    """Echoes bodies, and streams /stream in three chunks."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200, "Fine")
        self.send_header("X-Odd", "a")
        self.send_header("x-odd", "b")
        if self.path == "/stream":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for chunk in (b"one", b"two", b"three"):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
            self.wfile.write(b"0\r\n\r\n")
            return
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(201)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@dataclass
class ForwardProxy:
    """A proxy that runs on a thread of its own, and what it has recorded."""

    options: ForwardProxyOptions
    recorded: queue.Queue[Exchange] = field(default_factory=queue.Queue)
    port: int = 0
    failure: BaseException | None = None
    _listening: threading.Event = field(default_factory=threading.Event)
    _loop: asyncio.AbstractEventLoop | None = None
    _stop: asyncio.Event | None = None

    def run(self) -> None:
        async def main() -> None:
            self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
            await run_forward_proxy(self.options, self._stop)

        try:
            asyncio.run(main())
        except BaseException as error:
            self.failure = error
            self._listening.set()

    def told(self, _recorder: object, address: str) -> None:
        self.port = int(address.rpartition(":")[2])
        self._listening.set()

    def wait(self) -> None:
        assert self._listening.wait(PATIENCE_S)
        assert self.failure is None, self.failure

    def end(self) -> None:
        assert self._loop is not None
        assert self._stop is not None
        self._loop.call_soon_threadsafe(self._stop.set)

    def next(self) -> Exchange:
        return self.recorded.get(timeout=PATIENCE_S)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tls")
    command = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    paths = folder / "cert.pem", folder / "key.pem"
    written = ["-keyout", str(paths[1]), "-out", str(paths[0])]
    subprocess.run(["openssl", *command.split(), *names, *written], check=True, capture_output=True)
    return paths


@pytest.fixture(scope="module")
def backend(certificate: tuple[Path, Path]) -> Iterator[int]:
    """The port of an HTTPS backend."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Backend)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def proxy(certificate: tuple[Path, Path], tmp_path: Path) -> Iterator[ForwardProxy]:
    recorded: queue.Queue[Exchange] = queue.Queue()
    made = ForwardProxy(ForwardProxyOptions(recorded.put), recorded)
    made.options = ForwardProxyOptions(
        recorded.put, port=0, ca_folder=tmp_path, trusted_ca=certificate[0], listening=made.told
    )
    thread = threading.Thread(target=made.run)
    thread.start()
    made.wait()
    yield made
    made.end()
    thread.join()
    assert made.failure is None


def through(proxy: ForwardProxy, port: int) -> http.client.HTTPSConnection:
    """A connection to the HTTPS backend at `port`, by way of the proxy."""
    context = ssl.create_default_context(cafile=proxy.options.ca_folder / "mitmproxy-ca-cert.pem")
    made = http.client.HTTPSConnection("127.0.0.1", proxy.port, context=context, timeout=PATIENCE_S)
    made.set_tunnel("127.0.0.1", port)
    return made


@needs_mitmproxy
def test_https_through_the_proxy_is_recorded_with_its_times(proxy: ForwardProxy, backend: int) -> None:
    connection = through(proxy, backend)
    connection.request("GET", "/a?b=%20c", headers={"X-Call": "1"})
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (200, b"hello")
    connection.request("POST", "/orders", body=b'{"sku": "made-up"}')
    assert connection.getresponse().read() == b'{"sku": "made-up"}'
    connection.close()

    first, second = proxy.next(), proxy.next()
    assert first.request.target == f"https://127.0.0.1:{backend}/a?b=%20c"
    assert first.request.headers.get("X-Call") == "1"
    assert first.response is not None
    assert (first.response.status, first.response.reason, first.response.body) == (200, "Fine", b"hello")
    assert ("X-Odd", "a") in first.response.headers.pairs
    assert ("x-odd", "b") in first.response.headers.pairs
    assert first.connect_ns is not None
    assert first.tls_ns is not None
    assert first.ttfb_ns is not None
    assert 0 <= first.ttfb_ns <= first.total_ns
    assert second.connect_ns is None, "the connection was there already"
    assert second.request.body == b'{"sku": "made-up"}'
    assert second.connection_id == first.connection_id
    assert second.arrived_ns >= first.arrived_ns + first.total_ns


@needs_mitmproxy
def test_a_streamed_answer_is_recorded_whole(proxy: ForwardProxy, backend: int) -> None:
    connection = through(proxy, backend)
    connection.request("GET", "/stream")
    assert connection.getresponse().read() == b"onetwothree"
    connection.close()
    exchange = proxy.next()
    assert exchange.response is not None
    assert exchange.response.body == b"onetwothree"
    assert sum(piece.size for piece in exchange.pieces) in {0, len(b"onetwothree")}


@needs_mitmproxy
def test_plain_http_to_a_backend_that_is_down_is_an_error(proxy: ForwardProxy) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=PATIENCE_S)
    connection.request("GET", f"http://127.0.0.1:{port}/x")
    assert connection.getresponse().status == 502
    connection.close()
    exchange = proxy.next()
    assert exchange.error == "connect: refused"
    assert exchange.response is not None
    assert exchange.response.status == 502


@needs_mitmproxy
def test_https_to_a_backend_that_is_down_is_an_error(proxy: ForwardProxy) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    connection = through(proxy, port)
    connection.request("GET", "/x")
    assert connection.getresponse().status == 502
    connection.close()
    assert proxy.next().error == "connect: refused"


@needs_mitmproxy
def test_only_the_chosen_backend_is_recorded(proxy: ForwardProxy, backend: int, tmp_path: Path) -> None:
    recorded: queue.Queue[Exchange] = queue.Queue()
    other = ForwardProxy(proxy.options, recorded)
    other.options = ForwardProxyOptions(
        recorded.put,
        port=0,
        target=parse_target(f"https://127.0.0.1:{backend}/shop"),
        ca_folder=tmp_path,
        insecure=True,
        listening=other.told,
    )
    thread = threading.Thread(target=other.run)
    thread.start()
    other.wait()
    connection = through(other, backend)
    for path in ("/other", "/shopping", "/shop/cart"):
        connection.request("GET", path)
        connection.getresponse().read()
    connection.close()
    other.end()
    thread.join()
    assert [exchange.request.target for exchange in recorded.queue] == ["/cart"]


@needs_mitmproxy
def test_a_taken_address_is_told_as_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        options = ForwardProxyOptions(lambda _: None, port=taken.getsockname()[1])
        with pytest.raises(AddressError):
            asyncio.run(run_forward_proxy(options, asyncio.Event()))


@pytest.mark.skipif(HAS_MITMPROXY, reason="mitmproxy is installed")
def test_without_mitmproxy_one_line_says_what_to_install() -> None:
    with pytest.raises(SourceError, match=r"mockforge-server\[mitm\]"):
        asyncio.run(run_forward_proxy(ForwardProxyOptions(lambda _: None, port=0), asyncio.Event()))
