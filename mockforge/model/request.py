"""A request as the matchers and templates see it: parsed only as far as somebody asks."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl

import orjson

from mockforge.model.headers import Headers

__all__ = ["MALFORMED", "UNKNOWN_CONNECTION", "Connection", "RequestView", "connection_of"]

#: What `RequestView.json` is where the body is not JSON: equal to nothing but itself.
MALFORMED: Final = object()

_UNPARSED: Final = object()


class Connection(NamedTuple):
    """What a connection says of every request on it; an address that is not known is empty, a port 0."""

    scheme: str = "http"
    client_ip: str = ""
    port: int = 0


UNKNOWN_CONNECTION: Final = Connection()


@functools.lru_cache(maxsize=1_024)
def connection_of(scheme: str, client_ip: str, port: int) -> Connection:
    """The same object for every connection of one scheme, address and port of ours."""
    return Connection(scheme, client_ip, port)


class RequestView:
    """One received request; `target` is raw (path and query), header names and values are raw pairs."""

    __slots__ = (
        "_headers",
        "_json",
        "_query",
        "_remembered",
        "body",
        "connection",
        "method",
        "path",
        "raw_headers",
        "target",
    )

    def __init__(
        self,
        method: str,
        target: str,
        raw_headers: Sequence[tuple[bytes, bytes]] = (),
        body: bytes = b"",
        connection: Connection = UNKNOWN_CONNECTION,
    ) -> None:
        self.method = method
        self.target = target
        self.path = target.partition("?")[0]
        self.raw_headers = raw_headers
        self.body = body
        self.connection = connection
        self._remembered: dict[str, Any] | None = None
        self._headers: Headers | None = None
        self._query: dict[str, list[str]] | None = None
        self._json: Any = _UNPARSED

    @property
    def headers(self) -> Headers:
        if self._headers is None:
            self._headers = Headers.from_raw(self.raw_headers)
        return self._headers

    @property
    def query(self) -> dict[str, list[str]]:
        """Decoded query parameters, each with all its values in order."""
        if self._query is None:
            self._query = {}
            for name, value in parse_qsl(self.target.partition("?")[2], keep_blank_values=True):
                self._query.setdefault(name, []).append(value)
        return self._query

    def remembered(self, name: str, make: Callable[[RequestView], Any]) -> Any:
        """What `make` makes of the request, made once for all who ask by the same name."""
        if self._remembered is None:
            self._remembered = {}
        if name not in self._remembered:
            self._remembered[name] = make(self)
        return self._remembered[name]

    @property
    def text(self) -> str:
        """The body as UTF-8; what is not comes as replacement characters."""
        return self.body.decode("utf-8", "replace")

    @property
    def json(self) -> Any:
        """The body's JSON value, or MALFORMED."""
        if self._json is _UNPARSED:
            try:
                self._json = orjson.loads(self.body)
            except orjson.JSONDecodeError:
                self._json = MALFORMED
        return self._json
