"""The key that an answer's variants are chosen by: one function for learning and for serving."""

from __future__ import annotations

import pytest

from mockforge.errors import StubFileError
from mockforge.matching.parameters import compile_parameters
from mockforge.matching.url import template_regex
from mockforge.model.request import RequestView

TEMPLATE = template_regex("/orders/{id}/items/{itemId}")


def key(by: list[str], target: str, body: bytes = b"") -> tuple[str, ...]:
    return compile_parameters(by, TEMPLATE)(RequestView("POST", target, body=body))


def test_the_values_come_decoded_and_in_the_order_that_was_asked_for() -> None:
    by = ["query.q", "path.itemId", "path.id"]
    assert key(by, "/orders/a%2Fb/items/7?x=1&q=a+b") == ("a b", "7", "a/b")


def test_an_absent_parameter_is_the_empty_string_and_repeated_ones_are_joined() -> None:
    assert key(["query.q", "query.r"], "/orders/1/items/2?r=1&r=2") == ("", "1,2")
    assert key(["path.id"], "/elsewhere") == ("",)


def test_no_parameters_make_the_empty_key() -> None:
    assert key([], "/orders/1/items/2", b"body") == ()


def test_a_query_parameter_may_have_dots_in_its_name() -> None:
    assert key(["query.a.b"], "/orders/1/items/2?a.b=7") == ("7",)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b'{"a": 1, "b": [1, 2]}', b'{"b":[1,2],"a":1}'),
        (b"[1]", b" [ 1 ] "),
        (b'{"a": "' + b"x" * 1_000 + b'", "b": 1}', b'{"b":1,"a":"' + b"x" * 1_000 + b'"}'),
    ],
)
def test_json_bodies_that_say_the_same_are_one_key(one: bytes, other: bytes) -> None:
    assert key(["body"], "/", one) == key(["body"], "/", other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b'{"a": 1}', b'{"a": 2}'),
        (b"[1,2]", b"[2,1]"),
        (b"a=1", b"a=2"),
        (b"\xff\x00", b"\xfe\x00"),
        (b"x" * 1_000, b"x" * 999 + b"y"),
        (b"", b" "),
    ],
)
def test_bodies_that_say_different_things_are_two_keys(one: bytes, other: bytes) -> None:
    assert key(["body"], "/", one) != key(["body"], "/", other)


def test_a_short_body_is_readable_and_a_long_one_is_its_digest() -> None:
    assert key(["body"], "/", b'{"b": 1, "a": "x"}') == ('{"a":"x","b":1}',)
    (digest,) = key(["body"], "/", b"x" * 1_000)
    assert digest.startswith("sha256:")
    assert len(digest) < 50


def test_a_body_nested_beyond_what_json_can_be_written_with_is_a_key_still() -> None:
    (deep,) = key(["body"], "/", b"[" * 400 + b"]" * 400)
    assert deep.startswith("sha256:")


@pytest.mark.parametrize("name", ["path.orderId", "path.", "query.", "header.X-Id", "id", "body.id", ""])
def test_a_name_of_no_parameter_is_refused_and_the_known_ones_are_named(name: str) -> None:
    with pytest.raises(StubFileError) as refused:
        compile_parameters([name], TEMPLATE)
    assert str(refused.value) == (
        f"{name!r} is no parameter of the request (known: path.id, path.itemId, query.NAME, body)"
    )


def test_without_a_template_there_are_no_path_parameters() -> None:
    with pytest.raises(
        StubFileError, match=r"'path\.id' is no parameter of the request \(known: query\.NAME, body\)"
    ):
        compile_parameters(["path.id"], None)
