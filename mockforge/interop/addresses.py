"""Addresses of requests: an absolute URL taken apart into where it went and what was asked."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

from mockforge.interop.source import LeftOut
from mockforge.recording.foreign.unusable import Unusable
from mockforge.targets import Target

__all__ = ["is_absolute", "join", "split"]

_PORTS = {"http": 80, "https": 443}
_AS_HTTP = {"http": "http", "https": "https", "ws": "http", "wss": "https"}
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
#: What a request target may hold as it is; anything else is percent-encoded.
_SAFE = "".join(map(chr, range(0x21, 0x7F)))


def is_absolute(url: str) -> bool:
    """Whether it begins with a scheme and a host."""
    return _ABSOLUTE.match(url) is not None


def split(url: str) -> tuple[Target, str]:
    """Where `url` leads (without a prefix), and the request target: path and query as written.

    Raises LeftOut where it is no HTTP, Unusable where it is no address.
    """
    scheme = url.partition(":")[0].lower()
    if scheme not in _AS_HTTP:
        raise LeftOut(f"of {scheme}:, which is not HTTP")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise Unusable(f"{url!r} is no address: {error}") from error
    if not host:
        raise Unusable(f"{url!r} names no host")
    rest = url.partition("://")[2].partition("#")[0][len(parts.netloc) :]
    http = _AS_HTTP[scheme]
    if not rest.startswith("/"):
        rest = f"/{rest}"
    return Target(http, host, port or _PORTS[http]), quote(rest, safe=_SAFE)


def join(target: str, asked: str) -> str:
    """The URL of a request target asked of `target`; one that is absolute already stays as it is."""
    if is_absolute(asked):
        return asked
    return f"{target.rstrip('/')}{'' if asked.startswith('/') else '/'}{asked}"
