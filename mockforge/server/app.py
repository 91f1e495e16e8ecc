"""The engine behind a plain ASGI application: any ASGI server can run it.

A request's arrival is stamped when its body is complete; its answer leaves at the due time that the engine
planned, so that the work in between is absorbed and not added.
"""

from __future__ import annotations

import asyncio
import contextlib

from mockforge.clock import Clock
from mockforge.engine import Decision, Engine
from mockforge.model.event import ServeEvent
from mockforge.model.request import Connection, RequestView, connection_of
from mockforge.model.response import BODILESS, RenderedResponse
from mockforge.model.upstream import Upstream
from mockforge.server.admin import ADMIN_PREFIX, Admin, AdminOptions, admin_app
from mockforge.server.admin.context import Receive, Scope, Send
from mockforge.server.admin.store import StubStore
from mockforge.server.asgi_forwarding import PassingOn
from mockforge.server.asgi_pacing import TakingTime
from mockforge.server.gateway import Gateway
from mockforge.server.lane import Lane, Limits
from mockforge.server.stations import Waiting
from mockforge.state.journal import Journal

__all__ = ["MockApp"]


class MockApp:
    """An ASGI application that serves one engine, keeps its journal, and answers `/__admin`.

    Stubs that pass requests on, and callbacks, need an `upstream` to send by.
    """

    def __init__(
        self,
        engine: Engine,
        journal: Journal,
        clock: Clock | None = None,
        limits: Limits | None = None,
        admin: AdminOptions | None = None,
        upstream: Upstream | None = None,
    ) -> None:
        gateway = None if upstream is None else Gateway(upstream)
        self.lane = Lane(engine, journal, clock=clock, limits=limits, gateway=gateway)
        self._clock = self.lane.clock
        #: Every edit of what is served goes through it.
        self.stubs = StubStore(engine, self._clock.now_ns)
        #: The ASGI application of `/__admin`.
        self.admin = admin_app(Admin(self.lane, self.stubs, admin or AdminOptions()))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http" and scope["path"].startswith(f"{ADMIN_PREFIX}/"):
            await self.admin(scope, receive, send)
        elif scope["type"] == "http" and scope["path"] == "*":
            await self._answer_server_wide(send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1000})

    async def _answer_server_wide(self, send: Send) -> None:
        """`OPTIONS *` is about the server and none of its stubs (RFC 9110 §9.3.7): no part of a run."""
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                await self.close()
                return

    async def close(self) -> None:
        """Finish or drop callbacks, and let go of upstreams and the timer."""
        await self.lane.callbacks.close()
        if self.lane.gateway is not None:
            await self.lane.gateway.close()
        self.lane.close()

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _body(receive)
        if body is None:
            return
        arrived_ns = self._clock.now_ns()
        wall_ns = self._clock.wall_ns()
        request = RequestView(scope["method"], _target(scope), scope["headers"], body, _connection(scope))
        in_flight = self.lane.in_flight
        self.lane.in_flight += 1
        try:
            decision, stayed = await self._wait(self.lane.engine.decide(request, arrived_ns), receive)
            apart: PassingOn | TakingTime | None = None
            if stayed and decision.forward is not None:
                apart = PassingOn(self.lane, decision.forward, request)
            elif stayed and decision.sending is not None:
                apart = TakingTime(self.lane, decision, request)
            if apart is not None:
                stayed = await apart.run(receive, send)
            first_byte_ns = self._clock.now_ns() if stayed else None
            if stayed and apart is None:
                await _send(decision.response, send, request.method)
        finally:
            self.lane.in_flight -= 1
        event = self._event(request, decision, wall_ns, first_byte_ns, in_flight)
        if apart is not None:
            event = apart.told(event)
        self.lane.journal.add_apart(event)
        if decision.callbacks and stayed:
            self.lane.callbacks.plan(decision.callbacks, request, arrived_ns)
        if apart is not None:
            apart.check_whole()

    def _event(
        self,
        request: RequestView,
        decision: Decision,
        wall_ns: int,
        first_byte_ns: int | None,
        in_flight: int,
    ) -> ServeEvent:
        return ServeEvent(
            wall_ns=wall_ns,
            request=request,
            response=decision.response,
            plan=decision.plan,
            stub=decision.stub,
            first_byte_ns=first_byte_ns,
            end_ns=self._clock.now_ns(),
            in_flight=in_flight,
            caller_left=first_byte_ns is None,
        )

    async def _wait(self, decision: Decision, receive: Receive) -> tuple[Decision, bool]:
        """Until the answer is due; what it then is, and whether the caller is still there."""
        now_ns = self._clock.now_ns()
        if decision.demand is None and decision.plan.first_byte_ns <= now_ns:
            return decision, True
        answer = _Answer(decision)
        if decision.demand is None:
            answer.schedule(self.lane.timer, now_ns)
        else:
            self.lane.stations.enter(answer)
        left = asyncio.ensure_future(receive())
        try:
            await asyncio.wait((answer.due, left), return_when=asyncio.FIRST_COMPLETED)
            return answer.decision, answer.due.done()
        finally:
            answer.leave()
            left.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await left


class _Answer(Waiting):
    """An answer that somebody waits for."""

    __slots__ = ("due",)

    def __init__(self, decision: Decision) -> None:
        super().__init__()
        self.decision = decision
        self.station = None
        self.due: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def fire(self) -> None:
        if not self.due.done():
            self.due.set_result(None)


async def _body(receive: Receive) -> bytes | None:
    """The whole request body; None when the caller left while sending it."""
    chunks: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunks.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(chunks)


def _target(scope: Scope) -> str:
    path: bytes = scope.get("raw_path") or scope["path"].encode()
    query: bytes = scope["query_string"]
    return (path + b"?" + query if query else path).decode("latin-1")


def _connection(scope: Scope) -> Connection:
    client, server = scope.get("client"), scope.get("server")
    port = server[1] if server else 0
    return connection_of(scope.get("scheme", "http"), client[0] if client else "", port or 0)


async def _send(response: RenderedResponse, send: Send, method: str) -> None:
    headers = list(response.headers)
    if response.status not in BODILESS:
        headers.append((b"content-length", str(len(response.body)).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body_for(method)})
