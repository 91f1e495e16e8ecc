"""WireMock's journal in, as WireMock 3.13 writes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mockforge.interop.source import SourceError
from mockforge.model.headers import Headers
from tests.unit.interop.importing import MS, exchanges, imported

TIMING = {"addedDelay": 30, "processTime": 5, "responseSendTime": 2, "serveTime": 5, "totalTime": 37}


def event(**changes: Any) -> dict[str, Any]:
    return {
        "id": "8e5767be-0000-4000-8000-000000000001",
        "request": {
            "url": "/orders/7?x=1",
            "absoluteUrl": "http://127.0.0.1:18089/orders/7?x=1",
            "method": "GET",
            "headers": {"Host": "127.0.0.1:18089", "X-Tag": ["a", "b"]},
            "loggedDate": 1_795_489_132_831,
            "bodyAsBase64": "eyJza3UiOiJtYWRlLXVwIn0=",
            "body": '{"sku":"made-up"}',
        },
        "responseDefinition": {"status": 200},
        "response": {
            "status": 200,
            "headers": {
                "Content-Type": "application/json",
                "Set-Cookie": ["a=1", "b=2"],
                "Matched-Stub-Id": "6",
            },
            "bodyAsBase64": "gYI=",
            "body": "\ufffd\ufffd",
        },
        "wasMatched": True,
        "timing": TIMING,
        "subEvents": [],
        **changes,
    }


def journal(*events: object) -> str:
    return json.dumps({"requests": events, "meta": {"total": len(events)}, "requestJournalDisabled": False})


def test_an_event_is_an_exchange_with_times_and_bytes(tmp_path: Path) -> None:
    got = imported(tmp_path / "a.json", journal(event()))
    exchange = next(got.exchanges)
    assert got.target == "http://127.0.0.1:18089"
    assert exchange.wall_ns == 1_795_489_132_831 * MS
    assert (exchange.ttfb_ns, exchange.total_ns) == (35 * MS, 37 * MS)
    assert exchange.request.target == "/orders/7?x=1"
    assert exchange.request.headers.get_all("x-tag") == ["a", "b"]
    assert exchange.request.body == b'{"sku":"made-up"}'
    assert exchange.response is not None
    assert exchange.response.body == b"\x81\x82"
    assert exchange.response.headers == Headers(
        (("Content-Type", "application/json"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"))
    )


def test_the_newest_event_comes_first_and_is_put_last(tmp_path: Path) -> None:
    later = event()
    later["request"] = {**later["request"], "loggedDate": 1_795_489_132_841, "url": "/later"}
    listed = exchanges(tmp_path / "a.json", journal(later, event()))
    assert [exchange.request.target for exchange in listed] == ["/orders/7?x=1", "/later"]
    assert [exchange.in_flight for exchange in listed] == [0, 1]


@pytest.mark.parametrize(
    ("fault", "error", "answered"),
    [
        ("CONNECTION_RESET_BY_PEER", "wait: reset", False),
        ("EMPTY_RESPONSE", "wait: closed without an answer", False),
        ("RANDOM_DATA_THEN_CLOSE", "wait: not HTTP", False),
        ("MALFORMED_RESPONSE_CHUNK", "body: malformed", True),
    ],
)
def test_a_fault_is_an_error(tmp_path: Path, fault: str, error: str, answered: bool) -> None:
    response = {"status": 200, "bodyAsBase64": "", "fault": fault}
    exchange = exchanges(tmp_path / "a.json", journal(event(response=response)))[0]
    assert (exchange.error, exchange.response is not None) == (error, answered)


def test_a_request_that_is_under_way_is_left_out(tmp_path: Path) -> None:
    got = imported(tmp_path / "a.json", journal(event(), event(timing=None)))
    assert (got.count, got.tally.left_out.total()) == (1, 1)


def test_a_target_takes_the_place_of_wiremock(tmp_path: Path) -> None:
    got = imported(tmp_path / "a.json", journal(event()), target="https://orders.example.com")
    assert (got.count, got.target) == (1, "https://orders.example.com")


def test_bad_events_are_counted(tmp_path: Path) -> None:
    nowhere = event(request={"method": "GET", "loggedDate": 1})
    got = imported(tmp_path / "a.json", journal(event(), nowhere, event()))
    assert (got.count, got.tally.bad) == (2, 1)
    assert got.tally.first_bad.startswith("event 2: has no request.url")


def test_another_json_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no WireMock journal"):
        imported(tmp_path / "a.json", '{"requests": {}}')
