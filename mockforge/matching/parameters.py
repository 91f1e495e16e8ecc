"""A request's own parameters, as one key: what variants of an answer are chosen by.

The same function makes the key when a recording is learned and when the mock serves.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence

import orjson

from mockforge.errors import StubFileError
from mockforge.matching.url import parameter_names, path_parameters
from mockforge.model.request import RequestView

__all__ = ["ParameterKey", "compile_parameters"]

ParameterKey = Callable[[RequestView], tuple[str, ...]]

#: Bodies longer than this stand in a key by their digest.
_LONGEST_BODY = 512


def compile_parameters(by: Sequence[str], template: re.Pattern[str] | None) -> ParameterKey:
    """A function from a request to the values of `by`: `path.NAME`, `query.NAME` or `body`.

    A parameter that the request lacks is the empty string; several values of a query parameter are joined
    by commas. StubFileError where a path parameter is not in the template, or a name is of no such form.
    """
    known = parameter_names(template) if template is not None else []
    parts: list[Callable[[RequestView, dict[str, str]], str]] = []
    for name in by:
        source, _, key = name.partition(".")
        if source == "path" and key in known:
            parts.append(lambda request, path, key=key: path.get(key, ""))  # type: ignore[misc]
        elif source == "query" and key:
            parts.append(lambda request, path, key=key: ",".join(request.query.get(key, ())))  # type: ignore[misc]
        elif name == "body":
            parts.append(lambda request, path: _body_key(request.body))
        else:
            hint = "known: " + ", ".join([*(f"path.{each}" for each in known), "query.NAME", "body"])
            raise StubFileError(f"{name!r} is no parameter of the request", hint=hint)

    def key_of(request: RequestView) -> tuple[str, ...]:
        path = path_parameters(template, request.path) if template is not None else {}
        return tuple([part(request, path) for part in parts])

    return key_of


def _body_key(body: bytes) -> str:
    """A body as a readable key: JSON in canonical form, other text as it is, long ones by digest."""
    try:
        text = orjson.dumps(orjson.loads(body), option=orjson.OPT_SORT_KEYS).decode()
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):  # the latter: nested too deeply
        text = body.decode("utf-8", "backslashreplace")
    if len(text) <= _LONGEST_BODY:
        return text
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()[:32]
