"""The official `wiremock` client of Python, every public call of it, against `mockforge serve`."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from wiremock.client import (
    GlobalSetting,
    HttpMethods,
    Mapping,
    MappingRequest,
    MappingResponse,
    Mappings,
    NearMisses,
    NearMissMatchPatternRequest,
    NearMissMatchRequest,
    Requests,
    Scenarios,
)
from wiremock.constants import Config
from wiremock.exceptions import InvalidInputException, NotFoundException
from wiremock.resources.settings.resource import GlobalSettings

from tests.acceptance.conftest import PATIENCE_S, Program, running

FILE_STUB = {
    "name": "of a file",
    "request": {"method": "GET", "urlPath": "/file"},
    "response": {"body": "file"},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("orders")
    (folder / "stub.json").write_text(json.dumps(FILE_STUB))
    return folder


@pytest.fixture(scope="module")
def mock(folder: Path) -> Iterator[Program]:
    with running("-m", "mockforge", "serve", str(folder), "--port", "0") as program:
        yield program
    assert "Traceback" not in program.output


@pytest.fixture(autouse=True)
def client(mock: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Config, "base_url", f"{mock.url}/__admin")
    Mappings.reset_mappings()
    Requests.reset_request_journal()
    GlobalSettings.update_global_settings(GlobalSetting(fixed_delay=0))


def ask(mock: Program, path: str, method: str = "GET", **headers: str) -> tuple[int, str]:
    parts = urlsplit(mock.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, body


def until(done: Callable[[], bool]) -> None:
    """Wait for what the mock does by itself; each look at it asks the mock, which paces the loop."""
    end = time.monotonic() + PATIENCE_S
    while not done():
        assert time.monotonic() < end
        Mappings.retrieve_all_mappings()


def mapping(path: str, body: str, **more: object) -> Mapping:
    request = MappingRequest(method=HttpMethods.GET, url=path)
    return Mapping(request=request, response=MappingResponse(status=200, body=body), **more)


def test_a_mapping_is_created_read_edited_and_deleted(mock: Program) -> None:
    made = Mappings.create_mapping(mapping("/a", "first", priority=3))
    assert ask(mock, "/a") == (200, "first")
    assert Mappings.retrieve_mapping(made.id).priority == 3
    assert Mappings.retrieve_mapping(made).request.url == "/a"
    made.response = MappingResponse(status=202, body="second")
    assert Mappings.update_mapping(made).response.status == 202
    assert ask(mock, "/a") == (202, "second")
    Mappings.delete_mapping(made)
    assert ask(mock, "/a")[0] == 404
    with pytest.raises(NotFoundException):
        Mappings.retrieve_mapping(made.id)


def test_all_mappings_are_listed_deleted_and_reset_to_those_of_files(mock: Program) -> None:
    Mappings.create_mapping(mapping("/a", "a"))
    listed = Mappings.retrieve_all_mappings()
    assert listed.meta.total == 2
    assert [each.request.url for each in listed.mappings] == ["/a", None]
    Mappings.delete_all_mappings()
    assert Mappings.retrieve_all_mappings().meta.total == 0
    assert ask(mock, "/file")[0] == 404
    Mappings.reset_mappings()
    assert ask(mock, "/file") == (200, "file")


def test_mappings_are_deleted_by_their_metadata(mock: Program) -> None:
    Mappings.create_mapping(mapping("/a", "a", metadata={"team": "orders"}))
    Mappings.create_mapping(mapping("/b", "b", metadata={"team": "stock"}))
    Mappings.delete_mapping_by_metadata({"matchesJsonPath": {"expression": "$.team", "equalTo": "orders"}})
    assert [ask(mock, path)[0] for path in ("/a", "/b", "/file")] == [404, 200, 200]


def test_what_cannot_be_is_invalid_input(mock: Program) -> None:
    bad = Mapping(request=MappingRequest(method="GET", url="/a", headers={"A": {"matches": "["}}))
    with pytest.raises(InvalidInputException, match="/request/headers/A"):
        Mappings.create_mapping(bad)
    assert Mappings.retrieve_all_mappings().meta.total == 1


def test_requests_are_listed_found_counted_and_forgotten(mock: Program) -> None:
    ask(mock, "/file?n=1", **{"X-Id": "7"})
    ask(mock, "/missing")
    everything = Requests.get_all_received_requests(parameters={})
    assert everything.meta.total == 2
    assert everything.request_journal_disabled is False
    newest, oldest = everything.requests
    assert (newest.request.url, oldest.request.url) == ("/missing", "/file?n=1")
    one = Requests.get_request(oldest.id)
    assert one.request.headers["X-Id"] == "7"
    assert one.request.client_ip == "127.0.0.1"
    assert one.request.absolute_url == f"{mock.url}/file?n=1"
    assert Requests.get_all_received_requests(limit=1, parameters={}).requests[0].id == newest.id
    assert Requests.get_all_received_requests(since="2999-01-01T00:00:00Z", parameters={}).requests == []
    pattern = NearMissMatchPatternRequest(url_path="/file", method="GET")
    assert Requests.get_matching_request_count(pattern).count == 1
    assert [each.url for each in Requests.get_matching_requests(pattern).requests] == ["/file?n=1"]
    assert [each.url for each in Requests.get_unmatched_requests().requests] == ["/missing"]
    Requests.reset_request_journal()
    assert Requests.get_all_received_requests(parameters={}).meta.total == 0


def test_near_misses_are_told_for_what_was_asked_for_any_request_and_any_pattern(mock: Program) -> None:
    ask(mock, "/fil")
    (miss,) = Requests.get_unmatched_requests_near_misses().near_misses
    assert (miss.request.url, 0 < miss.match_result.distance < 1) == ("/fil", True)
    request = NearMissMatchRequest(url="/filed", method="GET")
    (miss,) = NearMisses.find_nearest_misses_by_request(request).near_misses
    assert 0 < miss.match_result.distance < 1
    pattern = NearMissMatchPatternRequest(url="/fill", method="GET")
    (miss,) = NearMisses.find_nearest_misses_by_request_pattern(pattern).near_misses
    assert (miss.request.url, 0 < miss.match_result.distance < 1) == ("/fil", True)


def test_scenarios_go_on_with_each_request_and_are_reset(mock: Program) -> None:
    steps = {"scenario_name": "order", "required_scenario_state": "Started"}
    Mappings.create_mapping(mapping("/o", "new", new_scenario_state="Paid", **steps))
    Mappings.create_mapping(mapping("/o", "paid", **{**steps, "required_scenario_state": "Paid"}))
    assert [ask(mock, "/o")[1] for _ in range(3)] == ["new", "paid", "paid"]
    Scenarios.reset_all_scenarios()
    assert ask(mock, "/o")[1] == "new"


def test_a_global_delay_is_set(mock: Program) -> None:
    GlobalSettings.update_global_settings(GlobalSetting(fixed_delay=3))
    ask(mock, "/file")
    _, body = ask(mock, "/__admin/requests")
    (event,) = json.loads(body)["requests"]
    assert event["timing"]["addedDelay"] == 3
    assert event["mockforge"]["plannedMilliseconds"] == 3


def test_mappings_are_saved_and_are_then_those_of_files(mock: Program, folder: Path) -> None:
    made = Mappings.create_mapping(mapping("/saved", "saved"))
    Mappings.persist_mappings()
    (file,) = (folder / "mappings" / "saved").iterdir()
    assert json.loads(file.read_text())["id"] == made.id
    until(lambda: "edit taken: 2 stubs" in mock.output)
    Mappings.reset_mappings()
    assert ask(mock, "/saved") == (200, "saved")
    file.unlink()
    until(lambda: "edit taken: 1 stubs" in mock.output)
    assert ask(mock, "/saved")[0] == 404


def test_every_public_call_of_the_client_is_made_above() -> None:
    source = Path(__file__).read_text()
    calls = [
        f"{resource.__name__}.{name}"
        for resource in (Mappings, NearMisses, Requests, Scenarios, GlobalSettings)
        for name, made in vars(resource).items()
        if isinstance(made, classmethod) and not name.startswith(("endpoint", "entity_class"))
    ]
    assert len(calls) == 20
    assert [call for call in calls if f"{call}(" not in source] == []
