"""Capacities as they are written: what they become, and what is refused where it stands."""

from __future__ import annotations

from typing import Any

import pytest

from mockforge.model.headers import Headers
from mockforge.model.service import AfterIdle, Capacity, ColdStart, RateRule, StallLaws, Timeout
from mockforge.model.stub import Body, DelayDistribution, ResponseDefinition
from mockforge.stubfiles.capacity_form import (
    AfterIdleForm,
    AnswerForm,
    CapacityForm,
    ColdStartForm,
    RateLimitForm,
    StallsForm,
    TimeoutForm,
)
from mockforge.stubfiles.schema import stub_file_schema

SERVICE = "service:\n  name: orders\n  capacity: "


def capacity(folder: Any, written: str) -> Capacity:
    folder.put("service.yaml", SERVICE + written + "\n")
    read = folder.read().capacity
    assert isinstance(read, Capacity)
    return read


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("{servers: 8}", Capacity(servers=8)),
        ("{servers: 8, discipline: fifo, queueLimit: 0}", Capacity(servers=8, queue_limit=0)),
        ("{servers: 8, discipline: ps}", Capacity(servers=8, discipline="ps")),
        ("{curve: [1, 1.5]}", Capacity(discipline="ps", curve=(1.0, 1.5))),
        ("{curve: [1, 0.8], most: 4}", Capacity(discipline="ps", curve=(1.0, 0.8), most=4)),
        ("{abandoned: frees, servers: 1}", Capacity(servers=1, abandoned="frees")),
        ("{recordedUpTo: 40}", Capacity(recorded_up_to=40)),
        ("{}", Capacity()),
        ("{timeout: {afterMilliseconds: 2000}}", Capacity(timeout=Timeout(2_000))),
        (
            "{timeout: {afterMilliseconds: 0.5, status: 503, body: late}}",
            Capacity(timeout=Timeout(0.5, ResponseDefinition(503, body=Body("body", "late")))),
        ),
        ("{coldStart: {factor: 3.5, requests: 20}}", Capacity(cold_start=ColdStart(3.5, 20))),
        ("{coldStart: {factor: 2}}", Capacity(cold_start=ColdStart(2))),
        (
            "{afterIdle: {idleMilliseconds: 60000, factor: 4, requests: 2}}",
            Capacity(after_idle=AfterIdle(60_000, 4, 2)),
        ),
        ("{rateLimit: {perSecond: 50}}", Capacity(rate_limit=RateRule(50.0))),
        (
            "{rateLimit: {perSecond: 0.5, burst: 3, status: 503}}",
            Capacity(rate_limit=RateRule(0.5, 3, ResponseDefinition(503))),
        ),
        (
            "{servers: 1, whenFull: {headers: {Retry-After: 1}, jsonBody: {busy: true}, "
            "fixedDelayMilliseconds: 2}}",
            Capacity(
                servers=1,
                when_full=ResponseDefinition(
                    503, Headers((("Retry-After", "1"),)), Body("jsonBody", {"busy": True}), fixed_delay_ms=2
                ),
            ),
        ),
        (
            "{stalls: {gap: {type: fixed, milliseconds: 90}, duration: {type: uniform, lower: 1, upper: 9}}}",
            Capacity(
                stalls=StallLaws(
                    DelayDistribution("fixed", {"milliseconds": 90}),
                    DelayDistribution("uniform", {"lower": 1, "upper": 9}),
                )
            ),
        ),
    ],
)
def test_a_capacity_is_what_is_written(folder: Any, written: str, expected: Capacity) -> None:
    assert capacity(folder, written) == expected


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("{servers: 0}", "servers: must be at least 1, not 0"),
        ("{servers: 200000}", "servers: must be at most 100000, not 200000"),
        ("{servers: 2.5}", "servers: must be a whole number, not 2.5"),
        ("{server: 2}", "server: unknown key 'server', did you mean 'servers'?"),
        ("{servers: 2, queueLimit: -1}", "queueLimit: must be at least 0, not -1"),
        ("{servers: 2, discipline: lifo}", "discipline: 'lifo' is not known (known: fifo, ps)"),
        ("{servers: 2, abandoned: lost}", "abandoned: 'lost' is not known (known: keeps, frees)"),
        ("{servers: 2, curve: [1, 2]}", "servers and curve exclude one another (keep one of them)"),
        ("{curve: []}", "curve: is empty (such as [1, 1.6, 1.9])"),
        ("{curve: [1, 0.5, 0]}", "curve: is 0 for 3 in progress: nothing would complete (above 0)"),
        ("{curve: [1, -2]}", "curve: is -2 for 2 in progress: nothing would complete (above 0)"),
        ("{curve: [2, 3]}", "curve: begins with 2 (it is relative to one in progress: the first is 1)"),
        (
            "{curve: [1, 2], discipline: fifo}",
            "curve goes with discipline ps (under fifo, say how many servers there are)",
        ),
        (
            "{servers: 2, most: 4}",
            "most goes with discipline ps (under fifo, say how many servers there are)",
        ),
        ("{discipline: ps}", "discipline needs servers or a curve (without them nothing waits)"),
        ("{queueLimit: 9}", "queueLimit needs servers or a curve (without them nothing waits)"),
        (
            "{servers: 2, discipline: ps, queueLimit: 0}",
            "queueLimit is 0: nothing would be let in (under ps without most it counts those in progress)",
        ),
        ("{rateLimit: {burst: 5}}", "rateLimit.perSecond: is missing (such as {perSecond: 50, burst: 10})"),
        (
            "{rateLimit: {perSecond: 0}}",
            "rateLimit.perSecond: is 0, which lets nothing in (requests a second)",
        ),
        ("{rateLimit: {perSecond: 1, burst: 0}}", "rateLimit.burst: must be at least 1, not 0"),
        ("{whenFull: {status: 99}}", "whenFull.status: must be at least 200, not 99"),
        ("{whenFull: {body: a, jsonBody: 1}}", "whenFull: body and jsonBody exclude one another"),
        ("{stalls: {gap: 5}}", "stalls.gap: must be a mapping, not 5"),
        (
            "{timeout: {status: 504}}",
            "timeout.afterMilliseconds: is missing (such as {afterMilliseconds: 2000, status: 504, "
            "body: timed out})",
        ),
        ("{timeout: {afterMilliseconds: 0}}", "timeout.afterMilliseconds: must be above 0, not 0"),
        (
            "{timeout: {afterMilliseconds: 9, fixedDelayMilliseconds: 1}}",
            "timeout: fixedDelayMilliseconds does not go with a timeout (afterMilliseconds says when)",
        ),
        ("{coldStart: {requests: 5}}", "coldStart.factor: is missing (such as {factor: 3, requests: 20})"),
        ("{coldStart: {factor: 0.5}}", "coldStart.factor: must be at least 1, not 0.5"),
        ("{coldStart: {factor: 2, requests: 0}}", "coldStart.requests: must be at least 1, not 0"),
        (
            "{afterIdle: {factor: 2}}",
            "afterIdle.idleMilliseconds: is missing (such as {idleMilliseconds: 60000, factor: 3})",
        ),
        ("{recordedUpTo: 0}", "recordedUpTo: must be at least 1, not 0"),
        ("8", "must be a mapping, not 8 (such as {servers: 8, queueLimit: 256}"),
    ],
)
def test_what_cannot_be_is_refused_where_it_stands(folder: Any, written: str, problem: str) -> None:
    found = folder.problems(SERVICE + written + "\n", "service.yaml")
    where = "service.yaml:3: service: capacity"
    assert found[0].startswith((f"{where}.{problem}", f"{where}: {problem}"))


