"""Values that answers bring and later requests carry: found, and carried on."""

from __future__ import annotations

import gzip

import pytest

from mockforge.model.exchange import Exchange, Request, Response
from mockforge.model.headers import Headers
from mockforge.replay.correlated import CorrelatedFeed
from mockforge.replay.correlation import Correlations, find_correlations, links
from mockforge.replay.feed import Mold
from mockforge.replay.rewriting import Rewriting
from mockforge.replay.values import Place, Spot, looks_like_an_identifier
from mockforge.replay.wire import HostPolicy
from mockforge.replay.workload import read_workload
from mockforge.targets import parse_target

MS = 1_000_000
JSON = ("Content-Type", "application/json")
TARGET = parse_target("http://127.0.0.1:9000")

#: A caller who logs in, orders, and looks at what was ordered; each a second after another.
LOGIN = Request("POST", "/login", Headers((JSON,)), b'{"user": "ann"}')
ORDER = Request(
    "POST",
    "/orders",
    Headers((JSON, ("Authorization", "Bearer abc123def456"), ("Cookie", "a=1; sid=old-session"))),
)
LOOK = Request("GET", "/orders/10042/items?ref=5f2b8c1d")
PAY = Request(
    "POST", "/payments", Headers((JSON,)), b'{ "order": 10042, "note": "10042, 10042x", "ref" : "5f2b8c1d" }'
)

LOGGED_IN = Response(
    200, Headers((JSON, ("Set-Cookie", "sid=old-session; Path=/"))), b'{"token": "abc123def456", "ttl": 3600}'
)
ORDERED = Response(201, Headers((JSON, ("Location", "http://old:1/orders/10042"))), b'{"refs": ["5f2b8c1d"]}')


def at(second: int, request: Request, response: Response | None, took_ms: int = 5) -> Exchange:
    return Exchange(0, second * 1000 * MS, request, response, took_ms * MS)


CONVERSATION = [
    at(0, LOGIN, LOGGED_IN),
    at(1, ORDER, ORDERED),
    at(2, LOOK, Response(200)),
    at(3, PAY, Response(200)),
]


def found(exchanges: list[Exchange]) -> set[tuple[int, Spot, int, Place]]:
    """Every use: which answer brought it and where, which request carries it and where."""
    correlations = find_correlations(exchanges)
    origin = {
        one.variable: (index, one.spot) for index, each in correlations.extractions.items() for one in each
    }
    return {
        (*origin[use.variable], index, use.place) for index, each in correlations.uses.items() for use in each
    }


def test_ids_tokens_cookies_and_locations_are_followed() -> None:
    assert found(CONVERSATION) == {
        (0, Spot("json", ("token",)), 1, Place("header", "Authorization")),
        (0, Spot("cookie", "sid"), 1, Place("cookie", "sid")),
        (1, Spot("location-path", -1), 2, Place("path", 2)),
        (1, Spot("json", ("refs", 0)), 2, Place("query", 0, "ref")),
        (1, Spot("location-path", -1), 3, Place("json", ("order",))),
        (1, Spot("json", ("refs", 0)), 3, Place("json", ("ref",))),
    }


def test_what_a_caller_said_first_is_the_callers_own() -> None:
    look = Request("GET", "/orders/10042")
    brought = Response(200, Headers((JSON,)), b'{"id": 10042}')
    assert found([at(0, look, brought), at(1, look, brought)]) == set()


def test_an_answer_that_had_not_ended_is_the_source_of_nothing() -> None:
    brought = Response(200, Headers((JSON,)), b'{"id": 10042}')
    late = [at(0, LOGIN, brought, took_ms=1500), at(1, Request("GET", "/orders/10042"), None)]
    assert found(late) == set()


def test_the_first_answer_that_brought_a_value_is_its_source() -> None:
    brought = Response(200, Headers((JSON,)), b'{"id": 10042}')
    exchanges = [at(0, LOGIN, brought), at(1, LOGIN, brought), at(2, Request("GET", "/orders/10042"), None)]
    assert {source for source, *_ in found(exchanges)} == {0}


