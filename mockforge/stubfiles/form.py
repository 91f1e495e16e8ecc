"""The written form of stub files: which keys stand where. pydantic checks it and gives the JSON Schema.

Only files have this form; `to_model` and `from_model` go between it and the plain data of `mockforge.model`.
"""

from __future__ import annotations

import functools
from typing import Annotated, Any, ClassVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema

from mockforge.model.stub import RequestPattern
from mockforge.stubfiles import wiremock_keys
from mockforge.stubfiles.problems import RefusedError
from mockforge.stubfiles.shorthand import parse_shorthand
from mockforge.stubfiles.values import (
    Base64Text,
    Chooser,
    Delay,
    HeaderName,
    HeaderValues,
    Method,
    Milliseconds,
    Name,
    PathTemplate,
    Priority,
    Regex,
    Share,
    Status,
    Upstream,
    Url,
)
from mockforge.stubfiles.written import Flag, Json, ParsedJson, Text

__all__ = [
    "BODY_KINDS",
    "OPERATORS",
    "URL_KINDS",
    "FileForm",
    "Form",
    "PatternForm",
    "RequestForm",
    "ResponseForm",
    "RowForm",
    "ServiceForm",
    "StubForm",
    "VariantsForm",
]

URL_KINDS = ("url", "urlPattern", "urlPath", "urlPathPattern", "urlPathTemplate")
OPERATORS = ("equalTo", "contains", "doesNotContain", "matches", "doesNotMatch", "absent")
BODY_KINDS = ("body", "jsonBody", "base64Body", "bodyFileName")

#: How far the shares of several responses may be from adding up to 1.
_SHARES_TOLERANCE = 0.001


def _title(form: type[Any]) -> str:
    return form.__name__.removesuffix("Form").lower()


class Form(BaseModel):
    """One mapping of a stub file. `wiremock` are keys of WireMock's that are not supported yet."""

    model_config = ConfigDict(
        extra="forbid", strict=True, alias_generator=to_camel, model_title_generator=_title
    )

    wiremock: ClassVar[frozenset[str]] = frozenset()
    example: ClassVar[str | None] = None

    @classmethod
    def keys(cls) -> list[str]:
        """The keys that the mapping knows, in their natural order."""
        return list(_names_by_key(cls))

    def written(self, keys: tuple[str, ...]) -> dict[str, object]:
        """Those of `keys` that the file gives a value; a null counts for jsonBody alone."""
        given = {}
        for key, name in _attributes(type(self), keys):
            if name in self.model_fields_set:
                value = getattr(self, name)
                if value is not None or key == "jsonBody":
                    given[key] = value
        return given

    def _at_most_one(self, keys: tuple[str, ...]) -> None:
        given = list(self.written(keys))
        if len(given) > 1:
            raise RefusedError(f"{' and '.join(given)} exclude one another", "keep one of them")


@functools.cache
def _names_by_key(form: type[Form]) -> dict[str, str]:
    return {field.alias or name: name for name, field in form.model_fields.items()}


