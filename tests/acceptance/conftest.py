"""Programs as a user starts them: in a process of their own, ready when they say so, ended with Ctrl-C."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

#: Against hanging for ever; nothing is measured by it.
PATIENCE_S = 60


@dataclass(slots=True)
class Program:
    """A running program; `lines` is all that it has printed."""

    process: subprocess.Popen[str]
    ready: re.Pattern[str]
    lines: list[str] = field(default_factory=list)
    url: str = ""
    _told: threading.Event = field(default_factory=threading.Event)

    def read(self) -> None:
        """Take in the output to its end; runs on a thread of its own."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            found = self.ready.search(line)
            if found and not self.url:
                self.url = found[1]
                self._told.set()
        self._told.set()

    def wait_until_ready(self) -> None:
        assert self._told.wait(PATIENCE_S), f"not ready: {self.lines}"
        assert self.url, f"ended before it was ready: {self.lines}"

    @property
    def output(self) -> str:
        return "".join(self.lines)


@contextmanager
def running(*arguments: str, ready: str = r"(http://127\.0\.0\.1:\d+)", code: int = 0) -> Iterator[Program]:
    """A Python program (`-m`, ...) that serves within the block; Ctrl-C ends it, with exit code `code`."""
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    program = Program(process, re.compile(ready))
    reading = threading.Thread(target=program.read)
    reading.start()
    try:
        program.wait_until_ready()
        yield program
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
        process.wait()
        reading.join()
        assert process.stdout is not None
        process.stdout.close()
    assert process.returncode == code, program.output


def run_mockforge(*arguments: str, code: int = 0) -> str:
    """Run a command to its end; what it printed, both streams. Its exit code must be `code`."""
    done = subprocess.run(
        [sys.executable, "-m", "mockforge", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=5 * PATIENCE_S,
        check=False,
    )
    assert done.returncode == code, done.stdout
    return done.stdout


@pytest.fixture
def mockforge() -> Callable[..., str]:
    """Run a command of `mockforge` to its end, and give what it printed."""
    return run_mockforge


@pytest.fixture
def program() -> Callable[..., AbstractContextManager[Program]]:
    """A program for the time of a block."""
    return running
