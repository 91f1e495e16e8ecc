"""A quick look at a JSON body, after which most bodies need no reading: nothing in it could be a secret."""

from __future__ import annotations

import re

from mockforge.recording.redaction.names import Names
from mockforge.recording.redaction.patterns import may_hold_secret
from mockforge.recording.redaction.rules import RedactionRules

__all__ = ["JsonScreen"]

#: In a JSON text every name of a member, and now and then something else.
_NAMES = re.compile(rb'"([^"\\]*)"\s*:')
#: Parameters inside of URLs, and strings that are one.
_PARAMETER_NAMES = re.compile(rb"""["?&#;]([^\s=&?#;"'<>\\/]{1,200})=""")
#: A JSONPath that ends with a name, and finds nothing where that is missing.
_ENDS_WITH_NAME = re.compile(r"""[\w.*$'"\[\]-]*(?:\.|\[['"])([\w-]+)(?:['"]\])?""")
_MOST_REMEMBERED = 20_000


class JsonScreen:
    """Remembers the names that tell no secret, so that known bodies are judged by set operations."""

    def __init__(self, rules: RedactionRules, names: Names) -> None:
        self._names = names
        self._wanted: set[str] = set()
        #: Whether a rule of the project's own could find something anywhere.
        self._blind = bool(rules.patterns)
        for path in rules.json_paths:
            last = _ENDS_WITH_NAME.fullmatch(path.expression)
            if last:
                self._wanted.add(last[1])
            else:
                self._blind = True
        self._plain: set[bytes] = set()

    def passes(self, body: bytes) -> bool:
        """Whether nothing in the body needs redaction; when in doubt, it does not pass.

        Behind escapes names and marks could hide, quotes within strings may be those of JSON, and `<` begins
        markup.
        """
        if self._blind:
            return False
        return (
            not (b"\0" in body or b"\\u" in body or b'\\"' in body or b"<" in body)
            and not may_hold_secret(body)
            and self._are_plain(_NAMES.findall(body))
            and (b"=" not in body or (b"%" not in body and self._are_plain(_PARAMETER_NAMES.findall(body))))
        )

    def _are_plain(self, names: list[bytes]) -> bool:
        if self._plain.issuperset(names):
            return True
        if len(self._plain) > _MOST_REMEMBERED:
            self._plain.clear()
        for name in names:
            text = name.decode("utf-8", "surrogateescape")
            if text in self._names or text in self._wanted:
                return False
            self._plain.add(name)
        return True
