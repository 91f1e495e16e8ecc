"""What a request gets, and when: decided without a socket, a clock or a file."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from mockforge.engine import Decision, Engine, compile_service
from mockforge.errors import StubFileError
from mockforge.matching import regexes
from mockforge.model.headers import Headers
from mockforge.model.request import RequestView
from mockforge.model.service import Capacity, Service, StallLaws
from mockforge.model.stub import (
    Body,
    DelayDistribution,
    RequestPattern,
    ResponseDefinition,
    ScenarioStep,
    Stub,
    UrlPattern,
    ValuePattern,
    Variant,
    Variants,
)
from mockforge.state.strata import SIZE
from mockforge.state.turns import Turns

MS = 1_000_000
DRAWS = 10_000
UNIFORM = DelayDistribution("uniform", {"lower": 10, "upper": 30})
ORDER = UrlPattern("urlPathTemplate", "/orders/{id}")


def text(body: str, **fields: object) -> ResponseDefinition:
    return ResponseDefinition(body=Body("body", body), **fields)  # type: ignore[arg-type]


def stub(
    name: str,
    *responses: ResponseDefinition,
    url: UrlPattern | None = None,
    method: str = "ANY",
    priority: int = 5,
) -> Stub:
    return Stub(name, RequestPattern(method, url), responses or (text(name),), priority)


def recorded(by: Sequence[str], *rows: tuple[Sequence[str], str], **fields: object) -> ResponseDefinition:
    """A response of recorded variants, from (when, body)."""
    variants = tuple(Variant(tuple(when), body=Body("body", body)) for when, body in rows)
    return ResponseDefinition(variants=Variants("rows.jsonl", tuple(by), variants), **fields)  # type: ignore[arg-type]


def engine_of(*stubs: Stub, seed: int = 1) -> Engine:
    return Engine(compile_service(Service("orders", stubs)), Random(seed))


def ask(engine: Engine, target: str = "/", method: str = "GET", arrived_ns: int = 0) -> Decision:
    return engine.decide(RequestView(method, target), arrived_ns)


def bodies(engine: Engine, targets: Sequence[str]) -> list[str]:
    return [ask(engine, target).response.body.decode() for target in targets]


def assert_share(count: int, share: float) -> None:
    """Within five standard deviations of the binomial law."""
    assert abs(count - share * DRAWS) <= 5 * math.sqrt(DRAWS * share * (1 - share))


# Which stub


def test_the_lowest_priority_wins_and_among_equals_the_newest() -> None:
    engine = engine_of(stub("older"), stub("newer"), stub("last resort", priority=9))
    assert ask(engine).stub == "newer"
    engine = engine_of(stub("older"), stub("first", priority=1), stub("newer"))
    assert ask(engine).stub == "first"


def test_a_stub_that_does_not_match_leaves_the_request_to_the_next() -> None:
    fussy = Stub(
        "fussy",
        RequestPattern(url=ORDER, query=(("state", ValuePattern("equalTo", "open")),)),
        (text("fussy"),),
        priority=1,
    )
    engine = engine_of(fussy, stub("any order", url=ORDER), stub("post", url=ORDER, method="POST"))
    assert ask(engine, "/orders/1?state=open").stub == "fussy"
    assert ask(engine, "/orders/1").stub == "any order"
    assert ask(engine, "/orders/1", "POST").stub == "post"


def test_a_static_response_comes_as_it_was_written() -> None:
    response = ResponseDefinition(201, Headers((("X-Id", "7"), ("x-id", "8"))), Body("jsonBody", {"a": 1}))
    answer = ask(engine_of(stub("created", response))).response
    assert (answer.status, answer.headers, answer.body) == (
        201,
        ((b"X-Id", b"7"), (b"x-id", b"8")),
        b'{"a":1}',
    )


def test_fields_that_frame_the_body_are_left_to_whoever_sends_it() -> None:
    framed = Headers((("Content-Length", "999"), ("ETag", "1"), ("transfer-encoding", "chunked")))
    rows = Variants("rows.jsonl", (), (Variant(headers=framed),))
    assert ask(engine_of(stub("static", ResponseDefinition(headers=framed)))).response.headers == (
        (b"ETag", b"1"),
    )
    both = ask(
        engine_of(stub("variants", ResponseDefinition(headers=framed, variants=rows)))
    ).response.headers
    assert both == ((b"ETag", b"1"), (b"ETag", b"1"))


# When


def test_the_due_time_is_the_arrival_and_one_sampled_delay() -> None:
    arrivals = [0, 5 * MS, 10**15]
    plans = [ask(engine_of(stub("slow", text("", delay=UNIFORM))), arrived_ns=each).plan for each in arrivals]
    assert [plan.arrived_ns for plan in plans] == arrivals
    (delay_ns,) = {plan.first_byte_ns - plan.arrived_ns for plan in plans}
    assert 10 * MS <= delay_ns <= 30 * MS


def test_a_round_of_requests_has_the_law_evenly() -> None:
    engine = engine_of(stub("slow", text("", delay=UNIFORM)))
    for _ in range(3):
        delays_ms = sorted(ask(engine).plan.first_byte_ns / MS for _ in range(SIZE))
        for number, delay_ms in enumerate(delays_ms):
            assert 10 + 20 * number / SIZE <= delay_ms <= 10 + 20 * (number + 1) / SIZE


def test_stubs_do_not_share_the_evenness_of_their_draws() -> None:
    fast, slow = (
        stub(path, text("", delay=UNIFORM), url=UrlPattern("urlPath", path)) for path in ("/a", "/b")
    )
    engine = engine_of(fast, slow)
    both = [(ask(engine, "/a").plan.first_byte_ns, ask(engine, "/b").plan.first_byte_ns) for _ in range(SIZE)]
    for delays_ns in zip(*both, strict=True):
        strata = {int((delay_ns / MS - 10) / 20 * SIZE) for delay_ns in delays_ns}
        assert len(strata) == SIZE


def test_a_fixed_delay_and_a_distribution_add_up() -> None:
    fixed = DelayDistribution("fixed", {"milliseconds": 5})
    engine = engine_of(stub("slow", text("", fixed_delay_ms=2.5, delay=fixed)))
    assert ask(engine, arrived_ns=100).plan.first_byte_ns == 100 + 7_500_000


@pytest.mark.parametrize(("time_scale", "delay_ms"), [(0, 0), (0.5, 3.75), (1, 7.5), (10, 75)])
def test_every_delay_is_multiplied_by_the_time_scale(time_scale: float, delay_ms: float) -> None:
    fixed = DelayDistribution("fixed", {"milliseconds": 5})
    service = Service("orders", (stub("slow", text("", fixed_delay_ms=2.5, delay=fixed)),))
    engine = Engine(compile_service(service), Random(1), time_scale=time_scale)
    assert ask(engine, arrived_ns=100).plan.first_byte_ns == 100 + delay_ms * MS


def test_without_a_delay_the_answer_is_due_at_once() -> None:
    assert ask(engine_of(stub("fast")), arrived_ns=77).plan.first_byte_ns == 77


def test_one_seed_gives_one_run_and_another_seed_another() -> None:
    flaky = stub("flaky", text("yes", share=0.5, delay=UNIFORM), text("no", share=0.5, delay=UNIFORM))

    def run(seed: int) -> list[Decision]:
        engine = engine_of(flaky, seed=seed)
        return [ask(engine) for _ in range(100)]

    assert run(7) == run(7)
    assert run(7) != run(8)


# Which of several responses


def test_responses_come_by_their_shares() -> None:
    engine = engine_of(
        stub("flaky", text("ok", share=0.9), text("busy", share=0.08, status=503), text("gone", share=0.02))
    )
    came = Counter(bodies(engine, ["/"] * DRAWS))
    for body, share in (("ok", 0.9), ("busy", 0.08), ("gone", 0.02)):
        assert_share(came[body], share)


def test_a_round_of_requests_has_the_shares_exactly() -> None:
    engine = engine_of(
        stub("flaky", text("ok", share=0.9), text("busy", share=0.08), text("gone", share=0.02))
    )
    assert Counter(bodies(engine, ["/"] * SIZE)) == {"ok": 90, "busy": 8, "gone": 2}


def test_shares_are_relative_and_none_counts_as_a_whole_one() -> None:
    came = Counter(bodies(engine_of(stub("even", text("a"), text("b"))), ["/"] * DRAWS))
    assert_share(came["a"], 0.5)
    never = engine_of(stub("never", text("a", share=0.0), text("b", share=1.0)))
    assert set(bodies(never, ["/"] * 1_000)) == {"b"}


def test_the_answer_recorded_for_the_requests_own_parameters_is_given() -> None:
    engine = engine_of(
        stub("order", recorded(["path.id"], (["1"], "one"), (["2"], "two"), (["a/b"], "slash")), url=ORDER)
    )
    assert bodies(engine, ["/orders/2", "/orders/1", "/orders/a%2Fb", "/orders/2"]) == [
        "two",
        "one",
        "slash",
        "two",
    ]


def test_unrecorded_parameters_get_the_rows_in_turn() -> None:
    engine = engine_of(stub("order", recorded(["path.id"], (["1"], "one"), (["2"], "two")), url=ORDER))
    targets = ["/orders/8", "/orders/1", "/orders/9", "/orders/8", "/orders/1"]
    assert bodies(engine, targets) == ["one", "one", "two", "one", "one"]


def test_several_rows_of_one_key_come_in_turn_each_key_by_itself() -> None:
    rows = [(["1"], "open"), (["2"], "new"), (["1"], "paid"), (["1"], "sent"), (["2"], "old")]
    engine = engine_of(stub("order", recorded(["path.id"], *rows), url=ORDER))
    targets = [f"/orders/{number}" for number in (1, 2, 1, 2, 1, 1, 2)]
    assert bodies(engine, targets) == ["open", "new", "paid", "old", "sent", "open", "new"]


def test_variants_that_nothing_chooses_come_in_turn() -> None:
    engine = engine_of(stub("dice", recorded([], ([], "1"), ([], "2"), ([], "3"))))
    assert bodies(engine, ["/"] * 4) == ["1", "2", "3", "1"]


def test_a_row_overrides_the_status_and_the_body_and_adds_headers() -> None:
    rows = (
        Variant(("1",)),
        Variant(("2",), 404, Headers((("X-Row", "2"),)), Body("body", "gone")),
        Variant(("3",), body=Body("body", "")),
    )
    response = ResponseDefinition(
        200, Headers((("X-All", "1"),)), Body("body", "there"), Variants("rows.jsonl", ("path.id",), rows)
    )
    engine = engine_of(stub("order", response, url=ORDER))
    answers = [ask(engine, f"/orders/{number}").response for number in (1, 2, 3)]
    assert [(each.status, each.body) for each in answers] == [(200, b"there"), (404, b"gone"), (200, b"")]
    assert answers[0].headers == ((b"X-All", b"1"),)
    assert answers[1].headers == ((b"X-All", b"1"), (b"X-Row", b"2"))


def test_what_was_recorded_for_a_request_goes_before_the_shares() -> None:
    found = recorded(["path.id"], (["1"], "one"), (["2"], "two"), share=0.9)
    missing = recorded(["path.id"], (["404"], "missing"), share=0.1, status=404)
    engine = engine_of(stub("order", found, missing, url=ORDER))
    assert set(bodies(engine, ["/orders/404"] * 500)) == {"missing"}
    assert set(bodies(engine, ["/orders/1"] * 500)) == {"one"}
    came = Counter(bodies(engine, ["/orders/unrecorded"] * DRAWS))
    assert_share(came["missing"], 0.1)


def test_a_key_recorded_with_both_outcomes_keeps_their_shares() -> None:
    found = recorded(["path.id"], (["1"], "one"), share=0.7)
    conflict = recorded(["path.id"], (["1"], "conflict"), (["2"], "never"), share=0.3, status=409)
    came = Counter(bodies(engine_of(stub("order", found, conflict, url=ORDER)), ["/orders/1"] * DRAWS))
    assert_share(came["conflict"], 0.3)
    assert came["never"] == 0


def test_a_failure_without_parameters_keeps_its_share_whatever_is_asked() -> None:
    found = recorded(["path.id"], (["1"], "one"), (["2"], "two"), share=0.8)
    overloaded = text("overloaded", status=503, share=0.2)
    engine = engine_of(stub("order", found, overloaded, url=ORDER))
    for target in ("/orders/1", "/orders/unrecorded"):
        assert_share(Counter(bodies(engine, [target] * DRAWS))["overloaded"], 0.2)


def test_a_failure_of_several_kinds_keeps_its_share_too() -> None:
    found = recorded(["path.id"], (["1"], "one"), (["2"], "two"), share=0.8)
    overloaded = recorded([], ([], "overloaded"), ([], "busy"), share=0.2, status=503)
    engine = engine_of(stub("order", found, overloaded, url=ORDER))
    for target in ("/orders/1", "/orders/unrecorded"):
        came = Counter(bodies(engine, [target] * SIZE))
        assert (came["overloaded"], came["busy"]) == (10, 10)


def test_each_response_has_its_own_delay() -> None:
    fast, slow = (DelayDistribution("fixed", {"milliseconds": each}) for each in (1, 900))
    engine = engine_of(stub("mixed", text("ok", share=0.5, delay=fast), text("late", share=0.5, delay=slow)))
    came = {
        (decision.response.body, decision.plan.first_byte_ns)
        for decision in (ask(engine) for _ in range(100))
    }
    assert came == {(b"ok", 1 * MS), (b"late", 900 * MS)}


# A miss


def test_a_miss_is_a_404_due_at_once_that_names_the_nearest_stub() -> None:
    engine = engine_of(stub("order", text("", delay=UNIFORM), url=ORDER, method="GET"))
    decision = ask(engine, "/order/7", arrived_ns=99)
    assert decision.stub is None
    assert decision.response.status == 404
    assert (decision.plan.arrived_ns, decision.plan.first_byte_ns) == (99, 99)
    readable = decision.response.body.decode()
    assert readable.startswith("No stub matches GET /order/7\n")
    assert "Near miss: order\n  url: wanted /orders/{id}, found /order/7\n" in readable


def test_a_miss_draws_nothing() -> None:
    slow = stub("slow", text("", delay=UNIFORM), url=ORDER)
    undisturbed, disturbed = engine_of(slow), engine_of(slow)
    ask(disturbed, "/elsewhere")
    assert ask(disturbed, "/orders/1") == ask(undisturbed, "/orders/1")


def test_a_service_without_stubs_answers_404() -> None:
    assert "no stubs" in ask(engine_of()).response.body.decode()


# Swapping


def test_replace_swaps_everything_at_once_and_turns_go_on() -> None:
    rows: list[tuple[list[str], str]] = [([], "1"), ([], "2"), ([], "3")]
    before = compile_service(
        Service("before", (stub("dice", recorded([], *rows)), stub("old", url=ORDER, priority=1)))
    )
    after = compile_service(Service("after", (stub("dice", recorded([], *rows)),)))
    turns = Turns()
    engine = Engine(before, Random(1), turns)
    assert bodies(engine, ["/", "/orders/1"]) == ["1", "old"]
    engine.replace(after)
    assert engine.service.name == "after"
    assert bodies(engine, ["/", "/orders/1"]) == ["2", "3"]


def test_turns_can_be_handed_on_from_engine_to_engine() -> None:
    compiled = compile_service(Service("dice", (stub("dice", recorded([], ([], "1"), ([], "2"))),)))
    turns = Turns()
    assert [bodies(Engine(compiled, Random(1), turns), ["/"]) for _ in range(3)] == [["1"], ["2"], ["1"]]


# Compiling


def test_every_problem_is_listed_with_its_place() -> None:
    def wrong(name: str, place: str, **parts: object) -> Stub:
        request = parts.pop("request", RequestPattern())
        return Stub(name, request, (ResponseDefinition(**parts),), place=place)  # type: ignore[arg-type]

    with pytest.raises(StubFileError) as refused:
        engine_of(
            stub("fine"),
            wrong("law", "a.yaml:3", delay=DelayDistribution("gauss")),
            wrong("regex", "a.yaml:9", request=RequestPattern(url=UrlPattern("urlPattern", "("))),
            wrong("matcher", "b.json:1", request=RequestPattern(query=(("q", ValuePattern("like", "x")),))),
            wrong("rows", "", variants=Variants("rows.jsonl", ("path.id",))),
            wrong("chooser", "c.yaml:2", variants=Variants("rows.jsonl", ("path.id",), (Variant(("1",)),))),
        )
    assert refused.value.what == "5 stubs cannot be served"
    law, regex, matcher, rows, chooser = refused.value.problems
    assert law.startswith("a.yaml:3: stub 'law': delayDistribution type 'gauss' is not known")
    assert regex.startswith("a.yaml:9: stub 'regex': regular expression '(' does not parse")
    assert matcher.startswith("b.json:1: stub 'matcher': matcher 'like' is not known")
    assert rows.startswith("stub 'rows': variants file 'rows.jsonl' has no rows")
    assert chooser.startswith("c.yaml:2: stub 'chooser': 'path.id' is no parameter of the request")


# Capacity


def demanding(capacity: Capacity | None, *stubs: Stub, time_scale: float = 1.0, **pools: Capacity) -> Engine:
    compiled = compile_service(Service("orders", stubs, capacity=capacity, pools=pools))
    return Engine(compiled, Random(1), time_scale=time_scale)


@pytest.mark.parametrize(
    ("response", "service_ms", "offset_ms"),
    [
        (text(""), 0, 0),
        (text("", fixed_delay_ms=4), 4, 0),
        (text("", delay=DelayDistribution("fixed", {"milliseconds": 20})), 20, 0),
        (text("", fixed_delay_ms=4, delay=DelayDistribution("fixed", {"milliseconds": 20})), 20, 4),
    ],
)
@pytest.mark.parametrize("time_scale", [1.0, 0.5])
def test_under_a_capacity_the_delay_is_a_demand_and_the_plan_the_earliest(
    response: ResponseDefinition, service_ms: float, offset_ms: float, time_scale: float
) -> None:
    engine = demanding(Capacity(servers=1), stub("a", response), time_scale=time_scale)
    decision = engine.decide(RequestView("GET", "/"), 1_000 * MS)
    assert decision.demand is not None
    assert decision.demand.pool.name == "default"
    assert decision.demand.service_ns == service_ms * time_scale * MS
    assert decision.demand.offset_ns == offset_ms * time_scale * MS
    assert decision.plan.first_byte_ns == (1_000 + (service_ms + offset_ms) * time_scale) * MS


def test_without_a_capacity_and_for_a_miss_there_is_no_demand() -> None:
    assert demanding(None, stub("a")).decide(RequestView("GET", "/"), 0).demand is None
    assert demanding(Capacity(), stub("a")).decide(RequestView("GET", "/"), 0).demand is None
    miss = demanding(Capacity(servers=1), stub("a", url=ORDER)).decide(RequestView("GET", "/"), 0)
    assert (miss.stub, miss.demand) == (None, None)


def test_a_stub_demands_of_the_pool_that_it_names() -> None:
    in_pool = replace(stub("a", url=ORDER), pool="db")
    engine = demanding(Capacity(servers=1), stub("b"), in_pool, db=Capacity(servers=2))
    asked = [engine.decide(RequestView("GET", path), 0).demand for path in ("/orders/7", "/")]
    assert [each and each.pool.name for each in asked] == ["db", "default"]


def test_pools_that_cannot_be_are_refused_by_name() -> None:
    with pytest.raises(StubFileError) as caught:
        demanding(None, replace(stub("a"), pool="db"))
    assert caught.value.problems == ("stub 'a': 'db' is none of the service's pools",)
    with pytest.raises(StubFileError, match="pool 'db': a capacity curve has values above 0"):
        demanding(None, stub("a"), db=Capacity(discipline="ps", curve=(1.0, -1.0)))


def test_stalls_do_not_change_what_the_next_request_draws() -> None:
    stalls = StallLaws(UNIFORM, UNIFORM)

    def drawn(capacity: Capacity, *, moved: bool) -> list[int]:
        engine = demanding(capacity, stub("a", text("", delay=UNIFORM)))
        demand = engine.decide(RequestView("GET", "/"), 0).demand
        assert demand is not None
        station = engine.station(demand.pool)
        station.arrive(0, 1_000 * MS if moved else 0, "a")
        station.next_ns()
        asked = [engine.decide(RequestView("GET", "/"), 0).demand for _ in range(5)]
        return [each.service_ns for each in asked if each is not None]

    capacity = Capacity(servers=1, stalls=stalls)
    assert drawn(capacity, moved=True) == drawn(capacity, moved=False)


# Scenarios


def step(name: str, required: str | None, new: str | None = None, **fields: Any) -> Stub:
    return replace(stub(name, **fields), scenario=ScenarioStep("order", required, new))


def test_a_scenario_advances_with_the_answer_that_leads_on() -> None:
    engine = engine_of(
        step("new", "Started", "paid"), step("paid", "paid", "shipped"), step("shipped", "shipped")
    )
    assert bodies(engine, ["/"] * 4) == ["new", "paid", "shipped", "shipped"]
    engine.scenarios.reset()
    assert bodies(engine, ["/"]) == ["new"]


def test_a_stub_in_another_state_leaves_the_request_to_the_next() -> None:
    engine = engine_of(stub("plain"), step("later", "later", priority=1))
    assert bodies(engine, ["/"]) == ["plain"]


def test_states_outlive_a_replacement_of_the_stubs() -> None:
    stubs = (step("new", "Started", "paid"), step("paid", "paid"))
    engine = engine_of(*stubs)
    ask(engine)
    engine.replace(compile_service(Service("orders", stubs)))
    assert bodies(engine, ["/"]) == ["paid"]


def test_a_miss_names_the_state_that_was_wanted_and_the_one_that_is() -> None:
    decision = ask(engine_of(step("later", "paid", "shipped")))
    assert decision.stub is None
    assert "scenario order: wanted state paid, found state Started" in decision.response.body.decode()


# Matchers that fail


def test_a_matcher_that_fails_is_an_error_of_its_stub_and_never_no_match(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(regexes, "LONGEST_S", 0.01)
    bomb = RequestPattern(headers=(("X", ValuePattern("matches", "(x|xx)+[yz]")),))
    engine = engine_of(stub("behind"), Stub("bomb", bomb, (text("bomb"),)))
    decision = engine.decide(RequestView("GET", "/", [(b"X", b"x" * 60)]), 0)
    assert (decision.stub, decision.response.status) == ("bomb", 500)
    assert b"stub 'bomb': a matcher failed: regular expression '(x|xx)+[yz]' took" in decision.response.body
    assert bodies(engine, ["/"]) == ["behind"]


def test_a_url_pattern_that_fails_is_an_error_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regexes, "LONGEST_S", 0.01)
    engine = engine_of(stub("bomb", url=UrlPattern("urlPattern", "/(x|xx)+[yz]")))
    decision = ask(engine, "/" + "x" * 60)
    assert decision.response.status == 500
    assert b"a URL pattern failed: regular expression '/(x|xx)+[yz]' took" in decision.response.body


def test_a_near_miss_is_told_of_whatever_its_matchers_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regexes, "LONGEST_S", 0.01)
    bomb = RequestPattern("PUT", headers=(("X", ValuePattern("matches", "(x|xx)+[yz]")),))
    engine = engine_of(Stub("bomb", bomb, (text("bomb"),)))
    decision = engine.decide(RequestView("GET", "/", [(b"X", b"x" * 60)]), 0)
    assert decision.stub is None
    assert b"found what its matcher failed on: regular expression" in decision.response.body


def test_a_url_pattern_that_fails_in_a_near_miss_is_as_far_off_as_can_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(regexes, "LONGEST_S", 0.01)
    engine = engine_of(stub("bomb", url=UrlPattern("urlPattern", "/(x|xx)+[yz]"), method="PUT"))
    decision = ask(engine, "/" + "x" * 60)
    assert (decision.stub, decision.response.status) == (None, 404)
