"""The whole request's test, and how far off a request is."""

from __future__ import annotations

import pytest

from mockforge.matching.request import Difference, RequestMatcher
from mockforge.model.request import RequestView
from mockforge.model.stub import RequestPattern, UrlPattern, ValuePattern

ORDERS = RequestPattern(
    method="GET",
    url=UrlPattern("urlPath", "/orders"),
    query=(("state", ValuePattern("equalTo", "open")), ("page", ValuePattern("absent", True))),
    headers=(("X-Tenant", ValuePattern("matches", "[a-z]+")),),
)


def request(
    target: str = "/orders?state=open",
    method: str = "GET",
    headers: tuple[tuple[str, str], ...] = (("x-tenant", "acme"),),
) -> RequestView:
    return RequestView(method, target, [(name.encode(), value.encode()) for name, value in headers])


@pytest.mark.parametrize(
    ("asked", "parts"),
    [
        (request(), []),
        (request("/orders?b=1&state=open&a=2"), []),
        (request("/orders?state=closed&state=open"), []),
        (request(headers=(("X-Tenant", "1"), ("x-tenant", "acme"))), []),
        (request(method="POST"), ["method"]),
        (request("/order?state=open"), ["url"]),
        (request("/orders"), ["query state"]),
        (request("/orders?state=open&page=2"), ["query page"]),
        (request(headers=()), ["header X-Tenant"]),
        (request(headers=(("X-Tenant", "42"),)), ["header X-Tenant"]),
        (request("/?page=1", "PUT", ()), ["method", "url", "query state", "query page", "header X-Tenant"]),
    ],
)
def test_every_part_must_match_and_those_that_do_not_are_named(asked: RequestView, parts: list[str]) -> None:
    matcher = RequestMatcher(ORDERS)
    result = matcher.compare(asked)
    assert [difference.part for difference in result.differences] == parts
    assert matcher.matches(asked) is result.matched is (parts == [])
    assert (result.distance == 0) is (parts == [])
    assert 0 <= result.distance <= 1


def test_a_difference_says_what_was_wanted_and_what_was_found() -> None:
    result = RequestMatcher(ORDERS).compare(request("/orders?state=opened&state=x", "POST", ()))
    method, state, tenant = result.differences
    assert method == Difference("method", "GET", "POST", 1.0)
    assert (state.wanted, state.found) == ("equalTo open", "opened, x")
    assert tenant == Difference("header X-Tenant", "matches [a-z]+", "absent", 1.0)


def test_the_distance_is_a_mean_in_which_url_and_method_count_most_and_of_values_the_nearest() -> None:
    result = RequestMatcher(ORDERS).compare(request("/orders?state=x&state=opened", "POST", ()))
    assert result.differences[1].distance == pytest.approx(0.2)
    assert result.distance == pytest.approx((3 * 1 + 10 * 0 + 0.2 + 0 + 1) / (3 + 10 + 1 + 1 + 1))


def test_what_a_pattern_leaves_out_may_be_anything() -> None:
    matcher = RequestMatcher(RequestPattern())
    assert matcher.matches(request("/anything?at=all", "BREW", ()))
    assert matcher.compare(request()).matched


def test_methods_compare_with_case_as_http_has_it() -> None:
    assert not RequestMatcher(RequestPattern("GET")).matches(request(method="get"))
    assert RequestMatcher(RequestPattern("ANY")).admits_method("get")


NEW_ORDER = RequestPattern(
    method="POST",
    headers=(("Content-Type", ValuePattern("equalTo", "application/json")),),
    body=(
        ValuePattern("matchesJsonPath", "$.sku"),
        ValuePattern("equalToJson", {"sku": "b-17", "count": 2}, {"ignoreExtraElements": True}),
    ),
)
TYPED = [(b"content-type", b"application/json")]


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        (b'{"count": 2, "sku": "b-17", "note": ""}', []),
        (b'{"count": 2, "sku": "b-18"}', ['equalToJson {"sku":"b-17","count":2}']),
        (b"{", ["matchesJsonPath $.sku", 'equalToJson {"sku":"b-17","count":2}']),
    ],
)
def test_every_pattern_of_the_body_must_match(body: bytes, wanted: list[str]) -> None:
    asked = RequestView("POST", "/", TYPED, body)
    matcher = RequestMatcher(NEW_ORDER)
    differences = matcher.compare(asked).differences
    assert [(each.part, each.wanted, each.found) for each in differences] == [
        ("body", each, body.decode()) for each in wanted
    ]
    assert matcher.matches(asked) is (wanted == [])
    assert matcher.rest is not None
    assert matcher.rest(asked) is (wanted == [])


def test_a_body_is_shown_by_its_beginning_and_an_empty_one_is_absent() -> None:
    matcher = RequestMatcher(RequestPattern(body=(ValuePattern("equalTo", "a" * 9_999),)))
    (found,) = matcher.compare(RequestView("POST", "/", body="é".encode() * 9_999)).differences
    assert (found.wanted, found.found) == ("equalTo " + "a" * 191 + "…", "é" * 199 + "…")
    (found,) = matcher.compare(RequestView("POST", "/")).differences
    assert found.found == "absent"


class Unparsed(RequestView):
    """A request whose body nobody may parse."""

    @property
    def json(self) -> object:
        raise AssertionError("the body was parsed")


def test_a_body_is_parsed_only_where_everything_else_matches() -> None:
    matcher = RequestMatcher(NEW_ORDER)
    assert not matcher.matches(Unparsed("POST", "/", (), b"{}"))
    with pytest.raises(AssertionError, match="the body was parsed"):
        matcher.matches(Unparsed("POST", "/", TYPED, b"{}"))
