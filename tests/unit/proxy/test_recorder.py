"""What the proxy is told before it begins."""

from __future__ import annotations

import pytest

from mockforge.errors import UsageError
from mockforge.proxy.recorder import ProxyOptions
from tests.unit.proxy.harness import GET, OK, DrivenProxy


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"host": "a b"}, "'a b'"),
        ({"host": "a\r\nX: 1"}, "X: 1"),
        ({"host": ""}, "''"),
        ({"keep_body": -1}, "-1 bytes"),
        ({"timeout_s": 0}, "0 s"),
        ({"timeout_s": float("nan")}, "nan s"),
    ],
)
def test_an_impossible_option_is_one_line_that_shows_it(options: dict[str, float], named: str) -> None:
    with pytest.raises(UsageError, match=named) as caught:
        ProxyOptions(**options)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "sent"),
    [(None, b"there:9000"), ("keep", b"proxy"), ("orders.example.com", b"orders.example.com")],
)
def test_the_host_is_the_targets_or_the_callers_or_given(host: str | None, sent: bytes) -> None:
    proxy = DrivenProxy(options=ProxyOptions(host=host))
    proxy.caller().say(GET)
    assert proxy.target.got == GET.replace(b"proxy", sent)


def test_a_proxy_that_ends_closes_connections_with_the_answer_under_way() -> None:
    proxy = DrivenProxy()
    caller = proxy.caller()
    caller.say(GET)
    proxy.stopping = True
    proxy.target.say(OK)
    assert caller.got == OK
    assert caller.transport.ended == "closed"
    assert [exchange.error for exchange in proxy.exchanges] == [None]
