"""Pseudonyms: equal for equal secrets, like the original in shape, recognised, and of one key."""

from __future__ import annotations

import re
import uuid
from random import Random

import pytest

from mockforge.recording.redaction.cards import card_numbers, is_card_number
from mockforge.recording.redaction.pseudonyms import Pseudonyms, passes_luhn

OURS = Pseudonyms(bytes(range(32)))
THEIRS = Pseudonyms(bytes(32))


@pytest.mark.parametrize(
    ("secret", "shape"),
    [
        ("x", r"[g-zG-Z]\w{19}"),
        ("hunter2-and-much-longer", r"[g-zG-Z]\w{22}"),
        ("17", r"\d{24}"),
        ("1" * 30, r"\d{30}"),
        ("deadbeef", r"[a-f][0-9a-f]{23}"),
        ("0123456789abcdef" * 2, r"[a-f][0-9a-f]{31}"),
        ("0123456789ABCDEF" * 2, r"[A-F][0-9A-F]{31}"),
        (
            "7b4fae0e-5d3c-4b5e-8d9f-0123456789ab",
            r"[a-f][0-9a-f]{7}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}",
        ),
        ("YWJjZGVmZ2hpamtsbW5vcA==", r"\w{22}=="),
        ("é" * 30, r"\w{30}"),
        ("x" * 5000, r"\w{1024}"),
    ],
)
def test_a_pseudonym_is_of_the_secrets_shape(secret: str, shape: str) -> None:
    made = OURS.opaque(secret)
    assert re.fullmatch(shape, made, re.ASCII)
    assert OURS.opaque(made) == made
    assert THEIRS.opaque(secret) != made
    assert THEIRS.opaque(made) != made


def test_nothing_stays_nothing() -> None:
    assert OURS.opaque("") == ""


@pytest.mark.parametrize("digits", ["1", "-5", "3.1e4", "123456789012345678"])
def test_the_pseudonym_of_a_number_is_one_that_every_program_holds(digits: str) -> None:
    made = OURS.number(digits)
    assert float(made) == int(made) < 2**53
    assert OURS.number(made) == made
    assert THEIRS.number(made) != made


def test_an_address_has_one_pseudonym_in_every_case() -> None:
    made = OURS.email("Jane@Example.com")
    assert made == OURS.email("jane@example.com") == OURS.email(made)
    assert made != OURS.email("joan@example.com")


@pytest.mark.parametrize(
    "digits",
    [
        "4111111111111111",
        "4222222222222",
        "5555555555554444",
        "378282246310005",
        "30569309025904",
        "6011111111111117",
        "3530111333300000",
        "2223003122003222",
        "6200000000000005",
        "4000000000000000006",
    ],
)
def test_a_card_number_keeps_first_digit_length_and_luhn(digits: str) -> None:
    assert is_card_number(digits)
    made = OURS.card(digits)
    assert (made[0], len(made), passes_luhn(made)) == (digits[0], len(digits), True)
    assert made[1:6] != digits[1:6]
    assert OURS.card(made) == made


def test_few_card_numbers_are_taken_for_pseudonyms_and_few_share_one() -> None:
    random = Random(17)
    bodies = {f"4{random.randrange(10**14):014}" for _ in range(300)}
    numbers = {next(f"{body}{last}" for last in range(10) if passes_luhn(f"{body}{last}")) for body in bodies}
    made = {OURS.card(number) for number in numbers}
    assert len(made) == len(numbers)
    assert not made & numbers


def test_different_secrets_have_different_pseudonyms() -> None:
    for secrets in (
        [str(each) for each in range(5000)],
        [f"{each:08x}" for each in range(5000)],
        [f"user-{each}" for each in range(5000)],
        [str(uuid.UUID(int=each)) for each in range(5000)],
    ):
        assert len({OURS.opaque(each) for each in secrets}) == len(secrets)


def test_an_access_key_keeps_its_kind() -> None:
    made = OURS.access_key("ASIAIOSFODNN7EXAMPLE")
    assert re.fullmatch("ASIA[A-Z2-7]{16}", made)
    assert OURS.access_key(made) == made


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\\n", "\\r\\n"])
def test_a_key_block_keeps_its_line_ends_and_is_the_same_with_all(line_end: str) -> None:
    made = OURS.key_block(f"{line_end}AAAA{line_end}BBBB{line_end}")
    assert made == line_end + OURS.key_block("\nAAAA\nBBBB\n").strip() + line_end
    assert OURS.key_block(made) == made


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("4111111111111111", ["4111111111111111"]),
        ("4111 1111 1111 1111 12 30 737", ["4111 1111 1111 1111"]),
        ("17 4111-1111-1111-1111", ["4111-1111-1111-1111"]),
        ("4111111111111111 5555555555554444", ["4111111111111111", "5555555555554444"]),
        ("no. 4111111111111111.", ["4111111111111111"]),
        ("pan_4111111111111111,", ["4111111111111111"]),
        ("41111111111111111111", []),
        ("a4111111111111111", []),
        ("4111111111111111b", []),
        ("0.4111111111111111", []),
        ("4111111111111112", []),
        ("9111111111111111", []),
        ("1700000000000", []),
        ("99-4111-1111-1111-1111", ["4111-1111-1111-1111"]),
        ("3782 822463 10005 x", ["3782 822463 10005"]),
        ("4111111111111111 123", ["4111111111111111"]),
        ("41111111-1111-1111", []),
        ("4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", []),
        ("4111  1111  1111  1111", []),
        ("41111111-1111-4111-8111-111111111111", []),
    ],
)
def test_card_numbers_are_found_where_they_stand(text: str, found: list[str]) -> None:
    assert [text[start:end] for start, end in card_numbers(text, 0, len(text))] == found
