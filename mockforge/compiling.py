"""What a service is compiled to before it decides anything: written stubs become matchers, bytes and laws.

All that cannot be served is refused here, every stub's problems at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import accumulate
from random import Random

from mockforge.delays.distributions import Distribution, compile_distribution
from mockforge.delays.event_stream import STREAM_HEADERS
from mockforge.delays.sending import CompiledSending, compile_sending
from mockforge.delays.station_of import station_of
from mockforge.errors import StubFileError
from mockforge.forwarding.callbacks import Callback, compile_callback
from mockforge.forwarding.proxied import CompiledForward, compile_forward
from mockforge.matching.index import StubIndex
from mockforge.matching.parameters import ParameterKey, compile_parameters
from mockforge.matching.request import RequestMatcher
from mockforge.matching.url import template_regex
from mockforge.model.headers import Headers
from mockforge.model.response import UNKNOWN_LENGTH, RenderedResponse
from mockforge.model.service import DEFAULT_POOL, Capacity, Service
from mockforge.model.stub import ResponseDefinition, ScenarioStep, Stub, Variants
from mockforge.state.pools import PoolAnswer, PoolRule
from mockforge.state.steps import Step, compile_step
from mockforge.templating.rendering import AnswerTemplate, compile_answer

__all__ = ["CompiledResponse", "CompiledService", "CompiledStub", "VariantTable", "compile_service"]

#: Fields that say how a body is sent, and for how long a connection lasts: whoever sends it writes them.
_FRAMING = ("content-length", "transfer-encoding", "connection", "keep-alive")


@dataclass(frozen=True, slots=True)
class VariantTable:
    """Rendered variants; `by_key` gives the rows recorded for a key."""

    key_of: ParameterKey
    rows: tuple[RenderedResponse, ...]
    by_key: dict[tuple[str, ...], tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class CompiledResponse:
    """One answer of a stub: its bytes, or how to make them, and the laws of its delay."""

    rendered: RenderedResponse
    fixed_ns: int
    delays: tuple[Distribution, ...]
    variants: VariantTable | None
    template: AnswerTemplate | None
    forward: CompiledForward | None
    sending: CompiledSending | None

    @property
    def is_static(self) -> bool:
        """Whether it is always the same bytes after the same time."""
        return not (self.delays or self.variants or self.template or self.forward or self.sending)


@dataclass(frozen=True, slots=True)
class CompiledStub:
    name: str
    matcher: RequestMatcher
    path_template: re.Pattern[str] | None
    responses: tuple[CompiledResponse, ...]
    cumulative_shares: tuple[float, ...]
    #: The answer of a stub that always gives the same one after the same time.
    static: CompiledResponse | None
    #: Where it waits before its delay runs, if anywhere.
    pool: PoolRule | None
    scenario: Step | None
    callbacks: tuple[Callback, ...]
    #: Whether anything that it makes is made of its request.
    asks: bool


@dataclass(frozen=True, slots=True)
class CompiledService:
    """A service ready to decide. Single stubs may be edited in the index; `service` is as it was compiled."""

    service: Service
    index: StubIndex[CompiledStub]
    #: By name; None for one that nothing ever waits at.
    pools: Mapping[str, PoolRule | None]

    def steps(self) -> Iterator[ScenarioStep]:
        """Every stub's step in a scenario."""
        return (stub.scenario for _, stub, _ in self.index.numbered() if stub.scenario is not None)

    def of(self, stubs: Iterable[tuple[Stub, CompiledStub]]) -> CompiledService:
        """The same service with other stubs, compiled for its pools."""
        index: StubIndex[CompiledStub] = StubIndex()
        written = []
        for stub, compiled in stubs:
            index.add(stub, compiled.matcher, compiled)
            written.append(stub)
        return CompiledService(replace(self.service, stubs=tuple(written)), index, self.pools)


def compile_service(service: Service) -> CompiledService:
    """Compile every stub; raises one StubFileError that lists all problems, each with its place."""
    index: StubIndex[CompiledStub] = StubIndex()
    problems: list[str] = []
    pools = _compile_pools(service)
    for stub in service.stubs:
        try:
            compiled = compile_stub(stub, pools)
            index.add(stub, compiled.matcher, compiled)
        except StubFileError as error:
            problems += error.problems
    if problems:
        raise StubFileError(f"{len(problems)} stubs cannot be served", problems=tuple(problems))
    return CompiledService(service, index, pools)


def compile_stub(stub: Stub, pools: Mapping[str, PoolRule | None]) -> CompiledStub:
    """Compile one stub of a service with these pools; raises StubFileError with its place."""
    try:
        return _compile_stub(stub, pools)
    except StubFileError as error:
        where = f"{stub.place}: " if stub.place else ""
        problem = f"{where}stub {stub.name!r}: {error}"
        raise StubFileError("1 stubs cannot be served", problems=(problem,)) from None


