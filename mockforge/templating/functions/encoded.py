"""Digests, base64, URL encoding, and signed tokens."""

from __future__ import annotations

import base64
import hashlib
import hmac as hmacs
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote_plus

import orjson

from mockforge.templating.functions.dates import moved

__all__ = [
    "base64_decode",
    "base64_encode",
    "hmac",
    "jwt",
    "md5",
    "sha1",
    "sha256",
    "sha512",
    "url_decode",
]

_ALGORITHMS = {"md5", "sha1", "sha256", "sha384", "sha512"}


def md5(text: str) -> str:
    """The MD5 digest of a text, in hexadecimal digits."""
    return hashlib.md5(str(text).encode(), usedforsecurity=False).hexdigest()


def sha1(text: str) -> str:
    """The SHA-1 digest."""
    return hashlib.sha1(str(text).encode(), usedforsecurity=False).hexdigest()


def sha256(text: str) -> str:
    """The SHA-256 digest."""
    return hashlib.sha256(str(text).encode()).hexdigest()


def sha512(text: str) -> str:
    """The SHA-512 digest."""
    return hashlib.sha512(str(text).encode()).hexdigest()


def hmac(text: str, key: str, algorithm: str = "sha256", encoding: str = "hex") -> str:
    """The keyed digest, as `hex` or `base64`; `md5`, `sha1`, `sha256`, `sha384` or `sha512`."""
    digest = _signed(str(text).encode(), str(key), algorithm)
    if encoding not in {"hex", "base64"}:
        raise ValueError(f"{encoding!r} is no encoding; known: hex, base64")
    return digest.hex() if encoding == "hex" else base64.b64encode(digest).decode()


def base64_encode(text: str, url: bool = False, padding: bool = True) -> str:
    """Base64, with the letters of URLs where `url` says so."""
    encode = base64.urlsafe_b64encode if url else base64.b64encode
    encoded = encode(str(text).encode()).decode()
    return encoded if padding else encoded.rstrip("=")


def base64_decode(text: str) -> str:
    """The text that base64 of either alphabet stands for."""
    plain = str(text).translate(str.maketrans("-_", "+/")).rstrip("=")
    return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True).decode("utf-8", "replace")


def url_decode(text: str) -> str:
    """The text that percent encoding stands for; `urlencode` is the way back."""
    return unquote_plus(str(text))


def jwt(
    claims: Mapping[str, Any] | None = None,
    key: str = "secret",
    algorithm: str = "HS256",
    expires: str = "+1 hour",
    headers: Mapping[str, Any] | None = None,
) -> str:
    """A JSON Web Token with `iat` and `exp`; `HS256`, `HS384`, `HS512`, or `none` for an unsigned one."""
    if algorithm not in {"HS256", "HS384", "HS512", "none"}:
        raise ValueError(f"{algorithm!r} is no algorithm; known: HS256, HS384, HS512, none")
    at = datetime.now(UTC)
    stamped = {"iat": int(at.timestamp()), "exp": int(moved(at, expires).timestamp()), **(claims or {})}
    head = {"alg": algorithm, "typ": "JWT", **(headers or {})}
    signed = b".".join(_part(orjson.dumps(each)) for each in (head, stamped))
    digest = b"" if algorithm == "none" else _signed(signed, key, f"sha{algorithm[2:]}")
    return b".".join((signed, _part(digest))).decode()


def _part(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def _signed(text: bytes, key: str, algorithm: str) -> bytes:
    if algorithm not in _ALGORITHMS:
        raise ValueError(f"{algorithm!r} is no digest; known: {', '.join(sorted(_ALGORITHMS))}")
    return hmacs.digest(key.encode(), text, algorithm)
