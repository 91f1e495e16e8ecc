"""When each byte is due, as tables: no clock and no transport."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockforge.delays.pacing import ALL_AT_ONCE, SLICE, Answer, Finish, InMemory, Pace, Piece, Rate, Spread

MS = 1_000_000


def table(pieces: Iterable[Piece]) -> list[tuple[float, bytes]]:
    return [(at_ns / MS, bytes(data)) for at_ns, data in pieces]


def answer(body: bytes, pace: Pace = ALL_AT_ONCE) -> Answer:
    return Answer.of(b"head\r\n\r\n", InMemory(body), pace)


def test_an_answer_at_once_is_one_piece_with_its_head() -> None:
    assert table(answer(b"body").pieces()) == [(0, b"head\r\n\r\nbody")]
    assert table(answer(b"").pieces()) == [(0, b"head\r\n\r\n")]
    assert answer(b"body").script().finish is Finish.STAYS


def test_a_large_body_at_once_goes_slice_by_slice() -> None:
    sizes = [count for _, count in ALL_AT_ONCE.cuts(2 * SLICE + 1)]
    assert sizes == [SLICE, SLICE, 1]


def test_a_dribble_sends_the_head_at_once_and_its_last_chunk_at_the_end() -> None:
    pieces = table(answer(b"0123456789", Spread(1_000 * MS, 4)).pieces())
    assert pieces == [(0, b"head\r\n\r\n"), (250, b"01"), (500, b"23"), (750, b"45"), (1_000, b"6789")]


def test_a_dribble_of_more_chunks_than_bytes_goes_byte_by_byte() -> None:
    assert list(Spread(100 * MS, 8).cuts(2)) == [(50 * MS, 1), (100 * MS, 1)]


def test_a_rate_makes_each_byte_due_when_it_would_be_through() -> None:
    assert list(Rate(100).cuts(5)) == [(20 * MS, 2), (40 * MS, 2), (50 * MS, 1)]
    assert max(count for _, count in Rate(1e12).cuts(3 * SLICE)) == SLICE


@given(
    size=st.integers(0, 3 * SLICE),
    pace=st.builds(Spread, st.integers(0, 10**12), st.none() | st.integers(1, 99))
    | st.builds(Rate, st.floats(1_000, 1e12)),
)
def test_every_pace_sends_all_bytes_in_rising_time(size: int, pace: Pace) -> None:
    cuts = list(pace.cuts(size))
    times = [at_ns for at_ns, _ in cuts]
    assert sum(count for _, count in cuts) == size
    assert all(count > 0 for _, count in cuts)
    assert times == sorted(times)


@pytest.mark.parametrize("size", [1, 7, 16, 1_000, 20 * SLICE])
def test_a_body_whose_time_is_given_is_out_at_that_time_in_pieces_of_a_slice_at_most(size: int) -> None:
    cuts = list(Spread(300 * MS).cuts(size))
    assert len(cuts) == max(min(16, size), -(-size // SLICE))
    assert cuts[-1][0] == 300 * MS
    assert max(count for _, count in cuts) <= SLICE


def test_a_short_time_has_few_pieces() -> None:
    assert list(Spread(4 * MS).cuts(100)) == [(4 * MS, 100)]
    assert [at_ns for at_ns, _ in Spread(12 * MS).cuts(100)] == [6 * MS, 12 * MS]
