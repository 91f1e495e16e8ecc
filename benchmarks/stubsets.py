"""The stubs that are served and the requests that ask for them.

Stubs are WireMock mappings, which MockForge reads as they are: both tools get the same ones, except for the
template dialect of a response.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from benchmarks.processes import Probe

__all__ = [
    "STATIC_BODY",
    "STATIC_PATH",
    "Mapping",
    "body_requests",
    "body_stub",
    "mixed_requests",
    "mixed_stubs",
    "static_stub",
]

Mapping = dict[str, object]

STATIC_PATH = "/orders/42"
STATIC_BODY = '{"id":42,"state":"shipped","items":3}'
_JSON = {"Content-Type": "application/json"}

#: What a large set is asked for: this many different requests, evenly spread over it.
_SPREAD = 201


def static_stub(delay_ms: int | None = None) -> list[Mapping]:
    """One stub with a fixed body, with or without a fixed delay."""
    response: Mapping = {"status": 200, "headers": _JSON, "body": STATIC_BODY}
    if delay_ms is not None:
        response["fixedDelayMilliseconds"] = delay_ms
    return [{"request": {"method": "GET", "urlPath": STATIC_PATH}, "response": response}]


def mixed_stubs(count: int) -> list[Mapping]:
    """`count` stubs in turn by exact path, path template and regular expression, two shapes of each.

    Half of the templates and of the expressions differ only after a variable part, so that an index by
    literal prefix finds just the other half.
    """
    return [
        {
            "request": {"method": "GET", **_url(number)},
            "response": {"status": 200, "headers": _JSON, "body": f'{{"stub":{number}}}'},
        }
        for number in range(count)
    ]


def _url(number: int) -> Mapping:
    kind, shape = number % 3, number // 3 % 2
    if kind == 0:
        return {"urlPath": f"/exact/orders-{number}" if shape else f"/exact/{number}/lines"}
    if kind == 1:
        template = (
            f"/regions/{{region}}/depots-{number}/items/{{item}}" if shape else f"/shops/{number}/{{order}}"
        )
        return {"urlPathTemplate": template}
    return {
        "urlPathPattern": f"/v[12]/catalogue-{number}/[a-z]+" if shape else f"/reports/{number}/[0-9]{{4}}"
    }


def mixed_requests(count: int) -> list[Probe]:
    """Requests for `mixed_stubs(count)`: the same number whatever the count, a third for each kind."""
    per_kind = [range(kind, count, 3) for kind in range(3)]
    requests = []
    for turn in range(_SPREAD):
        numbers = per_kind[turn % 3]
        step, steps = turn // 3, _SPREAD // 3
        # Spread over a large set; around and around in a small one.
        place = step * len(numbers) // steps if len(numbers) > steps else step % len(numbers)
        requests.append(Probe(_path(numbers[place], 1000 + turn)))
    return requests


def _path(number: int, value: int) -> str:
    kind, shape = number % 3, number // 3 % 2
    if kind == 0:
        return f"/exact/orders-{number}" if shape else f"/exact/{number}/lines"
    if kind == 1:
        return f"/regions/north/depots-{number}/items/{value}" if shape else f"/shops/{number}/{value}"
    return f"/v2/catalogue-{number}/garden" if shape else f"/reports/{number}/{value}"


_TEMPLATES = {
    "jinja": {"id": "{{ request.json.order.id }}", "customer": "{{ request.json.customer.name }}"},
    "response-template": {
        "id": "{{jsonPath request.body '$.order.id'}}",
        "customer": "{{jsonPath request.body '$.customer.name'}}",
    },
}


def body_stub(dialect: str) -> list[Mapping]:
    """One stub with two body matchers and a JSON response made from the request by a template."""
    patterns: Sequence[Mapping] = [
        {"matchesJsonPath": {"expression": "$.customer.tier", "equalTo": "gold"}},
        {
            "equalToJson": {"order": {"currency": "EUR"}, "channel": "web"},
            "ignoreExtraElements": True,
        },
    ]
    response: Mapping = {
        "status": 200,
        "headers": _JSON,
        "jsonBody": {**_TEMPLATES[dialect], "state": "accepted", "carrier": "north"},
        "transformers": [dialect],
    }
    request: Mapping = {"method": "POST", "urlPath": "/orders", "bodyPatterns": patterns}
    return [{"request": request, "response": response}]


def body_requests() -> list[Probe]:
    """Orders of about 400 bytes that the stub accepts, all different."""
    return [Probe("/orders", "POST", json.dumps(_order(number)), _JSON) for number in range(50)]


def _order(number: int) -> Mapping:
    lines = [{"sku": f"A-{number}-{line}", "quantity": line + 1, "price": 9.95} for line in range(4)]
    return {
        "order": {"id": f"o-{7000 + number}", "currency": "EUR", "lines": lines},
        "customer": {"name": f"Customer {number}", "tier": "gold", "country": "DE"},
        "channel": "web",
        "note": "leave at the door",
    }
