"""Callbacks as they are written: WireMock's `serveEventListeners`, and its older `postServeActions`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator

from mockforge.model.forwarding import CallbackDefinition, RetryRule
from mockforge.model.stub import Body
from mockforge.stubfiles.headers import grouped, ungrouped
from mockforge.stubfiles.mapping import Form
from mockforge.stubfiles.problems import RefusedError, brief, unknown_key
from mockforge.stubfiles.values import (
    Base64Text,
    Delay,
    HeaderName,
    HeaderValues,
    Method,
    Milliseconds,
)
from mockforge.stubfiles.written import Json, Spelled, Text, plain_json

__all__ = [
    "CALLBACK_BODY_KINDS",
    "LISTENER_KEYS",
    "CallbackForm",
    "ListenerForm",
    "Listeners",
    "to_callback",
    "written_listener",
]

LISTENER_KEYS = ("serveEventListeners", "postServeActions")

_WEBHOOK = "webhook"
_PHASE = "AFTER_COMPLETE"
CALLBACK_BODY_KINDS = ("body", "jsonBody", "base64Body", "bodyFileName")
#: What a template has to name to see the keys that are its author's own.
_PARAMETERS = re.compile(r"\{[{%][^}]*\bparameters\b")


class RetryForm(Form):
    """What is done where a callback fails."""

    example: ClassVar[str | None] = "such as {times: 3, waitMilliseconds: 500}"

    times: Annotated[int, Field(ge=1, le=100, description="How often it is made again."), Spelled]
    wait_milliseconds: Milliseconds = Field(
        default=500.0, description="Before the first time; it doubles with each."
    )


class CallbackForm(Form):
    """The request that is made, and when. Other keys are `parameters` of its templates."""

    model_config = ConfigDict(extra="allow")
    example: ClassVar[str | None] = "such as {method: POST, url: http://127.0.0.1:9001/paid}"

    method: Method = "GET"
    url: Text = Field(description="Where to, with scheme and host; may be a template.")
    headers: dict[HeaderName, HeaderValues] = Field(default_factory=dict)
    body: Text | None = None
    json_body: Json = None
    base64_body: Base64Text | None = None
    body_file_name: Text | None = Field(default=None, description="A file under __files/, a template too.")
    delay: Delay | None = Field(default=None, description="From the answer's end to the request.")
    retry: RetryForm | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        self.at_most_one(CALLBACK_BODY_KINDS)
        extra = self.model_extra or {}
        if extra and self.body_file_name is None and not any(map(_PARAMETERS.search, self._texts())):
            raise unknown_key(next(iter(extra)), self.keys(), self.wiremock)
        return self

    def _texts(self) -> Iterator[str]:
        """What may be a template."""
        yield self.url
        yield str(self.body or self.json_body or "")
        for values in self.headers.values():
            yield from values


def _listener_name(name: str) -> str:
    if name != _WEBHOOK:
        raise RefusedError(f"listener {brief(name)} is not known", f"known: {_WEBHOOK}")
    return name


def _phase(name: str) -> str:
    if name != _PHASE:
        raise RefusedError(f"phase {brief(name)} is not served", f"callbacks are made in {_PHASE}")
    return name


class ListenerForm(Form):
    """What is done after an answer."""

    example: ClassVar[str | None] = (
        "such as {name: webhook, parameters: {method: POST, url: http://127.0.0.1:9001/paid}}"
    )

    name: Annotated[Text, AfterValidator(_listener_name)]
    request_phases: list[Annotated[Text, AfterValidator(_phase)]] = Field(default_factory=list)
    parameters: CallbackForm


def _listed(written: object) -> object:
    """WireMock's oldest form maps names to parameters."""
    if isinstance(written, dict):
        return [{"name": name, "parameters": parameters} for name, parameters in written.items()]
    return written


Listeners = Annotated[list[ListenerForm], BeforeValidator(_listed)]


def to_callback(form: CallbackForm, body: Body | None) -> CallbackDefinition:
    """What is written, with its body as it was loaded."""
    retry = form.retry
    return CallbackDefinition(
        url=form.url,
        method=form.method,
        headers=ungrouped(form.headers),
        body=body,
        delay=form.delay,
        retry=None if retry is None else RetryRule(retry.times, retry.wait_milliseconds),
        parameters={key: plain_json(value) for key, value in (form.model_extra or {}).items()},
    )


def written_listener(callback: CallbackDefinition, delay: dict[str, object] | None) -> dict[str, object]:
    """The listener that makes it; `delay` as the file has it."""
    parameters: dict[str, object] = {"method": callback.method, "url": callback.url}
    if callback.headers:
        parameters["headers"] = grouped(callback.headers)
    if callback.body is not None:
        parameters[callback.body.kind] = callback.body.value
    if delay is not None:
        parameters["delay"] = delay
    if callback.retry is not None:
        parameters["retry"] = {
            "times": callback.retry.times,
            "waitMilliseconds": callback.retry.wait_ms,
        }
    return {"name": _WEBHOOK, "parameters": {**parameters, **callback.parameters}}
