"""The Jinja dialect (`transformers: [jinja]`), in an immutable sandbox, in which unknown names are errors.

A text is cut into what stands ready and expressions. One that only looks something up in the request
(`request.path.id`, `request.json.items[0].sku`) becomes a direct look-up, any other a compiled Jinja
expression; a text with statements is Jinja's whole. In a `jsonBody` each string is a text of its own and what
it renders to is escaped, so that the body is always JSON.

What does not parse, and what asks for something that no request has, is a StubFileError when it is compiled.
Whatever goes wrong when it is rendered, in an expression or in the sandbox, is a `TemplateFailure`.
"""

from __future__ import annotations

import difflib
import functools
import re
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

import orjson
from jinja2 import TemplateSyntaxError, UndefinedError, meta, nodes

from mockforge.errors import StubFileError
from mockforge.model.stub import Body
from mockforge.templating.budget import RENDERING, Rendering
from mockforge.templating.request import TemplateRequest
from mockforge.templating.sandbox import Sandbox, written

__all__ = ["BodyTemplate", "RenderBody", "TemplateFailure", "compile_body_template"]


class TemplateFailure(Exception):  # noqa: N818 - it is the template's failure, not this program's error
    """An expression could not be rendered for a request; the message names it and why."""


#: Renders a body; raises `TemplateFailure` and nothing else.
RenderBody = Callable[[TemplateRequest], bytes]
#: A part of a text that the request has to be asked for.
Segment = Callable[[TemplateRequest], str]
#: What a text is written into: as it is, or the inside of a JSON string.
Write = Callable[[str], str]

_MARKUP = re.compile(r"\{[{%#]")
_LOOK_UP = re.compile(r"request((?:\.[A-Za-z]\w*|\[\d{1,9}\]|\['[^'\\]*'\]|\[\"[^\"\\]*\"\])+)")
_STEP = re.compile(r"\.([A-Za-z]\w*)|\[(\d+)\]|\['([^']*)'\]|\[\"([^\"]*)\"\]")
_LONGEST_SHOWN = 80
_LONGEST_REMEMBERED = 1_000


def _as_is(text: str) -> str:
    return text


def _escaped(text: str) -> str:
    return orjson.dumps(text).decode()[1:-1]


#: Jinja makes all line breaks of a template alike.
_LF, _CRLF = Sandbox("\n"), Sandbox("\r\n")


class BodyTemplate:
    """A compiled text, a `RenderBody`; `literal` where nothing in it depends on a request."""

    __slots__ = ("_segments", "literal")

    def __init__(self, segments: Sequence[str | Segment]) -> None:
        self._segments = segments
        is_literal = all(isinstance(each, str) for each in segments)
        self.literal = "".join(map(str, segments)).encode() if is_literal else None

    def __call__(self, request: TemplateRequest) -> bytes:
        RENDERING.set(Rendering(request.random))
        text = "".join([each if isinstance(each, str) else each(request) for each in self._segments])
        try:
            return text.encode()
        except UnicodeEncodeError as error:
            raise TemplateFailure(f"the rendered text is not Unicode: {error.reason}") from error


def compile_body_template(body: Body) -> BodyTemplate:
    """A body's template; StubFileError where it does not parse, or asks for what no request has."""
    try:
        segments = _joined(_json(body.value) if body.kind == "jsonBody" else _text(_source(body), _as_is))
    except TemplateSyntaxError as error:
        raise StubFileError(f"template does not parse: line {error.lineno}: {error.message}") from error
    except StubFileError:
        raise
    except RecursionError as error:
        raise StubFileError("template is nested too deeply") from error
    except Exception as error:  # Jinja compiles to Python, which refuses in its own ways
        raise StubFileError(f"template does not parse: {_reason(error)}") from error

    return BodyTemplate(segments)


def _source(body: Body) -> str:
    try:
        return body.content().decode()
    except UnicodeDecodeError as error:
        raise StubFileError(f"template is not UTF-8 at byte {error.start}") from error


def _joined(segments: Iterable[str | Segment]) -> list[str | Segment]:
    """The segments, adjacent texts as one."""
    joined: list[str | Segment] = []
    for is_text, group in groupby(segments, lambda segment: isinstance(segment, str)):
        parts = list(group)
        joined += ["".join(map(str, parts))] if is_text else parts
    return joined


def _json(value: Any) -> Iterator[str | Segment]:
    """A JSON value with templates in its strings, keys among them."""
    if isinstance(value, str):
        yield '"'
        yield from _text(value, _escaped)
        yield '"'
    elif isinstance(value, dict):
        for number, (key, each) in enumerate(value.items()):
            yield "," if number else "{"
            yield from _json(key)
            yield ":"
            yield from _json(each)
        yield "}" if value else "{}"
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield "," if number else "["
            yield from _json(each)
        yield "]" if value else "[]"
    else:
        yield orjson.dumps(value).decode()


