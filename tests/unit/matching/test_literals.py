"""Which path segments a regular expression cannot match without."""

from __future__ import annotations

import pytest

from mockforge.matching.literals import literal_segments


@pytest.mark.parametrize(
    ("expression", "segments"),
    [
        ("/orders", ["orders"]),
        ("/orders/[0-9]+/items", ["orders", "items"]),
        ("/orders/[0-9]+", ["orders"]),
        ("/api/v1/.*", ["api", "v1"]),
        (r"/v1\.0/orders\?page=\d+", ["v1.0"]),
        (r"/v1\.0/orders\?page=2", ["orders?page=2", "v1.0"]),
        ("/orders/(new|open)/list", ["orders", "list"]),
        ("/orders?/list", ["list"]),
        ("/orders/lists?", ["orders"]),
        ("/a/b{2}/c", ["a", "c"]),
        ("/orders/x.*", ["orders"]),
        ("/.*x/orders", ["orders"]),
        ("orders/.*", ["orders"]),
    ],
)
def test_whole_segments_that_every_match_has_are_found_longest_first(
    expression: str, segments: list[str]
) -> None:
    assert sorted(literal_segments(expression)) == sorted(segments)
    assert [len(each) for each in literal_segments(expression)] == sorted(map(len, segments), reverse=True)


@pytest.mark.parametrize(
    "expression",
    [
        ".*",
        "/",
        "",
        "/a|/b",
        "/orders|",
        "(?i)/orders",
        "/o.*s",
        "/[ab]",
        "/(a|b)",
        "/x{",
        "/a/?b",
        "/a/*",
        r"/\w+",
        "/[^]/x/]y",
    ],
)
def test_an_expression_that_may_match_without_any_segment_has_none(expression: str) -> None:
    assert literal_segments(expression) == []
