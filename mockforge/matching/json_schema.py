"""The matcher of a JSON Schema, by the `jsonschema` package. References lead nowhere outside the schema.

As in WireMock, a schema that is JSON but no valid schema matches nothing, and a value that is not JSON, or
a number where a string is wanted, is tested as the string that it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jsonschema
import orjson
from jsonschema.exceptions import SchemaError
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT4, DRAFT6, DRAFT7, DRAFT201909, DRAFT202012, EMPTY_REGISTRY

from mockforge.errors import StubFileError
from mockforge.matching.json import json_value
from mockforge.matching.regexes import compile_regex
from mockforge.matching.values import MISMATCH, ValueMatcher
from mockforge.model.request import MALFORMED
from mockforge.model.stub import ValuePattern

__all__ = ["SCHEMA_VERSIONS", "matches_json_schema", "schema_fault"]

#: By WireMock's name of a draft.
SCHEMA_VERSIONS: Mapping[str, Any] = {
    "V4": jsonschema.Draft4Validator,
    "V6": jsonschema.Draft6Validator,
    "V7": jsonschema.Draft7Validator,
    "V201909": jsonschema.Draft201909Validator,
    "V202012": jsonschema.Draft202012Validator,
}
_SPECIFICATIONS: Mapping[str, Any] = {
    "V4": DRAFT4,
    "V6": DRAFT6,
    "V7": DRAFT7,
    "V201909": DRAFT201909,
    "V202012": DRAFT202012,
}
_DEFAULT_VERSION = "V202012"
#: What leads nowhere, or in circles, or too deep, in schema or value.
_UNFIT = (Unresolvable, RecursionError)


def matches_json_schema(pattern: ValuePattern) -> ValueMatcher:
    """The matcher of `matchesJsonSchema`; StubFileError for what is not JSON and for an unknown version."""
    schema = _schema(pattern.operand)
    validator = _validator(schema, str(pattern.options.get("schemaVersion", _DEFAULT_VERSION)))
    if validator is None:
        return ValueMatcher(lambda value: False)
    errors = _errors(validator)

    def fewest(value: str) -> int:
        return min(errors(each) for each in _readings(value))

    def closeness(value: str) -> float:
        found = fewest(value)
        return MISMATCH * found / (found + 1)

    return ValueMatcher(lambda value: value is not None and fewest(value) == 0, closeness)


def schema_fault(operand: object, version: str) -> str | None:
    """Why a schema matches nothing, where that can be told of it alone; StubFileError as above."""
    schema = _schema(operand)
    if _validator(schema, version) is None:
        error = next(SCHEMA_VERSIONS[version](SCHEMA_VERSIONS[version].META_SCHEMA).iter_errors(schema), None)
        return "is not a JSON Schema" + (f": {error.message}" if error is not None else "")
    return _lost_reference(schema, version)


def _lost_reference(schema: object, version: str) -> str | None:
    """A reference to what is not in the schema; not looked for where parts have ids of their own."""
    nodes = list(_nodes(schema))
    if any(isinstance(node.get(key), str) for node in nodes[1:] for key in ("$id", "id")):
        return None
    resource = _SPECIFICATIONS[version].create_resource(schema)
    resolver = EMPTY_REGISTRY.resolver_with_root(resource)
    for reference in (node.get("$ref") for node in nodes):
        try:
            if isinstance(reference, str):
                resolver.lookup(reference)
        except _UNFIT:
            return f"$ref {reference!r} leads to nothing in the schema"
    return None


def _nodes(schema: object) -> Iterator[Mapping[str, Any]]:
    """Every mapping in a schema, itself first."""
    if isinstance(schema, dict):
        yield schema
        for value in schema.values():
            yield from _nodes(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _nodes(value)


def _schema(operand: object) -> object:
    if not isinstance(operand, str):
        return operand
    schema = json_value(operand)
    if schema is MALFORMED:
        raise StubFileError(f"the schema {operand[:60]!r} is not JSON")
    return schema


def _validator(schema: object, version: str) -> Any:
    """None where the schema is not valid."""
    cls = SCHEMA_VERSIONS.get(version)
    if cls is None:
        raise StubFileError(f"schemaVersion {version!r} is not known", hint=", ".join(SCHEMA_VERSIONS))
    identifier = schema.get("id") if isinstance(schema, dict) else None
    if not isinstance(identifier, str | None):
        return None
    cls = jsonschema.validators.extend(cls, {"pattern": _pattern})  # type: ignore[no-untyped-call]
    try:
        cls.check_schema(schema)
        for expression in _expressions(schema):
            compile_regex(expression, search=True)
    except SchemaError:
        return None
    except RecursionError as error:
        raise StubFileError("the schema is nested too deeply") from error
    registry: Registry[Any] = EMPTY_REGISTRY
    return cls(schema, registry=registry)


def _pattern(validator: Any, expression: str, instance: Any, schema: Any) -> Iterator[Any]:
    """The keyword `pattern` with a bound on its time."""
    if isinstance(instance, str) and compile_regex(expression, search=True)(instance) is None:
        yield jsonschema.ValidationError(f"{instance!r} does not match {expression!r}")


def _expressions(schema: object) -> Iterator[str]:
    return (node["pattern"] for node in _nodes(schema) if isinstance(node.get("pattern"), str))


def _errors(validator: Any) -> Callable[[Any], int]:
    """How many errors a value has; one where the schema refers to nothing."""

    def count(value: Any) -> int:
        try:
            return sum(1 for _ in validator.iter_errors(value))
        except _UNFIT:
            return 1

    return count


def _readings(text: str) -> list[Any]:
    """The values that a text may stand for."""
    value = json_value(text)
    if value is MALFORMED:
        return [text]
    return [value, orjson.dumps(value).decode()] if isinstance(value, int | float) else [value]
