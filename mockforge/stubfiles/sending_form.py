"""The keys of a response that say how its bytes go out: pace, server-sent events, faults."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, cast

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ModelWrapValidatorHandler,
    WithJsonSchema,
    WrapValidator,
    model_validator,
)

from mockforge.delays.faults import FAULTS
from mockforge.model.sending import (
    Dribble,
    EventStream,
    FaultDefinition,
    SendingDefinition,
    ServerSentEvent,
)
from mockforge.stubfiles.mapping import Form
from mockforge.stubfiles.pattern_form import OrText
from mockforge.stubfiles.problems import RefusedError, brief
from mockforge.stubfiles.values import Milliseconds
from mockforge.stubfiles.written import Flag, Json, Scalar, Spelled, Text, as_text, short_number

__all__ = [
    "SENDING_KEYS",
    "Bandwidth",
    "DribbleForm",
    "EventStreamForm",
    "Fault",
    "Probability",
    "check_sending",
    "to_sending",
    "written_sending",
]

_PACES = ("chunkedDribbleDelay", "bandwidth", "bodyTime")
SENDING_KEYS = (*_PACES, "serverSentEvents", "fault", "faultProbability")

_RATE = re.compile(r"(\d+(?:\.\d*)?)\s*([kKMG]i?)?B/s")
_UNITS = {"": 1, "K": 1e3, "M": 1e6, "G": 1e9, "KI": 1024, "MI": 1024**2, "GI": 1024**3}
_RATE_EXAMPLE = "such as 50KB/s, 2MiB/s, or a number of bytes a second"
_FOR_EVER = "forever"
_MOST_PIECES = 100_000


class DribbleForm(Form):
    """A body in pieces: the head at the answer's time, and the last piece `totalDuration` later."""

    example: ClassVar[str | None] = "such as {numberOfChunks: 5, totalDuration: 1000}"

    number_of_chunks: Annotated[int, Field(ge=1, le=_MOST_PIECES), Spelled]
    total_duration: Milliseconds


def _bandwidth(written: object) -> float:
    value = written.value if isinstance(written, Scalar) else written
    if isinstance(value, str):
        found = _RATE.fullmatch(value.strip())
        if found is None:
            raise RefusedError(f"{brief(written)} is no rate", _RATE_EXAMPLE)
        value = float(found[1]) * _UNITS[(found[2] or "").upper()]
    if isinstance(value, bool) or not isinstance(value, int | float) or not 1 <= value <= 1e12:
        raise RefusedError(f"must be a rate of at least 1 B/s, not {brief(written)}", _RATE_EXAMPLE)
    return float(value)


def _one_line(text: str) -> str:
    if "\n" in text or "\r" in text or "\0" in text:
        raise RefusedError(f"{brief(text)} must be one line")
    return text


class ServerSentEventForm(Form):
    """One event; `data` is a text or JSON."""

    example: ClassVar[str | None] = "such as {data: hello, delay: 100ms}"

    delay: Milliseconds = Field(default=0.0, description="After the event before; the first: the head.")
    id: Annotated[Text, AfterValidator(_one_line)] | None = None
    event: Annotated[Text, AfterValidator(_one_line)] | None = None
    retry: Annotated[int, Field(ge=0), Spelled] | None = Field(default=None, description="ms")
    comment: Text | None = None
    data: Json = None

    @model_validator(mode="after")
    def _something(self) -> ServerSentEventForm:
        if not self.written(("id", "event", "retry", "comment", "data")):
            raise RefusedError("sends nothing", self.example)
        return self


def _rounds(written: object) -> object:
    return None if as_text(written) == _FOR_EVER else written


class EventStreamForm(Form):
    """A stream of server-sent events, in place of a body."""

    example: ClassVar[str | None] = "such as {events: [{data: tick, delay: 1s}], repeat: forever}"

    events: Annotated[list[ServerSentEventForm], Field(min_length=1)]
    repeat: Annotated[
        Annotated[int, Field(ge=1), Spelled] | None,
        BeforeValidator(_rounds),
        WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 1}, {"const": _FOR_EVER}]}),
    ] = Field(default=1, description="So many times over, or forever.")
    stay_open: Flag = Field(default=False, description="Do not end the stream after the last event.")

    @model_validator(mode="after")
    def _takes_time(self) -> EventStreamForm:
        if self.repeat is None and not sum(event.delay for event in self.events):
            raise RefusedError("events for ever need a delay", "such as delay: 1s on one of them")
        return self


def _fault_kind(name: str) -> str:
    if name not in FAULTS:
        raise RefusedError(f"{brief(name)} is not known", f"known: {', '.join(FAULTS)}")
    return name


