"""A miss says what the nearest stubs want instead."""

from __future__ import annotations

from mockforge.matching.near_miss import describe_miss, nearest
from mockforge.matching.request import RequestMatcher
from mockforge.model.request import RequestView
from mockforge.model.stub import RequestPattern, UrlPattern, ValuePattern

ORDER = RequestPattern("GET", UrlPattern("urlPathTemplate", "/orders/{id}"))
OPEN_ORDERS = RequestPattern(
    "GET", UrlPattern("urlPath", "/orders"), query=(("state", ValuePattern("equalTo", "open")),)
)
HEALTH = RequestPattern("GET", UrlPattern("urlPath", "/health"))
METRICS = RequestPattern("POST", UrlPattern("urlPath", "/zzz"))
STUBS = [
    (name, RequestMatcher(pattern))
    for name, pattern in [
        ("metrics", METRICS),
        ("health", HEALTH),
        ("open-orders", OPEN_ORDERS),
        ("order", ORDER),
    ]
]


def test_the_three_nearest_come_nearest_first() -> None:
    misses = nearest(STUBS, RequestView("GET", "/orders?state=opn"))
    assert [miss.stub for miss in misses] == ["open-orders", "order", "health"]
    distances = [miss.result.distance for miss in misses]
    assert distances == sorted(distances)


def test_the_text_names_the_request_the_stub_and_each_difference() -> None:
    request = RequestView("POST", "/orders?state=closed")
    text = describe_miss(request, nearest(STUBS[2:3], request))
    assert text == (
        "No stub matches POST /orders?state=closed\n"
        "\n"
        "Near miss: open-orders\n"
        "  method: wanted GET, found POST\n"
        "  query state: wanted equalTo open, found closed\n"
    )


def test_a_service_without_stubs_says_so() -> None:
    assert "The service has no stubs." in describe_miss(RequestView("GET", "/"), [])
