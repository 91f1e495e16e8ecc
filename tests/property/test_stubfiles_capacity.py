"""Capacities are written and read back as they were, whatever they hold."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from mockforge.model.headers import Headers
from mockforge.model.service import Capacity, RateRule, Service, StallLaws
from mockforge.model.stub import Body, DelayDistribution, RequestPattern, ResponseDefinition, Stub
from mockforge.stubfiles.reader import read_service
from mockforge.stubfiles.writer import write_service

Draw = Callable[[st.SearchStrategy[Any]], Any]

ANSWER = st.builds(
    ResponseDefinition,
    status=st.integers(200, 599),
    headers=st.sampled_from([Headers(), Headers((("Retry-After", "1"), ("X-A", "7")))]),
    body=st.sampled_from(
        [None, Body("body", "no"), Body("jsonBody", {"busy": True}), Body("jsonBody", None)]
    ),
    fixed_delay_ms=st.none() | st.floats(0, 1e6),
)
LAW = st.floats(0, 1e6).map(lambda ms: DelayDistribution("fixed", {"milliseconds": ms}))
CURVE = st.lists(st.floats(0.01, 100), max_size=5).map(lambda rest: (1.0, *rest))


@st.composite
def capacities(draw: Draw) -> Capacity:
    kind = draw(st.sampled_from(["none", "gate", "fifo", "shared servers", "curve"]))
    shares = kind in ("shared servers", "curve")
    return Capacity(
        servers=draw(st.integers(1, 500)) if kind in ("fifo", "shared servers") else None,
        discipline="ps" if shares else "fifo",
        curve=draw(CURVE) if kind == "curve" else (),
        most=draw(st.none() | st.integers(1, 64)) if shares else None,
        pace_per_second=draw(st.floats(0.1, 1e6)) if kind == "gate" else None,
        queue_limit=None if kind == "none" else draw(st.none() | st.integers(1, 1000)),
        when_full=draw(ANSWER),
        abandoned=draw(st.sampled_from(["keeps", "frees"])),
        rate_limit=draw(st.none() | st.builds(RateRule, st.floats(0.1, 1e6), st.integers(1, 99), ANSWER)),
        stalls=draw(st.none() | st.builds(StallLaws, LAW, LAW)),
        recorded_up_to=draw(st.none() | st.integers(1, 10_000)),
    )


@st.composite
def services(draw: Draw) -> Service:
    pools = draw(st.dictionaries(st.sampled_from(["db", "cache", "1.10", "no"]), capacities(), max_size=2))
    stubs = [
        Stub(f"stub {number}", RequestPattern(), (ResponseDefinition(),), pool=pool)
        for number, pool in enumerate([None, *pools])
    ]
    return Service("orders", tuple(stubs), capacity=draw(st.none() | capacities()), pools=pools)


@settings(deadline=None)
@given(services())
def test_a_capacity_is_read_back_as_it_was_written(service: Service) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        write_service(service, Path(scratch) / "s")
        assert read_service(Path(scratch) / "s") == service
