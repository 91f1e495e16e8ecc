"""The Jinja dialect (`transformers: [jinja]`), in an immutable sandbox, in which unknown names are errors.

A text is cut into what stands ready and expressions. One that only looks something up in the request
(`request.path.id`, `request.json.items[0].sku`) becomes a direct look-up, the others of a body one compiled
Jinja program; a text with statements is Jinja's whole. In a `jsonBody` each string is a text of its own and
what it renders to is escaped, so that the body is always JSON; one that is all of it an expression whose last
filter is `tojson` stands there as the value itself.

What does not parse, and what asks for something that no request has, is a StubFileError when it is compiled.
Whatever goes wrong when it is rendered, in an expression or in the sandbox, is a `TemplateFailure`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson
from jinja2 import TemplateSyntaxError, nodes

from mockforge.errors import StubFileError
from mockforge.model.stub import Body
from mockforge.templating.body import BodyTemplate, Segment
from mockforge.templating.checks import check_names, files_read
from mockforge.templating.failure import reason_of
from mockforge.templating.look_up import look_up
from mockforge.templating.program import Expression
from mockforge.templating.sandbox import CRLF, LF
from mockforge.templating.scope import PLAIN, Scope
from mockforge.templating.statements import Statements
from mockforge.templating.written import Write, as_is, escaped

__all__ = ["compile_body_template", "is_template"]

_MARKUP = re.compile(r"\{[{%#]")
_LONGEST_REMEMBERED = 1_000


def is_template(text: str) -> bool:
    """Whether a text has any markup."""
    return _MARKUP.search(text) is not None


def compile_body_template(body: Body, scope: Scope = PLAIN) -> BodyTemplate:
    """A body's template; StubFileError where it does not parse, or asks for what is not there."""
    cutting = _Cutting(scope)
    try:
        if body.kind == "jsonBody":
            segments = list(cutting.json(body.value))
        else:
            segments = list(cutting.text(_source(body), as_is))
        return BodyTemplate(segments, scope)
    except TemplateSyntaxError as error:
        raise StubFileError(f"template does not parse: line {error.lineno}: {error.message}") from error
    except StubFileError:
        raise
    except RecursionError as error:
        raise StubFileError("template is nested too deeply") from error
    except Exception as error:  # Jinja compiles to Python, which refuses in its own ways
        raise StubFileError(f"template does not parse: {reason_of(error)}") from error


def _source(body: Body) -> str:
    try:
        return body.content().decode()
    except UnicodeDecodeError as error:
        raise StubFileError(f"template is not UTF-8 at byte {error.start}") from error


@dataclass(frozen=True, slots=True)
class _Cutting:
    """Cuts the texts of one place."""

    scope: Scope

    def json(self, value: Any) -> Iterator[Segment]:
        """A JSON value with templates in its strings, keys among them."""
        if isinstance(value, str):
            yield from self._string(value)
        elif isinstance(value, dict):
            for number, (key, each) in enumerate(value.items()):
                yield "," if number else "{"
                yield from self._quoted(self.text(key, escaped))
                yield ":"
                yield from self.json(each)
            yield "}" if value else "{}"
        elif isinstance(value, list):
            for number, each in enumerate(value):
                yield "," if number else "["
                yield from self.json(each)
            yield "]" if value else "[]"
        else:
            yield orjson.dumps(value).decode()

    def _string(self, source: str) -> Iterator[Segment]:
        segments = self.text(source, escaped)
        if len(segments) == 1 and not isinstance(segments[0], str):
            made, _ = segments[0]
            if isinstance(made, Expression) and made.is_json:
                yield made, as_is
                return
        yield from self._quoted(segments)

    def _quoted(self, segments: Iterable[Segment]) -> Iterator[Segment]:
        yield '"'
        yield from segments
        yield '"'

    def text(self, source: str, write: Write) -> tuple[Segment, ...]:
        """Text and expressions, in order; of a text with statements, all of it as one segment."""
        if not is_template(source):
            return (write(source),)
        cut = _remembered_cut if len(source) <= _LONGEST_REMEMBERED else _cut
        pieces, files = cut(source, self.scope.requests, frozenset(self.scope.given))
        for name in files:
            self._check_file(name)
        return tuple(write(each) if isinstance(each, str) else (each, write) for each in pieces)

    def _check_file(self, name: str) -> None:
        files = self.scope.files
        if files is None:
            raise StubFileError(f"template reads the file {name!r}, which only the answer of a stub can")
        if name not in files:
            raise StubFileError(f"template reads the file {name!r}, which is not under __files/")


_Cut = tuple[tuple[Any, ...], tuple[str, ...]]


def _cut(source: str, requests: tuple[str, ...], given: frozenset[str]) -> _Cut:
    """What a text is made of, and the names of the files that it reads."""
    crlf = "\r\n" in source
    environment = CRLF if crlf else LF
    tree = environment.parse(source)
    check_names(tree, requests, given)
    files = tuple(files_read(tree))
    tokens = list(environment.lex(source))
    if any(kind.endswith("_begin") and kind != "variable_begin" for _, kind, _ in tokens):
        return (Statements(source, environment),), files
    pieces: list[object] = []
    expression: list[str] = []
    is_json = _is_json(tree)
    for _, kind, text in tokens:
        if kind == "data":
            pieces.append(text.replace("\n", environment.newline_sequence))
        elif kind == "variable_begin":
            expression = []
        elif kind == "variable_end":
            written = "".join(expression).strip()
            pieces.append(look_up(written, requests) or Expression(written, crlf, is_json))
        else:
            expression.append(text)
    return tuple(pieces), files


#: Stubs are much alike, and each is compiled twice: when its file is read, and when it is served.
_remembered_cut = functools.lru_cache(maxsize=10_000)(_cut)


def _is_json(tree: nodes.Template) -> bool:
    """Whether a text is nothing but an expression that ends in the filter `tojson`."""
    outputs = [each for output in tree.find_all(nodes.Output) for each in output.nodes]
    return len(outputs) == 1 and isinstance(outputs[0], nodes.Filter) and outputs[0].name == "tojson"
