"""A request view is parsed only as far as somebody asks, and never loses the raw bytes."""

from __future__ import annotations

import pytest

from mockforge.model.request import RequestView


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        ("/", "/", {}),
        ("/orders?", "/orders", {}),
        ("/orders?page=2&page=3&q=", "/orders", {"page": ["2", "3"], "q": [""]}),
        ("/a%2Fb?q=a%26b+c", "/a%2Fb", {"q": ["a&b c"]}),
        ("/a?b?c=1", "/a", {"b?c": ["1"]}),
        ("/a?flag", "/a", {"flag": [""]}),
        ("*", "*", {}),
    ],
)
def test_the_path_stays_raw_and_the_query_is_decoded(
    target: str, path: str, query: dict[str, list[str]]
) -> None:
    request = RequestView("GET", target)
    assert (request.target, request.path, request.query) == (target, path, query)


def test_headers_are_parsed_once() -> None:
    request = RequestView("GET", "/", [(b"X-Id", b"7")])
    assert request.headers.get("x-id") == "7"
    assert request.headers is request.headers
    assert request.query is request.query
