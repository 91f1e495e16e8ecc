"""An answer that takes its time, or a fault, by way of an ASGI server: as far as such a server lets one.

Pieces of a body leave at their times, and an answer can break off; a head leaves all at once, and there is no
way to reset a connection, or to end it without an answer: such a fault is a 500 that says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from mockforge.delays.faults import FAULTS
from mockforge.delays.pacing import Finish, InMemory, Script, Source
from mockforge.delays.sending import Sending
from mockforge.engine import Decision
from mockforge.model.event import Paced, ServeEvent
from mockforge.model.request import RequestView
from mockforge.model.response import BODILESS, DelayPlan, RenderedResponse
from mockforge.server.body_files import BodyFileError, FileSource
from mockforge.server.lane import Lane
from mockforge.server.upstream_answer import own_answer

__all__ = ["TakingTime"]

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

#: Faults that ASGI can show, beside those that need an answer to be taken from.
_POSSIBLE = ("NO_RESPONSE",)


class TakingTime:
    """One answer that does not go out at once."""

    def __init__(self, lane: Lane, decision: Decision, request: RequestView) -> None:
        self._lane = lane
        self._request = request
        self._response = decision.response
        self._sending = decision.sending or Sending()
        self._fault = None if self._sending.fault is None else self._sending.fault.kind
        self._stub = decision.stub
        self._start_ns = self._last_due_ns = decision.plan.first_byte_ns
        self._first_byte_ns: int | None = None
        self._first_due_ns = self._start_ns
        self._failure: str | None = None
        self._sent = 0
        self._broken = False
        self._ended = False

    async def run(self, receive: Receive, send: Send) -> bool:
        """Send it; whether the caller stayed to the end."""
        left = asyncio.ensure_future(receive())
        file: FileSource | None = None
        try:
            body: Source = InMemory(self._response.body)
            if self._fault is not None and not self._is_possible(self._fault):
                body = self._instead(f"{self._fault} needs the server of `mockforge serve`")
            elif self._sending.file is not None and self._has_body:
                body = file = FileSource(self._sending.file)
        except BodyFileError as error:
            body = self._instead(str(error))
        try:
            return await self._play(body, left, send)
        except BodyFileError as error:
            self._failure = str(error)
            self._broken = True
            return True
        finally:
            left.cancel()
            if file is not None:
                file.close()

    def told(self, event: ServeEvent) -> ServeEvent:
        """The event with what became of the answer."""
        paced = Paced(self._last_due_ns if self._ended else None, self._fault, self._failure, self._sent)
        plan = DelayPlan(event.plan.arrived_ns, self._first_due_ns)
        return event._replace(
            response=self._response, plan=plan, first_byte_ns=self._first_byte_ns, paced=paced
        )

    def check_whole(self) -> None:
        """ConnectionError where the answer broke off, which makes the server break the connection."""
        if self._broken:
            raise ConnectionError(f"the answer broke off: {self._failure or self._fault}")

    @property
    def _has_body(self) -> bool:
        return self._request.method != "HEAD" and self._response.status not in BODILESS

    def _is_possible(self, fault: str) -> bool:
        return FAULTS[fault].needs_answer or fault in _POSSIBLE

    def _instead(self, why: str) -> Source:
        self._failure = why
        self._response = own_answer(500, f"stub {self._stub!r}: {why}")
        self._sending = Sending()
        return InMemory(self._response.body)

    async def _play(self, body: Source, left: asyncio.Future[MutableMapping[str, Any]], send: Send) -> bool:
        head = self._response.head + b"\r\n"
        script: Script = self._sending.script(
            self._response.head, b"\r\n", body if self._has_body else None, chunked=False
        )
        passed = 0
        for at_ns, data in script.pieces:
            self._last_due_ns = self._start_ns + at_ns
            if not await self._until(self._last_due_ns, left):
                return False
            begins_at, passed = passed, passed + len(data)
            self._sent = passed
            if passed < len(head) or not data:
                continue
            if self._first_byte_ns is None:
                self._first_byte_ns = self._lane.clock.now_ns()
                self._first_due_ns = self._last_due_ns
                await send(_start(self._response))
            part = bytes(data[max(0, len(head) - begins_at) :])
            if part:
                await send({"type": "http.response.body", "body": part, "more_body": True})
        return await self._finish(script.finish, left, send)

    async def _finish(
        self, finish: Finish, left: asyncio.Future[MutableMapping[str, Any]], send: Send
    ) -> bool:
        if finish is Finish.HOLDS:
            await left
            return False
        self._ended = True
        self._broken = self._fault is not None and finish is not Finish.STAYS
        if not self._broken:
            await send({"type": "http.response.body", "body": b""})
        return True

    async def _until(self, due_ns: int, left: asyncio.Future[MutableMapping[str, Any]]) -> bool:
        """Wait until then; whether the caller is still there."""
        if left.done() or due_ns <= self._lane.clock.now_ns():
            return not left.done()
        due = asyncio.get_running_loop().create_future()
        deadline = self._lane.timer.at(due_ns, lambda: None if due.done() else due.set_result(None))
        try:
            await asyncio.wait((due, left), return_when=asyncio.FIRST_COMPLETED)
        finally:
            deadline.cancel()
        return not left.done()


def _start(response: RenderedResponse) -> MutableMapping[str, Any]:
    headers = list(response.headers)
    if response.body_length is not None:
        headers.append((b"content-length", str(response.body_length).encode()))
    return {"type": "http.response.start", "status": response.status, "headers": headers}
