"""`mockforge serve`: the virtual service."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from mockforge.cli.admin_access import AdminOpen, AdminToken, check_admin_access
from mockforge.cli.project_options import Only, ProjectFile, services_of
from mockforge.cli.proxy_options import (
    Passing,
    ProxyCa,
    ProxyCertificate,
    ProxyInsecure,
    ProxyKey,
    ProxyTimeout,
    ProxyUnmatched,
)
from mockforge.cli.running import run_until_interrupted
from mockforge.cli.serving import Serving, ServingOptions
from mockforge.errors import UsageError
from mockforge.process import room_for_connections
from mockforge.project.reader import ProjectService
from mockforge.proxy.upstream import SILENCE_S
from mockforge.server.http import TlsFiles, serving_all
from mockforge.targets import UpstreamTls

__all__ = ["serve"]

_MOST_CONNECTIONS = 65_536

_TlsCertificate = Annotated[
    Path | None, typer.Option(metavar="PEM", help="Serve HTTPS with this certificate chain.")
]
_TlsKey = Annotated[Path | None, typer.Option(metavar="PEM", help="The certificate's private key.")]


_Stubs = Annotated[
    Path | None,
    typer.Argument(help="A folder of stubs, or one stub file; without it, the services of mockforge.yaml."),
]
_Port = Annotated[
    int | None, typer.Option(show_default="8080", help="Port to listen on; 0 takes a free one.")
]
_RecordRun = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Write what is served as a recording; of a project, a folder of them."),
]
_Seed = Annotated[
    int | None, typer.Option(help="Seed of every random draw, to repeat a run; drawn when not given.")
]
_TimeScale = Annotated[float, typer.Option(min=0, help="Multiply every delay: 0.5 for half, 0 for none.")]
_MaxBody = Annotated[
    int, typer.Option(min=1, metavar="MIB", help="Largest request body; beyond it the answer is 413.")
]


def serve(
    stubs: _Stubs = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: _Port = None,
    record_run: _RecordRun = None,
    seed: _Seed = None,
    time_scale: _TimeScale = 1.0,
    max_body: _MaxBody = 10,
    project: ProjectFile = None,
    only: Only = None,
    proxy_unmatched: ProxyUnmatched = None,
    proxy_timeout: ProxyTimeout = SILENCE_S,
    proxy_insecure: ProxyInsecure = False,
    proxy_ca: ProxyCa = None,
    proxy_cert: ProxyCertificate = None,
    proxy_key: ProxyKey = None,
    tls_cert: _TlsCertificate = None,
    tls_key: _TlsKey = None,
    admin_token: AdminToken = None,
    admin_open: AdminOpen = False,
) -> None:
    """Serve a virtual service, or all of a project. Edits to files are picked up. Ctrl-C ends it.

    Example:

        mockforge serve stubs/orders --port 8080 --record-run recordings/orders-mock.mfrec
    """
    check_admin_access(host, admin_token, admin_open)
    tls = TlsFiles.of(tls_cert, tls_key)
    scheme = "https" if tls else "http"
    upstream_tls = UpstreamTls(proxy_insecure, proxy_ca, proxy_cert, proxy_key)
    passing = Passing(proxy_unmatched, proxy_timeout, upstream_tls)
    options = ServingOptions(host, scheme, seed, time_scale, max_body, admin_token, record_run, passing)
    serving = Serving(options)
    if proxy_unmatched is not None and stubs is None:
        raise UsageError("--proxy-unmatched goes with stubs", hint="proxyUnmatched: true in the project")
    serving.read(_services(stubs, port, project, only))
    room_for_connections(_MOST_CONNECTIONS)
    ports = serving.listen()

    async def main(stop: asyncio.Event) -> None:
        serving.ending.stop = stop
        with serving.followed_and_recorded():
            async with serving_all(ports, tls):
                serving.announce()
                await stop.wait()
                serving.tell_of_the_end()
        serving.conclude()

    run_until_interrupted(main)


def _services(
    stubs: Path | None, port: int | None, project: Path | None, only: list[str] | None
) -> tuple[ProjectService, ...]:
    """The one that is given, under its own name, or those of the project."""
    if stubs is not None:
        if project is not None or only:
            raise UsageError(f"{stubs} and a project exclude each other", hint="give one of the two")
        return (ProjectService("", 8080 if port is None else port, stubs),)
    _, services = services_of(project, only, "give stubs, such as mockforge serve stubs/orders")
    if port is not None:
        raise UsageError(f"--port {port} goes with stubs", hint="the project's file says the ports")
    return services
