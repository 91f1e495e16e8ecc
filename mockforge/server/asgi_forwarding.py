"""An answer that an upstream gives, passed on by way of an ASGI server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from mockforge.forwarding.proxied import Forward
from mockforge.model.event import ServeEvent
from mockforge.model.headers import Headers
from mockforge.model.request import RequestView
from mockforge.model.response import BODILESS, DelayPlan, RenderedResponse
from mockforge.model.upstream import UpstreamHead
from mockforge.server.gateway import Gateway
from mockforge.server.lane import Lane
from mockforge.server.upstream_answer import UpstreamAnswer, own_answer, refusal_to_pass_on

__all__ = ["PassingOn"]

#: So much of an answer waits here for a caller that reads slowly.
_TAKEN_AHEAD = 256 * 1024

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class PassingOn:
    """One answer that is passed on; the sink of its upstream."""

    def __init__(self, lane: Lane, forward: Forward, request: RequestView) -> None:
        self._lane = lane
        self._forward = forward
        self._request = request
        self._answer = UpstreamAnswer(forward, lane.clock.now_ns)
        self._own: RenderedResponse | None = None
        self._first_byte_ns: int | None = None
        self._parts: list[bytes] = []
        self._size = 0
        self._done = False
        self._broken = False
        self._news = asyncio.Event()

    async def run(self, receive: Receive, send: Send) -> bool:
        """Ask and pass on; whether the caller stayed to the end."""
        self._own = refusal_to_pass_on(self._lane.gateway, self._forward, self._request)
        if self._own is None:
            gateway = self._lane.gateway
            assert isinstance(gateway, Gateway)
            self._answer.call = gateway.pass_on(self._forward.request, self)
        else:
            self._done = True
        left = asyncio.ensure_future(receive())
        try:
            return await self._pass_on(left, send)
        finally:
            left.cancel()
            if self._answer.call is not None and not self._done:
                self._answer.call.cancel()
                self._answer.end("caller: left")

    def told(self, event: ServeEvent) -> ServeEvent:
        """The event with what became of the request."""
        response = self._own or self._answer.rendered() or event.response
        there_ns = self._answer.first_byte_ns
        plan = event.plan
        if there_ns is not None:
            plan = DelayPlan(plan.arrived_ns, max(plan.first_byte_ns, there_ns))
        forwarded = None if self._answer.call is None else self._answer.forwarded()
        first_byte_ns = self._first_byte_ns
        return event._replace(response=response, plan=plan, forwarded=forwarded, first_byte_ns=first_byte_ns)

    def check_whole(self) -> None:
        """ConnectionError where the answer broke off, so that the server cuts the caller off too."""
        if self._broken:
            raise ConnectionError(f"the upstream's answer broke off: {self._answer.error}")

    async def _pass_on(self, left: asyncio.Future[MutableMapping[str, Any]], send: Send) -> bool:
        begun = False
        while True:
            if not self._news.is_set() and not self._done:
                news = asyncio.ensure_future(self._news.wait())
                await asyncio.wait((news, left), return_when=asyncio.FIRST_COMPLETED)
                news.cancel()
                if left.done() and not self._news.is_set():
                    return False
            self._news.clear()
            if not begun and (self._own is not None or self._answer.head is not None):
                begun = True
                self._first_byte_ns = self._lane.clock.now_ns()
                await send(self._start())
            if not begun:
                continue
            if self._broken:
                return True
            done, body = self._done, b"".join(self._parts)
            self._parts.clear()
            self._size = 0
            await send({"type": "http.response.body", "body": body, "more_body": not done})
            if done:
                return True
            if self._answer.call is not None:
                self._answer.call.resume()

    def _start(self) -> MutableMapping[str, Any]:
        if self._own is not None:
            self._parts = [self._own.body_for(self._request.method)]
            fields = [*self._own.headers, (b"content-length", str(len(self._own.body)).encode())]
            return {"type": "http.response.start", "status": self._own.status, "headers": fields}
        head = self._answer.head
        assert head is not None
        fields = [(name.lower(), value) for name, value in self._answer.fields]
        if head.length is not None and head.status not in BODILESS:
            fields.append((b"content-length", str(head.length).encode()))
        return {"type": "http.response.start", "status": head.status, "headers": fields}

    # The sink

    def on_interim(self, head: UpstreamHead) -> None:
        """ASGI has no way to pass it on."""

    def on_head(self, head: UpstreamHead) -> None:
        self._answer.begin(head)

    def on_body(self, data: bytes) -> None:
        self._answer.take(data)
        self._parts.append(data)
        self._size += len(data)
        if self._size > _TAKEN_AHEAD and self._answer.call is not None:
            self._answer.call.pause()

    def on_read(self) -> None:
        self._news.set()

    def on_end(self, trailers: Headers) -> None:
        self._answer.end()
        self._done = True
        self._news.set()

    def on_failure(self, status: int, what: str) -> None:
        self._answer.end(what, cut=self._first_byte_ns is not None)
        self._done = True
        if self._first_byte_ns is None:
            self._own = own_answer(status, f"no answer from {self._forward.request.url}: {what}")
            self._parts.clear()
        else:
            self._broken = True
        self._news.set()
