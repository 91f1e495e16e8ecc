"""What is found in a text or document: by JSONPath, XPath or regular expression."""

from __future__ import annotations

import functools
from typing import Any

import orjson
import regex
from lxml import etree

from mockforge.errors import StubFileError
from mockforge.matching.jsonpath import JsonPath, compile_jsonpath

__all__ = ["jsonpath", "parse_json", "regex_all", "regex_find", "regex_replace", "split", "xpath"]

#: Seconds that a regular expression may take.
_LONGEST_S = 0.05
_LARGEST_XML = 262_144
_MISSING: Any = object()


@functools.lru_cache(maxsize=512)
def _path(expression: str) -> JsonPath:
    try:
        return compile_jsonpath(expression)
    except StubFileError as error:
        raise ValueError(error.what) from None


def jsonpath(value: Any, path: str, default: Any = _MISSING) -> Any:
    """What a JSONPath finds in a value or JSON text: one thing, or a list where the path may find many."""
    found = _path(path)
    values = found.find(parse_json(value) if isinstance(value, str) else value)
    if not found.definite:
        return values
    if values:
        return values[0]
    if default is _MISSING:
        raise ValueError(f"nothing is at {path}")
    return default


def parse_json(text: str) -> Any:
    """The value that a JSON text holds."""
    return orjson.loads(text)


def xpath(text: str, path: str, default: Any = _MISSING) -> Any:
    """The first thing that an XPath finds in an XML text: an element's text, an attribute, a number."""
    if len(text) > _LARGEST_XML:
        raise ValueError(f"the document has more than {_LARGEST_XML:,} characters")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    found = etree.fromstring(text.encode(), parser).xpath(path)
    if not isinstance(found, list):
        return found
    if found:
        return _text_of(found[0])
    if default is _MISSING:
        raise ValueError(f"nothing is at {path}")
    return default


def _text_of(node: Any) -> str:
    return "".join(map(str, node.itertext())) if isinstance(node, etree._Element) else str(node)


def regex_find(text: str, pattern: str, group: int | str | None = None, default: Any = _MISSING) -> Any:
    """The first match: its group, where the pattern has one, or the whole."""
    found = _regex(pattern).search(str(text), timeout=_LONGEST_S)
    if found is not None:
        return found[group if group is not None else 1 if found.re.groups else 0]
    if default is _MISSING:
        raise ValueError(f"{pattern!r} matches nothing")
    return default


def regex_all(text: str, pattern: str) -> list[Any]:
    """All matches; of a pattern with groups, these."""
    return list(_regex(pattern).findall(str(text), timeout=_LONGEST_S))


def regex_replace(text: str, pattern: str, new: str = "") -> str:
    """The text with every match replaced; `\\1` stands for a group."""
    if len(new) > 1_000:
        raise ValueError("the replacement has more than 1,000 characters")
    replaced: str = _regex(pattern).sub(new, str(text), count=1_000, timeout=_LONGEST_S)
    return replaced


def split(text: str, separator: str | None = None) -> list[str]:
    """The parts of a text between separators."""
    return str(text).split(separator)


@functools.lru_cache(maxsize=512)
def _regex(pattern: str) -> Any:
    try:
        return regex.compile(pattern)
    except regex.error as error:
        raise ValueError(f"{pattern!r} is no regular expression: {error}") from None
