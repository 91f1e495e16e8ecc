"""`python -m benchmarks`: measure, and write RESULTS.md.

Results are written after every row, so that Ctrl-C keeps the rows that are done. Rows that are not run keep
the results that they have, if those were measured on the same machine with the same programs.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import (
    endurance,
    fidelity,
    host,
    identifiability,
    prediction,
    recording,
    replaying,
    serving,
    stub_fidelity,
    templating,
)
from benchmarks.measure import Bench, Row, Scale
from benchmarks.results import Conditions, RowResult, load, render, save

__all__ = ["ROWS", "Book", "UnfitError", "main"]

ROWS: dict[str, Row] = {
    **serving.ROWS,
    **endurance.ROWS,
    **templating.ROWS,
    **recording.ROWS,
    **replaying.ROWS,
    **identifiability.ROWS,
    **prediction.ROWS,
    **stub_fidelity.ROWS,
    **fidelity.ROWS,
}

_FOLDER = Path(__file__).parent
_QUICK_FOLDER = Path("out/bench")
_QUICK = Scale(
    rounds=1,
    seconds=2,
    warm_seconds=1,
    many_stubs=1_000,
    many_connections=1_000,
    requests_each=3,
    growth_after=20_000,
    growth_requests=100_000,
    recorded=20_000,
)
#: Descriptors of a process besides its connections.
_SPARE_FILES = 500


class UnfitError(Exception):
    """Nothing can be measured here; the message says why and what would help."""


@dataclass(slots=True)
class Book:
    """The rows so far, in a folder, as results.json and RESULTS.md."""

    folder: Path
    rows: dict[str, RowResult]

    @classmethod
    def open(cls, folder: Path, conditions: Conditions) -> Book:
        """With the rows that are there and were measured under like conditions."""
        kept = {row.key: row for row in load(folder / "results.json") if _alike(row.conditions, conditions)}
        return cls(folder, kept)

    def enter(self, row: RowResult) -> None:
        """Add a row, or replace it, and write both files."""
        self.rows[row.key] = row
        order = list(ROWS)
        rows = sorted(self.rows.values(), key=lambda each: order.index(each.key) if each.key in order else 99)
        self.folder.mkdir(parents=True, exist_ok=True)
        save(rows, self.folder / "results.json")
        (self.folder / "RESULTS.md").write_text(render(rows))


def _alike(before: Conditions, now: Conditions) -> bool:
    return (before.machine, before.software, before.quick) == (now.machine, now.software, now.quick)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the rows that the command line names; the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    options = _parser().parse_args(given)
    scale = replace(
        _QUICK if options.quick else Scale(), **({"rounds": options.rounds} if options.rounds else {})
    )
    folder = options.out or (_QUICK_FOLDER if options.quick else _FOLDER)
    try:
        server_core, load_core = _cores()
        _need_programs()
        _raise_open_files(scale.many_connections + _SPARE_FILES)
        _tell_of_others()
        bench = Bench(scale, server_core, load_core, say=_say)
        command = " ".join(["python -m benchmarks", *given])
        _measure(bench, options.rows or list(ROWS), folder, _conditions(command, options.quick))
    except UnfitError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"benchmarks: interrupted; the rows that were done are in {folder}", file=sys.stderr)
        return 130
    return 0


def _measure(bench: Bench, names: list[str], folder: Path, conditions: Conditions) -> None:
    book = Book.open(folder, conditions)
    for number, name in enumerate(names, start=1):
        _say(f"{name} ({number} of {len(names)})")
        measured = ROWS[name](bench)
        row = RowResult(
            key=name,
            title=measured.title,
            how=measured.how,
            checks=measured.checks,
            contestants=measured.contestants,
            conditions=replace(conditions, date=_now()),
            ratio=measured.ratio,
        )
        book.enter(row)
        for check in row.checks:
            shown = check.missing if check.measured is None else f"{check.measured:,.2f} {check.unit}"
            _say(f"  {check.what}: {shown}: {check.verdict.strip('*')}")
    _say(f"written: {folder / 'RESULTS.md'}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure the serving path beside other tools, and write RESULTS.md.",
        epilog="Example: python -m benchmarks --rows static,delay-20ms --rounds 5",
    )
    parser.add_argument("--rows", type=_rows, metavar="A,B", help=f"of {', '.join(ROWS)}; all when not given")
    parser.add_argument(
        "--rounds", type=_positive, metavar="N", help="rounds of every row (3; with --quick 1)"
    )
    parser.add_argument("--quick", action="store_true", help=f"see that it runs; writes to {_QUICK_FOLDER}")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="where RESULTS.md and results.json are written"
    )
    return parser


def _rows(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in ROWS]
    if unknown or not names:
        raise argparse.ArgumentTypeError(
            f"no row {', '.join(map(repr, unknown)) or repr(text)}; there are {', '.join(ROWS)}"
        )
    return names


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def _cores() -> tuple[int, int]:
    """A core for the server and one for the load."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    if len(cores) < 2:
        raise UnfitError(
            "the benchmarks need Linux and two processor cores, one for the server, one for the load"
        )
    return cores[0], cores[1]


def _need_programs() -> None:
    for program, package in (("wrk", "wrk"), ("taskset", "util-linux")):
        if shutil.which(program) is None:
            raise UnfitError(f"{program} is not installed; on Debian and Ubuntu: apt-get install {package}")


def _raise_open_files(wanted: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= wanted:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(hard, wanted)))
    except (OSError, ValueError) as error:
        raise UnfitError(
            f"{wanted:,} open files are needed and {hard:,} allowed; raise `ulimit -Hn`"
        ) from error


def _tell_of_others() -> None:
    busy = os.getloadavg()[0]
    if busy > 0.5:
        _say(f"other programs are running (load average {busy:.1f}): these figures will not be worth keeping")


def _conditions(command: str, quick: bool) -> Conditions:
    return Conditions(
        date=_now(),
        command=command,
        machine=host.machine(),
        software=host.software(),
        quick=quick,
    )


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends the servers as Ctrl-C does
    sys.exit(main())
