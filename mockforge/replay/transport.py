"""Requests to the target over pooled keep-alive connections, without a task or a future a request.

The pool is last in, first out, and has no limit of its own: a request takes the idle connection that was
used last, or opens one. Opening is the only thing that runs as a task. One coarse sweep over the requests
under way, which are in the order of their deadlines, ends those that took too long.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import Any, NamedTuple, Protocol, Self

from mockforge.clock import Clock, SystemClock
from mockforge.model.exchange import Response
from mockforge.replay.connection import Connection, Ended, Read
from mockforge.replay.failure import ABORTED, reason_of
from mockforge.replay.wire import PreparedRequest
from mockforge.targets import Target

__all__ = ["Caller", "HttpTransport", "Outcome", "Transport"]

#: How often requests that took too long are looked for, in seconds; a timeout is late by as much at most.
_SWEEP_S = 0.25


class Outcome(NamedTuple):
    """What became of a request; `*_at_ns` are on the monotonic clock, a failure is `phase: reason`.

    `connect_ns` and `tls_ns` are how long a new connection and its TLS handshake took, None where a pooled
    one served. `connection_id` numbers connections from 1; 0 is none.
    """

    response: Response | None
    first_byte_at_ns: int | None = None
    connect_ns: int | None = None
    tls_ns: int | None = None
    connection_id: int = 0
    error: str | None = None
    reads: tuple[Read, ...] = ()


class Caller(Protocol):
    """Who sent a request, and hears of its end exactly once."""

    def on_outcome(self, outcome: Outcome) -> None: ...


class Transport(Protocol):
    """Sends requests; a failure is an outcome, never an exception."""

    def send(self, request: PreparedRequest, caller: Caller) -> None:
        """Send now; `caller` hears of the end, possibly before this returns."""
        ...

    def abort(self) -> None:
        """End everything under way as aborted."""
        ...


class _Trip:
    """One request under way."""

    __slots__ = ("caller", "connect_ns", "connection", "deadline_ns", "opening", "phase", "request", "tls_ns")

    def __init__(self, request: PreparedRequest, caller: Caller, deadline_ns: int) -> None:
        self.request = request
        self.caller = caller
        self.deadline_ns = deadline_ns
        self.phase = "connect"
        self.connection: Connection | None = None
        self.opening: asyncio.Task[None] | None = None
        self.connect_ns: int | None = None
        self.tls_ns: int | None = None


class HttpTransport:
    """The transport over sockets; an async context manager, made on a running event loop.

    `timeout_s` bounds a request from its sending to its last byte. The target's name is looked up once.
    """

    def __init__(
        self,
        target: Target,
        timeout_s: float,
        tls: ssl.SSLContext | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._target = target
        self._timeout_s = timeout_s
        self._timeout_ns = round(timeout_s * 1e9)
        self._tls = (tls or ssl.create_default_context()) if target.tls else None
        self._now_ns = (clock or SystemClock()).now_ns
        self._addresses: list[tuple[Any, ...]] = []
        self._unknown: OSError | None = None
        # A dict for its order: the last one in is the first one out, and any may leave.
        self._idle: dict[Connection, None] = {}
        self._under_way: dict[_Trip, None] = {}
        self._connections: set[Connection] = set()
        self._sweep: asyncio.TimerHandle | None = None
        #: Connections opened so far, and how many there were at once at most.
        self.opened = 0
        self.most_open = 0

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._loop = loop
        try:
            self._addresses = await loop.getaddrinfo(
                self._target.host, self._target.port, type=socket.SOCK_STREAM
            )
        except OSError as error:
            self._unknown = error
        self._sweep_s = min(_SWEEP_S, self._timeout_s / 4)
        self._sweep = loop.call_later(self._sweep_s, self._end_what_took_too_long)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._sweep is not None:
            self._sweep.cancel()
        opening = [trip.opening for trip in self._under_way if trip.opening is not None]
        self.abort()
        await asyncio.gather(*opening, return_exceptions=True)
        for connection in tuple(self._connections):
            connection.close()
        await asyncio.sleep(0)  # for the sockets to be closed

    def send(self, request: PreparedRequest, caller: Caller) -> None:
        """Send `request` on the connection that was used last, or on a new one."""
        if request.refusal is not None:
            caller.on_outcome(Outcome(None, error=f"send: {request.refusal}"))
            return
        trip = _Trip(request, caller, self._now_ns() + self._timeout_ns)
        self._under_way[trip] = None
        if self._idle:
            self._use(self._idle.popitem()[0], trip)
        else:
            trip.opening = self._loop.create_task(self._open_for(trip))

    def abort(self) -> None:
        """End everything under way as aborted."""
        for trip in tuple(self._under_way):
            self._give_up(trip, ABORTED)

    # connections report here

    def on_ended(self, connection: Connection, ended: Ended, *, reusable: bool) -> None:
        """Take the connection back, and tell the caller unless the request is to be sent again."""
        trip: _Trip = connection.trip
        connection.trip = None
        if reusable:
            self._idle[connection] = None
        else:
            connection.close()
        if ended.stale and trip.request.idempotent:
            # The server had closed the kept connection before it saw the request. A new one is opened, and
            # not another kept one taken, so that it is sent again once and no more.
            trip.phase, trip.connection = "connect", None
            trip.opening = self._loop.create_task(self._open_for(trip))
            return
        self._tell(trip, ended)

    def on_closed(self, connection: Connection) -> None:
        """Forget a connection."""
        self._connections.discard(connection)
        self._idle.pop(connection, None)

    # requests under way

    def _use(self, connection: Connection, trip: _Trip) -> None:
        connection.trip = trip
        trip.connection = connection
        connection.send(trip.request)

    def _tell(self, trip: _Trip, ended: Ended) -> None:
        if trip not in self._under_way:
            return  # told already
        del self._under_way[trip]
        connection_id = 0 if trip.connection is None else trip.connection.number
        outcome = Outcome(
            ended.response,
            ended.first_byte_at_ns,
            trip.connect_ns,
            trip.tls_ns,
            connection_id,
            ended.error,
            ended.reads,
        )
        trip.caller.on_outcome(outcome)

    def _give_up(self, trip: _Trip, error: str) -> None:
        """End a trip from here: its connection is closed, or its opening."""
        response, first_byte_at_ns = None, None
        if trip.connection is not None:
            response, first_byte_at_ns = trip.connection.answer_so_far
            trip.connection.close()
        elif trip.opening is not None:
            trip.opening.cancel()
        self._tell(trip, Ended(response, first_byte_at_ns, error))

    def _end_what_took_too_long(self) -> None:
        now_ns = self._now_ns()
        late = []
        for trip in self._under_way:  # in the order of their deadlines
            if trip.deadline_ns > now_ns:
                break
            late.append(trip)
        for trip in late:
            phase = trip.phase if trip.connection is None else trip.connection.phase
            self._give_up(trip, f"timeout: no complete answer in {self._timeout_s:g} s ({phase})")
        self._sweep = self._loop.call_later(self._sweep_s, self._end_what_took_too_long)

    # opening

    async def _open_for(self, trip: _Trip) -> None:
        """Open a connection and send the trip's request on it."""
        begun_ns = self._now_ns()
        sock = None
        try:
            sock = await self._connected()
            connected_ns = self._now_ns()
            trip.connect_ns = connected_ns - begun_ns
            trip.phase = "tls" if self._tls is not None else "connect"
            connection = await self._wrapped(sock)
            sock = None
            if self._tls is not None:
                trip.tls_ns = self._now_ns() - connected_ns
        except (OSError, ValueError) as failure:  # the TLS layer's refusal of a host name is a ValueError
            self._tell(trip, Ended(None, None, f"{trip.phase}: {reason_of(failure)}"))
            return
        finally:
            trip.opening = None
            if sock is not None:
                sock.close()
        self._use(connection, trip)

    async def _connected(self) -> socket.socket:
        """A socket connected to the first of the target's addresses that takes it. Raises OSError."""
        failure = self._unknown or OSError("no address")
        for found in tuple(self._addresses):
            family, kind, protocol, _, address = found
            sock = socket.socket(family, kind, protocol)
            try:
                sock.setblocking(False)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                await self._loop.sock_connect(sock, address)
            except BaseException as error:
                sock.close()
                if not isinstance(error, OSError):
                    raise
                failure = error
            else:
                # The next connection need not try those that refused.
                self._addresses.sort(key=lambda one, found=found: one is not found)  # type: ignore[misc]
                return sock
        raise failure

    async def _wrapped(self, sock: socket.socket) -> Connection:
        number = self.opened + 1
        self.opened = number
        _, connection = await self._loop.create_connection(
            lambda: Connection(self, number, self._now_ns),
            sock=sock,
            ssl=self._tls,
            server_hostname=self._target.host if self._tls is not None else None,
        )
        if connection.is_open:
            self._connections.add(connection)
        self.most_open = max(self.most_open, len(self._connections))
        return connection
