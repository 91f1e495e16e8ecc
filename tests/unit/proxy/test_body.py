"""Where bodies end, and what is kept of them."""

from __future__ import annotations

import pytest

from mockforge.proxy.body import Body, body_of
from mockforge.proxy.head import CHUNKED, UNTIL_CLOSE, MalformedError

CHUNKS = b'3;a="b"\r\nabc\r\n0A\r\n0123456789\r\n0\r\nX-Sum: 1\r\nx-other: \xe9\r\n\r\n'


def fed(body: Body | None, *reads: bytes) -> Body:
    assert body is not None
    for data in reads:
        assert body.feed(data, 0) == len(data)
    return body


def test_a_body_of_no_bytes_is_none() -> None:
    assert body_of(0, 10) is None


def test_a_body_ends_at_its_length_and_leaves_what_follows() -> None:
    body = body_of(5, 10)
    assert body
    assert body.feed(b"..abc", 2) == 5
    assert not body.done
    assert body.feed(b"deGET", 0) == 2
    assert (body.done, body.kept, body.size, body.omitted) == (True, b"abcde", 5, 0)


@pytest.mark.parametrize("step", [1, 2, 3, 7, 1000])
def test_chunks_are_joined_and_trailers_read_however_they_are_cut(step: int) -> None:
    body = body_of(CHUNKED, 100)
    assert body
    data = CHUNKS + b"HTTP/1.1"
    taken = 0
    for at in range(0, len(data), step):
        read = data[at : at + step]
        taken += body.feed(read, 0)
        if body.done:
            break
    assert taken == len(CHUNKS)
    assert body.kept == b"abc0123456789"
    assert body.trailers.pairs == (("X-Sum", "1"), ("x-other", "\xe9"))


def test_line_ends_may_lack_their_carriage_return() -> None:
    body = fed(body_of(CHUNKED, 100), b"3\nabc\n0\n\n")
    assert (body.done, body.kept) == (True, b"abc")


@pytest.mark.parametrize(
    "data",
    [
        b"x\r\n",
        b"\r\n",
        b"-1\r\n",
        b"0x3\r\n",
        b"3\r\nabcd\r\n",
        b"1" * 70_000,
        b"0\r\n" + b"a: b\r\n" * 20_000,
    ],
)
def test_what_is_no_chunk_is_malformed(data: bytes) -> None:
    body = body_of(CHUNKED, 100)
    assert body
    with pytest.raises(MalformedError):
        body.feed(data, 0)


def test_a_body_without_a_length_takes_all_that_comes() -> None:
    body = fed(body_of(UNTIL_CLOSE, 100), b"abc", b"0\r\n\r\n")
    assert (body.done, body.kept) == (False, b"abc0\r\n\r\n")


@pytest.mark.parametrize(
    ("length", "data"), [(6, b"abcdef"), (CHUNKED, b"6\r\nabcdef\r\n0\r\n\r\n"), (UNTIL_CLOSE, b"abcdef")]
)
def test_a_body_above_the_limit_is_counted_and_nothing_of_it_kept(length: int, data: bytes) -> None:
    whole = fed(body_of(length, 6), data)
    assert (whole.kept, whole.omitted) == (b"abcdef", 0)
    counted = fed(body_of(length, 5), data[:4], data[4:])
    assert (counted.kept, counted.omitted, counted.size) == (b"", 6, 6)
