"""The expressions of a template as one program, so that a rendering pays for its context once."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mockforge.templating.budget import LONGEST_TEXT, LimitError
from mockforge.templating.failure import TemplateFailure, brief, reason_of
from mockforge.templating.sandbox import CRLF_EXPRESSIONS, LF_EXPRESSIONS
from mockforge.templating.written import Write

__all__ = ["Expression", "Program", "program_of"]


@dataclass(frozen=True, slots=True)
class Expression:
    """What stands between `{{` and `}}`; `is_json` for one that stands in JSON as a value, unquoted."""

    source: str
    crlf: bool = False
    is_json: bool = False


class Program:
    """Compiled expressions: from the names that they use to their texts, in order, each as `writes` has it.

    Raises TemplateFailure, which names the expression.
    """

    __slots__ = ("_run", "_sources")

    def __init__(self, expressions: tuple[Expression, ...]) -> None:
        self._sources = tuple(each.source for each in expressions)
        crlf = any(each.crlf for each in expressions)
        environment = CRLF_EXPRESSIONS if crlf else LF_EXPRESSIONS
        self._run = environment.expressions(self._sources)

    def __call__(self, names: dict[str, Any], writes: Sequence[Write]) -> list[str]:
        size, texts = 0, list[str]()  # what is there when one fails tells which it was
        try:
            for write, text in zip(writes, self._run(names), strict=False):
                size += len(text)
                if size > LONGEST_TEXT:
                    raise LimitError(f"more than {LONGEST_TEXT:,} characters")
                texts.append(write(text))
        except Exception as error:  # an expression can fail in any way that Python knows
            shown = brief(f"{{{{ {self._sources[len(texts)]} }}}}")
            raise TemplateFailure(f"{shown}: {reason_of(error)}") from error
        return texts


#: Stubs are much alike, and each is compiled twice: when its file is read, and when it is served.
program_of = functools.lru_cache(maxsize=10_000)(Program)
