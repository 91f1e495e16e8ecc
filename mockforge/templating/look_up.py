"""Expressions that only look something up in the request, without Jinja: `request.json.items[0].sku`."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable

from mockforge.templating.failure import TemplateFailure, brief, reason_of
from mockforge.templating.request import TemplateRequest
from mockforge.templating.written import Write, text_of

__all__ = ["LookUp", "look_up"]

_STEPS = r"((?:\.[A-Za-z]\w*|\[\d{1,9}\]|\['[^'\\]*'\]|\[\"[^\"\\]*\"\])+)"
_STEP = re.compile(r"\.([A-Za-z]\w*)|\[(\d+)\]|\['([^']*)'\]|\[\"([^\"]*)\"\]")


class LookUp:
    """From a request to the text of what is looked up in it, written as asked; raises TemplateFailure."""

    __slots__ = ("_part", "_shown", "_steps")

    def __init__(self, expression: str, steps: str) -> None:
        first, *self._steps = [
            int(index) if index else name or quoted or double
            for name, index, quoted, double in _STEP.findall(steps)
        ]
        part = TemplateRequest.part(str(first))
        assert part is not None  # or it had been refused
        self._part = part
        self._shown = brief(f"{{{{ {expression} }}}}")

    def __call__(self, request: TemplateRequest, write: Write) -> str:
        try:
            value = self._part(request)
            for step in self._steps:
                value = value[step]
        except (KeyError, IndexError, TypeError):
            raise TemplateFailure(f"{self._shown}: is not in this request") from None
        except Exception as error:  # the request's own bytes may be of any kind
            raise TemplateFailure(f"{self._shown}: {reason_of(error)}") from error
        try:
            return write(value if type(value) is str else text_of(value))
        except (TypeError, ValueError) as error:  # what JSON cannot hold
            raise TemplateFailure(f"{self._shown}: {reason_of(error)}") from error


def look_up(expression: str, requests: Iterable[str]) -> LookUp | None:
    """The look-up that an expression is; None where it is more. `requests` are the request's names."""
    found = _pattern(tuple(requests)).fullmatch(expression)
    return None if found is None else LookUp(expression, found[1])


@functools.lru_cache(maxsize=16)
def _pattern(requests: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"(?:{'|'.join(map(re.escape, requests))}){_STEPS}")
