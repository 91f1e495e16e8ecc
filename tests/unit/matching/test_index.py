"""The index gives the stubs that can match, winners first."""

from __future__ import annotations

import pytest

from mockforge.matching.index import StubIndex
from mockforge.model.request import RequestView
from mockforge.model.stub import RequestPattern, ResponseDefinition, Stub, UrlPattern


def index_of(*stubs: tuple[str, str | None, str, int]) -> StubIndex[str]:
    """From (name, kind, URL, priority)."""
    index: StubIndex[str] = StubIndex()
    for name, kind, url, priority in stubs:
        pattern = RequestPattern(url=UrlPattern(kind, url) if kind else None)
        index.add(Stub(name, pattern, (ResponseDefinition(),), priority), name)
    return index


def candidates(index: StubIndex[str], target: str) -> list[str]:
    return list(index.candidates(RequestView("GET", target)))


def test_the_later_of_two_equals_wins_and_a_lower_priority_before_both() -> None:
    index = index_of(
        ("older", "urlPath", "/a", 5), ("first", "urlPath", "/a", 1), ("newer", "urlPath", "/a", 5)
    )
    assert candidates(index, "/a") == ["first", "newer", "older"]


def test_the_order_holds_across_kinds_of_url() -> None:
    index = index_of(
        ("any", None, "", 5),
        ("template", "urlPathTemplate", "/{x}", 5),
        ("exact", "url", "/a", 9),
        ("path", "urlPath", "/a", 5),
        ("pattern", "urlPathPattern", "/.*", 2),
    )
    assert candidates(index, "/a") == ["pattern", "path", "template", "any", "exact"]


def test_what_cannot_match_is_not_tried() -> None:
    index = index_of(*((f"/{number}", "urlPath", f"/{number}", 5) for number in range(100)))
    assert candidates(index, "/7?x=1") == ["/7"]
    assert candidates(index, "/none") == []


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ("/orders/7", ["word and parameter"]),
        ("/orders/new", ["two words", "word and parameter", "parameter and word"]),
        ("/new/new", ["parameter and word"]),
        ("/orders/7/items", ["longer"]),
        ("/orders/", []),
        ("/orders", []),
        ("/", []),
    ],
)
def test_templates_are_found_along_words_and_parameters_at_once(target: str, found: list[str]) -> None:
    index = index_of(
        ("word and parameter", "urlPathTemplate", "/orders/{id}", 5),
        ("parameter and word", "urlPathTemplate", "/{shop}/new", 9),
        ("longer", "urlPathTemplate", "/orders/{id}/items", 5),
        ("two words", "urlPathTemplate", "/orders/new", 5),
    )
    assert candidates(index, target) == found


def test_the_index_iterates_in_the_order_of_the_files() -> None:
    index = index_of(("a", "urlPath", "/a", 9), ("b", None, "", 1), ("c", "url", "/c", 5))
    assert list(index) == ["a", "b", "c"]
