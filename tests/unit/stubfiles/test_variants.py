from __future__ import annotations

from typing import Any

import pytest

from mockforge.model.headers import Headers
from mockforge.model.stub import Body, Variant, Variants
from mockforge.stubfiles.variants import write_rows

STUB = "name: x\nrequest: GET /o/{id}\nresponse:\n  variants: {by: [query.q, path.id], file: x.jsonl}\n"


def test_rows_hold_what_the_request_chooses_by_in_the_order_of_by(folder: Any) -> None:
    folder.put(
        "__files/x.jsonl",
        '{"when": {"path.id": "17", "query.q": 1}, "status": 404,"headers": {"A": ["1", "2"]}, "body": "n"}\n'
        "\n"
        '{"when": {"query.q": "é", "path.id": ""}, "jsonBody": null}\n'
        '{"when": {"query.q": "", "path.id": ""}}',
    )
    (response,) = folder.stub(STUB).responses
    assert response.variants == Variants(
        "x.jsonl",
        ("query.q", "path.id"),
        (
            Variant(("1", "17"), 404, Headers((("A", "1"), ("A", "2"))), Body("body", "n")),
            Variant(("é", ""), body=Body("jsonBody", None)),
            Variant(("", "")),
        ),
    )


def test_rows_without_choosers_have_no_when(folder: Any) -> None:
    folder.put("__files/x.jsonl", '{"status": 503}\n{"status": 504}\n')
    (response,) = folder.stub("{request: GET /, response: {variants: {file: x.jsonl}}}").responses
    assert response.variants == Variants("x.jsonl", (), (Variant(status=503), Variant(status=504)))


def test_rows_are_written_one_a_line_with_only_what_they_say() -> None:
    rows = (Variant(("1",), 404, Headers((("A", "b"),)), Body("jsonBody", {"é": [1]})), Variant(("2",)))
    assert write_rows(Variants("x.jsonl", ("path.id",), rows)).decode() == (
        '{"when":{"path.id":"1"},"status":404,"headers":{"A":"b"},"jsonBody":{"é":[1]}}\n{"when":{"path.id":"2"}}\n'
    )


@pytest.mark.parametrize(
    ("row", "by", "reason"),
    [
        (Variant(("1",)), (), "does not fit"),
        (Variant(body=Body("bodyFileName", "a")), (), "stands in its row"),
    ],
)
def test_a_row_that_no_file_can_hold_is_not_written(row: Variant, by: tuple[str, ...], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        write_rows(Variants("x.jsonl", by, (row,)))


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ('{"when": ', " is not JSON: "),
        ("[]", " must be a mapping, not a list (such as {"),
        ('{"status": 200}', " when: query.q is missing (a row gives every parameter that by names)"),
        ('{"when": {"query.q": "1"}}', " when: path.id is missing (a row gives every parameter"),
        ('{"when": {"query.q": "1", "id": "1"}}', " when: 'id' does not choose (by names query.q, path.id)"),
        ('{"when": {"query.q": [], "path.id": "1"}}', " when.query.q: must be a string, not a list"),
        ('{"when": {}, "stauts": 1}', " stauts: unknown key 'stauts', did you mean 'status'?"),
        ('{"status": 17}', " status: must be at least 200, not 17"),
        ('{"headers": {"A": "\\n"}}', r" headers.A: '\n' holds a control character, which no header may"),
        ('{"body": "", "base64Body": ""}', " body and base64Body exclude one another (keep one of them)"),
        ('{"jsonBody": ' + "[" * 300 + "]" * 300 + "}", " jsonBody: cannot be sent as JSON: "),
        ('{"bodyFileName": "a"}', " bodyFileName: unknown key 'bodyFileName'"),
    ],
)
def test_a_row_that_cannot_be_is_refused_by_its_line(folder: Any, row: str, problem: str) -> None:
    folder.put("__files/x.jsonl", '{"when": {"query.q": "1", "path.id": "1"}}\n' + row + "\n")
    assert folder.problem(STUB).startswith(f"__files/x.jsonl:2: stub 'x':{problem}")


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("{file: no.jsonl}", ".file: no such file: "),
        ("{file: empty.jsonl}", ".file: "),
        ("{by: [body]}", ".file: is missing (such as {by: [path.id], file: "),
        (
            "{by: [header.X], file: x.jsonl}",
            ".by[0]: variants cannot be chosen by 'header.X' (known: path.NAME",
        ),
        ("{by: [path.], file: x.jsonl}", ".by[0]: variants cannot be chosen by 'path.'"),
        ("{by: [body, body], file: x.jsonl}", ".by: body stands twice"),
        ("{by: path.id, file: x.jsonl}", ".by: must be a list, not 'path.id'"),
        ("x.jsonl", ": must be a mapping, not 'x.jsonl' (such as {by: [path.id]"),
    ],
)
def test_variants_that_cannot_be_are_refused(folder: Any, written: str, problem: str) -> None:
    folder.put("__files/empty.jsonl", "\n")
    found = folder.problem(f"name: x\nresponse: {{variants: {written}}}")
    assert found.startswith(f"a.yaml:2: stub 'x': response.variants{problem}")


def test_a_path_parameter_must_be_in_the_template(folder: Any) -> None:
    folder.put("__files/x.jsonl", '{"when": {"path.nr": "1"}}\n')
    written = "{{name: x, request: {}, response: {{variants: {{by: [path.nr], file: x.jsonl}}}}}}"
    assert folder.problem(written.format("'GET /o/{id}'")) == (
        "a.yaml:1: stub 'x': response.variants.by[0]: path.nr is no parameter of the request's "
        "urlPathTemplate (known: path.id)"
    )
    assert folder.problem(written.format("GET /o")).endswith("urlPathTemplate")
