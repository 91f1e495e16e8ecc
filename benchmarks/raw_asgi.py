"""The least that an ASGI application can do: what uvicorn costs with nothing behind it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from benchmarks.stubsets import STATIC_BODY

__all__ = ["app"]

_BODY = STATIC_BODY.encode()
_START: dict[str, Any] = {
    "type": "http.response.start",
    "status": 200,
    "headers": [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(_BODY)).encode()),
    ],
}
_END: dict[str, Any] = {"type": "http.response.body", "body": _BODY}


async def app(scope: object, receive: object, send: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
    """Answer every request alike, reading nothing of it."""
    await send(_START)
    await send(_END)
