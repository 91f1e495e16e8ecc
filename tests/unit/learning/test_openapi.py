"""An OpenAPI description wins over what a recording suggests."""

from __future__ import annotations

from typing import Any

import pytest

from mockforge.errors import UsageError
from mockforge.learning.openapi import ApiDescription
from mockforge.model.operation import Operation
from tests.unit.learning.made import exchange, learn

PATHS: dict[str, Any] = {
    "/pets/{pet-id}": {"get": {"operationId": "showPet"}, "delete": {}, "parameters": []},
    "/pets/mine": {"get": {"operationId": "myPets"}},
    "/files/{name}.json": {"get": {}},
}


def api(**document: Any) -> ApiDescription:
    return ApiDescription.from_document({"openapi": "3.1.0", "paths": PATHS, **document}, "api.yaml")


def test_paths_become_templates_that_a_stub_can_spell() -> None:
    described = api()
    assert described.template_of("/pets/17") == "/pets/{pet_id}"
    assert described.template_of("/pets/mine") == "/pets/mine"
    assert described.template_of("/other") is None
    assert described.refused == ("/files/{name}.json",)


@pytest.mark.parametrize(
    "document",
    [
        {"servers": [{"url": "https://api.example.com/v2/"}]},
        {"basePath": "/v2"},
        {"servers": [{"url": "/v2"}]},
    ],
)
def test_the_base_path_stands_before_every_path(document: dict[str, Any]) -> None:
    assert api(**document).template_of("/v2/pets/17") == "/v2/pets/{pet_id}"
    assert api(**document).template_of("/pets/17") is None


def test_operations_are_called_by_their_id_or_else_by_method_and_path() -> None:
    described = api()
    assert described.name_of(Operation("GET", "/pets/{pet_id}")) == "showPet"
    assert described.name_of(Operation("DELETE", "/pets/{pet_id}")) == "DELETE /pets/{pet_id}"
    assert not described.covers(Operation("PUT", "/pets/{pet_id}"))


def test_names_differ_even_where_ids_do_not() -> None:
    paths = {"/a": {"get": {"operationId": "x"}}, "/b": {"get": {"operationId": "x"}}}
    described = ApiDescription.from_document({"paths": paths}, "api.yaml")
    assert sorted(described.names.values()) == ["GET /b", "x"]


@pytest.mark.parametrize("document", [None, [], "text", {}, {"paths": []}, {"paths": {"pets": {}}}])
def test_what_is_no_description_is_refused_in_one_line(document: object) -> None:
    with pytest.raises(UsageError, match=r"^api\.yaml: .*OpenAPI"):
        ApiDescription.from_document(document, "api.yaml")


def test_described_words_are_values_and_what_is_not_described_is_reported() -> None:
    exchanges = [
        exchange("GET /pets/rex", {"a": 1}),
        exchange("GET /pets/tom", {"a": 2}),
        exchange("GET /pets/mine", []),
        exchange("PUT /pets/rex", b"", 405),
        exchange("GET /health", b"ok"),
    ]
    learned = learn(exchanges, api())
    assert {stub.name for stub in learned.service.stubs} == {
        "showPet",
        "myPets",
        "PUT /pets/{pet_id}",
        "GET /health",
    }
    assert [remark for remark in learned.remarks if "not described" in remark] == [
        "OpenAPI: GET /health is not described (exchanges: 1)",
        "OpenAPI: PUT /pets/{pet_id} is not described (exchanges: 1)",
    ]
