"""Of many URLs, those most like a request's are found without looking at each."""

from __future__ import annotations

import pytest

from mockforge.matching.likely import LikelyUrls


def likely(*urls: str) -> LikelyUrls[str]:
    made: LikelyUrls[str] = LikelyUrls()
    for url in urls:
        made.add(url, url)
    return made


THINGS = [f"/api/v1/things/{number}" for number in range(2_000)]


@pytest.mark.parametrize(
    ("target", "wanted"),
    [
        ("/api/v1/ordrs/17", "/api/v1/orders/{id}"),
        ("/orders/17", "/api/v1/orders/{id}"),
        ("/v2/api/paymnts", "/api/payments"),
        ("/api/v1/thngs/1234", "/api/v1/things/1234"),
        ("/pay", "/api/payments"),
    ],
)
def test_a_slip_in_a_url_finds_the_one_that_was_meant_among_thousands(target: str, wanted: str) -> None:
    urls = likely(*THINGS, "/api/v1/orders/{id}", "/api/payments")
    assert wanted in urls.most_like(target, 5)


def test_few_are_all_likely_in_their_order() -> None:
    assert likely("/b", "/a", "").most_like("/x", 3) == ["/b", "/a", ""]


def test_a_url_that_admits_any_is_always_among_them() -> None:
    assert likely(*THINGS, "").most_like("/api/v1/things/7", 4)[0] == ""


def test_where_nothing_is_alike_there_are_still_some() -> None:
    assert likely(*THINGS).most_like("zzz", 3) == THINGS[:3]


def test_what_was_removed_is_not_found() -> None:
    urls = likely(*THINGS, "/orders")
    urls.remove("/orders")
    assert "/orders" not in urls.most_like("/orders", 50)
    for url in THINGS:
        urls.remove(url)
    assert urls.most_like("/orders", 50) == []
    assert vars(urls)["_having"] == {}
