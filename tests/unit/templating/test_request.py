from __future__ import annotations

import pytest

from mockforge.model.request import RequestView
from mockforge.templating.request import TemplateRequest

REQUEST = TemplateRequest(
    RequestView(
        "GET", "/a?x=1&x=2", [(b"X-Id", b"first"), (b"x-id", b"second"), (b"Accept", b"*/*")], b"[1]"
    ),
    {"id": "17"},
)


def test_every_part_can_be_read_by_its_name() -> None:
    values = {name: part(REQUEST) for name in TemplateRequest.PARTS if (part := TemplateRequest.part(name))}
    assert values == {
        "method": "GET",
        "url": "/a?x=1&x=2",
        "path": {"id": "17"},
        "segments": ["a"],
        "query": {"x": "1"},
        "queries": {"x": ["1", "2"]},
        "headers": {"x-id": "first", "accept": "*/*"},
        "cookies": {},
        "body": "[1]",
        "json": [1],
        "form": {"[1]": ""},
        "client": "",
        "scheme": "http",
        "host": "",
        "port": 80,
        "count": 1,
    }


@pytest.mark.parametrize("name", ["", "part", "_request", "PARTS", "jsonn"])
def test_nothing_else_is_a_part(name: str) -> None:
    assert TemplateRequest.part(name) is None


def test_headers_are_asked_in_any_case() -> None:
    headers = REQUEST.headers
    assert (headers["X-ID"], headers["x-id"], headers.get("Other")) == ("first", "first", None)
    assert "ACCEPT" in headers
    assert (list(headers), len(headers)) == (["x-id", "accept"], 2)
