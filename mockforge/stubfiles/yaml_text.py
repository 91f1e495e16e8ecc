"""YAML text into plain values, with the line of each.

Scalars follow YAML 1.2's core schema, so that `no`, `on` and `2024-01-01` are the strings they look like.
Numbers are decimal and without leading zeros. Keys are always strings, as in JSON.
"""

from __future__ import annotations

import re

import yaml

from mockforge.stubfiles.parsed import Parsed
from mockforge.stubfiles.problems import Loc, RefusedError, brief
from mockforge.stubfiles.written import Scalar, as_text

__all__ = ["FLOAT", "INT", "parse_yaml"]

INT = re.compile(r"[-+]?(?:0|[1-9][0-9]*)\Z")
FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*|(?=[eE])))(?:[eE][-+]?[0-9]+)?\Z")

_TAG = "tag:yaml.org,2002:"
#: More values than this in one file come from aliases of aliases, not from people.
_MOST_VALUES = 5_000_000
#: Python refuses to turn longer digits into a number.
_LONGEST_INT = 400
_TRUTH = {"true": True, "false": False}


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """The safe loader's parser, with the scalars of YAML 1.2."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012


for _name, _pattern, _first in (
    ("null", re.compile(r"(?:~|null|Null|NULL|)\Z"), ["~", "n", "N", ""]),
    ("bool", re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z"), list("tTfF")),
    ("int", INT, list("-+0123456789")),
    ("float", FLOAT, list("-+.0123456789")),
    ("merge", re.compile(r"<<\Z"), ["<"]),
):
    _Loader.add_implicit_resolver(_TAG + _name, _pattern, _first)


def parse_yaml(text: str) -> Parsed:
    """The one document in `text`; RefusedError, with its line, where it is none."""
    try:
        root = yaml.compose(text, Loader=_Loader)
        builder = _Builder()
        value = builder.build(root) if root is not None else None
    except yaml.MarkedYAMLError as error:
        raise _syntax(error) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1 if isinstance(error.position, int) else None
        raise RefusedError(
            f"is not YAML: character U+{error.character:04X} is not allowed", line=line
        ) from None
    except RecursionError:
        raise RefusedError("is nested too deeply") from None
    return Parsed(value, lambda loc: _line(root, loc), tuple(builder.refused))


def _syntax(error: yaml.MarkedYAMLError) -> RefusedError:
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else None
    if "another document" in str(error.problem):
        several = "one a file; several stubs go under mappings:"
        return RefusedError("holds more than one document", several, line=line)
    hint = None
    if "mapping values are not allowed" in str(error.problem):
        hint = "put a value that holds ': ' in quotes"
    elif "cannot start any token" in str(error.problem):
        hint = "indent with spaces, and put a value that begins with @, ` or % in quotes"
    context = f" {error.context}" if error.context and not hint else ""
    return RefusedError(f"is not YAML: {error.problem}{context}", hint, line=line)


class _Builder:
    """Turns nodes into values; what is wrong but does not stop the reading gathers in `refused`."""

    def __init__(self) -> None:
        self.refused: list[RefusedError] = []
        self._values = 0

    def build(self, node: yaml.Node) -> object:
        self._values += 1
        if self._values > _MOST_VALUES:
            raise RefusedError(f"holds more than {_MOST_VALUES:,} values", "its aliases multiply")
        tag = node.tag.removeprefix(_TAG)
        if isinstance(node, yaml.MappingNode) and tag == "map":
            return self._mapping(node)
        if isinstance(node, yaml.SequenceNode) and tag == "seq":
            return [self.build(item) for item in node.value]
        if isinstance(node, yaml.ScalarNode) and tag in ("str", "merge"):
            return node.value
        if isinstance(node, yaml.ScalarNode) and tag in ("null", "bool", "int", "float"):
            return self._scalar(node, tag)
        self.refused.append(RefusedError(f"tag {node.tag} is not supported", line=node.start_mark.line + 1))
        return None

    def _mapping(self, node: yaml.MappingNode) -> dict[str, object]:
        merged: dict[str, object] = {}
        own: dict[str, object] = {}
        first_lines: dict[str, int] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self.refused.append(RefusedError("a key must be a string", line=line))
            elif key_node.tag == _TAG + "merge":
                self._merge(merged, value_node)
            elif key_node.value in first_lines:
                what = (
                    f"key {brief(key_node.value)} stands twice, first on line {first_lines[key_node.value]}"
                )
                self.refused.append(RefusedError(what, line=line))
            else:
                first_lines[key_node.value] = line
                own[key_node.value] = self.build(value_node)
        return {**merged, **own} if merged else own

    def _merge(self, merged: dict[str, object], node: yaml.Node) -> None:
        """`<<: *anchor`, or a list of them of which the earlier win."""
        value = self.build(node)
        for source in value if isinstance(value, list) else [value]:
            if not isinstance(source, dict):
                self.refused.append(RefusedError("<< merges mappings only", line=node.start_mark.line + 1))
                continue
            for key, each in source.items():
                merged.setdefault(key, each)

    def _scalar(self, node: yaml.ScalarNode, tag: str) -> object:
        text: str = node.value
        value: int | float | bool
        if tag == "null":
            return None
        try:
            if tag == "bool":
                value = _TRUTH[text.lower()]
            else:
                value = int(text) if tag == "int" and len(text) <= _LONGEST_INT else float(text)
        except (KeyError, ValueError):
            self.refused.append(RefusedError(f"{brief(text)} is no {tag}", line=node.start_mark.line + 1))
            return None
        return value if as_text(value) == text else Scalar(value, text)


def _line(root: yaml.Node | None, loc: Loc) -> int:
    """The line of the deepest part of `loc` that is written."""
    if root is None:
        return 1
    node, mark = root, root.start_mark
    for part in loc:
        if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            mark = node.start_mark
        elif isinstance(node, yaml.MappingNode):
            found = next((pair for pair in node.value if pair[0].value == part), None)
            if found is None:
                break
            mark, node = found[0].start_mark, found[1]
        else:
            break
    return int(mark.line) + 1
