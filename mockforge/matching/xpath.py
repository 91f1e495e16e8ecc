"""XPath 1.0 over a body, by lxml: entities are never expanded, and nothing is fetched."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lxml import etree

from mockforge.errors import StubFileError

__all__ = ["FindTexts", "compile_xpath"]

#: The texts of what an expression finds: an element's is its XML; None for what is not XML.
FindTexts = Callable[[str], list[str] | None]


def compile_xpath(expression: str, namespaces: Mapping[str, str]) -> FindTexts:
    """Compile an XPath; StubFileError where it does not parse."""
    try:
        evaluate = etree.XPath(expression, namespaces=dict(namespaces) or None, smart_strings=False)
        evaluate(etree.Element("a"))
    except (etree.XPathError, ValueError) as error:
        raise StubFileError(f"XPath {expression!r} does not parse: {error}") from None

    def find(text: str) -> list[str] | None:
        parser = etree.XMLParser(encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False)
        try:
            root = etree.fromstring(text.strip().encode("utf-8", "replace"), parser)
        except (etree.XMLSyntaxError, ValueError):
            return None
        return _texts(evaluate(root.getroottree()))

    return find


def _texts(found: object) -> list[str]:
    if isinstance(found, bool):
        return ["true"] if found else []
    if isinstance(found, float):
        return [f"{found:g}"]
    if isinstance(found, str):
        return [found] if found else []
    assert isinstance(found, list)
    return [_text(each) for each in found]


def _text(node: object) -> str:
    if isinstance(node, etree._Element):
        return etree.tostring(node, encoding="unicode", with_tail=False)
    return node[1] if isinstance(node, tuple) else str(node)
