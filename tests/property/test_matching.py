"""The index is an optimisation: whatever the stubs, the winner is the one that brute force finds."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mockforge.matching.index import StubIndex
from mockforge.matching.literals import literal_segments
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


expressions = st.sampled_from(
    ["/a", "/.*", "/[ab]/b", "/a(/.*)?", ".*q=1", "/b/?", "//", "/a/b*", r"/a/.\?q=1", "/(a|b)/b", "/a|/b"]
)
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
        index.add(stub, entries[-1].matcher, entries[-1])
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
        for _ in range(2):  # the second time from memory
            found = [
                candidate.entry.number
                for candidate in index.candidates(request)
                if candidate.rest is None or candidate.rest(request)
            ]
            assert found == expected


edits = st.tuples(st.sampled_from(["add", "edit", "remove"]), st.integers(0, 11), patterns, st.integers(1, 3))


@settings(deadline=None, max_examples=100)
@given(st.lists(edits, max_size=20), st.lists(requests, min_size=1, max_size=4))
def test_an_index_that_was_edited_is_as_one_made_anew(
    steps: list[tuple[str, int, RequestPattern, int]], asked: list[RequestView]
) -> None:
    index: StubIndex[str] = StubIndex()
    held: dict[int, tuple[Stub, RequestMatcher, str]] = {}
    for step, (what, which, pattern, priority) in enumerate(steps):
        stub = Stub(str(step), pattern, (ResponseDefinition(),), priority)
        made = stub, RequestMatcher(pattern), str(step)
        index.candidates(asked[0])
        index.likely(asked[0].target, 2)
        if what == "add":
            held[index.add(*made)] = made
        elif held:
            number = list(held)[which % len(held)]
            if what == "edit":
                index.edit(number, *made)
                held[number] = made
            else:
                index.remove(number)
                del held[number]
    anew: StubIndex[str] = StubIndex()
    for made in held.values():
        anew.add(*made)
    assert list(index) == list(anew)
    for request in asked:
        assert [each.entry for each in index.candidates(request)] == [
            each.entry for each in anew.candidates(request)
        ]
        assert sorted(index.likely(request.target, 99)) == sorted(anew.likely(request.target, 99))
    for number in list(held):
        index.remove(number)
    empty: StubIndex[str] = StubIndex()
    assert vars(index)["_templates"] == vars(empty)["_templates"]
    assert not any(vars(index)[place] for place in ("_targets", "_paths", "_by_segment", "_others"))


#: Pieces of regular expressions, among them what must not be mistaken for text.
PIECES = r"""
    a b / / /a/ . a* b? /? a{2} b{0} a+? [ab] [^/] []a] [^]a] [/] [\]a] \. \? \d \x2f \/
    (a) (/b)? (a|/) (?:/a) (a(b)?) | ^ $ - { } ]
"""
pieces = st.sampled_from(PIECES.split())


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.filter_too_much])
@given(st.lists(pieces, min_size=1, max_size=6).map("".join), st.data())
def test_every_match_of_an_expression_has_the_segments_that_it_cannot_do_without(
    expression: str, data: st.DataObject
) -> None:
    try:
        re.compile(expression)
    except re.error:
        return
    segments = literal_segments(expression)
    if segments:
        text = data.draw(st.from_regex(expression, fullmatch=True, alphabet="ab/.?-{}]^$0"))
        assert set(segments) <= set(text.split("/"))


@settings(deadline=None, max_examples=70)
@given(patterns, requests)
def test_a_request_matches_exactly_where_its_distance_is_zero(
    pattern: RequestPattern, request: RequestView
) -> None:
    matcher = RequestMatcher(pattern)
    result = matcher.compare(request)
    assert matcher.matches(request) == result.matched == (result.distance == 0)
    assert 0 <= result.distance <= 1
