"""Content codings: gzip, deflate, zstd, and br where the library for it is installed."""

from __future__ import annotations

import gzip
import importlib
import zlib
from collections.abc import Callable
from typing import Any, Protocol

import zstandard

__all__ = ["BROTLI", "LARGEST_DECODED", "DamagedError", "UndecodableError", "decode", "encode"]

#: A body that grows beyond this when it is decoded was made to do so.
LARGEST_DECODED = 64 << 20
#: So little at a time that what it grows to stays in bounds.
_STEP = 1024


class UndecodableError(Exception):
    """A body cannot be decoded; says why, in words for a report."""


class DamagedError(UndecodableError):
    """A body is not, or not all of, what its content coding says."""


class _Decoder(Protocol):
    """One stream's decoder, as zlib has it."""

    @property
    def eof(self) -> bool:
        """Whether the stream's end was seen."""

    @property
    def unused_data(self) -> bytes:
        """What came after the end."""

    def decompress(self, data: bytes, /) -> bytes:
        """Some more of the content."""


class _Brotli:
    """A brotli stream's decoder with zlib's interface."""

    unused_data = b""

    def __init__(self, library: Any) -> None:
        self._decoder = library.Decompressor()
        self._error: type[Exception] = library.error

    @property
    def eof(self) -> bool:
        return bool(self._decoder.is_finished())

    def decompress(self, data: bytes, /) -> bytes:
        try:
            return bytes(self._decoder.process(data))
        except self._error as error:
            raise ValueError(str(error)) from error


def _brotli_library() -> Any:
    for name in ("brotli", "brotlicffi"):
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    return None


BROTLI = _brotli_library()


def decode(coding: str, data: bytes) -> tuple[bytes, str]:
    """The content of `data`, and the name of the form to encode it in again.

    UndecodableError where the coding is not known, or the data are damaged, cut off or too large.
    """
    if coding in ("gzip", "x-gzip"):
        return _decoded(data, lambda: zlib.decompressobj(wbits=31)), "gzip"
    if coding == "deflate":
        # Some send it as RFC 9110 has it, within zlib's frame, and others without.
        try:
            return _decoded(data, lambda: zlib.decompressobj(wbits=15)), "deflate"
        except DamagedError:
            return _decoded(data, lambda: zlib.decompressobj(wbits=-15)), "raw deflate"
    if coding == "zstd":
        return _decoded(data, lambda: zstandard.ZstdDecompressor().decompressobj()), "zstd"
    if coding == "br" and BROTLI is not None:
        return _decoded(data, lambda: _Brotli(BROTLI)), "br"
    why = "br cannot be decoded without the library brotli" if coding == "br" else "unknown content coding"
    raise UndecodableError(why)


def encode(form: str, content: bytes) -> bytes:
    """The inverse of `decode`; the same content always gives the same bytes."""
    if form == "gzip":
        return gzip.compress(content, compresslevel=6, mtime=0)
    if form == "deflate":
        return zlib.compress(content)
    if form == "raw deflate":
        return zlib.compress(content, wbits=-15)
    if form == "zstd":
        return zstandard.ZstdCompressor(level=3).compress(content)
    return bytes(BROTLI.compress(content, quality=5))


def _decoded(data: bytes, new_decoder: Callable[[], _Decoder]) -> bytes:
    """The content of one stream, or of several one after the other."""
    parts: list[bytes] = []
    size = 0
    rest = data
    try:
        while rest.strip(b"\0"):
            decoder = new_decoder()
            at = 0
            while at < len(rest) and not decoder.eof:
                parts.append(decoder.decompress(rest[at : at + _STEP]))
                at += _STEP
                size += len(parts[-1])
                if size > LARGEST_DECODED:
                    raise UndecodableError("too large when decoded")
            if not decoder.eof:
                raise DamagedError("its content coding is cut off")
            rest = decoder.unused_data + rest[at:]
    except (ValueError, zlib.error, zstandard.ZstdError) as error:
        raise DamagedError("its content coding is damaged") from error
    return b"".join(parts)
