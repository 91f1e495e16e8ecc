"""The values that places of a stub file take, each with the test of what can be served."""

from __future__ import annotations

import base64
import binascii
import contextlib
import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainValidator,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
)

from mockforge.delays.distributions import DISTRIBUTIONS, compile_distribution, law_of
from mockforge.delays.durations import milliseconds_of
from mockforge.errors import StubFileError
from mockforge.matching.json import compile_json_equality
from mockforge.matching.jsonpath import compile_jsonpath
from mockforge.matching.multipart import MATCHING_TYPES
from mockforge.matching.regexes import compile_regex
from mockforge.model.charset import unknown_charset
from mockforge.model.operation import is_parameter
from mockforge.model.stub import DelayDistribution
from mockforge.stubfiles.problems import RefusedError, brief
from mockforge.stubfiles.written import Json, Scalar, Spelled, Text, as_text, plain_json
from mockforge.templating.jinja import is_template
from mockforge.templating.transformers import TRANSFORMERS

__all__ = [
    "AnswerHeaders",
    "AnswerStatus",
    "Base64Text",
    "Chooser",
    "Delay",
    "HeaderName",
    "HeaderValues",
    "JsonPathText",
    "MatchingType",
    "Method",
    "Methods",
    "Milliseconds",
    "Name",
    "PathTemplate",
    "Port",
    "Priority",
    "Regex",
    "Scheme",
    "Share",
    "StateKey",
    "Status",
    "Transformers",
    "Upstream",
    "Url",
    "WantedJson",
    "WrittenNumber",
    "jsonpath",
    "method",
]

_PARAMETER = re.compile(r"[\w-]+")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_UPSTREAM = re.compile(r"https?://[^\s/?#]+\S*")
_CHOOSER = re.compile(r"(?:path|query)\..+|body")
_STATE_KEY = re.compile(r"(?:path|query)\..+|response(?:\.[^.]+)+")
#: Control characters, which no header and no name may hold.
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_LAW_SCHEMA = {
    "type": "object",
    "properties": {"type": {"enum": list(DISTRIBUTIONS)}},
    "anyOf": [
        {"required": ["type"]},
        {"patternProperties": {r"^p\d": {"type": ["number", "string"]}}, "minProperties": 2},
    ],
}
_TRANSFORMERS_SCHEMA = {"type": "array", "items": {"enum": list(TRANSFORMERS)}, "maxItems": 1}
_SCALAR_SCHEMA = {"type": ["string", "number", "boolean"]}
_HEADER_SCHEMA = {"anyOf": [_SCALAR_SCHEMA, {"type": "array", "items": _SCALAR_SCHEMA, "minItems": 1}]}


