"""The addon of mitmproxy, driven with flows of the shape that mitmproxy gives it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from mockforge.interop.mitm_addon import MockForgeRecorder
from mockforge.model.exchange import Exchange, Piece
from mockforge.model.headers import Headers
from mockforge.recording.store import RecordingReader
from mockforge.targets import parse_target

START = 1_795_514_400.0
MS = 1_000_000


@dataclass
class Fields:
    fields: tuple[tuple[bytes, bytes], ...] = ()


@dataclass
class FlowRequest:
    method: str = "GET"
    scheme: str = "https"
    host: str = "shop.example.com"
    port: int = 443
    path: str = "/a?b=c"
    authority: str = ""
    headers: Fields = field(default_factory=lambda: Fields(((b"Host", b"shop.example.com"),)))
    trailers: Fields | None = None
    raw_content: bytes | None = b""
    stream: Any = False
    timestamp_start: float = START + 0.9
    timestamp_end: float | None = START + 1


@dataclass
class FlowResponse:
    status_code: int = 200
    reason: str = "OK"
    headers: Fields = field(default_factory=lambda: Fields(((b"X-A", b"\xe9"),)))
    trailers: Fields | None = None
    raw_content: bytes | None = b"hello"
    stream: Any = False
    timestamp_start: float = START + 1.25
    timestamp_end: float | None = START + 1.5


@dataclass
class Connection:
    id: str
    timestamp_start: float | None = START + 0.5
    timestamp_tcp_setup: float | None = START + 0.625
    timestamp_tls_setup: float | None = START + 0.875


@dataclass
class Error:
    msg: str
    timestamp: float = START + 3


@dataclass
class Flow:
    id: str = "f1"
    request: FlowRequest = field(default_factory=FlowRequest)
    response: FlowResponse | None = field(default_factory=FlowResponse)
    client_conn: Connection = field(default_factory=lambda: Connection("c1"))
    server_conn: Connection = field(default_factory=lambda: Connection("s1"))
    error: Error | None = None
    websocket: Any = None


class Proxy:
    """Calls the addon's hooks as mitmproxy does."""

    def __init__(self, target: str | None = None, keep: int = 1000) -> None:
        self.recorded: list[Exchange] = []
        self.now = START
        self.addon = MockForgeRecorder(
            self.recorded.append,
            target=parse_target(target) if target else None,
            keep_body=keep,
            now=lambda: self.now,
        )

    def ask(self, flow: Flow) -> None:
        self.addon.requestheaders(flow)
        self.addon.request(flow)

    def stream(self, flow: Flow, *chunks: bytes) -> list[bytes]:
        """What the caller gets of a streamed body, a chunk 125 ms after the other."""
        assert flow.response is not None
        flow.response.raw_content = None
        passed = []
        for chunk in (*chunks, b""):
            passed.append(flow.response.stream(chunk))
            self.now += 0.125
        return passed

    def through(self, flow: Flow) -> Exchange:
        """The whole life of a flow."""
        self.ask(flow)
        self.addon.responseheaders(flow)
        self.addon.response(flow)
        return self.recorded[-1]


def test_a_flow_is_an_exchange_whose_arrival_is_the_end_of_its_request() -> None:
    exchange = Proxy().through(Flow())
    assert (exchange.wall_ns, exchange.arrived_ns) == (round((START + 1) * 1e9), 1000 * MS)
    assert (exchange.ttfb_ns, exchange.total_ns) == (250 * MS, 500 * MS)
    assert (exchange.connect_ns, exchange.tls_ns) == (125 * MS, 250 * MS)
    assert exchange.response is not None
    assert exchange.response.headers == Headers((("X-A", "\xe9"),))
    assert (exchange.response.status, exchange.response.reason, exchange.response.body) == (
        200,
        "OK",
        b"hello",
    )
    assert exchange.error is None


def test_without_a_target_the_backend_stands_in_what_is_asked() -> None:
    assert Proxy().through(Flow()).request.target == "https://shop.example.com/a?b=c"


def test_with_a_target_only_its_flows_are_recorded() -> None:
    proxy = Proxy("https://shop.example.com")
    assert proxy.through(Flow()).request.target == "/a?b=c"
    other = Flow(request=FlowRequest(host="cdn.example.com"))
    proxy.ask(other)
    proxy.addon.response(other)
    assert len(proxy.recorded) == 1


def test_a_connection_is_new_once() -> None:
    proxy = Proxy()
    assert [proxy.through(Flow()).connect_ns for _ in range(2)] == [125 * MS, None]
    proxy.addon.server_disconnected(type("Data", (), {"server": Connection("s1")}))
    assert proxy.through(Flow()).connect_ns == 125 * MS
    assert {exchange.connection_id for exchange in proxy.recorded} == {1}
    assert proxy.through(Flow(client_conn=Connection("c2"))).connection_id == 2


def test_those_in_flight_are_counted_at_the_arrival() -> None:
    proxy = Proxy()
    flows = [Flow(id=f"f{number}") for number in range(3)]
    for flow in flows:
        proxy.ask(flow)
    assert proxy.addon.in_flight == 3
    for flow in flows:
        proxy.addon.response(flow)
    assert [exchange.in_flight for exchange in proxy.recorded] == [0, 1, 2]
    assert proxy.addon.in_flight == 0


