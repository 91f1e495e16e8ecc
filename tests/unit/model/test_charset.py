"""Which charsets are known, and what is left of a content type whose charset is not."""

from __future__ import annotations

import pytest

from mockforge.model.charset import unknown_charset, without_unknown_charset
from mockforge.model.headers import Headers


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "text/html; charset=utf-8",
        'text/html;charset="ISO-8859-1"',
        "a/b; q=1; Charset=Shift_JIS",
    ],
)
def test_known_charsets_and_none_are_fine(content_type: str) -> None:
    assert unknown_charset(content_type) is None


@pytest.mark.parametrize(
    ("content_type", "name"),
    [
        ("text/plain; charset=utf-88", "utf-88"),
        ("text/plain;charset='nope'; q=1", "nope"),
        ("text/plain; charset=", ""),
    ],
)
def test_a_charset_that_nobody_knows_is_told(content_type: str, name: str) -> None:
    assert unknown_charset(content_type) == name


def test_only_the_unknown_charset_is_left_out() -> None:
    headers = Headers((("Content-Type", "text/plain; charset=utf-88; q=1"), ("X-A", "; charset=utf-88")))
    assert without_unknown_charset(headers).pairs == (
        ("Content-Type", "text/plain; q=1"),
        ("X-A", "; charset=utf-88"),
    )
    known = Headers((("Content-Type", "text/plain; charset=utf-8"),))
    assert without_unknown_charset(known) is known
