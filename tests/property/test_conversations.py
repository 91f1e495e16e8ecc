"""Whatever callers send, in whatever pieces: h11 at the other end reads every answer, in order."""

from __future__ import annotations

from dataclasses import dataclass

import h11
from hypothesis import given, settings
from hypothesis import strategies as st

from mockforge.model.headers import Headers
from mockforge.model.stub import Body
from tests.unit.server.harness import Mock, Wire, stub

LARGE = "z" * 300_000


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, and how its caller writes it."""

    method: str
    path: str
    chunks: tuple[bytes, ...]
    chunked: bool
    version: str
    fields: tuple[tuple[str, str], ...]

    def write(self, connection: h11.Connection) -> bytes:
        """The request's bytes; the connection knows of it and can read its answer."""
        fields = [("Host", "mock"), *self.fields]
        if self.chunked:
            fields.append(("Transfer-Encoding", "chunked"))
        elif self.chunks:
            fields.append(("Content-Length", str(sum(map(len, self.chunks)))))
        if self.version == "1.0":
            fields.append(("Connection", "keep-alive"))
        pieces = [connection.send(h11.Request(method=self.method, target=self.path, headers=fields))]
        pieces += [connection.send(h11.Data(data=chunk)) for chunk in self.chunks]
        trailers = [("X-Trailer", "1")] if self.chunked else []
        pieces.append(connection.send(h11.EndOfMessage(headers=trailers)))
        return b"".join(filter(None, pieces)).replace(
            b" HTTP/1.1\r\n", f" HTTP/{self.version}\r\n".encode(), 1
        )


STUBS = [
    stub("/now", headers=Headers((("X-Path", "/now"),))),
    stub("/soon", 5, headers=Headers((("X-Path", "/soon"),))),
    stub("/later", 40, headers=Headers((("X-Path", "/later"),))),
    stub("/empty", 3, status=204, headers=Headers((("X-Path", "/empty"),))),
    stub("/unchanged", status=304, headers=Headers((("X-Path", "/unchanged"),))),
    stub("/large", headers=Headers((("X-Path", "/large"),)), body=Body("body", LARGE)),
    stub("/large-later", 10, headers=Headers((("X-Path", "/large-later"),)), body=Body("body", LARGE)),
]
PATHS = [each.name for each in STUBS]
BODILESS = {"/empty": 204, "/unchanged": 304}

FIELDS = st.sampled_from(
    [(), (("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c")), (("X-Pad", "p" * 300),)]
)


@st.composite
def requests(draw: st.DrawFn) -> Asked:
    chunks = tuple(draw(st.lists(st.binary(min_size=1, max_size=40), max_size=3)))
    chunked = draw(st.booleans())
    version = "1.1" if chunked else draw(st.sampled_from(["1.1", "1.1", "1.0"]))
    return Asked(
        method=draw(st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"])),
        path=draw(st.sampled_from(PATHS)),
        chunks=chunks,
        chunked=chunked,
        version=version,
        fields=() if version == "1.0" else draw(FIELDS),
    )


def read_answer(connection: h11.Connection, data: bytes) -> tuple[h11.Response, bytes, bytes]:
    """The answer at the begin of `data`, its body, and what follows it."""
    connection.receive_data(data)
    response = connection.next_event()
    assert isinstance(response, h11.Response)
    body = bytearray()
    while isinstance(event := connection.next_event(), h11.Data):
        body += event.data
    assert isinstance(event, h11.EndOfMessage)
    return response, bytes(body), connection.trailing_data[0]


def converse(data: st.DataObject, wire: Wire, sent: bytes) -> bytes:
    """Send in pieces and read at times that hypothesis picks; all that comes back."""
    cuts = sorted(data.draw(st.lists(st.integers(0, len(sent)), max_size=8)))
    slow_reader = data.draw(st.booleans())
    received = b""
    for start, end in zip([0, *cuts], [*cuts, len(sent)], strict=True):
        if slow_reader and not wire.transport.paused:
            wire.transport.room = 50_000
        wire.send(*([sent[start:end]] if start < end else []))
        wire.mock.advance(data.draw(st.sampled_from([0, 1, 7, 50])))
        if data.draw(st.booleans()):
            wire.transport.drain(50_000 if slow_reader else None)
        received += wire.received()
    while wire.mock.lane.in_flight:
        wire.transport.drain()
        wire.mock.advance(1)
        received += wire.received()
    return received


@settings(deadline=None)
@given(asked=st.lists(requests(), min_size=1, max_size=12), data=st.data())
def test_every_request_is_answered_in_order_and_on_time(asked: list[Asked], data: st.DataObject) -> None:
    wire = Mock(STUBS).connect()
    callers = [h11.Connection(h11.CLIENT) for _ in asked]
    sent = b"".join(each.write(caller) for each, caller in zip(asked, callers, strict=True))
    rest = converse(data, wire, sent)
    for each, caller in zip(asked, callers, strict=True):
        response, body, rest = read_answer(caller, rest)
        fields = dict(response.headers)
        assert fields[b"x-path"] == each.path.encode()
        assert response.status_code == BODILESS.get(each.path, 200)
        whole = LARGE if "large" in each.path else each.path
        if each.path in BODILESS:
            assert (b"content-length" in fields, body) == (False, b"")
        else:
            assert int(fields[b"content-length"]) == len(whole)
            assert body == (b"" if each.method == "HEAD" else whole.encode())
    assert rest == b""
    assert wire.is_open
    events = wire.mock.events()
    assert [(event.request.method, event.request.target) for event in events] == [
        (each.method, each.path) for each in asked
    ]
    assert [event.request.body for event in events] == [b"".join(each.chunks) for each in asked]
    assert all("X-Trailer" not in event.request.headers for event in events)
    assert {event.lateness_ns for event in events} == {0}
    assert not any(event.caller_left for event in events)


@settings(deadline=None)
@given(data=st.binary(max_size=300), cut=st.integers(0, 300))
def test_no_bytes_at_all_are_an_error_of_ours(data: bytes, cut: int) -> None:
    wire = Mock(STUBS).connect()
    wire.send(data[:cut], data[cut:])
    answer = wire.received()
    assert b" 500 " not in answer
    assert not answer or answer.startswith(b"HTTP/1.1 ")


TOKENS = st.sampled_from(
    [
        b"GET /now HTTP/1.1\r\n",
        b"POST http://mock/soon HTTP/1.1\r\n",
        b"HEAD /large HTTP/1.0\r\n",
        b"Host: mock\r\n",
        b"Content-Length: 5\r\n",
        b"Content-Length: 99999999999\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Expect: 100-continue\r\n",
        b"Connection: close\r\n",
        b"Connection: Upgrade\r\nUpgrade: h2c\r\n",
        b"\r\n",
        b"hello",
        b"5\r\nhello\r\n",
        b"0\r\n\r\n",
        b"0\r\nX-Trailer: 1\r\n\r\n",
    ]
)


@settings(deadline=None)
@given(tokens=st.lists(TOKENS, max_size=25), leaves=st.booleans())
def test_no_order_of_the_parts_of_requests_is_an_error_of_ours(tokens: list[bytes], leaves: bool) -> None:
    wire = Mock(STUBS).connect()
    for token in tokens:
        if wire.transport.closed:
            break
        wire.send(token)
    if leaves:
        wire.half_close()
    wire.mock.advance(100)
    wire.leave()
    assert b"HTTP/1.1 500" not in wire.received()
    assert wire.mock.lane.in_flight == 0
