"""`mockforge serve` over TLS, with a certificate made for the test."""

from __future__ import annotations

import http.client
import json
import shutil
import ssl
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.acceptance.conftest import PATIENCE_S, Program, running

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate")

MIB = 1024 * 1024
STUBS = """
mappings:
  - {name: hello, request: ANY /hello, response: {body: hello}}
  - {name: soon, request: ANY /soon, response: {body: soon, fixedDelayMilliseconds: 20}}
  - {name: never, request: ANY /never, response: {fixedDelayMilliseconds: 3600000}}
  - {name: large, request: ANY /large, response: {bodyFileName: large.bin}}
"""


@dataclass(frozen=True, slots=True)
class Files:
    stubs: Path
    certificate: Path
    key: Path


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = tmp_path_factory.mktemp("tls")
    stubs = folder / "stubs"
    (stubs / "__files").mkdir(parents=True)
    (stubs / "service.yaml").write_text(STUBS)
    with (stubs / "__files" / "large.bin").open("wb") as file:
        file.truncate(8 * MIB)
    made = Files(stubs, folder / "cert.pem", folder / "key.pem")
    command = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    names = ["-subj", "/CN=mock", "-addext", "subjectAltName=IP:127.0.0.1"]
    written = ["-keyout", str(made.key), "-out", str(made.certificate)]
    subprocess.run(["openssl", *command.split(), *names, *written], check=True, capture_output=True)
    return made


@pytest.fixture(scope="module")
def mock(files: Files) -> Iterator[Program]:
    tls = ["--tls-cert", str(files.certificate), "--tls-key", str(files.key)]
    with running(
        *["-m", "mockforge", "serve", str(files.stubs), "--port", "0", *tls],
        ready=r"(https://127\.0\.0\.1:\d+)",
    ) as program:
        yield program
    assert "Traceback" not in program.output
    assert "returning true from eof_received" not in program.output


@pytest.fixture
def connection(mock: Program, files: Files) -> Iterator[http.client.HTTPSConnection]:
    context = ssl.create_default_context(cafile=files.certificate)
    made = http.client.HTTPSConnection(urlsplit(mock.url).netloc, context=context, timeout=PATIENCE_S)
    yield made
    made.close()


def ask(connection: http.client.HTTPSConnection, target: str, body: bytes | None = None) -> tuple[int, bytes]:
    connection.request("GET" if body is None else "POST", target, body)
    answer = connection.getresponse()
    return answer.status, answer.read()


def test_a_connection_serves_request_after_request(connection: http.client.HTTPSConnection) -> None:
    assert [ask(connection, target)[1] for target in ("/hello", "/soon", "/hello")] == [
        b"hello",
        b"soon",
        b"hello",
    ]
    assert ask(connection, "/large") == (200, bytes(8 * MIB))
    assert ask(connection, "/hello", bytes(2 * MIB)) == (200, b"hello")
    assert json.loads(ask(connection, "/__admin/health")[1])["status"] == "healthy"


def test_a_caller_that_sends_too_much_gets_its_refusal(connection: http.client.HTTPSConnection) -> None:
    connection.putrequest("PUT", "/hello")
    connection.putheader("Content-Length", str(50 * MIB))
    connection.endheaders()
    for _ in range(50):
        connection.send(bytes(MIB))
    answer = connection.getresponse()
    assert answer.status == 413
    assert answer.read().endswith(b"10,485,760 bytes\n")


def test_a_caller_that_leaves_is_counted(connection: http.client.HTTPSConnection) -> None:
    connection.request("GET", "/never")
    connection.close()
    while json.loads(ask(connection, "/__admin/metrics")[1])["callersLeft"] < 1:
        pass


def test_plain_http_on_the_tls_port_harms_nobody(
    mock: Program, connection: http.client.HTTPSConnection
) -> None:
    plain = http.client.HTTPConnection(urlsplit(mock.url).netloc, timeout=PATIENCE_S)
    plain.request("GET", "/hello")
    with pytest.raises((http.client.HTTPException, OSError)):
        plain.getresponse()
    plain.close()
    assert ask(connection, "/hello") == (200, b"hello")


def test_files_that_do_not_belong_together_are_refused(
    files: Files, tmp_path: Path, mockforge: Callable[..., str]
) -> None:
    other = tmp_path / "other.pem"
    subprocess.run(["openssl", "genrsa", "-out", str(other), "2048"], check=True, capture_output=True)
    tls = ["--tls-cert", str(files.certificate), "--tls-key", str(other)]
    printed = mockforge("serve", str(files.stubs), "--port", "0", *tls, code=2)
    assert "TLS cannot use" in printed
    assert "Traceback" not in printed
