"""The index is an optimisation: whatever the stubs, the winner is the one that brute force finds."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from mockforge.matching.index import StubIndex
from mockforge.matching.request import RequestMatcher
from mockforge.model.request import RequestView
from mockforge.model.stub import RequestPattern, ResponseDefinition, Stub, UrlPattern, ValuePattern

#: Few words, so that stubs and requests meet often.
words = st.sampled_from(["a", "b", ""])
queries = st.sampled_from(["", "?", "?q=1", "?q=2"])
methods = st.sampled_from(["GET", "POST"])
paths = st.lists(words, min_size=1, max_size=3).map(lambda parts: "/" + "/".join(parts))
targets = st.builds("{}{}".format, paths, queries)


@st.composite
def templates(draw: st.DrawFn) -> str:
    parts = draw(st.lists(words | st.just("{}"), min_size=1, max_size=3))
    return "/" + "/".join(f"{{p{number}}}" if part == "{}" else part for number, part in enumerate(parts))


expressions = st.sampled_from(["/a", "/.*", "/[ab]/b", "/a(/.*)?", ".*q=1", "/b/?", "//"])
url_patterns = st.one_of(
    st.none(),
    st.builds(UrlPattern, st.just("url"), targets),
    st.builds(UrlPattern, st.just("urlPath"), paths),
    st.builds(UrlPattern, st.sampled_from(["urlPattern", "urlPathPattern"]), expressions),
    st.builds(UrlPattern, st.just("urlPathTemplate"), templates()),
)
query_patterns = st.sampled_from(
    [(), (("q", ValuePattern("equalTo", "1")),), (("q", ValuePattern("absent", True)),)]
)
patterns = st.builds(RequestPattern, methods | st.just("ANY"), url_patterns, query_patterns)
requests = st.builds(RequestView, methods, targets)


@dataclass(frozen=True)
class Entry:
    """What the index holds for a stub; told apart by its number in the files."""

    number: int
    priority: int
    matcher: RequestMatcher


@st.composite
def services(draw: st.DrawFn) -> tuple[StubIndex[Entry], list[Entry]]:
    index: StubIndex[Entry] = StubIndex()
    entries = []
    for number, pattern in enumerate(draw(st.lists(patterns, max_size=12))):
        stub = Stub(str(number), pattern, (ResponseDefinition(),), draw(st.integers(1, 3)))
        entries.append(Entry(number, stub.priority, RequestMatcher(pattern)))
        index.add(stub, entries[-1])
    return index, entries


@settings(deadline=None, max_examples=70)
@given(services(), st.lists(requests, min_size=1, max_size=5))
def test_the_index_finds_what_brute_force_finds_in_the_same_order(
    service: tuple[StubIndex[Entry], list[Entry]], asked: list[RequestView]
) -> None:
    index, entries = service
    by_rank = sorted(entries, key=lambda entry: (entry.priority, -entry.number))
    for request in asked:
        expected = [entry.number for entry in by_rank if entry.matcher.matches(request)]
        found = [entry.number for entry in index.candidates(request) if entry.matcher.matches(request)]
        assert found == expected


@settings(deadline=None, max_examples=70)
@given(patterns, requests)
def test_a_request_matches_exactly_where_its_distance_is_zero(
    pattern: RequestPattern, request: RequestView
) -> None:
    matcher = RequestMatcher(pattern)
    result = matcher.compare(request)
    assert matcher.matches(request) == result.matched == (result.distance == 0)
    assert 0 <= result.distance <= 1
