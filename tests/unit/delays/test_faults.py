"""What each fault sends and how it ends, as tables."""

from __future__ import annotations

import pytest

from mockforge.delays.faults import FAULTS, Fault
from mockforge.delays.pacing import ALL_AT_ONCE, Answer, Finish, InMemory, Pace, Spread

MS = 1_000_000
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"
BODY = b"0123456789"


def played(
    kind: str,
    *,
    after: int | None = None,
    duration_ms: int | None = None,
    body: bytes = BODY,
    pace: Pace = ALL_AT_ONCE,
) -> tuple[list[tuple[float, bytes]], Finish]:
    duration_ns = None if duration_ms is None else duration_ms * MS
    fault = Fault(kind, after, duration_ns, b"noise")
    script = FAULTS[kind].play(fault, Answer.of(HEAD, InMemory(body), pace))
    return [(at_ns / MS, bytes(data)) for at_ns, data in script.pieces], script.finish


def test_a_reset_and_an_empty_response_send_nothing() -> None:
    assert played("CONNECTION_RESET_BY_PEER") == ([], Finish.RESETS)
    assert played("EMPTY_RESPONSE") == ([], Finish.CLOSES)


def test_a_malformed_chunk_is_a_head_and_then_noise() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert played("MALFORMED_RESPONSE_CHUNK") == ([(0, head + b"noise")], Finish.CLOSES)


def test_random_data_is_noise_alone() -> None:
    assert played("RANDOM_DATA_THEN_CLOSE") == ([(0, b"noise")], Finish.CLOSES)


@pytest.mark.parametrize(
    ("after", "sent"),
    [
        (0, b""),
        (7, HEAD[:7]),
        (len(HEAD) + 3, HEAD + b"012"),
        (9_999, HEAD + BODY),
        (None, (HEAD + BODY)[: (len(HEAD) + 10) // 2]),
    ],
)
def test_a_reset_after_so_many_bytes_counts_the_head_too(after: int | None, sent: bytes) -> None:
    pieces, finish = played("RESET_AFTER_BYTES", after=after)
    assert b"".join(data for _, data in pieces) == sent
    assert finish is Finish.RESETS


@pytest.mark.parametrize(("after", "sent"), [(0, b""), (3, b"012"), (None, b"01234"), (9_999, BODY)])
def test_a_truncated_body_has_the_whole_head_and_counts_the_body(after: int | None, sent: bytes) -> None:
    pieces, finish = played("TRUNCATED_BODY", after=after)
    assert b"".join(data for _, data in pieces) == HEAD + sent
    assert finish is Finish.CLOSES


def test_a_body_is_truncated_at_its_own_pace() -> None:
    pieces, _ = played("TRUNCATED_BODY", after=5, pace=Spread(100 * MS, 5))
    assert pieces == [(0, HEAD), (20, b"01"), (40, b"23"), (60, b"4")]


def test_no_response_holds_for_ever_or_closes_after_its_time() -> None:
    assert played("NO_RESPONSE") == ([], Finish.HOLDS)
    assert played("NO_RESPONSE", duration_ms=500) == ([(500, b"")], Finish.CLOSES)


def test_slow_headers_go_byte_by_byte_and_the_body_follows_as_it_would_have() -> None:
    pieces, finish = played("SLOW_HEADERS", duration_ms=len(HEAD), pace=Spread(100 * MS, 2))
    assert pieces[: len(HEAD)] == [(number, HEAD[number - 1 : number]) for number in range(1, len(HEAD) + 1)]
    assert pieces[len(HEAD) :] == [(len(HEAD) + 50, b"01234"), (len(HEAD) + 100, b"56789")]
    assert finish is Finish.STAYS


@pytest.mark.parametrize("kind", FAULTS)
def test_every_fault_can_do_with_an_answer_without_a_body(kind: str) -> None:
    pieces, _ = played(kind, body=b"")
    assert [at for at, _ in pieces] == sorted(at for at, _ in pieces)
