from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockforge.stubfiles.json_text import parse_json
from mockforge.stubfiles.problems import Loc, RefusedError

TEXT = """{
  "mappings": [
    {"name": "a", "x": [1, [], {}, "]}"],
     "y\\"": {"b": 1,
              "c": [2,
                    {"d": 3}]}},
    {"name": "z",
     "y\\"": 4}, 5],
  "other": {"mappings": [
    1]}
}"""


@pytest.mark.parametrize(
    ("loc", "line"),
    [
        ((), 1),
        (("mappings",), 2),
        (("mappings", 0), 3),
        (("mappings", 0, "x", 3), 3),
        (("mappings", 0, 'y"'), 4),
        (("mappings", 0, 'y"', "c"), 5),
        (("mappings", 0, 'y"', "c", 1, "d"), 6),
        (("mappings", 0, 'y"', "nowhere"), 4),
        (("mappings", 1), 7),
        (("mappings", 1, 'y"'), 8),
        (("mappings", 2), 8),
        (("mappings", 2, "x"), 8),
        (("mappings", 9), 2),
        (("other", "mappings", 0), 10),
    ],
)
def test_a_line_is_that_of_the_deepest_key_that_is_written(loc: Loc, line: int) -> None:
    assert parse_json(TEXT).line(loc) == line


def test_keys_that_stand_twice_are_refused_wherever_they_are() -> None:
    parsed = parse_json('{"a": {"b": 1,\n"b": 2}, "c": [{"b": 1}, {"b": 1}],\n"\\u0061": 3}')
    assert [(refused.line, refused.what) for refused in parsed.refused] == [
        (2, "key 'b' stands twice"),
        (3, "key 'a' stands twice"),
    ]


@pytest.mark.parametrize(("text", "line"), [("", 1), ('{"a": 1', 1), ('{\n"a": 1,\n}', 2), ("{'a': 1}", 1)])
def test_text_that_is_not_json_is_refused_in_one_line(text: str, line: int) -> None:
    with pytest.raises(RefusedError, match=r"^is not JSON: [^\n]+$") as caught:
        parse_json(text)
    assert caught.value.line == line


def test_json_that_is_nested_too_deeply_is_refused() -> None:
    with pytest.raises(RefusedError, match="is not JSON"):
        parse_json("[" * 10_000 + "]" * 10_000)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(0, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
def test_every_value_is_found_on_its_line(value: object) -> None:
    """One value a line: what stands at the line that is told begins with the value's own key or text."""
    text = json.dumps(value, indent=1)
    parsed = parse_json(text)
    assert parsed.refused == ()
    lines = text.split("\n")
    for loc, inner in places(value, ()):
        line = lines[parsed.line(loc) - 1].strip()
        own = json.dumps(inner, indent=1).split("\n")[0]
        last = loc[-1] if loc else None
        assert line.rstrip(",") == (f"{json.dumps(last)}: {own}" if isinstance(last, str) else own)


def places(value: object, loc: Loc) -> list[tuple[Loc, object]]:
    found = [(loc, value)]
    if isinstance(value, dict):
        found += [each for key, inner in value.items() for each in places(inner, (*loc, key))]
    if isinstance(value, list):
        found += [each for index, inner in enumerate(value) for each in places(inner, (*loc, index))]
    return found
