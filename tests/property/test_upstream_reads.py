"""However the network cuts an upstream's answer, the same answer is heard."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from mockforge.model.headers import Headers
from mockforge.model.upstream import UpstreamHead
from mockforge.proxy.failure import Failure
from mockforge.proxy.upstream_connection import UpstreamConnection

#: Method, bytes, and what is heard: statuses, body, trailers, whether the connection can go on.
ANSWERS: list[tuple[str, bytes, list[int], bytes, bool]] = [
    ("GET", b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nHTT", [200], b"HTT", True),
    ("GET", b"\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", [200], b"", True),
    ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", [200], b"", True),
    ("GET", b"HTTP/1.1 304 \r\nContent-Length: 9\r\n\r\n", [304], b"", True),
    (
        "GET",
        b"HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\n\r\n\r\n1\r\nx\r\n0\r\nT: 1\r\n\r\n",
        [200],
        b"\r\nx",
        True,
    ),
    (
        "GET",
        b"HTTP/1.1 100 Go\r\n\r\nHTTP/1.1 103 Soon\r\nLink: a\r\n\r\nHTTP/1.1 500 No\nContent-Length: 1\n\nx",
        [100, 103, 500],
        b"x",
        True,
    ),
    ("GET", b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx", [200], b"x", False),
    ("GET", b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", [200], b"x", False),
    ("GET", b"HTTP/1.1 200 OK\r\n\r\nto the end", [200], b"to the end", False),
]


class Transport(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        pass

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed


class Trip:
    def __init__(self, method: str) -> None:
        self.method = method
        self.statuses: list[int] = []
        self.body = b""
        self.reusable: bool | None = None
        self.failure: Failure | None = None

    def heard(self) -> None:
        pass

    def on_interim(self, head: UpstreamHead) -> None:
        self.statuses.append(head.status)

    def on_head(self, head: UpstreamHead) -> None:
        self.statuses.append(head.status)

    def on_body(self, data: bytes) -> None:
        self.body += data

    def on_read(self) -> None:
        assert self.reusable is None

    def ended(self, trailers: Headers, *, reusable: bool) -> None:
        assert self.reusable is None
        self.reusable = reusable

    def failed(self, failure: Failure, *, stale: bool = False) -> None:
        self.failure = failure


@settings(deadline=None)
@given(st.sampled_from(ANSWERS), st.lists(st.integers(0, 120), max_size=6))
def test_any_cut_is_heard_alike(answer: tuple[str, bytes, list[int], bytes, bool], cuts: list[int]) -> None:
    method, data, statuses, body, reusable = answer
    connection, trip = UpstreamConnection(lambda _: None), Trip(method)
    connection.connection_made(Transport())
    connection.send(trip, b"")
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    for begin, end in itertools.pairwise(places):
        connection.data_received(data[begin:end])
    if trip.reusable is None:
        connection.connection_lost(None)
    assert (trip.statuses, trip.body, trip.reusable, trip.failure) == (statuses, body, reusable, None)


@settings(deadline=None)
@given(st.sampled_from([each for each in ANSWERS if each[4]]), st.data())
def test_an_answer_that_is_cut_off_is_a_failure(
    answer: tuple[str, bytes, list[int], bytes, bool], data: st.DataObject
) -> None:
    method, whole = answer[:2]
    part = whole[: data.draw(st.integers(0, len(whole) - 1))]
    connection, trip = UpstreamConnection(lambda _: None), Trip(method)
    connection.connection_made(Transport())
    connection.send(trip, b"")
    connection.data_received(part)
    connection.connection_lost(None)
    assert trip.reusable is None
    assert trip.failure is not None


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_anything_at_all_ends_in_an_answer_or_a_failure(noise: bytes) -> None:
    connection, trip = UpstreamConnection(lambda _: None), Trip("GET")
    connection.connection_made(Transport())
    connection.send(trip, b"")
    connection.data_received(noise)
    connection.connection_lost(None)
    assert (trip.reusable is None) != (trip.failure is None)
