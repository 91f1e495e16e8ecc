from __future__ import annotations

import json
from pathlib import Path

import pytest

from mockforge.errors import UsageError
from mockforge.model.headers import Headers
from mockforge.model.service import Service
from mockforge.model.stub import (
    Body,
    DelayDistribution,
    RequestPattern,
    ResponseDefinition,
    Stub,
    UrlPattern,
    ValuePattern,
    Variant,
    Variants,
)
from mockforge.stubfiles.reader import read_service
from mockforge.stubfiles.writer import save_mappings, write_service

LAW = DelayDistribution("quantiles", {"unit": "ms", "points": {0.0: 3.1, 99.9: 61, 50.0: 9.8}})
GET_ORDER = Stub(
    name="GET /orders/{id}",
    request=RequestPattern("GET", UrlPattern("urlPathTemplate", "/orders/{id}")),
    responses=(
        ResponseDefinition(
            200,
            Headers((("Content-Type", "application/json"), ("Set-Cookie", "a"), ("Set-Cookie", "b"))),
            variants=Variants(
                "get-orders-id.jsonl", ("path.id",), (Variant(("17",), body=Body("jsonBody", {"id": 17})),)
            ),
            delay=LAW,
            share=0.97,
        ),
        ResponseDefinition(503, body=Body("body", "Überlast:\n  später 🙂\n"), fixed_delay_ms=20, share=0.03),
    ),
)
GET_ORDER_FILE = """\
# learned from orders.mfrec
# 12 exchanges
name: GET /orders/{id}
request: GET /orders/{id}
responses:
  - share: 0.97
    status: 200
    headers:
      Content-Type: application/json
      Set-Cookie:
        - a
        - b
    variants:
      by: [path.id]
      file: get-orders-id.jsonl
    delayDistribution:
      type: quantiles
      unit: ms
      points: {0: 3.1, 50: 9.8, 99.9: 61}
  - share: 0.03
    status: 503
    body: |
      Überlast:
        später 🙂
    fixedDelayMilliseconds: 20
"""


def plain(name: str) -> Stub:
    return Stub(name, RequestPattern("GET", UrlPattern("urlPath", "/x")), (ResponseDefinition(),))


def files(folder: Path) -> list[str]:
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


def test_a_service_is_a_folder_that_people_can_read(tmp_path: Path) -> None:
    folder = tmp_path / "stubs" / "orders"
    comments = {GET_ORDER.name: ["learned from orders.mfrec\n12 exchanges"]}
    write_service(Service("orders", (GET_ORDER,), "https://o.example.com"), folder, comments=comments)
    assert files(folder) == [
        "__files/get-orders-id.jsonl",
        "mappings/get-orders-id.yaml",
        "service.yaml",
    ]
    assert (folder / "mappings" / "get-orders-id.yaml").read_text("utf-8") == GET_ORDER_FILE
    service = "service:\n  name: orders\n  upstream: https://o.example.com\n"
    assert (folder / "service.yaml").read_text() == service
    assert read_service(folder) == Service("orders", (GET_ORDER,), "https://o.example.com")


def test_a_request_that_has_no_shorthand_is_written_out(tmp_path: Path) -> None:
    stub = Stub(
        name="search",
        request=RequestPattern("GET", UrlPattern("urlPath", "/s"), (("q", ValuePattern("equalTo", "1")),)),
        responses=(ResponseDefinition(200, body=Body("bodyFileName", "big/s.txt", b"hello")),),
        priority=2,
        id="x-1",
        metadata={"owner": "shop"},
    )
    write_service(Service("s", (stub,)), tmp_path / "s")
    assert (tmp_path / "s" / "mappings" / "search.yaml").read_text() == (
        "name: search\nid: x-1\npriority: 2\nrequest:\n  method: GET\n  urlPath: /s\n  queryParameters:\n"
        "    q:\n      equalTo: '1'\nresponse:\n  status: 200\n  bodyFileName: big/s.txt\n"
        "metadata:\n  owner: shop\n"
    )
    assert (tmp_path / "s" / "__files" / "big" / "s.txt").read_bytes() == b"hello"


