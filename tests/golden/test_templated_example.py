"""The stubs of examples/templated give what its exchanges.yaml shows."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml

from mockforge.engine import Engine, compile_service
from mockforge.model.request import RequestView
from mockforge.stubfiles.reader import read_service

FOLDER = Path(__file__).parents[2] / "examples" / "templated"
EXCHANGES = yaml.safe_load((FOLDER / "exchanges.yaml").read_text())


@pytest.mark.parametrize("exchange", EXCHANGES, ids=[each["ask"] for each in EXCHANGES])
def test_the_example_answers_as_it_shows(exchange: dict[str, Any]) -> None:
    method, target = exchange["ask"].split(" ", 1)
    fields = [(name.encode(), value.encode()) for name, value in exchange.get("headers", {}).items()]
    request = RequestView(method, target, fields, exchange.get("body", "").encode())
    response = Engine(compile_service(read_service(FOLDER / "stubs")), Random(1)).decide(request, 0).response
    assert response.body.decode() == exchange["answer"]
    assert response.status == exchange["status"]
    sent = {name.decode(): value.decode() for name, value in response.headers}
    assert sent.items() >= exchange.get("fields", {}).items()