def _name(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise RefusedError(f"{brief(text)} is not a name", "one line of printable characters")
    return text


def method(text: str) -> str:
    """A method as it is, RefusedError for what is none."""
    if not _TOKEN.fullmatch(text):
        raise RefusedError(f"{brief(text)} is not a method", "such as GET, or ANY for all of them")
    if text != text.upper():
        raise RefusedError(f"method {brief(text)} must be in capitals", f"write {text.upper()}")
    return text


def _url(text: str) -> str:
    if not text.startswith("/"):
        raise RefusedError(f"{brief(text)} must begin with /", "a path, without scheme and host")
    if re.search(r"\s", text):
        raise RefusedError(f"{brief(text)} holds white space, which no URL does", "write %20")
    return text


def _regex(text: str) -> str:
    with _refusing():
        compile_regex(text)
    return text


def _path_template(text: str) -> str:
    _url(text)
    if "?" in text:
        raise RefusedError(
            f"template {brief(text)} has a query", "templates are of the path; use queryParameters"
        )
    names = [part[1:-1] for part in text.split("/") if is_parameter(part)]
    for part in text.split("/"):
        if not is_parameter(part) and ("{" in part or "}" in part):
            raise RefusedError(f"{brief(part)} in template {brief(text)}", "a {name} fills the whole segment")
    for name in names:
        if not _PARAMETER.fullmatch(name):
            hint = "letters, digits, _ and -, such as {order_id}"
            raise RefusedError(f"{{{name}}} in template {brief(text)} is not a name", hint)
        if names.count(name) > 1:
            raise RefusedError(f"{{{name}}} stands twice in template {brief(text)}", "names must differ")
    return text


def jsonpath(text: str) -> str:
    """A JSONPath, as it is; RefusedError where it does not parse."""
    with _refusing():
        compile_jsonpath(text)
    return text


def _wanted_json(written: object) -> object:
    if written is not None:
        with _refusing():
            compile_json_equality(written, {})
    return written


@contextlib.contextmanager
def _refusing() -> Iterator[None]:
    """What cannot be compiled is refused where it stands."""
    try:
        yield
    except StubFileError as error:
        raise RefusedError(error.what, error.hint) from None


def _number(written: object) -> object:
    """A number, or a text that is one, as WireMock's clients may send it."""
    value = written.value if isinstance(written, Scalar) else written
    if isinstance(value, str):
        with contextlib.suppress(ValueError):
            return float(value)
    return value


def _duration(written: object) -> object:
    """A number of milliseconds, or a duration such as 1.5s."""
    value = written.value if isinstance(written, Scalar) else written
    if not isinstance(value, str):
        return value
    milliseconds = milliseconds_of(value)
    if milliseconds is None:
        raise RefusedError(f"must be a number, not {brief(written)}", "milliseconds, or such as 12ms or 1.5s")
    return milliseconds


def _scheme(text: str) -> str:
    if text not in ("http", "https"):
        raise RefusedError(f"scheme {brief(text)} is not known", "known: http, https")
    return text


def _matching_type(text: str) -> str:
    if text not in MATCHING_TYPES:
        raise RefusedError(f"matchingType {brief(text)} is not known", f"known: {', '.join(MATCHING_TYPES)}")
    return text


def _transformers(names: list[str]) -> list[str]:
    known = f"known: {', '.join(TRANSFORMERS)}"
    for name in names:
        if name == "response-template":
            raise RefusedError(
                f"{brief(name)} is WireMock's Handlebars dialect, which is not supported yet", known
            )
        if name not in TRANSFORMERS:
            raise RefusedError(f"{brief(name)} is not known", known)
    if len(names) > 1:
        raise RefusedError(f"{' and '.join(names)} exclude one another", "keep one of them")
    return names


def _base64(text: str) -> str:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise RefusedError(f"{brief(text)} is not base64: {error}") from None
    return text


def _header_name(text: str) -> str:
    if not _TOKEN.fullmatch(text):
        raise RefusedError(f"{brief(text)} is not a header name")
    return text


def _header_values(written: object) -> tuple[str, ...]:
    values = tuple(as_text(value) for value in (written if isinstance(written, list) else [written]))
    if not values:
        raise RefusedError("the list of values is empty", "leave the header out")
    return tuple(_header_value(value) for value in values)


def _known_charsets(headers: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    for name, values in headers.items():
        for value in values if name.lower() == "content-type" else ():
            charset = None if is_template(value) else unknown_charset(value)
            if charset is not None:
                raise RefusedError(f"{name} names a charset that there is not: {charset!r}", "such as utf-8")
    return headers


def _header_value(value: object) -> str:
    if not isinstance(value, str):
        raise RefusedError(f"a header's value must be a string or a list of strings, not {brief(value)}")
    if _CONTROL.search(value):
        raise RefusedError(f"{brief(value)} holds a control character, which no header may")
    try:
        value.encode("latin-1")
    except UnicodeEncodeError as error:
        bad = value[error.start]
        raise RefusedError(
            f"{brief(value)} holds {bad!r}; headers are Latin-1", "percent-encode it"
        ) from None
    return value


def _upstream(text: str) -> str:
    if not _UPSTREAM.fullmatch(text):
        raise RefusedError(f"{brief(text)} is not a URL", "such as https://orders.staging.example.com")
    return text


def _answer_status(written: object, validate: ValidatorFunctionWrapHandler) -> object:
    """A template stands as it is."""
    text = as_text(written)
    return text if isinstance(text, str) and is_template(text) else validate(written)


def _chooser(text: str) -> str:
    if not _CHOOSER.fullmatch(text):
        hint = "known: path.NAME, query.NAME, body"
        raise RefusedError(f"variants cannot be chosen by {brief(text)}", hint)
    return text


def _state_key(text: str) -> str:
    if not _STATE_KEY.fullmatch(text):
        raise RefusedError(
            f"a state cannot be kept by {brief(text)}", "known: path.NAME, query.NAME, response.NAME"
        )
    return text


def _delay(written: object) -> DelayDistribution:
    if not isinstance(written, dict):
        raise RefusedError(
            f"must be a mapping, not {brief(written)}", "such as {type: fixed, milliseconds: 20}"
        )
    parameters = {key: plain_json(value) for key, value in written.items()}
    points = parameters.get("points")
    if isinstance(points, dict):
        parameters["points"] = _by_percentile(points)
    if "type" in parameters:
        parameters["type"] = as_text(written["type"])
    with _refusing():
        delay = law_of(parameters)
        compile_distribution(delay)
    return delay


def _by_percentile(points: dict[str, object]) -> dict[float, object]:
    """Keys of a file are strings; those of points are numbers."""
    table: dict[float, object] = {}
    for key, value in points.items():
        try:
            level = float(key)
        except ValueError:
            raise RefusedError(
                f"{brief(key)} in points is not a percentile", "keys go from 0 to 100"
            ) from None
        if level in table:
            raise RefusedError(f"percentile {level:g} stands twice in points")
        table[level] = value
    return table


#: What an answer may end with; those below 200 only announce one.
Status = Annotated[int, Field(ge=200, le=599), Spelled]
_STATUS_SCHEMA = {
    "anyOf": [{"type": "integer", "minimum": 200, "maximum": 599}, {"type": "string", "pattern": r"\{[{%]"}]
}
#: A status, or a template that gives one.
AnswerStatus = Annotated[
    Status,
    WrapValidator(_answer_status),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 200, "maximum": 599},
                {"type": "string", "pattern": r"\{[{%]"},
            ]
        }
    ),
]
Priority = Annotated[int, Field(ge=1, description="Lower wins."), Spelled]
Share = Annotated[float, Field(ge=0, le=1, description="How often, among several."), Spelled]
Milliseconds = Annotated[
    float,
    Field(ge=0, allow_inf_nan=False),
    BeforeValidator(_duration),
    WithJsonSchema({"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "examples": ["12ms"]}]}),
]
Name = Annotated[Text, AfterValidator(_name)]
Method = Annotated[Text, AfterValidator(method)]
Url = Annotated[Text, AfterValidator(_url)]
Regex = Annotated[Text, AfterValidator(_regex)]
JsonPathText = Annotated[Text, AfterValidator(jsonpath)]
WantedJson = Annotated[
    Json, AfterValidator(_wanted_json), Field(description="A JSON text, or JSON written out.")
]
WrittenNumber = Annotated[float, Field(allow_inf_nan=False), BeforeValidator(_number)]
Methods = Annotated[list[Method], Field(min_length=1)]
Port = Annotated[int, Field(ge=1, le=65_535), Spelled]
Scheme = Annotated[Text, AfterValidator(_scheme)]
MatchingType = Annotated[Text, AfterValidator(_matching_type)]
Transformers = Annotated[list[Text], AfterValidator(_transformers), WithJsonSchema(_TRANSFORMERS_SCHEMA)]
PathTemplate = Annotated[Text, AfterValidator(_path_template)]
Base64Text = Annotated[Text, AfterValidator(_base64)]
HeaderName = Annotated[str, AfterValidator(_header_name)]
HeaderValues = Annotated[tuple[str, ...], PlainValidator(_header_values), WithJsonSchema(_HEADER_SCHEMA)]
AnswerHeaders = Annotated[dict[HeaderName, HeaderValues], AfterValidator(_known_charsets)]
Upstream = Annotated[Text, AfterValidator(_upstream)]
Chooser = Annotated[Text, AfterValidator(_chooser)]
StateKey = Annotated[Text, AfterValidator(_state_key)]
Delay = Annotated[DelayDistribution, PlainValidator(_delay), WithJsonSchema(_LAW_SCHEMA)]
