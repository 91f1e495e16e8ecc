"""docs/matching.md does what it says, from its own examples."""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from mockforge.engine import Engine, compile_service
from mockforge.model.request import RequestView
from mockforge.stubfiles.reader import read_service

PAGE = Path(__file__).parents[2] / "docs" / "matching.md"


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    for name, content in re.findall(r"^```\w+ (\S+)\n(.*?)^```", PAGE.read_text("utf-8"), re.DOTALL | re.M):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, "utf-8")
    return Engine(compile_service(read_service(tmp_path)), Random(1))


def ask(engine: Engine, line: str, body: str = "", **headers: str) -> str | None:
    method, target = line.split()
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return engine.decide(RequestView(method, target, raw, body.encode()), 0).stub


def test_a_multipart_upload_is_matched_in_every_part(engine: Engine) -> None:
    body = (
        '--b\r\nContent-Disposition: form-data; name="file"\r\nContent-Type: text/xml\r\n\r\n'
        "<order><total>99</total></order>\r\n--b--\r\n"
    )
    headers = {
        "Authorization": "Basic " + base64.b64encode(b"ada:engine").decode(),
        "Content_Type": "multipart/form-data; boundary=b",
    }
    target = "/orders/1001/files?tag=2024&tag=invoice"
    assert ask(engine, f"PUT {target}", body, **headers) == "upload"
    assert ask(engine, f"GET {target}", body, **headers) is None
    assert ask(engine, "PUT /orders/9/files?tag=2024&tag=invoice", body, **headers) is None
    assert ask(engine, "PUT /orders/1001/files?tag=2024", body, **headers) is None
    assert ask(engine, f"PUT {target}", body.replace("99", "100"), **headers) is None
    assert ask(engine, f"PUT {target}", body, **headers, Cookie="session=expired") is None


def test_combined_matchers_of_json_and_text(engine: Engine) -> None:
    lately = (datetime.now(UTC) - timedelta(hours=12)).isoformat()
    for body in ('{"draft": 1}', '{"id": 7, "state": "paid", "more": []}'):
        assert ask(engine, "POST /orders", body, X_Sent=lately) == "dated"
        assert ask(engine, "POST /orders", body, X_Sent="2001-01-01T00:00:00Z") is None
        assert ask(engine, "POST /orders", body) is None
    assert ask(engine, "POST /orders", '{"id": "7", "state": "paid"}', X_Sent=lately) is None


def test_a_graphql_operation_is_matched_however_it_is_formatted(engine: Engine) -> None:
    query = '{"query": "query Hero($id:ID!){\\n  hero(id:$id) { name }}", "variables": {"id": "%s"}}'
    assert ask(engine, "POST /graphql", query % "7") == "hero"
    assert ask(engine, "POST /graphql", query % "8") is None


def test_the_scenario_goes_from_open_to_paid(engine: Engine) -> None:
    asked = ["GET /order", "POST /order/payment", "POST /order/payment", "GET /order"]
    assert [ask(engine, line) for line in asked] == [
        "order is open",
        "order gets paid",
        None,
        "order is paid",
    ]
