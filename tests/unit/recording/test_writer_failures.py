"""What the disk does to a recording never reaches its callers, and what was committed stays."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
from pathlib import Path

from mockforge.model.exchange import Exchange, Request, Response
from mockforge.recording.store import RecordingMeta, RecordingReader, RecordingWriter

META = RecordingMeta("recording", "http://h", 1)


def exchange(number: int) -> Exchange:
    return Exchange(1, number, Request("GET", f"/{number}"), Response(200, body=b"%d" % number), 1)


def wait_for_failure(writer: RecordingWriter) -> str:
    while writer.failure is None:
        writer.add(exchange(0))
    return str(writer.failure)


def test_a_removed_file_is_a_failure_and_later_exchanges_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "run.mfrec"
    with RecordingWriter(path, META) as writer:
        path.unlink()
        line = wait_for_failure(writer)
        before = writer.dropped
        writer.add(exchange(1))
    assert "the file was removed" in line
    assert str(path) in line
    assert "\n" not in line
    assert writer.dropped > before
    assert writer.count == 0


def test_a_replaced_file_is_a_failure_and_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "run.mfrec"
    with RecordingWriter(path, META) as writer:
        path.unlink()
        path.write_text("another")
        assert "another file has taken its place" in wait_for_failure(writer)
    assert path.read_text() == "another"


WRITES_UNTIL_FULL = """
import resource, sys
from pathlib import Path
from mockforge.model.exchange import Exchange, Request, Response
from mockforge.recording.store import RecordingMeta, RecordingWriter

resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
with RecordingWriter(Path(sys.argv[1]), RecordingMeta("recording", "http://h", 1)) as writer:
    number = 0
    while writer.failure is None:
        writer.add(Exchange(1, number, Request("GET", f"/{number}"), Response(200, body=b"%d" % number), 1))
        number += 1
assert writer.count + writer.dropped == number, (writer.count, writer.dropped, number)
print(writer.count)
print(writer.failure)
"""


def test_a_full_disk_is_a_failure_and_what_was_committed_stays(tmp_path: Path) -> None:
    path = tmp_path / "run.mfrec"
    done = subprocess.run(
        [sys.executable, "-c", WRITES_UNTIL_FULL, str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    count, line = done.stdout.splitlines()
    assert "the recording cannot be written any more" in line
    assert f"the {count} exchanges before it are kept" in line
    assert done.stderr == ""
    with RecordingReader(path) as reader:
        targets = [each.request.target for each in reader.exchanges()]
    assert targets == [f"/{number}" for number in range(int(count))]


WRITES_UNTIL_KILLED = """
import sys
from pathlib import Path
from mockforge.model.exchange import Exchange, Request, Response
from mockforge.recording.store import RecordingMeta, RecordingWriter

writer = RecordingWriter(Path(sys.argv[1]), RecordingMeta("recording", "http://h", 1))
for line in sys.stdin:
    number = int(line)
    writer.add(Exchange(1, number, Request("GET", f"/{number}"), Response(200, body=b"%d" % number * 500), 1))
"""


def test_after_a_kill_the_file_opens_clean_and_holds_what_was_committed(tmp_path: Path) -> None:
    path = tmp_path / "run.mfrec"
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(WRITES_UNTIL_KILLED), str(path)],
        stdin=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        process.stdin.writelines(f"{number}\n" for number in range(2_000))
        process.stdin.flush()
        committed = 0
        while committed < 2_000:
            committed = count_of(path)
        process.stdin.writelines(f"{number}\n" for number in range(2_000, 4_000))
        process.stdin.flush()
        while count_of(path) < 2_001:
            pass
        process.kill()
    assert process.returncode == -signal.SIGKILL
    with RecordingReader(path) as reader:
        found = list(reader.exchanges())
    assert len(found) > 2_000
    assert [each.request.target for each in found] == [f"/{number}" for number in range(len(found))]
    assert all(each.response and each.response.body == b"%d" % each.arrived_ns * 500 for each in found)


def count_of(path: Path) -> int:
    """Exchanges in a file that another process is writing; 0 before there is one."""
    if not path.exists() or not path.with_name(path.name + "-wal").exists():
        return 0
    with RecordingReader(path) as reader:
        return reader.count
