from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from mockforge.errors import StubFileError
from mockforge.model.stub import RequestPattern, ResponseDefinition, Stub, UrlPattern
from mockforge.stubfiles.reader import read_service

ONE = "request: GET /a\nresponse: {status: 200}\n"


def test_a_file_is_one_bare_stub(folder: Any) -> None:
    folder.put("a.yaml", ONE)
    request = RequestPattern("GET", UrlPattern("urlPath", "/a"))
    assert folder.read().stubs == (Stub("GET /a", request, (ResponseDefinition(200),)),)


def test_a_file_holds_several_stubs_under_mappings(folder: Any) -> None:
    folder.put("a.yaml", "mappings:\n- {name: one, request: GET /1}\n- {name: two, request: GET /2}\n")
    assert [stub.name for stub in folder.read().stubs] == ["one", "two"]


def test_a_service_block_names_the_service(folder: Any) -> None:
    folder.put("a.yaml", "service: {name: shop, upstream: 'https://shop.example.com'}\nmappings: []\n")
    service = folder.read()
    assert (service.name, service.upstream, service.stubs) == ("shop", "https://shop.example.com", ())


def test_a_service_without_a_block_has_the_name_of_its_folder_or_file(folder: Any) -> None:
    file = folder.put("get.yaml", ONE)
    assert folder.read().name == "orders"
    assert read_service(file).name == "get"


def test_json_and_yaml_files_say_the_same(folder: Any) -> None:
    folder.put("a.json", orjson.dumps({"request": {"method": "GET", "urlPath": "/a"}, "response": {}}))
    folder.put("b.yaml", ONE)
    first, second = folder.read().stubs
    assert (first.request, first.responses) == (second.request, second.responses)


def test_a_json_file_may_begin_with_a_byte_order_mark(folder: Any) -> None:
    folder.put("a.json", b'\xef\xbb\xbf{"request": "GET /a"}')
    assert folder.read().stubs[0].name == "GET /a"


def test_files_are_read_in_sorted_order_with_those_of_mappings_last(folder: Any) -> None:
    for name in ("mappings/b/x.json", "mappings/a.yml", "z.yaml", "y-1.yaml", "y.yaml"):
        stub = orjson.dumps({"name": name, "request": {"urlPath": "/"}})
        folder.put(name, stub)
    names = [stub.name for stub in folder.read().stubs]
    assert names == ["y.yaml", "y-1.yaml", "z.yaml", "mappings/a.yml", "mappings/b/x.json"]


def test_other_files_and_folders_are_passed_over(folder: Any) -> None:
    folder.put("a.yaml", ONE)
    folder.put("README.md", "# Orders")
    folder.put(".a.yaml.swp.yaml", "{")
    folder.put("notes/old.yaml", "{")
    folder.put("__files/body.json", "{")
    assert len(folder.read().stubs) == 1


def test_a_stub_knows_its_file_and_line(folder: Any) -> None:
    file = folder.put("a.yaml", "mappings:\n- request: GET /1\n\n-\n  request: GET /2\n")
    json = folder.put(
        "b.json", '{"service": {"name": "x"},\n"mappings": [{"request":\n "GET /3"},\n{"name": "4",'
    )
    json.write_text(json.read_text() + ' "request": "GET /4"}]}')
    places = [stub.place for stub in folder.read().stubs]
    assert places == [f"{file}:2", f"{file}:5", f"{json}:2", f"{json}:4"]


def test_stubs_without_a_name_are_named_by_what_is_asked_and_told_apart(folder: Any) -> None:
    folder.put("a.yaml", "mappings: [{request: GET /a}, {request: GET /a}, {response: {status: 404}}]")
    assert [stub.name for stub in folder.read().stubs] == ["GET /a", "GET /a (2)", "ANY *"]


def test_two_stubs_of_one_name_are_refused_with_both_places(folder: Any) -> None:
    first = folder.put("a.yaml", f"name: x\n{ONE}")
    assert folder.problem(f"# later\nname: x\n{ONE}", "b.yaml") == (
        f"b.yaml:2: stub 'x': name: stands twice, first at {first}:1 (names must differ)"
    )


def test_two_service_blocks_are_refused_with_both_places(folder: Any) -> None:
    first = folder.put("a.yaml", "service: {name: a}")
    assert folder.problem("service: {name: b}", "b.yaml") == (
        f"b.yaml:1: service: is described twice, first at {first}:1 (keep one of them)"
    )


