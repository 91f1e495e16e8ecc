"""GraphQL: the operation's name is part of what is asked."""

from __future__ import annotations

import pytest

from mockforge.learning.graphql import graphql_operation
from tests.unit.learning.made import answer, exchange, learn, stub_of, view


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ({"operationName": "GetOrder", "query": "query GetOrder { order { id } }"}, "GetOrder"),
        ({"query": "\n  mutation AddItem($n: Int) { add(n: $n) { id } }"}, "AddItem"),
        ({"query": "{ order(id: 1) { id } }"}, "order"),
        ({"query": "query { mine: orders { id } }"}, "orders"),
        ({"operationName": "Stored", "variables": {}, "extensions": {}}, "Stored"),
    ],
)
def test_the_operation_is_named_and_its_condition_holds(sent: object, name: str) -> None:
    request = view("POST /graphql", sent)
    condition = graphql_operation(request)
    assert condition is not None
    assert condition.words == name
    assert condition.holds(request)
    assert not condition.holds(view("POST /graphql", {"query": "query Another { x }", "operationName": "Y"}))


@pytest.mark.parametrize("sent", [{"q": 1}, {"query": "lamps"}, {"query": 7}, [1], b"query", b""])
def test_what_is_no_graphql_has_none(sent: object) -> None:
    assert graphql_operation(view("POST /search", sent)) is None


def test_each_operation_of_a_path_is_a_stub_and_variables_are_given_back() -> None:
    exchanges = []
    for number in range(8):
        user = {
            "operationName": "User",
            "query": "query User($id: ID) {..}",
            "variables": {"id": f"u{number}"},
        }
        exchanges += [
            exchange("POST /graphql", {"data": {"user": {"id": f"u{number}"}}}, sent=user),
            exchange("POST /graphql", {"data": {"version": 3}}, sent={"query": "{ version }"}),
            exchange("POST /graphql", b"no", 400, sent={"oops": number}),
        ]
    learned = learn(exchanges)
    names = [stub.name for stub in learned.service.stubs]
    assert names == ["POST /graphql", "POST /graphql User", "POST /graphql version"]
    asked = {"operationName": "User", "query": "query User($id: ID) {..}", "variables": {"id": "u99"}}
    assert answer(learned, "POST /graphql", asked).body == b'{"data":{"user":{"id":"u99"}}}'
    assert answer(learned, "POST /graphql", {"query": "query {version}"}).body == b'{"data":{"version":3}}'
    assert answer(learned, "POST /graphql", {"else": 1}).status == 400
    assert stub_of(learned, "POST /graphql").priority > stub_of(learned, "POST /graphql User").priority
