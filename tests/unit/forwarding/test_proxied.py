"""The request that goes upstream: where to, with which fields, and what cannot be."""

from __future__ import annotations

from typing import Any

import pytest

from mockforge.errors import StubFileError, UsageError
from mockforge.forwarding.proxied import compile_forward
from mockforge.model.forwarding import ProxyDefinition
from mockforge.model.headers import Headers
from mockforge.model.request import RequestView
from mockforge.model.upstream import OutgoingRequest
from mockforge.templating.request import TemplateRequest


def sent(
    target: str = "/a", *fields: tuple[str, str], method: str = "GET", body: bytes = b"", **proxy: Any
) -> OutgoingRequest:
    definition = ProxyDefinition(**{"base_url": "http://real:9000", **proxy})
    view = RequestView(method, target, Headers(fields).raw(), body)
    return compile_forward(definition, ()).of(TemplateRequest(view, {})).request


def names(request: OutgoingRequest) -> list[str]:
    return [name.decode().lower() for name, _ in request.headers]


@pytest.mark.parametrize(
    ("base", "prefix", "target", "url"),
    [
        ("http://real:9000", None, "/a?x=1", "http://real:9000/a?x=1"),
        ("http://real:9000/", None, "/a", "http://real:9000/a"),
        ("http://real:9000/v1", None, "/a", "http://real:9000/v1/a"),
        ("http://real:9000/v1", "/api", "/api/a?x=1", "http://real:9000/v1/a?x=1"),
        ("http://real:9000", "/api", "/api", "http://real:9000/"),
        ("http://real:9000", "/api", "/other", "http://real:9000/other"),
        ("https://real", None, "/a", "https://real/a"),
    ],
)
def test_the_url(base: str, prefix: str | None, target: str, url: str) -> None:
    assert sent(target, base_url=base, prefix_to_remove=prefix).url == url


def test_fields_go_on_as_they_came_but_for_those_of_the_connection() -> None:
    request = sent(
        "/a",
        ("Host", "mock"),
        ("Accept", "a"),
        ("Accept", "b"),
        ("Connection", "keep-alive, X-Hop"),
        ("X-Hop", "1"),
        ("TE", "trailers"),
        ("Expect", "100-continue"),
    )
    assert request.headers == (
        (b"Host", b"real:9000"),
        (b"Accept", b"a"),
        (b"Accept", b"b"),
        (b"Connection", b"keep-alive"),
    )


def test_added_fields_stand_in_place_of_the_callers() -> None:
    request = sent("/a", ("A", "doh"), ("B", "2"), added=Headers((("a", "b"), ("Host", "other"))))
    assert Headers.from_raw(request.headers).get_all("a") == ["b"]
    assert Headers.from_raw(request.headers).get_all("host") == ["other"]
    assert "b" in names(request)


def test_removed_fields_do_not_go_on() -> None:
    assert "authorization" not in names(sent("/a", ("Authorization", "x"), removed=("AUTHORIZATION",)))


@pytest.mark.parametrize(
    ("method", "body", "length"),
    [("POST", b"abc", "3"), ("POST", b"", "0"), ("GET", b"", None), ("GET", b"x", "1")],
)
def test_the_body_goes_on_with_its_length(method: str, body: bytes, length: str | None) -> None:
    request = sent("/a", ("Transfer-Encoding", "chunked"), method=method, body=body)
    assert request.body == body
    assert Headers.from_raw(request.headers).get("content-length") == length
    assert "transfer-encoding" not in names(request)


def test_the_base_may_be_a_template() -> None:
    proxy = ProxyDefinition("http://{{ request.headers['x-to'] }}:9000")
    forward = compile_forward(proxy, (), templated=True)
    view = RequestView("GET", "/a", ((b"X-To", b"blue"),))
    assert forward.of(TemplateRequest(view, {})).request.url == "http://blue:9000/a"
    with pytest.raises(UsageError):
        forward.of(TemplateRequest(RequestView("GET", "/a", ((b"X-To", b"no host/"),)), {}))


@pytest.mark.parametrize(
    "url", ["real:9000", "ftp://real", "http://", "http://real:0", "http://real/?x=1", "http://{{ x }}"]
)
def test_a_base_that_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(StubFileError):
        compile_forward(ProxyDefinition(url), ())


@pytest.mark.parametrize("name", ["Content-Length", "transfer-encoding", "Connection"])
def test_a_field_that_the_mock_writes_cannot_be_set(name: str) -> None:
    with pytest.raises(StubFileError, match=name):
        compile_forward(ProxyDefinition("http://real", added=Headers(((name, "1"),))), ())


def test_fields_of_its_answer_may_be_templates() -> None:
    fields = ((b"X-Id", b"{{ request.path.id }}"), (b"X", b"1"))
    request = TemplateRequest(RequestView("GET", "/a"), {"id": "17"})
    forward = compile_forward(ProxyDefinition("http://real:9000"), fields, templated=True)
    assert forward.of(request).fields == ((b"X-Id", b"17"), (b"X", b"1"))
    assert compile_forward(ProxyDefinition("http://real:9000"), fields).of(request).fields == fields
