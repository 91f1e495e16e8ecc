"""From exchanges to a service that gives the recorded answers."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from mockforge.engine import Decision, Engine, compile_service
from mockforge.learning.learn import Learned, Learner
from mockforge.model.exchange import Exchange, Request, Response
from mockforge.model.headers import Headers
from mockforge.model.request import RequestView
from mockforge.model.service import Service
from mockforge.model.stub import Body, DelayDistribution, ResponseDefinition, Stub

MS = 1_000_000


def exchange(
    target: str,
    body: bytes = b"",
    status: int = 200,
    *,
    method: str = "GET",
    sent: bytes = b"",
    headers: Mapping[str, str] | None = None,
    times_ms: tuple[float, float] = (10, 10),
) -> Exchange:
    """`times_ms` are those to the first byte and to the last one."""
    ttfb_ns, total_ns = (round(each * MS) for each in times_ms)
    response = Response(status, Headers(tuple((headers or {}).items())), body)
    return Exchange(0, 0, Request(method, target, body=sent), response, total_ns, ttfb_ns)


def learn(exchanges: Sequence[Exchange]) -> Learned:
    learner = Learner([(each.request.method, each.request.target) for each in exchanges])
    learner.add_all(exchanges)
    return learner.learn("orders", "http://orders", "orders.mfrec")


def stub_of(learned: Learned, name: str) -> Stub:
    (found,) = [each for each in learned.service.stubs if each.name == name]
    return found


def only_response(learned: Learned) -> ResponseDefinition:
    ((response,),) = [stub.responses for stub in learned.service.stubs]
    return response


def engine_of(service: Service) -> Engine:
    return Engine(compile_service(service), random.Random(1))


def ask(engine: Engine, target: str, method: str = "GET", sent: bytes = b"") -> Decision:
    return engine.decide(RequestView(method, target, body=sent), 0)


def shop() -> list[Exchange]:
    """A backend's traffic: every request has one answer, whoever asks and whenever."""
    exchanges = []
    for number in range(120):
        customer, page = number % 12, number % 4
        exchanges += [
            exchange(f"/orders/{number}", b'{"id":%d}' % number, headers={"ETag": str(number)}),
            exchange(f"/orders/{number % 6 + 900}", b"no such order", 404),
            exchange(f"/customers/{customer}/orders?page={page}&_={number}", b"%d of %d" % (page, customer)),
            exchange("/orders", b'{"id":%d}' % customer, 201, method="POST", sent=b'{"for":%d}' % customer),
            exchange(f"/orders/{number}", b"", 204, method="DELETE"),
            exchange("/orders/latest", b"the latest"),
            exchange(f"/logo/{number % 2}.png", bytes([0, 255, number % 2])),
            exchange(f"/status/{(200, 404, 500)[number % 3]}", b"", (200, 404, 500)[number % 3]),
            exchange(f"/search?q=a%26{number % 5}", b"found %d" % (number % 5)),
        ]
    return exchanges


# The loop: what was recorded is answered


def test_every_recorded_request_gets_the_recorded_answer() -> None:
    exchanges = shop()
    engine = engine_of(learn(exchanges).service)
    random.Random(5).shuffle(exchanges)
    for each in exchanges:
        request, recorded = each.request, each.response
        assert recorded is not None
        answer = ask(engine, request.target, request.method, request.body).response
        assert (answer.status, answer.body) == (recorded.status, recorded.body), request.target
        assert Headers(recorded.headers.pairs).raw() == list(answer.headers), request.target


def test_a_literal_path_goes_before_the_template_that_also_matches_it() -> None:
    learned = learn(shop())
    engine = engine_of(learned.service)
    assert ask(engine, "/orders/latest").stub == "GET /orders/latest"
    assert ask(engine, "/orders/77").stub == "GET /orders/{id}"
    assert stub_of(learned, "GET /orders/{id}").priority > stub_of(learned, "GET /orders/latest").priority


def test_a_literal_path_wins_in_whatever_order_the_stubs_stand() -> None:
    paths = ["/a/{x}", "/a/1/2", "/a/1/b", "/a/c/2", "/a/c/b", "/a/c"]
    learned = learn([exchange(path, path.encode()) for path in paths])
    for stubs in itertools.permutations(learned.service.stubs):
        engine = engine_of(Service("orders", stubs))
        for path in ("/a/1/b", "/a/c/b", "/a/c"):
            assert ask(engine, path).response.body == path.encode()


