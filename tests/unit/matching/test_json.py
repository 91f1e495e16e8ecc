from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockforge.errors import StubFileError
from mockforge.matching.json import compile_json_equality

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2) | st.sampled_from(["", "1"]) | st.just(1.0),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=6,
)


def covers(wanted: Any, found: Any, order: bool, extra: bool) -> bool:
    """What the comparison means, tried out: every way to lay a wanted array over a found one."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        if not extra and wanted.keys() != found.keys():
            return False
        return all(key in found and covers(each, found[key], order, extra) for key, each in wanted.items())
    if isinstance(wanted, list) and isinstance(found, list):
        if not extra and len(wanted) != len(found):
            return False
        ways = permutations(found, len(wanted)) if order else [tuple(found[: len(wanted)])]
        return any(
            len(way) == len(wanted)
            and all(covers(one, other, order, extra) for one, other in zip(wanted, way, strict=True))
            for way in ways
        )
    if isinstance(wanted, bool) or isinstance(found, bool):
        return wanted is found
    return bool(wanted == found)


@given(JSON, JSON, st.booleans(), st.booleans())
def test_it_overlooks_what_it_is_told_to_and_nothing_else(
    wanted: Any, found: Any, order: bool, extra: bool
) -> None:
    options = {"ignoreArrayOrder": order, "ignoreExtraElements": extra}
    equality = compile_json_equality(wanted if not isinstance(wanted, str) else f'"{wanted}"', options)
    assert equality.matches(found) == covers(wanted, found, order, extra)
    assert equality.matches(wanted)


def test_an_element_that_passes_two_tests_is_left_to_the_one_that_needs_it() -> None:
    equality = compile_json_equality(
        [{"a": 1}, {"a": 1, "b": 2}], {"ignoreArrayOrder": True, "ignoreExtraElements": True}
    )
    assert equality.matches([{"a": 1, "b": 2}, {"a": 1}])
    assert equality.matches([{"a": 1}, 0, {"a": 1, "b": 2}])
    assert not equality.matches([{"a": 1}, {"a": 1}])


def test_a_chain_of_elements_makes_room() -> None:
    wanted = [{str(each): 1 for each in range(number)} for number in range(60)]
    equality = compile_json_equality(wanted, {"ignoreArrayOrder": True, "ignoreExtraElements": True})
    assert equality.matches(wanted[::-1])
    assert not equality.matches([*wanted[:0:-1], {}, {}][1:])


def test_a_text_is_parsed_and_a_structure_taken_as_it_is() -> None:
    assert compile_json_equality('{"a": [1]}', {}).text == compile_json_equality({"a": [1]}, {}).text
    assert compile_json_equality('"a"', {}).matches("a")


@pytest.mark.parametrize("depth", [150, 240, 500, 5000])
def test_what_is_nested_too_deeply_is_refused(depth: int) -> None:
    with pytest.raises(StubFileError):
        compile_json_equality("[" * depth + "]" * depth, {"ignoreArrayOrder": True})
