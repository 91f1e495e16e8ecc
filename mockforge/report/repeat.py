"""How to make a report again: the commands that its runs and itself came from, as far as the files tell."""

from __future__ import annotations

import shlex

from mockforge.report.deviation import DeviationReport, Origin, RunSummary

__all__ = ["commands"]


def commands(report: DeviationReport) -> tuple[str, ...]:
    """Shell lines: one for each run whose making is known, then the comparison."""
    made = [line for run in (*report.runs_a, *report.runs_b) if (line := _made_by(run))]
    return (
        *made,
        _line(
            "compare",
            *_files(report),
            *_callers(report),
            *_names(report),
            *_tolerances(report),
            *("--html", "report.html"),
        ),
    )


def _callers(report: DeviationReport) -> list[str]:
    if report.caller is None:
        return []
    sides = (("--caller-a", report.caller.report.runs_a), ("--caller-b", report.caller.report.runs_b))
    return [word for option, runs in sides for run in runs for word in (option, run.name)]


def _names(report: DeviationReport) -> list[str]:
    return [word for pair in report.names for word in ("--map", "=".join(pair))]


def _tolerances(report: DeviationReport) -> list[str]:
    return [word for text in report.tolerances.written for word in ("--tolerance", text)]


def _files(report: DeviationReport) -> list[str]:
    """Both files, or, with repetitions, every one behind its option."""
    if len(report.runs_a) == len(report.runs_b) == 1:
        return [report.a.name, report.b.name]
    sides = (("--a", report.runs_a), ("--b", report.runs_b))
    return [word for option, runs in sides for run in runs for word in (option, run.name)]


def _made_by(run: RunSummary) -> str | None:
    origin = run.origin
    if origin is None or run.kind not in _COMMANDS:
        return None
    return _COMMANDS[run.kind](origin)


def _record(origin: Origin) -> str:
    return _line("record", "--target", origin.target, "--out", origin.path)


def _serve(origin: Origin) -> str:
    return _line("serve", origin.target, *_options(origin, "seed"), "--record-run", origin.path)


def _replay(origin: Origin) -> str | None:
    source = origin.notes.get("source")
    if not source:
        return None
    options = _options(origin, "speed", "rate", "ramp", "loop", "seed", "filter")
    flags = [f"--{name}" for name in ("poisson", "unsafe") if origin.notes.get(name)]
    return _line("replay", source, "--target", origin.target, *options, *flags, "--out", origin.path)


_COMMANDS = {"recording": _record, "serve": _serve, "replay": _replay}


def _options(origin: Origin, *names: str) -> list[str]:
    """`--name value` for every named note that the run carries."""
    return [part for name in names if origin.notes.get(name) for part in (f"--{name}", origin.notes[name])]


def _line(*words: str) -> str:
    return shlex.join(["mockforge", *words])
