"""What `mockforge serve` is told about passing requests on."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from mockforge.errors import UsageError
from mockforge.forwarding.proxied import CompiledForward, forward_all
from mockforge.proxy.upstream import SILENCE_S, UpstreamPool
from mockforge.server.loops import OwnAddress
from mockforge.targets import UpstreamTls, parse_target

__all__ = [
    "Passing",
    "ProxyCa",
    "ProxyCertificate",
    "ProxyInsecure",
    "ProxyKey",
    "ProxyTimeout",
    "ProxyUnmatched",
    "fallback_to",
]

ProxyUnmatched = Annotated[
    str | None,
    typer.Option(
        "--proxy-unmatched", "--proxy-all", metavar="URL", help="Where requests that match no stub go on to."
    ),
]
ProxyTimeout = Annotated[
    float, typer.Option(min=0.001, metavar="S", help="Answer 504 after so long a silence of an upstream.")
]
ProxyInsecure = Annotated[bool, typer.Option("--proxy-insecure", help="Take any certificate of an upstream.")]
ProxyCa = Annotated[
    Path | None, typer.Option(metavar="PEM", help="Authorities that upstreams' certificates are checked by.")
]
ProxyCertificate = Annotated[
    Path | None, typer.Option("--proxy-cert", metavar="PEM", help="Certificate to show to upstreams.")
]
ProxyKey = Annotated[Path | None, typer.Option(metavar="PEM", help="Its private key.")]


@dataclass(frozen=True, slots=True)
class Passing:
    """The options as they are given."""

    unmatched: str | None = None
    silence_s: float = SILENCE_S
    tls: UpstreamTls = field(default_factory=UpstreamTls)

    def pool(self) -> UpstreamPool:
        """The way to upstreams; UsageError where a file cannot be used."""
        self.tls.context()
        return UpstreamPool(self.tls, silence_s=self.silence_s)


def fallback_to(url: str | None, own: OwnAddress, asked: str) -> CompiledForward | None:
    """Where what is unmatched goes on to, as `asked` has it.

    UsageError where that cannot be, or is the mock itself.
    """
    if url is None:
        return None
    target = parse_target(url)
    if own.leads_back(target):
        raise UsageError(f"{asked} {url} is the mock itself", hint="give the real backend")
    return forward_all(target)
