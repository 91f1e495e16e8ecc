"""An upstream that tells what it was asked, for the time of a block."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from tests.acceptance.conftest import PATIENCE_S

__all__ = ["Answer", "Asked", "Upstream", "ask", "upstream"]


@dataclass(frozen=True, slots=True)
class Asked:
    method: str
    url: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Upstream:
    """`answer` gives the body of each answer."""

    answer: Callable[[Asked], bytes]
    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    _heard: threading.Condition = field(default_factory=threading.Condition)

    def take(self, request: Asked) -> bytes:
        with self._heard:
            self.asked.append(request)
            self._heard.notify_all()
        return self.answer(request)

    def wait_for(self, number: int) -> list[Asked]:
        """What was asked, as soon as it is so much."""
        with self._heard:
            assert self._heard.wait_for(lambda: len(self.asked) >= number, PATIENCE_S)
            return list(self.asked)


def _shown(asked: Asked) -> bytes:
    return f"{asked.method} {asked.url}".encode()


@contextmanager
def upstream(answer: Callable[[Asked], bytes] = _shown) -> Iterator[Upstream]:
    """An upstream whose answers say what was asked, unless told otherwise."""
    made = Upstream(answer)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            content = made.take(Asked(self.command, self.path, dict(self.headers.items()), body))
            self.send_response(200)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = handle_one  # noqa: N815 - the library's names

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    made.url = f"http://127.0.0.1:{server.server_port}"
    serving = threading.Thread(target=server.serve_forever, args=(0.01,))
    serving.start()
    try:
        yield made
    finally:
        server.shutdown()
        serving.join()
        server.server_close()


def ask(url: str, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> Answer:
    """One request on a connection of its own."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=PATIENCE_S)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, named)
        answer = connection.getresponse()
        return Answer(answer.status, dict(answer.getheaders()), answer.read())
    finally:
        connection.close()
