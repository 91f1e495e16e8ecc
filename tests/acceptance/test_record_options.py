"""`mockforge record` with everything that it can be told, as a user runs it."""

from __future__ import annotations

import json
import re
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from mockforge.recording.store import RecordingReader

RECORD = [sys.executable, "-m", "mockforge", "record"]
SECRET = "tok-3f9a8b7c6d5e"


class Backend(BaseHTTPRequestHandler):
    """Says which Host it was asked as."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = json.dumps({"host": self.headers["Host"], "path": self.path}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_OPTIONS(self) -> None:
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def backend() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Backend)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@contextmanager
def recording(folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """The command, and the lines that it says until it is ready (one a target, one for markers)."""
    process = subprocess.Popen(
        [*RECORD, "--port", "0", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
    )
    assert process.stderr
    expected = options.count("--target") + options.count("--admin-port")
    lines = [process.stderr.readline() for _ in range(expected)]
    try:
        yield process, lines
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def port_of(line: str) -> int:
    found = re.search(r"http://127\.0\.0\.1:(\d+)", line)
    assert found, line
    return int(found[1])


def ask(port: int, path: str, **headers: str) -> dict[str, str]:
    with closing(HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
        connection.request("GET", path, headers=headers)
        answer: dict[str, str] = json.loads(connection.getresponse().read())
        return answer


def end(process: subprocess.Popen[str]) -> tuple[str, str]:
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 0, err
    return out, err


def test_several_backends_get_a_port_and_a_recording_each(backend: str, tmp_path: Path) -> None:
    targets = ("--target", f"orders={backend}@0", "--target", f"payments={backend}@0")
    with recording(tmp_path, *targets, "--out", "runs") as (process, lines):
        assert ask(port_of(lines[0]), "/orders/1")["path"] == "/orders/1"
        assert ask(port_of(lines[1]), "/payments/2")["path"] == "/payments/2"
        out, _ = end(process)
    files = sorted((tmp_path / "runs").glob("*.mfrec"))
    assert [file.name.partition("-")[0] for file in files] == ["orders", "payments"]
    for file, path in zip(files, ("/orders/1", "/payments/2"), strict=True):
        with RecordingReader(file) as reader:
            assert [each.request.target for each in reader.exchanges()] == [path]
    assert out.count("; next: mockforge learn") == 2


def test_phases_are_marked_by_signal_and_over_http(backend: str, tmp_path: Path) -> None:
    options = ("--target", backend, "--out", "run.mfrec", "--admin-port", "0")
    with recording(tmp_path, *options) as (process, lines):
        with closing(HTTPConnection("127.0.0.1", port_of(lines[1]), timeout=20)) as admin:
            admin.request("POST", "/__admin/markers", json.dumps({"label": "ramp"}))
            answer = admin.getresponse()
            assert (answer.status, json.loads(answer.read())["label"]) == (201, "ramp")
            admin.request("POST", "/__admin/markers", "nothing")
            refused = admin.getresponse()
            assert refused.status == 422
            refused.read()
        process.send_signal(signal.SIGUSR1)
        assert process.stderr
        assert process.stderr.readline() == "marked: mark 1\n"
        end(process)
    with RecordingReader(tmp_path / "run.mfrec") as reader:
        assert [marker.label for marker in reader.markers()] == ["ramp", "mark 1"]


def test_secrets_never_reach_the_disk_unless_told(backend: str, tmp_path: Path) -> None:
    for name, option in (("redacted", ()), ("kept", ("--no-redact",))):
        options = ("--target", backend, "--out", f"{name}.mfrec", *option)
        with recording(tmp_path, *options) as (process, lines):
            ask(port_of(lines[0]), f"/items?access_token={SECRET}", Authorization=f"Bearer {SECRET}")
            out, _ = end(process)
        content = (tmp_path / f"{name}.mfrec").read_bytes()
        assert (SECRET.encode() in content) is (name == "kept")
        assert ("Authorization" in out) is (name == "redacted"), out
    with closing(sqlite3.connect(tmp_path / "redacted.mfrec")) as connection:
        ((target,),) = connection.execute("SELECT target FROM exchange").fetchall()
    assert re.fullmatch(r"/items\?access_token=\S+", target)


def test_a_bound_stops_the_recording_and_not_the_traffic(backend: str, tmp_path: Path) -> None:
    options = ("--target", backend, "--out", "run.mfrec", "--max-size", "100KB")
    with recording(tmp_path, *options) as (process, lines):
        for number in range(700):
            ask(port_of(lines[0]), f"/orders/{number}")
        _, err = end(process)
    assert "reached" in err
    with RecordingReader(tmp_path / "run.mfrec") as reader:
        assert 0 < reader.count < 700
    assert (tmp_path / "run.mfrec").stat().st_size <= 100 * 1024


@pytest.mark.parametrize(
    ("policy", "host"), [("keep", "shop.example"), ("backend.example", "backend.example")]
)
def test_the_host_field_follows_its_policy(backend: str, tmp_path: Path, policy: str, host: str) -> None:
    options = ("--target", backend, "--out", "run.mfrec", "--host-header", policy)
    with recording(tmp_path, *options) as (process, lines):
        assert ask(port_of(lines[0]), "/", Host="shop.example")["host"] == host
        end(process)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "no backend to record"),
        (("--target", "a=http://127.0.0.1:1", "--target", "b=http://127.0.0.1:1@80"), "among several"),
        (("--target", "a=http://127.0.0.1:1@81", "--target", "a=http://127.0.0.1:1@82"), "a stands twice"),
        (("--target", "http://127.0.0.1:1", "--max-size", "much"), "'much' is not a size"),
        (("--target", "http://127.0.0.1:1", "--max-size", "1KB"), "1,024 bytes"),
        (("--target", "http://127.0.0.1:1", "--redact", "none.yaml"), "none.yaml"),
        (("--target", "http://127.0.0.1:1", "--redact", "r.yaml", "--no-redact"), "exclude each other"),
        (("--target", "http://127.0.0.1:1", "--tls-key", "key.pem"), "--tls-key without --tls-cert"),
        (("--forward-proxy", "--target", "http://127.0.0.1:1"), "--forward-proxy takes no --target"),
    ],
)
def test_what_cannot_be_is_one_line_and_leaves_no_file(
    tmp_path: Path, options: tuple[str, ...], said: str
) -> None:
    done = subprocess.run(
        [*RECORD, *options], capture_output=True, text=True, timeout=30, cwd=tmp_path, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith("mockforge: ")
    assert done.stderr.count("\n") == 1, done.stderr
    assert said in done.stderr
    assert list(tmp_path.rglob("*.mfrec")) == []
