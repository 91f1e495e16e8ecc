"""What is secret: the rules of a redactor, the default ones and a project's own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from mockforge.errors import MockForgeError, UsageError
from mockforge.matching.jsonpath import JsonPath, compile_jsonpath
from mockforge.recording.redaction.edits import Edit, Find
from mockforge.recording.redaction.names import HEADER_NAMES, NOT_SECRET_HEADERS, PARAMETER_NAMES, Names
from mockforge.recording.redaction.patterns import PATTERNS
from mockforge.recording.redaction.secret_values import Secrets
from mockforge.stubfiles.problems import Loc, RefusedError, brief, key_path, unknown_key

__all__ = ["OwnPattern", "RedactionRules", "WrongRuleError", "read_rules"]

_KEYS = ("headers", "parameters", "jsonPaths", "patterns", "keep", "off")
_KEEP_KEYS = ("headers", "parameters", "patterns")
_PATTERN_KEYS = ("name", "regex", "replace")
_NO_NAME = re.compile(r"[^\w*?.\[\] -]", re.ASCII)


class WrongRuleError(RefusedError):
    """A rule that cannot be; `loc` is where it stands in the mapping."""

    def __init__(self, loc: Loc, what: str, hint: str | None = None) -> None:
        super().__init__(what, hint)
        self.loc = loc

    def as_usage_error(self, where: str | None = None) -> UsageError:
        """The line for a person."""
        return UsageError(f"{key_path(self.loc)}: {self.what}", where=where, hint=self.hint)


@dataclass(frozen=True, slots=True)
class OwnPattern:
    """A project's own pattern.

    What `regex` matches is replaced, or only its group `value` where it has one: by a pseudonym, by as many
    asterisks (`mask`), or by the text that `replace` is.
    """

    name: str
    regex: re.Pattern[str]
    replace: str = "pseudonym"

    def finder(self, secrets: Secrets) -> Find:
        """The `Find` of this pattern."""
        group = "value" if "value" in self.regex.groupindex else 0

        def replacement(matched: str) -> str:
            if self.replace == "pseudonym":
                return secrets.of(matched)
            return "*" * len(matched) if self.replace == "mask" else self.replace

        def find(text: str, start: int, end: int) -> Iterable[Edit]:
            for found in self.regex.finditer(text, start, end):
                if found[group]:
                    yield Edit(*found.span(group), replacement(found[group]), self.name)

        return find


@dataclass(frozen=True, slots=True)
class RedactionRules:
    """The default rules, with what a project adds to them and takes from them.

    `headers` and `parameters` are names of secret headers, and of secret parameters, form fields, cookies,
    JSON keys and XML elements, in which `*` stands for anything. `kept_headers` and `kept_parameters` are
    names that are not secret after all, `kept_patterns` default patterns that are not used. With `off`,
    nothing is redacted.
    """

    headers: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    json_paths: tuple[JsonPath, ...] = ()
    patterns: tuple[OwnPattern, ...] = ()
    kept_headers: tuple[str, ...] = ()
    kept_parameters: tuple[str, ...] = ()
    kept_patterns: frozenset[str] = field(default_factory=frozenset)
    off: bool = False

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, object]) -> RedactionRules:
        """The rules of a mapping as the key `redaction` of a file has it, with that key or without.

        UsageError, one line, where something in it cannot be.
        """
        try:
            return read_rules(mapping)
        except WrongRuleError as error:
            raise error.as_usage_error() from None

    def secret_headers(self) -> Names:
        """The names of headers whose values are secret."""
        return Names(HEADER_NAMES, excepted=NOT_SECRET_HEADERS, own=self.headers, kept=self.kept_headers)

    def secret_parameters(self) -> Names:
        """The names of parameters, form fields, JSON keys and XML elements whose values are secret."""
        return Names(PARAMETER_NAMES, own=self.parameters, kept=self.kept_parameters)

    def kept_cookies(self) -> Names:
        """The names of cookies that are no secret: all others are."""
        return Names(self.kept_parameters)

    def own_finders(self, secrets: Secrets) -> list[Find]:
        """What finds the project's own patterns."""
        return [each.finder(secrets) for each in self.patterns]

    def default_finders(self, secrets: Secrets) -> list[Find]:
        """What finds the default patterns."""
        return [make(secrets) for name, make in PATTERNS.items() if name not in self.kept_patterns]


