"""XML as a small tree, read without entities: none is expanded, none fetched.

expat reads without namespaces, so that a prefix that nobody declares is a part of the name, as in WireMock's
legacy mode; the namespaces are found here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from xml.parsers import expat

__all__ = ["XmlError", "XmlNode", "parse_xml"]

_DEEPEST = 200
_XML_NAMESPACE = "http://www.w3.org/XML/1998/namespace"


class XmlError(ValueError):
    """A text is not XML, is nested too deeply, or declares entities."""


@dataclass(slots=True)
class XmlNode:
    """One element. `name` is as written; `spaces` are the namespaces in scope by prefix."""

    name: str
    attributes: dict[str, str]
    spaces: dict[str, str]
    children: list[XmlNode] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    @property
    def prefix(self) -> str:
        return self.name.rpartition(":")[0]

    @property
    def local(self) -> str:
        return self.name.rpartition(":")[2]

    @property
    def uri(self) -> str:
        return self.spaces.get(self.prefix, "")

    @property
    def text(self) -> str:
        """The element's own text, white space at its ends left out."""
        return "".join(self.texts).strip()


class _Builder:
    """Builds the tree from expat's events."""

    def __init__(self) -> None:
        self.root: XmlNode | None = None
        self._open: list[XmlNode] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._open) >= _DEEPEST:
            raise XmlError(f"nested more than {_DEEPEST} levels deep")
        spaces = self._open[-1].spaces if self._open else {"xml": _XML_NAMESPACE}
        declared = {
            key.partition(":")[2]: value
            for key, value in attributes.items()
            if key == "xmlns" or key.startswith("xmlns:")
        }
        node = XmlNode(name, attributes, {**spaces, **declared} if declared else spaces)
        if self._open:
            self._open[-1].children.append(node)
        else:
            self.root = node
        self._open.append(node)

    def end(self, name: str) -> None:
        self._open.pop()

    def text(self, text: str) -> None:
        self._open[-1].texts.append(text)

    def entity(self, name: str, is_parameter: int, value: str | None, *rest: object) -> None:
        if not is_parameter:
            raise XmlError(f"declares the entity {name!r}")


def parse_xml(text: str) -> XmlNode:
    """The root element; XmlError for what is not XML."""
    builder = _Builder()
    parser = expat.ParserCreate(encoding="utf-8")
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.text
    parser.EntityDeclHandler = builder.entity
    try:
        parser.Parse(text.strip().encode("utf-8", "replace"), True)
    except expat.ExpatError as error:
        raise XmlError(str(error)) from None
    assert builder.root is not None  # or expat had refused it
    return builder.root