def test_patterns_of_the_body_and_templates_are_written_as_people_write_them(tmp_path: Path) -> None:
    stub = Stub(
        name="new",
        request=RequestPattern(
            "POST",
            UrlPattern("urlPath", "/o"),
            body=(
                ValuePattern("equalToJson", {"a": [1]}, {"ignoreArrayOrder": True}),
                ValuePattern("matchesJsonPath", "$.a"),
                ValuePattern("matchesJsonPath", {"expression": "$.b", "contains": "x"}),
            ),
        ),
        responses=(ResponseDefinition(201, body=Body("body", "{{ request.url }}"), transformers=("jinja",)),),
    )
    write_service(Service("s", (stub,)), tmp_path / "s")
    assert (
        (tmp_path / "s" / "mappings" / "new.yaml").read_text()
        == """\
name: new
request:
  method: POST
  urlPath: /o
  bodyPatterns:
    - equalToJson:
        a:
          - 1
      ignoreArrayOrder: true
    - matchesJsonPath: $.a
    - matchesJsonPath:
        expression: $.b
        contains: x
response:
  status: 201
  body: '{{ request.url }}'
  transformers: [jinja]
"""
    )


def test_equal_values_are_written_out_each_time(tmp_path: Path) -> None:
    shared = {"a": [1]}
    stub = Stub("a", RequestPattern(), (ResponseDefinition(body=Body("jsonBody", [shared, shared])),))
    write_service(Service("s", (stub,)), tmp_path / "s")
    assert "&" not in (tmp_path / "s" / "mappings" / "a.yaml").read_text()


@pytest.mark.parametrize(
    ("names", "written"),
    [
        (["GET /orders", "GET /orders/{id}"], ["get-orders", "get-orders-id"]),
        (["GET /b", "GET /a"], ["1-get-b", "2-get-a"]),
        (["GET /a", "GET /A", "get a"], ["get-a", "get-a-2", "get-a-3"]),
        (["GET /a", "get /a 2", "Get /a"], ["1-get-a", "2-get-a-2", "3-get-a-2"]),
        (["…", "→"], ["stub", "stub-2"]),
        (["x" * 300], ["x" * 80]),
    ],
)
def test_files_are_named_after_their_stubs_and_sort_as_they_do(
    tmp_path: Path, names: list[str], written: list[str]
) -> None:
    service = Service("s", tuple(plain(name) for name in names))
    write_service(service, tmp_path / "s")
    assert sorted(file.stem for file in (tmp_path / "s" / "mappings").iterdir()) == written
    assert [stub.name for stub in read_service(tmp_path / "s").stubs] == names


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="the folder is not empty"):
        write_service(Service("s"), tmp_path)
    assert files(tmp_path) == ["notes.txt"]


