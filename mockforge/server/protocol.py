"""The fast lane: HTTP/1.1 parsed, decided and answered in the same callback, with no task a request.

The laws of this file, of `reading` and of `delivery`:

0. Bytes that made up one whole request make up the same request again: what was parsed once is remembered
   (load tests send the same bytes over and over), and is then decided anew, each time.
1. A request's arrival is stamped when its last byte has been parsed; its answer's due time counts from then.
   Under a capacity it has to wait at its station first, and is due when that is done with it (`stations`).
2. Answers leave in the order of their requests (RFC 9112 §9.3.2). What waits for its turn is not late.
3. Every request that was decided ends in exactly one serve event: when its answer's last byte is handed to
   the transport, or when its caller leaves.
4. A request that cannot be served is refused in its turn, and the connection ends with the refusal: what is
   still coming is read and dropped for a while, as closing at once would take the refusal from the caller.

    data ─► httptools ─► on_message_complete ─► engine.decide ─┬─ due, nothing ahead ─► bytes out
                                                               └─ slot ─► deadline ─► its turn? ─► bytes out

What begins with `/__admin`, and `OPTIONS *`, takes a slot too, and becomes an ASGI task when it is its turn.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.config import Config
from uvicorn.server import ServerState

from mockforge.model.request import RequestView, connection_of
from mockforge.server.admin import ADMIN_PREFIX
from mockforge.server.delivery import Outbox
from mockforge.server.handover import asgi_cycle
from mockforge.server.lane import Lane
from mockforge.server.reading import BETWEEN, LONG_BODY, OVER, OverError, RequestReader
from mockforge.server.wire import CLOSES, CONTINUE, STAYS, origin_form, refusal

__all__ = ["FastLaneProtocol"]

_ADMIN = ADMIN_PREFIX + "/"

#: What still comes after a refusal is dropped until nothing has come for so long, or for so long in all.
_LINGER_QUIET_NS = 5 * 10**9
_LINGER_NS = 30 * 10**9


class FastLaneProtocol(RequestReader):
    """One connection. Parses like uvicorn's protocol; answers from the lane's engine instead of a task."""

    __slots__ = (
        "_connection",
        "_ended_ns",
        "_eof",
        "_heard_ns",
        "_known",
        "_lingers",
        "_out",
        "_unsent",
        "_unsent_ns",
    )

    def __init__(
        self,
        lane: Lane,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(lane, config, server_state, app_state, _loop)
        self._known = lane.known
        self._eof = False
        #: Whether the caller may still be sending when the connection ends; when it did last, and the end.
        self._lingers = False
        self._heard_ns = 0
        self._ended_ns: int | None = None
        #: What waited in the transport when that was last another size, and when it was seen.
        self._unsent = 0
        self._unsent_ns = 0

    # Transport

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        client_ip, port = self.client[0] if self.client else "", self.server[1] if self.server else 0
        self._connection = connection_of(self.scheme, client_ip, port or 0)
        self._out = Outbox(self._lane, self.loop, transport, self._on_drained)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stage = OVER
        super().connection_lost(exc)
        self._out.abandon()

    def data_received(self, data: bytes) -> None:
        if self._stage == BETWEEN:
            request = self._known.get(data)
            if request is not None and request.connection is self._connection:
                self._serve_again(request)
                return
            self._parse(data)
            if len(self._whole) == 1 and self._stage == BETWEEN:
                whole = self._whole[0]
                if whole is not None:
                    self._lane.remember(data, whole)
        elif self._stage == OVER:
            self._lingers = True
            self._heard_ns = self._now_ns()
        else:
            self._parse(data)

    def eof_received(self) -> bool:  # type: ignore[override]
        """The caller sends no more: it has left, or it has said all that it wanted to and waits.

        The two look the same. One whose request was to be the connection's last waits; so does one that has
        got a part of its answer: the network tells when it is gone. One that could have sent more has left.
        """
        self._eof = True
        waits = self._stage == OVER or self._out.sending
        self._stage = OVER
        if waits and self._out.owed and self.scheme == "http":  # TLS cannot be closed by halves
            return True
        self._out.abandon()
        return False

    def pause_writing(self) -> None:
        super().pause_writing()
        self._out.pause()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._out.resume()

    def shutdown(self) -> None:
        """The server ends: requests that have begun are finished first, and the caller is told to go."""
        if self._server_ends:
            return
        self._server_ends = self._lane.ends = True
        self._plain = False
        if self._ended_ns is not None:
            self.transport.close()
        elif self._stage in (BETWEEN, OVER):
            self._stage = OVER
            if self._out.owed:
                self._out.end_with(CLOSES)
            else:
                self._end()

    def expire(self, now_ns: int) -> None:
        """End the connection where its request is overdue, where it has long had none, or has ended."""
        limits = self._limits
        if self._takes_nothing(now_ns):
            self.transport.abort()
        elif self._ended_ns is not None:
            overstays = now_ns - self._heard_ns > _LINGER_QUIET_NS or now_ns - self._ended_ns > _LINGER_NS
            if self._lingers and overstays:
                self.transport.abort()
        elif self._stage == BETWEEN:
            if not self._out.owed and now_ns - self._out.free_ns > limits.idle_s * 1e9:
                self._end()
        elif self._stage != OVER and self._began_ns is not None:
            if self.flow.read_paused:
                self._began_ns = now_ns  # it is us who do not read
            elif now_ns - self._began_ns > limits.slow_sender_s * 1e9:
                self._refuse(408, f"Request not complete after {limits.slow_sender_s:g} s")

    def _takes_nothing(self, now_ns: int) -> bool:
        """Whether the caller has long read nothing of what is waiting for it in the transport."""
        unsent = self.transport.get_write_buffer_size()
        if unsent != self._unsent:
            self._unsent, self._unsent_ns = unsent, now_ns
        return unsent > 0 and now_ns - self._unsent_ns > self._limits.send_s * 1e9

    # Requests

    def on_message_complete(self) -> None:
        arrived_ns = self._now_ns()
        parser = self.parser
        if parser.should_upgrade():
            return  # it is parsed again without the wish: see _decline_upgrades
        self._stage = BETWEEN
        ending = STAYS if self._plain and parser.should_keep_alive() else self._ending()
        target = self.url.decode()
        if target[0] != "/":
            target = origin_form(target)
        body = self._body
        method = self._method()
        content = bytes(body) if body else b""
        request = RequestView(method, target, self.headers, content, self._connection)
        if target.startswith(_ADMIN) or target == "*":
            self._hand_over(request, ending)
            return
        self._whole.append(request if ending is STAYS else None)
        owed = self._out.answer(request, self._lane.engine.decide(request, arrived_ns), ending)
        if owed or ending is CLOSES:
            self._settle(owed)

    def _serve_again(self, request: RequestView) -> None:
        """Answer a request whose bytes are known."""
        try:
            owed = self._out.answer(request, self._lane.engine.decide(request, self._now_ns()))
        except Exception as error:
            self._fail(error)
            return
        if owed:
            self._settle(owed)

    def _hand_over(self, request: RequestView, ending: bytes) -> None:
        """Have the ASGI application answer when it is the request's turn."""
        self._whole.append(None)
        if ending is not STAYS:
            self._stage = OVER
        cycle = asgi_cycle(self, request, keep_alive=ending is STAYS, done=self._out.finished)

        def start() -> bool:
            self.cycle = cycle
            self._start_asgi_task(cycle, self.app)
            return False

        self._out.defer(start)
        self._settle(self._out.owed)

    def _settle(self, owed: int) -> None:
        """What follows from a request whose answer waits, or that was the connection's last."""
        if self._stage == OVER:
            if not owed:
                self._end()
            if self.parser.should_keep_alive():
                raise OverError
        elif owed >= self._limits.pipelined:
            self.flow.pause_reading()

    def _ask_for_body(self) -> None:
        self._out.defer(self._say_continue)

    def _say_continue(self) -> bool:
        if self._stage == LONG_BODY and not self._body:  # otherwise the caller did not wait for it
            self.transport.write(CONTINUE)
            self._began_ns = self._now_ns()
        return True

    def _refuse(self, status: int, reason: str) -> None:
        to_head = self._stage != BETWEEN and self.url and self.parser.get_method() == b"HEAD"
        self._stage = OVER
        self._lingers = True
        answer = refusal(status, reason, bodiless=bool(to_head))

        def say() -> bool:
            self.transport.write(answer)
            return True

        self._out.defer(say)

    def _fail(self, error: Exception) -> None:
        self.logger.error("a request could not be decided", exc_info=error)
        self._refuse(500, "The mock failed at this request; its log says why")

    # The end

    def _on_drained(self) -> None:
        """Nothing is owed any more: the connection is quiet, or over."""
        if self._stage == OVER:
            self._end()
        elif self.flow.read_paused:
            self.flow.resume_reading()

    def _end(self) -> None:
        """Close the connection; by halves, where the caller may be sending."""
        if self._ended_ns is not None:
            return
        self._stage = OVER
        self._ended_ns = self._heard_ns = self._now_ns()
        if self._lingers and not self._eof:
            if self.transport.can_write_eof():
                self.transport.write_eof()
            self.flow.resume_reading()
        else:
            self.transport.close()
