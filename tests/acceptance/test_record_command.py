"""The `mockforge record` command, in its own process, against a backend that this project did not write."""

from __future__ import annotations

import contextlib
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import pytest

from mockforge.model.exchange import Exchange
from mockforge.recording.store import RecordingReader

RECORD = [sys.executable, "-m", "mockforge", "record"]


@dataclass
class Ended:
    code: int
    out: str
    err: str


class Recorder:
    """A running `mockforge record`."""

    def __init__(self, target: str, out: Path) -> None:
        self.out = out
        self.process = subprocess.Popen(
            [*RECORD, "--target", target, "--port", "0", "--out", str(out)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stderr
        self.ready = self.process.stderr.readline()
        found = re.match(r"recording http://127\.0\.0\.1:(\d+) -> ", self.ready)
        assert found, self.ready
        self.port = int(found[1])

    def end(self, number: signal.Signals = signal.SIGINT) -> Ended:
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=20)
        return Ended(self.process.returncode, out, err)


@contextlib.contextmanager
def recorder(target: str, out: Path) -> Iterator[Recorder]:
    running = Recorder(target, out)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.process.kill()
            running.process.communicate()


@pytest.fixture(scope="module")
def httpbin() -> Iterator[str]:
    """httpbin under gunicorn with two workers; its address."""
    with subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "-b", "127.0.0.1:0", "-w", "2", "httpbin:app"],
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr
        lines = iter(process.stderr.readline, "")
        url = next(found[1] for line in lines if (found := re.search(r"Listening at: (http://\S+)", line)))
        draining = threading.Thread(target=lambda: list(lines))
        draining.start()
        yield url
        process.terminate()
        draining.join()


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


def ask(port: int, method: str, path: str, body: bytes | None = None) -> tuple[HTTPResponse, bytes]:
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        fields = {"Content-Type": "application/octet-stream"} if body else {}
        connection.request(method, path, body, fields)
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()


def exchanges_of(path: Path) -> list[Exchange]:
    with RecordingReader(path) as reader:
        return list(reader.exchanges())


AWKWARD = [
    ("GET", "/get?a=%2F&b=%20"),
    ("GET", "/gzip"),
    ("GET", "/deflate"),
    ("GET", "/stream/7"),
    ("GET", "/stream-bytes/5000?seed=3&chunk_size=100"),
    ("GET", "/status/204"),
    ("GET", "/status/304"),
    ("GET", "/status/418"),
    ("GET", "/status/500"),
    ("HEAD", "/get"),
    ("GET", "/redirect/2"),
    ("GET", "/cookies/set?a=1&b=2"),
    ("GET", "/response-headers?X-A=1&X-A=2"),
    ("GET", "/image/png"),
    ("GET", "/encoding/utf8"),
    ("OPTIONS", "/get"),
]


def fields(response: HTTPResponse) -> list[tuple[str, str]]:
    """The response's fields, but for the one that differs from one second to the next."""
    return [(name, value) for name, value in response.getheaders() if name.lower() != "date"]


def test_awkward_answers_are_the_same_with_and_without_the_proxy(httpbin: str, tmp_path: Path) -> None:
    # Asked directly before and after: a gzip body holds the second in which it was made.
    with recorder(httpbin, tmp_path / "run.mfrec") as running:
        ports = (port_of(httpbin), running.port, port_of(httpbin))
        asked = [[ask(port, method, path) for port in ports] for method, path in AWKWARD]
        running.end()
    recorded = exchanges_of(running.out)
    assert [(each.request.method, each.request.target) for each in recorded] == AWKWARD
    for (_, path), (before, proxied, after), exchange in zip(AWKWARD, asked, recorded, strict=True):
        (direct, direct_body), (response, body) = before, proxied
        assert (response.status, response.reason) == (direct.status, direct.reason), path
        assert fields(response) == fields(direct), path
        assert body in (direct_body, after[1]), path
        assert exchange.error is None, path
        assert exchange.response, path
        assert exchange.response.status == response.status, path
        assert exchange.response.body == body, path


