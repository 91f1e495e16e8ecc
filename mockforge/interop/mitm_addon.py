"""A recorder as an addon of mitmproxy: what passes through it becomes a recording.

    mitmdump -s "$(python -m mockforge.interop.mitm_addon)" --set mockforge_out=recordings/shop.mfrec

Bodies are passed on as they come, so that the proxy does not hold back what a caller would have had; other
addons then see none. `--set mockforge_stream=false` leaves that to mitmproxy's `stream_large_bodies`.
"""

from __future__ import annotations

import importlib
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from mockforge.errors import MockForgeError
from mockforge.interop.mitm_flow import KEEP_BODY, FlowSeen, Tee, found_in_flow
from mockforge.interop.placing import belongs, without_prefix
from mockforge.model.exchange import Exchange
from mockforge.recording.redaction import RedactionRules, Redactor, key_from_hex, load_or_create_key
from mockforge.recording.store import RecordingMeta, RecordingWriter
from mockforge.targets import Target, parse_target

__all__ = ["MockForgeRecorder", "addons"]

_KEY_VARIABLE = "MOCKFORGE_REDACTION_KEY"
_OPTIONS = (
    ("mockforge_out", str, "", "The recording to write; must not exist yet."),
    ("mockforge_target", str, "", "Record only what goes to this backend; without it, everything."),
    ("mockforge_redact", bool, True, "Put pseudonyms in the place of secrets before they are written."),
    ("mockforge_stream", bool, True, "Pass bodies on as they come; other addons see none."),
)


class MockForgeRecorder:
    """The addon. `sink` hears of each exchange once, when it has ended; without one, a file is written.

    `now` gives seconds since 1970. Methods without a docstring are mitmproxy's hooks, called on its loop.
    """

    def __init__(
        self,
        sink: Callable[[Exchange], None] | None = None,
        *,
        target: Target | None = None,
        keep_body: int = KEEP_BODY,
        started_wall_ns: int | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._sink = sink
        self._target = target
        self._keep = keep_body
        self._now = now
        self._started_wall_ns = round(now() * 1e9) if started_wall_ns is None else started_wall_ns
        self._stream = True
        self._writer: RecordingWriter | None = None
        self._under_way: dict[str, FlowSeen] = {}
        self._connections: dict[str, int] = {}
        self._last_connection = 0
        self._servers_used: set[str] = set()
        self._arrived = 0

    @property
    def in_flight(self) -> int:
        """Requests that have come in and have not ended."""
        return self._arrived

    def load(self, loader: Any) -> None:
        if self._sink is None:
            for name, kind, default, said in _OPTIONS:
                loader.add_option(name, kind, default, said)

    def configure(self, updated: set[str]) -> None:
        if self._sink is not None or not updated & {name for name, *_ in _OPTIONS}:
            return
        options = importlib.import_module("mitmproxy.ctx").options
        self._stream = options.mockforge_stream
        try:
            self._target = parse_target(options.mockforge_target) if options.mockforge_target else None
            if "mockforge_out" in updated and options.mockforge_out:
                self._open(Path(options.mockforge_out), redacted=options.mockforge_redact)
        except MockForgeError as error:
            raise importlib.import_module("mitmproxy.exceptions").OptionsError(str(error)) from error

    def _open(self, path: Path, *, redacted: bool) -> None:
        """Begin the recording at `path`, and end one that was written before. Raises MockForgeError."""
        target = str(self._target) if self._target is not None else ""
        redactor = Redactor(RedactionRules(), _key(path)) if redacted else None
        meta = RecordingMeta("recording", target, self._started_wall_ns)
        writer = RecordingWriter(path, meta, redactor=redactor)
        writer.note("redaction", "off" if redactor is None else lambda: redactor.report().to_json())
        if self._writer is not None:
            self._writer.close()
        self._writer = writer

    def requestheaders(self, flow: Any) -> None:
        seen = FlowSeen(flow, self._number_of(flow.client_conn.id), keep=self._keep)
        self._under_way[flow.id] = seen
        if self._stream or flow.request.stream:
            seen.request_body = flow.request.stream = Tee(self._now, self._keep, flow.request.stream)

    def request(self, flow: Any) -> None:
        seen = self._under_way.get(flow.id)
        if seen is not None and not seen.arrived:
            seen.arrived = True
            seen.in_flight = self._arrived
            self._arrived += 1

    def responseheaders(self, flow: Any) -> None:
        seen = self._under_way.get(flow.id)
        if seen is not None and (self._stream or flow.response.stream):
            seen.response_body = flow.response.stream = Tee(self._now, self._keep, flow.response.stream)

    def response(self, flow: Any) -> None:
        if flow.websocket is None:
            self._end(flow)

    def error(self, flow: Any) -> None:
        self._end(flow)

    def websocket_end(self, flow: Any) -> None:
        self._end(flow)

    def client_disconnected(self, client: Any) -> None:
        self._connections.pop(client.id, None)

    def server_disconnected(self, data: Any) -> None:
        self._servers_used.discard(data.server.id)

    def done(self) -> None:
        for seen in list(self._under_way.values()):
            self._end(seen.flow, "proxy: stopped")
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _end(self, flow: Any, error: str | None = None) -> None:
        """Give out the exchange of a flow that has ended, unless its request never came in whole."""
        seen = self._under_way.pop(flow.id, None)
        if seen is None or not seen.arrived:
            return
        self._arrived -= 1
        server = flow.server_conn.id
        seen.fresh = server not in self._servers_used
        if flow.server_conn.timestamp_tcp_setup:
            self._servers_used.add(server)
        found = found_in_flow(seen, self._started_wall_ns, self._now(), error)
        if self._target is None:
            self._give(_absolute(found.exchange, found.origin or ""))
        elif belongs(found, self._target):
            self._give(without_prefix(found.exchange, self._target.prefix))

    def _give(self, exchange: Exchange) -> None:
        if self._sink is not None:
            self._sink(exchange)
        elif self._writer is not None:
            self._writer.add(exchange)

    def _number_of(self, client: str) -> int:
        number = self._connections.get(client)
        if number is None:
            self._last_connection += 1
            number = self._connections[client] = self._last_connection
        return number


def _key(recording: Path) -> bytes:
    """The key of the environment, else the one beside the recording, made where there is none."""
    if text := os.environ.get(_KEY_VARIABLE):
        return key_from_hex(text, _KEY_VARIABLE)
    return load_or_create_key(recording.parent / ".mockforge" / "redaction.key")


def _absolute(exchange: Exchange, origin: str) -> Exchange:
    """The exchange with the backend in its target, as a forward proxy is asked, where there are several."""
    request = exchange.request
    return replace(exchange, request=replace(request, target=origin + request.target))


#: What mitmproxy loads from a script.
addons = [MockForgeRecorder()]

if __name__ == "__main__":
    print(__file__)