class FaultForm(Form):
    """A fault with what it may be told."""

    example: ClassVar[str | None] = "such as EMPTY_RESPONSE, or {type: TRUNCATED_BODY, afterBytes: 100}"

    type: Annotated[Text, AfterValidator(_fault_kind), WithJsonSchema({"enum": list(FAULTS)})]
    after_bytes: Annotated[int, Field(ge=0), Spelled] | None = None
    duration: Milliseconds | None = None

    @model_validator(mode="after")
    def _its_own(self) -> FaultForm:
        takes = FAULTS[self.type].takes
        for key in self.written(("afterBytes", "duration")):
            if key not in takes:
                known = f"it takes {', '.join(takes)}" if takes else "it takes nothing"
                raise RefusedError(f"{key} says nothing to {self.type}", known)
        return self


def _one_fault(written: object, validate: ModelWrapValidatorHandler[FaultForm]) -> FaultForm:
    """A fault without parameters stands as a string, as in WireMock."""
    text = as_text(written)
    return (
        FaultForm.model_construct(type=_fault_kind(text), _fields_set={"type"})
        if isinstance(text, str)
        else validate(written)
    )


Bandwidth = Annotated[
    float, BeforeValidator(_bandwidth), WithJsonSchema({"type": ["string", "number"]}, mode="validation")
]
Fault = Annotated[FaultForm, WrapValidator(_one_fault), OrText("CONNECTION_RESET_BY_PEER")]
Probability = Annotated[float, Field(ge=0, le=1, description="How often the fault comes."), Spelled]


def check_sending(form: Form, bodies: tuple[str, ...]) -> None:
    """RefusedError where keys of sending do not go together; `bodies` are the keys of a body."""
    form.at_most_one(_PACES)
    written = cast("dict[str, Any]", form.written(SENDING_KEYS))
    if "faultProbability" in written and "fault" not in written:
        raise RefusedError("faultProbability goes with fault", FaultForm.example)
    if "serverSentEvents" in written:
        for key in (*form.written(bodies), *form.written(_PACES)):
            raise RefusedError(f"{key} and serverSentEvents exclude one another", "the events are the body")
    if form.written(("proxyBaseUrl",)):
        for key in (*form.written(_PACES), *form.written(("serverSentEvents",))):
            raise RefusedError(f"{key} and proxyBaseUrl exclude one another", "the upstream sets the pace")
        if "fault" in written and FAULTS[written["fault"].type].needs_answer:
            raise RefusedError(
                f"fault {written['fault'].type} sends part of an answer, and proxyBaseUrl has none",
                f"possible: {', '.join(name for name, kind in FAULTS.items() if not kind.needs_answer)}",
            )


def to_sending(form: Form) -> SendingDefinition | None:
    """What is written, where anything is."""
    written = cast("dict[str, Any]", form.written(SENDING_KEYS))
    if not written:
        return None
    dribble: DribbleForm | None = written.get("chunkedDribbleDelay")
    fault: FaultForm | None = written.get("fault")
    stream: EventStreamForm | None = written.get("serverSentEvents")
    return SendingDefinition(
        dribble=Dribble(dribble.number_of_chunks, dribble.total_duration) if dribble else None,
        bandwidth=written.get("bandwidth"),
        body_time=written.get("bodyTime"),
        events=EventStream(tuple(map(_event, stream.events)), stream.repeat, stream.stay_open)
        if stream
        else None,
        fault=FaultDefinition(
            fault.type, written.get("faultProbability", 1.0), fault.after_bytes, fault.duration
        )
        if fault
        else None,
    )


def _event(form: ServerSentEventForm) -> ServerSentEvent:
    return ServerSentEvent(form.data, form.event, form.id, form.retry, form.comment, form.delay)


def written_sending(
    sending: SendingDefinition, body_time: dict[str, object] | None
) -> Iterator[tuple[str, object]]:
    """The keys that say it; `body_time` as the file has it."""
    dribble, fault = sending.dribble, sending.fault
    if dribble is not None:
        yield (
            "chunkedDribbleDelay",
            {"numberOfChunks": dribble.pieces, "totalDuration": short_number(dribble.total_ms)},
        )
    if sending.bandwidth is not None:
        yield "bandwidth", short_number(sending.bandwidth)
    if body_time is not None:
        yield "bodyTime", body_time
    if sending.events is not None:
        yield "serverSentEvents", _written_stream(sending.events)
    if fault is not None:
        told = {"afterBytes": fault.after_bytes, "duration": fault.duration_ms}
        told = {key: short_number(value) for key, value in told.items() if value is not None}
        yield "fault", {"type": fault.kind, **told} if told else fault.kind
        if fault.probability != 1:
            yield "faultProbability", fault.probability


def _written_stream(stream: EventStream) -> dict[str, object]:
    written: dict[str, object] = {"events": [dict(_written_event(event)) for event in stream.events]}
    if stream.rounds != 1:
        written["repeat"] = _FOR_EVER if stream.rounds is None else stream.rounds
    if stream.stays_open:
        written["stayOpen"] = True
    return written


def _written_event(event: ServerSentEvent) -> Iterator[tuple[str, object]]:
    if event.delay_ms:
        yield "delay", short_number(event.delay_ms)
    told = {
        "id": event.id,
        "event": event.event,
        "retry": event.retry_ms,
        "comment": event.comment,
        "data": event.data,
    }
    yield from ((key, value) for key, value in told.items() if value is not None)
