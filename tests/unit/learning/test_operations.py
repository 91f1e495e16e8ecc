"""Which requests are one operation."""

from __future__ import annotations

import pytest

from mockforge.learning.operations import Operations, path_of
from mockforge.learning.shapes import TYPICAL, shape_of
from mockforge.model.operation import Operation


def gets(*paths: str) -> Operations:
    return Operations.find([("GET", path) for path in paths])


def templates(*paths: str) -> list[str]:
    return [operation.template for operation in gets(*paths).all]


@pytest.mark.parametrize(
    "values",
    [
        ["17", "18", "-3", "0"],
        ["0b5d3c9e-1f2a-4b3c-8d4e-5f6a7b8c9d0e", "0B5D3C9E-1F2A-4B3C-8D4E-5F6A7B8C9D0F"],
        ["d41d8cd98f00b204e9800998ecf8427e", "9e107d9d372bb6826bd81d3542a419d6"],
        ["507f1f77bcf86cd799439011"],
        ["eyJhbGciOiJIUzI1NiJ9.e30.Et9HFtf9R3GEMA0IICOfFMVXY7kkTX1wr4qCyIf58U"],
        ["01ARZ3NDEKTSV4RRFFQ69G5FAV"],
        ["17", "0b5d3c9e-1f2a-4b3c-8d4e-5f6a7b8c9d0e"],
        ["{id}", "{orderId}"],
        ["{a b}", "x{y"],
    ],
    ids=["numbers", "uuids", "hashes", "one hash", "a token", "a ulid", "a mixture", "templates", "braces"],
)
def test_segments_that_look_like_values_are_one_parameter(values: list[str]) -> None:
    assert templates(*(f"/orders/{value}" for value in values)) == ["/orders/{id}"]


@pytest.mark.parametrize(
    "word",
    ["search", "v1", "x17", "17a", "deadbeefdead", "2024", "a%20b", "orders.json", "internationalization"],
)
def test_words_stay_words_and_so_does_what_only_resembles_a_value(word: str) -> None:
    found = templates(f"/{word}/list")
    assert found == (["/{id}/list"] if word == "2024" else [f"/{word}/list"])


def test_dates_are_a_parameter_of_their_own_name() -> None:
    assert templates("/reports/2026-01-31", "/reports/2026-02-01T10:00:00Z") == ["/reports/{date}"]
    assert templates("/reports/2026-01-31", "/reports/17") == ["/reports/{id}"]


def test_words_beside_values_are_operations_of_their_own() -> None:
    paths = ["/orders/17", "/orders/search", "/orders/17/items", "/orders/search/recent"]
    assert templates(*paths) == [
        "/orders/search",
        "/orders/search/recent",
        "/orders/{id}",
        "/orders/{id}/items",
    ]


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/orders/1/items/2", "/orders/{id}/items/{itemId}"),
        ("/countries/1/cities/2/streets/3", "/countries/{id}/cities/{cityId}/streets/{streetId}"),
        ("/a/1/boxes/2", "/a/{id}/boxes/{boxeId}"),
        ("/a/1/address/2", "/a/{id}/address/{addressId}"),
        ("/a/1/order-lines/2", "/a/{id}/order-lines/{orderLineId}"),
        ("/a/1/2fa/3", "/a/{id}/2fa/{faId}"),
        ("/a/1/%C3%BC/3", "/a/{id}/%C3%BC/{C3BCId}"),
        ("/a/1/2", "/a/{id}/{aId}"),
        ("/1/2", "/{id}/{id2}"),
        ("/a/1/items/2/items/3", "/a/{id}/items/{itemId}/items/{itemId2}"),
        ("/a/2026-01-01/2026-01-02", "/a/{date}/{date2}"),
    ],
)
def test_parameters_are_named_by_their_collection_and_names_differ(path: str, template: str) -> None:
    assert templates(path) == [template]


def slugs(count: int) -> list[str]:
    return [
        f"/articles/{word}" for word in (f"{first}{second}ing" for first in "abcdefgh" for second in "klmnop")
    ][:count]


def test_many_siblings_with_equal_subtrees_are_slugs_and_few_are_words() -> None:
    assert templates(*slugs(30)) == ["/articles/{id}"]
    assert len(templates(*slugs(29))) == 29


def test_slugs_may_have_subtrees_as_long_as_those_are_equal() -> None:
    paths = [f"{path}/comments/{number}" for number, path in enumerate(slugs(40))]
    assert templates(*paths) == ["/articles/{id}/comments/{commentId}"]
    assert len(templates(*paths, "/articles/aking/edit")) == 41


def test_the_first_segment_is_never_a_slug() -> None:
    paths = [path.removeprefix("/articles") for path in slugs(40)]
    assert len(templates(*paths)) == 40


