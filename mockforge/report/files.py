"""From files to the report: both sides' recordings or load tools' outputs, read, named alike and compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mockforge.model.sample import Run, SummaryRun
from mockforge.report.answers import traits_by_operation
from mockforge.report.comparing import Side, compare_sides
from mockforge.report.deviation import DeviationReport
from mockforge.report.drift import Traits, drift
from mockforge.report.levels import explain
from mockforge.report.naming import NameMap, operations_of, renamed
from mockforge.report.nesting import Calls, calls_within
from mockforge.report.readers.toolrun import ANY
from mockforge.report.samples import Loaded, load_all
from mockforge.report.summaries import SummarySide, compare_summaries, summarised
from mockforge.report.tolerances import Tolerances
from mockforge.report.warmup import WarmUp

__all__ = ["Files", "compare_files", "compare_recordings"]

#: The real runs and the mocked ones.
_Sides = tuple[Sequence[Loaded], Sequence[Loaded]]


@dataclass(frozen=True, slots=True)
class Files:
    """Both sides' files, several where a run was repeated."""

    real: Sequence[Path]
    mock: Sequence[Path]


def compare_recordings(real: Path, mock: Path, tolerances: Tolerances | None = None) -> DeviationReport:
    """The deviation report of two files: see `compare_files`."""
    return compare_files(Files((real,), (mock,)), tolerances)


def compare_files(
    files: Files,
    tolerances: Tolerances | None = None,
    warmup: WarmUp | None = None,
    caller: Files | None = None,
    names: NameMap = NameMap(),  # noqa: B008 - frozen
) -> DeviationReport:
    """The deviation report of both sides' files, judged by `tolerances` or the defaults.

    `files` are of a dependency, and `caller` of the service that calls it, where that is known too; `names`
    says what the mock's operations of either are called in the real run. Where any file of a level holds
    percentiles only, all of it are compared by theirs. Raises RecordingError or ComparisonError where a file
    cannot be read, ComparisonError where they cannot be compared.
    """
    levels = [_loaded(level) for level in (files, caller) if level]
    names.refuse_unused([(_operations(mock), _operations(real)) for real, mock in levels])
    levels = [_named_alike(real, mock, names) for real, mock in levels]
    real, mock = levels[0]
    report = replace(_compared(files, real, mock, tolerances, warmup), names=names.pairs)
    if caller is None:
        return report
    caller_real, caller_mock = levels[1]
    seen = _compared(caller, caller_real, caller_mock, tolerances, warmup)
    calls = _calls(caller_real[0], real[0]), _calls(caller_mock[0], mock[0])
    return replace(report, caller=explain(report, seen, *calls))


def _loaded(files: Files) -> _Sides:
    loaded = load_all([*files.real, *files.mock])
    return loaded[: len(files.real)], loaded[len(files.real) :]


def _calls(caller: Loaded, dependency: Loaded) -> Calls | None:
    """The calls within the requests of one side's first run; None where they cannot be known."""
    if not isinstance(caller.run, Run) or not isinstance(dependency.run, Run):
        return None
    return calls_within(
        caller.run, caller.origin.started_wall_ns, dependency.run, dependency.origin.started_wall_ns
    )


def _compared(
    files: Files,
    real: Sequence[Loaded],
    mock: Sequence[Loaded],
    tolerances: Tolerances | None,
    warmup: WarmUp | None,
) -> DeviationReport:
    loaded = [*real, *mock]
    if any(isinstance(one.run, SummaryRun) for one in loaded):
        return compare_summaries(_summaries(real), _summaries(mock), tolerances)
    settled = warmup or WarmUp()
    report = compare_sides(_side(real, settled), _side(mock, settled), tolerances)
    return _with_drift(report, _traits(files.real[0], real[0]), _traits(files.mock[0], mock[0]))


def _traits(path: Path, loaded: Loaded) -> Mapping[str, Traits]:
    """What is answered in a recording, by operation; nothing is known of a load tool's answers."""
    if loaded.ids is None or not isinstance(loaded.run, Run):
        return {}
    return traits_by_operation(path, loaded.run, loaded.ids)


def _with_drift(
    report: DeviationReport, real: Mapping[str, Traits], mock: Mapping[str, Traits]
) -> DeviationReport:
    """The report with what the answers of either side's first run have that the other's lack."""
    none = Traits()
    operations = [
        replace(one, drift=drift(one.drift, real.get(one.name, none), mock.get(one.name, none)))
        for one in report.operations
    ]
    return replace(report, operations=tuple(operations))


def _named_alike(real: Sequence[Loaded], mock: Sequence[Loaded], names: NameMap) -> _Sides:
    """Both sides, the mocked one renamed; one that does not say what it asked for asked as the other did."""
    known = _operations(real)
    mock = [replace(one, run=names.apply(one.run, known)) for one in mock]
    return _told(real, _operations(mock)), _told(mock, known)


def _operations(loaded: Sequence[Loaded]) -> list[str]:
    return list(dict.fromkeys(name for one in loaded for name in operations_of(one.run)))


def _told(loaded: Sequence[Loaded], others: Sequence[str]) -> Sequence[Loaded]:
    if len(others) != 1:
        return loaded
    return [
        replace(one, run=renamed(one.run, {ANY: others[0]})) if operations_of(one.run) == [ANY] else one
        for one in loaded
    ]


def _side(loaded: Sequence[Loaded], warmup: WarmUp) -> Side:
    runs = [one.run for one in loaded if isinstance(one.run, Run)]
    return Side(runs, [one.origin for one in loaded], warmup)


def _summaries(loaded: Sequence[Loaded]) -> SummarySide:
    return SummarySide(
        [summarised(one.run) if isinstance(one.run, Run) else one.run for one in loaded],
        [one.origin for one in loaded],
        [isinstance(one.run, Run) for one in loaded],
    )
