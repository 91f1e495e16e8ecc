"""The written form of `mockforge.yaml`: which keys stand where."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, Field, WithJsonSchema, field_validator, model_validator

from mockforge.stubfiles.mapping import Form
from mockforge.stubfiles.problems import RefusedError, brief
from mockforge.stubfiles.schema import schema_of
from mockforge.stubfiles.values import Milliseconds, Upstream
from mockforge.stubfiles.written import Flag, Json, Spelled, Text

__all__ = ["ProjectForm", "ServiceEntryForm", "project_schema"]

_NAME = re.compile(r"[A-Za-z0-9][\w.-]*", re.ASCII)
_HOST = re.compile(r"(?:\*\.)?[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?", re.ASCII)
_BOUND_SCHEMA = {"type": ["string", "number"]}
_TOLERANCES_SCHEMA = {
    "anyOf": [
        {"type": "array", "items": {"type": "string"}},
        {
            "type": "object",
            "additionalProperties": {
                "anyOf": [_BOUND_SCHEMA, {"type": "object", "additionalProperties": _BOUND_SCHEMA}]
            },
        },
    ]
}


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise RefusedError(f"{brief(text)} is not a service's name", "letters, digits, . _ and -")
    return text


def _host(text: str) -> str:
    if not _HOST.fullmatch(text):
        raise RefusedError(
            f"{brief(text)} is not a host name", "such as orders.local or *.orders.local, without a port"
        )
    return text.lower()


ServiceName = Annotated[Text, AfterValidator(_name)]
HostName = Annotated[Text, AfterValidator(_host)]
PortNumber = Annotated[int, Field(ge=0, le=65_535, description="0 takes a free one."), Spelled]
Seed = Annotated[int, Field(ge=0, description="Of every random draw."), Spelled]


class ServiceEntryForm(Form):
    """One service of the project."""

    example: ClassVar[str | None] = "such as {name: orders, port: 8081, stubs: stubs/orders}"

    name: ServiceName
    port: PortNumber = Field(description="Where its callers come, served or recorded.")
    host: HostName | None = Field(default=None, description="Tells services of one port apart.")
    stubs: Text | None = Field(default=None, description="A folder or file; stubs/NAME where left out.")
    upstream: Upstream | None = Field(default=None, description="The backend that it stands for.")
    seed: Seed | None = None
    proxy_unmatched: Annotated[Flag, Field(description="What matches no stub goes on to the upstream.")] = (
        False
    )

    @model_validator(mode="after")
    def _knows_where_to(self) -> Self:
        if self.proxy_unmatched and self.upstream is None:
            raise RefusedError("proxyUnmatched needs an upstream", "such as upstream: http://127.0.0.1:9000")
        return self


class ProjectForm(Form):
    """The project's file."""

    example: ClassVar[str | None] = "services: [{name: orders, port: 8081, stubs: stubs/orders}]"

    services: list[ServiceEntryForm]
    tolerances: Annotated[Json, WithJsonSchema(_TOLERANCES_SCHEMA)] = None
    tolerance_floor_milliseconds: Milliseconds | None = Field(
        default=None, description="A latency's deviation of less than this is none."
    )
    redaction: Json = Field(default=None, description="Rules beside the defaults, or their file.")

    @field_validator("services")
    @classmethod
    def _some(cls, services: list[ServiceEntryForm]) -> list[ServiceEntryForm]:
        if not services:
            raise RefusedError("the list is empty", cls.example)
        return services


def project_schema() -> dict[str, object]:
    """The JSON Schema of a project's file, for editors."""
    return schema_of(ProjectForm, "MockForge project file")
