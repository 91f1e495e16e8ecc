"""The written form of a capacity: the station that requests wait at before their service time runs."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, WithJsonSchema, field_validator, model_validator

from mockforge.model.service import DEFAULT_POOL
from mockforge.stubfiles.mapping import Form
from mockforge.stubfiles.problems import RefusedError, brief
from mockforge.stubfiles.values import AnswerHeaders, Base64Text, Delay, Milliseconds, Name, Status
from mockforge.stubfiles.written import Json, Spelled, Text

__all__ = [
    "ANSWER_BODY_KINDS",
    "AfterIdleForm",
    "AnswerForm",
    "CapacityForm",
    "ColdStartForm",
    "PoolName",
    "RateLimitForm",
    "StallsForm",
    "TimeoutForm",
]

ANSWER_BODY_KINDS = ("body", "jsonBody", "base64Body")
_DISCIPLINES = ("fifo", "ps")
_ABANDONED = ("keeps", "frees")
#: What no machine has, and what a curve of so many values still fits into memory for.
_MOST_SERVERS = 100_000
#: One a day.
_LEAST_PER_SECOND = 1e-5
#: The first of a curve's values, which is 1, may be off by its last digits.
_ROUNDED = 1e-6


def _discipline(text: str) -> str:
    return _one_of(_DISCIPLINES, text)


def _abandoned(text: str) -> str:
    return _one_of(_ABANDONED, text)


def _one_of(known: tuple[str, ...], text: str) -> str:
    if text not in known:
        raise RefusedError(f"{brief(text)} is not known", f"known: {', '.join(known)}")
    return text


def _pool_name(name: str) -> str:
    if name == DEFAULT_POOL:
        raise RefusedError(
            f"{name!r} is what the service's own capacity is called", "name the pool otherwise"
        )
    return name


Count = Annotated[int, Field(ge=1), Spelled]
PoolName = Annotated[Name, AfterValidator(_pool_name)]


class AnswerForm(Form):
    """What a request gets that is not let in; 503 of a full queue, 429 of a rate limit, unless written."""

    example: ClassVar[str | None] = "such as {status: 503, body: too busy}"

    status: Status | None = None
    headers: AnswerHeaders = Field(default_factory=dict)
    body: Text | None = None
    json_body: Json = None
    base64_body: Base64Text | None = None
    fixed_delay_milliseconds: Milliseconds | None = None

    @model_validator(mode="after")
    def _one_body(self) -> AnswerForm:
        self.at_most_one(ANSWER_BODY_KINDS)
        return self


def _passable(per_second: float) -> float:
    if per_second < _LEAST_PER_SECOND:
        raise RefusedError(f"is {per_second:g}, which lets nothing in", "requests a second")
    return per_second


class RateLimitForm(AnswerForm):
    """So many requests a second; what is beyond is told when to come again, by Retry-After."""

    example: ClassVar[str | None] = "such as {perSecond: 50, burst: 10}"

    per_second: Annotated[float, Field(allow_inf_nan=False), Spelled]
    burst: Count = 1

    @field_validator("per_second")
    @classmethod
    def _lets_something_in(cls, per_second: float) -> float:
        return _passable(per_second)


class TimeoutForm(AnswerForm):
    """How long a request may take, and what it gets then; 504 unless written."""

    example: ClassVar[str | None] = "such as {afterMilliseconds: 2000, status: 504, body: timed out}"

    after_milliseconds: Annotated[float, Field(gt=0, allow_inf_nan=False), Spelled]

    @model_validator(mode="after")
    def _one_time(self) -> TimeoutForm:
        if self.fixed_delay_milliseconds is not None:
            raise RefusedError(
                "fixedDelayMilliseconds does not go with a timeout", "afterMilliseconds says when"
            )
        return self


class ColdStartForm(Form):
    """So many times as much is asked for by the first requests after the start."""

    example: ClassVar[str | None] = "such as {factor: 3, requests: 20}"

    factor: Annotated[float, Field(ge=1, allow_inf_nan=False), Spelled] = Field(
        description="So many times as much is asked for while cold."
    )
    requests: Count = Field(default=1, description="So many requests are cold.")


class AfterIdleForm(ColdStartForm):
    """So many times as much is asked for by the first requests after a time in which nobody asked."""

    example: ClassVar[str | None] = "such as {idleMilliseconds: 60000, factor: 3}"

    idle_milliseconds: Annotated[float, Field(gt=0, allow_inf_nan=False), Spelled]


class StallsForm(Form):
    """Times in which nothing completes, and the gaps between them; each a law as delayDistribution has it."""

    example: ClassVar[str | None] = (
        "such as {gap: {type: uniform, lower: 5000, upper: 9000}, duration: {type: fixed, milliseconds: 200}}"
    )

    gap: Delay = Field(description="From the end of a stall to the next, in ms.")
    duration: Delay = Field(description="How long nothing completes, in ms.")


class CapacityForm(Form):
    """The station that requests wait at before their service time runs."""

    example: ClassVar[str | None] = "such as {servers: 8, queueLimit: 256}, or {discipline: ps, servers: 4}"

    servers: Annotated[int, Field(ge=1, le=_MOST_SERVERS), Spelled] | None = None
    discipline: (
        Annotated[Text, AfterValidator(_discipline), WithJsonSchema({"enum": list(_DISCIPLINES)})] | None
    ) = None
    curve: list[Annotated[float, Field(allow_inf_nan=False), Spelled]] | None = Field(
        default=None, description="Rate of completions with n requests in progress over that with one."
    )
    most: Count | None = Field(default=None, description="Under ps: so many share, the others wait.")
    pace_per_second: Annotated[float, Field(allow_inf_nan=False), Spelled] | None = Field(
        default=None, description="A gate before the station: so many pass a second, one by one; others wait."
    )
    queue_limit: Annotated[int, Field(ge=0), Spelled] | None = Field(
        default=None, description="So many may wait; under ps without most, so many may be in progress."
    )
    when_full: AnswerForm | None = None
    abandoned: (
        Annotated[Text, AfterValidator(_abandoned), WithJsonSchema({"enum": list(_ABANDONED)})] | None
    ) = Field(default=None, description="What becomes of the place of who left, or whose time was up.")
    rate_limit: RateLimitForm | None = None
    timeout: TimeoutForm | None = None
    cold_start: ColdStartForm | None = None
    after_idle: AfterIdleForm | None = None
    stalls: StallsForm | None = None
    recorded_up_to: Count | None = Field(default=None, description="The most in flight when recorded.")

    @field_validator("curve")
    @classmethod
    def _curve(cls, curve: list[float] | None) -> list[float] | None:
        for n, rate in enumerate(curve or (), 1):
            if rate <= 0:
                raise RefusedError(f"is {rate:g} for {n} in progress: nothing would complete", "above 0")
        if curve == []:
            raise RefusedError("is empty", "such as [1, 1.6, 1.9]")
        if curve and not math.isclose(curve[0], 1, rel_tol=_ROUNDED):
            raise RefusedError(
                f"begins with {curve[0]:g}", "it is relative to one in progress: the first is 1"
            )
        return curve

    @field_validator("pace_per_second")
    @classmethod
    def _lets_something_pass(cls, pace: float | None) -> float | None:
        return None if pace is None else _passable(pace)

    @model_validator(mode="after")
    def _possible(self) -> CapacityForm:
        self.at_most_one(("servers", "curve"))
        shared = self.shares()
        if not shared:
            for key in self.written(("curve", "most")):
                raise RefusedError(
                    f"{key} goes with discipline ps", "under fifo, say how many servers there are"
                )
        if self.servers is None and self.curve is None:
            of_queues = ("queueLimit",) if self.pace_per_second is None else ()
            for key in self.written(("discipline", "most", *of_queues)):
                raise RefusedError(f"{key} needs servers or a curve", "without them nothing waits")
        if shared and self.most is None and self.queue_limit == 0:
            raise RefusedError(
                "queueLimit is 0: nothing would be let in",
                "under ps without most it counts those in progress",
            )
        return self

    def shares(self) -> bool:
        """Whether requests share what there is, as a curve says unless the discipline does."""
        return self.discipline == "ps" or (self.discipline is None and self.curve is not None)
