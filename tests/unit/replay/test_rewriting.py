"""What a replay changes in requests when it is told to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from mockforge.errors import UsageError
from mockforge.model.exchange import Request
from mockforge.model.headers import Headers
from mockforge.replay.rewriting import Rewriting, Shift, parse_fields

RECORDED = datetime(2026, 3, 30, 12, 0, tzinfo=UTC)
SHIFT = Shift(timedelta(days=2, hours=3, seconds=4), RECORDED)
UNIX = int(RECORDED.timestamp())
BY_S = (2 * 24 + 3) * 3600 + 4


@pytest.mark.parametrize(
    ("text", "moved"),
    [
        ("2026-03-30", "2026-04-01"),
        ("from=2026-03-30&to=2026-03-31", "from=2026-04-01&to=2026-04-02"),
        ("2026-03-30T22:00:00Z", "2026-04-02T01:00:04Z"),
        ("2026-03-30T22:00:00.123+02:00", "2026-04-02T01:00:04.123+02:00"),
        ("2026-03-30 22:00", "2026-04-02 01:00"),
        ("at=2026-03-30T22%3A00%3A00Z", "at=2026-04-02T01%3A00%3A04Z"),
        (f'"ts": {UNIX}', f'"ts": {UNIX + BY_S}'),
        (f"t={UNIX}123", f"t={UNIX * 1000 + 123 + BY_S * 1000}"),
        ("0123456789", "0123456789"),  # 1973
        (f"{UNIX}.5", f"{UNIX}.5"),
        (f"id-{UNIX}", f"id-{UNIX}"),
        ("2026-13-45", "2026-13-45"),
        ("12026-03-30", "12026-03-30"),
    ],
)
def test_dates_move_and_keep_how_they_are_written(text: str, moved: str) -> None:
    assert SHIFT.text(text) == moved


def test_dates_move_in_the_target_and_in_text_bodies() -> None:
    typed = Headers((("Content-Type", "application/json; charset=utf-8"),))
    request = Request("POST", "/a?d=2026-03-30", typed, '{"d": "2026-03-30", "ü": 1}'.encode())
    moved = Rewriting(shift=SHIFT).moved(request)
    assert moved.target == "/a?d=2026-04-01"
    assert moved.body == '{"d": "2026-04-01", "ü": 1}'.encode()
    picture = Request("POST", "/a", Headers((("Content-Type", "image/png"),)), b"2026-03-30")
    assert Rewriting(shift=SHIFT).moved(picture) is picture


def test_given_fields_replace_and_add() -> None:
    request = Request("GET", "/", Headers((("Authorization", "old"),)))
    rewriting = Rewriting((("Authorization", "new"), ("X-Run", "7")))
    assert rewriting.with_given_fields(request).headers.pairs == (("Authorization", "new"), ("X-Run", "7"))


def test_a_fields_value_may_come_from_the_environment() -> None:
    environment = {"TOKEN": "t0p"}
    assert parse_fields(["A: env:TOKEN", "B:Bearer env:TOKEN", "C: x env:y z"], environment) == (
        ("A", "t0p"),
        ("B", "Bearer t0p"),
        ("C", "x env:y z"),
    )


@pytest.mark.parametrize(
    ("option", "why"),
    [
        ("no colon", "not of the form"),
        ("A: env:MISSING", "the variable MISSING, which is not set"),
        ("Host: x", "cannot set Host"),
        ("content-length: 3", "cannot set content-length"),
    ],
)
def test_a_field_that_cannot_be_set_is_refused_without_its_value(option: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        parse_fields([option], {"TOKEN": "t0p"})
