"""An upstream's answers, passed on by way of any ASGI server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any

import pytest

from mockforge.clock import ManualClock
from mockforge.engine import Engine, compile_service
from mockforge.forwarding.proxied import forward_all
from mockforge.model.service import Service
from mockforge.server.app import MockApp
from mockforge.state.journal import Journal
from mockforge.targets import parse_target
from tests.unit.server.harness import PlayedCall, PlayedUpstream
from tests.unit.server.test_app import Caller, turns


class Mock:
    """An empty service that passes everything on."""

    def __init__(self, *, upstream: bool = True) -> None:
        fallback = forward_all(parse_target("http://real:9000"))
        engine = Engine(compile_service(Service("orders")), Random(1), fallback=fallback)
        self.upstream = PlayedUpstream()
        self.journal = Journal()
        clock = ManualClock(10**12)
        self.app = MockApp(engine, self.journal, clock, upstream=self.upstream if upstream else None)

    async def ask(self, caller: Caller) -> tuple[asyncio.Future[None], PlayedCall]:
        answering = asyncio.ensure_future(self.app(caller.scope, caller.receive, caller.send))
        await turns()
        return answering, self.upstream.calls[-1]


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), 20))


def test_an_answer_goes_on_as_it_comes() -> None:
    async def test() -> None:
        mock, caller = Mock(), Caller("POST", "/a?x=1", b"body")
        answering, call = await mock.ask(caller)
        assert (call.request.url, call.request.body) == ("http://real:9000/a?x=1", b"body")
        call.begin(201, ("X-Real", "yes"), ("Transfer-Encoding", "chunked"))
        await turns()
        assert caller.sent[0] == {
            "type": "http.response.start",
            "status": 201,
            "headers": [(b"x-real", b"yes")],
        }
        call.say(b"one")
        await turns()
        assert caller.body == b"one"
        call.say(b"two")
        call.end()
        await answering
        assert caller.body == b"onetwo"
        assert caller.sent[-1]["more_body"] is False
        (event,) = mock.journal.latest()
        assert (event.response.status, event.response.body) == (201, b"onetwo")
        assert event.forwarded is not None
        assert event.forwarded.error is None

    run(test)


def test_a_length_that_was_told_is_told() -> None:
    async def test() -> None:
        caller = Caller("HEAD", "/a")
        answering, call = await Mock().ask(caller)
        call.begin(length=5)
        call.end()
        await answering
        assert caller.headers == [(b"content-length", b"5")]
        assert caller.body == b""

    run(test)


def test_an_upstream_that_fails_is_told_to_the_caller() -> None:
    async def test() -> None:
        mock, caller = Mock(), Caller("GET", "/a")
        answering, call = await mock.ask(caller)
        call.sink.on_failure(504, "wait: timeout")
        await answering
        assert caller.status == 504
        assert caller.body == b"mockforge: no answer from http://real:9000/a: wait: timeout\n"
        (event,) = mock.journal.latest()
        assert event.response.status == 504

    run(test)


def test_an_answer_that_breaks_off_is_an_error_of_the_application() -> None:
    async def test() -> None:
        mock, caller = Mock(), Caller("GET", "/a")
        answering, call = await mock.ask(caller)
        call.begin(length=9)
        await turns()
        call.sink.on_failure(502, "body: reset")
        with pytest.raises(ConnectionError, match="broke off"):
            await answering
        (event,) = mock.journal.latest()
        assert event.forwarded is not None
        assert event.forwarded.error == "body: reset"

    run(test)


def test_a_caller_that_leaves_cancels_the_request() -> None:
    async def test() -> None:
        mock, caller = Mock(), Caller("GET", "/a")
        answering, call = await mock.ask(caller)
        caller.leave()
        await answering
        assert call.cancelled
        (event,) = mock.journal.latest()
        assert event.caller_left

    run(test)


def test_without_an_upstream_to_send_by_it_says_so() -> None:
    async def test() -> None:
        caller = Caller("GET", "/a")
        await Mock(upstream=False).app(caller.scope, caller.receive, caller.send)
        assert caller.status == 501

    run(test)