def test_compressed_answers_are_read() -> None:
    headers = Headers((JSON, ("Content-Encoding", "gzip")))
    brought = Response(200, headers, gzip.compress(b'{"id": "x-77-abcd"}', mtime=0))
    assert len(found([at(0, LOGIN, brought), at(1, Request("GET", "/o/x-77-abcd"), None)])) == 1


@pytest.mark.parametrize("body", [b"", b"{", b"[1234", b'"\xff"', b"null", b"[" * 3000])
def test_an_answer_that_is_not_the_json_it_says_brings_nothing(body: bytes) -> None:
    assert found([at(0, LOGIN, Response(200, Headers((JSON,)), body)), at(1, LOOK, None)]) == set()


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("1234", True),
        ("123", False),
        ("3f2504e0-4f89-11d3-9a0c-0305e82c3301", True),
        ("5f2b8c1d", True),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", True),
        ("shipping", False),
        ("in-transit", False),
        ("2026-03-30", False),
        ("2026-03-30T10:00:00Z", False),
        ("1.25", False),
        ("two words 77", False),
        ("", False),
    ],
)
def test_identifiers_are_what_programs_make_up(text: str, is_one: bool) -> None:
    assert looks_like_an_identifier(text) is is_one


def test_the_table_for_people_adds_up_by_operation() -> None:
    exchanges = [*CONVERSATION, at(4, LOOK, Response(200))]
    names = ["login", "order", "look", "pay", "look"]
    shown = links(find_correlations(exchanges), names)
    assert shown[0] == ("order", "$.refs[0]", "look", "query ref", 2)
    assert ("login", "$.token", "order", "header Authorization", 1) in shown
    assert ("order", "location-path -1", "pay", "body $.order", 1) in shown


def feed(exchanges: list[Exchange], correlations: Correlations | None = None) -> CorrelatedFeed:
    mold = Mold(TARGET, HostPolicy(TARGET.authority), Rewriting())
    return CorrelatedFeed(read_workload(exchanges), mold, correlations or find_correlations(exchanges))


NEW_LOGIN = Response(
    200, Headers((JSON, ("Set-Cookie", "sid=fresh; HttpOnly"))), b'{"ttl": 9, "token": "NEW.token-1"}'
)
NEW_ORDER = Response(201, Headers((JSON, ("Location", "/orders/77?x"))), b'{"refs": ["a b/c"]}')


def test_requests_carry_what_this_runs_answers_brought() -> None:
    sent = feed(CONVERSATION)
    sent.on_answer(0, NEW_LOGIN)
    ordered = sent.shot(1)
    assert ordered.request.headers.get("authorization") == "Bearer NEW.token-1"
    assert ordered.request.headers.get("cookie") == "a=1; sid=fresh"
    assert b"Authorization: Bearer NEW.token-1\r\n" in ordered.prepared.data
    sent.on_answer(1, NEW_ORDER)
    assert sent.shot(2).request.target == "/orders/77/items?ref=a%20b/c"
    assert sent.shot(3).request.body == b'{ "order": 77, "note": "10042, 10042x", "ref" : "a b/c" }'
    assert (sent.dependent, sent.uncorrelated) == (3, 0)


def test_a_request_that_is_due_before_its_answer_goes_out_as_recorded_and_is_counted() -> None:
    sent = feed(CONVERSATION)
    assert sent.shot(1).request == ORDER
    assert sent.shot(2).request == LOOK
    assert (sent.dependent, sent.uncorrelated) == (2, 2)


def test_values_belong_to_one_round_through_the_recording() -> None:
    sent = feed(CONVERSATION)
    sent.on_answer(0, NEW_LOGIN)
    assert sent.shot(5).request == ORDER
    sent.on_answer(4, NEW_LOGIN)
    assert sent.shot(5).request.headers.get("cookie") == "a=1; sid=fresh"


def test_an_answer_without_the_value_leaves_it_unknown() -> None:
    sent = feed(CONVERSATION)
    sent.on_answer(0, Response(500, Headers((JSON,)), b'{"error": 1}'))
    assert sent.shot(1).request == ORDER
    assert sent.uncorrelated == 1


def test_requests_that_depend_on_nothing_are_as_recorded() -> None:
    sent = feed(CONVERSATION)
    assert sent.shot(0).request == LOGIN
    assert sent.dependent == 0
