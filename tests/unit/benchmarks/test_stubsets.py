"""The requests ask for stubs that are there, in the same mix whatever their number."""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest

from benchmarks.stubsets import Mapping, mixed_requests, mixed_stubs, static_stub
from mockforge.matching.url import UrlMatcher
from mockforge.model.request import RequestView
from mockforge.model.stub import UrlPattern


def pattern_of(stub: Mapping) -> UrlPattern:
    request = stub["request"]
    assert isinstance(request, dict)
    [(kind, value)] = [(key, value) for key, value in request.items() if key != "method"]
    return UrlPattern(kind, value)


@pytest.mark.parametrize("count", [10, 1000])
def test_every_request_matches_one_stub_and_each_kind_a_third(count: int) -> None:
    patterns = [pattern_of(stub) for stub in mixed_stubs(count)]
    matchers = [UrlMatcher.compile(pattern) for pattern in patterns]
    kinds: Counter[str] = Counter()
    for probe in mixed_requests(count):
        request = RequestView(probe.method, probe.path, [], b"")
        [found] = [
            pattern for pattern, matcher in zip(patterns, matchers, strict=True) if matcher.matches(request)
        ]
        kinds[found.kind] += 1
    assert kinds == {"urlPath": 67, "urlPathTemplate": 67, "urlPathPattern": 67}


def test_requests_are_spread_over_a_large_set() -> None:
    numbers = [int(re.findall(r"\d+", probe.path.replace("/v2", ""))[0]) for probe in mixed_requests(10_000)]
    assert min(numbers) < 100
    assert max(numbers) > 9_800
    assert len(set(numbers)) == 201


def test_a_delay_stands_in_the_stub() -> None:
    assert '"fixedDelayMilliseconds": 20' in json.dumps(static_stub(20))
    assert "fixedDelayMilliseconds" not in json.dumps(static_stub())
