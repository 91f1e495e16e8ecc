"""`request` as templates see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from mockforge.model.request import MALFORMED, RequestView

__all__ = ["TemplateRequest"]


class TemplateRequest:
    """`request` in a template; each part is parsed when a template first asks for it.

    `path` holds the path parameters, `query` each parameter's first value, `headers` the fields by lower-case
    name, `json` the parsed body (None where it is not JSON).
    """

    __slots__ = ("_request", "path")

    PARTS: ClassVar = ("method", "url", "path", "query", "headers", "body", "json")

    def __init__(self, request: RequestView, parameters: Mapping[str, str]) -> None:
        self._request = request
        self.path = parameters

    @classmethod
    def part(cls, name: str) -> Callable[[TemplateRequest], Any] | None:
        """How to read one part; None where there is none of that name."""
        if name not in cls.PARTS:
            return None
        return lambda request: getattr(request, name)

    @property
    def method(self) -> str:
        return self._request.method

    @property
    def url(self) -> str:
        return self._request.target

    @property
    def query(self) -> dict[str, str]:
        return {name: values[0] for name, values in self._request.query.items()}

    @property
    def headers(self) -> dict[str, str]:
        return {name.lower(): value for name, value in self._request.headers}

    @property
    def body(self) -> str:
        return self._request.text

    @property
    def json(self) -> Any:
        value = self._request.json
        return None if value is MALFORMED else value
