"""The written form of stub files: which keys stand where. pydantic checks it and gives the JSON Schema.

Only files have this form; `to_model` and `from_model` go between it and the plain data of `mockforge.model`.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

from pydantic import (
    BeforeValidator,
    Field,
    ModelWrapValidatorHandler,
    WrapValidator,
    field_validator,
    model_validator,
)

from mockforge.errors import StubFileError
from mockforge.matching.custom import compile_custom
from mockforge.model.operation import is_parameter
from mockforge.model.stub import RequestPattern
from mockforge.stubfiles import wiremock_keys
from mockforge.stubfiles.callback_form import LISTENER_KEYS, Listeners
from mockforge.stubfiles.capacity_form import CapacityForm, PoolName
from mockforge.stubfiles.forward_form import AddedFields, ProxyBase, ProxyPrefix, RemovedFields, check_proxy
from mockforge.stubfiles.mapping import Form
from mockforge.stubfiles.pattern_form import OrText, PatternForm, ValuesForm
from mockforge.stubfiles.problems import RefusedError, brief
from mockforge.stubfiles.sending_form import (
    Bandwidth,
    DribbleForm,
    EventStreamForm,
    Fault,
    Probability,
    check_sending,
)
from mockforge.stubfiles.shorthand import parse_shorthand
from mockforge.stubfiles.spells_form import SlowSpellsForm
from mockforge.stubfiles.values import (
    AnswerHeaders,
    AnswerStatus,
    Base64Text,
    Chooser,
    Delay,
    HeaderName,
    MatchingType,
    Methods,
    Milliseconds,
    Name,
    PathTemplate,
    Port,
    Priority,
    Regex,
    Scheme,
    Share,
    StateKey,
    Status,
    Transformers,
    Upstream,
    Url,
    method,
)
from mockforge.stubfiles.written import Json, ParsedJson, Text, as_text

__all__ = [
    "BODY_KINDS",
    "URL_KINDS",
    "FileForm",
    "MethodsForm",
    "MultipartForm",
    "RequestForm",
    "ResponseForm",
    "RowForm",
    "ServiceForm",
    "StubForm",
    "VariantsForm",
]

URL_KINDS = ("url", "urlPattern", "urlPath", "urlPathPattern", "urlPathTemplate")
BODY_KINDS = ("body", "jsonBody", "base64Body", "bodyFileName")

#: How far the shares of several responses may be from adding up to 1.
_SHARES_TOLERANCE = 0.001


class MethodsForm(Form):
    """Several methods, or all but some."""

    example: ClassVar[str | None] = "such as GET, ANY, or {oneOf: [GET, HEAD]}"

    one_of: Methods | None = None
    none_of: Methods | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        self.at_most_one(("oneOf", "noneOf"))
        if not self.written(("oneOf", "noneOf")):
            raise RefusedError("needs oneOf or noneOf", self.example)
        return self


def _one_method(written: object, validate: ModelWrapValidatorHandler[MethodsForm]) -> MethodsForm:
    """A single method stands as a string."""
    if isinstance(written, dict):
        return validate(written)
    text = as_text(written)
    if not isinstance(text, str):
        raise RefusedError(f"must be a string, not {brief(written)}", MethodsForm.example)
    return MethodsForm.model_construct(one_of=[method(text)])


class CredentialsForm(Form):
    """User name and password."""

    example: ClassVar[str | None] = "such as {username: ada, password: engine}"

    username: Text
    password: Text


class MultipartForm(Form):
    """The test of one part of a multipart body."""

    example: ClassVar[str | None] = "such as {name: file, bodyPatterns: [{contains: total}]}"

    matching_type: MatchingType = "ANY"
    name: Text | None = None
    file_name: Text | None = None
    headers: dict[HeaderName, ValuesForm] = Field(default_factory=dict)
    body_patterns: list[PatternForm] = Field(default_factory=list)


class CustomForm(Form):
    """A matcher of the whole request that a package registers (docs/extending.md)."""

    example: ClassVar[str | None] = "such as {name: tenant-of, parameters: {tenant: acme}}"

    name: Text
    parameters: dict[str, Json] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _registered(self) -> Self:
        try:
            compile_custom(self.name, self.parameters)
        except StubFileError as error:
            raise RefusedError(error.what, error.hint) from None
        return self


class RequestForm(Form):
    """What is asked. Everything that it leaves out may be anything."""

    example: ClassVar[str | None] = "such as GET /orders/{id}, or {method: GET, urlPath: /orders}"
    wiremock: ClassVar[frozenset[str]] = wiremock_keys.IN_REQUEST

    method: Annotated[MethodsForm, WrapValidator(_one_method), OrText("GET")] = Field(
        default_factory=lambda: MethodsForm.model_construct(one_of=["ANY"])
    )
    scheme: Scheme | None = None
    host: PatternForm | None = None
    port: Port | None = None
    client_ip: PatternForm | None = None
    url: Url | None = Field(default=None, description="The exact path and query.")
    url_pattern: Regex | None = Field(default=None, description="A regular expression for path and query.")
    url_path: Url | None = Field(default=None, description="The exact path.")
    url_path_pattern: Regex | None = Field(default=None, description="A regular expression for the path.")
    url_path_template: PathTemplate | None = Field(
        default=None, description="A path whose {name} fill a segment."
    )
    path_parameters: dict[str, PatternForm] = Field(default_factory=dict)
    query_parameters: dict[str, ValuesForm] = Field(default_factory=dict)
    form_parameters: dict[str, ValuesForm] = Field(default_factory=dict)
    headers: dict[HeaderName, ValuesForm] = Field(default_factory=dict)
    basic_auth: CredentialsForm | None = Field(default=None, description="Another name of the next key.")
    basic_auth_credentials: CredentialsForm | None = None
    cookies: dict[str, ValuesForm] = Field(default_factory=dict)
    body_patterns: list[PatternForm] = Field(
        default_factory=list, description="All of them must match the body."
    )
    multipart_patterns: list[MultipartForm] = Field(
        default_factory=list, description="Each must match a part, or every part, of the body."
    )
    custom_matcher: CustomForm | None = None

    @model_validator(mode="after")
    def _one_url(self) -> RequestForm:
        self.at_most_one(URL_KINDS)
        self.at_most_one(("basicAuth", "basicAuthCredentials"))
        known = [part[1:-1] for part in (self.url_path_template or "").split("/") if is_parameter(part)]
        for name in self.path_parameters:
            if name not in known:
                hint = f"known: {', '.join(known)}" if known else "pathParameters go with urlPathTemplate"
                raise RefusedError(f"{name} is no parameter of the urlPathTemplate", hint)
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
    status: AnswerStatus = Field(default=200, description="A number, or a template that gives one.")
    headers: AnswerHeaders = Field(default_factory=dict)
    body: Text | None = None
    json_body: Json = None
    base64_body: Base64Text | None = None
    body_file_name: Text | None = Field(default=None, description="A file under __files/.")
    variants: VariantsForm | None = None
    transformers: Transformers = Field(default_factory=list)
    proxy_base_url: ProxyBase | None = None
    proxy_url_prefix_to_remove: ProxyPrefix | None = None
    additional_proxy_request_headers: AddedFields = Field(default_factory=dict)
    remove_proxy_request_headers: RemovedFields = Field(default_factory=list)
    fixed_delay_milliseconds: Milliseconds | None = None
    delay_distribution: Delay | None = None
    chunked_dribble_delay: DribbleForm | None = None
    bandwidth: Bandwidth | None = Field(default=None, description="Bytes a second, such as 50KB/s.")
    body_time: Delay | None = Field(default=None, description="From the first byte to the last.")
    server_sent_events: EventStreamForm | None = None
    fault: Fault | None = None
    fault_probability: Probability | None = None

    @model_validator(mode="after")
    def _one_body(self) -> ResponseForm:
        self.at_most_one(BODY_KINDS)
        check_proxy(self, (*BODY_KINDS, "variants"))
        check_sending(self, (*BODY_KINDS, "variants", "transformers"))
        if self.transformers:
            self._something_is_transformed()
        elif self.status_template is not None:
            raise RefusedError(f"status {brief(self.status)} is a template", "add transformers: [jinja]")
        return self

    @property
    def status_template(self) -> str | None:
        """The template that gives the status, where one does."""
        status: object = self.status
        return status if isinstance(status, str) else None

    def _something_is_transformed(self) -> None:
        if self.variants is not None:
            raise RefusedError(
                "transformers and variants exclude one another", "variants are sent as they are"
            )
        if self.status_template is not None and self.proxy_base_url:
            raise RefusedError("status and proxyBaseUrl exclude one another", "the upstream gives it")
        if (
            not self.headers
            and not self.written((*BODY_KINDS, "proxyBaseUrl"))
            and self.status_template is None
        ):
            raise RefusedError("transformers need a body, a status or headers to transform")


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
    request: Annotated[RequestForm, BeforeValidator(_expand), OrText("GET /orders/{id}")] | None = None
    response: ResponseForm | None = None
    responses: list[ResponseForm] | None = None
    pool: Name | None = Field(default=None, description="One of the service's pools, to wait at.")
    scenario_name: Name | None = None
    required_scenario_state: Text | None = Field(default=None, description="Answers in this state alone.")
    new_scenario_state: Text | None = Field(default=None, description="The state that answering leads to.")
    scenario_key: list[StateKey] = Field(
        default_factory=list,
        description="What tells the scenario's resources apart: path.NAME, query.NAME or response.NAME.",
    )
    serve_event_listeners: Listeners = Field(default_factory=list, description="Callbacks after the answer.")
    post_serve_actions: Listeners = Field(default_factory=list, description="An older name of the same.")
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
        self.at_most_one(LISTENER_KEYS)
        if self.id is not None and self.uuid is not None and self.id != self.uuid:
            raise RefusedError(
                f"id {self.id!r} and uuid {self.uuid!r} differ", "they are one key; keep one of them"
            )
        for key in self.written(("requiredScenarioState", "newScenarioState", "scenarioKey")):
            if self.scenario_name is None:
                raise RefusedError(f"{key} goes with scenarioName")
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
    headers: AnswerHeaders = Field(default_factory=dict)
    body: Text | None = None
    json_body: ParsedJson = None
    base64_body: Base64Text | None = None

    @model_validator(mode="after")
    def _one_body(self) -> RowForm:
        self.at_most_one(BODY_KINDS)
        return self
