"""Who may use the admin API of a served mock: the options, and what they may not leave open."""

from __future__ import annotations

import ipaddress
from typing import Annotated

import typer

from mockforge.errors import UsageError

__all__ = ["AdminOpen", "AdminToken", "check_admin_access"]

AdminToken = Annotated[
    str | None,
    typer.Option(
        metavar="TEXT",
        envvar="MOCKFORGE_ADMIN_TOKEN",
        help="The admin API wants it of its callers: Authorization: Token TEXT.",
    ),
]
AdminOpen = Annotated[
    bool, typer.Option("--admin-open", help="Let anybody who reaches --host use the admin API.")
]


def check_admin_access(host: str, token: str | None, is_open: bool) -> None:
    """UsageError where anybody in the network could edit what is served, and nobody said so."""
    if token is not None and (not token.strip() or not token.isascii()):
        raise UsageError("--admin-token is empty or not ASCII", hint="give one, or leave the option out")
    if token is None and not is_open and not _is_loopback(host):
        raise UsageError(
            f"--host {host} would open the admin API to the network",
            hint="give --admin-token, or --admin-open to allow it",
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
