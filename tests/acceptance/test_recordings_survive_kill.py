"""A recorder that is killed loses nothing but its last moments, and its file opens clean."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mockforge.recording.store import RecordingReader

#: Records 2,000 exchanges a second, telling the time at which each ended right before it hands it over.
RECORDS = """
import os, sys, time
from pathlib import Path
from mockforge.model.exchange import Exchange, Piece, Request, Response
from mockforge.recording.store import RecordingMeta, RecordingWriter

writer = RecordingWriter(Path(sys.argv[1]), RecordingMeta("recording", "http://h", 1))
start_ns = time.monotonic_ns()
number = 0
while True:
    while number < (time.monotonic_ns() - start_ns) * 2_000 // 10**9:
        body = b'{"number": %d}' % number * (1 + number % 40)
        pieces = (Piece(1, 2, "response"), Piece(3, 4, "response")) if number % 10 == 0 else ()
        os.write(1, b"%d\\n" % time.monotonic_ns())
        writer.add(Exchange(1, number, Request("GET", "/"), Response(200, body=body), 1, pieces=pieces))
        number += 1
    time.sleep(0.001)
"""

LAW_NS = 200_000_000
KILLS = 20
_AT = random.Random(20)
KILLED_AFTER = [_AT.randrange(50, 1_000) for _ in range(KILLS)]


def killed(path: Path, after: int) -> list[int]:
    """When each exchange ended, before the kill, of a recorder killed once it has told of so many."""
    command = [sys.executable, "-c", RECORDS, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        ended = [int(process.stdout.readline()) for _ in range(after)]
        process.send_signal(signal.SIGKILL)
        killed_ns = time.monotonic_ns()
        told = process.stdout.read().split(b"\n")[:-1]
    assert process.returncode == -signal.SIGKILL
    return [end - killed_ns for end in (*ended, *map(int, told))]


def test_every_exchange_that_ended_200_ms_before_a_kill_is_in_the_file(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.mfrec" for number in range(KILLS)]
    with ThreadPoolExecutor(2) as pool:
        runs = list(pool.map(killed, paths, KILLED_AFTER))
    for path, ended in zip(paths, runs, strict=True):
        due = sum(end < -LAW_NS for end in ended)
        with RecordingReader(path) as reader:
            found = list(reader.exchanges())
        assert [each.arrived_ns for each in found] == list(range(len(found)))
        assert due <= len(found) <= len(ended) + 1
        assert all(bool(each.pieces) is (each.arrived_ns % 10 == 0) for each in found)
        connection = sqlite3.connect(path)
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        connection.close()


FILLS = """
import resource, signal, sys
from pathlib import Path
from mockforge.model.exchange import Exchange, Request, Response
from mockforge.recording.store import RecordingMeta, RecordingWriter

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
with RecordingWriter(Path(sys.argv[1]), RecordingMeta("recording", "http://h", 1)) as writer:
    number = 0
    while writer.failure is None:
        body = b"%d" % number * 500
        writer.add(Exchange(1, number, Request("GET", "/"), Response(200, body=body), 1))
        number += 1
assert writer.count + writer.dropped == number, (writer.count, writer.dropped, number)
print(writer.count)
print(writer.failure)
"""


@pytest.mark.parametrize("limit", [400_000, 3_000_000])
def test_a_disk_that_is_full_is_told_and_everything_before_is_kept(tmp_path: Path, limit: int) -> None:
    path = tmp_path / "run.mfrec"
    command = [sys.executable, "-c", FILLS, str(path), str(limit)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    count, line = done.stdout.splitlines()
    assert "the recording cannot be written any more" in line
    assert f"the {count} exchanges before it are kept" in line
    assert int(count) > 0
    with RecordingReader(path) as reader:
        found = list(reader.exchanges())
    assert [each.arrived_ns for each in found] == list(range(int(count)))
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()