def test_a_streamed_body_passes_as_it_comes_and_is_kept_with_its_timeline() -> None:
    proxy, flow = Proxy(), Flow()
    proxy.ask(flow)
    proxy.now = START + 1.25
    proxy.addon.responseheaders(flow)
    assert proxy.stream(flow, b"one", b"two") == [b"one", b"two", b""]
    proxy.addon.response(flow)
    exchange = proxy.recorded[0]
    assert exchange.response is not None
    assert exchange.response.body == b"onetwo"
    assert exchange.pieces == (Piece(250 * MS, 3, "response"), Piece(375 * MS, 3, "response"))


def test_of_a_body_that_is_too_large_the_size_is_kept() -> None:
    proxy, flow = Proxy(keep=5), Flow()
    proxy.ask(flow)
    proxy.addon.responseheaders(flow)
    proxy.stream(flow, b"four", b"four")
    proxy.addon.response(flow)
    response = proxy.recorded[0].response
    assert response is not None
    assert (response.body, response.omitted) == (b"", 8)


def test_another_addons_change_of_a_stream_is_respected() -> None:
    proxy, flow = Proxy(), Flow()
    assert flow.response is not None
    proxy.ask(flow)
    flow.response.stream = lambda chunk: chunk.upper()
    proxy.addon.responseheaders(flow)
    assert proxy.stream(flow, b"one") == [b"ONE", b""]


def test_http2_has_a_host_of_its_own() -> None:
    flow = Flow(request=FlowRequest(headers=Fields(((b"accept", b"*/*"),)), authority="shop.example.com"))
    assert Proxy().through(flow).request.headers.pairs == (("host", "shop.example.com"), ("accept", "*/*"))


@pytest.mark.parametrize(
    ("said", "error", "status"),
    [
        ("[Errno 111] Connect call failed ('192.0.2.1', 443)", "connect: refused", 502),
        ("Client disconnected.", "caller: left", None),
        ("server closed connection", "wait: closed without an answer", 502),
        ("Certificate verify failed: self-signed certificate", "tls: certificate not trusted", 502),
    ],
)
def test_an_error_of_a_flow_is_one_of_the_exchange(said: str, error: str, status: int | None) -> None:
    proxy, flow = Proxy(), Flow(response=None, error=Error(said))
    proxy.ask(flow)
    proxy.addon.error(flow)
    exchange = proxy.recorded[0]
    assert (exchange.error, exchange.total_ns, exchange.ttfb_ns) == (error, 2000 * MS, None)
    assert (exchange.response and exchange.response.status) == status


def test_a_request_that_never_came_in_whole_is_no_exchange() -> None:
    proxy, flow = Proxy(), Flow(response=None, error=Error("Client disconnected."))
    proxy.addon.requestheaders(flow)
    proxy.addon.error(flow)
    assert proxy.recorded == []
    assert proxy.addon.in_flight == 0


def test_what_is_under_way_at_the_end_was_stopped() -> None:
    proxy, flow = Proxy(), Flow(response=None)
    proxy.ask(flow)
    proxy.now = START + 4
    proxy.addon.done()
    assert [(one.error, one.total_ns, one.response) for one in proxy.recorded] == [
        ("proxy: stopped", 3000 * MS, None)
    ]


@dataclass
class Message:
    from_client: bool
    content: bytes
    timestamp: float


@dataclass
class WebSocket:
    messages: list[Message]
    timestamp_end: float


def test_a_websocket_ends_with_its_connection_and_has_its_frames() -> None:
    proxy = Proxy()
    messages = [Message(True, b"hi", START + 2), Message(False, b"there", START + 3)]
    flow = Flow(websocket=WebSocket(messages, START + 5))
    proxy.ask(flow)
    proxy.addon.responseheaders(flow)
    proxy.addon.response(flow)
    assert proxy.recorded == []
    proxy.addon.websocket_end(flow)
    exchange = proxy.recorded[0]
    assert exchange.total_ns == 4000 * MS
    assert exchange.pieces == (Piece(1000 * MS, 2, "frame-in"), Piece(2000 * MS, 5, "frame-out"))


def test_the_addon_writes_the_file_that_its_option_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = type(
        "Options",
        (),
        {
            "mockforge_out": str(tmp_path / "a.mfrec"),
            "mockforge_target": "",
            "mockforge_redact": True,
            "mockforge_stream": False,
        },
    )
    refusal = type("OptionsError", (Exception,), {})
    modules = {
        "mitmproxy.ctx": type("ctx", (), {"options": options}),
        "mitmproxy.exceptions": type("e", (), {"OptionsError": refusal}),
    }
    monkeypatch.setattr("mockforge.interop.mitm_addon.importlib.import_module", modules.__getitem__)
    secret = b"made-up-secret-0123456789"
    headers = Fields(((b"Host", b"a"), (b"Authorization", b"Bearer " + secret)))
    addon, flow = MockForgeRecorder(now=lambda: START), Flow(request=FlowRequest(headers=headers))
    addon.configure({"mockforge_out"})
    addon.requestheaders(flow)
    assert flow.request.stream is False, "left to mitmproxy"
    addon.request(flow)
    addon.response(flow)
    with pytest.raises(refusal, match="exists already"):
        MockForgeRecorder(now=lambda: START).configure({"mockforge_out"})
    addon.done()
    with RecordingReader(tmp_path / "a.mfrec") as reader:
        assert [exchange.total_ns for exchange in reader.exchanges()] == [500 * MS]
    assert secret not in (tmp_path / "a.mfrec").read_bytes()
