"""Stubs that would pass requests on to the mock itself, found before they are served."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mockforge.errors import StubFileError, UsageError
from mockforge.model.stub import Stub
from mockforge.targets import Target, parse_target

__all__ = ["OwnAddress"]


@dataclass(frozen=True, slots=True)
class OwnAddress:
    """Where the mock listens. `host` may be a wildcard, such as 0.0.0.0."""

    host: str
    port: int

    def leads_back(self, target: Target) -> bool:
        """Whether what goes to `target` comes here, as far as that can be told without asking the network."""
        if target.port != self.port:
            return False
        return target.host == self.host or (_is_near(target.host) and _is_near(self.host))

    def refuse_loops(self, stubs: Iterable[Stub]) -> None:
        """Raise StubFileError where a stub passes requests on to this address."""
        problems = tuple(self._problems(stubs))
        if problems:
            raise StubFileError(
                f"{len(problems)} stubs pass requests on to the mock itself", problems=problems
            )

    def _problems(self, stubs: Iterable[Stub]) -> Iterator[str]:
        for stub in stubs:
            urls = {each.proxy.base_url for each in stub.responses if each.proxy is not None}
            for url in urls:
                if self._is_here(url):
                    where = f"{stub.place}: " if stub.place else ""
                    yield f"{where}stub {stub.name!r}: proxyBaseUrl: {url} is the mock itself"

    def _is_here(self, url: str) -> bool:
        try:
            return self.leads_back(parse_target(url))
        except UsageError:  # a template, which is looked at when it is used
            return False


def _is_near(host: str) -> bool:
    """Whether the name or address is this machine's own loopback, or all its addresses."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified
