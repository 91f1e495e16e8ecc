"""From the model to the written form, with the keys in the order in which people read them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from mockforge.model.service import Capacity, RateRule, Service, SlowSpells, Timeout
from mockforge.model.stub import (
    DelayDistribution,
    MultipartPattern,
    RequestPattern,
    ResponseDefinition,
    ScenarioStep,
    Stub,
    ValuePattern,
    Variants,
)
from mockforge.stubfiles.callback_form import written_listener
from mockforge.stubfiles.forward_form import written_proxy
from mockforge.stubfiles.headers import grouped
from mockforge.stubfiles.sending_form import written_sending
from mockforge.stubfiles.shorthand import shorthand_of
from mockforge.stubfiles.written import short_number
from mockforge.stubfiles.yaml_dump import FlowList, FlowMapping

__all__ = ["written_service", "written_stub"]

_DEFAULT_PRIORITY = 5
_UNLIMITED = Capacity()


def written_service(service: Service) -> dict[str, object]:
    """The file that describes the service itself."""
    return {"service": dict(_service(service))}


def written_stub(stub: Stub) -> dict[str, object]:
    """A stub's file; ValueError where the file form cannot say what the stub says."""
    return dict(_stub(stub))


def _service(service: Service) -> Iterator[tuple[str, object]]:
    yield "name", service.name
    if service.upstream is not None:
        yield "upstream", service.upstream
    if service.capacity is not None:
        yield "capacity", dict(_capacity(service.capacity))
    if service.pools:
        yield "pools", {name: dict(_capacity(pool)) for name, pool in service.pools.items()}
    if service.slow_spells is not None:
        yield "slowSpells", dict(_slow_spells(service.slow_spells))


def _slow_spells(spells: SlowSpells) -> Iterator[tuple[str, object]]:
    yield "durationsSeconds", FlowList(map(short_number, spells.durations_s))
    yield "gapsSeconds", FlowList(map(short_number, spells.gaps_s))
    yield "share", spells.share
    yield "levels", FlowMapping((short_number(at), short_number(level)) for at, level in spells.levels)


def _capacity(capacity: Capacity) -> Iterator[tuple[str, object]]:
    """Keys as they are read, those left out that say what is so without them."""
    has_station = capacity.servers is not None or capacity.curve
    stalls, cold, idle = capacity.stalls, capacity.cold_start, capacity.after_idle
    written = {
        "servers": capacity.servers,
        "discipline": capacity.discipline if has_station else None,
        "curve": FlowList(map(short_number, capacity.curve)) if capacity.curve else None,
        "most": capacity.most,
        "pacePerSecond": capacity.pace_per_second,
        "queueLimit": capacity.queue_limit,
        "whenFull": _unless(capacity.when_full, _UNLIMITED.when_full),
        "abandoned": None if capacity.abandoned == _UNLIMITED.abandoned else capacity.abandoned,
        "rateLimit": _rate_limit(capacity.rate_limit) if capacity.rate_limit else None,
        "timeout": _timeout(capacity.timeout) if capacity.timeout else None,
        "coldStart": _cold(cold.factor, cold.requests) if cold else None,
        "afterIdle": {"idleMilliseconds": short_number(idle.idle_ms), **_cold(idle.factor, idle.requests)}
        if idle
        else None,
        "stalls": {"gap": _delay(stalls.gap), "duration": _delay(stalls.duration)} if stalls else None,
        "recordedUpTo": capacity.recorded_up_to,
    }
    return ((key, value) for key, value in written.items() if value is not None)


def _unless(answer: ResponseDefinition, default: ResponseDefinition) -> dict[str, object] | None:
    return None if answer == default else dict(_response(answer))


def _rate_limit(rule: RateRule) -> dict[str, object]:
    return {"perSecond": short_number(rule.per_second), "burst": rule.burst, **dict(_response(rule.answer))}


def _timeout(rule: Timeout) -> dict[str, object]:
    return {"afterMilliseconds": short_number(rule.after_ms), **dict(_response(rule.answer))}