def test_a_megabyte_goes_there_and_back(httpbin: str, tmp_path: Path) -> None:
    sent = b"0123456789abcdef" * 65_536
    with recorder(httpbin, tmp_path / "run.mfrec") as running:
        response, body = ask(running.port, "POST", "/post", sent)
        running.end()
    assert response.status == 200
    assert sent in body
    (exchange,) = exchanges_of(running.out)
    assert exchange.request.body == sent
    assert exchange.response
    assert exchange.response.body == body


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_leaves_one_complete_file_and_a_table(
    httpbin: str, tmp_path: Path, number: signal.Signals
) -> None:
    out = tmp_path / "recordings" / "run.mfrec"
    with recorder(httpbin, out) as running:
        for path in ("/status/200", "/status/201", "/status/500", "/get"):
            ask(running.port, "GET", path)
        ended = running.end(number)
    assert ended.code == 0
    assert ended.err == ""
    assert running.ready == (
        f"recording http://127.0.0.1:{running.port} -> {httpbin} into {out} (Ctrl-C ends it)\n"
    )
    rows = {line.split("  ")[0].strip(): line.split() for line in ended.out.splitlines()}
    assert rows["GET /status/{id}"][2:4] == ["3", "1"]
    assert rows["GET /get"][2:4] == ["1", "0"]
    assert ended.out.splitlines()[-1] == f"4 exchanges in {out}; next: mockforge learn {out}"
    assert sorted(file.name for file in out.parent.iterdir()) == [".mockforge", "run.mfrec"]
    with RecordingReader(out) as reader:
        assert reader.count == 4
        assert (reader.meta.kind, reader.meta.target) == ("recording", httpbin)


def test_a_recording_without_traffic_says_so(httpbin: str, tmp_path: Path) -> None:
    with recorder(httpbin, tmp_path / "run.mfrec") as running:
        ended = running.end()
    assert ended.out == f"0 exchanges in {running.out}; no traffic came\n"
    assert ended.code == 0


def test_a_recording_that_is_removed_is_told_and_traffic_goes_on(httpbin: str, tmp_path: Path) -> None:
    with recorder(httpbin, tmp_path / "run.mfrec") as running:
        running.out.unlink()
        ask(running.port, "GET", "/status/200")
        assert running.process.stderr
        told = running.process.stderr.readline()
        response, _ = ask(running.port, "GET", "/status/200")
        ended = running.end()
    assert "the file was removed" in told
    assert told.endswith("traffic goes on unrecorded\n")
    assert response.status == 200
    assert "Traceback" not in ended.err
    assert ended.code == 2


def refusal(*arguments: str) -> str:
    """The one line that a start is refused with."""
    done = subprocess.run([*RECORD, *arguments], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def test_a_port_in_use_is_one_line_and_no_file(httpbin: str, tmp_path: Path) -> None:
    out = tmp_path / "run.mfrec"
    line = refusal("--target", httpbin, "--port", str(port_of(httpbin)), "--out", str(out))
    assert f"127.0.0.1:{port_of(httpbin)} is in use" in line
    assert not out.exists()


def test_an_existing_recording_is_one_line(httpbin: str, tmp_path: Path) -> None:
    out = tmp_path / "run.mfrec"
    out.write_text("precious")
    assert "exists already" in refusal("--target", httpbin, "--port", "0", "--out", str(out))
    assert out.read_text() == "precious"


def test_an_unreachable_target_is_one_line_and_no_file(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    out = tmp_path / "run.mfrec"
    line = refusal("--target", f"http://127.0.0.1:{port}", "--port", "0", "--out", str(out))
    assert f"http://127.0.0.1:{port}" in line
    assert not out.exists()


def test_a_target_that_speaks_another_protocol_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet() -> None:
            connection, _ = server.accept()
            connection.sendall(b"220 mail.example.com ESMTP\r\n")
            connection.close()

        greeting = threading.Thread(target=greet)
        greeting.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        line = refusal("--target", url, "--port", "0", "--out", str(tmp_path / "run.mfrec"))
        greeting.join()
    assert "HTTP" in line
    assert "220 mail" in line


@pytest.mark.parametrize("url", ["127.0.0.1:9000", "ftp://h", "http://", "http://h:99999", "http://h/?q=1"])
def test_an_impossible_target_is_one_line(url: str, tmp_path: Path) -> None:
    assert url in refusal("--target", url, "--port", "0", "--out", str(tmp_path / "run.mfrec"))


def test_the_help_shows_an_example() -> None:
    done = subprocess.run([*RECORD, "--help"], capture_output=True, text=True, timeout=30, check=True)
    assert "mockforge record --target http://127.0.0.1:9000" in done.stdout
