"""From the model to the written form, with the keys in the order in which people read them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from mockforge.model.service import Service
from mockforge.model.stub import (
    DelayDistribution,
    RequestPattern,
    ResponseDefinition,
    Stub,
    ValuePattern,
    Variants,
)
from mockforge.stubfiles.headers import grouped
from mockforge.stubfiles.shorthand import shorthand_of
from mockforge.stubfiles.yaml_dump import FlowList, FlowMapping

__all__ = ["written_service", "written_stub"]

_DEFAULT_PRIORITY = 5


def written_service(service: Service) -> dict[str, object]:
    """The file that describes the service itself."""
    described = {"name": service.name}
    if service.upstream is not None:
        described["upstream"] = service.upstream
    return {"service": described}


def written_stub(stub: Stub) -> dict[str, object]:
    """A stub's file; ValueError where the file form cannot say what the stub says."""
    return dict(_stub(stub))


def _stub(stub: Stub) -> Iterator[tuple[str, object]]:
    yield "name", stub.name
    if stub.id is not None:
        yield "id", stub.id
    if stub.priority != _DEFAULT_PRIORITY:
        yield "priority", stub.priority
    yield "request", shorthand_of(stub.request) or dict(_request(stub.request))
    if not stub.responses:
        raise ValueError(f"stub {stub.name!r} has no response")
    written = [dict(_response(response)) for response in stub.responses]
    yield ("response", written[0]) if len(written) == 1 else ("responses", written)
    if stub.metadata:
        yield "metadata", dict(stub.metadata)


def _request(pattern: RequestPattern) -> Iterator[tuple[str, object]]:
    yield "method", pattern.method
    if pattern.url is not None:
        yield pattern.url.kind, pattern.url.value
    if pattern.query:
        yield "queryParameters", _values(pattern.query)
    if pattern.headers:
        yield "headers", _values(pattern.headers)
    if pattern.body:
        yield "bodyPatterns", [_value(value) for value in pattern.body]


def _values(patterns: Iterable[tuple[str, ValuePattern]]) -> dict[str, object]:
    patterns = tuple(patterns)
    repeated = [name for name, times in Counter(name for name, _ in patterns).items() if times > 1]
    if repeated:
        raise ValueError(f"two patterns for {repeated[0]!r}: a file has one for each name")
    return {name: _value(value) for name, value in patterns}


def _value(pattern: ValuePattern) -> dict[str, object]:
    operand = pattern.operand
    return {pattern.operator: dict(operand) if isinstance(operand, Mapping) else operand, **pattern.options}


def _response(response: ResponseDefinition) -> Iterator[tuple[str, object]]:
    if response.share is not None:
        yield "share", response.share
    yield "status", response.status
    if response.headers:
        yield "headers", grouped(response.headers)
    if response.body is not None:
        yield response.body.kind, response.body.value
    if response.variants is not None:
        yield "variants", _variants(response.variants)
    if response.transformers:
        yield "transformers", FlowList(response.transformers)
    if response.fixed_delay_ms is not None:
        yield "fixedDelayMilliseconds", _short(response.fixed_delay_ms)
    if response.delay is not None:
        yield "delayDistribution", _delay(response.delay)


def _variants(variants: Variants) -> dict[str, object]:
    by = {"by": FlowList(variants.by)} if variants.by else {}
    return {**by, "file": variants.file_name}


def _delay(delay: DelayDistribution) -> dict[str, object]:
    points = delay.parameters.get("points")
    table = {"points": _table(points)} if isinstance(points, Mapping) else {}
    return {"type": delay.type, **delay.parameters, **table}


def _table(points: Mapping[float, object]) -> FlowMapping:
    """Points on one line, by rising percentile: `{0: 3.1, 50: 9.8}`."""
    return FlowMapping((_short(float(level)), points[level]) for level in sorted(points, key=float))


def _short(number: float) -> int | float:
    return int(number) if float(number).is_integer() else number
