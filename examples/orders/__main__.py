"""Start the orders backend: `python -m examples.orders --port 9000`."""

import argparse
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from types import FrameType

import uvicorn

from examples.orders import database
from examples.orders.app import build_app
from examples.orders.carrier_client import CarrierClient, CarrierProcess
from examples.orders.pool import Worker, WorkerPool

_USAGE_ERROR = 2


class AnnouncingServer(uvicorn.Server):
    """A server that says when it is ready; whoever starts it waits for that line instead of for a time."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to listen, then say so."""
        await super().startup(sockets)
        self._announce()


def main() -> int:
    """Bind, build, serve until SIGINT or SIGTERM; everything that was started is ended on the way out."""
    options = _arguments()
    signal.signal(signal.SIGINT, _leave)
    signal.signal(signal.SIGTERM, _leave)
    with ExitStack() as cleanup:
        try:
            listener = cleanup.enter_context(
                closing(socket.create_server(("127.0.0.1", options.port), backlog=512))
            )
        except OSError as error:
            print(
                f"orders: cannot listen on port {options.port}: {os.strerror(error.errno or 0)}",
                file=sys.stderr,
            )
            return _USAGE_ERROR
        path = (
            options.db
            or Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="orders-"))) / "orders.db"
        )
        try:
            count = database.prepare(path)
        except database.NotAnOrdersDatabaseError as error:
            print(f"orders: {error}", file=sys.stderr)
            return _USAGE_ERROR
        carrier = cleanup.enter_context(CarrierProcess())
        pool = cleanup.enter_context(
            closing(
                WorkerPool(
                    options.workers,
                    options.queue,
                    lambda: Worker(database.connect(path), CarrierClient(carrier.port)),
                )
            )
        )

        def announce() -> None:
            where = f"http://127.0.0.1:{listener.getsockname()[1]}"
            shape = f"{count:,} orders, {options.workers} workers, queue of {options.queue}"
            print(f"orders backend on {where} ({shape})", flush=True)

        config = uvicorn.Config(
            build_app(pool, carrier.port),
            lifespan="off",
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=5,
        )
        AnnouncingServer(config, announce).run(sockets=[listener])
    return 0


def _leave(_signal: int, _frame: FrameType | None) -> None:
    """End by unwinding, so that the carrier and the temporary database go too."""
    raise SystemExit(0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m examples.orders", description=__doc__)
    parser.add_argument(
        "--port", type=_whole(0, 65_535), default=9000, help="0 takes a free one (default: 9000)"
    )
    parser.add_argument("--workers", type=_whole(1, 64), default=4, help="worker threads (default: 4)")
    parser.add_argument(
        "--queue", type=_whole(0, 100_000), default=32, help="requests that may wait (default: 32)"
    )
    parser.add_argument("--db", type=Path, help="keep the database in this file (default: a temporary one)")
    return parser.parse_args()


def _whole(lowest: int, highest: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        value = int(text)
        if not lowest <= value <= highest:
            raise argparse.ArgumentTypeError(f"has to be from {lowest} to {highest}: {value}")
        return value

    return number


if __name__ == "__main__":
    sys.exit(main())
