"""The header fields of a request that goes on to somewhere else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mockforge.model.headers import HOP_BY_HOP, Headers

__all__ = ["Fields", "listed_in_connection", "with_framing"]

Fields = Sequence[tuple[bytes, bytes]]

#: What speaks of the body's framing, which is told anew, or asks for something on the old connection.
_NOT_PASSED_ON = frozenset(name.encode() for name in HOP_BY_HOP) | {b"content-length", b"expect", b"host"}

#: Without a body these announce none; others say that theirs is empty (RFC 9110 §8.6).
_BODILESS = frozenset({"GET", "HEAD", "DELETE", "OPTIONS", "TRACE"})


def listed_in_connection(fields: Iterable[tuple[bytes, bytes]]) -> set[bytes]:
    """The names, in lower case, of the fields that `Connection` says are of that connection alone."""
    values = [value for name, value in fields if name.lower() == b"connection"]
    return {each.strip().lower() for value in values for each in value.split(b",")}


def with_framing(
    given: Fields, host: str, method: str, body: bytes, added: Headers
) -> tuple[tuple[bytes, bytes], ...]:
    """The fields of a request to `host`: those of `given` that go on, with `added` in place of their like."""
    dropped = _NOT_PASSED_ON | listed_in_connection(given) | {name.lower().encode() for name, _ in added}
    own_host = added.get("host")
    fields = [(b"Host", (host if own_host is None else own_host).encode("latin-1"))]
    fields += [(name, value) for name, value in given if name.lower() not in dropped]
    fields += [pair for pair in added.raw() if pair[0].lower() != b"host"]
    if body or method not in _BODILESS:
        fields.append((b"Content-Length", b"%d" % len(body)))
    fields.append((b"Connection", b"keep-alive"))
    return tuple(fields)