def _cold(factor: float, requests: int) -> dict[str, object]:
    return {"factor": short_number(factor), "requests": requests}


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
    if stub.pool is not None:
        yield "pool", stub.pool
    if stub.scenario is not None:
        yield from _scenario(stub.scenario)
    if stub.callbacks:
        delays = (None if each.delay is None else _delay(each.delay) for each in stub.callbacks)
        listeners = map(written_listener, stub.callbacks, delays)
        yield "serveEventListeners", list(listeners)
    if stub.metadata:
        yield "metadata", dict(stub.metadata)


def _scenario(step: ScenarioStep) -> Iterator[tuple[str, object]]:
    yield "scenarioName", step.scenario
    if step.key:
        yield "scenarioKey", FlowList(step.key)
    if step.required is not None:
        yield "requiredScenarioState", step.required
    if step.new is not None:
        yield "newScenarioState", step.new


def _request(pattern: RequestPattern) -> Iterator[tuple[str, object]]:
    methods = pattern.methods
    if methods is None:
        yield "method", pattern.method
    else:
        yield "method", {"noneOf" if methods.excluded else "oneOf": FlowList(methods.names)}
    yield from _connection(pattern)
    if pattern.url is not None:
        yield pattern.url.kind, pattern.url.value
    named = {
        "pathParameters": pattern.path,
        "queryParameters": pattern.query,
        "formParameters": pattern.form,
        "headers": pattern.headers,
    }
    yield from ((key, _values(values)) for key, values in named.items() if values)
    if pattern.basic_auth is not None:
        credentials = pattern.basic_auth
        yield (
            "basicAuthCredentials",
            {"username": credentials.username, "password": credentials.password},
        )
    if pattern.cookies:
        yield "cookies", _values(pattern.cookies)
    if pattern.body:
        yield "bodyPatterns", [_value(value) for value in pattern.body]
    if pattern.multipart:
        yield "multipartPatterns", [dict(_part(part)) for part in pattern.multipart]
    if pattern.custom is not None:
        parameters = {"parameters": dict(pattern.custom.parameters)} if pattern.custom.parameters else {}
        yield "customMatcher", {"name": pattern.custom.name, **parameters}


def _connection(pattern: RequestPattern) -> Iterator[tuple[str, object]]:
    if pattern.scheme is not None:
        yield "scheme", pattern.scheme
    if pattern.host is not None:
        yield "host", _value(pattern.host)
    if pattern.port is not None:
        yield "port", pattern.port
    if pattern.client_ip is not None:
        yield "clientIp", _value(pattern.client_ip)


def _part(pattern: MultipartPattern) -> Iterator[tuple[str, object]]:
    yield "matchingType", pattern.matching_type
    if pattern.name is not None:
        yield "name", pattern.name
    if pattern.file_name is not None:
        yield "fileName", pattern.file_name
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
    yield "status", response.status_template or response.status
    if response.proxy is not None:
        yield from written_proxy(response.proxy).items()
    if response.headers:
        yield "headers", grouped(response.headers)
    if response.body is not None:
        yield response.body.kind, response.body.value
    if response.variants is not None:
        yield "variants", _variants(response.variants)
    if response.transformers:
        yield "transformers", FlowList(response.transformers)
    if response.fixed_delay_ms is not None:
        yield "fixedDelayMilliseconds", short_number(response.fixed_delay_ms)
    if response.delay is not None:
        yield "delayDistribution", _delay(response.delay)
    if response.sending is not None:
        time = response.sending.body_time
        yield from written_sending(response.sending, None if time is None else _delay(time))


def _variants(variants: Variants) -> dict[str, object]:
    by = {"by": FlowList(variants.by)} if variants.by else {}
    return {**by, "file": variants.file_name}


def _delay(delay: DelayDistribution) -> dict[str, object]:
    points = delay.parameters.get("points")
    table = {"points": _table(points)} if isinstance(points, Mapping) else {}
    return {"type": delay.type, **delay.parameters, **table}


def _table(points: Mapping[float, object]) -> FlowMapping:
    """Points on one line, by rising percentile: `{0: 3.1, 50: 9.8}`."""
    return FlowMapping((short_number(float(level)), points[level]) for level in sorted(points, key=float))
