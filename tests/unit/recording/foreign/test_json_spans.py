"""Values are found by their brackets and strings alone, whatever stands in the strings."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockforge.recording.foreign.json_spans import begin_of, elements, member, parsed, written
from mockforge.recording.foreign.unusable import Unusable

TRICKY = st.sampled_from(['"', "\\", '\\"', "]", "}", "{[", "é", "\n", ""]) | st.text(max_size=5)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 63) - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TRICKY,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TRICKY, inner, max_size=4),
    max_leaves=20,
)


@given(st.lists(JSON, max_size=6), st.sampled_from([None, 1]), st.booleans())
def test_the_elements_of_an_array_are_found(
    values: list[object], indent: int | None, ascii_only: bool
) -> None:
    text = json.dumps(values, indent=indent, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    assert [parsed(text[begin:end]) for begin, end in elements(text, begin_of(text))] == values


@given(st.dictionaries(TRICKY, JSON, max_size=4), JSON)
def test_a_member_is_found_with_those_before_it(before: dict[str, object], value: object) -> None:
    before.pop("wanted", None)
    text = json.dumps({**before, "wanted": [value], "after": 1}).encode()
    at, passed = member(text, 0, "wanted")
    assert at is not None
    assert [parsed(text[begin:end]) for begin, end in elements(text, at)] == [value]
    assert {name: parsed(text[slice(*span)]) for name, span in passed.items()} == before


@given(st.lists(JSON, min_size=1, max_size=3), st.data())
def test_a_text_that_was_cut_is_unusable_and_nothing_worse(values: list[object], data: st.DataObject) -> None:
    text = json.dumps([values]).encode()
    cut = text[: data.draw(st.integers(1, len(text) - 1))]
    with pytest.raises(Unusable):
        list(elements(cut, 0))


def test_no_object_has_no_member() -> None:
    assert member(b"[1]", 0, "log") == (None, {})
    assert member(b"", 0, "log") == (None, {})


def test_lone_surrogates_go_both_ways() -> None:
    value = {"text": "\ud800", "number": 1}
    assert parsed(written(value)) == value
