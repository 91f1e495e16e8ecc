"""Keys of WireMock's stub mappings that MockForge does not know yet, by where they stand.

A file that holds one is refused, not half served; the message says that its author made no error.
"""

from __future__ import annotations

__all__ = ["IN_FILE", "IN_REQUEST", "IN_RESPONSE", "IN_STUB"]

IN_FILE = frozenset({"importOptions", "meta"})

IN_STUB = frozenset({"insertionIndex", "persistent"})

IN_REQUEST: frozenset[str] = frozenset()

IN_RESPONSE = frozenset(
    {
        "fromConfiguredStub",
        "statusMessage",
        "transformerParameters",
    }
)
