"""What was written when."""

from __future__ import annotations

import pytest

from mockforge.learning.writes import Writes


def writes(*seen: tuple[str, str]) -> Writes:
    written = Writes()
    for method, target in seen:
        written.add(method, target, 50)
    return written


@pytest.mark.parametrize(
    ("method", "written", "asked"),
    [
        ("PUT", "/orders/17", "/orders/17?x=1"),
        ("PUT", "/orders/17", "/orders"),
        ("DELETE", "/orders/17/items/3", "/orders/17"),
        ("DELETE", "/orders/17", "/orders/17/items"),
        ("POST", "/orders", "/orders?page=1"),
    ],
)
def test_a_write_may_change_its_resource_and_those_around_it(method: str, written: str, asked: str) -> None:
    assert writes((method, written)).between(asked, 0, 99) == f"{method} {written}"


@pytest.mark.parametrize(
    ("method", "written", "asked"),
    [
        ("PUT", "/orders/17", "/orders/18"),
        ("PUT", "/orders/17", "/"),
        ("POST", "/orders", "/orders/17"),
        ("GET", "/orders/17", "/orders/17"),
        ("PUT", "/users/17", "/orders"),
    ],
)
def test_a_write_does_not_change_others(method: str, written: str, asked: str) -> None:
    assert writes((method, written)).between(asked, 0, 99) is None


@pytest.mark.parametrize(("after", "upto"), [(50, 99), (0, 49)])
def test_only_what_was_written_in_between_counts(after: int, upto: int) -> None:
    assert writes(("PUT", "/a")).between("/a", after, upto) is None
