"""The formats of access logs: nginx's `log_format` and Apache's `LogFormat`, as expressions with named parts.

A directive stands for one of the parts below, or for something that is skipped. nginx: `$name`, `${name}`
(ngx_http_log_module, ngx_http_upstream_module); Apache: `%D`, `%>s`, `%{NAME}i` (mod_log_config).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from mockforge.interop.source import SourceError
from mockforge.recording.foreign.instants import UNITS

__all__ = ["PRESETS", "LogFormat", "compiled"]

#: Formats by a name of their own.
PRESETS = {
    "nginx-timed": (
        '$remote_addr - $remote_user [$time_local] $msec "$request" $status $body_bytes_sent '
        '"$http_referer" "$http_user_agent" $request_time $upstream_header_time $upstream_connect_time'
    ),
    "combined-timed": (
        '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent '
        '"$http_referer" "$http_user_agent" $request_time'
    ),
    "apache-timed": '%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i" %D',
}

_NGINX = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_APACHE = re.compile(
    r"%(?P<percent>%)|%[!\d,]*[<>]?(?:\{(?P<of>[^}]*)\})?(?P<letter>\^?[A-Za-z]{1,2}(?<=\^..)|[A-Za-z])"
)

#: Parts by nginx's variables.
_NGINX_PARTS = {
    "msec": "end_s",
    "time_iso8601": "end_iso",
    "time_local": "end_clf",
    "request": "line",
    "request_method": "method",
    "request_uri": "target",
    "uri": "path",
    "document_uri": "path",
    "args": "query",
    "query_string": "query",
    "status": "status",
    "body_bytes_sent": "sent",
    "request_time": "total_s",
    "upstream_response_time": "upstream_total_s",
    "upstream_header_time": "upstream_ttfb_s",
    "upstream_connect_time": "upstream_connect_s",
    "connection": "connection",
    "host": "host",
}
#: Parts by Apache's letters, without an argument in braces.
_APACHE_PARTS = {
    "t": "begin_bracketed",
    "r": "line",
    "m": "method",
    "U": "path",
    "q": "question",
    "s": "status",
    "b": "sent",
    "B": "sent",
    "D": "total_us",
    "T": "total_s",
    "^FB": "ttfb_us",
}
_APACHE_MOMENTS = {"sec": "s", "msec": "ms", "usec": "us"}

#: What a part looks like where its text may hold the character that ends it.
_SHAPES = {
    "end_clf": r"[^\]]*?",
    "begin_bracketed": r"\[[^\]]*\]",
    "upstream_total_s": r"[\d.-]+(?:(?:, | : )[\d.-]+)*",
    "upstream_ttfb_s": r"[\d.-]+(?:(?:, | : )[\d.-]+)*",
    "upstream_connect_s": r"[\d.-]+(?:(?:, | : )[\d.-]+)*",
}
_DURATIONS = re.compile(r"(?:upstream_)?total_")
_MOMENTS = re.compile(r"(?:begin|end)_")


@dataclass(frozen=True, slots=True)
class LogFormat:
    """A format, ready to read lines. `parts` are the names of the expression's groups, in order."""

    text: str
    pattern: re.Pattern[str]
    parts: tuple[str, ...]


def compiled(text: str) -> LogFormat:
    """The format that `text` is or, as a preset, names.

    Raises SourceError where it lacks what an exchange needs: when, how long, and what was asked.
    """
    text = PRESETS.get(text, text).replace('\\"', '"')  # quotes stand escaped in Apache's configuration
    pieces = list(_pieces(text))
    parts: list[str] = []
    expression = ""
    for place, (literal, part) in enumerate(pieces):
        if literal is not None:
            expression += re.escape(literal)
            continue
        following = next((piece[0] for piece in pieces[place + 1 : place + 2]), None)
        shape = _shape(part or "", following)
        if part and part not in parts:
            parts.append(part)
            expression += f"({shape})"
        else:
            expression += f"(?:{shape})"
    _check(text, parts)
    return LogFormat(text, re.compile(expression), tuple(parts))


def _pieces(text: str) -> Iterator[tuple[str | None, str | None]]:
    """(literal, None) or (None, part) in order; a part that is skipped is empty."""
    is_nginx = _NGINX.search(text) is not None
    at = 0
    for found in (_NGINX if is_nginx else _APACHE).finditer(text):
        if found.start() > at:
            yield text[at : found.start()], None
        at = found.end()
        if not is_nginx and found["percent"]:
            yield "%", None
        elif is_nginx:
            yield None, _nginx_part(found[1] or found[2])
        else:
            yield None, _apache_part(found["letter"], found["of"])
    if text[at:]:
        yield text[at:], None


def _nginx_part(name: str) -> str:
    for prefix, part in (("sent_http_", "response"), ("http_", "request")):
        if name.startswith(prefix):
            return f"{part} {name.removeprefix(prefix).replace('_', '-').title()}"
    return _NGINX_PARTS.get(name, "")


def _apache_part(letter: str, of: str | None) -> str:
    if of is None:
        return _APACHE_PARTS.get(letter, "")
    if letter in {"i", "o"}:
        return f"{'request' if letter == 'i' else 'response'} {of}"
    if letter == "T" and of in UNITS:
        return f"total_{of}"
    if letter == "t":
        moment, _, form = of.rpartition(":")
        if form in _APACHE_MOMENTS and moment in {"", "begin", "end"}:
            return f"{moment or 'begin'}_{_APACHE_MOMENTS[form]}"
    return ""


def _shape(part: str, following: str | None) -> str:
    """The expression of a part: up to the literal that follows it; quoted ones may escape the quote."""
    if part in _SHAPES:
        return _SHAPES[part]
    if not following:
        return r".*?"
    if following[0] == '"':
        return r'(?:[^"\\]|\\.)*+'
    return f"[^{re.escape(following[0])}]*+"


def _check(text: str, parts: list[str]) -> None:
    lacks = []
    if not any(map(_MOMENTS.match, parts)):
        lacks.append("a time ($msec, $time_iso8601, $time_local, %t)")
    if not any(map(_DURATIONS.match, parts)):
        lacks.append("a duration ($request_time, $upstream_response_time, %D, %{ms}T, %T)")
    if not {"line", "target", "path"} & set(parts):
        lacks.append("the request ($request, $request_uri, %r, %U)")
    if lacks:
        raise SourceError(
            f"the log format {text!r} has not {' nor '.join(lacks)}",
            hint=f"add it to the server's format, or name one of {', '.join(PRESETS)}",
        )
