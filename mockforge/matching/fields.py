"""What a request carries beside its URL: cookies, form fields, credentials, the host it names."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from urllib.parse import parse_qsl

from mockforge.model.request import RequestView

__all__ = [
    "basic_credentials",
    "cookie_values",
    "cookies_of",
    "form_of",
    "form_values",
    "host_and_port",
]

_FORM_TYPE = "application/x-www-form-urlencoded"
_DEFAULT_PORTS = {"http": 80, "https": 443}

ByName = dict[str, list[str]]


def cookie_values(request: RequestView, name: str) -> Sequence[str]:
    """Every value of a cookie (RFC 6265 §4.2), quotes around it left out."""
    return cookies_of(request).get(name, ())


def cookies_of(request: RequestView) -> ByName:
    """Every cookie with its values."""
    found: ByName = request.remembered("cookies", _cookies)
    return found


def form_values(request: RequestView, name: str) -> Sequence[str]:
    """Every value of a field of a form in the body; none where the body says that it is something else."""
    return form_of(request).get(name, ())


def form_of(request: RequestView) -> ByName:
    """Every field of a form in the body with its values."""
    found: ByName = request.remembered("form", _form)
    return found


def basic_credentials(request: RequestView) -> tuple[str, str] | None:
    """User name and password of HTTP's basic authentication (RFC 7617); None where there are none."""
    scheme, _, encoded = (request.headers.get("Authorization") or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return None
    name, colon, password = text.partition(":")
    return (name, password) if colon else None


def host_and_port(request: RequestView) -> tuple[str, int]:
    """What the Host header names; the port that is left out is the scheme's, that of no header ours."""
    written = request.headers.get("Host") or ""
    if not written and request.connection.port:
        return "", request.connection.port
    host, colon, port = written.rpartition(":")
    if colon and port.isdecimal() and not host.endswith(":"):
        return host, int(port)
    return written, _DEFAULT_PORTS.get(request.connection.scheme, 80)


def _cookies(request: RequestView) -> ByName:
    found: ByName = {}
    for header in request.headers.get_all("Cookie"):
        for pair in header.split(";"):
            name, equals, value = pair.strip().partition("=")
            if equals and name:
                value = value.strip()
                quoted = len(value) > 1 and value[0] == value[-1] == '"'
                found.setdefault(name.strip(), []).append(value[1:-1] if quoted else value)
    return found


def _form(request: RequestView) -> ByName:
    kind = (request.headers.get("Content-Type") or _FORM_TYPE).partition(";")[0].strip().lower()
    found: ByName = {}
    if kind == _FORM_TYPE:
        for name, value in parse_qsl(request.text, keep_blank_values=True):
            found.setdefault(name, []).append(value)
    return found
