"""Recorded answers are held against an OpenAPI description, and what was never recorded is told."""

from __future__ import annotations

from typing import Any

import pytest

from mockforge.learning.openapi import ApiDescription
from mockforge.learning.openapi_answers import AnswerCheck
from mockforge.model.exchange import Response
from mockforge.model.headers import Headers
from mockforge.model.operation import Operation
from tests.unit.learning.made import exchange, learn

PET = {
    "type": "object",
    "required": ["id"],
    "properties": {
        "id": {"type": "integer"},
        "name": {"type": "string", "nullable": True},
        "tags": {"type": "array", "items": {"$ref": "#/components/schemas/Tag"}},
    },
}
SHOW = Operation("GET", "/pets/{id}")
JSON = "application/json; charset=utf-8"


def described(responses: dict[str, Any], version: str = "3.0.3", **more: Any) -> AnswerCheck:
    document = {
        "openapi": version,
        "paths": {"/pets/{id}": {"get": {"operationId": "showPet", "responses": responses}}, **more},
        "components": {"schemas": {"Pet": PET, "Tag": {"type": "string"}}},
    }
    return AnswerCheck(ApiDescription.from_document(document, "api.yaml"))


def of_pets(version: str = "3.0.3") -> AnswerCheck:
    schema = {"$ref": "#/components/schemas/Pet"}
    return described({"200": {"content": {"application/json": {"schema": schema}}}}, version)


def answer(body: bytes, status: int = 200, content_type: str = JSON) -> Response:
    return Response(status, Headers((("Content-Type", content_type),)), body)


@pytest.mark.parametrize(
    "body", [b'{"id": 1}', b'{"id": 1, "name": null}', b'{"id": 1, "name": "x", "tags": ["a"]}']
)
def test_what_is_as_described_is_not_told(body: bytes) -> None:
    check = of_pets()
    check.add(SHOW, answer(body))
    assert list(check.remarks()) == []


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (answer(b'{"id": "1"}'), "$.id: '1' is not of type 'integer' (1)"),
        (answer(b'{"name": "x"}'), "$: 'id' is a required property (1)"),
        (answer(b'{"id": 1, "tags": ["a", 2]}'), "$.tags[1]: 2 is not of type 'string' (1)"),
        (
            answer(b'[{"id": 1, "name": "' + b"x" * 200 + b'"}]'),
            '$: [{"id":1,"name":"xxxxxxxxxxxxxxxxxxxxxxx… is not as `type: object` says (1)',
        ),
        (answer(b'{"id": '), "the body is not JSON: "),
        (answer(b"", 503), "status 503 is not described (1)"),
        (
            answer(b"x", 200, "text/plain"),
            "the content type text/plain is not described, application/json is (1)",
        ),
    ],
)
def test_what_is_not_as_described_is_told_with_its_place_and_value(given: Response, told: str) -> None:
    check = of_pets()
    check.add(SHOW, answer(b'{"id": 1}'))
    check.add(SHOW, given)
    (remark,) = check.remarks()
    assert remark.startswith(f"OpenAPI: showPet: 1 of 2 answers are not as described: {told}")


def test_breaches_of_a_kind_are_counted_and_the_first_one_is_shown() -> None:
    check = of_pets()
    for number in range(4):
        check.add(SHOW, answer(b'{"id": 1, "tags": [%d]}' % number))
    check.add(SHOW, answer(b"", 500))
    (remark,) = check.remarks()
    assert "5 of 5 answers" in remark
    assert "$.tags[0]: 0 is not of type 'string' (4); status 500 is not described (1)" in remark


@pytest.mark.parametrize("status", ["404", "4XX", "4xx", "default"])
def test_a_status_is_described_by_itself_its_hundreds_or_a_default(status: str) -> None:
    check = described({status: {"description": "none"}})
    check.add(SHOW, answer(b"", 404))
    assert list(check.remarks()) == []


@pytest.mark.parametrize("media", ["application/*", "*/*", "application/json"])
def test_a_content_type_may_be_described_by_a_range(media: str) -> None:
    check = described({"200": {"content": {media: {"schema": {"type": "array"}}}}})
    check.add(SHOW, answer(b"{}"))
    assert "$: {} is not of type 'array'" in next(check.remarks())


def test_responses_and_schemas_of_openapi_2_are_followed() -> None:
    document = {
        "swagger": "2.0",
        "paths": {"/pets/{id}": {"get": {"responses": {"200": {"$ref": "#/responses/Pet"}}}}},
        "responses": {"Pet": {"schema": {"$ref": "#/definitions/Pet"}}},
        "definitions": {"Pet": {"type": "object", "properties": {"id": {"type": "integer"}}}},
    }
    check = AnswerCheck(ApiDescription.from_document(document, "api.yaml"))
    check.add(SHOW, answer(b'{"id": "x"}'))
    assert "OpenAPI: GET /pets/{id}: 1 of 1 answers" in next(check.remarks())


def test_openapi_3_1_is_json_schema_as_it_is_today() -> None:
    schema = {"type": ["integer", "null"], "exclusiveMinimum": 3}
    check = described({"200": {"content": {"application/json": {"schema": schema}}}}, "3.1.0")
    check.add(SHOW, answer(b"null"))
    check.add(SHOW, answer(b"3"))
    assert "1 of 2 answers are not as described: $: 3 is less than or equal to" in next(check.remarks())


@pytest.mark.parametrize("reference", ["#/components/schemas/None", "https://example.com/schema.json"])
def test_a_description_that_leads_to_nothing_is_one_line(reference: str) -> None:
    check = described({"200": {"content": {"application/json": {"schema": {"$ref": reference}}}}})
    check.add(SHOW, answer(b"{}"))
    (remark,) = check.remarks()
    assert "its description cannot be used: " in remark


def test_of_very_many_different_answers_some_are_looked_at() -> None:
    check = of_pets()
    for number in range(400):
        check.add(SHOW, answer(b'{"id": "%d"}' % number))
    (remark,) = check.remarks()
    assert remark.startswith("OpenAPI: showPet: 300 of 400 answers")
    assert remark.endswith("; 100 were not looked at")


def test_operations_that_were_never_recorded_are_told() -> None:
    more: dict[str, Any] = {f"/other/{letter}": {"get": {}} for letter in "abcdefg"}
    check = described({"200": {}}, **more)
    check.add(SHOW, answer(b"{}"))
    (remark,) = check.remarks()
    assert remark == (
        "OpenAPI: 7 of 8 operations were never recorded: GET /other/a, GET /other/b, GET /other/c, "
        "GET /other/d, GET /other/e and 2 more"
    )


def test_learning_tells_both() -> None:
    document = {"paths": {"/a": {"get": {"responses": {"200": {}}}}, "/b": {"get": {}}}}
    learned = learn([exchange("GET /a", status=404)], ApiDescription.from_document(document, "api.yaml"))
    assert set(learned.remarks) >= {
        "OpenAPI: 1 of 2 operations were never recorded: GET /b",
        "OpenAPI: GET /a: 1 of 1 answers are not as described: status 404 is not described (1)",
    }