def test_an_unrecorded_order_is_found_as_often_as_orders_were() -> None:
    engine = engine_of(learn(shop()).service)
    came = Counter(ask(engine, "/orders/123456").response.status for _ in range(4_000))
    assert came[200] == pytest.approx(2_000, abs=5 * 32)
    assert came[200] + came[404] == 4_000


def test_overload_befalls_recorded_and_unrecorded_requests_alike() -> None:
    exchanges = [
        exchange(
            f"/orders/{number % 50}",
            b"busy" if number % 5 == 0 and number % 3 == 0 else b"%d" % (number % 50),
            503 if number % 5 == 0 and number % 3 == 0 else 200,
        )
        for number in range(1_500)
    ]
    engine = engine_of(learn(exchanges).service)
    for target in ("/orders/7", "/orders/123456"):
        came = Counter(ask(engine, target).response.status for _ in range(4_000))
        assert came[503] == pytest.approx(4_000 / 15, abs=5 * 16)


def test_the_learned_delay_follows_the_recorded_latencies() -> None:
    recorded_ms = np.random.default_rng(1).lognormal(np.log(20), 0.5, 2_000)
    engine = engine_of(learn([exchange("/a", times_ms=(each, each)) for each in recorded_ms]).service)
    drawn_ms = [ask(engine, "/a").plan.first_byte_ns / MS for _ in range(10_000)]
    for level in (0.1, 0.5, 0.9, 0.99):
        assert np.quantile(drawn_ms, level) == pytest.approx(np.quantile(recorded_ms, level), rel=0.08)
    assert max(drawn_ms) <= recorded_ms.max() * 1.001


# Deterministic


def test_the_same_exchanges_give_the_same_service() -> None:
    assert learn(shop()) == learn(shop())


def test_the_order_of_the_requests_does_not_matter_to_what_is_learned() -> None:
    exchanges = shop()
    shuffled = [*exchanges]
    random.Random(3).shuffle(shuffled)
    one, other = learn(exchanges), learn(shuffled)
    assert [stub.name for stub in one.service.stubs] == [stub.name for stub in other.service.stubs]
    assert [(each.by, each.share, each.fit) for each in one.outcomes] == [
        (each.by, each.share, each.fit) for each in other.outcomes
    ]


# Shares


@pytest.mark.parametrize(
    "counts",
    [{200: 3, 404: 3, 503: 3}, {200: 9_999, 503: 1}, {200: 29_999, 503: 1}, {200: 1_000, 404: 1, 503: 1}],
    ids=str,
)
def test_shares_add_up_to_one_and_none_is_rounded_to_nothing(counts: dict[int, int]) -> None:
    exchanges = [exchange("/a", b"", status) for status, count in counts.items() for _ in range(count)]
    (stub,) = learn(exchanges).service.stubs
    shares = [response.share for response in stub.responses]
    assert sum(share or 0 for share in shares) == pytest.approx(1, abs=1e-9)
    assert all(share is not None and 0 < share < 1 for share in shares)
    total = sum(counts.values())
    for response in stub.responses:
        assert response.share == pytest.approx(counts[response.status] / total, rel=0.05)


def test_a_single_outcome_needs_no_share() -> None:
    assert only_response(learn([exchange("/a")])).share is None


# What stands in the stubs


def test_one_answer_is_static_and_different_ones_are_variants() -> None:
    static = only_response(learn([exchange("/a", b'{"a":1}')] * 3))
    assert (static.body, static.variants) == (Body("jsonBody", {"a": 1}), None)
    varied = only_response(learn([exchange(f"/a/{number}", b"%d" % number**2) for number in (10, 9, 2)]))
    assert varied.variants is not None
    assert varied.variants.by == ("path.id",)
    assert [row.when for row in varied.variants.rows] == [("2",), ("9",), ("10",)]


def test_headers_that_all_answers_share_stand_once_and_others_with_their_row() -> None:
    response = only_response(
        learn(
            [
                exchange(
                    f"/a/{number}", b"%d" % number, headers={"Server": "x", "ETag": str(number), "Vary": "*"}
                )
                for number in range(3)
            ]
        )
    )
    assert response.headers.pairs == (("Server", "x"), ("Vary", "*"))
    assert response.variants is not None
    assert [row.headers.pairs for row in response.variants.rows] == [
        (("ETag", str(number)),) for number in range(3)
    ]


