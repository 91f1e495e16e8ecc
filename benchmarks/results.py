"""What was measured, as data, and as the Markdown of RESULTS.md.

Whether a figure is reached is computed from the rounds whenever it is shown; no verdict is stored or typed.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError

__all__ = ["Check", "Conditions", "Contestant", "RowResult", "load", "render", "save"]

Sense = Literal["at most", "less than", "at least"]


@dataclass(frozen=True, slots=True)
class Check:
    """A figure that must be reached, and what each round measured; `missing` says why nothing was."""

    what: str
    sense: Sense
    bound: float
    unit: str
    rounds: tuple[float, ...] = ()
    missing: str = ""

    @property
    def measured(self) -> float | None:
        """The median of the rounds."""
        return statistics.median(self.rounds) if self.rounds else None

    @property
    def verdict(self) -> str:
        if self.measured is None:
            return "not measured"
        reached = {
            "at most": self.measured <= self.bound,
            "less than": self.measured < self.bound,
            "at least": self.measured >= self.bound,
        }[self.sense]
        return "reached" if reached else "**missed**"


@dataclass(frozen=True, slots=True)
class Contestant:
    """One server's figures, a mapping a round; `missing` says why it was not run."""

    name: str
    rounds: tuple[Mapping[str, float], ...] = ()
    missing: str = ""

    def values(self, key: str) -> tuple[float, ...]:
        """The figure of every round that has it."""
        return tuple(figures[key] for figures in self.rounds if key in figures)


@dataclass(frozen=True, slots=True)
class Conditions:
    """Under what a row was measured. `machine` and `software` are names and values, in order to be shown."""

    date: str
    command: str
    machine: tuple[tuple[str, str], ...]
    software: tuple[tuple[str, str], ...]
    quick: bool = False


@dataclass(frozen=True, slots=True)
class RowResult:
    """One piece of work: what must be reached, and what every server took for it.

    `ratio` heads the column of CPU a request over that of another server in the same round.
    """

    key: str
    title: str
    how: str
    checks: tuple[Check, ...]
    contestants: tuple[Contestant, ...]
    conditions: Conditions
    ratio: str = ""


_ROWS = TypeAdapter(tuple[RowResult, ...])


def save(rows: Sequence[RowResult], file: Path) -> None:
    """Write the rows as JSON."""
    file.write_bytes(_ROWS.dump_json(tuple(rows), indent=1) + b"\n")


def load(file: Path) -> tuple[RowResult, ...]:
    """The rows of a JSON file; none where there is no file, or one of another form."""
    try:
        return _ROWS.validate_json(file.read_bytes())
    except (OSError, ValidationError):
        return ()


#: The columns of a row's table: figure, heading ("" takes the row's `ratio`), decimals.
_COLUMNS = (
    ("requests_per_s", "requests/s", 0),
    ("cpu_us", "CPU µs a request", 2),
    ("ratio", "", 2),
    ("p50_ms", "p50 ms", 2),
    ("p99_ms", "p99 ms", 2),
    ("direct_p50_ms", "direct p50 ms", 3),
    ("added_p50_ms", "added p50 ms", 3),
    ("added_p99_ms", "added p99 ms", 3),
    ("ttfb_off_ms", "ttfb off p50 ms", 3),
    ("lag_p50_ms", "send lag p50 ms", 3),
    ("lag_p99_ms", "send lag p99 ms", 3),
    ("status_share", "right status", 4),
    ("shape_share", "right shape", 4),
    ("content_share", "right content", 4),
    ("by_chance", "by chance", 0),
    ("real_p50_ms", "real p50", 2),
    ("mock_p50_ms", "mock p50", 2),
    ("p50_off", "p50 off", 3),
    ("p50_noise", "p50 noise", 3),
    ("real_p95_ms", "real p95", 2),
    ("mock_p95_ms", "mock p95", 2),
    ("p95_off", "p95 off", 3),
    ("p95_aa", "p95 A/A", 3),
    ("p95_noise", "p95 noise", 3),
    ("p95_naive", "p95 naive", 3),
    ("p99_off", "p99 off", 3),
    ("p99_noise", "p99 noise", 3),
    ("real_errors", "real errors", 4),
    ("mock_errors", "mock errors", 4),
    ("real_per_s", "real answers/s", 1),
    ("mock_per_s", "mock answers/s", 1),
    ("rendering_us", "rendering, µs", 1),
    ("deciding_us", "deciding, µs", 1),
    ("real_slow", "real slow seconds", 3),
    ("mock_slow", "mock slow seconds", 3),
    ("seconds", "s", 2),
    ("file_mib", "file MiB", 0),
    ("asked", "requests", 0),
    ("unanswered", "not answered", 0),
    ("lost", "lost", 0),
    ("errors", "errors", 0),
    ("rss_mib", "RSS MiB", 0),
    ("peak_rss_mib", "most RSS MiB", 0),
    ("base_rss_mib", "RSS MiB at first", 1),
    ("grown_mib", "grown by MiB", 1),
)

