"""Query parameters that only keep caches away."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mockforge.learning.busters import cache_busters

AT_S = 1_700_000_000.0


def busters(name: str, value: Callable[[int], object], times: int = 20) -> frozenset[str]:
    return cache_busters([({name: [str(value(number))]}, AT_S + number) for number in range(times)])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("_", lambda number: 10**9 + number),
        ("nonce", lambda number: f"{number:032x}a1"),
        ("rand", lambda number: f"0.{number + 17}"),
        ("when", lambda number: int(AT_S + number)),
        ("since_ms", lambda number: int(AT_S + number) * 1000),
    ],
)
def test_made_up_values_that_hardly_repeat_are_cache_busters(
    name: str, value: Callable[[int], object]
) -> None:
    assert busters(name, value) == {name}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("id", lambda number: 10**9 + 17 * 10**7 * number),
        ("_", lambda number: number % 3),
        ("t", lambda number: f"word {'x' * number}"),
        ("after", lambda number: 10**9 + number),
    ],
    ids=["an id", "few values", "words", "another time"],
)
def test_what_may_mean_something_is_none(name: str, value: Callable[[int], object]) -> None:
    assert busters(name, value) == frozenset()


def test_a_few_requests_prove_nothing() -> None:
    assert busters("_", lambda number: 10**9 + number, times=4) == frozenset()
