"""docs/callbacks.md does what it says, over `mockforge serve` and a real receiver."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.acceptance.conftest import PATIENCE_S, ROOT, Program, running
from tests.acceptance.upstreams import Upstream, ask, upstream

PAGE = ROOT / "docs" / "callbacks.md"


@pytest.fixture(scope="module")
def hooks() -> Iterator[Upstream]:
    with upstream() as made:
        yield made


@pytest.fixture(scope="module")
def folder(hooks: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("callbacks")
    found = re.search(r"^```yaml callbacks/stubs.yaml\n(.*?)^```", PAGE.read_text("utf-8"), re.DOTALL | re.M)
    assert found is not None
    (folder / "stubs.yaml").write_text(found[1].replace("127.0.0.1:9001", urlsplit(hooks.url).netloc))
    return folder


@pytest.fixture(autouse=True)
def forgotten(hooks: Upstream) -> None:
    hooks.asked.clear()


@pytest.fixture(scope="module")
def mock(folder: Path) -> Iterator[Program]:
    with running("-m", "mockforge", "serve", str(folder), "--port", "0") as program:
        yield program
    assert "Traceback" not in program.output


def sub_events(mock: Program, number: int) -> list[dict[str, Any]]:
    """The sub-events of the newest event, as soon as they are so many."""
    end = time.monotonic() + PATIENCE_S
    while True:
        (event, *_) = json.loads(ask(mock.url, "/__admin/requests").body)["requests"]
        found: list[dict[str, Any]] = event["subEvents"]
        if len(found) >= number:
            return found
        assert time.monotonic() < end


def test_the_webhook_of_the_page_is_made(mock: Program, hooks: Upstream) -> None:
    assert ask(mock.url, "/orders/17/payment", "POST", b"{}", X_Trace="t1").status == 202
    (asked,) = hooks.wait_for(1)
    assert (asked.method, asked.url) == ("POST", "/orders/17")
    assert json.loads(asked.body) == {"order": "17", "state": "paid"}
    assert asked.headers["X-Trace"] == "t1"
    request, response = sub_events(mock, 2)
    assert request["type"] == "WEBHOOK_REQUEST"
    assert request["data"]["absoluteUrl"] == f"{hooks.url}/orders/17"
    assert response["type"] == "WEBHOOK_RESPONSE"
    assert response["data"]["status"] == 200
    assert response["timeOffsetNanos"] >= request["timeOffsetNanos"] >= 20_000_000


def test_what_a_webhook_lacks_is_told_in_the_journal(mock: Program, hooks: Upstream) -> None:
    ask(mock.url, "/orders/17/payment", "POST", b"{}")
    (error,) = sub_events(mock, 1)
    assert error["type"] == "ERROR"
    assert "x-trace" in error["data"]["message"]
    assert not hooks.asked


def test_a_stub_of_the_admin_api_may_have_a_webhook(mock: Program, hooks: Upstream) -> None:
    webhook = {"name": "webhook", "parameters": {"method": "GET", "url": f"{hooks.url}/done"}}
    stub = {"request": {"url": "/job"}, "response": {}, "postServeActions": [webhook]}
    made = ask(mock.url, "/__admin/mappings", "POST", json.dumps(stub).encode())
    assert json.loads(made.body)["postServeActions"] == [webhook]
    ask(mock.url, "/job")
    assert [each.url for each in hooks.wait_for(1)] == ["/done"]


def test_a_bad_webhook_is_refused_with_its_place(mock: Program) -> None:
    stub = {
        "request": {"url": "/job"},
        "serveEventListeners": [{"name": "webhook", "parameters": {"url": "x"}}],
    }
    answer = ask(mock.url, "/__admin/mappings", "POST", json.dumps(stub).encode())
    assert answer.status == 422
    (error,) = json.loads(answer.body)["errors"]
    assert error["source"]["pointer"] == "/serveEventListeners/0/parameters"


def test_the_end_says_what_became_of_callbacks(hooks: Upstream, tmp_path: Path) -> None:
    hour = "{type: fixed, milliseconds: 3600000}"
    (tmp_path / "later.yaml").write_text(
        "request: GET /job\nserveEventListeners:\n"
        f"- {{name: webhook, parameters: {{url: {hooks.url}}}}}\n"
        f"- {{name: webhook, parameters: {{url: {hooks.url}, delay: {hour}}}}}\n"
    )
    with running("-m", "mockforge", "serve", str(tmp_path), "--port", "0") as program:
        ask(program.url, "/job")
        hooks.wait_for(1)
    assert "callbacks: 1 made, 0 failed, 1 dropped" in program.output
