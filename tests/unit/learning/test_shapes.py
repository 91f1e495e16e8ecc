"""What values look like."""

from __future__ import annotations

from typing import Any

import pytest

from mockforge.learning.shapes import json_shape, same_shape, shape_of, weak_shape_of


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("-17", "number"),
        ("0b5d3c9e-1f2a-4b3c-8d4e-5f6a7b8c9d0e", "uuid"),
        ("2026-01-31T10:00:00Z", "date"),
        ("507f1f77bcf86cd799439011", "hash"),
        ("01ARZ3NDEKTSV4RRFFQ69G5FAV", "token"),
        ("someone@example.com", "email"),
        ("someone%40example.com", "email"),
        ("{id}", "braces"),
        ("search", None),
        ("v1", None),
    ],
)
def test_a_strong_shape_says_by_itself_that_a_text_is_a_value(text: str, shape: str | None) -> None:
    assert shape_of(text) == shape


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("dQw4w9WgXcQ", ("base64", "base64")),
        ("3f9a1c2", ("short hash", "short hash")),
        ("red-steel-lamp", ("slug", "slug")),
        ("page-17.html", ("numbered", "page-#.html")),
        ("orders", None),
        ("order-lines", None),
    ],
)
def test_a_weak_shape_says_what_siblings_must_share(text: str, shape: tuple[str, str] | None) -> None:
    assert weak_shape_of(text) == shape


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"a": 1}, {"a": 2.5}, True),
        ({"a": 1}, {"a": "1"}, False),
        ({"a": 1}, {"b": 1}, False),
        ({"a": None}, {"a": {"b": 1}}, True),
        ([1, 2], [3], True),
        ([], [{"a": 1}], True),
        ([1], ["a"], False),
        ([{"a": 1}], {"a": 1}, False),
        (True, 1, False),
    ],
)
def test_documents_have_one_shape_when_a_program_that_reads_one_reads_the_other(
    one: Any, other: Any, same: bool
) -> None:
    assert same_shape(one, other) is same
    assert same_shape(other, one) is same


def test_the_number_of_a_lists_elements_and_their_values_are_not_its_shape() -> None:
    assert json_shape([{"a": 1}, {"a": 2}]) == json_shape([{"a": 3}])
    assert json_shape([{"a": 1}]) != json_shape([{"a": "1"}])
