"""Plain values into YAML that people like to read and review."""

from __future__ import annotations

import re
from typing import Any

import yaml

from mockforge.stubfiles.yaml_text import FLOAT, INT

__all__ = ["FlowList", "FlowMapping", "dump_yaml"]

#: Lines are never folded: a folded line is harder to review than a long one.
_WIDTH = 2**31 - 1


#: Line breaks to YAML 1.1 that no other style than double quotes keeps as they are.
_ODD_BREAKS = re.compile("[\x85\u2028\u2029]")


class FlowMapping(dict[Any, Any]):
    """A mapping that stands on one line: `{0: 3.1, 50: 9.8}`."""


class FlowList(list[Any]):
    """A list that stands on one line: `[path.id, query.page]`."""


class _Dumper(yaml.SafeDumper):
    """The safe dumper without aliases, that quotes what either YAML 1.1 or 1.2 would take for no string.

    Not libyaml's, which neither indents lists under their key nor keeps characters such as emoji.
    """

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _text(dumper: _Dumper, text: str) -> yaml.Node:
    style = '"' if _ODD_BREAKS.search(text) else "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _flow_mapping(dumper: _Dumper, mapping: FlowMapping) -> yaml.Node:
    return dumper.represent_mapping("tag:yaml.org,2002:map", mapping, flow_style=True)


def _flow_list(dumper: _Dumper, items: FlowList) -> yaml.Node:
    return dumper.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=True)


_Dumper.add_representer(str, _text)
_Dumper.add_representer(FlowMapping, _flow_mapping)
_Dumper.add_representer(FlowList, _flow_list)
_Dumper.add_implicit_resolver("tag:yaml.org,2002:int", INT, list("-+0123456789"))
_Dumper.add_implicit_resolver("tag:yaml.org,2002:float", FLOAT, list("-+.0123456789"))


def dump_yaml(value: object) -> str:
    """`value` as YAML, keys in their own order, without a line's folding."""
    text: str = yaml.dump(
        value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=False, width=_WIDTH
    )
    return text
