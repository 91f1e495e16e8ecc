"""One virtual service: its stubs and where they were learned from."""

from __future__ import annotations

from dataclasses import dataclass

from mockforge.model.stub import Stub

__all__ = ["Service"]


@dataclass(frozen=True, slots=True)
class Service:
    """`upstream` is the real backend's URL, where one is known."""

    name: str
    stubs: tuple[Stub, ...] = ()
    upstream: str | None = None
