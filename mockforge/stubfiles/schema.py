"""The JSON Schema of stub files, for editors, made from the form that checks them."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from mockforge.stubfiles.form import FileForm, StubForm

__all__ = ["schema_of", "stub_file_schema"]


class _Generator(GenerateJsonSchema):
    """pydantic's generator, less what tells a reader nothing: nulls, and titles that repeat keys."""

    def field_title_should_be_set(self, schema: object) -> bool:
        return False

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        if schema.get("default") is None:
            return self.generate_inner(schema["schema"])
        return super().default_schema(schema)


def stub_file_schema() -> dict[str, object]:
    """The schema of one stub file: a bare stub, or a file of several."""
    return schema_of(FileForm | StubForm, "MockForge stub file")


def schema_of(form: Any, title: str) -> dict[str, object]:
    """The schema of what a form, or one of several, takes."""
    schema = TypeAdapter(form).json_schema(by_alias=True, schema_generator=_Generator)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title, **schema}
