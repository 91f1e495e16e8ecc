"""Whatever is asked, and whatever a matcher does: a failure is an error of its stub, and never "no match"."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from random import Random
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mockforge.engine import Engine, compile_service
from mockforge.matching.operators import OPERATORS, Operator, pattern_of
from mockforge.matching.values import ValueMatcher
from mockforge.model.request import RequestView
from mockforge.model.service import Service
from mockforge.model.stub import (
    MultipartPattern,
    RequestPattern,
    ResponseDefinition,
    Stub,
    UrlPattern,
    ValuePattern,
)
from tests.contract.test_operators import CASES

FAILURES = (ZeroDivisionError("a bug"), RecursionError("too deep"), MemoryError("full"), KeyError("lost"))


def failing(pattern: ValuePattern) -> ValueMatcher:
    failure = FAILURES[cast(int, pattern.operand)]

    def fail(value: str | None) -> bool:
        raise failure

    return ValueMatcher(fail)


@pytest.fixture(autouse=True, scope="module")
def _known() -> Iterator[None]:
    operators = cast("dict[str, Operator]", OPERATORS)
    operators["failing"] = Operator(failing, "nothing: it fails")
    yield
    del operators["failing"]


bugs: st.SearchStrategy[dict[str, Any]] = st.integers(0, len(FAILURES) - 1).map(
    lambda which: {"failing": which}
)
#: A matcher that fails, somewhere in others that cannot answer without it.
nested = st.recursive(
    bugs,
    lambda inner: st.one_of(
        inner.map(lambda each: {"and": [each]}),
        inner.map(lambda each: {"or": [each]}),
        inner.map(lambda each: {"not": each}),
    ),
    max_leaves=4,
)
in_documents = st.one_of(
    nested,
    nested.map(lambda each: {"matchesJsonPath": {"expression": "$.a", **each}}),
    nested.map(lambda each: {"and": [{"matchesJsonPath": {"expression": "$..a", **each}}]}),
)


def engine(*patterns: RequestPattern) -> Engine:
    stubs = [Stub(str(number), each, (ResponseDefinition(),)) for number, each in enumerate(patterns)]
    return Engine(compile_service(Service("s", tuple(stubs))), Random(1))


def in_part(part: str, written: Mapping[str, Any]) -> RequestPattern:
    pattern = pattern_of(written)
    named = (("a", pattern),)
    match part:
        case "path":
            return RequestPattern(url=UrlPattern("urlPathTemplate", "/{a}"), path=named)
        case "body":
            return RequestPattern(body=(pattern,))
        case "multipart":
            return RequestPattern(multipart=(MultipartPattern("ANY", body=(pattern,)),))
        case "host":
            return RequestPattern(host=pattern)
        case "client_ip":
            return RequestPattern(client_ip=pattern)
        case _:
            return RequestPattern(**{part: named})  # type: ignore[arg-type]


FORM = [(b"Host", b"s"), (b"A", b"1"), (b"Cookie", b"a=1")]
MULTIPART = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n{"a": 1}\r\n--x--\r\n'


@settings(deadline=None, max_examples=150)
@given(st.sampled_from(["path", "query", "headers", "cookies", "form", "host", "client_ip"]), nested)
def test_a_matcher_that_fails_in_any_part_of_a_request_is_an_error_of_its_stub(
    part: str, written: dict[str, Any]
) -> None:
    fields = [*FORM, (b"Content-Type", b"application/x-www-form-urlencoded")]
    decision = engine(in_part(part, written)).decide(RequestView("POST", "/1?a=1", fields, b"a=1"), 0)
    assert (decision.stub, decision.response.status) == ("0", 500)
    assert b"stub '0': a matcher failed" in decision.response.body


@settings(deadline=None, max_examples=100)
@given(st.sampled_from(["body", "multipart"]), in_documents)
def test_a_matcher_that_fails_in_a_document_is_an_error_of_its_stub(
    part: str, written: dict[str, Any]
) -> None:
    body = MULTIPART if part == "multipart" else b'{"a": 1}'
    fields = [*FORM, (b"Content-Type", b"multipart/form-data; boundary=x")]
    decision = engine(in_part(part, written)).decide(RequestView("POST", "/1", fields, body), 0)
    assert (decision.stub, decision.response.status) == ("0", 500)


#: Every matcher as the contract has it, on the body and on a header.
EVERY = engine(
    *(
        RequestPattern(**{part: where})  # type: ignore[arg-type]
        for operator, cases in CASES.items()
        for operand, options, _, _ in cases[:1]
        for pattern in [ValuePattern(operator, operand, options)]
        for part, where in (("body", (pattern,)), ("headers", (("X", pattern),)))
        if operator not in ("absent", "not", "doesNotContain", "doesNotMatch")
    )
)
documents = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=60).map(str.encode),
    st.recursive(
        st.none() | st.floats() | st.text(), lambda each: st.lists(each) | st.dictionaries(st.text(), each)
    ).map(lambda value: repr(value).encode()),
    st.sampled_from(
        [b"[" * 5_000, b"<a>" * 5_000, b'{"a":' * 2_000, b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"]
    ),
)
field_values = st.binary(max_size=60).map(lambda value: value.replace(b"\r", b"").replace(b"\n", b""))


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.text("/ab?%=&\x00\xff{}", max_size=40), field_values, documents)
def test_no_request_makes_a_matcher_fail(target: str, field: bytes, body: bytes) -> None:
    request = RequestView("POST", f"/{target}", [(b"X", field), (b"Content-Type", field)], body)
    assert EVERY.decide(request, 0).response.status in (200, 404)
