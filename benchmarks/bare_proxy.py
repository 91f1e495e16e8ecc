"""A bare pass-through on aiohttp, for comparison: `python -m benchmarks.bare_proxy --port N --target URL`.

It reads each answer whole and sends it on. It keeps nothing, streams nothing, and rewrites headers as the
library does: about the least that a proxy on a well-kept library costs.
"""

from __future__ import annotations

import argparse
import asyncio

import aiohttp
import uvloop
from aiohttp import web

__all__ = ["main"]


async def _serve(port: int, target: str) -> None:
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), auto_decompress=False
    ) as session:

        async def handle(request: web.BaseRequest) -> web.Response:
            async with session.request(request.method, target + request.raw_path) as answer:
                body = await answer.read()
                return web.Response(
                    status=answer.status, body=body, content_type=answer.content_type or "text/plain"
                )

        runner = web.ServerRunner(web.Server(handle, access_log=None))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port, backlog=4096).start()
        await asyncio.Event().wait()


def main() -> None:
    """Pass on until ended."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bare_proxy", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--target", required=True)
    arguments = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(arguments.port, arguments.target))


if __name__ == "__main__":
    main()
