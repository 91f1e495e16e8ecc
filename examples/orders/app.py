"""The HTTP side: what is asked, what is refused, what is answered. The work itself is done on the pool."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from examples.orders import queries
from examples.orders.carrier_client import CarrierError
from examples.orders.pool import PoolFullError, Worker, WorkerPool
from examples.orders.queries import Json

# SQLite's integers end here: a larger id is as unknown as this one, and not an error.
_LARGEST_ID = 2**63 - 1


class InvalidRequestError(Exception):
    """The request cannot be understood; the message shows the value that was refused."""


@dataclass(frozen=True, slots=True)
class NewOrder:
    """The body of POST /orders after it has been checked."""

    customer_id: int
    product_id: int
    quantity: int
    note: str

    @classmethod
    def read(cls, body: bytes) -> "NewOrder":
        """Check the body; raise InvalidRequestError at the first field that is wrong."""
        try:
            fields = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise InvalidRequestError(f"the body is not JSON: {error}") from error
        if not isinstance(fields, dict):
            raise InvalidRequestError(f"the body has to be an object, not {type(fields).__name__}")
        note = fields.get("note", "")
        if not isinstance(note, str) or len(note) > 200:
            raise InvalidRequestError("note has to be a text of at most 200 characters")
        return cls(
            customer_id=_whole_number("customer_id", fields.get("customer_id"), 1, 2**31),
            product_id=_whole_number("product_id", fields.get("product_id"), 1, 2**31),
            quantity=_whole_number("quantity", fields.get("quantity"), 1, 1_000),
            note=note,
        )


class OrdersEndpoints:
    """One method an endpoint. Each checks its input on the event loop and leaves the rest to a worker."""

    def __init__(self, pool: WorkerPool, carrier_port: int) -> None:
        self._pool = pool
        self._carrier_port = carrier_port

    async def order(self, request: Request) -> Response:
        """GET /orders/{id}"""
        order_id: int = request.path_params["id"]
        found = await self._pool.run(lambda worker: queries.order(worker.db, min(order_id, _LARGEST_ID)))
        return _not_found(order_id) if found is None else _json(found)

    async def orders_of_customer(self, request: Request) -> Response:
        """GET /orders?customer=ID&limit=20"""
        customer_id = _whole_number("customer", request.query_params.get("customer"), 1, 2**31)
        limit = _whole_number("limit", request.query_params.get("limit", "20"), 1, 50)
        return _json(
            await self._pool.run(lambda worker: queries.orders_of_customer(worker.db, customer_id, limit))
        )

    async def search(self, request: Request) -> Response:
        """GET /search?q=word"""
        text = request.query_params.get("q", "")
        if not 2 <= len(text) <= 40:
            raise InvalidRequestError(f"q has to have 2 to 40 characters: {text!r}")
        return _json(await self._pool.run(lambda worker: queries.search(worker.db, text)))

    async def revenue(self, request: Request) -> Response:
        """GET /reports/revenue?from=YYYY-MM-DD&to=YYYY-MM-DD"""
        first = _day("from", request.query_params.get("from"))
        last = _day("to", request.query_params.get("to"))
        if first > last:
            raise InvalidRequestError(f"from is after to: {first} > {last}")
        return _json(await self._pool.run(lambda worker: queries.revenue(worker.db, first, last)))

    async def create(self, request: Request) -> Response:
        """POST /orders"""
        new = NewOrder.read(await request.body())

        def insert(worker: Worker) -> tuple[int, Json | None]:
            order_id = queries.insert_order(
                worker.db, new.customer_id, new.product_id, new.quantity, new.note
            )
            return order_id, queries.order(worker.db, order_id)

        order_id, created = await self._pool.run(insert)
        return _json(created, 201, {"Location": f"/orders/{order_id}"})

    async def shipping(self, request: Request) -> Response:
        """GET /orders/{id}/shipping: the worker is held while the carrier takes its time."""
        order_id: int = request.path_params["id"]

        def ask_carrier(worker: Worker) -> Json | None:
            parcel = queries.parcel(worker.db, min(order_id, _LARGEST_ID))
            return None if parcel is None else {**parcel, "quote": worker.carrier.quote(parcel)}

        found = await self._pool.run(ask_carrier)
        return _not_found(order_id) if found is None else _json(found)

    async def health(self, _request: Request) -> Response:
        """GET /health: answered beside the pool, so that it still answers when the pool is full."""
        return _json(
            {
                "status": "ok",
                "workers": self._pool.workers,
                "queue": self._pool.queue,
                "carrier": f"127.0.0.1:{self._carrier_port}",
            }
        )


def build_app(pool: WorkerPool, carrier_port: int) -> Starlette:
    """Wire the endpoints, and the errors to the statuses that they mean."""
    endpoints = OrdersEndpoints(pool, carrier_port)
    routes = [
        Route("/orders/{id:int}", endpoints.order),
        Route("/orders/{id:int}/shipping", endpoints.shipping),
        Route("/orders", endpoints.orders_of_customer),
        Route("/orders", endpoints.create, methods=["POST"]),
        Route("/search", endpoints.search),
        Route("/reports/revenue", endpoints.revenue),
        Route("/health", endpoints.health),
    ]
    return Starlette(
        routes=routes,
        exception_handlers={
            PoolFullError: _answers(503, "the backend is busy, try again later", {"Retry-After": "1"}),
            InvalidRequestError: _answers(422),
            queries.UnknownReferenceError: _answers(422),
            CarrierError: _answers(502),
        },
    )


def _answers(
    status: int, message: str | None = None, headers: dict[str, str] | None = None
) -> Callable[[Request, Exception], Response]:
    def answer(_request: Request, error: Exception) -> Response:
        return _json({"error": message or str(error)}, status, headers)

    return answer


def _json(content: Json | None, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(content), status, headers, media_type="application/json")


def _not_found(order_id: int) -> Response:
    return _json({"error": f"there is no order {order_id}"}, 404)


def _whole_number(name: str, value: Any, lowest: int, highest: int) -> int:
    """Take 7 or "7", and nothing that is merely convertible to it, such as true or 7.5."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value[:20])
    if type(value) is not int or not lowest <= value <= highest:
        raise InvalidRequestError(f"{name} has to be a whole number from {lowest} to {highest}: {value!r}")
    return value


def _day(name: str, value: str | None) -> date:
    try:
        return date.fromisoformat(value or "")
    except ValueError as error:
        raise InvalidRequestError(f"{name} has to be a day as YYYY-MM-DD: {value!r}") from error