def _compile_pools(service: Service) -> Mapping[str, PoolRule | None]:
    """By name; None for one that nothing ever waits at."""
    written = dict(service.pools)
    if service.capacity is not None:
        written[DEFAULT_POOL] = service.capacity
    return {name: _compile_pool(name, capacity) for name, capacity in written.items()}


def _compile_pool(name: str, capacity: Capacity) -> PoolRule | None:
    if capacity == Capacity():
        return None
    limited = capacity.rate_limit.answer if capacity.rate_limit else capacity.when_full
    try:
        station_of(capacity, Random(0))
    except ValueError as error:
        raise StubFileError(f"pool {name!r}: {error}") from None
    late = capacity.timeout
    return PoolRule(
        name,
        capacity,
        _pool_answer(capacity.when_full),
        _pool_answer(limited),
        _pool_answer(replace(late.answer, fixed_delay_ms=late.after_ms)) if late else None,
    )


def _pool_answer(response: ResponseDefinition) -> PoolAnswer:
    compiled = _compile_response(response, None)
    return PoolAnswer(compiled.rendered, compiled.fixed_ns)


def _compile_stub(stub: Stub, pools: Mapping[str, PoolRule | None]) -> CompiledStub:
    if stub.pool is not None and stub.pool not in pools:
        raise StubFileError(f"{stub.pool!r} is none of the service's pools")
    pool = pools.get(stub.pool or DEFAULT_POOL)
    shares = [1.0 if response.share is None else response.share for response in stub.responses]
    url = stub.request.url
    template = template_regex(url.value) if url is not None and url.kind == "urlPathTemplate" else None
    responses = tuple(_compile_response(response, template) for response in stub.responses)
    return CompiledStub(
        name=stub.name,
        matcher=RequestMatcher(stub.request),
        path_template=template,
        responses=responses,
        cumulative_shares=tuple(accumulate(shares)),
        static=responses[0] if _is_plain(stub, responses) and pool is None else None,
        pool=pool,
        scenario=compile_step(stub.scenario, template),
        callbacks=tuple(compile_callback(each) for each in stub.callbacks),
        asks=bool(stub.callbacks) or any(each.template or each.forward for each in responses),
    )


def _is_plain(stub: Stub, responses: tuple[CompiledResponse, ...]) -> bool:
    """Whether a stub has one answer, always the same, in whatever state."""
    return len(responses) == 1 and responses[0].is_static and stub.scenario is None and not stub.callbacks


def _compile_response(response: ResponseDefinition, path: re.Pattern[str] | None) -> CompiledResponse:
    delays = (compile_distribution(response.delay),) if response.delay is not None else ()
    fixed_ns = round((response.fixed_delay_ms or 0) * 1e6)
    rendered = _render(response)
    variants = _compile_variants(rendered, response.variants, path) if response.variants else None
    template = None
    if response.transformers and response.proxy is None:
        rendered, template = compile_answer(rendered, response)
    forward = None
    if response.proxy is not None:
        templated = bool(response.transformers)
        forward = compile_forward(response.proxy, rendered.headers, templated=templated)
    sending = compile_sending(response.sending, response.body.file if response.body else None)
    return CompiledResponse(rendered, fixed_ns, delays, variants, template, forward, sending)


def _render(response: ResponseDefinition) -> RenderedResponse:
    headers = _raw(response.headers)
    if response.sending is not None and response.sending.events is not None:
        added = tuple(pair for pair in STREAM_HEADERS if response.headers.get(pair[0].decode()) is None)
        return RenderedResponse(response.status, headers + added, b"", UNKNOWN_LENGTH)
    body = response.body
    if body is None:
        return RenderedResponse(response.status, headers, b"")
    return RenderedResponse(response.status, headers, body.content(), body.file.size if body.file else None)


def _raw(headers: Headers) -> tuple[tuple[bytes, bytes], ...]:
    return tuple(headers.without(_FRAMING).raw())


def _compile_variants(
    rendered: RenderedResponse, variants: Variants, path: re.Pattern[str] | None
) -> VariantTable:
    if not variants.rows:
        raise StubFileError(
            f"variants file {variants.file_name!r} has no rows", hint="one JSON object a line"
        )
    rows = tuple(
        RenderedResponse(
            rendered.status if row.status is None else row.status,
            rendered.headers + _raw(row.headers),
            row.body.content() if row.body else rendered.body,
        )
        for row in variants.rows
    )
    by_key: dict[tuple[str, ...], tuple[int, ...]] = {}
    for number, row in enumerate(variants.rows if variants.by else ()):
        by_key[row.when] = (*by_key.get(row.when, ()), number)
    return VariantTable(compile_parameters(variants.by, path), rows, by_key)
