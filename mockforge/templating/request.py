"""`request` as templates see it."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

from mockforge.model.headers import Headers
from mockforge.model.request import MALFORMED, RequestView

__all__ = ["TemplateRequest"]


class TemplateRequest:
    """`request` in a template; each part is parsed when a template first asks for it.

    `path` holds the path parameters, `query` each parameter's first value, `headers` each field's first value
    by its name in any case, `json` the parsed body (None where it is not JSON).
    """

    __slots__ = ("_request", "path")

    PARTS: ClassVar = ("method", "url", "path", "query", "headers", "body", "json")

    def __init__(self, request: RequestView, parameters: Mapping[str, str]) -> None:
        self._request = request
        self.path = parameters

    @classmethod
    def part(cls, name: str) -> Callable[[TemplateRequest], Any] | None:
        """How to read one part; None where there is none of that name."""
        return operator.attrgetter(name) if name in cls.PARTS else None

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
    def headers(self) -> Mapping[str, str]:
        return _Fields(self._request.headers)

    @property
    def body(self) -> str:
        return self._request.text

    @property
    def json(self) -> Any:
        value = self._request.json
        return None if value is MALFORMED else value


class _Fields(Mapping[str, str]):
    """Header fields as a mapping; its own names are in lower case, and it is asked in any."""

    __slots__ = ("_headers",)

    def __init__(self, headers: Headers) -> None:
        self._headers = headers

    def __getitem__(self, name: str) -> str:
        value = self._headers.get(name) if isinstance(name, str) else None  # a template may ask for [0]
        if value is None:
            raise KeyError(name)
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(name.lower() for name, _ in self._headers))

    def __len__(self) -> int:
        return len({name.lower() for name, _ in self._headers})
