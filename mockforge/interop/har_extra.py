"""What HAR cannot hold, in its `_mockforge` members: exact times, bytes as on the wire, trailers.

With them, `read(write(exchange)) == exchange`.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from mockforge.interop.har_content import as_text, bytes_of, content_of, encoded_text
from mockforge.model.exchange import Exchange, Piece, Request, Response
from mockforge.model.headers import Headers
from mockforge.recording.foreign.unusable import Unusable

__all__ = ["NAME", "exact_exchange", "extra_of", "pairs_of"]

NAME = "_mockforge"

_TIMES = (
    "wall_ns",
    "arrived_ns",
    "total_ns",
    "ttfb_ns",
    "connect_ns",
    "tls_ns",
    "in_flight",
    "connection_id",
    "lateness_ns",
    "error",
    "operation",
)


def extra_of(exchange: Exchange) -> dict[str, Any]:
    """The `_mockforge` member of an entry."""
    request, response = exchange.request, exchange.response
    extra: dict[str, Any] = {name: getattr(exchange, name) for name in _TIMES}
    extra["target"] = request.target
    extra["pieces"] = [[piece.at_ns, piece.size, piece.kind] for piece in exchange.pieces]
    kind = request.headers.get("content-type") or ""
    extra["request"] = _rest_of(request, as_text(request.body, kind) is not None)
    extra["response"] = None
    if response is not None:
        held = bytes_of(content_of(response.body, response.headers)) or b""
        extra["response"] = _rest_of(response, held == response.body)
    return extra


def exact_exchange(entry: Mapping[str, Any]) -> Exchange:
    """The exchange of an entry that `extra_of` was written into. Raises Unusable where it was damaged."""
    try:
        extra = entry[NAME]
        times = {name: extra[name] for name in _TIMES}
        return Exchange(
            request=_request(entry["request"], extra),
            response=None if extra["response"] is None else _response(entry["response"], extra["response"]),
            pieces=tuple(Piece(at_ns, size, kind) for at_ns, size, kind in extra["pieces"]),
            **times,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Unusable(f"its {NAME} member is damaged: {type(error).__name__} {error}") from error


def pairs_of(fields: object) -> Headers:
    """Header fields from HAR's list of names and values. Raises Unusable."""
    try:
        return Headers(tuple((str(field["name"]), str(field["value"])) for field in fields))  # type: ignore[attr-defined]
    except (KeyError, TypeError) as error:
        raise Unusable("its headers are no list of names and values") from error


def _rest_of(message: Request | Response, held: bool) -> dict[str, Any]:
    """What of a message is not in HAR's own members; `held` says whether its body is."""
    rest: dict[str, Any] = {}
    if not held:
        rest["body"] = base64.b64encode(message.body).decode()
    if message.trailers.pairs:
        rest["trailers"] = message.trailers.pairs
    if message.omitted:
        rest["omitted"] = message.omitted
    return rest


def _request(request: Mapping[str, Any], extra: Mapping[str, Any]) -> Request:
    headers, rest = pairs_of(request["headers"]), extra["request"]
    posted = request.get("postData")
    if posted is None or "body" in rest:
        body = _body(rest)
    else:
        body = encoded_text(posted["text"], headers.get("content-type") or "")
    return Request(
        request["method"], extra["target"], headers, body, _trailers(rest), int(rest.get("omitted", 0))
    )


def _response(response: Mapping[str, Any], rest: Mapping[str, Any]) -> Response:
    body = _body(rest) if "body" in rest else bytes_of(response["content"]) or b""
    return Response(
        response["status"],
        pairs_of(response["headers"]),
        body,
        _trailers(rest),
        int(rest.get("omitted", 0)),
        response["statusText"],
    )


def _body(rest: Mapping[str, Any]) -> bytes:
    return base64.b64decode(rest.get("body", ""))


def _trailers(rest: Mapping[str, Any]) -> Headers:
    return Headers(tuple((name, value) for name, value in rest.get("trailers", ())))
