"""A compiled text: what stands ready, and what each request has to be asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import groupby

from mockforge.templating.budget import LONGEST_TEXT, RENDERING, Rendering
from mockforge.templating.failure import TemplateFailure
from mockforge.templating.look_up import LookUp
from mockforge.templating.program import Expression, program_of
from mockforge.templating.request import TemplateRequest
from mockforge.templating.scope import Scope
from mockforge.templating.statements import Statements
from mockforge.templating.written import Write

__all__ = ["BodyTemplate", "RenderBody", "Segment"]

#: Renders a body; raises `TemplateFailure` and nothing else.
RenderBody = Callable[[TemplateRequest], bytes]
_TOO_LONG = f"more than {LONGEST_TEXT:,} characters"
#: A text, or what makes one and how that is written.
Segment = str | tuple[LookUp | Expression | Statements, Write]


class BodyTemplate:
    """A `RenderBody`; `literal` where nothing in it depends on a request."""

    __slots__ = (
        "_look_ups",
        "_most",
        "_parts",
        "_places",
        "_program",
        "_scope",
        "_statements",
        "_writes",
        "literal",
    )

    def __init__(self, segments: Sequence[Segment], scope: Scope) -> None:
        joined = _joined(segments)
        made = [(place, each) for place, each in enumerate(joined) if not isinstance(each, str)]
        self._parts = [each if isinstance(each, str) else "" for each in joined]
        self._look_ups = [(place, of, write) for place, (of, write) in made if isinstance(of, LookUp)]
        self._statements = [(place, of, write) for place, (of, write) in made if isinstance(of, Statements)]
        self._places = [place for place, (of, _) in made if isinstance(of, Expression)]
        self._writes = [write for _, (of, write) in made if isinstance(of, Expression)]
        expressions = tuple(of for _, (of, _) in made if isinstance(of, Expression))
        self._program = program_of(expressions) if expressions else None
        self._scope = scope
        self._most = LONGEST_TEXT + sum(map(len, self._parts))
        self.literal = None if made else "".join(self._parts).encode()

    def __call__(self, request: TemplateRequest) -> bytes:
        parts = self._parts.copy()
        size, most = 0, self._most
        try:
            for place, look_up, write in self._look_ups:
                parts[place] = text = look_up(request, write)
                size += len(text)
                if size > most:
                    raise TemplateFailure(_TOO_LONG)
            if self._program is not None or self._statements:
                self._compute(parts, request)
            text = "".join(parts)
            if len(text) > most:
                raise TemplateFailure(_TOO_LONG)
            return text.encode()
        except UnicodeEncodeError as error:
            raise TemplateFailure(f"the rendered text is not Unicode: {error.reason}") from error

    def _compute(self, parts: list[str], request: TemplateRequest) -> None:
        """Fill in what has to be computed, within one budget."""
        RENDERING.set(Rendering(request.memory, self._scope.files))
        names: dict[str, object] = {**self._scope.given, **dict.fromkeys(self._scope.requests, request)}
        if self._program is not None:
            for place, text in zip(self._places, self._program(names, self._writes), strict=True):
                parts[place] = text
        for place, statements, write in self._statements:
            parts[place] = statements(names, write)

    def fits(self, text: str) -> bool:
        """Whether the template could render to this text, whatever its expressions give."""
        pattern = "".join(re.escape(part) if part else ".+" for part in self._parts)
        return re.fullmatch(pattern, text, re.DOTALL) is not None


def _joined(segments: Sequence[Segment]) -> list[Segment]:
    """The segments, adjacent texts as one."""
    joined: list[Segment] = []
    for is_text, group in groupby(segments, lambda segment: isinstance(segment, str)):
        parts = list(group)
        joined += ["".join(map(str, parts))] if is_text else parts
    return joined
