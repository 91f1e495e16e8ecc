"""An operation is a method and a path template."""

from __future__ import annotations

import pytest

from mockforge.model.operation import Operation, is_parameter


def test_an_operation_names_itself_and_its_parameters_in_order() -> None:
    operation = Operation("GET", "/orders/{id}/items/{itemId}/")
    assert operation.name == "GET /orders/{id}/items/{itemId}/"
    assert operation.parameters == ("id", "itemId")
    assert Operation("GET", "/").parameters == ()


@pytest.mark.parametrize(
    ("segment", "parameter"),
    [("{id}", True), ("id", False), ("{id", False), ("id}", False), ("{id}.json", False), ("", False)],
)
def test_a_parameter_fills_its_whole_segment(segment: str, parameter: bool) -> None:
    assert is_parameter(segment) is parameter


def test_operations_sort_by_method_then_template() -> None:
    post, first, second = Operation("POST", "/a"), Operation("GET", "/a"), Operation("GET", "/b")
    assert sorted([post, second, first]) == [first, second, post]
