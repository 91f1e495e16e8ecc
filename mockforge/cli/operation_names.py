"""The operations of very many requests, quickly.

A million orders are a million paths and one operation. Paths that differ in nothing but numbers and UUIDs are
looked at together: of each such group some stand for all, as long as these have one operation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from mockforge.learning.operations import Operations, path_of

__all__ = ["operation_names"]

#: Below this many requests each is looked at.
_MANY = 20_000
#: As many of a group as any rule about siblings asks for, and more.
_SAMPLE = 200

_VALUE = re.compile(
    r"(?<=/)(?:\d+|[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})(?=/|\Z)"
)

_Request = tuple[str, str]


def operation_names(requests: Iterable[_Request]) -> dict[_Request, str]:
    """The operation's name of each (method, target)."""
    distinct = set(requests)
    if len(distinct) <= _MANY:
        return _each(distinct)
    groups: dict[_Request, list[_Request]] = {}
    for request in distinct:
        method, target = request
        groups.setdefault((method, _VALUE.sub("#", path_of(target))), []).append(request)
    names = _each({request for group in groups.values() for request in group[:_SAMPLE]})
    for group in groups.values():
        name, *others = {names[request] for request in group[:_SAMPLE]}
        if others:
            return _each(distinct)
        names.update(dict.fromkeys(group, name))
    return names


def _each(requests: set[_Request]) -> dict[_Request, str]:
    operations = Operations.find(requests)
    return {request: operations.name_of(*request) for request in requests}
