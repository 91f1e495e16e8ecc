"""`mockforge learn`: stubs and a performance model from a recording."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.progress import track

from mockforge import __version__
from mockforge.cli.console import out, say, table, warn
from mockforge.cli.learn_check import check_fidelity
from mockforge.cli.learn_into import learn_into
from mockforge.errors import RecordingError, UsageError
from mockforge.learning.capacity_trace import Trace
from mockforge.learning.fidelity import Fidelity
from mockforge.learning.latency import FEW_SAMPLES, supported
from mockforge.learning.learn import Learned, Learner
from mockforge.learning.merging import Merge
from mockforge.learning.openapi import ApiDescription
from mockforge.learning.operations import Operations
from mockforge.learning.performance import fit_performance
from mockforge.learning.responses import LearnedOutcome
from mockforge.learning.soundness import possible_times
from mockforge.recording.store import Columns, RecordingReader
from mockforge.report.figures import count, milliseconds, percent
from mockforge.report.fit import FitReport
from mockforge.report.fit_html import render_fit_html
from mockforge.report.fit_recorded import Named, fit_of
from mockforge.report.fit_text import FitView
from mockforge.stubfiles.json_text import parse_json
from mockforge.stubfiles.problems import RefusedError
from mockforge.stubfiles.writer import write_service
from mockforge.stubfiles.written import plain_json
from mockforge.stubfiles.yaml_text import parse_yaml

__all__ = ["learn"]

#: What was learned, to be looked at: beside the stubs, and no part of them.
_PAGE = "fit.html"


def learn(
    recording: Annotated[Path, typer.Argument(help="A recording made by `mockforge record`.")],
    folder: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Folder to write; default stubs/NAME.")
    ] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace the stubs that the folder holds.")] = False,
    into: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Merge into a folder of stubs; what was edited there stays."),
    ] = None,
    openapi: Annotated[
        Path | None, typer.Option(metavar="FILE", help="An OpenAPI file, YAML or JSON; its paths win.")
    ] = None,
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Write nothing: learn one half, and see how right it answers the other."
        ),
    ] = False,
) -> None:
    """Learn a virtual service from a recording: stub files to read, review, edit and serve.

    Example:

        mockforge learn recordings/orders.mfrec --out stubs/orders
    """
    if into is not None and (folder is not None or overwrite):
        raise UsageError("--into excludes --out and --overwrite", hint="--into keeps what was edited")
    api = _api(openapi) if openapi else None
    if check:
        _check(recording, api)
        return
    target = into or folder or Path("stubs") / recording.stem
    learned, fit = _learn(recording, api, target.resolve().name)
    if into is not None and into.is_dir() and any(into.iterdir()):
        merged = learn_into(learned, into)
        _show(learned)
        _show_merge(merged)
    else:
        write_service(learned.service, target, comments=learned.comments, overwrite=overwrite)
        _show(learned)
    out.print(FitView(fit))
    _write_page(target / _PAGE, fit)
    say.print(f"wrote {target}; next: mockforge serve {target}", markup=False)


def _learn(recording: Path, api: ApiDescription | None, name: str) -> tuple[Learned, FitReport]:
    with RecordingReader(recording) as reader:
        if not reader.count:
            raise RecordingError(
                "no exchanges to learn from", where=str(recording), hint="record some traffic"
            )
        columns = reader.columns()
        requests = list(zip(columns.method, columns.target, strict=True))
        operations = Operations.find(requests)
        trace, names = _trace(columns, operations)
        performance = fit_performance(trace)
        learner = Learner(requests, api, performance)
        for exchange in track(
            reader.exchanges(), "learning", total=reader.count, console=say, transient=True
        ):
            learner.add(exchange)
        learned = learner.learn(name, reader.meta.target or None, recording.name)
    if not learned.service.stubs:
        raise RecordingError("no exchange has a complete answer", where=str(recording), hint="record again")
    named = Named(name, recording.name, f"mockforge {__version__}")
    doubts = (
        [f"the station is not served: {performance.refused_station}"] if performance.refused_station else []
    )
    few = [
        f"{outcome.operation}, {outcome.outcome}: {remark}"
        for outcome in learned.outcomes
        for remark in outcome.remarks
        if outcome.fit.count < FEW_SAMPLES and remark.startswith("few samples")
    ]
    return learned, fit_of(named, trace, names, performance, (*doubts, *learned.remarks, *few))


def _trace(columns: Columns, operations: Operations) -> tuple[Trace, list[str]]:
    """The recording's times, where they can be, and the names of the operations that it numbers."""
    requests = list(zip(columns.method, columns.target, strict=True))
    name_of = operations.names(requests)
    place = {name: number for number, name in enumerate(sorted(set(name_of.values())))}
    numbers = np.array([place[name_of[request]] for request in requests], dtype=np.int64)
    timed = possible_times(columns.arrived_ns, columns.total_ns, columns.ttfb_ns)
    trace = Trace(
        arrived_ns=columns.arrived_ns[timed],
        total_ns=columns.total_ns[timed],
        ttfb_ns=columns.ttfb_ns[timed],
        operation=numbers[timed],
        status=columns.status[timed].astype(np.int64),
        failed=columns.failed[timed],
        aborted=columns.aborted[timed],
        retry_after_s=np.zeros(0),
    )
    return trace, list(place)


