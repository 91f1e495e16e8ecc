"""The servers that are measured: MockForge, and beside it what else can answer the same requests.

Each is a name and a way to start it on a port with given stubs. What is not installed is named with the
reason, not left out.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import NotRunError, free_port
from benchmarks.stubsets import STATIC_BODY, STATIC_PATH, Mapping

__all__ = [
    "JVM_WARMTH",
    "NODE_MODULES",
    "NODE_WARMTH",
    "WIREMOCK_FAST",
    "WIREMOCK_FAST_DELAYS",
    "Server",
    "json_server_command",
    "mockforge",
    "mountebank",
    "mountebank_command",
    "nginx",
    "raw_asgi",
    "version_in",
    "wiremock",
    "wiremock_command",
]

NODE_MODULES = "MOCKFORGE_BENCH_NODE_MODULES"
_ROOT = Path(__file__).resolve().parents[1]

#: WireMock's own advice for load tests; its answers wait in threads unless they are asynchronous.
WIREMOCK_FAST = ("--no-request-journal", "--disable-request-logging")
WIREMOCK_FAST_DELAYS = ("--async-response-enabled=true", *WIREMOCK_FAST)


#: How many times as long as others they are loaded before they are measured: they compile while they run.
JVM_WARMTH = 4.0
NODE_WARMTH = 2.0


@dataclass(frozen=True, slots=True)
class Server:
    """`command(folder, port)` writes what the server reads into the folder, and gives its command line.

    It raises NotRunError, with the reason, when the program is not installed. `warmth`: how many times as
    long as others it is loaded before it is measured.
    """

    name: str
    command: Callable[[Path, int], list[str]]
    warmth: float = 1.0


def mockforge(stubs: list[Mapping], name: str = "MockForge") -> Server:
    """`mockforge serve` with its journal and metrics on, as everybody runs it."""

    def command(folder: Path, port: int) -> list[str]:
        file = folder / "stubs.json"
        file.write_text(json.dumps({"mappings": stubs}, indent=1))
        return [sys.executable, "-m", "mockforge", "serve", str(file), "--port", str(port)]

    return Server(name, command)


_NGINX = """
daemon off;
worker_processes 1;
error_log stderr warn;
pid {folder}/nginx.pid;
events {{ worker_connections 16384; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
      default_type application/json;
      return 200 '{body}';
    }}
  }}
}}
"""


def nginx() -> Server:
    """nginx with one worker and `return 200` for everything: about the least that HTTP costs."""

    def command(folder: Path, port: int) -> list[str]:
        file = folder / "nginx.conf"
        file.write_text(_NGINX.format(folder=folder, port=port, body=STATIC_BODY))
        return [_on_path("nginx"), "-p", str(folder), "-e", "stderr", "-c", str(file)]

    return Server("nginx", command)


def raw_asgi() -> Server:
    """uvicorn, httptools and uvloop, with an application that only answers."""

    def command(folder: Path, port: int) -> list[str]:
        options = ["--http", "httptools", "--loop", "uvloop", "--lifespan", "off", "--no-access-log"]
        options += ["--app-dir", str(_ROOT), "--backlog", "4096", "--port", str(port)]
        return [sys.executable, "-m", "uvicorn", "benchmarks.raw_asgi:app", *options]

    return Server("raw ASGI (uvicorn)", command)


def wiremock(stubs: list[Mapping], name: str = "WireMock", flags: tuple[str, ...] = ()) -> Server:
    """WireMock with these mappings."""

    def command(folder: Path, port: int) -> list[str]:
        start = wiremock_command()
        mappings = folder / "mappings"
        mappings.mkdir()
        (mappings / "stubs.json").write_text(json.dumps({"mappings": stubs}))
        return [*start, "--port", str(port), "--root-dir", str(folder), "--disable-banner", *flags]

    return Server(name, command, JVM_WARMTH)


def mountebank() -> Server:
    """mountebank with the static stub. It closes every connection unless the response says otherwise."""

    def command(folder: Path, port: int) -> list[str]:
        start = mountebank_command()
        headers = {
            "Content-Type": "application/json",
            "Content-Length": str(len(STATIC_BODY)),
            "Connection": "keep-alive",
        }
        answer = {"is": {"statusCode": 200, "headers": headers, "body": STATIC_BODY}}
        stub = {"predicates": [{"equals": {"method": "GET", "path": STATIC_PATH}}], "responses": [answer]}
        imposter = {"port": port, "protocol": "http", "host": "127.0.0.1", "stubs": [stub]}
        file = folder / "imposters.json"
        file.write_text(json.dumps({"imposters": [imposter]}))
        options = ["--configfile", str(file), "--port", str(free_port()), "--pidfile", str(folder / "mb.pid")]
        return [*start, "start", *options, "--nologfile", "--loglevel", "error", "--localOnly"]

    return Server("mountebank", command, NODE_WARMTH)


def wiremock_command() -> list[str]:
    """How WireMock starts here: by its jar where the npm package is found, else by `wiremock` on PATH."""
    package = _package("wiremock")
    on_path = shutil.which("wiremock")
    if package is None and on_path is not None:
        package = Path(on_path).resolve().parent
    jars = sorted((package / "build").glob("wiremock-standalone-*.jar")) if package else []
    if jars:
        return [_on_path("java"), "-jar", str(jars[-1])]
    if on_path is None:
        raise NotRunError(_not_installed("wiremock"))
    return [on_path]


def mountebank_command() -> list[str]:
    """How mountebank starts here: by the npm package where it is found, else by `mb` on PATH."""
    package = _package("@mbtest/mountebank")
    if package is not None:
        return [_on_path("node"), str(package / "bin" / "mb")]
    on_path = shutil.which("mb")
    if on_path is None:
        raise NotRunError(_not_installed("@mbtest/mountebank"))
    return [on_path]


def json_server_command() -> list[str]:
    """How json-server starts here."""
    package = _package("json-server")
    if package is None:
        raise NotRunError(_not_installed("json-server@0.17"))
    return [_on_path("node"), str(package / "lib" / "cli" / "bin.js")]


def _package(name: str) -> Path | None:
    folder = Path(os.environ.get(NODE_MODULES, "node_modules")).resolve() / name
    return folder if folder.is_dir() else None


def _on_path(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        raise NotRunError(f"{program} is not installed")
    return found


def _not_installed(package: str) -> str:
    return f"not installed (npm install {package}, and {NODE_MODULES} says where else than ./node_modules)"


def version_in(text: str) -> str:
    """The first version number in what a program says of itself; empty where there is none."""
    found = re.search(r"\d+(?:\.\d+)+(?:[-+.\w]*\w)?", text)
    return found[0] if found else ""
