"""What the parts of the admin API share: the lane that is served, the stubs, the settings, the options."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from mockforge.server.admin.store import StubStore
from mockforge.server.lane import Lane
from mockforge.state.journal import Journal
from mockforge.stubfiles.folder import BODIES, Bodies

__all__ = ["ADMIN_PREFIX", "Admin", "AdminOptions", "AsgiApp", "Receive", "Scope", "Send", "ServedService"]

ADMIN_PREFIX = "/__admin"


Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]


class Mock(Protocol):
    """The application of a service, as far as the admin API of another one needs it."""

    @property
    def lane(self) -> Lane: ...

    @property
    def stubs(self) -> StubStore: ...

    @property
    def admin(self) -> AsgiApp: ...


@dataclass(frozen=True, slots=True)
class ServedService:
    """One of the services of the process; on a port of several, `host` is what callers name."""

    name: str
    url: str
    host: str | None
    seed: int
    app: Mock


@dataclass(frozen=True, slots=True)
class AdminOptions:
    """`token` is wanted of every caller, where one is set. `stubs` is the folder or file that is served.

    `shutdown` ends the process; without it the API cannot. `services` are all that the process serves.
    """

    token: str | None = None
    stubs: Path | None = None
    shutdown: Callable[[], object] | None = None
    services: Sequence[ServedService] = ()


@dataclass(slots=True)
class Admin:
    """The state behind the admin API of one service. `settings` are WireMock's global ones, as given.

    `saved` are the files of stubs that were saved, by id.
    """

    lane: Lane
    store: StubStore
    options: AdminOptions
    settings: Mapping[str, object] = field(default_factory=dict)
    saved: dict[str, Path] = field(default_factory=dict)

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
