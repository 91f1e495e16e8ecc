"""`request` as templates see it."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar
from urllib.parse import unquote

from mockforge.matching.fields import cookies_of, form_of, host_and_port
from mockforge.model.headers import Headers
from mockforge.model.request import MALFORMED, RequestView
from mockforge.templating.memory import FORGETFUL, Memory

__all__ = ["TemplateRequest"]


class TemplateRequest:
    """`request` in a template; each part is parsed when a template first asks for it.

    `path` holds the path parameters and `segments` what stands between its slashes, `query`, `cookies` and
    `form` each name's first value and `queries` all of them, `headers` each field's first value by its name
    in any case, `json` the parsed body (None where it is not JSON). `count` tells how many requests the stub
    has answered, this one among them. `view` is the request itself, and `memory` what its service remembers;
    templates see neither.
    """

    __slots__ = ("_query", "count", "memory", "path", "view")

    PARTS: ClassVar = (
        "method", "url", "path", "segments", "query", "queries", "headers", "cookies", "body", "json",
        "form", "client", "scheme", "host", "port", "count",
    )  # fmt: skip

    def __init__(
        self, view: RequestView, parameters: Mapping[str, str], memory: Memory = FORGETFUL, count: int = 1
    ) -> None:
        self.view = view
        self.path = parameters
        self.memory = memory
        self.count = count
        self._query: dict[str, str] | None = None

    def remembering(self, memory: Memory) -> TemplateRequest:
        """The same request, with another memory."""
        return TemplateRequest(self.view, self.path, memory, self.count)

    @classmethod
    def part(cls, name: str) -> Callable[[TemplateRequest], Any] | None:
        """How to read one part; None where there is none of that name."""
        return operator.attrgetter(name) if name in cls.PARTS else None

    @property
    def method(self) -> str:
        return self.view.method

    @property
    def url(self) -> str:
        return self.view.target

    @property
    def query(self) -> dict[str, str]:
        if self._query is None:
            self._query = {name: values[0] for name, values in self.view.query.items()}
        return self._query

    @property
    def segments(self) -> list[str]:
        return [unquote(segment) for segment in self.view.path.split("/")[1:]]

    @property
    def queries(self) -> dict[str, list[str]]:
        return self.view.query

    @property
    def cookies(self) -> dict[str, str]:
        return {name: values[0] for name, values in cookies_of(self.view).items()}

    @property
    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in form_of(self.view).items()}

    @property
    def client(self) -> str:
        return self.view.connection.client_ip

    @property
    def scheme(self) -> str:
        return self.view.connection.scheme

    @property
    def host(self) -> str:
        return host_and_port(self.view)[0]

    @property
    def port(self) -> int:
        return host_and_port(self.view)[1]

    @property
    def headers(self) -> Mapping[str, str]:
        return _Fields(self.view.headers)

    @property
    def body(self) -> str:
        return self.view.text

    @property
    def json(self) -> Any:
        value = self.view.json
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
