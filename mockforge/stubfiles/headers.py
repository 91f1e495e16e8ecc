"""Response headers between their ordered pairs and a mapping, where a repeated one has a list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mockforge.model.headers import Headers

__all__ = ["grouped", "ungrouped"]


def grouped(headers: Headers) -> dict[str, str | list[str]]:
    """As written in a file. Fields of one name come together, which HTTP gives the same meaning."""
    values: dict[str, list[str]] = {}
    for name, value in headers:
        values.setdefault(name, []).append(value)
    return {name: each if len(each) > 1 else each[0] for name, each in values.items()}


def ungrouped(written: Mapping[str, Sequence[str]]) -> Headers:
    """As sent."""
    return Headers(tuple((name, value) for name, values in written.items() for value in values))
