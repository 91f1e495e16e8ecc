"""The index gives the stubs that can match, winners first."""

from __future__ import annotations

import pytest

from mockforge.matching import index as index_module
from mockforge.matching.index import StubIndex
from mockforge.matching.request import RequestMatcher
from mockforge.model.request import RequestView
from mockforge.model.stub import RequestPattern, ResponseDefinition, Stub, UrlPattern, ValuePattern


def index_of(*stubs: tuple[str, str | None, str, int]) -> StubIndex[str]:
    """From (name, kind, URL, priority)."""
    index: StubIndex[str] = StubIndex()
    for name, kind, url, priority in stubs:
        pattern = RequestPattern(url=UrlPattern(kind, url) if kind else None)
        index.add(Stub(name, pattern, (ResponseDefinition(),), priority), RequestMatcher(pattern), name)
    return index


def candidates(index: StubIndex[str], target: str) -> list[str]:
    return [candidate.entry for candidate in index.candidates(RequestView("GET", target))]


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


def test_expressions_are_found_by_a_segment_of_theirs_and_without_one() -> None:
    index = index_of(
        ("path", "urlPathPattern", "/orders/[0-9]+", 5),
        ("target", "urlPattern", r"/orders/7\?x=\d", 5),
        ("either", "urlPathPattern", "/orders/7|/other", 5),
        ("any", "urlPattern", "/.*7.*", 5),
    )
    assert candidates(index, "/orders/7") == ["any", "either", "path"]
    assert candidates(index, "/orders/7?x=1") == ["any", "either", "target", "path"]
    assert candidates(index, "/other") == ["either"]


def test_a_segment_of_the_query_finds_an_expression_for_the_target() -> None:
    index = index_of(("query", "urlPattern", r"/o\?x=(1|2)/y", 5), ("flag", "urlPattern", r"/o\?flag", 5))
    assert candidates(index, "/o?x=2/y") == ["query"]
    assert candidates(index, "/o?flag") == ["flag"]


def test_a_target_is_remembered_by_its_method() -> None:
    index: StubIndex[str] = StubIndex()
    for method in ("GET", "POST"):
        pattern = RequestPattern(method)
        index.add(Stub(method, pattern, (ResponseDefinition(),)), RequestMatcher(pattern), method)
    for method in ("GET", "POST", "GET", "PUT"):
        found = [candidate.entry for candidate in index.candidates(RequestView(method, "/"))]
        assert found == ([method] if method != "PUT" else [])


def test_what_is_left_to_test_comes_with_the_candidate_and_is_none_where_nothing_is() -> None:
    index: StubIndex[str] = StubIndex()
    plain = RequestPattern("GET")
    fussy = RequestPattern(
        "GET", query=(("q", ValuePattern("equalTo", "1")),), headers=(("X", ValuePattern("absent", True)),)
    )
    for name, pattern in (("plain", plain), ("fussy", fussy), ("post", RequestPattern("POST"))):
        index.add(Stub(name, pattern, (ResponseDefinition(),)), RequestMatcher(pattern), name)
    asked = RequestView("GET", "/?q=1")
    first, second = index.candidates(asked)
    assert (first.entry, second.entry, second.rest) == ("fussy", "plain", None)
    assert first.rest is not None
    assert first.rest(asked)
    assert not first.rest(RequestView("GET", "/?q=1", [(b"x", b"1")]))


def test_a_stub_that_comes_later_is_found_where_others_were_remembered() -> None:
    index = index_of(("older", "urlPath", "/a", 5))
    assert candidates(index, "/a") == ["older"]
    pattern = RequestPattern(url=UrlPattern("urlPath", "/a"))
    index.add(Stub("newer", pattern, (ResponseDefinition(),)), RequestMatcher(pattern), "newer")
    assert candidates(index, "/a") == ["newer", "older"]


def test_what_is_remembered_is_bounded_in_number_and_length(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_module, "_MOST_REMEMBERED", 3)
    index = index_of(("any", None, "", 5))
    for number in range(20):
        assert candidates(index, f"/{number}") == ["any"]
        assert len(index._remembered) <= 3
    index = index_of(("any", None, "", 5))
    assert candidates(index, "/" + "x" * 2_000) == ["any"]
    assert len(index._remembered) == 0


def test_the_index_iterates_in_the_order_of_the_files() -> None:
    index = index_of(("a", "urlPath", "/a", 9), ("b", None, "", 1), ("c", "url", "/c", 5))
    assert list(index) == ["a", "b", "c"]
