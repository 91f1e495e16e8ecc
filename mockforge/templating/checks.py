"""What a template asks for that nothing will ever have."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from typing import Any

from jinja2 import meta, nodes

from mockforge.errors import StubFileError
from mockforge.templating.request import TemplateRequest
from mockforge.templating.sandbox import LF

__all__ = ["check_names", "files_read"]


def check_names(template: nodes.Template, requests: Iterable[str], given: Iterable[str]) -> None:
    """StubFileError for unknown names, filters and tests, parts that no request has, and other templates.

    `requests` are the names that the request has, `given` those of other values.
    """
    kinds: tuple[tuple[Any, Iterable[str]], ...] = ((nodes.Filter, LF.filters), (nodes.Test, LF.tests))
    for kind, known in kinds:
        for node in template.find_all(kind):
            if node.name not in known:
                what = f"template asks for the {kind.__name__.lower()} {node.name!r}, which is not known"
                raise StubFileError(what, hint=_known(node.name, known))
    names = {*requests, *given}
    for name in sorted(meta.find_undeclared_variables(template) - names):
        raise StubFileError(
            f"template asks for {name!r}, which is not known", hint=_known(name, (*names, *LF.globals))
        )
    for request, part in _parts_of(template, set(requests)):
        if TemplateRequest.part(part) is None:
            hint = f"known: {', '.join(f'{request}.{each}' for each in TemplateRequest.PARTS)}"
            raise StubFileError(f"template asks for '{request}.{part}', which no request has", hint=hint)
    for file in meta.find_referenced_templates(template):
        raise StubFileError(f"template includes {file!r}; it can include no other file")


def files_read(template: nodes.Template) -> Iterator[str]:
    """The names of files that it reads, as far as they stand in it: `file('a.json')`."""
    calls: Iterator[Any] = template.find_all((nodes.Call, nodes.Filter))
    for node in calls:
        asked: list[Any]
        if isinstance(node, nodes.Filter):
            asked = [node.node] if node.name == "file" else []
        else:
            asked = node.args[:1] if isinstance(node.node, nodes.Name) and node.node.name == "file" else []
        for name in asked:
            if isinstance(name, nodes.Const):
                yield str(name.value)


def _known(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}?" if near else "known: request, and what docs/templating.md lists"


def _parts_of(template: nodes.Template, requests: set[str]) -> Iterator[tuple[str, str]]:
    """`request` and `path` for each `request.path` and `request['path']`."""
    look_ups: Iterator[Any] = template.find_all((nodes.Getattr, nodes.Getitem))
    for node in look_ups:
        if isinstance(node.node, nodes.Name) and node.node.name in requests:
            if isinstance(node, nodes.Getattr):
                yield node.node.name, node.attr
            elif isinstance(node.arg, nodes.Const):
                yield node.node.name, str(node.arg.value)
