"""An OpenAPI description (2 or 3): its path templates win over those that a recording suggests."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from mockforge.errors import UsageError
from mockforge.matching.url import template_regex
from mockforge.model.operation import Operation, is_parameter

__all__ = ["ApiDescription", "pointer"]

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_WANTED = "an OpenAPI 2 or 3 document in YAML or JSON"


@dataclass(frozen=True, slots=True)
class ApiDescription:
    """The operations of an API: their names (`operationId`) and path templates.

    `refused` are templates that no stub can spell, such as `/files/{name}.json`; `places` are where the
    operations stand in the `document`, as JSON pointers.
    """

    names: Mapping[Operation, str]
    refused: tuple[str, ...]
    _templates: tuple[tuple[str, re.Pattern[str]], ...]
    document: Mapping[str, Any]
    places: Mapping[Operation, str]

    @classmethod
    def from_document(cls, document: object, where: str) -> ApiDescription:
        """From a parsed file; UsageError where it is no OpenAPI document."""
        paths = document.get("paths") if isinstance(document, dict) else None
        if not isinstance(document, dict) or not isinstance(paths, dict):
            raise UsageError("describes no paths", where=where, hint=_WANTED)
        names: dict[Operation, str] = {}
        places: dict[Operation, str] = {}
        refused: list[str] = []
        templates: set[str] = set()
        taken: set[str] = set()
        for path, item in paths.items():
            if not isinstance(path, str) or not path.startswith("/"):
                raise UsageError(f"path {path!r} does not begin with /", where=where, hint=_WANTED)
            template = _template(path)
            if template is None:
                refused.append(path)
                continue
            for base in _bases(document):
                templates.add(base + template)
                for method, name in _operations(item):
                    unique = name if name and name not in taken else ""
                    taken.add(unique)
                    operation = Operation(method.upper(), base + template)
                    names[operation] = unique or operation.name
                    places[operation] = f"/paths/{pointer(path)}/{method}"
        literal_first = sorted(templates, key=lambda each: (each.count("{"), each))
        compiled = tuple((template, template_regex(template)) for template in literal_first)
        return cls(names, tuple(refused), compiled, document, places)

    def template_of(self, path: str) -> str | None:
        """The template that covers a path, the one with the fewest parameters; None where none does."""
        return next((template for template, regex in self._templates if regex.fullmatch(path)), None)

    def name_of(self, operation: Operation) -> str:
        """The `operationId`, or `METHOD /path/template` where there is none."""
        return self.names.get(operation, operation.name)

    def covers(self, operation: Operation) -> bool:
        """Whether the description has this operation."""
        return operation in self.names


def pointer(name: str) -> str:
    """A name as it stands in a JSON pointer in a URI (RFC 6901 §6)."""
    return quote(name.replace("~", "~0").replace("/", "~1"))


def _operations(item: object) -> Iterator[tuple[str, str]]:
    for method in _METHODS:
        if isinstance(item, dict) and isinstance(item.get(method), dict):
            name = item[method].get("operationId")
            yield method, name if isinstance(name, str) and name.strip() and name.isprintable() else ""


def _bases(document: Mapping[Any, Any]) -> list[str]:
    """The paths that the API lies under: those of its `servers`, its `basePath`, else the root."""
    base = document.get("basePath")
    if isinstance(base, str):
        return [base.rstrip("/")]
    servers = document.get("servers")
    urls = (
        [each.get("url") for each in servers if isinstance(each, dict)] if isinstance(servers, list) else []
    )
    paths = [urlsplit(url).path.rstrip("/") for url in urls if isinstance(url, str) and "{" not in url]
    return list(dict.fromkeys(paths)) or [""]


def _template(path: str) -> str | None:
    """The path as a stub spells it: `/orders/{order-id}` is `/orders/{order_id}`; None where it cannot."""
    parts: list[str] = []
    for part in path.split("/"):
        if is_parameter(part) and "{" not in part[1:]:
            name = re.sub(r"\W", "_", part[1:-1])
            name = name if name.isidentifier() else f"p_{name}"
            while f"{{{name}}}" in parts:
                name += "_"
            parts.append(f"{{{name}}}")
        elif "{" in part or "}" in part:
            return None
        else:
            parts.append(part)
    return "/".join(parts)
