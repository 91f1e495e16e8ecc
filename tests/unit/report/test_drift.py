"""What the mock answers otherwise is found, and what few answers have is not."""

from __future__ import annotations

import gzip
import json

import numpy as np

from mockforge.model.exchange import Response
from mockforge.model.headers import Headers
from mockforge.report.drift import Drift, Traits, drift, status_drift, traits_of
from tests.unit.report.runs import drawn_run, run_of


def answer(body: object, content_type: str = "application/json", **headers: str) -> Response:
    pairs = (
        ("Content-Type", content_type),
        *((name.replace("_", "-"), value) for name, value in headers.items()),
    )
    return Response(200, Headers(pairs), json.dumps(body).encode())


def found(real: list[Response], mock: list[Response]) -> dict[str, tuple[float, float]]:
    result = drift(Drift(), traits_of(real), traits_of(mock))
    return {f"{one.kind} {one.what}": (one.real, one.mock) for one in result.findings}


def test_the_same_answers_have_not_drifted() -> None:
    same = [answer({"id": number, "items": [{"price": 1.5}]}) for number in range(9)]
    assert found(same, same[:4]) == {}


def test_a_missing_field_and_another_type_are_found() -> None:
    real = [answer({"id": 1, "price": 2.5})] * 5
    assert found(real, [answer({"id": "1", "price": 3})] * 5) == {
        "json $.id: number": (1.0, 0.0),
        "json $.id: text": (0.0, 1.0),
    }
    assert found(real, [answer({"id": 1})] * 5) == {"json $.price: number": (1.0, 0.0)}


def test_a_missing_object_is_named_without_its_fields() -> None:
    real = [answer({"customer": {"name": "a", "address": {"city": "b"}}})] * 3
    assert found(real, [answer({})] * 3) == {"json $.customer: object": (1.0, 0.0)}


def test_keys_that_are_data_are_no_drift() -> None:
    real = [answer({"stock": {f"sku-{number}": 1}}) for number in range(20)]
    mock = [answer({"stock": {f"sku-{number}": 1}}) for number in range(40, 60)]
    assert found(real, mock) == {}


def test_header_fields_and_the_content_type_are_compared_and_the_servers_own_are_not() -> None:
    real = [answer(1, X_Trace="a", Date="today", Server="nginx")] * 3
    mock = [answer(1, content_type="text/plain; charset=utf-8", Server="mockforge")] * 3
    assert set(found(real, mock)) == {
        "header x-trace",
        "header content-type: application/json",
        "header content-type: text/plain",
    }


def test_compressed_bodies_are_read_and_others_are_told() -> None:
    packed = Response(200, Headers((("Content-Encoding", "gzip"),)), gzip.compress(b'{"a": 1}'))
    assert ("json", "$.a: number") in traits_of([packed]).counts
    assert ("json", "no JSON") in traits_of([Response(200, body=b"<p>")]).counts
    assert ("json", "no body") in traits_of([Response(200)]).counts
    assert traits_of([Response(200, omitted=9)]).counts == {}


def test_nothing_is_said_of_answers_that_were_not_looked_into() -> None:
    assert drift(Drift(), Traits(), traits_of([answer(1)])).findings == ()


def test_statuses_that_differ_by_more_than_chance_are_found() -> None:
    real, mock = drawn_run(1, 2_000), drawn_run(2, 2_000, errors=0.1)
    assert [(one.what, one.real) for one in status_drift([real], [mock]).findings] == [
        ("200", 1.0),
        ("503", 0.0),
    ]
    assert status_drift([drawn_run(1, 2_000, errors=0.1)], [mock]).findings == ()
    assert status_drift([run_of(np.ones(3))], [run_of(np.ones(3))]).findings == ()
