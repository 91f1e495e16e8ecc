"""The matcher of a GraphQL request: the same operation, however it is formatted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphql import parse, print_ast
from graphql.error import GraphQLError

from mockforge.errors import StubFileError
from mockforge.matching.json import JsonTest, compile_json_equality, of_json
from mockforge.matching.values import ValueMatcher
from mockforge.model.stub import ValuePattern

__all__ = ["equal_to_graphql"]

_MOST_TOKENS = 20_000
_KEYS = ("query", "variables", "operationName")
_EXAMPLE = "such as {query: '{ hero { name } }', variables: {id: 7}, operationName: Hero}"


def equal_to_graphql(pattern: ValuePattern) -> ValueMatcher:
    """The matcher of `equalToGraphql`: a query, or a mapping of query, variables and operationName.

    Where variables or operationName are left out, any will do. StubFileError where the query does not parse.
    """
    operand = pattern.operand
    written = operand if isinstance(operand, Mapping) else {"query": operand}
    unknown = next((key for key in written if key not in _KEYS), None)
    if unknown is not None or not isinstance(written.get("query"), str):
        raise StubFileError(
            "equalToGraphql needs a query, and knows variables and operationName", hint=_EXAMPLE
        )
    wanted = _normal(str(written["query"]))
    beside: dict[str, JsonTest] = {
        key: compile_json_equality(value, {}).matches if key == "variables" else _same(value)
        for key, value in written.items()
        if key != "query"
    }

    def test(found: Any) -> bool:
        if not isinstance(found, dict) or not isinstance(found.get("query"), str):
            return False
        if not all(each(found.get(key)) for key, each in beside.items()):
            return False
        try:
            return _normal(found["query"]) == wanted
        except StubFileError:
            return False

    return of_json(test)


def _same(wanted: object) -> JsonTest:
    return lambda found: bool(found == wanted)


def _normal(query: str) -> str:
    """The query as graphql-core prints it; StubFileError where it does not parse."""
    try:
        return print_ast(parse(query, no_location=True, max_tokens=_MOST_TOKENS))
    except (GraphQLError, RecursionError) as error:
        reason = str(error).partition("\n")[0]
        raise StubFileError(f"the GraphQL query does not parse: {reason}", hint=_EXAMPLE) from error