@functools.cache
def _attributes(form: type[Form], keys: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Those of `keys` that the form knows, each with its attribute's name."""
    names = _names_by_key(form)
    return tuple((key, names[key]) for key in keys if key in names)


class PatternForm(Form):
    """The test of one value."""

    example: ClassVar[str | None] = "such as {equalTo: some value}"
    wiremock: ClassVar[frozenset[str]] = wiremock_keys.IN_PATTERN

    equal_to: Text | None = None
    contains: Text | None = None
    does_not_contain: Text | None = None
    matches: Regex | None = None
    does_not_match: Regex | None = None
    absent: Flag | None = None
    case_insensitive: Flag | None = Field(default=None, description="Goes with equalTo.")

    @model_validator(mode="after")
    def _one_operator(self) -> PatternForm:
        self._at_most_one(OPERATORS)
        if not self.written(OPERATORS):
            raise RefusedError("needs one of " + ", ".join(OPERATORS))
        if self.absent is False:
            raise RefusedError("absent can only be true", "leave the pattern out to allow any value")
        if self.case_insensitive is not None and self.equal_to is None:
            raise RefusedError("caseInsensitive goes with equalTo", "in a regular expression write (?i)")
        return self


class RequestForm(Form):
    """What is asked. Everything that it leaves out may be anything."""

    example: ClassVar[str | None] = "such as GET /orders/{id}, or {method: GET, urlPath: /orders}"
    wiremock: ClassVar[frozenset[str]] = wiremock_keys.IN_REQUEST

    method: Method = "ANY"
    url: Url | None = Field(default=None, description="The exact path and query.")
    url_pattern: Regex | None = Field(default=None, description="A regular expression for path and query.")
    url_path: Url | None = Field(default=None, description="The exact path.")
    url_path_pattern: Regex | None = Field(default=None, description="A regular expression for the path.")
    url_path_template: PathTemplate | None = Field(
        default=None, description="A path whose {name} fill a segment."
    )
    query_parameters: dict[str, PatternForm] = Field(default_factory=dict)
    headers: dict[HeaderName, PatternForm] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_url(self) -> RequestForm:
        self._at_most_one(URL_KINDS)
        return self


class VariantsForm(Form):
    """Several answers, in a file of rows, chosen by the request's own parameters."""

    example: ClassVar[str | None] = "such as {by: [path.id], file: get-orders-id.jsonl}"

    by: list[Chooser] = Field(default_factory=list, description="path.NAME, query.NAME or body.")
    file: Text = Field(description="A file of rows under __files/.")

    @field_validator("by")
    @classmethod
    def _differ(cls, by: list[str]) -> list[str]:
        for name in by:
            if by.count(name) > 1:
                raise RefusedError(f"{name} stands twice")
        return by


class ResponseForm(Form):
    """An answer, and when it is given."""

    example: ClassVar[str | None] = "such as {status: 200, body: hello}"
    wiremock: ClassVar[frozenset[str]] = wiremock_keys.IN_RESPONSE

    share: Share | None = None
    status: Status = 200
    headers: dict[HeaderName, HeaderValues] = Field(default_factory=dict)
    body: Text | None = None
    json_body: Json = None
    base64_body: Base64Text | None = None
    body_file_name: Text | None = Field(default=None, description="A file under __files/.")
    variants: VariantsForm | None = None
    fixed_delay_milliseconds: Milliseconds | None = None
    delay_distribution: Delay | None = None

    @model_validator(mode="after")
    def _one_body(self) -> ResponseForm:
        self._at_most_one(BODY_KINDS)
        return self


def _expand(written: object) -> object:
    if not isinstance(written, str):
        return written
    pattern: RequestPattern = parse_shorthand(written)
    assert pattern.url is not None
    return {"method": pattern.method, pattern.url.kind: pattern.url.value}


class _OrShorthand:
    """In the JSON Schema: a string will do as well."""

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        shorthand = {"type": "string", "examples": ["GET /orders/{id}"]}
        return {"anyOf": [shorthand, handler(schema)]}


class StubForm(Form):
    """One rule: what is asked, and what is answered."""

    example: ClassVar[str | None] = "a stub has a request and a response"
    wiremock: ClassVar[frozenset[str]] = wiremock_keys.IN_STUB

    name: Name | None = None
    id: Name | None = None
    uuid: Name | None = Field(default=None, description="Another name of id.")
    priority: Priority = 5
    request: Annotated[RequestForm, BeforeValidator(_expand), _OrShorthand()] | None = None
    response: ResponseForm | None = None
    responses: list[ResponseForm] | None = None
    metadata: dict[str, Json] = Field(default_factory=dict)

    @field_validator("responses")
    @classmethod
    def _shares(cls, responses: list[ResponseForm] | None) -> list[ResponseForm] | None:
        if responses is None:
            return None
        if not responses:
            raise RefusedError("the list is empty", cls.example)
        shares = [response.share for response in responses if response.share is not None]
        if len(responses) > 1 and len(shares) < len(responses):
            raise RefusedError("each of several responses needs a share", "such as share: 0.9 and share: 0.1")
        _check_sum(shares)
        return responses

    @field_validator("response")
    @classmethod
    def _share(cls, response: ResponseForm | None) -> ResponseForm | None:
        if response is not None and response.share is not None:
            _check_sum([response.share])
        return response

    @model_validator(mode="after")
    def _whole(self) -> StubForm:
        self._at_most_one(("response", "responses"))
        if self.id is not None and self.uuid is not None and self.id != self.uuid:
            raise RefusedError(
                f"id {self.id!r} and uuid {self.uuid!r} differ", "they are one key; keep one of them"
            )
        if self.request is None and self.response is None and self.responses is None:
            raise RefusedError("has neither request nor response")
        return self


def _check_sum(shares: list[float]) -> None:
    total = sum(shares)
    if shares and abs(total - 1) > _SHARES_TOLERANCE:
        raise RefusedError(
            f"shares add up to {total:.4g}, not to 1", " + ".join(f"{each:g}" for each in shares)
        )


class ServiceForm(Form):
    """The service that the stubs are of."""

    example: ClassVar[str | None] = "such as {name: orders, upstream: https://orders.example.com}"

    name: Name | None = None
    upstream: Upstream | None = None


class FileForm(Form):
    """A file of several stubs."""

    wiremock: ClassVar[frozenset[str]] = wiremock_keys.IN_FILE

    service: ServiceForm | None = None
    mappings: list[StubForm] = Field(default_factory=list)


class RowForm(Form):
    """One line of a variants file: an answer, and the parameters of the requests that get it."""

    example: ClassVar[str | None] = 'such as {"when": {"path.id": "17"}, "status": 404}'

    when: dict[str, Text] = Field(default_factory=dict)
    status: Status | None = None
    headers: dict[HeaderName, HeaderValues] = Field(default_factory=dict)
    body: Text | None = None
    json_body: ParsedJson = None
    base64_body: Base64Text | None = None

    @model_validator(mode="after")
    def _one_body(self) -> RowForm:
        self._at_most_one(BODY_KINDS)
        return self