def test_methods_share_the_tree_but_are_operations_of_their_own() -> None:
    found = Operations.find([("GET", "/orders/1"), ("delete", "/orders/2"), ("POST", "/orders")])
    assert [operation.name for operation in found.all] == [
        "DELETE /orders/{id}",
        "GET /orders/{id}",
        "POST /orders",
    ]
    assert found.name_of("Delete", "/orders/2") == "DELETE /orders/{id}"


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/", "/"),
        ("", "/"),
        ("/a?b=/c", "/a"),
        ("/a#b", "/a"),
        ("http://host:80/a/b?c", "/a/b"),
        ("http://host", "/"),
        ("http://host?q=1", "/"),
        ("/go/http://host/x", "/go/http://host/x"),
        ("/a%2Fb/%7Bc%7D", "/a%2Fb/%7Bc%7D"),
    ],
)
def test_the_path_of_a_target_is_raw_and_without_origin(target: str, path: str) -> None:
    assert path_of(target) == path


def test_the_query_does_not_make_an_operation() -> None:
    assert templates("/orders?page=1", "/orders?page=2", "/orders") == ["/orders"]


def test_a_trailing_slash_is_another_operation_as_it_is_another_path() -> None:
    assert templates("/orders", "/orders/", "/orders/1", "/orders/1/") == [
        "/orders",
        "/orders/",
        "/orders/{id}",
        "/orders/{id}/",
    ]


def test_the_root_and_empty_segments_have_templates() -> None:
    assert templates("/", "http://host") == ["/"]
    assert templates("//", "//a") == ["//", "//a"]


def test_an_absolute_target_is_the_operation_of_its_path() -> None:
    assert templates("http://host/orders/1", "/orders/2") == ["/orders/{id}"]


def test_percent_encoded_segments_are_taken_as_they_stand() -> None:
    assert templates("/files/a%2Fb", "/files/a%20b") == ["/files/a%20b", "/files/a%2Fb"]


def test_a_request_that_was_not_there_is_judged_by_shape_alone() -> None:
    found = gets(*slugs(30), "/orders/1")
    assert found.of("GET", "/orders/999?x=1") == Operation("GET", "/orders/{id}")
    assert found.of("PUT", "/orders/999") == Operation("PUT", "/orders/{id}")
    assert found.of("GET", "/articles/unheard") == Operation("GET", "/articles/unheard")


def test_a_path_of_thousands_of_segments_is_one_operation_still() -> None:
    path = "/a" * 5_000
    assert templates(path) == [path]


def test_nothing_recorded_has_no_operations() -> None:
    assert Operations.find([]).all == ()


@pytest.mark.parametrize(
    ("values", "template"),
    [
        ([f"page-{number}.html" for number in range(8)], "/x/{id}"),
        (["dQw4w9WgXcQ", "aB3dE6gH9jK", "Zz9Yy8Xx7Ww"], "/x/{id}"),
        ([f"red-{word}-lamp" for word in "abcdefghij"], "/x/{id}"),
        (["one@example.com", "two%40example.com"], "/x/{email}"),
    ],
    ids=["numbered", "base64", "slugs", "e-mail"],
)
def test_weak_shapes_are_values_where_several_siblings_share_them(values: list[str], template: str) -> None:
    assert templates(*(f"/x/{value}" for value in values)) == [template]
    assert len(templates(*(f"/x/{value}" for value in values), "/x/search")) == 2


@pytest.mark.parametrize(
    "words", [[f"page-{number}.html" for number in range(7)], ["v1", "v2", "v3"], ["dQw4w9WgXcQ"]]
)
def test_weak_shapes_that_few_share_stay_words(words: list[str]) -> None:
    assert templates(*(f"/x/{word}" for word in words)) == [f"/x/{word}" for word in sorted(words)]


def test_templates_that_are_known_beforehand_win() -> None:
    paths = {"/orders/latest": "/orders/{which}", "/orders/17": "/orders/{which}"}
    found = Operations.find([("GET", path) for path in (*paths, "/users/1")], paths.get)
    assert [operation.template for operation in found.all] == ["/orders/{which}", "/users/{id}"]


def test_a_hundred_thousand_distinct_paths_are_as_many_as_there_are_shapes() -> None:
    requests = [("GET", f"/orders/{number}/items/{number:032x}?page={number}") for number in range(100_000)]
    operations = Operations.find(requests)
    assert operations.all == (Operation("GET", "/orders/{id}/items/{itemId}"),)
    assert set(operations.names(requests).values()) == {"GET /orders/{id}/items/{itemId}"}
    assert operations.name_of("GET", "/orders/1234567/items/7") == "GET /orders/{id}/items/{itemId}"


def test_every_typical_text_has_its_shape() -> None:
    assert {name: shape_of(text) for name, text in TYPICAL.items()} == {name: name for name in TYPICAL}


def test_a_described_template_wins_over_the_shape_of_a_path() -> None:
    described = {"/reports/2026-01-01": "/reports/2026-01-01"}.get
    paths = ["/reports/2026-01-01", "/reports/2026-01-02"]
    operations = Operations.find([("GET", path) for path in paths], described)
    assert [operations.of("GET", path).template for path in paths] == [
        "/reports/2026-01-01",
        "/reports/{date}",
    ]
