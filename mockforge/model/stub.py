"""Stubs as they are written: what is asked, what is answered, and when.

This is the written form; `mockforge.engine` compiles it. Reading and writing files is `mockforge.stubfiles`.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import orjson

from mockforge.model.headers import Headers
from mockforge.model.sending import BodyFile, SendingDefinition

if TYPE_CHECKING:
    from mockforge.model.forwarding import CallbackDefinition, ProxyDefinition

__all__ = [
    "BasicCredentials",
    "Body",
    "CustomMatcher",
    "DelayDistribution",
    "MethodSet",
    "MultipartPattern",
    "NamedPatterns",
    "RequestPattern",
    "ResponseDefinition",
    "ScenarioStep",
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


#: Patterns by the name of what they test.
NamedPatterns = tuple[tuple[str, ValuePattern], ...]


@dataclass(frozen=True, slots=True)
class MethodSet:
    """Several methods: those of `names`, or where `excluded` all but those."""

    names: tuple[str, ...]
    excluded: bool = False


@dataclass(frozen=True, slots=True)
class MultipartPattern:
    """The test of one part of a multipart body.

    `matching_type` says whether ANY part or ALL of them must pass. `name` and `file_name` are the part's
    own, exactly.
    """

    matching_type: str = "ANY"
    name: str | None = None
    file_name: str | None = None
    headers: NamedPatterns = ()
    body: tuple[ValuePattern, ...] = ()


@dataclass(frozen=True, slots=True)
class BasicCredentials:
    """User name and password of HTTP's basic authentication."""

    username: str
    password: str


@dataclass(frozen=True, slots=True)
class CustomMatcher:
    """A matcher of the whole request, by the name that a package registered it under."""

    name: str
    parameters: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RequestPattern:
    """The whole request's test. `method` is `ANY` or one method; `methods`, where given, stands in its place.

    `url` None matches every URL. Every one of `body` and `multipart`, which are tested last, must match.
    """

    method: str = "ANY"
    url: UrlPattern | None = None
    query: NamedPatterns = ()
    headers: NamedPatterns = ()
    body: tuple[ValuePattern, ...] = ()
    methods: MethodSet | None = None
    path: NamedPatterns = ()
    cookies: NamedPatterns = ()
    form: NamedPatterns = ()
    multipart: tuple[MultipartPattern, ...] = ()
    basic_auth: BasicCredentials | None = None
    scheme: str | None = None
    host: ValuePattern | None = None
    port: int | None = None
    client_ip: ValuePattern | None = None
    custom: CustomMatcher | None = None


@dataclass(frozen=True, slots=True)
class ScenarioStep:
    """A stub's place in a scenario: the state in which it answers (None: any), and the one it leads to.

    With a `key` the scenario has a state for each resource that the key names: by parameters of the request
    (`path.id`), or by members of the answer (`response.id`), which lead to a state but cannot require one.
    """

    scenario: str
    required: str | None = None
    new: str | None = None
    key: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Body:
    """A body as written. `kind` is body, jsonBody, base64Body or bodyFileName; `data`: a file's bytes.

    A file too large to be held has no `data`; it is `file`, and read when it is sent. A file that the request
    chooses, by a name that is a template, has neither.
    """

    kind: str
    value: object
    data: bytes | None = None
    file: BodyFile | None = None

    @property
    def is_chosen(self) -> bool:
        """Whether each request chooses the file."""
        return self.kind == "bodyFileName" and self.data is None and self.file is None

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
    With a `proxy` the answer is an upstream's, and `headers` are added to it. A status that is a template
    is `status_template`; `files` are those that templates can read, by name.
    """

    status: int = 200
    headers: Headers = field(default_factory=Headers)
    body: Body | None = None
    variants: Variants | None = None
    fixed_delay_ms: float | None = None
    delay: DelayDistribution | None = None
    share: float | None = None
    transformers: tuple[str, ...] = ()
    proxy: ProxyDefinition | None = None
    sending: SendingDefinition | None = None
    status_template: str | None = None
    files: Mapping[str, bytes | BodyFile] | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Stub:
    """One rule. Lower `priority` wins; among equals the later one does. `place` is `file:line`.

    `pool` names the service's pool at which it waits, where that is not the service's own capacity.
    `callbacks` are made after its answers.
    """

    name: str
    request: RequestPattern
    responses: tuple[ResponseDefinition, ...]
    priority: int = 5
    id: str | None = None
    metadata: Mapping[str, object] = field(default_factory=dict)
    pool: str | None = None
    scenario: ScenarioStep | None = None
    callbacks: tuple[CallbackDefinition, ...] = ()
    place: str = field(default="", compare=False)
