"""Callbacks: made after the answer and their delay, again where they fail, and told to the journal."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from mockforge.model.forwarding import CallbackDefinition, RetryRule
from mockforge.model.headers import Headers
from mockforge.model.response import RenderedResponse
from mockforge.model.stub import Body, DelayDistribution, Stub
from mockforge.model.upstream import OutgoingRequest
from mockforge.server import callbacks as module
from tests.unit.server.harness import Mock, get, stub

URL = "http://hooks:9001/paid"


def calling_back(*, delay_ms: float = 0, **callback: Any) -> Stub:
    definition = CallbackDefinition(**{"url": URL, "method": "POST", **callback})
    return replace(stub("/order", delay_ms), callbacks=(definition,))


def told(mock: Mock) -> list[tuple[str, object]]:
    """What the journal holds of the first event: each kind with what can be told of it in a word."""
    words: list[tuple[str, object]] = []
    for note in mock.journal.notes(0):
        data = note.data
        if isinstance(data, OutgoingRequest):
            words.append((note.kind, data.url))
        elif isinstance(data, RenderedResponse):
            words.append((note.kind, data.status))
        else:
            words.append((note.kind, data))
    return words


def asked(stubs: Stub, *fields: str, body: bytes = b"") -> Mock:
    mock = Mock([stubs])
    caller = mock.connect()
    caller.send(get("/order", *fields, method="POST", body=body))
    assert caller.received()
    mock.advance(0)
    return mock


def test_a_callback_is_made_after_the_answer() -> None:
    mock = Mock([calling_back(delay_ms=20)])
    caller = mock.connect()
    caller.send(get("/order"))
    mock.advance(19)
    assert not mock.upstream.calls
    mock.advance(2)
    assert caller.received()
    (call,) = mock.upstream.calls
    assert (call.request.method, call.request.url) == ("POST", URL)
    call.answer(b"thanks")
    assert told(mock) == [("WEBHOOK_REQUEST", URL), ("WEBHOOK_RESPONSE", 200)]
    assert mock.lane.callbacks.made == 1


def test_its_delay_counts_from_the_answer() -> None:
    mock = asked(calling_back(delay=DelayDistribution("fixed", {"milliseconds": 30})))
    mock.advance(29)
    assert not mock.upstream.calls
    mock.advance(2)
    assert len(mock.upstream.calls) == 1


def test_its_parts_are_made_of_the_request() -> None:
    stub_ = calling_back(
        url="http://hooks:9001/{{ originalRequest.json.id }}",
        headers=Headers((("X-Order", "{{ originalRequest.headers['x-id'] }}"),)),
        body=Body("body", "{{ originalRequest.method }} {{ parameters.word }}"),
        parameters={"word": "paid"},
    )
    mock = asked(stub_, "X-Id: 7", body=b'{"id": "17"}')
    (call,) = mock.upstream.calls
    assert call.request.url == "http://hooks:9001/17"
    assert call.header("X-Order") == "7"
    assert call.request.body == b"POST paid"
    assert call.header("Content-Length") == "9"


def test_what_is_drawn_for_one_follows_the_services_seed() -> None:
    drawn = []
    for _ in range(2):
        mock = asked(calling_back(body=Body("body", "{{ uuid() }} {{ request.count }}")))
        drawn.append(mock.upstream.calls[0].request.body)
    assert drawn[0] == drawn[1]
    assert drawn[0].endswith(b" 1")


def test_a_body_can_be_bytes() -> None:
    mock = asked(calling_back(body=Body("base64Body", "AAEC")))
    assert mock.upstream.calls[0].request.body == b"\0\1\2"


def test_one_that_fails_is_made_again_after_a_wait_that_doubles() -> None:
    mock = asked(calling_back(retry=RetryRule(2, 100)))
    mock.upstream.calls[0].sink.on_failure(502, "connect: refused")
    mock.advance(99)
    assert len(mock.upstream.calls) == 1
    mock.advance(2)
    mock.upstream.calls[1].answer(b"", 503)
    mock.advance(199)
    assert len(mock.upstream.calls) == 2
    mock.advance(2)
    mock.upstream.calls[2].answer(b"ok")
    assert [kind for kind, _ in told(mock)] == [
        "WEBHOOK_REQUEST",
        "ERROR",
        "WEBHOOK_REQUEST",
        "WEBHOOK_RESPONSE",
        "WEBHOOK_REQUEST",
        "WEBHOOK_RESPONSE",
    ]
    assert (mock.lane.callbacks.made, mock.lane.callbacks.failed) == (1, 0)


def test_one_that_fails_every_time_is_given_up() -> None:
    mock = asked(calling_back(retry=RetryRule(1, 100)))
    for call in range(2):
        mock.upstream.calls[call].sink.on_failure(502, "connect: refused")
        mock.advance(101)
    assert len(mock.upstream.calls) == 2
    assert (mock.lane.callbacks.made, mock.lane.callbacks.failed) == (0, 1)


def test_an_answer_that_says_no_is_an_outcome_and_not_made_again() -> None:
    mock = asked(calling_back(retry=RetryRule(3)))
    mock.upstream.calls[0].answer(b"", 404)
    mock.advance(10_000)
    assert len(mock.upstream.calls) == 1


def test_one_that_cannot_be_rendered_is_an_error_in_the_journal() -> None:
    mock = asked(calling_back(url="{{ originalRequest.json.url }}"), body=b'{"url": "nonsense"}')
    assert not mock.upstream.calls
    ((kind, what),) = told(mock)
    assert kind == "ERROR"
    assert "'nonsense'" in str(what)


def test_a_header_that_would_end_early_is_not_sent() -> None:
    definition = calling_back(headers=Headers((("X-A", "{{ originalRequest.json.a }}"),)))
    mock = asked(definition, body=b'{"a": "x\\r\\nEvil: 1"}')
    assert not mock.upstream.calls
    assert told(mock)[0][0] == "ERROR"


def test_a_caller_that_leaves_before_the_answer_gets_no_callback() -> None:
    mock = Mock([calling_back(delay_ms=20)])
    caller = mock.connect()
    caller.send(get("/order"))
    caller.leave()
    mock.advance(100)
    assert not mock.upstream.calls


def test_so_many_are_under_way_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AT_ONCE", 2)
    mock = Mock([calling_back()])
    caller = mock.connect()
    for _ in range(3):
        caller.send(get("/order"))
    mock.advance(1)
    assert len(mock.upstream.calls) == 2
    mock.upstream.calls[0].answer()
    assert len(mock.upstream.calls) == 3


def test_callbacks_that_lead_to_one_another_come_to_an_end() -> None:
    mock = asked(calling_back())
    via = mock.upstream.calls[0].header("Via")
    deep = asked_again(mock, f"Via: {via}", times=4)
    assert len(mock.upstream.calls) == 2, "a few in a row are well"
    asked_again(mock, f"Via: {via}", times=5)
    assert len(mock.upstream.calls) == 2
    assert "5 callbacks" in str(mock.journal.notes(deep + 1)[0].data)


def asked_again(mock: Mock, field: str, *, times: int) -> int:
    """Ask with a field that stands several times; the event's number."""
    mock.connect().send(get("/order", *[field] * times))
    mock.advance(1)
    return mock.journal.served - 1


def test_at_the_end_what_waits_is_dropped_and_what_is_under_way_may_finish() -> None:
    later = DelayDistribution("fixed", {"milliseconds": 1_000})
    both = (*calling_back().callbacks, *calling_back(delay=later).callbacks)
    mock = asked(replace(calling_back(), callbacks=both))

    async def end() -> None:
        closing = asyncio.create_task(mock.lane.callbacks.close(60))
        await asyncio.sleep(0)
        mock.upstream.calls[0].answer()
        await closing

    asyncio.run(end())
    assert (mock.lane.callbacks.made, mock.lane.callbacks.dropped) == (1, 1)
    assert ("ERROR", "dropped: the mock ended") in told(mock)
