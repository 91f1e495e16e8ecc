"""Backends that queue, each in its own way, and how each is started."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import NotRunError

__all__ = ["BACKENDS", "REQUESTS", "Backend"]

#: Different numbers in a backend's paths.
REQUESTS = 199

_HERE = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Backend:
    """`command(folder, port)` starts it, `callers` saturate it; `paths` are asked in turn, `{}` a number."""

    name: str
    what: str
    command: Callable[[Path, int], list[str]]
    paths: tuple[str, ...]
    callers: int = 32
    #: What it completes a second, where that is set and need not be measured.
    saturation: float | None = None

    def path(self, number: int) -> str:
        """The path of a request; so many different ones that answers are not one and the same."""
        return self.paths[number % len(self.paths)].format(number % REQUESTS + 1)


def _gunicorn(app: str, *options: str) -> Callable[[Path, int], list[str]]:
    def command(_: Path, port: int) -> list[str]:
        start = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--keep-alive", "75"]
        # More wait under overload than a worker takes connections, unless it is told.
        return [
            *start,
            "--backlog",
            "2048",
            "--worker-connections",
            "8000",
            *options,
            "--chdir",
            str(_HERE),
            f"fragile:{app}",
        ]

    return command


def _limited(folder: Path, port: int) -> list[str]:
    program = shutil.which("nginx")
    if program is None:
        raise NotRunError("nginx is not installed")
    config = folder / "nginx.conf"
    paths = "".join(
        f"{name}_temp_path {folder}/{name};\n"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    config.write_text(
        f"daemon off; worker_processes 1; error_log stderr crit; pid {folder}/nginx.pid;\n"
        "events { worker_connections 4096; }\n"
        f"http {{ access_log off; keepalive_requests 1000000000; {paths}\n"
        "limit_req_zone $server_addr zone=all:1m rate=400r/s; limit_req_status 503;\n"
        f"server {{ listen 127.0.0.1:{port}; root {folder}; limit_req zone=all burst=40;\n"
        "location / { try_files /missing @answer; }\n"
        "location @answer { default_type application/json; return 200 '{\"ok\": true}'; } } }\n"
    )
    return [program, "-p", str(folder), "-e", "stderr", "-c", str(config)]


def _orders(folder: Path, port: int) -> list[str]:
    return [sys.executable, "-m", "examples.orders", "--port", str(port), "--db", str(folder / "orders.db")]


def _stalling(_: Path, port: int) -> list[str]:
    return [sys.executable, str(_HERE / "fragile.py"), "--port", str(port)]


BACKENDS: Mapping[str, Backend] = {
    "fidelity-orders": Backend(
        "examples/orders",
        "four threads over SQLite: single orders, and customers' newest, which take eight times as long",
        _orders,
        ("/orders/{}", "/orders?customer={}&limit=20"),
    ),
    "fidelity-cpu": Backend(
        "gunicorn, 4 sync workers on one core",
        "SQLite reports, all processor time",
        _gunicorn("cpu", "--workers", "4"),
        ("/report/{}",),
        callers=4,
    ),
    "fidelity-waiting": Backend(
        "gunicorn, 8 threads",
        "each waits for a slow dependency",
        _gunicorn("waiting", "--workers", "1", "--threads", "8", "--worker-class", "gthread"),
        ("/item/{}",),
    ),
    "fidelity-limited": Backend(
        "nginx with limit_req", "400 a second, 40 waiting", _limited, ("/{}",), 8, 400.0
    ),
    "fidelity-stalls": Backend(
        "a service of one thread that stands still every 2 s",
        "as for a garbage collector",
        _stalling,
        ("/digest/{}",),
    ),
}
