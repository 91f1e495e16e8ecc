"""Servers in processes of their own: pinned to one core, watched through /proc, ended by their group.

CPU and memory are those of the whole process tree, so that a server that forks or starts another program
is charged for all of it.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

__all__ = [
    "NotRunError",
    "Probe",
    "Running",
    "cpu_ticks",
    "free_port",
    "kibibytes",
    "pinned",
    "reason",
    "running",
    "wait_until_answered",
]

_READY_S = 180.0
_END_S = 10.0
_POLL_S = 0.1


class NotRunError(Exception):
    """A server or a load could not be run; the message is the reason, for the table."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A request of the load, sent alone until the server answers it with 200."""

    path: str
    method: str = "GET"
    body: str | None = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers on `port` of the loopback address."""

    pid: int
    port: int

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def cpu_s(self) -> float:
        """User and system seconds so far of the process, its descendants and those that it has buried."""
        ticks = sum(cpu_ticks(text) for text in _texts(self.pid, "stat"))
        return ticks / os.sysconf("SC_CLK_TCK")

    def rss_mib(self) -> float:
        """Resident memory now."""
        return sum(kibibytes(text, "VmRSS") for text in _texts(self.pid, "status")) / 1024

    def peak_rss_mib(self) -> float:
        """The most resident memory so far; of several processes, the sum of each one's most."""
        return sum(kibibytes(text, "VmHWM") for text in _texts(self.pid, "status")) / 1024


def cpu_ticks(stat: str) -> int:
    """Clock ticks in /proc/PID/stat: user, system, and both of the children waited for."""
    after_name = stat.rpartition(")")[2].split()
    return sum(int(value) for value in after_name[11:15])


def kibibytes(status: str, key: str) -> int:
    """A size in /proc/PID/status; 0 where it does not stand, as for a process that has ended."""
    for line in status.splitlines():
        name, _, value = line.partition(":")
        if name == key:
            return int(value.split()[0])
    return 0


def _tree(pid: int) -> Iterator[int]:
    yield pid
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from _tree(int(child))


def _texts(pid: int, name: str) -> Iterator[str]:
    for each in _tree(pid):
        with contextlib.suppress(OSError):
            yield Path(f"/proc/{each}/{name}").read_text()


def free_port() -> int:
    """A port of the loopback address that nobody listened on a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


def pinned(core: int, command: list[str]) -> list[str]:
    """The command, to run on one core alone."""
    return ["taskset", "--cpu-list", str(core), *command]


#: Busy for as long as the one who started it lives. The kernel shares a core by sessions first and by
#: policies only within one, so that it has to be told of the session, too.
_SPINNING = """
import contextlib, os
starter = os.getppid()
os.setsid()
with contextlib.suppress(OSError), open("/proc/self/autogroup", "w") as group:
    group.write("19")
while os.getppid() == starter:
    for _ in range(1_000):
        for _ in range(300):
            pass
        os.sched_yield()
"""


@contextmanager
def awake(*cores: int) -> Iterator[None]:
    """Keep cores awake for the time of a block, by work that gives way to any other.

    An idle core sleeps and clocks down, and a service then takes longer for the same work the less it has
    to do: a property of the machine that changes from one to the next, and none of the service.
    """
    with ExitStack() as spinning:
        for core in cores:
            process = subprocess.Popen(pinned(core, ["chrt", "--idle", "0", sys.executable, "-c", _SPINNING]))
            spinning.callback(process.wait)
            spinning.callback(process.kill)
        yield


@contextmanager
def running(command: list[str], port: int, log: Path) -> Iterator[Running]:
    """A server for the time of a block, its output in `log`; ended with all that it started.

    Raises NotRunError, with the last that it said, when it ends before the block does.
    """
    # Programs that fit their messages to a terminal would break the reason into pieces.
    environment = {**os.environ, "COLUMNS": "1000", "PYTHONUNBUFFERED": "1"}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, cwd=log.parent, start_new_session=True, env=environment
        )
    try:
        yield Running(process.pid, port)
    except NotRunError as error:
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = process.wait(0.5)
            said = reason(log.read_text(errors="replace")).replace(f"{log.parent}/", "")
            raise NotRunError(f"ended with code {code}: {said}") from error
        raise
    finally:
        _end(process)


def reason(said: str) -> str:
    """The line of a server's output that tells best why it ended: MockForge's own, else the last."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    own = [line for line in lines if line.startswith("mockforge: ")]
    return (own or lines[-1:] or ["it said nothing"])[0]


def _end(process: subprocess.Popen[bytes]) -> None:
    _signal_group(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_END_S)
    _signal_group(process.pid, signal.SIGKILL)  # what outlives the server that started it
    process.wait()


def _signal_group(leader: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, number)


def wait_until_answered(server: Running, probe: Probe, ready_s: float = _READY_S) -> None:
    """Until the server answers the probe with 200; NotRunError when it ends or does not in time."""
    until = time.monotonic() + ready_s
    last = "nothing"
    while time.monotonic() < until:
        if not _alive(server.pid):
            raise NotRunError("it ended")
        try:
            status = _ask(server.port, probe)
        except (OSError, http.client.HTTPException) as error:
            last = str(error) or type(error).__name__
        else:
            if status == 200:
                return
            last = f"status {status}"
            if status >= 500 or status == 404:
                until = min(until, time.monotonic() + ready_s / 10)  # it listens, but may still be loading
        time.sleep(_POLL_S)
    raise NotRunError(f"{probe.method} {probe.path} was not answered with 200: {last}")


def _alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def _ask(port: int, probe: Probe) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request(probe.method, probe.path, body=probe.body, headers=probe.headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()
