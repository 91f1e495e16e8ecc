"""Which header fields pass, and how their bytes survive aiohttp."""

from __future__ import annotations

import pytest

from mockforge.model.headers import Headers
from mockforge.proxy.fields import end_to_end, for_target, from_wire_text, to_wire_text


def test_order_case_and_repeats_are_kept() -> None:
    raw = [(b"X-b", b"1"), (b"accept", b"*/*"), (b"x-B", b"2"), (b"X-Empty", b"")]
    assert end_to_end(raw).raw() == raw


def test_what_speaks_of_one_connection_is_left_out() -> None:
    raw = [
        (b"Connection", b"keep-alive, X-Private"),
        (b"Keep-Alive", b"timeout=5"),
        (b"x-private", b"1"),
        (b"Transfer-Encoding", b"chunked"),
        (b"Upgrade", b"h2c"),
        (b"TE", b"trailers"),
        (b"Expect", b"100-continue"),
        (b"X-Public", b"2"),
    ]
    assert end_to_end(raw).raw() == [(b"X-Public", b"2")]


@pytest.mark.parametrize(
    ("sent", "passed"),
    [
        ((("Accept", "a"), ("host", "me:80")), [("host", "there:9000"), ("Accept", "a")]),
        ((("Host", "me"), ("Host", "you")), [("Host", "there:9000")]),
        ((("X-b", "1"), ("x-B", "2")), [("Host", "there:9000"), ("X-b", "1"), ("X-b", "2")]),
        ((("Accept", "a"),), [("Host", "there:9000"), ("Accept", "a")]),
    ],
)
def test_the_target_gets_its_own_host_once(
    sent: tuple[tuple[str, str], ...], passed: list[tuple[str, str]]
) -> None:
    assert for_target(Headers(sent), "there:9000") == passed


@pytest.mark.parametrize("raw", [b"/a?q=%20", "/caf\u00e9".encode(), b"/\xe4\xff", b""])
def test_the_bytes_of_a_target_survive(raw: bytes) -> None:
    as_aiohttp_reads = raw.decode("utf-8", "surrogateescape")
    ours = from_wire_text(as_aiohttp_reads)
    assert ours.encode("latin-1") == raw
    assert to_wire_text(ours) == as_aiohttp_reads
