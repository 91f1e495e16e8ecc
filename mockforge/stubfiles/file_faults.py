"""What the admin API takes, as WireMock does, and a file may not hold, whose author is there to mend it.

WireMock takes a JSON Schema that is none, or that refers to what is not in it, and then matches nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mockforge.matching.json_schema import schema_fault
from mockforge.model.stub import RequestPattern, ValuePattern
from mockforge.stubfiles.problems import Loc, RefusedError

__all__ = ["file_faults"]

_OPERATOR = "matchesJsonSchema"


def file_faults(pattern: RequestPattern) -> Iterator[tuple[Loc, RefusedError]]:
    """Each fault of a request pattern with its place, counted from the stub."""
    named = {
        "pathParameters": pattern.path,
        "queryParameters": pattern.query,
        "headers": pattern.headers,
        "cookies": pattern.cookies,
        "formParameters": pattern.form,
    }
    places: list[tuple[Loc, ValuePattern]] = [
        (("request", key, name), value) for key, values in named.items() for name, value in values
    ]
    places += [(("request", "bodyPatterns", number), value) for number, value in enumerate(pattern.body)]
    for place, value in places:
        written = {value.operator: value.operand, **value.options}
        for loc, fault in _faults(written):
            yield (*place, *loc), RefusedError(fault, "a schema like this matches nothing")


def _faults(written: object) -> Iterator[tuple[Loc, str]]:
    """Faults of a pattern as it is written, and of those that stand in it."""
    if isinstance(written, list):
        for number, each in enumerate(written):
            yield from (((number, *loc), fault) for loc, fault in _faults(each))
    elif isinstance(written, Mapping):
        if _OPERATOR in written:
            fault = schema_fault(written[_OPERATOR], str(written.get("schemaVersion", "V202012")))
            if fault is not None:
                yield (_OPERATOR,), fault
        for key in ("and", "or", "not", "hasExactly", "includes"):
            yield from (((key, *loc), fault) for loc, fault in _faults(written.get(key)))
