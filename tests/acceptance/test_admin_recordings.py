"""WireMock's recorder over the admin API: requests that are passed on become stubs that answer alike."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import Program, running
from tests.acceptance.upstreams import Upstream, ask, upstream


@pytest.fixture(scope="module")
def real() -> Iterator[Upstream]:
    with upstream() as made:
        yield made


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recorded")
    (folder / "mappings").mkdir()
    return folder


@pytest.fixture(scope="module")
def mock(folder: Path) -> Iterator[Program]:
    with running("-m", "mockforge", "serve", str(folder), "--port", "0") as program:
        yield program
    assert "Traceback" not in program.output


def recordings(mock: Program, what: str, **spec: object) -> Any:
    body = json.dumps(spec).encode() if spec else b""
    answer = ask(mock.url, f"/__admin/recordings/{what}", "GET" if what == "status" else "POST", body)
    return {"code": answer.status, **json.loads(answer.body)}


def test_a_recording_from_its_start_to_stubs_that_answer(mock: Program, real: Upstream, folder: Path) -> None:
    assert recordings(mock, "status")["status"] == "NeverStarted"
    assert recordings(mock, "stop")["errors"][0]["code"] == 30
    assert recordings(mock, "start", targetBaseUrl=real.url) == {"code": 200}
    assert recordings(mock, "status")["status"] == "Recording"
    assert ask(mock.url, "/orders/17").body == b"GET /orders/17"
    assert ask(mock.url, "/orders", "POST", b"new").body == b"POST /orders"
    stopped = recordings(mock, "stop")
    assert recordings(mock, "status")["status"] == "Stopped"
    newest, oldest = stopped["mappings"]
    assert oldest["request"] == {"url": "/orders/17", "method": "GET"}
    assert newest["request"]["bodyPatterns"] == [{"equalTo": "new"}]
    assert newest["persistent"] is True
    asked = len(real.asked)
    assert ask(mock.url, "/orders/17").body == b"GET /orders/17"
    assert ask(mock.url, "/orders", "POST", b"new").body == b"POST /orders"
    assert ask(mock.url, "/orders/18").status == 404
    assert len(real.asked) == asked
    assert len(list((folder / "mappings").rglob("*.*"))) == 2, "stubs are saved where the service is a folder"


def test_a_snapshot_takes_what_was_passed_on(mock: Program, real: Upstream) -> None:
    stub = {
        "id": "11111111-2222-4333-8444-555555555555",
        "request": {},
        "response": {"proxyBaseUrl": real.url},
    }
    ask(mock.url, "/__admin/mappings", "POST", json.dumps(stub).encode())
    for path in ("/a/1", "/a/2", "/b"):
        ask(mock.url, path)
    spec = {"persist": False, "filters": {"urlPattern": "/a/.*"}}
    urls = [each["request"]["url"] for each in recordings(mock, "snapshot", **spec)["mappings"]]
    assert urls == ["/a/2", "/a/1"]
    assert len(recordings(mock, "snapshot", outputFormat="ids", **spec)["ids"]) == 2


def test_a_spec_that_cannot_be_is_a_422(mock: Program) -> None:
    refused = recordings(mock, "start", targetBaseUrl="nowhere")
    assert refused["code"] == 422
    assert refused["errors"][0]["source"]["pointer"] == "/targetBaseUrl"
    assert recordings(mock, "status")["status"] == "Stopped"
