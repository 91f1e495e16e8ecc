"""The options that choose exchanges of a recording, the same in every command that takes them."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable
from typing import Annotated, Any

import typer

from mockforge.learning.operations import Operations
from mockforge.recording.selection import Term
from mockforge.recording.store import Filter, RecordingReader, Selection

__all__ = ["Names", "bind", "takes_filter"]

_PANEL = "Which exchanges"


def _option(name: str, metavar: str | None, text: str) -> Any:
    return typer.Option(name, metavar=metavar, help=text, rich_help_panel=_PANEL)


def _filter(
    since: Annotated[
        str | None,
        _option("--from", "TIME", "Arrived at or after: seconds since the start, 1.5m, or ISO 8601."),
    ] = None,
    until: Annotated[str | None, _option("--to", "TIME", "Arrived before.")] = None,
    operation: Annotated[
        str | None, _option("--operation", "NAME", "Such as 'GET /orders/{id}'; * stands for anything.")
    ] = None,
    method: Annotated[str | None, _option("--method", "METHOD", "Such as GET.")] = None,
    path: Annotated[str | None, _option("--path", "GLOB", "Such as '/orders/*'; without the query.")] = None,
    status: Annotated[str | None, _option("--status", "STATUS", "503, 5xx, '>=400' or none.")] = None,
    min_latency: Annotated[str | None, _option("--min-latency", "TIME", "At least, such as 200ms.")] = None,
    max_latency: Annotated[str | None, _option("--max-latency", "TIME", "At most, such as 1.5s.")] = None,
    errors: Annotated[
        bool, _option("--errors", None, "No complete answer, or a status of 400 and above.")
    ] = False,
    between_markers: Annotated[
        tuple[str, str] | None, _option("--between-markers", "A B", "From marker A to the next marker B.")
    ] = None,
    phase: Annotated[str | None, _option("--phase", "LABEL", "From that marker to the next one.")] = None,
    where: Annotated[
        str | None, _option("--filter", "EXPR", "Terms such as 'status>=400 latency>200ms'; all must hold.")
    ] = None,
) -> Filter:
    """What the options together ask for; raises UsageError."""
    terms = list(Filter.parse(where).terms) if where is not None else []
    for key, sign, value in (
        ("from", "=", since),
        ("to", "=", until),
        ("operation", "=", operation),
        ("method", "=", method),
        ("path", "=", path),
        ("latency", ">=", min_latency),
        ("latency", "<=", max_latency),
        ("failed", "=", "yes" if errors else None),
        ("phase", "=", phase),
    ):
        if value is not None:
            terms.append(Term(key, sign, value))
    if status is not None:
        sign = re.match(r"[<>!=]*", status)[0]  # type: ignore[index]
        terms.append(Term("status", sign or "=", status.removeprefix(sign).strip()))
    if between_markers is not None:
        first, last = between_markers
        terms += [Term("from", "=", f"@{first}"), Term("to", "=", f"@{last}")]
    return Filter(tuple(terms))


def takes_filter(command: Callable[..., None]) -> Callable[..., None]:
    """`command(..., chosen: Filter)` as a command whose options choose the exchanges."""
    own = inspect.signature(command, eval_str=True)
    options = inspect.signature(_filter, eval_str=True).parameters

    @functools.wraps(command)
    def with_options(**given: Any) -> None:
        chosen = _filter(**{name: given.pop(name) for name in options})
        command(**given, chosen=chosen)

    kept = [parameter for name, parameter in own.parameters.items() if name != "chosen"]
    keyword = inspect.Parameter.KEYWORD_ONLY
    shown = [parameter.replace(kind=keyword) for parameter in (*kept, *options.values())]
    with_options.__signature__ = own.replace(parameters=shown)  # type: ignore[attr-defined]
    with_options.__annotations__ = {parameter.name: parameter.annotation for parameter in shown}
    return with_options


class Names:
    """The operations of a recording's requests, found when first asked for."""

    def __init__(self, reader: RecordingReader) -> None:
        self._reader = reader

    @functools.cached_property
    def _names(self) -> dict[tuple[str, str], str]:
        requests = self._reader.requests()
        return Operations.find(requests).names(requests)

    def __call__(self, method: str, target: str) -> str:
        """`METHOD /path/template`; of a request that came since, its own method and target."""
        return self._names.get((method, target)) or f"{method} {target}"


def bind(chosen: Filter, reader: RecordingReader, names: Names) -> Selection:
    """What `chosen` selects of the recording; raises UsageError for a marker that it does not have."""
    return chosen.bind(started_wall_ns=reader.meta.started_wall_ns, markers=reader.markers(), name_of=names)
