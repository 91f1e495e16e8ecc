"""The parts of a request that a pattern tests beside method and URL."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from mockforge.errors import StubFileError
from mockforge.matching.body import compile_body
from mockforge.matching.custom import compile_custom
from mockforge.matching.fields import basic_credentials, cookie_values, form_values, host_and_port
from mockforge.matching.multi_values import ValuesMatcher, compile_values
from mockforge.matching.multipart import compile_multipart, parts_of
from mockforge.matching.operators import described
from mockforge.matching.url import path_parameters, template_regex
from mockforge.matching.values import MISMATCH
from mockforge.model.request import RequestView
from mockforge.model.stub import MultipartPattern, RequestPattern, ValuePattern

__all__ = ["Difference", "RequestPart", "compile_parts"]

#: Bodies may be long; a difference shows their beginning.
_LONGEST_SHOWN = 200

#: Reads the values that a part of the request has, none where it is absent.
ReadValues = Callable[[RequestView], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Difference:
    """One part of a request that is not as the stub wants it; `distance` is above 0 and at most 1."""

    part: str
    wanted: str
    found: str
    distance: float


@dataclass(frozen=True, slots=True)
class RequestPart:
    """A named part of the request with its test; `found` and `closeness` are for people, when it failed."""

    name: str
    wanted: str
    matches: Callable[[RequestView], bool]
    found: Callable[[RequestView], str]
    closeness: Callable[[RequestView], float] = lambda request: MISMATCH

    def difference(self, request: RequestView) -> Difference:
        """How far off the request is in this part. What cannot be told in time is as far off as can be."""
        try:
            distance = 0.0 if self.matches(request) else self.closeness(request) or MISMATCH
        except Exception as error:  # a near miss is told of whatever one of its matchers does
            return Difference(self.name, self.wanted, f"what its matcher failed on: {error}", MISMATCH)
        return Difference(self.name, self.wanted, self.found(request) or "absent", distance)


def compile_parts(pattern: RequestPattern) -> tuple[RequestPart, ...]:
    """Every part that a pattern tests; StubFileError where one cannot be."""
    # Bodies come last: parsing one costs more than all the rest.
    return (
        *_connection_parts(pattern),
        *_path_parts(pattern),
        *[_part("query", name, value, _query(name)) for name, value in pattern.query],
        *[_part("header", name, value, _header(name)) for name, value in pattern.headers],
        *_credential_parts(pattern),
        *[_part("cookie", name, value, _cookie(name)) for name, value in pattern.cookies],
        *[_part("form parameter", name, value, _form(name)) for name, value in pattern.form],
        *[_body_part(value) for value in pattern.body],
        *[_multipart_part(each) for each in pattern.multipart],
        *_custom_parts(pattern),
    )


def _part(kind: str, name: str, value: ValuePattern, values: ReadValues) -> RequestPart:
    matcher: ValuesMatcher = compile_values(value)
    test = matcher.matches
    return RequestPart(
        f"{kind} {name}".rstrip(),
        described(value),
        lambda request: test(values(request)),
        lambda request: ", ".join(values(request)),
        lambda request: matcher.distance(values(request)),
    )


def _custom_parts(pattern: RequestPattern) -> Iterator[RequestPart]:
    if pattern.custom is not None:
        test = compile_custom(pattern.custom.name, pattern.custom.parameters)
        name = f"custom matcher {pattern.custom.name}"
        yield RequestPart(name, "a request that it takes", test, lambda request: "one that it does not")


def _exact(name: str, wanted: str, read: Callable[[RequestView], str]) -> RequestPart:
    return RequestPart(name, wanted, lambda request: read(request) == wanted, read)


def _connection_parts(pattern: RequestPattern) -> Iterator[RequestPart]:
    if pattern.scheme is not None:
        yield _exact("scheme", pattern.scheme, lambda request: request.connection.scheme)
    if pattern.host is not None:
        yield _part("host", "", pattern.host, lambda request: [host_and_port(request)[0]])
    if pattern.port is not None:
        yield _exact("port", str(pattern.port), lambda request: str(host_and_port(request)[1]))
    if pattern.client_ip is not None:
        yield _part("client IP", "", pattern.client_ip, lambda request: [request.connection.client_ip])


def _path_parts(pattern: RequestPattern) -> Iterator[RequestPart]:
    if not pattern.path:
        return
    if pattern.url is None or pattern.url.kind != "urlPathTemplate":
        raise StubFileError("pathParameters are those of a urlPathTemplate, which is missing")
    template = template_regex(pattern.url.value)
    for name, value in pattern.path:
        yield _part("path parameter", name, value, _path_values(name, template))


def _path_values(name: str, template: re.Pattern[str]) -> ReadValues:
    def values(request: RequestView) -> Sequence[str]:
        found = path_parameters(template, request.path)
        return (found[name],) if name in found else ()

    return values


def _credential_parts(pattern: RequestPattern) -> Iterator[RequestPart]:
    wanted = pattern.basic_auth
    if wanted is None:
        return
    pair = (wanted.username, wanted.password)

    def found(request: RequestView) -> str:
        credentials = basic_credentials(request)
        return f"user {credentials[0]}" if credentials else ""

    yield RequestPart(
        "basic authentication",
        f"user {wanted.username} and the password",
        lambda request: basic_credentials(request) == pair,
        found,
    )


def _body_part(value: ValuePattern) -> RequestPart:
    matcher = compile_body(value)
    return RequestPart("body", _beginning(matcher.wanted), matcher.matches, _shown_body, matcher.distance)


def _multipart_part(pattern: MultipartPattern) -> RequestPart:
    wanted = [f"{pattern.matching_type} part"]
    wanted += [f"named {pattern.name}"] if pattern.name is not None else []
    wanted += [f"with file name {pattern.file_name}"] if pattern.file_name is not None else []
    wanted += [f"with header {name} {described(value)}" for name, value in pattern.headers]
    wanted += [f"with body {described(value)}" for value in pattern.body]

    def found(request: RequestView) -> str:
        names = [part.name or "unnamed" for part in parts_of(request)]
        return f"{len(names)} parts: {', '.join(names)}" if names else "no parts"

    return RequestPart("multipart", _beginning(" ".join(wanted)), compile_multipart(pattern), found)


def _shown_body(request: RequestView) -> str:
    return _beginning(request.body[: 4 * _LONGEST_SHOWN + 4].decode("utf-8", "replace"))


def _beginning(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"


def _query(name: str) -> ReadValues:
    return lambda request: request.query.get(name, ())


def _header(name: str) -> ReadValues:
    return lambda request: request.headers.get_all(name)


def _cookie(name: str) -> ReadValues:
    return lambda request: cookie_values(request, name)


def _form(name: str) -> ReadValues:
    return lambda request: form_values(request, name)
