"""A request as the matchers and templates see it: parsed only as far as somebody asks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import parse_qsl

import orjson

from mockforge.model.headers import Headers

__all__ = ["MALFORMED", "RequestView"]

#: What `RequestView.json` is where the body is not JSON: equal to nothing but itself.
MALFORMED: Final = object()

_UNPARSED: Final = object()


class RequestView:
    """One received request; `target` is raw (path and query), header names and values are raw pairs."""

    __slots__ = ("_headers", "_json", "_query", "body", "method", "path", "raw_headers", "target")

    def __init__(
        self, method: str, target: str, raw_headers: Sequence[tuple[bytes, bytes]] = (), body: bytes = b""
    ) -> None:
        self.method = method
        self.target = target
        self.path = target.partition("?")[0]
        self.raw_headers = raw_headers
        self.body = body
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