def read_rules(mapping: Mapping[str, object]) -> RedactionRules:
    """As `RedactionRules.from_mapping`, but raises WrongRuleError, which knows the place."""
    loc: Loc = ()
    if "redaction" in mapping:
        loc = ("redaction",)
        mapping = _mapping(mapping["redaction"], loc, _KEYS)
    else:
        mapping = _mapping(mapping, loc, _KEYS)
    keep_loc = (*loc, "keep")
    keep = _mapping(mapping.get("keep"), keep_loc, _KEEP_KEYS)
    off = mapping.get("off", False)
    if not isinstance(off, bool):
        raise WrongRuleError((*loc, "off"), f"{brief(off)} is neither true nor false")
    return RedactionRules(
        headers=_names(mapping, loc, "headers"),
        parameters=_names(mapping, loc, "parameters"),
        json_paths=tuple(
            _json_path(path, (*loc, "jsonPaths", index))
            for index, path in enumerate(_texts(mapping, loc, "jsonPaths"))
        ),
        patterns=_patterns(mapping.get("patterns"), (*loc, "patterns")),
        kept_headers=_names(keep, keep_loc, "headers"),
        kept_parameters=_names(keep, keep_loc, "parameters"),
        kept_patterns=_kept_patterns(keep, keep_loc),
        off=off,
    )


def _mapping(value: object, loc: Loc, known: tuple[str, ...]) -> Mapping[str, object]:
    """`value` as a mapping that has no keys but `known`; nothing is an empty one."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise WrongRuleError(loc, f"{brief(value)} is no mapping", f"known: {', '.join(known)}")
    for key in value:
        if key not in known:
            refused = unknown_key(str(key), known)
            raise WrongRuleError((*loc, str(key)), refused.what, refused.hint)
    return value


def _texts(mapping: Mapping[str, object], loc: Loc, key: str) -> list[str]:
    """The list of texts under `key`."""
    value = mapping.get(key)
    if value is None:
        return []
    if not isinstance(value, list | tuple):
        raise WrongRuleError((*loc, key), f"{brief(value)} is no list", f"write [{brief(value)}]")
    for index, each in enumerate(value):
        if not isinstance(each, str) or not each.strip():
            raise WrongRuleError((*loc, key, index), f"{brief(each)} is no text", "put it in quotes")
    return list(value)


def _names(mapping: Mapping[str, object], loc: Loc, key: str) -> tuple[str, ...]:
    """The list of names under `key`."""
    names = _texts(mapping, loc, key)
    for index, name in enumerate(names):
        if _NO_NAME.search(name) or not re.search(r"[^\W_]", name):
            raise WrongRuleError(
                (*loc, key, index), f"{name!r} is no name", "letters, digits, - _ . and * for anything"
            )
    return tuple(names)


def _json_path(expression: str, loc: Loc) -> JsonPath:
    try:
        if not expression.startswith("$"):
            raise WrongRuleError(loc, f"JSONPath {expression!r} does not begin with $", f"$.{expression}")
        return compile_jsonpath(expression)
    except MockForgeError as error:
        raise WrongRuleError(loc, error.what, error.hint or "such as $.customer.phone") from None


def _patterns(value: object, loc: Loc) -> tuple[OwnPattern, ...]:
    if value is None:
        return ()
    if not isinstance(value, list | tuple):
        raise WrongRuleError(loc, f"{brief(value)} is no list", "each with name, regex and replace")
    patterns = [_pattern(each, (*loc, index)) for index, each in enumerate(value)]
    names = [each.name for each in patterns]
    for index, name in enumerate(names):
        if name in names[:index] or name in PATTERNS:
            raise WrongRuleError((*loc, index, "name"), f"there is a pattern {name!r} already")
    return tuple(patterns)


def _pattern(value: object, loc: Loc) -> OwnPattern:
    if value is None:
        raise WrongRuleError(loc, "nothing is no mapping", "it needs name and regex")
    entry = _mapping(value, loc, _PATTERN_KEYS)
    name, regex, replace = entry.get("name"), entry.get("regex"), entry.get("replace", "pseudonym")
    if not isinstance(name, str) or not name.strip():
        raise WrongRuleError((*loc, "name"), f"{brief(name)} is no text", "the report tells patterns by name")
    if not isinstance(regex, str) or not regex:
        raise WrongRuleError(
            (*loc, "regex"), f"{brief(regex)} is no text", "put the regular expression in quotes"
        )
    if not isinstance(replace, str):
        raise WrongRuleError(
            (*loc, "replace"), f"{brief(replace)} is no text", "pseudonym, mask or a text in quotes"
        )
    try:
        compiled = re.compile(regex)
    except (re.error, OverflowError, RecursionError) as error:
        raise WrongRuleError((*loc, "regex"), f"{regex!r} is no regular expression: {error}") from None
    return OwnPattern(name, compiled, replace)


def _kept_patterns(keep: Mapping[str, object], loc: Loc) -> frozenset[str]:
    names = _texts(keep, loc, "patterns")
    for index, name in enumerate(names):
        if name not in PATTERNS:
            what = unknown_key(name, tuple(PATTERNS)).what.replace("unknown key", "unknown pattern")
            raise WrongRuleError((*loc, "patterns", index), what, f"known: {', '.join(PATTERNS)}")
    return frozenset(names)
