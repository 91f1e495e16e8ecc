"""Which requests are sent and when: a pure function of the seed, with no clock and no socket in it.

Arrivals are Poisson, as those of many independent callers are. Ids follow a zipf-like popularity whose hot
ids are the same for every seed: another seed is another hour of the same customers, not other customers.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from examples.orders import names

_ORDER_WEIGHTS = names.zipf_weights(names.ORDERS, 0.9)
_PERIODS_DAYS = {7: 50, 30: 35, 90: 12, 365: 3}
_UNKNOWN_SHARE = 0.04
# Spreads the popular ranks over the whole table; it is coprime with the number of orders, so no two meet.
_SPREAD = 61_803


@dataclass(frozen=True, slots=True)
class PlannedRequest:
    """One request and when it is due, in seconds from the start."""

    due_s: float
    operation: str
    method: str
    path: str
    body: dict[str, object] | None = None


_Drawn = tuple[str, str, dict[str, object] | None]


def plan(seed: int, rate: float, seconds: float) -> Iterator[PlannedRequest]:
    """Requests in order of their due times, until the time is over."""
    rng = random.Random(seed)
    operations = list(_MIX)
    shares = [share for share, _ in _MIX.values()]
    due_s = rng.expovariate(rate)
    while due_s < seconds:
        operation = rng.choices(operations, shares)[0]
        method, path, body = _MIX[operation][1](rng)
        yield PlannedRequest(due_s, operation, method, path, body)
        due_s += rng.expovariate(rate)


def _order_id(rng: random.Random) -> int:
    if rng.random() < _UNKNOWN_SHARE:
        return 10 * names.ORDERS + rng.randrange(1_000)
    return (_rank(rng, _ORDER_WEIGHTS) * _SPREAD) % names.ORDERS + 1


def _rank(rng: random.Random, cumulative_weights: list[float]) -> int:
    return rng.choices(range(len(cumulative_weights)), cum_weights=cumulative_weights)[0]


def _order(rng: random.Random) -> _Drawn:
    return "GET", f"/orders/{_order_id(rng)}", None


def _orders_of_customer(rng: random.Random) -> _Drawn:
    return "GET", f"/orders?customer={_rank(rng, names.CUSTOMER_WEIGHTS) + 1}&limit=20", None


def _search(rng: random.Random) -> _Drawn:
    if rng.random() < 0.5:
        return "GET", f"/search?q={names.WORDS[_rank(rng, names.WORD_WEIGHTS)]}", None
    return "GET", f"/search?q={names.REFERENCE_CODES[_rank(rng, names.REFERENCE_WEIGHTS)]}", None


def _revenue(rng: random.Random) -> _Drawn:
    length = rng.choices(list(_PERIODS_DAYS), list(_PERIODS_DAYS.values()))[0]
    first = date.fromisoformat(names.FIRST_DAY) + timedelta(days=rng.randrange(names.DAYS - length))
    return "GET", f"/reports/revenue?from={first}&to={first + timedelta(days=length - 1)}", None


def _new_order(rng: random.Random) -> _Drawn:
    body: dict[str, object] = {
        "customer_id": _rank(rng, names.CUSTOMER_WEIGHTS) + 1,
        "product_id": rng.randint(1, names.PRODUCTS),
        "quantity": rng.randint(1, 24),
        "note": " ".join(rng.choices(names.WORDS, k=6)),
    }
    return "POST", "/orders", body


def _shipping(rng: random.Random) -> _Drawn:
    return "GET", f"/orders/{_order_id(rng)}/shipping", None


_MIX: dict[str, tuple[int, Callable[[random.Random], _Drawn]]] = {
    "GET /orders/{id}": (42, _order),
    "GET /orders": (20, _orders_of_customer),
    "GET /search": (8, _search),
    "GET /reports/revenue": (7, _revenue),
    "POST /orders": (8, _new_order),
    "GET /orders/{id}/shipping": (15, _shipping),
}