def test_a_row_has_a_status_only_where_it_differs_from_the_most_frequent() -> None:
    exchanges = [exchange(f"/a/{number}", b"%d" % number, 201 if number == 1 else 200) for number in range(4)]
    response = only_response(learn(exchanges))
    assert response.status == 200
    assert response.variants is not None
    assert [row.status for row in response.variants.rows] == [None, 201, None, None]


def test_one_error_for_many_requests_is_written_once_with_who_gets_it() -> None:
    learned = learn(shop())
    _, error = sorted(stub_of(learned, "GET /orders/{id}").responses, key=lambda each: each.status)
    assert (error.status, error.body) == (404, Body("body", "no such order"))
    assert error.variants is not None
    assert {row.when for row in error.variants.rows} == {(str(number),) for number in range(900, 906)}
    assert all(row.body is None for row in error.variants.rows)


def test_a_long_static_body_stands_in_a_file_named_by_its_type() -> None:
    body = b"<html>" + b"x" * 3_000
    response = only_response(
        learn([exchange("/page", body, headers={"Content-Type": "text/html; charset=utf-8"})])
    )
    assert response.body == Body("bodyFileName", "get-page.success.html", body)


def test_no_two_operations_write_to_one_file() -> None:
    paths = ["/a/b", "/a-b", "/A/b", "/a/b/", "/" + "long/" * 100, "/" + "long/" * 101]
    exchanges = [
        exchange(f"{path}?q={number}", f"{path}{-number}".encode()) for path in paths for number in range(3)
    ]
    names = [
        response.variants.file_name
        for stub in learn(exchanges).service.stubs
        for response in stub.responses
        if response.variants is not None
    ]
    assert len({name.lower() for name in names}) == len(paths)
    assert max(len(name) for name in names) < 200


def test_every_stub_says_where_it_came_from_and_how_well_it_was_learned() -> None:
    learned = learn([exchange("/a")] * 40 + [exchange("/a", status=503)] * 10)
    lines = learned.comments["GET /a"]
    assert lines[0] == "learned from orders.mfrec: 50 exchanges, 0.0 s to 0.0 s into the recording"
    assert lines[1].startswith("success: 40 samples, p50 10 ms")
    assert lines[2].startswith("failure: 10 samples, p50 10 ms, p95 and p99 not supported")
    assert lines[3] == (
        "failure: few samples: 10; the spread around their median is that of 40 other answers of GET /a"
    )
    assert learned.service.upstream == "http://orders"


def test_each_outcome_accounts_for_what_was_learned() -> None:
    learned = learn([exchange(f"/a/{number % 2}", b"%d" % (number % 2)) for number in range(60)] * 3)
    (outcome,) = learned.outcomes
    assert (outcome.operation, outcome.outcome, outcome.statuses) == ("GET /a/{id}", "success", (200,))
    assert (outcome.share, outcome.variants, outcome.by, outcome.remarks) == (1, 2, ("path.id",), ())
    assert outcome.fit.count == 180


# Delays


def test_a_body_that_comes_slowly_has_a_time_of_its_own() -> None:
    learned = learn([exchange("/a", times_ms=(10, 50))] * 40)
    response = only_response(learned)
    assert learned.outcomes[0].fit.p50_ms == 10
    assert response.sending is not None
    points = {0: 40, 50: 40, 100: 40}
    assert response.sending.body_time == DelayDistribution("quantiles", {"unit": "ms", "points": points})
    assert learned.outcomes[0].remarks == ("the body takes its own time: p50 40 ms, p95 40 ms",)


def test_a_short_time_of_the_body_that_counts_is_part_of_the_delay() -> None:
    learned = learn([exchange("/a", times_ms=(1, 1.4))] * 40)
    assert learned.outcomes[0].fit.p50_ms == pytest.approx(1.4)
    assert learned.outcomes[0].remarks == ("the body's time is part of the delay",)
    quick = learn([exchange("/a", times_ms=(10, 10.5))] * 40)
    assert only_response(quick).sending is None
    assert quick.outcomes[0].fit.p50_ms == 10
    assert quick.outcomes[0].remarks == ()


# Odd recordings


