"""Access logs in: one line a request, without bodies and mostly without headers.

nginx writes its times at the end of a request, so the arrival is `time - duration`; Apache's `%t` is when
the request began. Durations are those of the server: `$request_time` begins with the request's first byte.
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from mockforge.interop.log_format import PRESETS, LogFormat, compiled
from mockforge.interop.placing import Found, SpanEntries, place
from mockforge.interop.source import Imported, Source, SourceError, mapped
from mockforge.model.exchange import Exchange, Request, Response
from mockforge.model.headers import Headers
from mockforge.recording.foreign.instants import UNITS, clf_ns, iso_ns, scaled_ns
from mockforge.recording.foreign.unusable import Unusable

__all__ = ["line_spans", "preset_of", "read_access_log"]

_LINE = re.compile(rb"[^\r\n]+")
_REQUEST = re.compile(r"([A-Za-z][A-Za-z0-9_-]*) (\S+)(?: HTTP/[\d.]+)?")
_ESCAPED = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|(.))")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "v": "\v", "f": "\f"}
_SEVERAL = re.compile(r", | : ")

#: nginx: the caller closed the connection before the answer.
_CALLER_LEFT = 499
_COARSE_NS = 1_000_000_000


def read_access_log(source: Source) -> Imported:
    """The exchanges of an access log in `source.log_format`, or in the preset that its lines fit."""
    data = mapped(source.path)
    named = source.log_format or preset_of(bytes(data[:65_536]))
    if named is None:
        raise SourceError(
            "its lines fit no known log format",
            where=str(source.path),
            hint=f"give the server's own with --log-format, or one of {', '.join(PRESETS)}",
        )
    form = compiled(named)
    imported = place(
        source,
        SpanEntries(data, line_spans(data), source.told),
        lambda raw: _found(raw, form),
        unit="line",
        expected=f"lines in the format {form.text}",
    )
    coarse = not {"end_s", "begin_ms", "begin_us", "end_ms", "end_us"} & set(form.parts)
    return imported if not coarse else _coarse(imported)


def line_spans(data: bytes | mmap.mmap) -> Iterator[tuple[int, int]]:
    """The span of each line that is not empty."""
    return (found.span() for found in _LINE.finditer(data))


def preset_of(data: bytes) -> str | None:
    """The preset that the first line fits."""
    first = _LINE.search(data)
    if first is None:
        return None
    text = first[0].decode("latin-1")
    return next((name for name in PRESETS if compiled(name).pattern.fullmatch(text)), None)


def _found(raw: bytes, form: LogFormat) -> Found:
    found = form.pattern.fullmatch(raw.decode("latin-1"))
    if found is None:
        raise Unusable("does not fit the format")
    parts = dict(zip(form.parts, found.groups(), strict=True))
    method, target = _asked(parts)
    total_ns = _duration(parts, "total", "upstream_total")
    if total_ns is None:
        raise Unusable("has no duration")
    ttfb_ns = _duration(parts, "ttfb", "upstream_ttfb")
    response, error = _answer(parts)
    connection = parts.get("connection", "")
    return Found(
        Exchange(
            wall_ns=_arrival(parts, total_ns),
            arrived_ns=0,
            request=Request(method, target, _fields(parts, "request")),
            response=response,
            total_ns=total_ns,
            ttfb_ns=None if ttfb_ns is None or response is None else min(ttfb_ns, total_ns),
            connect_ns=_duration(parts, "upstream_connect") or None,
            connection_id=int(connection) if connection.isdecimal() else 0,
            error=error,
        )
    )


def _asked(parts: Mapping[str, str]) -> tuple[str, str]:
    """The method and the request target."""
    method = parts.get("method", "GET")
    if "line" in parts:
        line = _REQUEST.fullmatch(_plain(parts["line"]))
        if line is None:
            raise Unusable(f"has no request in {parts['line']!r}")
        return line[1], line[2]
    if "target" in parts:
        return method, _plain(parts["target"])
    query = parts.get("question") or ("?" + parts["query"] if parts.get("query", "-") != "-" else "")
    return method, _plain(parts["path"] + (query if query not in {"?", "-"} else ""))


def _arrival(parts: Mapping[str, str], total_ns: int) -> int:
    """When the request came, nanoseconds since 1970: from the finest time that the line has."""
    for unit in ("us", "ms", "s"):
        for edge, back_ns in (("begin", 0), ("end", total_ns)):
            if f"{edge}_{unit}" in parts:
                return scaled_ns(parts[f"{edge}_{unit}"], UNITS[unit]) - back_ns
    if "end_iso" in parts:
        return iso_ns(parts["end_iso"]) - total_ns
    if "end_clf" in parts:
        return clf_ns(parts["end_clf"]) - total_ns
    return clf_ns(parts["begin_bracketed"][1:-1])


def _duration(parts: Mapping[str, str], *names: str) -> int | None:
    """The finest of the first of `names` that the line has; None where it has none or a dash.

    nginx lists a time for each backend that it tried: they add up.
    """
    for name in names:
        for unit in ("us", "ms", "s", *UNITS):
            said = parts.get(f"{name}_{unit}", "-")
            times = [scaled_ns(one, UNITS[unit]) for one in _SEVERAL.split(said) if one not in {"-", ""}]
            if times:
                return max(sum(times), 0)
    return None


def _answer(parts: Mapping[str, str]) -> tuple[Response | None, str | None]:
    status = parts.get("status", "200")
    if not status.isdecimal() or int(status) == 0:
        return None, "wait: no answer"
    if int(status) == _CALLER_LEFT:
        return None, "caller: left"
    sent = parts.get("sent", "")
    size = int(sent) if sent.isdecimal() else 0
    return Response(int(status), _fields(parts, "response"), omitted=size), None


def _fields(parts: Mapping[str, str], of: str) -> Headers:
    """The header fields that the line has of the `request` or the `response`."""
    return Headers(
        tuple(
            (name.partition(" ")[2], _plain(value))
            for name, value in parts.items()
            if name.startswith(f"{of} ") and value not in {"-", ""}
        )
    )


def _plain(text: str) -> str:
    """The text without the escapes of either server."""
    if "\\" not in text:
        return text
    return _ESCAPED.sub(
        lambda found: (
            chr(int(found[1] or found[2], 16)) if found[1] or found[2] else _ESCAPES.get(found[3], found[3])
        ),
        text,
    )


def _coarse(imported: Imported) -> Imported:
    """The import, with the remark that its arrivals are known to the second only."""
    return replace(
        imported,
        notes={"arrival_resolution_ns": str(_COARSE_NS)},
        remarks=(
            "the log has the time of a request to the second: arrivals, and what was in flight, are as "
            "coarse; log $msec (nginx) or %{usec}t (Apache) for better",
        ),
    )
