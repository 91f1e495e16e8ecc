"""A body as written gives the bytes to send."""

from __future__ import annotations

import pytest

from mockforge.model.stub import Body, RequestPattern, ResponseDefinition, Stub


@pytest.mark.parametrize(
    ("body", "content"),
    [
        (Body("body", "grüß"), "grüß".encode()),
        (Body("body", ""), b""),
        (Body("jsonBody", {"b": [1, 2.5, None], "a": "é"}), '{"b":[1,2.5,null],"a":"é"}'.encode()),
        (Body("jsonBody", None), b"null"),
        (Body("base64Body", "AAEC/w=="), b"\x00\x01\x02\xff"),
        (Body("bodyFileName", "orders.bin", b"\xff\x00"), b"\xff\x00"),
        (Body("bodyFileName", "orders.bin"), b""),
    ],
)
def test_every_kind_of_body_gives_its_bytes(body: Body, content: bytes) -> None:
    assert body.content() == content


def test_two_stubs_are_equal_wherever_they_stand() -> None:
    one, other = (
        Stub("a", RequestPattern(), (ResponseDefinition(),), place=place)
        for place in ("a.yaml:1", "b.yaml:9")
    )
    assert one == other
