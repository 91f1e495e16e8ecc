"""GraphQL over POST: the operation's name is part of what is asked, for all share one path."""

from __future__ import annotations

import re

from mockforge.learning.conditions import Condition
from mockforge.model.request import RequestView
from mockforge.model.stub import RequestPattern, ValuePattern

__all__ = ["graphql_operation"]

_NAMED = re.compile(r"\s*(?:query|mutation|subscription)\s+(\w+)")
_FIRST_FIELD = re.compile(r"\s*(query|mutation|subscription)?[^{]*\{\s*(?:\w+\s*:\s*)?(\w+)")


def graphql_operation(view: RequestView) -> Condition | None:
    """The condition that a request is of the same GraphQL operation; None where it is none.

    The operation is `operationName`, else the name in the document, else its first field.
    """
    if view.method != "POST" or not isinstance(view.json, dict):
        return None
    name, document = view.json.get("operationName"), view.json.get("query")
    if isinstance(name, str) and name and (isinstance(document, str) or "variables" in view.json):
        return _condition(name, "$.operationName", {"equalTo": name})
    if not isinstance(document, str):
        return None
    named = _NAMED.match(document)
    if named:
        regex = rf"\s*(query|mutation|subscription)\s+{named[1]}\b.*"
        return _condition(named[1], "$.query", {"matches": regex})
    first = _FIRST_FIELD.match(document)
    if first:
        regex = rf"\s*{first[1] or '(query)?'}[^{{]*\{{\s*(\w+\s*:\s*)?{first[2]}\b.*"
        return _condition(first[2], "$.query", {"matches": regex})
    return None


def _condition(name: str, path: str, test: dict[str, str]) -> Condition:
    pattern = RequestPattern(body=(ValuePattern("matchesJsonPath", {"expression": path, **test}),))
    return Condition("graphql", name, pattern)
