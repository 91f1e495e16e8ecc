"""`request` as templates see it."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import Any, ClassVar, Final
from urllib.parse import unquote

from mockforge.matching.fields import cookies_of, form_of, host_and_port
from mockforge.model.headers import Headers
from mockforge.model.request import MALFORMED, RequestView

__all__ = ["TemplateRequest"]

#: What is drawn from where no service has a generator.
_REPEATABLE: Final = Random(0)


class TemplateRequest:
    """`request` in a template; each part is parsed when a template first asks for it.

    `path` holds the path parameters and `segments` what stands between its slashes, `query`, `cookies` and
    `form` each name's first value and `queries` all of them, `headers` each field's first value by its name
    in any case, `json` the parsed body (None where it is not JSON). `random` is what helpers draw from.
    """

    __slots__ = ("_request", "path", "random")

    PARTS: ClassVar = (
        "method", "url", "path", "segments", "query", "queries", "headers", "cookies", "body", "json",
        "form", "client", "scheme", "host", "port",
    )  # fmt: skip

    def __init__(
        self, request: RequestView, parameters: Mapping[str, str], random: Random | None = None
    ) -> None:
        self._request = request
        self.path = parameters
        self.random = random or _REPEATABLE

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
    def segments(self) -> list[str]:
        return [unquote(segment) for segment in self._request.path.split("/")[1:]]

    @property
    def queries(self) -> dict[str, list[str]]:
        return self._request.query

    @property
    def cookies(self) -> dict[str, str]:
        return {name: values[0] for name, values in cookies_of(self._request).items()}

    @property
    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in form_of(self._request).items()}

    @property
    def client(self) -> str:
        return self._request.connection.client_ip

    @property
    def scheme(self) -> str:
        return self._request.connection.scheme

    @property
    def host(self) -> str:
        return host_and_port(self._request)[0]

    @property
    def port(self) -> int:
        return host_and_port(self._request)[1]

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
