"""Header fields keep their order, their case and their repetitions."""

from __future__ import annotations

from mockforge.model.headers import HOP_BY_HOP, Headers

FIELDS = Headers((("Set-Cookie", "a=1"), ("X-Id", "7"), ("set-cookie", "b=2")))


def test_names_compare_without_case_and_the_first_value_counts() -> None:
    assert FIELDS.get("SET-COOKIE") == "a=1"
    assert FIELDS.get_all("Set-cookie") == ["a=1", "b=2"]


def test_an_absent_name_gives_the_default() -> None:
    assert FIELDS.get("Via") is None
    assert FIELDS.get("Via", "none") == "none"
    assert FIELDS.get_all("Via") == []


def test_without_drops_every_field_of_a_name_and_leaves_the_original() -> None:
    assert FIELDS.without(["SET-cookie", "Via"]).pairs == (("X-Id", "7"),)
    assert len(FIELDS.pairs) == 3


def test_every_byte_survives_the_way_in_and_out() -> None:
    raw = [(b"X-Bytes", bytes(range(32, 256))), (b"x-bytes", b"")]
    assert Headers.from_raw(raw).raw() == raw


def test_fields_of_one_connection_are_listed_in_lower_case() -> None:
    assert {"connection", "transfer-encoding", "upgrade"} <= HOP_BY_HOP
    assert all(name == name.lower() for name in HOP_BY_HOP)
