"""docs/proxying.md does what it says, over `mockforge serve` and a real backend."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.acceptance.conftest import ROOT, Program, running
from tests.acceptance.upstreams import Upstream, ask, upstream

PAGE = ROOT / "docs" / "proxying.md"


def of_the_page(port: int, name: str = "proxying/stubs.yaml") -> str:
    """The stubs of the page, with the backend's real port."""
    found = re.search(rf"^```yaml {name}\n(.*?)^```", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    assert found is not None
    return found[1].replace("127.0.0.1:9000", f"127.0.0.1:{port}")


@pytest.fixture(scope="module")
def real() -> Iterator[Upstream]:
    with upstream() as made:
        yield made


@pytest.fixture(scope="module")
def mock(real: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    folder = tmp_path_factory.mktemp("orders")
    local = "  - {name: local, request: GET /local, response: {body: mocked}}\n"
    (folder / "stubs.yaml").write_text(of_the_page(urlsplit(real.url).port or 0) + local)
    with running(
        "-m", "mockforge", "serve", str(folder), "--port", "0", "--proxy-unmatched", real.url
    ) as program:
        yield program
    assert "Traceback" not in program.output


@pytest.fixture(autouse=True)
def forgotten(real: Upstream, mock: Program) -> None:
    real.asked.clear()
    ask(mock.url, "/__admin/requests", "DELETE")


def test_half_of_the_service_is_real(mock: Program, real: Upstream) -> None:
    assert ask(mock.url, "/local").body == b"mocked"
    assert ask(mock.url, "/orders/17?a=b", "PUT", b"x").body == b"PUT /orders/17?a=b"
    assert [each.body for each in real.asked] == [b"x"]


def test_a_stub_passes_requests_on_with_its_changes(mock: Program, real: Upstream) -> None:
    answer = ask(mock.url, "/shop/prices/17?currency=EUR", Cookie="a=b", X_Api_Key="mine", Accept="x/y")
    assert answer.body == b"GET /v2/prices/17?currency=EUR"
    assert answer.headers["X-Served-By"] == "mock"
    assert answer.headers["Content-Type"] == "text/plain"
    (asked,) = real.asked
    assert asked.headers["X-Api-Key"] == "test-key"
    assert asked.headers["Host"] == urlsplit(real.url).netloc
    assert asked.headers["Accept"] == "x/y"
    assert asked.headers["Via"].startswith("1.1 mockforge-")
    assert "Cookie" not in asked.headers


def test_the_target_may_be_rendered(mock: Program, real: Upstream) -> None:
    port = urlsplit(real.url).port
    assert ask(mock.url, f"/where?port={port}").body == f"GET /where?port={port}".encode()
    refused = ask(mock.url, "/where?port=none")
    assert refused.status == 500
    assert b"stub 'by-region'" in refused.body


def test_the_journal_says_where_a_request_went(mock: Program, real: Upstream) -> None:
    ask(mock.url, "/shop/prices/17")
    ask(mock.url, "/other")
    other, prices = json.loads(ask(mock.url, "/__admin/requests").body)["requests"]
    told = prices["mockforge"]["upstream"]
    assert told["url"] == f"{real.url}/v2/prices/17"
    assert told["error"] is None
    assert told["askedMilliseconds"] <= told["firstByteMilliseconds"] <= told["endMilliseconds"]
    assert prices["mockforge"]["plannedMilliseconds"] >= 100
    assert prices["stubMapping"]["response"]["proxyBaseUrl"] == f"{real.url}/v2"
    assert other["wasMatched"] is False
    assert other["subEvents"] == []
    assert other["mockforge"]["upstream"]["url"] == f"{real.url}/other"


def test_a_dead_upstream_is_named(mock: Program) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    answer = ask(mock.url, f"/where?port={port}")
    assert answer.status == 502
    assert (
        answer.body
        == f"mockforge: no answer from http://127.0.0.1:{port}/where?port={port}: connect: refused\n".encode()
    )


def test_two_mocks_that_pass_to_one_another_are_found_out(mock: Program, tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text("request: GET /unused\n")
    with running(
        "-m", "mockforge", "serve", str(tmp_path), "--port", "0", "--proxy-unmatched", mock.url
    ) as other:
        port = urlsplit(other.url).port
        assert ask(mock.url, f"/where?port={port}").status == 508


def test_a_stub_that_leads_back_is_refused_by_the_admin_api(mock: Program) -> None:
    stub = {
        "request": {"url": "/loop"},
        "response": {"proxyBaseUrl": mock.url.replace("127.0.0.1", "localhost")},
    }
    answer = ask(mock.url, "/__admin/mappings", "POST", json.dumps(stub).encode())
    assert answer.status == 422
    assert b"is the mock itself" in answer.body


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--proxy-unmatched", "nonsense"], "the target 'nonsense' does not begin with http:// or https://"),
        (["--proxy-ca", "/no/such.pem"], "TLS cannot trust /no/such.pem"),
        (["--proxy-cert", "/no/such.pem"], "TLS cannot use /no/such.pem"),
        (["--proxy-key", "/no/such.pem"], "the key /no/such.pem has no certificate"),
    ],
)
def test_options_that_cannot_be_are_one_line(
    mockforge: Callable[..., str], tmp_path: Path, options: list[str], line: str
) -> None:
    said = mockforge("serve", str(tmp_path), "--port", "0", *options, code=2)
    assert line in said
    assert "Traceback" not in said


def test_a_stub_or_an_option_that_leads_back_is_refused_at_the_start(
    mockforge: Callable[..., str], tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    own = f"http://127.0.0.1:{port}"
    said = mockforge("serve", str(tmp_path), "--port", str(port), "--proxy-unmatched", own, code=2)
    assert f"--proxy-unmatched {own} is the mock itself" in said
    (tmp_path / "loop.yaml").write_text(f"name: loop\nrequest: GET /a\nresponse: {{proxyBaseUrl: {own}}}\n")
    said = mockforge("serve", str(tmp_path), "--port", str(port), code=2)
    assert f"loop.yaml:1: stub 'loop': proxyBaseUrl: {own} is the mock itself" in said.replace("\n", "")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate")
def test_an_upstream_behind_tls_is_checked_by_its_authorities(tmp_path: Path) -> None:
    stubs, pem = tmp_path / "stubs", tmp_path / "both.pem"
    stubs.mkdir()
    (stubs / "a.yaml").write_text("{name: hello, request: GET /hello, response: {body: secret}}\n")
    command = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=real"
    names = [
        "-addext",
        "subjectAltName=IP:127.0.0.1",
        "-keyout",
        str(pem),
        "-out",
        str(tmp_path / "cert.pem"),
    ]
    subprocess.run(["openssl", *command.split(), *names], check=True, capture_output=True)
    certificate = tmp_path / "cert.pem"
    behind = ["-m", "mockforge", "serve", str(stubs), "--port", "0"]
    tls = ["--tls-cert", str(certificate), "--tls-key", str(pem)]
    empty = tmp_path / "empty"
    empty.mkdir()
    with running(*behind, *tls, ready=r"(https://127\.0\.0\.1:\d+)") as real:
        front = ["-m", "mockforge", "serve", str(empty), "--port", "0", "--proxy-unmatched", real.url]
        with running(*front, "--proxy-ca", str(certificate)) as mock:
            assert ask(mock.url, "/hello").body == b"secret"
        with running(*front) as mock:
            refused = ask(mock.url, "/hello")
            assert refused.status == 502
            assert b"tls: certificate not trusted" in refused.body


def test_a_large_answer_passes_without_being_held(mock: Program, real: Upstream) -> None:
    before = real.answer
    real.answer = lambda asked: b"x" * (64 * 2**20)
    try:
        assert len(ask(mock.url, "/large").body) == 64 * 2**20
    finally:
        real.answer = before
    (event,) = json.loads(ask(mock.url, "/__admin/requests").body)["requests"]
    assert event["mockforge"]["upstream"]["bodyBytes"] == 64 * 2**20
    assert event["response"]["body"] == "", "the journal keeps its size alone"
