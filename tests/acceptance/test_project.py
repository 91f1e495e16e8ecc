"""A project of several services: served in one process, recorded together, compared by its tolerances."""

from __future__ import annotations

import http.client
import json
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from wiremock.client import Mapping, MappingRequest, MappingResponse, Mappings
from wiremock.constants import Config

from tests.acceptance.conftest import PATIENCE_S, Program, running

PROJECT = """
services:
  - name: orders
    port: 0
    seed: 7
  - {name: payments, port: PORT, host: payments.local}
  - {name: stock, port: PORT, host: stock.local}
"""


def free_port() -> int:
    import socket

    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    (folder / "mockforge.yaml").write_text(PROJECT.replace("PORT", str(free_port())))
    for name in ("orders", "payments", "stock"):
        (folder / "stubs" / name).mkdir(parents=True)
        stub = {"request": "GET /who", "response": {"body": name}, "scenarioName": "s"}
        (folder / "stubs" / name / "who.yaml").write_text(json.dumps(stub))
    return folder


@pytest.fixture(scope="module")
def mocks(shop: Path) -> Iterator[Program]:
    with running("-m", "mockforge", "serve", "--project", str(shop / "mockforge.yaml")) as program:
        yield program
    assert "Traceback" not in program.output


def ask(url: str, path: str, method: str = "GET", body: str = "", **headers: str) -> tuple[int, str]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    connection.request(method, path, body or None, headers)
    answer = connection.getresponse()
    content = answer.read().decode()
    connection.close()
    return answer.status, content


def services(mocks: Program) -> dict[str, dict[str, object]]:
    listed = json.loads(ask(mocks.url, "/__admin/services")[1])
    return {service["name"]: service for service in listed["services"]}


def who(mocks: Program, name: str) -> tuple[int, str]:
    service = services(mocks)[name]
    headers = {"Host": str(service["host"])} if service["host"] else {}
    return ask(str(service["url"]), "/who", **headers)


def test_each_service_answers_on_its_port_or_for_its_host(mocks: Program) -> None:
    assert [who(mocks, name) for name in ("orders", "payments", "stock")] == [
        (200, "orders"),
        (200, "payments"),
        (200, "stock"),
    ]
    listed = services(mocks)
    assert listed["orders"]["url"] != listed["stock"]["url"] == listed["payments"]["url"]
    assert listed["orders"]["seed"] == 7
    assert len({service["seed"] for service in listed.values()}) == 3
    status, said = ask(str(listed["stock"]["url"]), "/who", Host="other.local")
    assert (status, "known: payments.local, stock.local" in said) == (421, True)


def test_a_client_edits_one_service_from_the_port_of_another(
    mocks: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Config, "base_url", f"{mocks.url}/__admin/services/stock")
    before = services(mocks)
    made = Mappings.create_mapping(
        Mapping(request=MappingRequest(method="GET", url="/new"), response=MappingResponse(status=204))
    )
    assert {name: each["stubs"] for name, each in services(mocks).items()} == {
        "orders": before["orders"]["stubs"],
        "payments": before["payments"]["stubs"],
        "stock": 2,
    }
    stock = str(before["stock"]["url"])
    assert ask(stock, "/new", Host="stock.local")[0] == 204
    assert ask(stock, "/new", Host="payments.local")[0] == 404
    own = json.loads(ask(stock, f"/__admin/mappings/{made.id}", Host="stock.local")[1])
    assert own["request"]["url"] == "/new"
    assert ask(stock, f"/__admin/mappings/{made.id}", Host="payments.local")[0] == 404
    Mappings.delete_mapping(made)


def test_every_service_is_asked_at_once(mocks: Program) -> None:
    ask(mocks.url, "/__admin/services/*/requests", "DELETE")
    who(mocks, "payments")
    status, counted = ask(mocks.url, "/__admin/services/*/requests/count", "POST", '{"urlPath": "/who"}')
    answers = json.loads(counted)["services"]
    assert status == 200
    assert {name: each["body"]["count"] for name, each in answers.items()} == {
        "orders": 0,
        "payments": 1,
        "stock": 0,
    }
    assert ask(mocks.url, "/__admin/services/*/mappings", "POST", "{")[0] == 422


def test_a_service_that_is_not_there_is_told_with_those_that_are(mocks: Program) -> None:
    status, said = ask(mocks.url, "/__admin/services/stok/mappings")
    assert (status, json.loads(said)["errors"][0]["detail"]) == (404, "known: orders, payments, stock")


def test_scenarios_are_each_services_own(mocks: Program) -> None:
    path = "/__admin/services/{}/scenarios"
    state = {"state": "Started"}
    assert ask(mocks.url, path.format("orders") + "/s/state", "PUT", json.dumps(state))[0] == 200
    assert ask(mocks.url, path.format("*") + "/reset", "POST")[0] == 200


def test_one_ctrl_c_ends_all_and_each_has_said_and_recorded_what_it_did(tmp_path: Path, shop: Path) -> None:
    project = tmp_path / "mockforge.yaml"
    entries = ", ".join(
        f"{{name: {name}, port: 0, stubs: {shop}/stubs/{name}}}" for name in ("orders", "stock")
    )
    project.write_text(f"services: [{entries}]")
    run = tmp_path / "run"
    with running("-m", "mockforge", "serve", "--project", str(project), "--record-run", str(run)) as program:
        ask(program.url, "/who")
        program.process.send_signal(signal.SIGINT)
        program.process.wait(PATIENCE_S)
    assert sorted(file.name for file in run.glob("*.mfrec")) == ["orders.mfrec", "stock.mfrec"]
    assert "orders: served 1 requests" in program.output
    assert "stock: served 0 requests" in program.output


def test_all_backends_of_a_project_are_recorded(tmp_path: Path, mocks: Program) -> None:
    project = tmp_path / "mockforge.yaml"
    entries = ", ".join(f"{{name: {name}, port: 0, upstream: '{mocks.url}'}}" for name in ("one", "two"))
    project.write_text(f"services: [{entries}]\nredaction: {{headers: [X-Shop]}}")
    arguments = ("record", "--project", str(project), "--out", str(tmp_path / "r"))
    with running("-m", "mockforge", *arguments, ready=r"recording (http\S+) ->[^\n]*two-") as program:
        assert ask(program.url, "/who", **{"X-Shop": "open sesame"}) == (200, "orders")
    one, two = sorted((tmp_path / "r").glob("*.mfrec"))
    assert re.fullmatch(r"one-[\d-]+", one.stem)
    assert b"open sesame" not in two.read_bytes()


def test_compare_judges_by_the_projects_tolerances(tmp_path: Path, mockforge: Callable[..., str]) -> None:
    project = tmp_path / "mockforge.yaml"
    project.write_text("services: [{name: orders, port: 0}]\ntolerances: ['gap<0.01%']")
    run = "recordings/orders-example.mfrec"
    said = mockforge("compare", run, run, "--project", str(project))
    assert "gap" in said
