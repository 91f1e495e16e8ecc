"""Equality of XML documents, as XMLUnit compares them for WireMock.

White space around text and comments count for nothing; nor does the order of elements that differ in name,
and with `ignoreOrderOfSameNode` of those that do not. `namespaceAwareness`:

LEGACY  elements by local name, and by namespace where they have no prefix; attributes by names as written
STRICT  elements and attributes by local name and namespace, whatever the prefix
NONE    elements and attributes by their names as written; `xmlns` is an attribute like any other
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mockforge.errors import StubFileError
from mockforge.matching.date_formats import read_date
from mockforge.matching.regexes import compile_regex
from mockforge.matching.values import ValueMatcher, text_distance
from mockforge.matching.xml_tree import XmlError, XmlNode, parse_xml
from mockforge.model.stub import ValuePattern

__all__ = ["AWARENESS", "COMPARISONS", "XML_OPTIONS", "equal_to_xml"]

XML_OPTIONS = (
    "enablePlaceholders",
    "placeholderOpeningDelimiterRegex",
    "placeholderClosingDelimiterRegex",
    "exemptedComparisons",
    "ignoreOrderOfSameNode",
    "namespaceAwareness",
)
AWARENESS = ("LEGACY", "STRICT", "NONE")
#: XMLUnit's names of what is compared, which `exemptedComparisons` may leave out.
COMPARISONS = (
    "ELEMENT_TAGNAME",
    "SCHEMA_LOCATION",
    "NO_NAMESPACE_SCHEMA_LOCATION",
    "NODE_TYPE",
    "NAMESPACE_URI",
    "NAMESPACE_PREFIX",
    "TEXT_VALUE",
    "PROCESSING_INSTRUCTION_TARGET",
    "PROCESSING_INSTRUCTION_DATA",
    "ELEMENT_NUM_ATTRIBUTES",
    "ATTR_VALUE",
    "ATTR_VALUE_EXPLICITLY_SPECIFIED",
    "ATTR_NAME_LOOKUP",
    "CHILD_NODELIST_LENGTH",
    "CHILD_NODELIST_SEQUENCE",
    "CHILD_LOOKUP",
    "NODE_TYPE",
    "HAS_DOCTYPE_DECLARATION",
    "DOCTYPE_NAME",
    "DOCTYPE_PUBLIC_ID",
    "DOCTYPE_SYSTEM_ID",
    "XML_VERSION",
    "XML_STANDALONE",
    "XML_ENCODING",
)

TextTest = Callable[[str, str], bool]


def equal_to_xml(pattern: ValuePattern) -> ValueMatcher:
    """The matcher of `equalToXml`; StubFileError where its document does not parse."""
    wanted_text = str(pattern.operand)
    try:
        wanted = parse_xml(wanted_text)
    except XmlError as error:
        raise StubFileError(f"{wanted_text[:60]!r} is not XML: {error}") from None
    comparison = _comparison(pattern.options)
    _check_placeholders(wanted, comparison.texts)

    def matches(value: str | None) -> bool:
        if not value:
            return False
        try:
            found = parse_xml(value)
        except XmlError:
            return False
        return comparison.same(wanted, found)

    return ValueMatcher(matches, lambda value: text_distance(wanted_text, value))


@dataclass(frozen=True, slots=True)
class _Comparison:
    """What of two elements must be the same."""

    awareness: str
    exempt: frozenset[str]
    any_order: bool
    texts: TextTest

    def same(self, wanted: XmlNode, found: XmlNode) -> bool:
        """Whether two elements are the same, all the way down."""
        return (
            self._same_name(wanted, found)
            and self._same_attributes(wanted, found)
            and ("TEXT_VALUE" in self.exempt or self.texts(wanted.text, found.text))
            and self._same_children(wanted.children, found.children)
        )

    def _same_name(self, wanted: XmlNode, found: XmlNode) -> bool:
        if self.awareness == "NONE":
            return wanted.name == found.name or "ELEMENT_TAGNAME" in self.exempt
        if wanted.local != found.local and "ELEMENT_TAGNAME" not in self.exempt:
            return False
        if "NAMESPACE_URI" in self.exempt:
            return True
        if self.awareness == "LEGACY":
            return bool(wanted.prefix or found.prefix) or wanted.uri == found.uri
        return wanted.uri == found.uri

    def _attributes(self, node: XmlNode) -> dict[str, str]:
        if self.awareness == "NONE":
            return node.attributes
        written = {
            name: value
            for name, value in node.attributes.items()
            if name != "xmlns" and not name.startswith("xmlns:")
        }
        if self.awareness == "LEGACY":
            return written
        return {self._expanded(name, node): value for name, value in written.items()}

    def _expanded(self, name: str, node: XmlNode) -> str:
        prefix, colon, local = name.rpartition(":")
        return f"{{{node.spaces.get(prefix, '')}}}{local}" if colon else local

    def _same_attributes(self, wanted: XmlNode, found: XmlNode) -> bool:
        asked, given = self._attributes(wanted), self._attributes(found)
        if len(asked) != len(given) and "ELEMENT_NUM_ATTRIBUTES" not in self.exempt:
            return False
        if asked.keys() != given.keys() and "ATTR_NAME_LOOKUP" not in self.exempt:
            return False
        if "ATTR_VALUE" in self.exempt:
            return True
        return all(self.texts(value, given[name]) for name, value in asked.items() if name in given)

    def _same_children(self, wanted: list[XmlNode], found: list[XmlNode]) -> bool:
        if len(wanted) != len(found) and "CHILD_NODELIST_LENGTH" not in self.exempt:
            return False
        left = self._in_order(found)
        for child in self._in_order(wanted):
            candidates = [each for each in left if self._same_name(child, each)]
            if not self.any_order:
                candidates = candidates[:1]
            taken = next((each for each in candidates if self.same(child, each)), None)
            if taken is None:
                if not candidates and "CHILD_LOOKUP" in self.exempt:
                    continue
                return False
            left = [each for each in left if each is not taken]
        return not left or "CHILD_LOOKUP" in self.exempt

    def _in_order(self, nodes: list[XmlNode]) -> list[XmlNode]:
        return sorted(nodes, key=lambda node: node.local)


def _comparison(options: Mapping[str, object]) -> _Comparison:
    awareness = str(options.get("namespaceAwareness", "LEGACY"))
    if awareness not in AWARENESS:
        raise StubFileError(f"namespaceAwareness {awareness!r} is not known", hint=", ".join(AWARENESS))
    exempted = options.get("exemptedComparisons") or ()
    exempt = frozenset(map(str, exempted)) if isinstance(exempted, list | tuple) else frozenset[str]()
    for name in exempt - set(COMPARISONS):
        raise StubFileError(f"exemptedComparisons {name!r} is not known", hint=", ".join(COMPARISONS))
    return _Comparison(awareness, exempt, bool(options.get("ignoreOrderOfSameNode")), _text_test(options))


def _text_test(options: Mapping[str, object]) -> TextTest:
    """Equality of texts and values, or what a placeholder in the wanted one asks for."""
    if not options.get("enablePlaceholders"):
        return lambda wanted, found: wanted == found
    opening = str(options.get("placeholderOpeningDelimiterRegex") or r"\$\{")
    closing = str(options.get("placeholderClosingDelimiterRegex") or r"\}")
    try:
        placeholder = re.compile(rf"\s*(?:{opening})xmlunit\.(\w+)(?:\((.*)\))?(?:{closing})\s*", re.DOTALL)
    except re.error as error:
        raise StubFileError(f"a delimiter of placeholders does not parse: {error}") from None

    def same(wanted: str, found: str) -> bool:
        parts = placeholder.fullmatch(wanted)
        return wanted == found if parts is None else _fits(parts[1], parts[2] or "", found)

    return same


def _fits(name: str, argument: str, found: str) -> bool:
    """Whether a text is what a placeholder asks for; StubFileError for an unknown one."""
    if name == "ignore":
        return True
    if name == "isNumber":
        return re.fullmatch(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", found) is not None
    if name == "isDateTime":
        return read_date(found) is not None
    if name == "matchesRegex":
        return compile_regex(argument)(found) is not None
    hint = "known: ignore, isNumber, isDateTime, matchesRegex(…)"
    raise StubFileError(f"placeholder xmlunit.{name} is not known", hint=hint)


def _check_placeholders(node: XmlNode, texts: TextTest) -> None:
    """Have an unknown placeholder refused when the stub is read."""
    for text in (node.text, *node.attributes.values()):
        texts(text, "")
    for child in node.children:
        _check_placeholders(child, texts)
