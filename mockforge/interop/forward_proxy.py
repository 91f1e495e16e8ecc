"""A forward proxy that records: mitmproxy in this process, with our addon in it."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mockforge.errors import AddressError
from mockforge.interop.mitm_addon import MockForgeRecorder
from mockforge.interop.mitm_flow import KEEP_BODY
from mockforge.interop.source import SourceError
from mockforge.model.exchange import Exchange
from mockforge.sockets import listen
from mockforge.targets import Target

__all__ = ["ForwardProxyOptions", "run_forward_proxy"]


def _untold(_recorder: MockForgeRecorder, _address: str) -> None:
    """The start of a proxy that nobody waits for."""


@dataclass(frozen=True, slots=True)
class ForwardProxyOptions:
    """How the proxy listens, whom it trusts and what it keeps.

    `target` limits the recording to one backend; without it, exchanges have absolute targets. `ca_folder`
    holds the authority that signs for the backends; it is made where it is missing, and callers must trust
    its `mitmproxy-ca-cert.pem`. `trusted_ca` is a file of authorities to trust beside the usual, `insecure`
    trusts everybody. `started_wall_ns` is the run's start. `listening` hears when it listens, and where.
    """

    sink: Callable[[Exchange], None]
    host: str = "127.0.0.1"
    port: int = 8080
    target: Target | None = None
    ca_folder: Path = Path("~/.mitmproxy")
    trusted_ca: Path | None = None
    insecure: bool = False
    keep_body: int = KEEP_BODY
    started_wall_ns: int | None = None
    listening: Callable[[MockForgeRecorder, str], None] = _untold


async def run_forward_proxy(options: ForwardProxyOptions, stop: asyncio.Event) -> None:
    """Serve until `stop` is set; what is under way then is recorded as `proxy: stopped`.

    Raises SourceError where mitmproxy is not installed, AddressError where the address is not to be had.
    """
    dump, mitmproxy_options = _library()
    with contextlib.closing(listen(options.host, options.port)) as probe:
        port = probe.getsockname()[1]  # mitmproxy would say in its log alone that it is taken
    recorder = MockForgeRecorder(
        options.sink,
        target=options.target,
        keep_body=options.keep_body,
        started_wall_ns=options.started_wall_ns,
    )
    chosen = mitmproxy_options.Options(
        listen_host=options.host,
        listen_port=port,
        confdir=str(options.ca_folder.expanduser()),
        ssl_insecure=options.insecure,
        ssl_verify_upstream_trusted_ca=str(options.trusted_ca) if options.trusted_ca else None,
    )
    loop = asyncio.get_running_loop()
    master = dump.DumpMaster(chosen, loop=loop, with_termlog=False, with_dumper=False)
    # It ends the process where an address is taken; that is ours to say.
    master.addons.remove(master.addons.get("errorcheck"))
    # A backend that is down is then told of the request that met it, not of the CONNECT before.
    chosen.update(connection_strategy="lazy")
    started = _Started(master, options, recorder)
    master.addons.add(recorder, started)
    stopping = asyncio.create_task(_stop(master, stop))
    try:
        await master.run()
    finally:
        stopping.cancel()
    if started.failed:
        raise AddressError("the address cannot be listened on", where=f"{options.host}:{port}")


def _library() -> tuple[Any, Any]:
    """mitmproxy's modules with its master and its options."""
    try:
        return importlib.import_module("mitmproxy.tools.dump"), importlib.import_module("mitmproxy.options")
    except ImportError as error:
        raise SourceError(
            "the forward proxy needs mitmproxy, which is not installed",
            hint='pip install "mockforge-server[mitm]"',
        ) from error


async def _stop(master: Any, stop: asyncio.Event) -> None:
    await stop.wait()
    await master.addons.get("proxyserver").servers.update([])  # it leaves its sockets to the process's end
    master.shutdown()


class _Started:
    """An addon that says when, and whether, the proxy listens."""

    def __init__(self, master: Any, options: ForwardProxyOptions, recorder: MockForgeRecorder) -> None:
        self.failed = False
        self._master = master
        self._options = options
        self._recorder = recorder

    def running(self) -> None:
        """mitmproxy's hook: its servers have been started, or have not."""
        addresses = self._master.addons.get("proxyserver").listen_addrs()
        if not addresses:
            self.failed = True
            self._master.shutdown()
            return
        host = f"[{self._options.host}]" if ":" in self._options.host else self._options.host
        self._options.listening(self._recorder, f"http://{host}:{addresses[0][1]}")
