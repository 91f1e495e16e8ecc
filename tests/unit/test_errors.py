"""Errors are one line for a person, and know their exit code."""

from __future__ import annotations

import re

import pytest

from mockforge import errors
from mockforge.errors import MockForgeError, StubFileError


@pytest.mark.parametrize(
    ("where", "hint", "line"),
    [
        (None, None, "shares add up to 0.9"),
        ("stubs/a.yaml:7", None, "stubs/a.yaml:7: shares add up to 0.9"),
        (None, "make them 1", "shares add up to 0.9 (make them 1)"),
        ("stubs/a.yaml:7", "make them 1", "stubs/a.yaml:7: shares add up to 0.9 (make them 1)"),
    ],
)
def test_an_error_says_where_what_and_what_would_work(where: str | None, hint: str | None, line: str) -> None:
    assert str(MockForgeError("shares add up to 0.9", where=where, hint=hint)) == line


def test_a_stub_file_error_carries_every_problem() -> None:
    error = StubFileError("2 stubs cannot be served", problems=("a.yaml:1: no", "a.yaml:9: nor this"))
    assert error.problems == ("a.yaml:1: no", "a.yaml:9: nor this")
    assert StubFileError("one").problems == ()


def test_the_tree_drawn_in_the_docstring_is_the_tree() -> None:
    drawn = dict(re.findall(r"^\W*(\w+Error)\s+(\d)", errors.__doc__ or "", re.MULTILINE))
    classes = [getattr(errors, name) for name in errors.__all__ if name.endswith("Error")]
    assert drawn == {each.__name__: str(each.exit_code) for each in classes}
    assert all(each.__base__ is MockForgeError for each in classes if each is not MockForgeError)


def test_exit_codes_tell_the_verdicts_apart_from_bad_input() -> None:
    codes = (errors.EXIT_OK, errors.EXIT_OUTSIDE, errors.EXIT_USAGE, errors.EXIT_INCONCLUSIVE)
    assert codes == (0, 1, 2, 3)