def _write_page(path: Path, fit: FitReport) -> None:
    """The fit as a page, beside the stubs."""
    try:
        path.write_text(render_fit_html(fit), encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"the fit cannot be written: {error.strerror}", where=str(path), hint="the stubs are written"
        ) from error
    say.print(f"the fit as a page: {path}", markup=False)


def _api(path: Path) -> ApiDescription:
    """The description in a file, told from its name: JSON, else YAML."""
    where = str(path)
    try:
        text = path.read_bytes().decode("utf-8-sig")
        parsed = parse_json(text) if path.suffix.lower() == ".json" else parse_yaml(text)
        document = plain_json(parsed.value)
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=where) from None
    except UnicodeDecodeError as error:
        raise UsageError(f"is not UTF-8 at byte {error.start}", where=where) from None
    except RefusedError as refused:
        raise UsageError(refused.what, where=where, hint=refused.hint) from None
    except ValueError as error:
        raise UsageError(str(error), where=where) from None
    return ApiDescription.from_document(document, where)


def _check(recording: Path, api: ApiDescription | None) -> None:
    with RecordingReader(recording) as reader:
        exchanges = list(reader.exchanges())
    judged = check_fidelity(exchanges, api)
    if not judged:
        raise RecordingError(
            "its second half has no complete answer to check against",
            where=str(recording),
            hint="record more",
        )
    title = f"{recording.name}: stubs of the first half, asked what the second half asked"
    heads = ["stub", "asked", "right status", "right shape", "right content", "by chance"]
    out.print(table(title, heads, [_fidelity_row(each) for each in [*judged, _total(judged)]]))
    out.print("right shape: JSON with the same members of the same types; by chance: failures, not counted")


def _total(judged: list[Fidelity]) -> Fidelity:
    columns = [(each.asked, each.status, each.shape, each.content, each.by_chance) for each in judged]
    return Fidelity("all", *map(sum, zip(*columns, strict=True)))


def _fidelity_row(judged: Fidelity) -> list[str]:
    shares = [percent(share) for share in judged.shares()]
    return [judged.operation, count(judged.asked), *shares, count(judged.by_chance)]


def _show(learned: Learned) -> None:
    out.print(
        table(
            f"{learned.service.name}: what was learned (latencies in ms)",
            ["stub: outcome", "n", "answers", "p50", "p95", "p99", "fit error"],
            [_row(outcome) for outcome in learned.outcomes],
        )
    )
    out.print("fit error: how far the written table is from the recorded latencies (W1 over the mean)")
    for outcome in learned.outcomes:
        for remark in (*_variants(outcome), *outcome.remarks):
            out.print(f"{outcome.operation}, {outcome.outcome}: {remark}", markup=False)
    for remark in learned.remarks:
        warn(remark)
    for error, times in learned.incomplete.items():
        warn(f"{count(times)} exchanges were left out: {error}")


def _show_merge(merged: Merge) -> None:
    for verdict in merged.verdicts:
        out.print(f"{verdict.what:9} {verdict.stub}: {verdict.note}", markup=False)


def _row(outcome: LearnedOutcome) -> list[str]:
    fit = outcome.fit
    statuses = ", ".join(map(str, outcome.statuses))
    return [
        f"{outcome.operation}: {statuses}, {percent(outcome.share)}",
        count(fit.count),
        outcome.form,
        *(milliseconds(value) if supported(level, fit.count) else "–" for _, level, value in fit.levels()),
        percent(fit.error),
    ]


def _variants(outcome: LearnedOutcome) -> list[str]:
    if outcome.variants == 1:
        return []
    chosen = f"chosen by {', '.join(outcome.by)}, else in turn" if outcome.by else "given in turn"
    return [f"{count(outcome.variants)} variants, {chosen}"]
