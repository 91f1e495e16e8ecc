"""The written form of stub files: which keys stand where. pydantic checks it and gives the JSON Schema.

Only files have this form; `to_model` and `from_model` go between it and the plain data of `mockforge.model`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    BeforeValidator,
    Field,
    GetJsonSchemaHandler,
    ModelWrapValidatorHandler,
    WrapValidator,
    field_validator,
    model_validator,
)
from pydantic_core import CoreSchema

from mockforge.model.stub import RequestPattern
from mockforge.stubfiles import wiremock_keys
from mockforge.stubfiles.capacity_form import CapacityForm, PoolName
from mockforge.stubfiles.mapping import Form
from mockforge.stubfiles.problems import RefusedError
from mockforge.stubfiles.shorthand import parse_shorthand
from mockforge.stubfiles.spells_form import SlowSpellsForm
from mockforge.stubfiles.values import (
    Base64Text,
    Chooser,
    Delay,
    HeaderName,
    HeaderValues,
    JsonPathText,
    Method,
    Milliseconds,
    Name,
    PathTemplate,
    Priority,
    Regex,
    Share,
    Status,
    Transformers,
    Upstream,
    Url,
    WantedJson,
    jsonpath,
)
from mockforge.stubfiles.written import Flag, Json, ParsedJson, Text, as_text

__all__ = [
    "BODY_KINDS",
    "OPERATORS",
    "OPTIONS",
    "URL_KINDS",
    "BodyPatternForm",
    "FileForm",
    "JsonPathForm",
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
#: Keys of a pattern that go with an operator, by the operator.
OPTIONS = {
    "caseInsensitive": "equalTo",
    "ignoreArrayOrder": "equalToJson",
    "ignoreExtraElements": "equalToJson",
}
BODY_KINDS = ("body", "jsonBody", "base64Body", "bodyFileName")

_MARKUP = re.compile(r"\{[{%]")
#: How far the shares of several responses may be from adding up to 1.
_SHARES_TOLERANCE = 0.001


@dataclass(frozen=True, slots=True)
class _OrText:
    """In the JSON Schema: a string will do as well, such as `example`."""

    example: str

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"anyOf": [{"type": "string", "examples": [self.example]}, handler(schema)]}


class PatternForm(Form):
    """The test of one value."""

    example: ClassVar[str | None] = "such as {equalTo: some value}"
    wiremock: ClassVar[frozenset[str]] = wiremock_keys.IN_PATTERN
    operators: ClassVar[tuple[str, ...]] = OPERATORS

    equal_to: Text | None = None
    contains: Text | None = None
    does_not_contain: Text | None = None
    matches: Regex | None = None
    does_not_match: Regex | None = None
    absent: Flag | None = None
    case_insensitive: Flag | None = Field(default=None, description="Goes with equalTo.")

    @model_validator(mode="after")
    def _one_operator(self) -> Self:
        self.at_most_one(self.operators)
        if not self.written(self.operators):
            raise RefusedError("needs one of " + ", ".join(self.operators))
        if self.absent is False:
            raise RefusedError("absent can only be true", "leave the pattern out to allow any value")
        for option in self.written(tuple(OPTIONS)):
            if not self.written((OPTIONS[option],)):
                hint = "in a regular expression write (?i)" if option == "caseInsensitive" else None
                raise RefusedError(f"{option} goes with {OPTIONS[option]}", hint)
        return self


class _JsonPatternForm(PatternForm):
    """The test of a value that may be JSON."""

    operators: ClassVar[tuple[str, ...]] = (*OPERATORS, "equalToJson")

    equal_to_json: WantedJson = None
    ignore_array_order: Flag | None = Field(default=None, description="Goes with equalToJson.")
    ignore_extra_elements: Flag | None = Field(default=None, description="Goes with equalToJson.")


class JsonPathForm(_JsonPatternForm):
    """The test of what a JSONPath finds."""

    example: ClassVar[str | None] = "such as $.items[0].sku, or {expression: $.items[0].sku, equalTo: b-17}"

    expression: JsonPathText


def _path_alone(written: object, validate: ModelWrapValidatorHandler[JsonPathForm]) -> JsonPathForm:
    """A JSONPath without a pattern stands as a string."""
    text = as_text(written)
    return (
        JsonPathForm.model_construct(expression=jsonpath(text))
        if isinstance(text, str)
        else validate(written)
    )


class BodyPatternForm(_JsonPatternForm):
    """The test of a request's body."""

    example: ClassVar[str | None] = "such as {equalToJson: {sku: b-17}} or {matchesJsonPath: $.sku}"
    operators: ClassVar[tuple[str, ...]] = (*_JsonPatternForm.operators, "matchesJsonPath")

    matches_json_path: (
        Annotated[JsonPathForm, WrapValidator(_path_alone), _OrText("$.items[0].sku")] | None
    ) = None


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
    body_patterns: list[BodyPatternForm] = Field(
        default_factory=list, description="All of them must match the body."
    )

    @model_validator(mode="after")
    def _one_url(self) -> RequestForm:
        self.at_most_one(URL_KINDS)
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
    transformers: Transformers = Field(default_factory=list)
    fixed_delay_milliseconds: Milliseconds | None = None
    delay_distribution: Delay | None = None

    @model_validator(mode="after")
    def _one_body(self) -> ResponseForm:
        self.at_most_one(BODY_KINDS)
        if self.transformers:
            self._only_a_body_is_transformed()
        return self

    def _only_a_body_is_transformed(self) -> None:
        if self.variants is not None:
            raise RefusedError(
                "transformers and variants exclude one another", "variants are sent as they are"
            )
        if not self.written(BODY_KINDS):
            raise RefusedError("transformers need a body to transform")
        for name, values in self.headers.items():
            if any(map(_MARKUP.search, values)):
                raise RefusedError(f"header {name} holds a template, which only a body can yet")


def _expand(written: object) -> object:
    if not isinstance(written, str):
        return written
    pattern: RequestPattern = parse_shorthand(written)
    assert pattern.url is not None
    return {"method": pattern.method, pattern.url.kind: pattern.url.value}


class StubForm(Form):
    """One rule: what is asked, and what is answered."""

    example: ClassVar[str | None] = "a stub has a request and a response"
    wiremock: ClassVar[frozenset[str]] = wiremock_keys.IN_STUB

    name: Name | None = None
    id: Name | None = None
    uuid: Name | None = Field(default=None, description="Another name of id.")
    priority: Priority = 5
    request: Annotated[RequestForm, BeforeValidator(_expand), _OrText("GET /orders/{id}")] | None = None
    response: ResponseForm | None = None
    responses: list[ResponseForm] | None = None
    pool: Name | None = Field(default=None, description="One of the service's pools, to wait at.")
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
        self.at_most_one(("response", "responses"))
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
    capacity: CapacityForm | None = None
    pools: dict[PoolName, CapacityForm] = Field(
        default_factory=dict, description="Stations of their own, for the stubs that name them."
    )
    slow_spells: SlowSpellsForm | None = None


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
        self.at_most_one(BODY_KINDS)
        return self
