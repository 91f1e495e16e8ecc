"""Stubs that would pass requests on to the mock itself are refused where that can be known."""

from __future__ import annotations

import pytest

from mockforge.errors import StubFileError
from mockforge.model.forwarding import ProxyDefinition
from mockforge.server.loops import OwnAddress
from mockforge.targets import parse_target
from tests.unit.server.harness import stub


@pytest.mark.parametrize(
    ("host", "url", "back"),
    [
        ("127.0.0.1", "http://127.0.0.1:8080", True),
        ("127.0.0.1", "http://localhost:8080/deep", True),
        ("127.0.0.1", "http://127.0.0.2:8080", True),
        ("0.0.0.0", "http://[::1]:8080", True),
        ("10.1.2.3", "http://10.1.2.3:8080", True),
        ("mock.example.com", "http://mock.example.com:8080", True),
        ("127.0.0.1", "http://127.0.0.1:8081", False),
        ("127.0.0.1", "http://orders.example.com:8080", False),
        ("10.1.2.3", "http://127.0.0.1:8080", False),
    ],
)
def test_what_leads_back(host: str, url: str, back: bool) -> None:
    assert OwnAddress(host, 8080).leads_back(parse_target(url)) is back


def test_each_stub_that_does_is_named() -> None:
    own = OwnAddress("127.0.0.1", 8080)
    loop = stub("/p", body=None, proxy=ProxyDefinition("http://localhost:8080"))
    with pytest.raises(StubFileError) as refused:
        own.refuse_loops([stub("/a"), loop])
    assert refused.value.problems == ("stub '/p': proxyBaseUrl: http://localhost:8080 is the mock itself",)


def test_a_template_is_looked_at_when_it_is_used() -> None:
    proxy = ProxyDefinition("http://{{ request.headers.host }}")
    OwnAddress("127.0.0.1", 8080).refuse_loops([stub("/p", body=None, proxy=proxy)])
