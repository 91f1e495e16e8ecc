"""Several services on one port: each request is its host's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from mockforge.engine import Engine, compile_service
from mockforge.model.headers import Headers
from mockforge.model.service import Service
from mockforge.model.stub import Body, RequestPattern, ResponseDefinition, Stub
from mockforge.server.app import MockApp
from mockforge.server.hosts import Hosts, SharedPortProtocol
from mockforge.state.journal import Journal
from tests.unit.server.harness import Transport, bodies, statuses


def mock(name: str, delay_ms: float | None = None) -> MockApp:
    response = ResponseDefinition(headers=Headers(()), body=Body("body", name), fixed_delay_ms=delay_ms)
    service = Service(name, (Stub(name, RequestPattern(), (response,)),))
    return MockApp(Engine(compile_service(service), Random(1)), Journal())


def ask(host: str, path: str = "/") -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()


class Caller:
    """A connection to a port that several services share."""

    def __init__(self, hosts: Hosts) -> None:
        self.transport = Transport()
        config = uvicorn.Config(hosts, ws="none", lifespan="off", log_config=None)
        self._loop: Any = asyncio.get_running_loop()
        self.protocol = SharedPortProtocol(hosts, config, ServerState(), {}, self._loop)
        self.transport.protocol = self.protocol
        self.protocol.connection_made(self.transport)

    def send(self, data: bytes) -> bytes:
        self.protocol.data_received(data)
        received = b"".join(self.transport.written)
        self.transport.written.clear()
        return received


@pytest.fixture
def apps() -> dict[str | None, MockApp]:
    return {"a.local": mock("a"), "*.b.local": mock("b"), "*.c.b.local": mock("c"), None: mock("rest")}


@pytest.mark.parametrize(
    ("host", "whose"),
    [
        ("a.local", "a"),
        ("A.LOCAL:8080", "a"),
        ("a.local.", "a"),
        ("x.b.local", "b"),
        ("b.local", "rest"),
        ("x.c.b.local", "c"),
        ("xa.local", "rest"),
        ("127.0.0.1:80", "rest"),
        ("[::1]:80", "rest"),
        ("", "rest"),
    ],
)
def test_the_host_says_whose_a_request_is(apps: dict[str | None, MockApp], host: str, whose: str) -> None:
    assert Hosts(apps).find([(b"Host", host.encode())]) is next(
        app for app in apps.values() if app.lane.engine.service.name == whose
    )


def with_caller(hosts: Hosts, use: Callable[[Caller], None]) -> None:
    async def run() -> None:
        use(Caller(hosts))
        for app in hosts.apps:
            app.lane.close()

    asyncio.run(run())


def test_requests_of_one_connection_are_answered_and_entered_by_their_own_services(
    apps: dict[str | None, MockApp],
) -> None:
    def use(caller: Caller) -> None:
        asked = ("a.local", "x.b.local", "a.local", "x.b.local", "other")
        assert [bodies(caller.send(ask(host)))[0] for host in asked] == [b"a", b"b", b"a", b"b", b"rest"]

    with_caller(Hosts(apps), use)
    assert [app.lane.journal.served for app in apps.values()] == [2, 2, 0, 1]


def test_a_host_that_no_service_has_is_misdirected() -> None:
    hosts = Hosts({"a.local": mock("a"), "b.local": mock("b")})

    def use(caller: Caller) -> None:
        answer = caller.send(ask("c.local"))
        assert statuses(answer) == [421]
        assert b"'c.local'; known: a.local, b.local" in answer
        assert caller.transport.ended or caller.transport.closed

    with_caller(hosts, use)
    assert [app.lane.journal.served for app in hosts.apps] == [0, 0]


def test_another_host_while_answers_are_owed_is_misdirected_and_answers_are_not_mixed_up() -> None:
    hosts = Hosts({"a.local": mock("a", delay_ms=60_000), "b.local": mock("b")})

    def use(caller: Caller) -> None:
        assert caller.send(ask("a.local") + ask("b.local")) == b""
        assert [app.lane.in_flight for app in hosts.apps] == [1, 0]
        caller.protocol.connection_lost(None)

    with_caller(hosts, use)
    assert [app.lane.journal.callers_left for app in hosts.apps] == [1, 0]
    assert [app.lane.journal.served for app in hosts.apps] == [1, 0]
