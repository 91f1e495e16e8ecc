"""What the parts of the admin API share: the lane that is served, the stubs, the settings, the options."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mockforge.server.admin.store import StubStore
from mockforge.server.lane import Lane
from mockforge.state.journal import Journal
from mockforge.stubfiles.folder import BODIES, Bodies

__all__ = ["ADMIN_PREFIX", "Admin", "AdminOptions"]

ADMIN_PREFIX = "/__admin"


@dataclass(frozen=True, slots=True)
class AdminOptions:
    """`token` is wanted of every caller, where one is set. `stubs` is the folder or file that is served.

    `shutdown` ends the process; without it the API cannot.
    """

    token: str | None = None
    stubs: Path | None = None
    shutdown: Callable[[], object] | None = None


@dataclass(slots=True)
class Admin:
    """The state behind the admin API of one service. `settings` are WireMock's global ones, as given."""

    lane: Lane
    store: StubStore
    options: AdminOptions
    settings: Mapping[str, object] = field(default_factory=dict)

    @property
    def journal(self) -> Journal:
        return self.lane.journal

    @property
    def folder(self) -> Path | None:
        """The folder that stubs are saved in; None where a single file is served, or nothing of the disk."""
        stubs = self.options.stubs
        return stubs if stubs is not None and stubs.is_dir() else None

    @property
    def bodies(self) -> Bodies:
        """The folder of body files."""
        stubs = self.options.stubs
        if stubs is None:
            return Bodies(Path(BODIES))
        return Bodies((stubs if stubs.is_dir() else stubs.parent) / BODIES)