def test_too_many_variants_keep_the_most_frequent_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mockforge.learning.responses.MOST_VARIANTS", 3)
    exchanges = [exchange(f"/a/{number}", b"%d" % number**3) for number in (1, 2, 2, 3, 3, 4, 4)]
    learned = learn(exchanges)
    variants = only_response(learned).variants
    assert variants is not None
    assert [row.when for row in variants.rows] == [("2",), ("3",), ("4",)]
    assert "kept the 3 most frequent of 4 variants" in learned.outcomes[0].remarks


def test_an_operation_without_a_complete_answer_has_no_stub_and_is_counted() -> None:
    broken = Exchange(0, 0, Request("GET", "/broken"), None, 5, error="connect: refused")
    learned = learn([exchange("/a"), broken, broken])
    assert [stub.name for stub in learned.service.stubs] == ["GET /a"]
    assert learned.incomplete == {"connect: refused": 2}


@pytest.mark.parametrize(
    "target", ["/a?=1", "/a?", "/a?&&", "/a/{x y}", "/a/1/2fa/3", "/a?a.b=1&path.id=2", "/a;b=1"]
)
def test_odd_targets_are_learned_like_any_other(target: str) -> None:
    engine = engine_of(learn([exchange(target, b"one"), exchange(target, b"one")]).service)
    assert ask(engine, target).response.body == b"one"


def test_of_very_many_query_parameters_the_rarest_do_not_choose() -> None:
    usual = "&".join(f"p{number}=x" for number in range(16))
    exchanges = [
        exchange(f"/a?{usual}&rare=1", b"rare") if number < 20 else exchange(f"/a?{usual}", b"usual")
        for number in range(40)
    ]
    assert learn(exchanges).outcomes[0].by == ()


def test_values_written_where_names_belong_do_not_become_parameters() -> None:
    exchanges = [exchange(f"/a?q={number % 3}&{number}", b"%d" % -(number % 3)) for number in range(300)]
    learned = learn(exchanges)
    assert learned.outcomes[0].by == ("query.q",)


def test_equal_answers_that_change_by_themselves_keep_a_few_recorded_values() -> None:
    exchanges = [
        exchange(f"/a/{number % 3}", b'{"id":%d,"batch":%d}' % ((number % 3) ** 3 + 5, number))
        for number in range(120)
    ]
    (outcome,) = learn(exchanges).outcomes
    assert (outcome.by, outcome.variants) == (("path.id",), 30)
    assert outcome.remarks == ("changes by itself: $.batch (value); recorded values are given",)


def test_random_bytes_are_given_in_the_length_that_was_asked_for() -> None:
    drawn = random.Random(2)
    exchanges = [
        exchange(f"/bytes/{size}", drawn.randbytes(size)) for _ in range(30) for size in (16, 64, 1_024)
    ]
    engine = engine_of(learn(exchanges).service)
    for size in (16, 64, 1_024):
        assert len(ask(engine, f"/bytes/{size}").response.body) == size


def test_bodies_that_were_not_kept_are_said() -> None:
    response = Response(200, Headers(), b"", omitted=10_000_000)
    learned = learn([Exchange(0, 0, Request("GET", "/big"), response, 5)])
    assert learned.remarks == ("GET /big: bodies too large to be kept, learned as empty: 1",)


def test_what_is_not_printable_stands_in_no_name_and_no_comment() -> None:
    exchanges = [
        exchange(f"/a?kind={'%0A%1B' if number % 2 else 'x'}", b'{"k%d":1}' % (number % 2))
        for number in range(60)
    ]
    learned = learn(exchanges)
    assert len(learned.service.stubs) == 2
    assert all(stub.name.isprintable() for stub in learned.service.stubs)
    assert all(line.isprintable() for lines in learned.comments.values() for line in lines)
    engine = engine_of(learned.service)
    assert ask(engine, "/a?kind=%0A%1B").response.body == b'{"k1":1}'
    assert ask(engine, "/a?kind=x").response.body == b'{"k0":1}'


def test_what_left_http_is_told_and_makes_no_stub() -> None:
    learned = learn([*(exchange("/ws", b"", status=101) for _ in range(3)), exchange("/a", b"x")])
    assert [stub.name for stub in learned.service.stubs] == ["GET /a"]
    assert "GET /ws: left HTTP 3 times, for WebSocket or the like: no stub can" in learned.remarks
