"""The published JSON Schemas are those of the forms that check the files.

`python -m tests.unit.docs.test_schemas` writes them anew.
"""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from mockforge.project.form import project_schema
from mockforge.stubfiles.schema import stub_file_schema

ROOT = Path(__file__).parents[3]
PUBLISHED = {"stub-file": stub_file_schema, "project": project_schema}


def path_of(name: str) -> Path:
    return ROOT / "docs" / "schema" / f"{name}.schema.json"


def text_of(name: str) -> str:
    return json.dumps(PUBLISHED[name](), indent=2) + "\n"


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_schema_is_current(name: str) -> None:
    assert path_of(name).read_text() == text_of(name), "python -m tests.unit.docs.test_schemas writes it anew"


@pytest.mark.parametrize(
    ("name", "file"),
    [("project", "examples/shop/mockforge.yaml"), ("stub-file", "examples/shop/stubs/orders/orders.yaml")],
)
def test_an_editor_finds_examples_valid_and_a_wrong_key_not(name: str, file: str) -> None:
    schema, value = PUBLISHED[name](), yaml.safe_load((ROOT / file).read_text())
    jsonschema.validate(value, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**value, "servces": []}, schema)


if __name__ == "__main__":
    for each in PUBLISHED:
        path_of(each).write_text(text_of(each))
