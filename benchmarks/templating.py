"""What a rendering costs: `python -m benchmarks.templating` prints microseconds, the best of five.

Each counts from a request that nobody has parsed yet to the body's bytes, JSON with ten expressions.
"""

from __future__ import annotations

import timeit
from random import Random

from mockforge.model.request import RequestView
from mockforge.model.stub import Body
from mockforge.templating.jinja import compile_body_template
from mockforge.templating.request import TemplateRequest

__all__ = ["main"]

_TIMES = 5_000
_LOOK_UPS = (
    "path.id query.page json.n json.note json.lines[0].sku method url headers.host json.lines[1].sku body"
)
_COMPUTED = (
    "request.path.id",
    "request.query.page",
    "request.json.n + 1",
    "request.json.note | upper",
    "request.json.lines[0].sku",
    "now('unix')",
    "uuid()",
    "request.headers.host",
    "random_int(1, 6)",
    "request.json.n * 3",
)
_BODY = b'{"n": 1, "note": "abc", "lines": [{"sku": "A-1"}, {"sku": "A-2"}]}'


def main() -> None:
    """Measure and print."""
    kinds = {
        "ten look-ups": [f"request.{each}" for each in _LOOK_UPS.split()],
        "five look-ups, five computed": list(_COMPUTED),
    }
    for kind, expressions in kinds.items():
        print(f"{kind}: {_microseconds(expressions):.1f} µs")


def _microseconds(expressions: list[str]) -> float:
    body = {f"field{number}": f"{{{{ {each} }}}}" for number, each in enumerate(expressions)}
    render = compile_body_template(Body("jsonBody", body))
    random = Random(1)

    def once() -> bytes:
        view = RequestView("POST", "/orders/17?page=2", [(b"Host", b"shop.test")], _BODY)
        return render(TemplateRequest(view, {"id": "17"}, random))

    return min(timeit.repeat(once, number=_TIMES, repeat=5)) / _TIMES * 1e6


if __name__ == "__main__":
    main()
