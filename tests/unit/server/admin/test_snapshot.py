"""Stubs made of served requests: what they match, what they answer, and in which order."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from typing import Any, cast

import pytest

from mockforge.model.event import Forwarded, ServeEvent
from mockforge.model.headers import Headers
from mockforge.model.request import RequestView
from mockforge.model.response import DelayPlan, RenderedResponse
from mockforge.server.admin.answers import AdminError
from mockforge.server.admin.record_spec import read_record_spec
from mockforge.server.admin.snapshot import Snapshot, is_wanted, snapshot
from mockforge.state.journal import Entry, Journal

JSON = ("Content-Type", "application/json")


def event(
    url: str = "/a",
    body: bytes = b"",
    *fields: tuple[str, str],
    method: str = "GET",
    answer: bytes = b"",
    answer_fields: Sequence[tuple[str, str]] = (),
    forwarded: Forwarded | None = None,
) -> ServeEvent:
    request = RequestView(method, url, Headers(fields).raw(), body)
    response = RenderedResponse(200, tuple(Headers(tuple(answer_fields)).raw()), answer)
    told = forwarded or Forwarded("http://real/a", 1, body_bytes=len(answer))
    return ServeEvent(1, request, response, DelayPlan(1, 2), None, 3, 4, 0, False, told)


def entries(*events: ServeEvent) -> list[Entry]:
    journal = Journal()
    for each in events:
        journal.add_apart(each)
    return journal.entries()


def taken(*events: ServeEvent, **spec: object) -> Snapshot:
    return snapshot(entries(*events), read_record_spec(spec))


def only(*events: ServeEvent, **spec: object) -> dict[str, Any]:
    (mapping,) = taken(*events, **spec).mappings
    return cast("dict[str, Any]", mapping)


def test_a_stub_asks_for_the_url_and_method_and_answers_what_came() -> None:
    mapping = only(
        event(
            "/a/b?x=1", answer=b"hi", answer_fields=(("Content-Type", "text/plain"), ("Matched-Stub-Id", "7"))
        )
    )
    assert mapping["name"] == "a_b"
    assert mapping["request"] == {"url": "/a/b?x=1", "method": "GET"}
    assert mapping["response"] == {"status": 200, "body": "hi", "headers": {"Content-Type": "text/plain"}}
    assert mapping["id"] == mapping["uuid"]


@pytest.mark.parametrize(
    ("media_type", "body", "test"),
    [
        (
            "application/json",
            b'{"a": 1}',
            {"equalToJson": '{"a": 1}', "ignoreArrayOrder": True, "ignoreExtraElements": True},
        ),
        ("application/json", b"{broken", {"equalTo": "{broken"}),
        ("application/xml", b"<a/>", {"equalToXml": "<a/>"}),
        ("application/xml", b"<a", {"equalTo": "<a"}),
        ("text/plain", b"x", {"equalTo": "x"}),
        ("", b"x", {"equalTo": "x"}),
        ("application/octet-stream", b"x", {"binaryEqualTo": "eA=="}),
        ("text/plain", b"\xff", {"binaryEqualTo": "/w=="}),
        ("multipart/form-data; boundary=x", b"--x", None),
    ],
)
def test_a_body_is_matched_by_what_it_is(
    media_type: str, body: bytes, test: dict[str, object] | None
) -> None:
    fields = (("Content-Type", media_type),) if media_type else ()
    request = only(event("/a", body, *fields, method="POST"))["request"]
    assert request.get("bodyPatterns") == (None if test is None else [test])


def test_how_a_body_is_matched_can_be_told() -> None:
    pattern = {"matcher": "equalTo", "caseInsensitive": True}
    request = only(event("/a", b"{}", JSON, method="POST"), requestBodyPattern=pattern)["request"]
    assert request["bodyPatterns"] == [{"equalTo": "{}", "caseInsensitive": True}]


def test_headers_are_matched_where_that_is_asked_for() -> None:
    spec = {"captureHeaders": {"Accept": {"caseInsensitive": True}, "X-Other": {}, "X-None": {}}}
    request = only(event("/a", b"", ("accept", "a"), ("X-Other", "b")), **spec)["request"]
    assert request["headers"] == {
        "Accept": {"equalTo": "a", "caseInsensitive": True},
        "X-Other": {"equalTo": "b"},
    }


def test_a_coded_body_is_kept_plain() -> None:
    fields = (("Content-Encoding", "gzip"), ("Content-Type", "text/plain"))
    response = only(event(answer=gzip.compress(b"hello"), answer_fields=fields))["response"]
    assert response == {"status": 200, "body": "hello", "headers": {"Content-Type": "text/plain"}}


@pytest.mark.parametrize(
    ("media_type", "answer"),
    [("image/png", b"\x89PNG"), ("text/plain", b"\xff"), ("text/plain; charset=iso-8859-1", b"abc")],
)
def test_what_a_text_would_not_give_back_is_base64(media_type: str, answer: bytes) -> None:
    response = only(event(answer=answer, answer_fields=(("Content-Type", media_type),)))["response"]
    assert "body" not in response
    assert response["base64Body"]


def test_repeats_become_a_scenario_with_the_newest_first() -> None:
    mappings = cast(
        "Sequence[Any]", taken(*(event("/a/b", answer=each) for each in (b"1", b"2", b"3"))).mappings
    )
    assert [each["response"]["body"] for each in mappings] == ["3", "2", "1"]
    name = "scenario-1-a-b"
    assert [each["requiredScenarioState"] for each in mappings] == [f"{name}-3", f"{name}-2", "Started"]
    assert [each.get("newScenarioState") for each in mappings] == [None, f"{name}-3", f"{name}-2"]


def test_repeats_become_one_stub_where_no_scenarios_are_wanted() -> None:
    mapping = only(event(answer=b"1"), event(answer=b"2"), repeatsAsScenarios=False)
    assert mapping["response"]["body"] == "1"
    assert "scenarioName" not in mapping


def test_bodies_above_the_threshold_go_into_files() -> None:
    criteria = {"textSizeThreshold": "1 kb", "binarySizeThreshold": 10}
    large = event("/large.txt", answer=b"a" * 1_025, answer_fields=(("Content-Type", "text/plain"),))
    small = event("/small.txt", answer=b"a" * 1_024, answer_fields=(("Content-Type", "text/plain"),))
    image = event("/i", answer=b"\x89" * 11, answer_fields=(("Content-Type", "image/png"),))
    made = taken(large, small, image, extractBodyCriteria=criteria)
    responses = [cast("Any", each)["response"] for each in made.mappings]
    assert responses[0]["bodyFileName"].endswith(".png")
    assert "bodyFileName" not in responses[1]
    assert responses[2]["bodyFileName"].startswith("large.txt-")
    assert set(made.files) == {responses[0]["bodyFileName"], responses[2]["bodyFileName"]}


@pytest.mark.parametrize(
    ("spec", "wanted"),
    [
        ({}, True),
        ({"filters": {"urlPattern": "/b.*"}}, False),
        ({"filters": {"method": "GET", "urlPath": "/a"}}, True),
        ({"filters": {"ids": []}}, False),
    ],
)
def test_events_are_filtered(spec: dict[str, object], wanted: bool) -> None:
    (entry,) = entries(event())
    assert is_wanted(entry, read_record_spec(spec)) is wanted


def test_an_event_is_chosen_by_its_id() -> None:
    (entry,) = entries(event())
    assert is_wanted(entry, read_record_spec({"filters": {"ids": [entry.id.upper()]}}))


@pytest.mark.parametrize(
    "forwarded",
    [Forwarded("http://real", 1, error="body: reset"), Forwarded("http://real", 1, body_bytes=9_000_000)],
)
def test_an_answer_that_is_not_whole_becomes_no_stub(forwarded: Forwarded) -> None:
    (entry,) = entries(event(forwarded=forwarded))
    assert not is_wanted(entry, read_record_spec({}))


def test_an_answer_of_the_mocks_own_becomes_a_stub_only_where_that_is_asked_for() -> None:
    (entry,) = entries(event()._replace(forwarded=None))
    assert not is_wanted(entry, read_record_spec({}))
    assert is_wanted(entry, read_record_spec({"filters": {"allowNonProxied": True}}))


@pytest.mark.parametrize(
    ("spec", "pointer"),
    [
        ({"targetBaseURL": "http://real"}, "/targetBaseURL"),
        ({"targetBaseUrl": "real"}, "/targetBaseUrl"),
        ({"persist": "maybe"}, "/persist"),
        ({"outputFormat": "xml"}, "/outputFormat"),
        ({"transformers": ["x"]}, "/transformers"),
        ({"captureHeaders": ["Accept"]}, "/captureHeaders"),
        ({"requestBodyPattern": {"matcher": "near"}}, "/matcher"),
        ({"extractBodyCriteria": {"textSizeThreshold": "much"}}, "/extractBodyCriteria/textSizeThreshold"),
    ],
)
def test_a_spec_that_cannot_be_is_refused(spec: dict[str, object], pointer: str) -> None:
    with pytest.raises(AdminError) as refused:
        read_record_spec(spec)
    assert refused.value.status == 422
    assert refused.value.errors[0]["source"] == {"pointer": pointer}
