"""Moments in every spelling are the same nanosecond."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockforge.recording.foreign.instants import clf_ns, epoch_ns, iso_ns, iso_of, scaled_ns
from mockforge.recording.foreign.unusable import Unusable

NS = 1_795_514_400_123_456_789


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-24T10:00:00.123456789Z",
        "2026-11-24 10:00:00,123456789",
        "2026-11-24T12:00:00.123456789+02:00",
        "2026-11-24T05:00:00.123456789-0500",
    ],
)
def test_iso_times_are_exact_and_utc_where_they_have_no_zone(text: str) -> None:
    assert iso_ns(text) == NS


@given(st.integers(-(1 << 62), (1 << 63) - 1))
def test_what_is_written_is_read(ns: int) -> None:
    assert iso_ns(iso_of(ns)) == ns


@pytest.mark.parametrize(
    "value", ["1795514400.123456789", "1795514400123.456789", str(NS), "1795514400123456.789"]
)
def test_the_size_of_a_number_tells_its_unit(value: str) -> None:
    assert epoch_ns(value, None) == NS


def test_a_small_number_is_no_time_unless_its_unit_is_said() -> None:
    with pytest.raises(Unusable, match="--time-unit"):
        epoch_ns("12.5", None)
    assert epoch_ns("12.5", 1_000_000_000) == 12_500_000_000


def test_the_time_of_access_logs_is_read_with_its_zone() -> None:
    assert clf_ns("24/Nov/2026:12:00:00 +0200") == NS // 1_000_000_000 * 1_000_000_000


@pytest.mark.parametrize("text", ["", "24/Foo/2026:12:00:00 +0200", "31/Feb/2026:12:00:00 +0000"])
def test_no_time_is_said_to_be_none(text: str) -> None:
    with pytest.raises(Unusable):
        clf_ns(text)
    with pytest.raises(Unusable):
        iso_ns(text)


@pytest.mark.parametrize("value", ["", "abc", "nan", "inf", float("nan")])
def test_no_number_is_said_to_be_none(value: str | float) -> None:
    with pytest.raises(Unusable):
        scaled_ns(value, 1000)
