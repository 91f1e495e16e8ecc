from __future__ import annotations

from typing import Any

from mockforge.stubfiles.form import FileForm, RequestForm, ResponseForm, StubForm
from mockforge.stubfiles.pattern_form import PatternForm, ValuesForm
from mockforge.stubfiles.schema import stub_file_schema


def test_the_schema_knows_every_key_of_the_form() -> None:
    schema: Any = stub_file_schema()
    for form in (FileForm, StubForm, RequestForm, ResponseForm, PatternForm, ValuesForm):
        described = schema["$defs"][form.__name__]
        assert list(described["properties"]) == form.keys()
        assert described["additionalProperties"] is False


def test_the_schema_gives_bounds_and_the_shorthand() -> None:
    stub: Any = stub_file_schema()["$defs"]
    number, template = stub["ResponseForm"]["properties"]["status"]["anyOf"]
    assert number == {"maximum": 599, "minimum": 200, "type": "integer"}
    assert template["type"] == "string"
    shorthand, written_out = stub["StubForm"]["properties"]["request"]["anyOf"]
    assert (shorthand["type"], written_out["$ref"]) == ("string", "#/$defs/RequestForm")


def test_the_schema_knows_transformers_and_both_forms_of_a_jsonpath() -> None:
    defs: Any = stub_file_schema()["$defs"]
    assert defs["ResponseForm"]["properties"]["transformers"]["items"] == {"enum": ["jinja"]}
    alone, with_matcher = defs["PatternForm"]["properties"]["matchesJsonPath"]["anyOf"]
    assert (alone["type"], with_matcher["$ref"]) == ("string", "#/$defs/JsonPathForm")
    assert defs["RequestForm"]["properties"]["bodyPatterns"]["items"] == {"$ref": "#/$defs/PatternForm"}