def test_stubs_wait_at_the_pool_that_they_name(folder: Any) -> None:
    folder.put("a.yaml", "{name: a, request: GET /a, response: {}, pool: db}")
    folder.put("b.yaml", "{name: b, request: GET /b, response: {}}")
    folder.put("service.yaml", "service: {capacity: {servers: 2}, pools: {db: {servers: 1}, none: {}}}")
    service = folder.read()
    assert [stub.pool for stub in service.stubs] == ["db", None]
    assert service.pools == {"db": Capacity(servers=1), "none": Capacity()}
    assert service.capacity == Capacity(servers=2)


def test_a_pool_that_the_service_does_not_have_is_refused_where_the_stub_names_it(folder: Any) -> None:
    folder.put("service.yaml", "service: {pools: {db: {servers: 1}, cache: {servers: 1}}}")
    assert folder.problems("name: a\nrequest: GET /a\nresponse: {}\npool: dB", "a.yaml") == [
        "a.yaml:4: stub 'a': pool: 'dB' is none of the service's pools (known: db, cache)"
    ]
    (folder.path / "service.yaml").unlink()
    assert folder.problems() == [
        "a.yaml:4: stub 'a': pool: 'dB' is none of the service's pools (the service has no pools)"
    ]


def test_no_pool_is_called_as_the_services_own_is(folder: Any) -> None:
    assert folder.problem("service: {pools: {default: {servers: 1}}}").startswith(
        "a.yaml:1: service: pools.default: 'default' is what the service's own capacity is called"
    )


def test_the_schema_knows_every_key_of_a_capacity() -> None:
    defs: Any = stub_file_schema()["$defs"]
    forms = (CapacityForm, RateLimitForm, AnswerForm, StallsForm, TimeoutForm, ColdStartForm, AfterIdleForm)
    for form in forms:
        assert list(defs[form.__name__]["properties"]) == form.keys()
    assert defs["CapacityForm"]["properties"]["discipline"]["enum"] == ["fifo", "ps"]
    assert defs["ServiceForm"]["properties"]["capacity"] == {"$ref": "#/$defs/CapacityForm"}
