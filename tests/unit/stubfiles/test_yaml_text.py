from __future__ import annotations

from typing import Any

import pytest

from mockforge.stubfiles.problems import RefusedError
from mockforge.stubfiles.written import Scalar, plain_json
from mockforge.stubfiles.yaml_text import parse_yaml


@pytest.mark.parametrize(
    "text", ["no", "on", "Yes", "2024-01-01", "007", "0x1F", "1_000", ".inf", "12:30:45", "="]
)
def test_what_looks_like_a_string_is_one(text: str) -> None:
    assert parse_yaml(f"a: {text}").value == {"a": text}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-7", -7),
        ("1.5", 1.5),
        ("true", True),
        ("false", False),
        ("~", None),
        ("null", None),
        ("", None),
    ],
)
def test_plain_scalars_have_their_values(text: str, value: object) -> None:
    assert parse_yaml(f"a: {text}").value == {"a": value}


@pytest.mark.parametrize(
    ("text", "value"),
    [("1.10", 1.1), ("+1", 1), ("1e3", 1000.0), (".5", 0.5), ("True", True), ("FALSE", False)],
)
def test_a_spelling_that_its_value_would_lose_is_kept(text: str, value: float | bool) -> None:
    parsed = parse_yaml(f"a: {text}").value
    assert parsed == {"a": Scalar(value, text)}
    assert plain_json(parsed) == {"a": value}


def test_quoted_and_tagged_scalars_are_strings() -> None:
    assert parse_yaml("['1', \"true\", !!str 1.10, !!str true]").value == ["1", "true", "1.10", "true"]


def test_keys_are_strings_as_written() -> None:
    assert parse_yaml("{1: a, 1.10: b, true: c, ~: d}").value == {
        "1": "a",
        "1.10": "b",
        "true": "c",
        "~": "d",
    }


def test_anchors_and_merges_are_followed() -> None:
    value = parse_yaml("a: &a {x: 1, y: 1}\nb: *a\nc: {<<: *a, y: 2}\nd: {<<: [{x: 3}, *a]}\n").value
    assert isinstance(value, dict)
    assert value["b"] == {"x": 1, "y": 1}
    assert value["c"] == {"x": 1, "y": 2}
    assert value["d"] == {"x": 3, "y": 1}


def test_keys_that_stand_twice_are_refused_wherever_they_are() -> None:
    parsed = parse_yaml("a:\n  b: 1\n  c: 2\n  b: 3\na: 1\n")
    assert [(refused.line, refused.what) for refused in parsed.refused] == [
        (4, "key 'b' stands twice, first on line 2"),
        (5, "key 'a' stands twice, first on line 1"),
    ]


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("a: b: c", 1, "is not YAML: mapping values are not allowed in this context"),
        ("a: 1\n\tb: 2", 2, "is not YAML: "),
        ("a: [1, 2\nb: 3\n", 2, "is not YAML: "),
        ("a: 'b\n\n", 3, "is not YAML: "),
        ("a: 1\n---\nb: 2", 2, "holds more than one document"),
        ("a: *b", 1, "is not YAML: found undefined alias"),
        ("a: 1\nb: \x07", 2, "is not YAML: character U+0007 is not allowed"),
    ],
)
def test_text_that_is_not_yaml_is_refused_in_one_line(text: str, line: int, what: str) -> None:
    with pytest.raises(RefusedError) as caught:
        parse_yaml(text)
    assert caught.value.line == line
    assert caught.value.what.startswith(what)
    assert "\n" not in f"{caught.value.what} {caught.value.hint}"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("a: !python/name:os.system x", "tag !python/name:os.system is not supported"),
        ("a: !!binary aGk=", "tag tag:yaml.org,2002:binary is not supported"),
        ("a: !!int x", "'x' is no int"),
        ("a: !!bool yes", "'yes' is no bool"),
        ("? [a]\n: b", "a key must be a string"),
        ("<<: 1", "<< merges mappings only"),
    ],
)
def test_what_no_stub_file_needs_is_refused(text: str, what: str) -> None:
    (refused,) = parse_yaml(text).refused
    assert (refused.what, refused.line) == (what, 1)


def test_aliases_that_multiply_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mockforge.stubfiles.yaml_text._MOST_VALUES", 10_000)
    levels = "\n".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 9))
    with pytest.raises(RefusedError, match="holds more than 10,000 values"):
        parse_yaml(f"l0: &l0 [x]\n{levels}")


@pytest.mark.parametrize("text", ["a: &a [*a]", "a: &a {b: *a}", "[" * 10_000 + "]" * 10_000])
def test_what_never_ends_is_refused(text: str) -> None:
    with pytest.raises(RefusedError):
        parse_yaml(text)


def test_a_line_is_that_of_the_deepest_key_that_is_written() -> None:
    line: Any = parse_yaml("a:\n  b:\n    - c: 1\n      d: 2\n    - e\n").line
    assert line(()) == 1
    assert line(("a", "b", 0, "d")) == 4
    assert line(("a", "b", 1)) == 5
    assert line(("a", "b", 7)) == 2
    assert line(("a", "b", 0, "x", "y")) == 3
    assert line(("z",)) == 1
