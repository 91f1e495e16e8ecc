"""wrk: the script that it runs, and what it tells at the end.

wrk prints percentiles rounded to two figures after the point of whatever unit fits, and so a second to ten
milliseconds; the script prints them once more in whole microseconds.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import NotRunError, Probe, pinned

__all__ = ["Load", "Wrk", "lua_text", "parse", "script_of"]

_MARK = "figures "

#: Answers this late count, as those before them; without it wrk calls everything above 2 s a timeout.
_TIMEOUT_S = 30

_DONE = """
done = function(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    'figures {"requests": %d, "duration_us": %d, "errors": %d, "p50_us": %d, "p99_us": %d, "max_us": %d}\\n',
    summary.requests, summary.duration,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    latency:percentile(50), latency:percentile(99), latency.max))
end
"""

_CYCLE = """
local prepared, turn = {}, 0
init = function(args)
  for number, each in ipairs(asked) do
    prepared[number] = wrk.format(each.method, each.path, each.headers, each.body)
  end
end
request = function()
  turn = turn % #prepared + 1
  return prepared[turn]
end
"""


@dataclass(frozen=True, slots=True)
class Load:
    """What wrk measured. `errors` are answers other than 2xx and 3xx, failed connections and timeouts."""

    requests: int
    seconds: float
    errors: int
    p50_ms: float
    p99_ms: float
    max_ms: float

    @property
    def requests_per_s(self) -> float:
        return self.requests / self.seconds


@dataclass(frozen=True, slots=True)
class Wrk:
    """wrk with one thread on one core, sending `requests` in turn over `connections`."""

    requests: Sequence[Probe]
    connections: int
    core: int
    folder: Path

    def run(self, url: str, seconds: float) -> Load:
        """Load the server at `url` (scheme, host and port); NotRunError when wrk fails."""
        script = self.folder / "load.lua"
        script.write_text(script_of(self.requests))
        options = [
            "-t1",
            f"-c{self.connections}",
            f"-d{max(1, round(seconds))}s",
            f"--timeout={_TIMEOUT_S}s",
            "--latency",
        ]
        command = pinned(self.core, ["wrk", *options, "-s", str(script), url + self.requests[0].path])
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise NotRunError(f"wrk: {(done.stderr or done.stdout).strip()}")
        return parse(done.stdout)


def parse(output: str) -> Load:
    """The figures in what wrk printed; NotRunError where they are missing or nothing was answered."""
    for line in output.splitlines():
        if line.startswith(_MARK):
            found = json.loads(line.removeprefix(_MARK))
            break
    else:
        raise NotRunError(f"wrk printed no figures: {output.strip()[-200:]}")
    if found["requests"] == 0:
        raise NotRunError("wrk got no answer at all")
    return Load(
        requests=found["requests"],
        seconds=found["duration_us"] / 1e6,
        errors=found["errors"],
        p50_ms=found["p50_us"] / 1e3,
        p99_ms=found["p99_us"] / 1e3,
        max_ms=found["max_us"] / 1e3,
    )


def script_of(requests: Sequence[Probe]) -> str:
    """The Lua script. A single request is set once, which costs wrk nothing; several are sent in turn."""
    if len(requests) > 1:
        table = ",\n".join(f"  {_entry(request)}" for request in requests)
        return f"local asked = {{\n{table}\n}}\n{_CYCLE}{_DONE}"
    [request] = requests
    lines = [f"wrk.method = {lua_text(request.method)}"]
    lines += [f"wrk.headers[{lua_text(name)}] = {lua_text(value)}" for name, value in request.headers.items()]
    if request.body is not None:
        lines.append(f"wrk.body = {lua_text(request.body)}")
    return "\n".join(lines) + "\n" + _DONE


def _entry(request: Probe) -> str:
    headers = ", ".join(f"[{lua_text(name)}] = {lua_text(value)}" for name, value in request.headers.items())
    body = "nil" if request.body is None else lua_text(request.body)
    return (
        f"{{method = {lua_text(request.method)}, path = {lua_text(request.path)}, "
        f"headers = {{{headers}}}, body = {body}}}"
    )


def lua_text(text: str) -> str:
    """A Lua string literal of the text's UTF-8 bytes."""
    shown = (
        chr(byte) if 32 <= byte < 127 and chr(byte) not in '"\\' else f"\\{byte:03d}"
        for byte in text.encode()
    )
    return f'"{"".join(shown)}"'
