"""Expressions of Jayway's JsonPath."""

from __future__ import annotations

from typing import Any

import pytest

from mockforge.matching.jayway import NotJaywayError, parse_jayway
from mockforge.matching.jsonpath import compile_jsonpath

SHOP: dict[str, Any] = {
    "books": [
        {"title": "A", "price": 8.95, "tags": ["x", "y"]},
        {"title": "b-17", "price": 12, "tags": []},
        {"title": "C", "isbn": "0-1", "price": 22.5, "author": None},
    ],
    "limit": 10,
    "unit price": {"amount": 5},
}


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("$.books[0].title", ["A"]),
        ("$['unit price'].amount", [5]),
        ("$.books[-1].title", ["C"]),
        ("$.books[0,2].title", ["A", "C"]),
        ("$.books[1:].title", ["b-17", "C"]),
        ("$.books[:1].title", ["A"]),
        ("$.books[*].price", [8.95, 12, 22.5]),
        ("$..price", [8.95, 12, 22.5]),
        ("$..tags[0]", ["x"]),
        ("$.*.amount", [5]),
        ("$.books.size()", [3]),
        ("$.books.length()", [3]),
        ("$.books[*].price.max()", []),
        ("$.books[0].tags.first()", ["x"]),
        ("$.limit.size()", []),
        ("$.books[?(@.price < $.limit)].title", ["A"]),
        ("$.books[?(@.isbn)].title", ["C"]),
        ("$.books[?(!@.isbn)].title", ["A", "b-17"]),
        ("$.books[?(@.author == null)].title", ["C"]),
        ("$.books[?(@.price == '12')].title", ["b-17"]),
        ("$.books[?(@.title =~ /B-[0-9]+/i)].title", ["b-17"]),
        ("$.books[?(@.title =~ /b/)].title", []),
        ("$.books[?(@.price =~ /2.*/)].title", ["C"]),
        ("$.books[?(@.title in ['A', 'C'] && @.price > 10)].title", ["C"]),
        ("$.books[?(@.title nin ['A', 'C'] || @.price > 20)].title", ["b-17", "C"]),
        ("$.books[?(@.tags contains 'y')].title", ["A"]),
        ("$.books[?(@.tags size 2)].title", ["A"]),
        ("$.books[?(@.tags empty true)].title", ["b-17"]),
        ("$.books[?(@.tags subsetof ['x', 'y', 'z'])].title", ["A", "b-17"]),
        ("$.books[?(@.tags anyof ['y'])].title", ["A"]),
        ("$.books[?(@.tags noneof ['y'])].title", ["b-17"]),
        ("$.books[?((@.price >= 12) && (@.price <= 12))].title", ["b-17"]),
        ("$[?(@.books.size() == 3)].limit", [10]),
        ("$.books[?(@.price != 12)].title", ["A", "C"]),
        ("$.books[?(@.tags[0] == 'x')]['title', 'price']", ["A", 8.95]),
    ],
)
def test_it_finds_what_jayway_finds(expression: str, found: list[Any]) -> None:
    assert parse_jayway(expression).find(SHOP) == found


@pytest.mark.parametrize(
    ("expression", "definite"), [("$.a.size()", True), ("$..a", False), ("$[?(@.a)]", False)]
)
def test_a_path_to_many_is_not_definite(expression: str, definite: bool) -> None:
    assert parse_jayway(expression).definite is definite


@pytest.mark.parametrize(
    "expression",
    ["a", "$.", "$.a[", "$.a[?(@.b]", "$.a[?(@.b ==)]", "$.a - 1", "$.a[?(@.b =~ 'x')]", "$.a.no()"],
)
def test_what_the_grammar_does_not_have_is_left_to_others(expression: str) -> None:
    with pytest.raises(NotJaywayError):
        parse_jayway(expression)


def test_a_deep_document_is_searched_without_recursion() -> None:
    document: Any = {"a": 1}
    for _ in range(5_000):
        document = [document]
    assert compile_jsonpath("$..a").find(document) == [1]


def test_an_expression_that_is_nested_too_deeply_is_refused() -> None:
    expression = "$[?(" + "(" * 5_000 + "@.a" + ")" * 5_000 + ")]"
    with pytest.raises(NotJaywayError, match="nested"):
        parse_jayway(expression)
