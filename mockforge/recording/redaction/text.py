"""Secrets in a text of whatever kind: what stands under a telling name, and what is known by its look."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from functools import partial
from urllib.parse import quote, unquote, unquote_plus

from mockforge.recording.redaction.edits import Edit, Find, Finding, apply, findings, gaps_between
from mockforge.recording.redaction.names import Names
from mockforge.recording.redaction.patterns import may_hold_secret
from mockforge.recording.redaction.secret_values import Secrets

__all__ = ["Texts", "encoded_like"]

_PARAMETER = re.compile(r"""(?:(?<=[?&#;])|(?<![\s\S]))([^\s=&?#;"'<>\\/]{1,200})=([^\s&#;"'<>\\]+)""")
#: A JSON member whose value is a text, maybe cut off, or a number.
_MEMBER = re.compile(r'"([^"\\]{1,200})"\s*:\s*(?:"([^"\\]*(?:\\.[^"\\]*)*)|(-?[0-9][0-9.eE+-]*))', re.DOTALL)
_ELEMENT = re.compile(
    r"<(?:[\w.-]+:)?([\w.-]+)(?:\s[^<>]*)?>\s*(?:<!\[CDATA\[(.*?)(?:\]\]>|\Z)|([^<]+))", re.DOTALL
)
_ATTRIBUTE = re.compile(r"""(?<=\s)(?:[\w.-]+:)?([\w.-]+)\s*=\s*(?:"([^"<>]+)"|'([^'<>]+)')""")
#: Elements that have a name in one attribute and its value in another.
_NAMED = re.compile(r"<(?:add|input|meta|param|property)\s[^<>]*>", re.IGNORECASE)
_NAME = re.compile(r"""\s(?:key|name)\s*=\s*["']([^"'<>]+)["']""", re.IGNORECASE)
_VALUE = re.compile(r"""\s(?:content|value)\s*=\s*(?:"([^"<>]+)"|'([^'<>]+)')""", re.IGNORECASE)

#: Values inside values (a URL in a parameter of a URL) are followed so far down.
_DEEPEST = 3


def encoded_like(written: str, new: str) -> str:
    """`new` percent-encoded, but for the characters that `written` has as they are."""
    plain = "".join(each for each in set(written) - set("%&+#") if each.isascii() and each.isprintable())
    encoded = quote(new, safe=plain, errors="surrogateescape")
    return encoded.replace("%20", "+") if "+" in written else encoded


class Texts:
    """Finds the secrets of a text.

    `own` finds the project's own patterns and `default` the others.
    """

    def __init__(self, names: Names, secrets: Secrets, own: list[Find], default: list[Find]) -> None:
        self._names = names
        self._secrets = secrets
        self._has_own = bool(own)
        self._by_name = (self._members, self._elements, self._attributes, self._named_elements)
        self._by_look: list[list[Find]] = [
            [partial(self._parameters, depth), *own, *default] for depth in range(_DEEPEST)
        ]
        self._by_look.append([*own, *default])

    def edits(self, text: str, place: str, found: list[Finding]) -> list[Edit]:
        """What to replace in `text`, in order; each replacement is entered in `found`."""
        if self.are_quiet(text):
            return []
        edits = self._edits(text, 0)
        if edits:
            found += findings(text, edits, place)
        return edits

    def are_quiet(self, text: str, *, but_for: str = "") -> bool:
        """Whether nothing in a text is secret, for sure; a character that says more may be disregarded."""
        if self._has_own or "<" in text or ("=" in text and but_for != "=") or ('"' in text and ":" in text):
            return False
        return not may_hold_secret(text.encode("utf-8", "surrogatepass"))

    def redacted(self, text: str, place: str, found: list[Finding]) -> str:
        """`text` with its secrets replaced."""
        edits = self.edits(text, place, found)
        return apply(text, edits) if edits else text

    def _edits(self, text: str, depth: int) -> list[Edit]:
        claimed = _outermost([edit for named in self._by_name for edit in named(text)])
        for find in self._by_look[depth]:
            gaps = gaps_between(claimed, len(text)) if claimed else [(0, len(text))]
            new = [edit for start, end in gaps for edit in find(text, start, end)]
            if new:
                claimed = sorted(claimed + new) if claimed else new
        return claimed

    def _parameters(self, depth: int, text: str, start: int, end: int) -> Iterator[Edit]:
        if "=" not in text:
            return
        for match in _PARAMETER.finditer(text, start, end):
            name, value = match.groups()
            decoded = unquote_plus(value, errors="surrogateescape")
            if unquote(name) in self._names:
                new, rule = self._secrets.of(decoded), "parameter"
            elif "%" in value and (inner := self._edits(decoded, depth + 1)):
                new, rule = apply(decoded, inner), inner[0].rule
            else:
                continue
            yield Edit(*match.span(2), value if new == decoded else encoded_like(value, new), rule)

    def _members(self, text: str) -> Iterator[Edit]:
        if '"' not in text or ":" not in text:
            return
        for match in _MEMBER.finditer(text):
            name, written, number = match.groups()
            if name not in self._names:
                continue
            if number:
                yield Edit(*match.span(3), self._secrets.number(number), "parameter")
            elif written:
                value = _unescaped(written)
                new = self._secrets.of(value)
                yield Edit(*match.span(2), written if new == value else json.dumps(new)[1:-1], "parameter")

    def _elements(self, text: str) -> Iterator[Edit]:
        if "<" not in text:
            return
        for match in _ELEMENT.finditer(text):
            if match[1] in self._names:
                group = 3 if match[2] is None else 2
                yield from self._markup(match, group)

    def _attributes(self, text: str) -> Iterator[Edit]:
        if "<" not in text or "=" not in text:
            return
        for match in _ATTRIBUTE.finditer(text):
            if match[1] in self._names:
                yield from self._markup(match, 3 if match[2] is None else 2)

    def _named_elements(self, text: str) -> Iterator[Edit]:
        if "<" not in text or "=" not in text:
            return
        for element in _NAMED.finditer(text):
            name = _NAME.search(text, *element.span())
            if name and name[1] in self._names:
                value = _VALUE.search(text, *element.span())
                if value:
                    yield from self._markup(value, 2 if value[1] is None else 1)

    def _markup(self, match: re.Match[str], group: int) -> Iterator[Edit]:
        """The edit of a value in XML or HTML, white space around it kept."""
        written = match[group].strip()
        if not written:
            return
        start = match.start(group) + match[group].index(written)
        value = html.unescape(written)
        new = self._secrets.of(value)
        yield Edit(start, start + len(written), written if new == value else html.escape(new), "parameter")


def _outermost(edits: list[Edit]) -> list[Edit]:
    """Those edits that lie within no other one and begin before what they overlap with."""
    kept: list[Edit] = []
    for edit in sorted(edits, key=lambda each: (each.start, -each.end)):
        if not kept or edit.start >= kept[-1].end:
            kept.append(edit)
    return kept


def _unescaped(written: str) -> str:
    """The text that JSON writes so, or what is written where it is cut off in an escape."""
    if "\\" not in written:
        return written
    try:
        return str(json.loads(f'"{written}"', strict=False))
    except ValueError:
        return written
