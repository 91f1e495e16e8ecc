"""Secrets in header fields and trailers."""

from __future__ import annotations

import re
from urllib.parse import unquote

from mockforge.model.headers import Headers
from mockforge.recording.redaction.edits import Finding, shown_name
from mockforge.recording.redaction.names import Names, normalised
from mockforge.recording.redaction.rules import RedactionRules
from mockforge.recording.redaction.secret_values import Secrets
from mockforge.recording.redaction.targets import Targets
from mockforge.recording.redaction.text import Texts, encoded_like

__all__ = ["Fields"]

_URLS = frozenset({"contentlocation", "location", "origin", "referer", "xoriginalurl", "xrewriteurl"})
_COOKIE = re.compile(r"([^;=]*)(=?)([^;]*)(;?)")
_MOST_REMEMBERED = 8192

Pair = tuple[str, str]


class Fields:
    """Redacts header fields; remembers those that it has seen, most of which come again and again."""

    def __init__(self, rules: RedactionRules, secrets: Secrets, texts: Texts, targets: Targets) -> None:
        self._names = rules.secret_headers()
        self._kept_cookies: Names = rules.kept_cookies()
        self._secrets = secrets
        self._texts = texts
        self._targets = targets
        self._clean: set[Pair] = set()
        self._replaced: dict[Pair, tuple[Pair, list[Finding]]] = {}

    def redact(self, headers: Headers, found: list[Finding]) -> Headers:
        """The fields with the secrets in them replaced; the same object where there are none."""
        pairs = headers.pairs
        if self._clean.issuperset(pairs):
            return headers
        new = tuple([self._pair(pair, found) for pair in pairs])
        return headers if new == pairs else Headers(new)

    def _pair(self, pair: Pair, found: list[Finding]) -> Pair:
        if pair in self._clean:
            return pair
        known = self._replaced.get(pair)
        if known is None:
            here: list[Finding] = []
            new = (pair[0], self._value(*pair, here))
            if new == pair:
                if len(self._clean) >= _MOST_REMEMBERED:
                    self._clean.clear()
                self._clean.add(pair)
                return pair
            if len(self._replaced) >= _MOST_REMEMBERED:
                self._replaced.clear()
            self._replaced[pair] = known = (new, here)
        found += known[1]
        return known[0]

    def _value(self, name: str, value: str, found: list[Finding]) -> str:
        is_secret = name in self._names
        if not is_secret and "=" not in value and "%" not in value and self._texts.are_quiet(value):
            return value
        place = f"header {shown_name(name)}"
        plain = normalised(name)
        if not is_secret:
            if plain in _URLS:
                return self._targets.url(value, place, place, found)
            return self._texts.redacted(value, place, found)
        if plain == "cookie":
            return _COOKIE.sub(lambda cookie: self._cookie(cookie, place, found), value)
        if plain == "setcookie":
            first, semicolon, attributes = value.partition(";")
            first = _COOKIE.sub(lambda cookie: self._cookie(cookie, place, found), first)
            return f"{first}{semicolon}{attributes}"
        new = self._secrets.authorization(value) if "authorization" in plain else self._secrets.of(value)
        if new != value:
            found.append(Finding("header", place))
        return new

    def _cookie(self, cookie: re.Match[str], place: str, found: list[Finding]) -> str:
        written, equals, value, end = cookie.groups()
        name = written.strip()
        if not equals:
            # A cookie without a name: all of it is its value.
            name, value, written = "", written, ""
        if not value.strip():
            return cookie[0]
        if name in self._kept_cookies:
            return f"{written}{equals}{self._texts.redacted(value, place, found)}{end}"
        new = self._cookie_value(value)
        if new != value:
            found.append(Finding("header", f"{place} {shown_name(name)}" if name else place))
        return f"{written}{equals}{new}{end}"

    def _cookie_value(self, written: str) -> str:
        """The pseudonym of a cookie's value, in the white space and quotes that are around it."""
        bare = written.strip()
        quoted = len(bare) > 2 and bare[0] == bare[-1] == '"'
        bare = bare[1:-1] if quoted else bare
        decoded = unquote(bare, errors="surrogateescape")
        new = self._secrets.of(decoded)
        if new == decoded:
            return written
        return written.replace(bare, encoded_like(bare, new) if "%" in bare else new, 1)
