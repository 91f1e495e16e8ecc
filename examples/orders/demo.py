"""The main job from end to end, as a user would do it by hand: `python -m examples.orders.demo`.

record -> learn -> serve -> replay -> compare, on the orders backend of this folder, each command in a process
of its own. Everything it writes lies in `out/demo`.
"""

import json
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

OUT = Path("out/demo")
RATE = 110
SECONDS = 12
SPEED_NOT_RECORDED = 2.0
_READY_S = 30
_END_S = 20


class DemoError(Exception):
    """A step did not do what it should; the message is for the user."""


def main() -> int:
    """Run every step; 0 when all of them did."""
    started = time.monotonic()
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    try:
        with backend() as real:
            run_steps(real)
    except DemoError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"demo: interrupted; what was gathered is in {OUT}", file=sys.stderr)
        return 130
    print(f"\nDone in {time.monotonic() - started:.0f} s. Open these in a browser:")
    print(f"  {OUT}/recorded-load.html")
    print(f"  {OUT}/load-not-recorded.html")
    return 0


def run_steps(real: str) -> None:
    """The main job, against the backend at `real`."""
    recording, stubs = OUT / "orders.mfrec", OUT / "stubs"
    say(f"1. Record: the backend's traffic through the proxy, {RATE} requests/s for {SECONDS} s")
    with mockforge("record", "--target", real, "--port", "0", "--out", str(recording)) as proxy:
        run("-m", "examples.orders.traffic", "--url", proxy, "--rate", str(RATE), "--seconds", str(SECONDS))
    say("2. Learn: stubs and a performance model from the recording")
    run("-m", "mockforge", "learn", str(recording), "--out", str(stubs))
    say("3. Serve the mock; replay the recorded load against the backend and against the mock; compare")
    recorded = gap_at("recorded-load", recording, stubs, real)
    say(f"4. The same at a load that was not recorded: {SPEED_NOT_RECORDED} times as fast")
    not_recorded = gap_at("load-not-recorded", recording, stubs, real, "--speed", str(SPEED_NOT_RECORDED))
    print(
        f"\nThe performance deviation gap is {recorded:.1%} at the recorded load, and {not_recorded:.1%} at "
        f"{SPEED_NOT_RECORDED} times that load:"
        "\nthere the real backend queues, and the mock only where this recording showed its capacity: `learn`"
        "\nsaid above whether it did. `mockforge profile` records what it takes."
    )


def gap_at(name: str, recording: Path, stubs: Path, real: str, *how: str) -> float:
    """Replay the recording against both, each seen where its caller connects, and report the deviation."""
    real_run, mock_run = OUT / f"{name}-real.mfrec", OUT / f"{name}-mock.mfrec"
    sides = {
        "real": ("record", "--target", real, "--port", "0", "--out", str(real_run)),
        "mock": ("serve", str(stubs), "--port", "0", "--seed", "1", "--record-run", str(mock_run)),
    }
    for side, command in sides.items():
        with mockforge(*command) as url:
            sent = str(OUT / f"{name}-{side}-replay.mfrec")
            run("-m", "mockforge", "replay", str(recording), "--target", url, "--unsafe", "--out", sent, *how)
    html, json_file = OUT / f"{name}.html", OUT / f"{name}.json"
    files = [str(real_run), str(mock_run), "--html", str(html), "--json", str(json_file)]
    run("-m", "mockforge", "compare", *files)
    return float(json.loads(json_file.read_bytes())["gap_share"])


def say(line: str) -> None:
    """A step's heading."""
    print(f"\n{line}", flush=True)


def run(*arguments: str) -> None:
    """Run a Python command to its end, its output passed on."""
    shown = " ".join("mockforge" if part == "mockforge" else shlex.quote(part) for part in arguments[1:])
    print(f"$ {shown}", flush=True)
    code = subprocess.run([sys.executable, *arguments], check=False).returncode
    if code != 0:
        raise DemoError(f"`{shown}` ended with exit code {code}")


def mockforge(*arguments: str) -> AbstractContextManager[str]:
    """A `mockforge` server for the time of a block; gives its URL."""
    print(f"$ mockforge {' '.join(arguments)}", flush=True)
    return server(["-m", "mockforge", *arguments], r"(?:recording|serving) .*?(http://[\d.]+:\d+)")


def backend() -> AbstractContextManager[str]:
    """The orders backend for the time of a block; gives its URL."""
    say("0. Start a real, fragile backend")
    print("$ python -m examples.orders --port 0", flush=True)
    return server(["-m", "examples.orders", "--port", "0"], r"on (http://[\d.]+:\d+)")


@contextmanager
def server(arguments: list[str], ready: str) -> Iterator[str]:
    """A server in its own process, ready when a line of its output matches; SIGINT ends it."""
    process = subprocess.Popen(
        [sys.executable, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # Ctrl-C reaches the demo alone, which then ends its servers in order
    )
    found: list[str] = []
    is_ready = threading.Event()
    pump = threading.Thread(target=_pass_on, args=(process, re.compile(ready), found, is_ready), daemon=True)
    pump.start()
    try:
        if not is_ready.wait(_READY_S) or not found:
            raise DemoError(f"`{' '.join(arguments)}` did not become ready")
        yield found[0]
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(_END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        pump.join()


def _pass_on(
    process: "subprocess.Popen[str]", ready: re.Pattern[str], found: list[str], is_ready: threading.Event
) -> None:
    """Print what a server prints, and note the URL in its ready line."""
    assert process.stdout is not None
    with process.stdout:
        for line in process.stdout:
            print(line, end="", flush=True)
            match = ready.search(line)
            if match and not found:
                found.append(match[1])
                is_ready.set()
    is_ready.set()


if __name__ == "__main__":
    sys.exit(main())
