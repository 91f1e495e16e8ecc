"""Requests to upstreams over pooled keep-alive connections; their answers come as they stream in.

The pool of an upstream is last in, first out, and has no limit of its own: a request takes the idle
connection that was used last, or opens one, and opening is all that runs as a task. A request on a kept
connection that the upstream had already closed is sent once more where that does no harm.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable

from mockforge.clock import Clock, SystemClock
from mockforge.model.headers import Headers
from mockforge.model.upstream import AnswerSink, OutgoingRequest, UpstreamHead
from mockforge.proxy.connecting import Connector, PhaseError
from mockforge.proxy.failure import Failure, reason_of
from mockforge.proxy.upstream_connection import UpstreamConnection
from mockforge.targets import Target, UpstreamTls

__all__ = ["SILENCE_S", "UpstreamPool"]

#: How long an upstream may keep silent while it owes an answer, in seconds.
SILENCE_S = 60.0

#: An idle connection is kept so long. What must not be sent twice goes only on one that has rested for less
#: than the shortest time for which common servers keep one.
_KEPT_NS = 60 * 10**9
_FRESH_NS = 1 * 10**9
#: How often silence and idle connections are looked at: in a timeout's length, and at least in seconds.
_SWEEPS_PER_TIMEOUT = 8
_SWEEP_S = 1.0


class UpstreamPool:
    """The upstreams that requests are sent to; runs on one event loop. `tls` is how https is spoken."""

    def __init__(
        self, tls: UpstreamTls | None = None, *, silence_s: float = SILENCE_S, clock: Clock | None = None
    ) -> None:
        self._tls = tls or UpstreamTls()
        self._context: ssl.SSLContext | None = None
        self._silence_s = silence_s
        self._clock = clock or SystemClock()
        self._connectors: dict[tuple[str, str, int], Connector] = {}
        self._idle: dict[tuple[str, str, int], list[UpstreamConnection]] = {}
        self._open: set[UpstreamConnection] = set()
        self._under_way: set[_Call] = set()
        self._opening: set[asyncio.Task[None]] = set()
        self._sweeping: asyncio.TimerHandle | None = None

    def send(self, request: OutgoingRequest, sink: AnswerSink) -> _Call:
        """Send on the connection that was used last, or on a new one; the sink hears of all that follows."""
        call = _Call(self, request, sink, self._clock.now_ns)
        self._under_way.add(call)
        connection = self._take_idle(_key(request.target), repeatable=request.repeatable)
        if connection is None:
            self.open_for(call)
        else:
            call.use(connection)
        self._sweep_later()
        return call

    async def close(self) -> None:
        """Give up what is under way, and every connection."""
        if self._sweeping is not None:
            self._sweeping.cancel()
        for call in tuple(self._under_way):
            call.cancel()
        if self._opening:
            await asyncio.gather(*self._opening, return_exceptions=True)
        for connection in tuple(self._open):
            connection.close()
        await asyncio.sleep(0)  # for the sockets to be closed

    # What calls ask for

    def open_for(self, call: _Call) -> None:
        """Open a connection for `call`, which is told when that fails."""
        task = asyncio.get_running_loop().create_task(self._connect(call))
        call.opening = task
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    def over(self, call: _Call, reusable: UpstreamConnection | None = None) -> None:
        """The call has ended; its connection may serve the next."""
        self._under_way.discard(call)
        if reusable is not None and reusable.is_open:
            reusable.idle_since_ns = self._clock.now_ns()
            self._idle.setdefault(_key(call.request.target), []).append(reusable)

    # Connections

    def _take_idle(self, key: tuple[str, str, int], *, repeatable: bool) -> UpstreamConnection | None:
        idle = self._idle.get(key, [])
        while idle:
            connection = idle[-1]
            if not connection.is_open:
                idle.pop()
            elif repeatable or self._clock.now_ns() - connection.idle_since_ns < _FRESH_NS:
                return idle.pop()
            else:
                return None
        return None

    async def _connect(self, call: _Call) -> None:
        try:
            connector = self._connector(call.request.target)
            connection, connect_ns, tls_ns = await connector.open(lambda: UpstreamConnection(self._lost))
        except PhaseError as error:
            call.failed(Failure(error.phase, reason_of(error.cause)))
            return
        except Exception as error:  # such as a TLS layer that takes no such name
            call.failed(Failure("connect", reason_of(error)))
            return
        if connection.is_open:
            self._open.add(connection)
        call.opening = None
        call.connect_ns, call.tls_ns = connect_ns, tls_ns
        call.use(connection)

    def _connector(self, target: Target) -> Connector:
        key = _key(target)
        if key not in self._connectors:
            if target.tls and self._context is None:
                self._context = self._tls.context()
            self._connectors[key] = Connector(
                target, self._context if target.tls else None, self._clock.now_ns
            )
        return self._connectors[key]

    def _lost(self, connection: UpstreamConnection) -> None:
        self._open.discard(connection)

    # Time

    def _sweep_later(self) -> None:
        if self._sweeping is None:
            every_s = min(_SWEEP_S, self._silence_s / _SWEEPS_PER_TIMEOUT)
            self._sweeping = asyncio.get_running_loop().call_later(every_s, self._sweep)

    def _sweep(self) -> None:
        """End calls whose upstream keeps silent, and connections that have long been idle."""
        self._sweeping = None
        now_ns = self._clock.now_ns()
        for call in tuple(self._under_way):
            call.expire(now_ns, round(self._silence_s * 1e9))
        for key, idle in tuple(self._idle.items()):
            kept = [each for each in idle if each.is_open and now_ns - each.idle_since_ns < _KEPT_NS]
            for connection in idle:
                if connection not in kept:
                    connection.close()
            if kept:
                self._idle[key] = kept
            else:
                del self._idle[key]
        if self._under_way or self._idle:
            self._sweep_later()


class _Call:
    """A request under way: what its connection finds goes to the sink."""

    def __init__(
        self, pool: UpstreamPool, request: OutgoingRequest, sink: AnswerSink, now_ns: Callable[[], int]
    ) -> None:
        self.request = request
        self.method = request.method
        self.opening: asyncio.Task[None] | None = None
        self.connect_ns: int | None = None
        self.tls_ns: int | None = None
        self._pool = pool
        self._sink = sink
        self._now_ns = now_ns
        self._heard_ns = now_ns()
        self._connection: UpstreamConnection | None = None
        self._paused = False
        self._begun = False
        self._over = False

    def use(self, connection: UpstreamConnection) -> None:
        """Go out on this connection."""
        if self._over:
            connection.close()
            return
        self._connection = connection
        self._heard_ns = self._now_ns()
        connection.send(self, self.request.wire)
        if self._paused:
            connection.pause()

    # For whoever asked

    def pause(self) -> None:
        if not self._paused:
            self._paused = True
            if self._connection is not None:
                self._connection.pause()

    def resume(self) -> None:
        if self._paused:
            self._paused = False
            self._heard_ns = self._now_ns()
            if self._connection is not None:
                self._connection.resume()

    def cancel(self) -> None:
        if not self._over:
            self._end()

    def expire(self, now_ns: int, silence_ns: int) -> None:
        """Fail where the upstream has been silent for too long; while it is paused it is not its fault."""
        if self._connection is not None and not self._paused and now_ns - self._heard_ns > silence_ns:
            self.failed(Failure("body" if self._begun else "wait", "timeout"))

    # What the connection finds

    def heard(self) -> None:
        self._heard_ns = self._now_ns()

    def on_interim(self, head: UpstreamHead) -> None:
        self._sink.on_interim(head)

    def on_head(self, head: UpstreamHead) -> None:
        self._begun = True
        self._sink.on_head(head)

    def on_body(self, data: bytes) -> None:
        self._sink.on_body(data)

    def on_read(self) -> None:
        self._sink.on_read()

    def ended(self, trailers: Headers, *, reusable: bool) -> None:
        if self._over:
            return
        self._over = True
        connection, self._connection = self._connection, None
        if reusable and self._paused and connection is not None:
            connection.resume()
        self._pool.over(self, connection if reusable else None)
        self._sink.on_end(trailers)

    def failed(self, failure: Failure, *, stale: bool = False) -> None:
        if self._over:
            return
        if stale and self.request.repeatable:
            # A new one is opened, and not another kept one taken: it is sent again once and no more.
            self._connection = None
            self._pool.open_for(self)
            return
        self._end()
        self._sink.on_failure(failure.status, str(failure))

    def _end(self) -> None:
        self._over = True
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
        if self.opening is not None and self.opening is not asyncio.current_task():
            self.opening.cancel()
        self.opening = None
        self._pool.over(self)


def _key(target: Target) -> tuple[str, str, int]:
    return target.scheme, target.host, target.port