def test_overwriting_replaces_what_was_written_and_nothing_else(tmp_path: Path) -> None:
    write_service(Service("old", (GET_ORDER, plain("old"))), tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    write_service(Service("new", (plain("new"),)), tmp_path, overwrite=True)
    assert files(tmp_path) == ["mappings/new.yaml", "notes.txt", "service.yaml"]
    assert read_service(tmp_path).name == "new"


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    write_service(Service("s", (plain("a"),)), tmp_path)
    assert files(tmp_path) == ["mappings/a.yaml", "service.yaml"]


def test_a_file_is_not_replaced_by_a_folder(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("mine")
    with pytest.raises(UsageError, match="/s: is a file, not a folder"):
        write_service(Service("s"), tmp_path / "s", overwrite=True)


def test_a_folder_that_cannot_be_made_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UsageError, match="/file/s: cannot be written: "):
        write_service(Service("s"), tmp_path / "file" / "s")


def test_an_error_on_the_way_leaves_the_folder_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "s"
    write_service(Service("old", (GET_ORDER, plain("old"))), folder)
    before = {name: (folder / name).read_bytes() for name in files(folder)}
    rename = Path.rename

    def failing(self: Path, target: Path) -> Path:
        if self.parent.name == "new" and self.name == "mappings":
            raise OSError(28, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(UsageError, match="/s: cannot be written: No space left on device"):
        write_service(Service("new", (plain("new"),)), folder, overwrite=True)
    assert {name: (folder / name).read_bytes() for name in files(folder)} == before
    assert [each.name for each in tmp_path.iterdir()] == ["s"]


def with_file(name: str, file_name: str, data: bytes) -> Stub:
    body = Body("bodyFileName", file_name, data)
    return Stub(name, RequestPattern(), (ResponseDefinition(body=body),))


TWICE = (("q", ValuePattern("absent", True)), ("q", ValuePattern("equalTo", "")))


@pytest.mark.parametrize(
    ("stubs", "reason"),
    [
        ([plain("a"), plain("a")], "two stubs are named 'a'"),
        ([Stub("a", RequestPattern(), ())], "stub 'a' has no response"),
        ([Stub("a", RequestPattern(query=TWICE), (ResponseDefinition(),))], "two patterns for 'q'"),
        ([with_file("a", "../x", b"")], "stub 'a': '../x' leads out of __files/"),
        ([with_file("a", "x", b"1"), with_file("b", "x", b"2")], "stub 'b': __files/x is another stub's"),
    ],
)
def test_what_no_file_can_say_is_not_written(tmp_path: Path, stubs: list[Stub], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        write_service(Service("s", tuple(stubs)), tmp_path / "s")
    assert not (tmp_path / "s").exists()


SAVED: dict[str, dict[str, object]] = {
    "1": {
        "response": {"status": 200},
        "request": {"method": "GET", "url": "/a/b?c"},
        "id": "6ba7b810-9dad-41d1-80b4-00c04fd430c8",
    },
    "2": {"name": "Made: ünïcode", "request": {"method": "GET", "urlPath": "/z"}, "response": {"body": "é"}},
}


def test_mappings_are_saved_in_their_order_with_their_keys_in_ours(tmp_path: Path) -> None:
    save_mappings(tmp_path, SAVED, replaced={}, beside=[])
    files = sorted((tmp_path / "mappings" / "saved").iterdir())
    assert [file.name for file in files] == ["0001-get-a-b-c.json", "0002-made-n-code.json"]
    assert list(json.loads(files[0].read_text())) == ["id", "request", "response"]
    assert "é" in files[1].read_text()
    stubs = read_service(tmp_path).stubs
    assert [stub.request.url.value for stub in stubs if stub.request.url] == ["/a/b?c", "/z"]


def test_mappings_that_are_saved_later_come_after_those_before(tmp_path: Path) -> None:
    save_mappings(tmp_path, SAVED, replaced={}, beside=[])
    save_mappings(tmp_path, {"3": SAVED["2"]}, replaced={}, beside=[])
    names = sorted(file.name for file in (tmp_path / "mappings" / "saved").iterdir())
    assert names[-1] == "0003-made-n-code.json"


def test_a_mapping_that_stands_alone_in_its_file_is_written_there(tmp_path: Path) -> None:
    save_mappings(tmp_path, SAVED, replaced={}, beside=[])
    file = tmp_path / "mappings" / "saved" / "0002-made-n-code.json"
    edited = {**SAVED["2"], "response": {"status": 201}}
    save_mappings(tmp_path, {"2": edited}, replaced={"2": f"{file}:1"}, beside=[])
    assert json.loads(file.read_text())["response"] == {"status": 201}
    assert len(list(file.parent.iterdir())) == 2


@pytest.mark.parametrize(("name", "beside"), [("several.json", True), ("alone.yaml", False)])
def test_a_file_that_people_wrote_is_not_written_over(tmp_path: Path, name: str, beside: bool) -> None:
    place = f"{tmp_path / name}:7"
    with pytest.raises(UsageError, match=r"cannot be written anew .*edit it there"):
        save_mappings(tmp_path, SAVED, replaced={"2": place}, beside=[place] if beside else [])
    assert list(tmp_path.iterdir()) == []