def _text(source: str, write: Write) -> Iterable[str | Segment]:
    """Text and expressions of a template, in order; of one with statements, all of it as one segment."""
    if not _MARKUP.search(source):
        return (write(source),)
    return _remembered_cut(source, write) if len(source) <= _LONGEST_REMEMBERED else _cut(source, write)


def _cut(source: str, write: Write) -> tuple[str | Segment, ...]:
    environment = _CRLF if "\r\n" in source else _LF
    _check(environment.parse(source))
    tokens = list(environment.lex(source))
    if any(kind.endswith("_begin") and kind != "variable_begin" for _, kind, _ in tokens):
        return (_statements(source, environment, write),)
    segments: list[str | Segment] = []
    expression: list[str] = []
    for _, kind, text in tokens:
        if kind == "data":
            segments.append(write(text.replace("\n", environment.newline_sequence)))
        elif kind == "variable_begin":
            expression = []
        elif kind == "variable_end":
            segments.append(_expression("".join(expression).strip(), environment, write))
        else:
            expression.append(text)
    return tuple(segments)


#: Stubs are much alike, and each is compiled twice: when its file is read, and when it is served.
_remembered_cut = functools.lru_cache(maxsize=10_000)(_cut)


def _check(template: nodes.Template) -> None:
    """Refuse names that nothing will ever have, and other files."""
    kinds: tuple[tuple[Any, Iterable[str]], ...] = ((nodes.Filter, _LF.filters), (nodes.Test, _LF.tests))
    for kind, known in kinds:
        for node in template.find_all(kind):
            if node.name not in known:
                what = f"template asks for the {kind.__name__.lower()} {node.name!r}, which is not known"
                raise StubFileError(what, hint=_known(node.name, known))
    for name in sorted(meta.find_undeclared_variables(template) - {"request"}):
        hint = _known(name, ("request", *_LF.globals))
        raise StubFileError(f"template asks for {name!r}, which is not known", hint=hint)
    for part in _parts_of_request(template):
        if TemplateRequest.part(part) is None:
            hint = f"known: {', '.join(f'request.{each}' for each in TemplateRequest.PARTS)}"
            raise StubFileError(f"template asks for 'request.{part}', which no request has", hint=hint)
    for file in meta.find_referenced_templates(template):
        raise StubFileError(f"template includes {file!r}; it can include no other file")


def _known(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}?" if near else "known: request, and what docs/templating.md lists"


def _parts_of_request(template: nodes.Template) -> Iterator[str]:
    """`path` for each `request.path` and `request['path']`."""
    look_ups: Iterator[Any] = template.find_all((nodes.Getattr, nodes.Getitem))
    for node in look_ups:
        if isinstance(node.node, nodes.Name) and node.node.name == "request":
            if isinstance(node, nodes.Getattr):
                yield node.attr
            elif isinstance(node.arg, nodes.Const):
                yield str(node.arg.value)


def _statements(source: str, environment: Sandbox, write: Write) -> Segment:
    template = environment.template(source)
    lines = source.splitlines()

    def render(request: TemplateRequest) -> str:
        try:
            return write(template.render(request=request))
        except Exception as error:  # an expression can fail in any way that Python knows
            number = _line_of(error)
            where = _brief(lines[number - 1]) if 0 < number <= len(lines) else "template"
            raise TemplateFailure(f"{where}: {_reason(error)}") from error

    return render


def _expression(expression: str, environment: Sandbox, write: Write) -> Segment:
    looked_up = _LOOK_UP.fullmatch(expression)
    value_of = _look_up(looked_up[1]) if looked_up else _compiled(expression, environment)
    shown = _brief(f"{{{{ {expression} }}}}")

    def render(request: TemplateRequest) -> str:
        try:
            return write(written(value_of(request)))
        except Exception as error:  # an expression can fail in any way that Python knows
            raise TemplateFailure(f"{shown}: {_reason(error)}") from error

    return render


def _compiled(expression: str, environment: Sandbox) -> Callable[[TemplateRequest], Any]:
    # In parentheses, for `{{ a, b }}` is an expression too.
    compiled = environment.expression(f"({expression})")
    return lambda request: compiled(request=request)


def _look_up(path: str) -> Callable[[TemplateRequest], Any]:
    first, *steps = [
        int(index) if index else name or quoted or double
        for name, index, quoted, double in _STEP.findall(path)
    ]
    part = TemplateRequest.part(str(first))
    assert part is not None  # or `_check` had refused it

    def value_of(request: TemplateRequest) -> Any:
        value = part(request)
        try:
            for step in steps:
                value = value[step]
        except (KeyError, IndexError, TypeError):
            raise UndefinedError("is not in this request") from None
        return value

    return value_of


def _line_of(error: Exception) -> int:
    """The line of the template that an error comes from; 0 where it cannot be told."""
    numbers = [
        number
        for frame, number in traceback.walk_tb(error.__traceback__)
        if frame.f_code.co_filename == "<template>"
    ]
    return numbers[-1] if numbers else 0


def _reason(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _brief(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"
