"""What every connection of a proxy has in common, as seen from one connection."""

from __future__ import annotations

import asyncio
from typing import Protocol

from mockforge.model.exchange import Response
from mockforge.proxy.passage import Passage
from mockforge.proxy.progress import ExchangeInProgress

__all__ = ["Tap"]


class Tap(Protocol):
    """What passages have in common: the proxy."""

    in_flight: int

    def now_ns(self) -> int: ...

    def connect(self, passage: Passage) -> asyncio.Task[None]:
        """Open a connection to the target; its `TargetSide` joins the passage, or the passage fails."""
        ...

    def tell(
        self, exchange: ExchangeInProgress, ended_ns: int, response: Response | None, error: str | None
    ) -> None:
        """The exchange has ended; told once of each."""
        ...

    @property
    def stopping(self) -> bool: ...

    def opened(self, passage: Passage) -> None: ...

    def closed(self, passage: Passage) -> None: ...
