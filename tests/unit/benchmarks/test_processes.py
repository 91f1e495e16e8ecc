"""What is read from /proc, and how servers are started, refused and ended."""

from __future__ import annotations

import os
import select
import sys
from pathlib import Path

import pytest

from benchmarks.processes import (
    NotRunError,
    Probe,
    Running,
    cpu_ticks,
    free_port,
    kibibytes,
    reason,
    running,
    wait_until_answered,
)

STAT = (
    "25254 (a (strange) name) S 25196 25196 11870 0 -1 4194304 861 0 0 0 15 36 7 2 20 0 1 0 364081 12279808 "
    "2076 18446744073709551615 94212169318400 94212170101009 140734485366160 0 0 0 0 1073745920 402745863 1 0"
)
STATUS = "Name:\tnginx\nVmPeak:\t   12000 kB\nVmHWM:\t    8484 kB\nVmRSS:\t    8100 kB\n"

_STUBBORN = """
import http.server, subprocess, sys
deaf = "from signal import *; signal(SIGTERM, SIG_IGN); print('deaf', flush=True); pause()"
child = subprocess.Popen([sys.executable, "-c", deaf], stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
class Answer(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *arguments): pass
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Answer).serve_forever()
"""


def test_cpu_is_user_and_system_time_with_that_of_buried_children_whatever_the_name() -> None:
    assert cpu_ticks(STAT) == 15 + 36 + 7 + 2


def test_memory_is_read_by_its_key_and_nought_where_there_is_none() -> None:
    assert kibibytes(STATUS, "VmRSS") == 8100
    assert kibibytes(STATUS, "VmHWM") == 8484
    assert kibibytes("Name:\tzombie\n", "VmRSS") == 0


def test_this_process_has_used_cpu_and_memory() -> None:
    own = Running(os.getpid(), 0)
    assert own.cpu_s() > 0
    assert own.peak_rss_mib() >= own.rss_mib() > 1


def test_a_server_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    port = free_port()
    log = tmp_path / "output.log"
    with running([sys.executable, "-c", _STUBBORN, str(port)], port, log) as server:
        wait_until_answered(server, Probe("/", "POST", "body"))
        child = os.pidfd_open(int(log.read_text()))
    try:
        assert not Path(f"/proc/{server.pid}").exists()
        ended, _, _ = select.select([child], [], [], 10)
        assert ended == [child]
    finally:
        os.close(child)


def test_a_server_that_ends_says_why_and_without_its_folder(tmp_path: Path) -> None:
    refusal = f"import sys; print('mockforge: {tmp_path}/stubs.json:7: no'); sys.exit(2)"
    command = [sys.executable, "-c", refusal]
    with (
        pytest.raises(NotRunError, match=r"^ended with code 2: mockforge: stubs\.json:7: no$"),
        running(command, 1, tmp_path / "output.log") as server,
    ):
        wait_until_answered(server, Probe("/"))


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("mockforge: one\nmockforge: two\n", "mockforge: one"),
        ("Traceback\n  File\nOSError: no\n\n", "OSError: no"),
        ("", "it said nothing"),
    ],
)
def test_the_reason_is_our_own_first_line_or_the_last_of_any(said: str, told: str) -> None:
    assert reason(said) == told
