"""However the network cuts the bytes, the same bytes pass the proxy and the same exchanges are told."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from mockforge.model.exchange import Exchange
from tests.unit.proxy.harness import DrivenProxy, websocket_frame

REQUESTS = [
    b"GET /a HTTP/1.1\r\nHost: proxy\r\n\r\n",
    b"HEAD /b HTTP/1.1\r\nhost:proxy\r\n\r\n",
    b"POST http://proxy/c HTTP/1.1\r\nHost: proxy\r\nContent-Length: 7\r\n\r\nGET / H",
    b"\r\nPUT /d HTTP/1.1\r\nHost: proxy\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3;x\r\n\r\n\r\r\n0\r\nT: 1\r\n\r\n",
    b"ODD /e HTTP/1.1\nHost: proxy\n\n",
]
ANSWERS = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nHTT",
    b"HTTP/1.1 204 None\r\nX-A: 1\r\nx-a: caf\xe9\r\n\r\n",
    b"HTTP/1.1 304 \r\nContent-Length: 9\r\n\r\n",
    b"HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\n\r\n\r\n1\r\nx\r\n0\r\nT: 1\r\n\r\n",
    b"HTTP/1.1 103 Soon\r\nLink: a\r\n\r\nHTTP/1.1 500 No\nContent-Length: 0\n\n",
]
BODILESS = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"
UPGRADE = b"GET /w HTTP/1.1\r\nHost: proxy\r\nUpgrade: websocket\r\n\r\n"
SWITCHING = b"HTTP/1.1 101 Go\r\nUpgrade: websocket\r\n\r\n"
FRAMES = websocket_frame(b"abc") + websocket_frame(bytes(300), masked=True)

Talk = tuple[bytes, bytes]


@st.composite
def talks(draw: st.DrawFn) -> Talk:
    """Some requests, and the answers to them."""
    requests = draw(st.lists(st.sampled_from(REQUESTS), min_size=1, max_size=4))
    answers = [
        BODILESS if request.startswith(b"HEAD") else draw(st.sampled_from(ANSWERS)) for request in requests
    ]
    if draw(st.booleans()):
        requests.append(UPGRADE + FRAMES)
        answers.append(SWITCHING + FRAMES)
    return b"".join(requests), b"".join(answers)


def passed(
    talk: Talk, request_cuts: list[int], answer_cuts: list[int]
) -> tuple[bytes, bytes, list[Exchange]]:
    """What the target got, what the caller got, and what was told, but for the timeline."""
    proxy = DrivenProxy()
    caller = proxy.caller()
    caller.say(*cut(talk[0], request_cuts))
    proxy.target.say(*cut(talk[1], answer_cuts))
    caller.leave()
    frames = [sum(p.size for p in each.pieces if p.kind.startswith("frame")) for each in proxy.exchanges]
    assert frames[-1] == (606 if FRAMES in talk[0] else 0)
    return proxy.target.got, caller.got, [replace(exchange, pieces=()) for exchange in proxy.exchanges]


def cut(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({place % len(data) for place in cuts} - {0})
    return [data[begin:end] for begin, end in zip([0, *places], [*places, len(data)], strict=True)]


CUTS = st.lists(st.integers(0, 10_000), max_size=30)


@settings(deadline=None)
@given(talk=talks(), request_cuts=CUTS, answer_cuts=CUTS)
def test_the_reads_make_no_difference(talk: Talk, request_cuts: list[int], answer_cuts: list[int]) -> None:
    at_once = passed(talk, [], [])
    assert passed(talk, request_cuts, answer_cuts) == at_once
    sent = talk[0].replace(b"proxy", b"there:9000").replace(b" http://there:9000", b" ")
    assert at_once[:2] == (sent, talk[1])
    assert all(exchange.error is None for exchange in at_once[2])


@settings(deadline=None, max_examples=20)
@given(talk=talks())
def test_not_even_byte_by_byte(talk: Talk) -> None:
    everywhere = list(range(max(map(len, talk))))
    assert passed(talk, everywhere, everywhere) == passed(talk, [], [])
