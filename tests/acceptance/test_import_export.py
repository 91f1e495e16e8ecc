"""`mockforge import` and `mockforge export`, as a user runs them."""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from mockforge.interop.log_format import PRESETS
from mockforge.model.exchange import Exchange
from mockforge.recording.store import RecordingReader
from tests.acceptance.conftest import PATIENCE_S
from tests.unit.interop.importing import entry, har

EXAMPLE = Path(__file__).parents[2] / "recordings" / "orders-example.mfrec"


def exchanges_of(path: Path) -> list[Exchange]:
    with RecordingReader(path) as reader:
        return list(reader.exchanges())


def test_a_recording_survives_the_way_out_as_har_and_back(
    mockforge: Callable[..., str], tmp_path: Path
) -> None:
    out, back = tmp_path / "orders.har", tmp_path / "back.mfrec"
    assert "616 exchanges in" in mockforge("export", str(EXAMPLE), "--out", str(out))
    assert len(json.loads(out.read_bytes())["log"]["entries"]) == 616
    assert "616 exchanges with http://127.0.0.1:9100 in" in mockforge(
        "import", str(out), "--out", str(back), "--no-redact"
    )
    assert exchanges_of(back) == exchanges_of(EXAMPLE)
    with RecordingReader(back) as read, RecordingReader(EXAMPLE) as real:
        assert read.meta.started_wall_ns == real.meta.started_wall_ns
        assert read.meta.notes["imported_format"] == "har"
    assert "exists already" in mockforge("export", str(EXAMPLE), "--out", str(out), code=2)
    assert "exists already" in mockforge("import", str(out), "--out", str(back), code=2)


def test_a_har_of_a_browser_can_be_learned(mockforge: Callable[..., str], tmp_path: Path) -> None:
    path = tmp_path / "shop.har"
    path.write_text(har(*[entry()] * 20, entry(startedDateTime="?")))
    printed = mockforge("import", str(path), "--out", str(tmp_path / "shop.mfrec"))
    assert "20 exchanges with http://shop.example.com" in printed
    assert "1 could not be read; the first is entry 21" in printed
    mockforge("learn", str(tmp_path / "shop.mfrec"), "--out", str(tmp_path / "stubs"))


def test_a_table_of_timings_goes_out_and_in(mockforge: Callable[..., str], tmp_path: Path) -> None:
    table = tmp_path / "orders.csv"
    mockforge("export", str(EXAMPLE), "--format", "csv", "--out", str(table))
    refused = mockforge("import", str(table), "--out", str(tmp_path / "a.mfrec"), code=2)
    assert "--target" in refused
    assert "Traceback" not in refused
    target = ["--target", "http://127.0.0.1:9100", "--out", str(tmp_path / "a.mfrec")]
    mockforge("import", str(table), *target)
    assert times_of(exchanges_of(tmp_path / "a.mfrec")) == times_of(exchanges_of(EXAMPLE))


def times_of(exchanges: list[Exchange]) -> list[tuple[int, int, int | None, int]]:
    return [(one.arrived_ns, one.total_ns, one.ttfb_ns, one.in_flight) for one in exchanges]


def test_secrets_are_redacted_before_they_are_written(mockforge: Callable[..., str], tmp_path: Path) -> None:
    path, secret = tmp_path / "shop.har", "made-up-secret-0123456789"
    request = entry()["request"]
    request["headers"].append({"name": "Authorization", "value": f"Bearer {secret}"})
    path.write_text(har(entry(request=request)))
    printed = mockforge("import", str(path), "--out", str(tmp_path / "shop.mfrec"))
    assert "Authorization" in printed
    assert secret not in printed
    [exchange] = exchanges_of(tmp_path / "shop.mfrec")
    assert (exchange.request.headers.get("authorization") or "").startswith("Bearer ")
    assert secret.encode() not in (tmp_path / "shop.mfrec").read_bytes()


class Backend(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(404 if self.path == "/missing" else 200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def backend() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Backend)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


def wait_for(what: Callable[[], bool]) -> None:
    """Until `what` holds; another program is not told when it is done."""
    ended = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < ended, "it did not come to be"
        time.sleep(0.02)


@pytest.mark.skipif(shutil.which("nginx") is None, reason="needs nginx")
def test_the_log_of_a_real_nginx_is_read(
    mockforge: Callable[..., str], tmp_path: Path, backend: int, free_port: int
) -> None:
    log = tmp_path / "access.log"
    (tmp_path / "nginx.conf").write_text(f"""
daemon off; pid {tmp_path}/nginx.pid; error_log {tmp_path}/error.log; worker_processes 1;
events {{}}
http {{
    client_body_temp_path {tmp_path}/body; proxy_temp_path {tmp_path}/proxy;
    fastcgi_temp_path {tmp_path}/fastcgi; uwsgi_temp_path {tmp_path}/uwsgi; scgi_temp_path {tmp_path}/scgi;
    log_format timed '{PRESETS["nginx-timed"]}';
    access_log {log} timed;
    server {{ listen 127.0.0.1:{free_port}; location / {{ proxy_pass http://127.0.0.1:{backend}; }} }}
}}
""")
    nginx = subprocess.Popen(
        ["nginx", "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")], stderr=subprocess.DEVNULL
    )
    try:
        wait_for(lambda: (tmp_path / "nginx.pid").exists() and (tmp_path / "nginx.pid").read_text() != "")
        before_ns = time.time_ns()
        connection = http.client.HTTPConnection("127.0.0.1", free_port, timeout=PATIENCE_S)
        for path in ("/orders/7?x=%20y", "/missing", '/"quoted"'):
            connection.request("GET", path, headers={"User-Agent": 'made "up"'})
            connection.getresponse().read()
        connection.close()
        after_ns = time.time_ns()
        wait_for(lambda: log.read_text().count("\n") == 3)
    finally:
        nginx.terminate()
        nginx.wait()
    target = ["--target", f"http://127.0.0.1:{backend}", "--out", str(tmp_path / "a.mfrec")]
    assert "3 exchanges" in mockforge("import", str(log), *target)
    listed = sorted(exchanges_of(tmp_path / "a.mfrec"), key=lambda exchange: exchange.request.target)
    assert [one.request.target for one in listed] == ['/"quoted"', "/missing", "/orders/7?x=%20y"]
    assert [one.response and one.response.status for one in listed] == [200, 404, 200]
    for one in listed:
        assert one.response is not None
        assert one.response.size == 5
        assert one.request.headers.get("user-agent") == 'made "up"'
        # nginx's clock is a cached one, of whole milliseconds.
        assert before_ns - 50_000_000 <= one.wall_ns <= one.wall_ns + one.total_ns <= after_ns + 50_000_000
