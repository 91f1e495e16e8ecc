"""The admin API over plain HTTP: WireMock's shapes and statuses, what they refuse, and who may call."""

from __future__ import annotations

import base64
import http.client
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.acceptance.conftest import Program, running

ID = "aaaaaaaa-1111-4222-8333-{:012d}"


class Api:
    """Calls one mock."""

    def __init__(self, mock: Program, token: str | None = None) -> None:
        parts = urlsplit(mock.url)
        self.address = (parts.hostname or "", parts.port)
        self.headers = {} if token is None else {"Authorization": f"Token {token}"}

    def raw(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(*self.address, timeout=30)
        connection.request(method, path, body, {**self.headers, **(headers or {})})
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, content

    def call(self, method: str, path: str, value: object = None) -> tuple[int, Any]:
        status, content = self.raw(
            method, f"/__admin{path}", None if value is None else json.dumps(value).encode()
        )
        return status, json.loads(content)

    def get(self, path: str) -> int:
        return self.raw("GET", path)[0]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("empty")


@pytest.fixture(scope="module")
def mock(folder: Path) -> Iterator[Program]:
    with running("-m", "mockforge", "serve", str(folder), "--port", "0") as program:
        yield program
    assert "Traceback" not in program.output


@pytest.fixture
def api(mock: Program) -> Api:
    api = Api(mock)
    assert api.call("POST", "/reset") == (200, {})
    return api


def stub(path: str, number: int | None = None, **more: object) -> dict[str, object]:
    own = {} if number is None else {"id": ID.format(number)}
    return {**own, "request": {"method": "GET", "url": path}, "response": {"body": path}, **more}


def test_a_mapping_is_shown_as_it_was_written_with_its_ids(api: Api) -> None:
    written = stub("/a", 1, metadata={"by": ["someone"]})
    status, made = api.call("POST", "/mappings", written)
    assert (status, made) == (201, {**written, "uuid": ID.format(1)})
    assert api.call("GET", f"/mappings/{ID.format(1)}") == (200, made)
    assert api.call("GET", "/mappings") == (200, {"mappings": [made], "meta": {"total": 1}})


def test_an_answer_names_the_stub_that_gave_it(api: Api) -> None:
    api.call("POST", "/mappings", stub("/a", 1, name="orders"))
    connection = http.client.HTTPConnection(*api.address, timeout=30)
    connection.request("GET", "/a")
    answer = connection.getresponse()
    assert answer.getheader("Matched-Stub-Id") == ID.format(1)
    assert answer.getheader("Matched-Stub-Name") == "orders"
    connection.close()


def test_mappings_are_listed_in_pages_winners_first(api: Api) -> None:
    for number in range(5):
        api.call("POST", "/mappings", stub(f"/{number}", priority=1 if number == 0 else 5))
    _, page = api.call("GET", "/mappings?limit=2&offset=1")
    assert [each["request"]["url"] for each in page["mappings"]] == ["/4", "/3"]
    assert page["meta"]["total"] == 5
    assert api.call("GET", "/mappings?limit=many")[0] == 400


@pytest.mark.parametrize(
    ("written", "pointer", "detail"),
    [
        ({"request": {"bodyPatterns": [{"contains": None}]}}, "/request/bodyPatterns/0", "non-null string"),
        ({"request": {"headers": {"A": {"equalTo": 1}}}}, "/request/headers/A", "non-null string"),
        (
            {"request": {"bodyPatterns": [{"matching": "x"}]}},
            "/request/bodyPatterns/0",
            '{"matching":"x"} is',
        ),
        ({"request": {"headers": {"A": {"matches": "["}}}}, "/request/headers/A", "regular expression"),
        ({"request": {"url": "/a"}, "response": {"status": 9}}, "/response/status", "at least 200"),
        (
            {"request": {"url": "/a"}, "response": {"bodyFileName": "../x"}},
            "/response/bodyFileName",
            "leads out",
        ),
        ({"request": {"urll": "/a"}}, "/request/urll", "did you mean 'url'"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(
    api: Api, written: object, pointer: str, detail: str
) -> None:
    status, refused = api.call("POST", "/mappings", written)
    error = refused["errors"][0]
    assert (status, error["code"], error["title"]) == (422, 10, "Error parsing JSON")
    assert error["source"]["pointer"] == pointer
    assert detail in error["detail"]
    assert api.call("GET", "/mappings")[1]["meta"]["total"] == 0


def test_all_that_is_wrong_with_a_mapping_is_told_at_once(api: Api) -> None:
    written = {"request": {"url": "/a", "urll": 1}, "response": {"status": 9}}
    assert len(api.call("POST", "/mappings", written)[1]["errors"]) == 2


def test_ids_are_uuids_and_belong_to_one_mapping(api: Api) -> None:
    api.call("POST", "/mappings", stub("/a", 1))
    status, refused = api.call("POST", "/mappings", stub("/b", 1))
    assert (status, refused["errors"][0]["code"]) == (422, 109)
    for method, path in [("GET", "/mappings/x"), ("PUT", "/mappings/x"), ("DELETE", "/requests/x")]:
        status, refused = api.call(method, path, {} if method == "PUT" else None)
        assert (status, refused["errors"][0]["title"]) == (400, "x is not a valid UUID")
    for method in ("GET", "PUT", "DELETE"):
        assert api.call(method, f"/mappings/{ID.format(9)}", {} if method == "PUT" else None)[0] == 404


@pytest.mark.parametrize(("policy", "body"), [("OVERWRITE", "anew"), ("IGNORE", "/one")])
def test_an_import_goes_by_its_policy(api: Api, policy: str, body: str) -> None:
    api.call("POST", "/mappings", stub("/one", 1))
    api.call("POST", "/mappings", stub("/gone", 2))
    imported = [stub("/one", 1, response={"body": "anew"}), stub("/two")]
    options = {"duplicatePolicy": policy, "deleteAllNotInImport": True}
    assert api.call("POST", "/mappings/import", {"mappings": imported, "importOptions": options}) == (200, {})
    assert api.raw("GET", "/one")[1].decode() == body
    assert (api.get("/two"), api.get("/gone")) == (200, 404)


def test_an_import_with_one_bad_mapping_changes_nothing(api: Api) -> None:
    status, _ = api.call("POST", "/mappings/import", {"mappings": [stub("/a"), {"request": {"urll": 1}}]})
    assert (status, api.get("/a")) == (422, 404)


def test_mappings_are_found_by_metadata_and_removed_by_likeness(api: Api) -> None:
    api.call("POST", "/mappings", stub("/a", metadata={"team": "orders"}))
    api.call("POST", "/mappings", stub("/b"))
    pattern = {"matchesJsonPath": {"expression": "$.team", "equalTo": "orders"}}
    _, found = api.call("POST", "/mappings/find-by-metadata", pattern)
    assert [each["request"]["url"] for each in found["mappings"]] == ["/a"]
    assert api.call("POST", "/mappings/remove", stub("/b"))[0] == 200
    assert (api.get("/a"), api.get("/b")) == (200, 404)


def test_stubs_that_answered_nothing_are_listed_and_removed(api: Api) -> None:
    api.call("POST", "/mappings", stub("/a", 1))
    api.call("POST", "/mappings", stub("/b", 2))
    api.get("/a")
    _, idle = api.call("GET", "/mappings/unmatched")
    assert [each["id"] for each in idle["mappings"]] == [ID.format(2)]
    api.call("DELETE", "/mappings/unmatched")
    assert (api.get("/a"), api.get("/b")) == (200, 404)


def test_a_serve_event_says_what_was_asked_answered_planned_and_observed(api: Api) -> None:
    api.call("POST", "/mappings", stub("/a?q=1", 1, response={"status": 201, "base64Body": "AP8="}))
    api.raw("GET", "/a?q=1", b"\xff", {"Cookie": "s=1", "X": "y"})
    _, listed = api.call("GET", "/requests")
    (event,) = listed["requests"]
    request, response = event["request"], event["response"]
    assert (request["method"], request["url"], request["cookies"]) == ("GET", "/a?q=1", {"s": "1"})
    assert (request["headers"]["X"], base64.b64decode(request["bodyAsBase64"])) == ("y", b"\xff")
    assert request["queryParams"] == {"q": {"key": "q", "values": ["1"]}}
    assert request["loggedDateString"].endswith("Z")
    assert (response["status"], response["bodyAsBase64"]) == (201, "AP8=")
    assert event["responseDefinition"] == {"status": 201, "base64Body": "AP8="}
    assert (event["wasMatched"], event["stubMapping"]["id"]) == (True, ID.format(1))
    assert event["mockforge"]["plannedMilliseconds"] == 0
    assert event["mockforge"]["firstByteMilliseconds"] > 0
    assert api.call("GET", f"/requests/{event['id']}") == (200, event)


def test_an_event_keeps_the_mapping_that_answered_it(api: Api) -> None:
    api.call("POST", "/mappings", stub("/a", 1))
    api.get("/a")
    api.call("PUT", f"/mappings/{ID.format(1)}", stub("/a", 1, response={"body": "edited"}))
    api.get("/a")
    api.call("DELETE", f"/mappings/{ID.format(1)}")
    _, listed = api.call("GET", f"/requests?matchingStub={ID.format(1)}")
    assert [each["responseDefinition"]["body"] for each in listed["requests"]] == ["edited", "/a"]


def test_a_miss_tells_of_its_nearest_stub_in_its_event(api: Api) -> None:
    api.call("POST", "/mappings", stub("/right"))
    api.get("/wrong")
    _, listed = api.call("GET", "/requests?unmatched=true")
    (sub_event,) = listed["requests"][0]["subEvents"]
    assert sub_event["type"] == "REQUEST_NOT_MATCHED"
    assert "/right" in sub_event["data"]["report"]
    assert sub_event["timeOffsetNanos"] > 0


def test_an_answer_that_could_not_be_rendered_is_an_error_in_its_event(api: Api) -> None:
    response = {"body": "{{ request.query.page }}", "transformers": ["jinja"]}
    api.call("POST", "/mappings", stub("/a", response=response, name="paged"))
    api.get("/a")
    _, listed = api.call("GET", "/requests")
    (sub_event,) = listed["requests"][0]["subEvents"]
    failure = "stub 'paged': {{ request.query.page }}: is not in this request"
    assert (sub_event["type"], sub_event["data"]) == ("ERROR", {"message": failure})
    assert listed["requests"][0]["response"]["status"] == 500


def test_a_reset_of_scenarios_begins_counters_anew(api: Api) -> None:
    response = {"body": "{{ counter('orders') }}", "transformers": ["jinja"]}
    api.call("POST", "/mappings", stub("/a", response=response))
    given = [api.raw("GET", "/a")[1] for _ in range(2)]
    api.call("POST", "/scenarios/reset")
    assert [*given, api.raw("GET", "/a")[1]] == [b"1", b"2", b"1"]


def test_events_are_removed_by_pattern_by_metadata_and_one_by_one(api: Api) -> None:
    api.call("POST", "/mappings", stub("/a", metadata={"team": "orders"}))
    for path in ("/a", "/b", "/c"):
        api.get(path)
    pattern = {"matchesJsonPath": {"expression": "$.team", "equalTo": "orders"}}
    _, removed = api.call("POST", "/requests/remove-by-metadata", pattern)
    assert [each["request"]["url"] for each in removed["serveEvents"]] == ["/a"]
    _, removed = api.call("POST", "/requests/remove", {"url": "/b"})
    assert [each["request"]["url"] for each in removed["serveEvents"]] == ["/b"]
    _, listed = api.call("GET", "/requests")
    (last,) = listed["requests"]
    assert api.call("DELETE", f"/requests/{last['id']}") == (200, {})
    assert api.call("GET", f"/requests/{last['id']}")[0] == 404
    assert api.call("GET", "/requests")[1]["meta"]["total"] == 0


def test_a_count_says_how_many_events_were_let_go(api: Api) -> None:
    counted = api.call("POST", "/requests/count", {"url": "/a"})
    assert counted == (200, {"count": 0, "requestJournalDisabled": False, "requestJournalEvicted": 0})


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("since=foo", "foo is not a valid ISO8601 date"),
        ("matchingStub=", "Query parameter matchingStub value '' is not a valid UUID"),
        ("limit=x", "x is not a valid limit"),
    ],
)
def test_a_query_that_cannot_be_is_refused(api: Api, query: str, title: str) -> None:
    status, refused = api.call("GET", f"/requests?{query}")
    assert (status, refused["errors"][0]["title"]) == (400, title)


def test_scenarios_are_listed_set_and_reset_one_by_one(api: Api) -> None:
    steps = {"scenarioName": "order", "requiredScenarioState": "Started", "newScenarioState": "Paid"}
    api.call("POST", "/mappings", stub("/o", 1, **steps))
    _, listed = api.call("GET", "/scenarios")
    (scenario,) = listed["scenarios"]
    assert (scenario["name"], scenario["state"]) == ("order", "Started")
    assert scenario["possibleStates"] == ["Paid", "Started"]
    assert [each["id"] for each in scenario["mappings"]] == [ID.format(1)]
    assert api.call("PUT", "/scenarios/order/state", {"state": "Paid"}) == (200, {})
    assert api.get("/o") == 404
    assert api.call("PUT", "/scenarios/order/state") == (200, {})
    assert api.get("/o") == 200
    status, refused = api.call("PUT", "/scenarios/order/state", {"state": "Lost"})
    assert (status, refused["errors"][0]["title"]) == (422, "Scenario order does not support state Lost")
    assert api.call("PUT", "/scenarios/none/state", {"state": "Paid"})[0] == 404


def test_a_scenario_in_another_state_is_a_miss_and_not_a_match(api: Api) -> None:
    api.call("POST", "/mappings", stub("/o", scenarioName="order", requiredScenarioState="Paid"))
    _, near = api.call("POST", "/near-misses/request", {"method": "GET", "url": "/o"})
    (miss,) = near["nearMisses"]
    assert 0 < miss["matchResult"]["distance"] < 1


def test_settings_are_kept_added_to_and_refused_where_they_cannot_be(api: Api) -> None:
    law = {"type": "uniform", "lower": 1, "upper": 2}
    assert api.call("POST", "/settings", {"delayDistribution": law, "extended": {"a": 1}}) == (200, {})
    assert api.call("PATCH", "/settings/extended", {"extended": {"b": 2}}) == (200, {})
    kept = {"delayDistribution": law, "extended": {"a": 1, "b": 2}}
    assert api.call("GET", "/settings") == (200, {"settings": kept})
    assert api.call("PUT", "/settings", {"fixedDelay": -1})[0] == 422
    assert api.call("PUT", "/settings", {"delayDistribution": {"type": "uniform"}})[0] == 422
    assert api.call("GET", "/settings") == (200, {"settings": kept})


def test_files_are_written_served_listed_and_deleted(api: Api, folder: Path) -> None:
    assert api.raw("PUT", "/__admin/files/deep/a.txt", b"first")[0] == 200
    api.call("POST", "/mappings", stub("/f", response={"bodyFileName": "deep/a.txt"}))
    assert api.raw("GET", "/f")[1] == b"first"
    api.raw("PUT", "/__admin/files/deep/a.txt", b"second")
    assert api.raw("GET", "/f")[1] == b"second"
    assert api.call("GET", "/files") == (200, ["deep/a.txt"])
    assert api.raw("GET", "/__admin/files/deep/a.txt") == (200, b"second")
    assert api.call("DELETE", "/files/deep/a.txt") == (200, {})
    assert api.raw("GET", "/__admin/files/deep/a.txt")[0] == 404
    assert api.call("DELETE", "/files/deep/a.txt")[0] == 404
    assert (folder / "__files").is_dir()


@pytest.mark.parametrize("name", ["../secret", "a/../../secret", "%2e%2e/secret", "/etc/passwd"])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_no_file_name_leads_out_of_the_folder(api: Api, folder: Path, method: str, name: str) -> None:
    status, _ = api.raw(method, f"/__admin/files/{name}", b"x" if method == "PUT" else None)
    assert status == 403
    assert not (folder.parent / "secret").exists()
    assert not (folder / "secret").exists()


def test_a_link_that_leads_out_of_the_folder_is_not_followed(api: Api, folder: Path, tmp_path: Path) -> None:
    (folder / "__files").mkdir(exist_ok=True)
    link = folder / "__files" / "out"
    link.symlink_to(tmp_path)
    assert api.raw("PUT", "/__admin/files/out/a.txt", b"x")[0] == 403
    link.unlink()


def test_nothing_is_recorded_until_a_client_starts_it(api: Api) -> None:
    assert api.call("GET", "/recordings/status") == (200, {"status": "NeverStarted"})
    stopped = {"errors": [{"code": 30, "title": "Not currently recording."}]}
    assert api.call("POST", "/recordings/stop") == (400, stopped)


def test_what_is_no_route_or_no_json_is_answered_in_json(api: Api) -> None:
    assert api.call("GET", "/nowhere")[0] == 404
    assert api.call("DELETE", "/settings")[0] == 405
    status, content = api.raw("POST", "/__admin/mappings", b"{")
    assert (status, json.loads(content)["errors"][0]["title"]) == (422, "Error parsing JSON")
    status, content = api.raw("POST", "/__admin/mappings", b"[" * 10_000)
    assert status == 422


def test_health_and_version_are_told(api: Api) -> None:
    _, health = api.call("GET", "/health")
    assert health["status"] == "healthy"
    assert api.call("GET", "/version") == (200, {"version": health["version"]})


def test_a_persistent_mapping_is_saved_at_once_and_its_file_goes_with_it(tmp_path: Path) -> None:
    (tmp_path / "own.json").write_text(json.dumps({"name": "own", **stub("/own", 9)}))
    saved = tmp_path / "mappings" / "saved"
    with running("-m", "mockforge", "serve", str(tmp_path), "--port", "0") as mock:
        api = Api(mock)
        for number in (1, 2):
            mapping = stub("/a", number, persistent=True, name="same")
            assert api.call("POST", "/mappings", mapping)[0] == 201
            (file,) = saved.iterdir()
            assert json.loads(file.read_text())["name"] == "same"
            assert api.call("DELETE", "/mappings")[0] == 200
            assert list(saved.iterdir()) == []
    assert (tmp_path / "own.json").exists()


def test_a_mapping_is_edited_by_the_id_in_the_body_too(api: Api) -> None:
    api.call("POST", "/mappings", stub("/a", 1))
    body = json.dumps({**stub("/b", 1)}).encode()
    assert api.raw("POST", "/__admin/mappings/edit", body) == (204, b"")
    assert (api.get("/a"), api.get("/b")) == (404, 200)
    assert api.raw("POST", "/__admin/mappings/edit", json.dumps(stub("/b", 77)).encode())[0] == 404


def test_a_single_file_cannot_be_saved_to(tmp_path: Path) -> None:
    file = tmp_path / "one.json"
    file.write_text(json.dumps(stub("/a")))
    with running("-m", "mockforge", "serve", str(file), "--port", "0") as mock:
        api = Api(mock)
        assert api.call("POST", "/mappings", stub("/b"))[0] == 201
        status, refused = api.call("POST", "/mappings/save")
        assert (status, "mockforge serve FOLDER" in refused["errors"][0]["detail"]) == (501, True)


def test_shutdown_ends_the_mock_as_an_interrupt_does(tmp_path: Path) -> None:
    with running("-m", "mockforge", "serve", str(tmp_path), "--port", "0") as mock:
        assert Api(mock).call("POST", "/shutdown") == (200, {})
        mock.process.wait(30)
    assert "served 0 requests" in mock.output


def test_a_token_is_wanted_of_all_callers_but_for_health(
    tmp_path: Path, program: Callable[..., AbstractContextManager[Program]]
) -> None:
    options = ("--port", "0", "--host", "0.0.0.0", "--admin-token", "s3cret-example")
    with program(
        "-m", "mockforge", "serve", str(tmp_path), *options, ready=r"(http://0\.0\.0\.0:\d+)"
    ) as mock:
        for api in (Api(mock), Api(mock, "s3cret-exampl"), Api(mock, "")):
            status, refused = api.call("GET", "/mappings")
            assert (status, "errors" in refused) == (401, True)
            assert api.call("GET", "/health")[0] == 200
        assert Api(mock, "s3cret-example").call("GET", "/mappings")[0] == 200


def test_an_address_of_the_network_wants_a_token_or_to_be_told(
    tmp_path: Path,
    mockforge: Callable[..., str],
    program: Callable[..., AbstractContextManager[Program]],
) -> None:
    refused = mockforge("serve", str(tmp_path), "--host", "0.0.0.0", "--port", "0", code=2)
    assert "--admin-token, or --admin-open" in " ".join(refused.split())
    assert "is empty" in mockforge("serve", str(tmp_path), "--admin-token", "", code=2)
    options = ("--port", "0", "--host", "0.0.0.0", "--admin-open")
    with program(
        "-m", "mockforge", "serve", str(tmp_path), *options, ready=r"(http://0\.0\.0\.0:\d+)"
    ) as mock:
        assert Api(mock).call("GET", "/mappings")[0] == 200
