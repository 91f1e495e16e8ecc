"""The five ways to say which URL is meant."""

from __future__ import annotations

import pytest

from mockforge.errors import StubFileError
from mockforge.matching.url import UrlMatcher, path_parameters, template_regex
from mockforge.model.request import RequestView
from mockforge.model.stub import UrlPattern


@pytest.mark.parametrize(
    ("kind", "value", "targets", "others"),
    [
        ("url", "/a?x=1", ["/a?x=1"], ["/a", "/a?x=2", "/a?x=1&y=2", "/A?x=1"]),
        ("urlPath", "/a", ["/a", "/a?x=1", "/a?"], ["/a/", "/ab", "/", "/A"]),
        ("urlPattern", r"/a\?x=\d+", ["/a?x=1", "/a?x=22"], ["/a", "/a?x=", "/a?x=1&y=2", "/b/a?x=1"]),
        ("urlPathPattern", "/a/[0-9]+", ["/a/1", "/a/22?x=1"], ["/a/", "/a/1/b", "/a/b"]),
        ("urlPathTemplate", "/a/{id}", ["/a/1", "/a/%2F?x=1", "/a/b.c"], ["/a/", "/a", "/a/1/", "/a/1/b"]),
        ("urlPathTemplate", "/a/{id}/b.c", ["/a/1/b.c"], ["/a/1/bxc"]),
        ("urlPathTemplate", "/a", ["/a", "/a?x=1"], ["/a/", "/ab"]),
        ("urlPathTemplate", "/{a}/{b}/", ["/1/2/"], ["/1/2", "//2/"]),
    ],
)
def test_a_url_matches_as_a_whole(kind: str, value: str, targets: list[str], others: list[str]) -> None:
    matcher = UrlMatcher.compile(UrlPattern(kind, value))
    for target in targets:
        request = RequestView("GET", target)
        assert matcher.matches(request), target
        assert matcher.distance(request) == 0
    for target in others:
        request = RequestView("GET", target)
        assert not matcher.matches(request), target
        assert 0 < matcher.distance(request) <= 1


@pytest.mark.parametrize("kind", ["urlPattern", "urlPathPattern"])
def test_a_url_that_spells_the_expression_without_matching_it_is_no_match(kind: str) -> None:
    assert UrlMatcher.compile(UrlPattern(kind, "/a+b")).distance(RequestView("GET", "/a+b")) > 0


def test_path_parameters_are_decoded() -> None:
    template = template_regex("/shops/{shop}/orders/{id}")
    assert path_parameters(template, "/shops/a%20b/orders/%C3%A9%2F1") == {"shop": "a b", "id": "é/1"}


def test_a_path_of_another_shape_has_no_parameters() -> None:
    assert path_parameters(template_regex("/orders/{id}"), "/orders/1/items") == {}


@pytest.mark.parametrize(
    ("kind", "value"), [("urlPattern", "/a(b"), ("urlPathPattern", "["), ("urlPathTemplate", "/{a}/{a}")]
)
def test_an_expression_that_does_not_parse_is_refused_with_its_text(kind: str, value: str) -> None:
    with pytest.raises(StubFileError) as refused:
        UrlMatcher.compile(UrlPattern(kind, value))
    assert repr(value) in refused.value.what
