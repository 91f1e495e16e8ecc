"""HTTP header fields as they stood on the wire: ordered, repeated, with their case."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

__all__ = ["HOP_BY_HOP", "Headers"]

#: Fields that speak of one connection and are never passed on (RFC 9110 §7.6.1), in lower case.
HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


@dataclass(frozen=True, slots=True)
class Headers:
    """Ordered name/value pairs; names compare without case, and a name may stand more than once."""

    pairs: tuple[tuple[str, str], ...] = ()

    @classmethod
    def from_raw(cls, raw: Iterable[tuple[bytes, bytes]]) -> Headers:
        """From the byte pairs of a parser; bytes are Latin-1, as HTTP has it."""
        return cls(tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in raw))

    def raw(self) -> list[tuple[bytes, bytes]]:
        """The pairs as bytes, for the wire."""
        return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in self.pairs]

    def get(self, name: str, default: str | None = None) -> str | None:
        """The first value of `name`, or `default`."""
        lowered = name.lower()
        for key, value in self.pairs:
            if key.lower() == lowered:
                return value
        return default

    def get_all(self, name: str) -> list[str]:
        """Every value of `name`, in order."""
        lowered = name.lower()
        return [value for key, value in self.pairs if key.lower() == lowered]

    def without(self, names: Iterable[str]) -> Headers:
        """A copy that lacks every field in `names` (any case)."""
        dropped = {name.lower() for name in names}
        return Headers(tuple(pair for pair in self.pairs if pair[0].lower() not in dropped))

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.pairs)

    def __len__(self) -> int:
        return len(self.pairs)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.get(name) is not None
