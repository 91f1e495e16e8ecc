"""Stubs as they are written: what is asked, what is answered, and when.

This is the written form; `mockforge.engine` compiles it. Reading and writing files is `mockforge.stubfiles`.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson

from mockforge.model.headers import Headers

__all__ = [
    "Body",
    "DelayDistribution",
    "RequestPattern",
    "ResponseDefinition",
    "Stub",
    "UrlPattern",
    "ValuePattern",
    "Variant",
    "Variants",
]


@dataclass(frozen=True, slots=True)
class UrlPattern:
    """`kind` is WireMock's key: url, urlPattern, urlPath, urlPathPattern or urlPathTemplate."""

    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class ValuePattern:
    """The test of one value: an operator of `mockforge.matching`, its operand and its options."""

    operator: str
    operand: object
    options: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RequestPattern:
    """The whole request's test. `method` is `ANY` or one method; `url` None matches every URL.

    Every one of `body`, which is tested last, must match.
    """

    method: str = "ANY"
    url: UrlPattern | None = None
    query: tuple[tuple[str, ValuePattern], ...] = ()
    headers: tuple[tuple[str, ValuePattern], ...] = ()
    body: tuple[ValuePattern, ...] = ()


@dataclass(frozen=True, slots=True)
class Body:
    """A body as written. `kind` is body, jsonBody, base64Body or bodyFileName; `data`: a file's bytes."""

    kind: str
    value: object
    data: bytes | None = None

    def content(self) -> bytes:
        """The bytes to send."""
        if self.kind == "bodyFileName":
            return self.data or b""
        if self.kind == "jsonBody":
            return orjson.dumps(self.value)
        text = str(self.value)
        return base64.b64decode(text) if self.kind == "base64Body" else text.encode()


@dataclass(frozen=True, slots=True)
class Variant:
    """One recorded answer. `when` holds the request's own parameters, in the order of `Variants.by`.

    None of the fields it leaves out (`status` None, no headers) differ from the response's own.
    """

    when: tuple[str, ...] = ()
    status: int | None = None
    headers: Headers = field(default_factory=Headers)
    body: Body | None = None


@dataclass(frozen=True, slots=True)
class Variants:
    """Several answers of one response, in `file_name` under `__files/`, chosen by the request's parameters.

    `by` names what chooses: `path.id`, `query.page`, `body`. A request whose values stand in no row
    gets the rows in turn.
    """

    file_name: str
    by: tuple[str, ...] = ()
    rows: tuple[Variant, ...] = ()


@dataclass(frozen=True, slots=True)
class DelayDistribution:
    """The law of a delay: a type of `mockforge.delays.distributions` and its parameters as written."""

    type: str
    parameters: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ResponseDefinition:
    """An answer as written. Among several, `share` (0..1) is how often this one is given.

    `transformers` name the template dialects (`mockforge.templating.transformers`) that make the body.
    """

    status: int = 200
    headers: Headers = field(default_factory=Headers)
    body: Body | None = None
    variants: Variants | None = None
    fixed_delay_ms: float | None = None
    delay: DelayDistribution | None = None
    share: float | None = None
    transformers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stub:
    """One rule. Lower `priority` wins; among equals the later one does. `place` is `file:line`.

    `pool` names the service's pool at which it waits, where that is not the service's own capacity.
    """

    name: str
    request: RequestPattern
    responses: tuple[ResponseDefinition, ...]
    priority: int = 5
    id: str | None = None
    metadata: Mapping[str, object] = field(default_factory=dict)
    pool: str | None = None
    place: str = field(default="", compare=False)