def test_every_problem_of_every_file_is_told_at_once(folder: Any) -> None:
    folder.put("a.yaml", "name: a\nrequest:\n  methd: GET\nresponse:\n  status: 99\n  bdy: x\n")
    folder.put("b.json", '{"mappings": [\n{"request": "GET b"}, {"name": "c",\n"priority": 0}]}')
    folder.put("c.yaml", "a: b: c")
    assert folder.problems() == [
        "a.yaml:3: stub 'a': request.methd: unknown key 'methd', did you mean 'method'?",
        "a.yaml:5: stub 'a': response.status: must be at least 200, not 99",
        "a.yaml:6: stub 'a': response.bdy: unknown key 'bdy', did you mean 'body'?",
        "b.json:2: stub 'GET b': request: 'GET b' is not METHOD /PATH "
        "(such as GET /orders/{id}, or ANY /orders)",
        "b.json:3: stub 'c': priority: must be at least 1, not 0",
        "c.yaml:1: is not YAML: mapping values are not allowed in this context "
        "(put a value that holds ': ' in quotes)",
    ]


def test_the_error_itself_is_one_line_too(folder: Any) -> None:
    folder.put("a.yaml", "{request: GET a}")
    with pytest.raises(StubFileError) as caught:
        folder.read()
    assert str(caught.value) == caught.value.problems[0]
    folder.put("b.yaml", "{request: GET b}")
    with pytest.raises(StubFileError) as caught:
        folder.read()
    assert str(caught.value) == f"{folder.path}: 2 problems; the first: {caught.value.problems[0]}"


def test_paths_are_shown_as_they_were_given(folder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.put("mappings/a.yaml", "request: a")
    monkeypatch.chdir(folder.path.parent)
    with pytest.raises(StubFileError, match=r"^orders/mappings/a.yaml:1: "):
        read_service(Path("orders"))


def test_a_state_without_its_scenario_is_refused(folder: Any) -> None:
    problem = folder.problem("request: GET /a\nnewScenarioState: x\n")
    assert problem.startswith("a.yaml:1: stub 'GET /a': newScenarioState goes with scenarioName")


@pytest.mark.parametrize("key", ["persistent", "insertionIndex"])
def test_keys_of_wiremock_that_are_not_supported_are_named_so(folder: Any, key: str) -> None:
    problem = folder.problem(f"request: GET /a\n{key}: x\n")
    assert problem.startswith(
        f"a.yaml:2: stub 'GET /a': {key}: key {key!r} is WireMock's, and not supported yet (known: name,"
    )


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("", "a.yaml: is empty (a stub has a request and a response; several go under mappings:)"),
        ("- request: GET /a", "a.yaml: holds a list, not a stub"),
        ("hello", "a.yaml: holds 'hello', not a stub"),
        ("openapi: 3.0.0", "a.yaml:1: is not a stub file"),
        ("name: a", "a.yaml:1: stub 'a': has neither request nor response"),
        ("mappings: {a: b}", "a.yaml:1: mappings: must be a list of stubs, not a mapping"),
        (
            "mappings:\n- 17",
            "a.yaml:2: stub 1: must be a mapping, not 17 (a stub has a request and a response)",
        ),
        ("service: 17", "a.yaml:1: service: must be a mapping, not 17 (such as {name: orders"),
        ("mapings: []\nservice: {}", "a.yaml:1: unknown key 'mapings', did you mean 'mappings'?"),
        ("meta: {total: 0}\nmappings: []", "a.yaml:1: key 'meta' is WireMock's, and not supported yet"),
        (
            "service: {name: a, upstream: b}",
            "a.yaml:1: service: upstream: 'b' is not a URL (such as https://",
        ),
        (
            "service: {name: a, colour: red}",
            "a.yaml:1: service: colour: unknown key 'colour' (known: name",
        ),
        (
            "{name: 'a\n\n  b', request: GET /a}",
            r"a.yaml:1: stub 'a\nb': name: 'a\nb' is not a name (one line",
        ),
        (
            "{id: a, uuid: b, request: GET /a}",
            "a.yaml:1: stub 'GET /a': id 'a' and uuid 'b' differ (they are",
        ),
    ],
)
def test_what_is_no_stub_is_refused(folder: Any, written: str, problem: str) -> None:
    assert folder.problem(written).startswith(problem)


def test_a_file_that_is_not_text_is_refused(folder: Any) -> None:
    assert folder.problem(b"name: \xff") == "a.yaml: is not UTF-8 at byte 6"


def test_a_missing_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StubFileError, match=r"/no: no such file or folder \(give a stub file, or a folder"):
        read_service(tmp_path / "no")


def test_a_path_that_no_file_can_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StubFileError, match=r"x: cannot be read: File name too long$"):
        read_service(tmp_path / ("x" * 300))


def test_a_folder_without_stub_files_is_refused(folder: Any) -> None:
    folder.put("__files/a.json", "{}")
    with pytest.raises(StubFileError, match=r"/orders: no stub file in this folder \(give a stub file"):
        folder.read()


def test_id_uuid_priority_and_metadata_are_kept(folder: Any) -> None:
    stub = folder.stub("{request: GET /a, uuid: x1, priority: 2, metadata: {owner: [a, 1.50, no]}}")
    assert (stub.id, stub.priority, stub.metadata) == ("x1", 2, {"owner": ["a", 1.5, "no"]})