#: Counts of what went wrong in any round; everything else is a median of rounds.
_SUMMED = {"errors", "lost", "unanswered"}


def render(rows: Sequence[RowResult]) -> str:
    """RESULTS.md. Rows may have been measured at different times, but all on the machine of the last."""
    last = max((row.conditions for row in rows), key=lambda conditions: conditions.date)
    lines = [
        "# Benchmark results",
        "",
        "Written by `python -m benchmarks`, never by hand. How to run it and read it: "
        "[docs/benchmarks.md](../docs/benchmarks.md).",
    ]
    if any(row.conditions.quick for row in rows):
        lines += [
            "",
            "**A quick run: seconds too few and scaled-down work. These figures show only that it runs.**",
        ]
    lines += ["", "| | |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in (*last.machine, *last.software)]
    lines += ["", "## What must be reached", "", *_verdicts(rows)]
    for row in rows:
        lines += ["", *_section(row)]
    return "\n".join(lines) + "\n"


def _verdicts(rows: Sequence[RowResult]) -> Iterator[str]:
    yield "| work | figure | must be | measured | rounds | |"
    yield "|---|---|---|---|---|---|"
    for row in rows:
        for number, check in enumerate(row.checks):
            work = row.title if number == 0 else ""
            bound = f"{check.sense} {_amount(check.bound, check.unit)}"
            cells = (work, check.what, bound, _measured(check), _spread(check), check.verdict)
            yield f"| {' | '.join(cells)} |"


def _measured(check: Check) -> str:
    if check.measured is None:
        return check.missing or "–"
    return _amount(check.measured, check.unit)


def _spread(check: Check) -> str:
    if len(check.rounds) < 2:
        return ""
    return f"{_number(min(check.rounds), check.unit)} to {_number(max(check.rounds), check.unit)}"


_DECIMALS = {"×": 2, "ms": 2, "MiB": 1, "%": 1, "points": 1}


def _number(value: float, unit: str) -> str:
    return f"{value:,.{_DECIMALS.get(unit, 0)}f}"


def _amount(value: float, unit: str) -> str:
    shown = f"{value:,g}" if value == round(value, 2) and abs(value) < 1e5 else _number(value, unit)
    return f"{shown} {unit}".strip()


def _section(row: RowResult) -> Iterator[str]:
    present = {key for contestant in row.contestants for figures in contestant.rounds for key in figures}
    columns = [column for column in _COLUMNS if column[0] in present]
    yield f"## {row.title}"
    yield ""
    yield row.how
    ran = [contestant for contestant in row.contestants if contestant.rounds]
    if ran:
        yield ""
        yield "| server | " + " | ".join(heading or row.ratio for _, heading, _ in columns) + " |"
        yield "|---|" + "---:|" * len(columns)
        for contestant in ran:
            cells = (_cell(contestant, key, decimals) for key, _, decimals in columns)
            yield f"| {contestant.name} | " + " | ".join(cells) + " |"
    absent = [contestant for contestant in row.contestants if contestant.missing]
    if absent:
        yield ""
        yield from (f"- {contestant.name}: not run: {contestant.missing}" for contestant in absent)
    yield ""
    yield f"Measured on {row.conditions.date} by `{row.conditions.command}`."


def _cell(contestant: Contestant, key: str, decimals: int) -> str:
    values = contestant.values(key)
    if not values:
        return "–"
    value = math.fsum(values) if key in _SUMMED else statistics.median(values)
    return f"{value:,.{decimals}f}"
