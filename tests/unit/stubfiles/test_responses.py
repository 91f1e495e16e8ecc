from __future__ import annotations

from typing import Any

import orjson
import pytest

from mockforge.model.headers import Headers
from mockforge.model.stub import Body, DelayDistribution, ResponseDefinition


def answer(folder: Any, written: str) -> ResponseDefinition:
    (response,) = folder.stub(f"request: GET /a\nresponse: {written}\n").responses
    assert isinstance(response, ResponseDefinition)
    return response


def test_a_response_left_out_is_an_empty_200(folder: Any) -> None:
    assert folder.stub("request: GET /a").responses == (ResponseDefinition(200),)


def test_headers_take_a_value_or_several(folder: Any) -> None:
    response = answer(folder, "{headers: {Set-Cookie: [a=1, b=2], X-Count: 1.10, X-Flag: no, X-On: true}}")
    assert response.headers == Headers(
        (
            ("Set-Cookie", "a=1"),
            ("Set-Cookie", "b=2"),
            ("X-Count", "1.10"),
            ("X-Flag", "no"),
            ("X-On", "true"),
        )
    )


@pytest.mark.parametrize(
    ("written", "body"),
    [
        ("{body: 1.10}", Body("body", "1.10")),
        ("{body: ''}", Body("body", "")),
        ("{jsonBody: {a: [1, 1.50, no, ~, true]}}", Body("jsonBody", {"a": [1, 1.5, "no", None, True]})),
        ("{jsonBody: null}", Body("jsonBody", None)),
        ("{base64Body: aGk=}", Body("base64Body", "aGk=")),
        ("{body: ~}", None),
        ("{status: 204}", None),
    ],
)
def test_a_body_is_written_in_one_of_several_ways(folder: Any, written: str, body: Body | None) -> None:
    assert answer(folder, written).body == body


def test_a_body_file_is_read_from_files(folder: Any) -> None:
    folder.put("__files/big/a.bin", b"\x00\xff")
    assert answer(folder, "{bodyFileName: big/a.bin}").body == Body("bodyFileName", "big/a.bin", b"\x00\xff")


def test_points_have_numbers_for_keys_in_yaml_and_in_json(folder: Any) -> None:
    law = {"type": "quantiles", "unit": "ms", "points": {"0": 3.1, "99.9": 61}}
    response = answer(folder, "{delayDistribution: {type: quantiles, unit: ms, points: {0: 3.1, 99.9: 61}}}")
    in_json = folder.stub(
        orjson.dumps({"request": "GET /a", "response": {"delayDistribution": law}}), "a.json"
    )
    wanted = DelayDistribution("quantiles", {"unit": "ms", "points": {0.0: 3.1, 99.9: 61}})
    assert response.delay == in_json.responses[0].delay == wanted


def test_several_responses_have_shares(folder: Any) -> None:
    stub = folder.stub("{request: GET /a, responses: [{share: 0.9}, {share: .1, status: 503}]}")
    assert [(response.share, response.status) for response in stub.responses] == [(0.9, 200), (0.1, 503)]


def test_transformers_make_a_template_of_the_body(folder: Any) -> None:
    response = answer(folder, "{transformers: [jinja], jsonBody: {id: '{{ request.path.id }}'}}")
    assert response.transformers == ("jinja",)
    assert response.body == Body("jsonBody", {"id": "{{ request.path.id }}"})
    assert answer(folder, "{transformers: [], body: '{{ as it is }}'}").transformers == ()


def test_without_transformers_a_body_is_no_template(folder: Any) -> None:
    assert answer(folder, "{body: '{{ as it is', headers: {X: '{{'}}").body == Body("body", "{{ as it is")


REFUSED = [
    (17, ": must be a mapping, not 17 (such as {status: 200, body: hello})"),
    ({"status": "200"}, ".status: must be a whole number, not '200'"),
    ({"status": 200.0}, ".status: must be a whole number, not 200.0"),
    ({"status": True}, ".status: must be a whole number, not true"),
    ({"status": 600}, ".status: must be at most 599, not 600"),
    (
        {"headers": {"A": {}}},
        ".headers.A: a header's value must be a string or a list of strings, not a mapping",
    ),
    (
        {"headers": {"A": None}},
        ".headers.A: a header's value must be a string or a list of strings, not nothing",
    ),
    ({"headers": {"A": []}}, ".headers.A: the list of values is empty (leave the header out)"),
    (
        {"headers": {"A": "a\r\nB: c"}},
        r".headers.A: 'a\r\nB: c' holds a control character, which no header may",
    ),
    ({"headers": {"A": "→"}}, ".headers.A: '→' holds '→'; headers are Latin-1 (percent-encode it)"),
    ({"headers": {"A:": "a"}}, ".headers.A:: 'A:' is not a header name"),
    ({"body": []}, ".body: must be a string, not a list"),
    ({"body": "a", "jsonBody": None}, ": body and jsonBody exclude one another (keep one of them)"),
    ({"base64Body": "a"}, ".base64Body: 'a' is not base64: "),
    ({"bodyFileName": "no.txt"}, ".bodyFileName: no such file: "),
    ({"fixedDelayMilliseconds": -1}, ".fixedDelayMilliseconds: must be at least 0, not -1"),
    ({"fixedDelayMilliseconds": "1"}, ".fixedDelayMilliseconds: must be a number, not '1'"),
    ({"delayDistribution": 3}, ".delayDistribution: must be a mapping, not 3 (such as {type: fixed"),
    ({"delayDistribution": {}}, ".delayDistribution: type is missing (known: exponential, fixed"),
    (
        {"delayDistribution": {"type": "zipf"}},
        ".delayDistribution: delayDistribution type 'zipf' is not known",
    ),
    ({"delayDistribution": {"type": "uniform", "lower": 1}}, ".delayDistribution: upper must be a number of"),
    (
        {"delayDistribution": {"type": "quantiles", "points": {"p50": 1}}},
        ".delayDistribution: 'p50' in points is not a percentile (keys go from 0 to 100)",
    ),
    (
        {"delayDistribution": {"type": "quantiles", "points": {"50": 1, "50.0": 2}}},
        ".delayDistribution: percentile 50 stands twice in points",
    ),
    (
        {"delayDistribution": {"type": "quantiles", "points": {"0": 2, "50": 1}}},
        ".delayDistribution: points fall at 50: 1 after 2; they must rise",
    ),
    ({"share": 0.5}, ": shares add up to 0.5, not to 1 (0.5)"),
    ({"fault": "EMPTY"}, ".fault: 'EMPTY' is not known (known: CONNECTION_RESET_BY_PEER, EMPTY_RESPONSE"),
    (
        {"fault": {"type": "EMPTY_RESPONSE", "afterBytes": 1}},
        ".fault: afterBytes says nothing to EMPTY_RESPONSE (it takes nothing)",
    ),
    (
        {"fault": {"type": "NO_RESPONSE", "afterByte": 1}},
        ".fault.afterByte: unknown key 'afterByte', did you",
    ),
    ({"faultProbability": 0.5}, ": faultProbability goes with fault"),
    ({"fault": "EMPTY_RESPONSE", "faultProbability": 1.5}, ".faultProbability: must be at most 1, not 1.5"),
    (
        {"chunkedDribbleDelay": {"numberOfChunks": 0, "totalDuration": 1}},
        ".chunkedDribbleDelay.numberOfChunks: must be at least 1, not 0",
    ),
    ({"chunkedDribbleDelay": {"numberOfChunks": 2}}, ".chunkedDribbleDelay.totalDuration: is missing"),
    (
        {"bandwidth": 1000, "chunkedDribbleDelay": {"numberOfChunks": 2, "totalDuration": 1}},
        ": chunkedDribbleDelay and bandwidth exclude one another",
    ),
    ({"bandwidth": "50KB"}, ".bandwidth: '50KB' is no rate (such as 50KB/s"),
    ({"bandwidth": 0}, ".bandwidth: must be a rate of at least 1 B/s, not 0"),
    ({"bodyTime": {"type": "normal"}}, ".bodyTime: "),
    ({"serverSentEvents": {"events": []}}, ".serverSentEvents.events: "),
    ({"serverSentEvents": {"events": [{}]}}, ".serverSentEvents.events[0]: sends nothing"),
    (
        {"serverSentEvents": {"events": [{"data": 1}], "repeat": "forever"}},
        ".serverSentEvents: events for ever need a delay",
    ),
    (
        {"serverSentEvents": {"events": [{"data": 1, "id": "a\nb"}]}},
        ".serverSentEvents.events[0].id: 'a\\nb' must be one line",
    ),
    (
        {"serverSentEvents": {"events": [{"data": 1}]}, "body": "x"},
        ": body and serverSentEvents exclude one another",
    ),
    (
        {"proxyBaseUrl": "http://127.0.0.1:1", "bandwidth": 5},
        ": bandwidth and proxyBaseUrl exclude one another (the upstream sets the pace)",
    ),
    (
        {"proxyBaseUrl": "http://127.0.0.1:1", "fault": "TRUNCATED_BODY"},
        ": fault TRUNCATED_BODY sends part of an answer, and proxyBaseUrl has none",
    ),
    ({"transformers": ["xslt"], "body": ""}, ".transformers: 'xslt' is not known (known: jinja)"),
    (
        {"transformers": ["response-template"], "body": ""},
        ".transformers: 'response-template' is WireMock's Handlebars dialect, which is not supported yet",
    ),
    ({"transformers": "jinja"}, ".transformers: must be a list, not 'jinja'"),
    ({"transformers": ["jinja", "jinja"]}, ".transformers: jinja and jinja exclude one another"),
    ({"transformers": ["jinja"]}, ": transformers need a body, a status or headers to transform"),
    (
        {"transformers": ["jinja"], "body": "", "variants": {"file": "a.jsonl"}},
        ": transformers and variants exclude one another (variants are sent as they are)",
    ),
    (
        {"transformers": ["jinja"], "body": "", "headers": {"Location": "/{{ order.id }}"}},
        ".headers.Location: template asks for 'order', which is not known",
    ),
    (
        {"transformers": ["jinja"], "body": "{{ request.pth.id }}"},
        ".body: template asks for 'request.pth', which no request has (known: request.method",
    ),
    (
        {"transformers": ["jinja"], "jsonBody": {"a": "{{ order }}"}},
        ".jsonBody: template asks for 'order', which is not known (known: request",
    ),
    ({"transformers": ["jinja"], "body": "{{"}, ".body: template does not parse: line 1: "),
    ({"transformers": ["jinja"], "base64Body": "/w=="}, ".base64Body: template is not UTF-8 at byte 0"),
    (
        {"headers": {"Content-Type": "text/plain; charset=utf-88"}},
        ".headers: Content-Type names a charset that there is not: 'utf-88' (such as utf-8)",
    ),
    ({"jsonbody": {}}, ".jsonbody: unknown key 'jsonbody', did you mean 'jsonBody'?"),
]


@pytest.mark.parametrize(("written", "problem"), REFUSED)
def test_a_response_that_cannot_be_is_refused(folder: Any, written: object, problem: str) -> None:
    stub = orjson.dumps({"name": "x", "response": written})
    assert folder.problem(stub, "a.json").startswith(f"a.json:1: stub 'x': response{problem}")


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("responses: []", ".responses: the list is empty"),
        ("responses: [{}, {}]", ".responses: each of several responses needs a share (such as share: 0.9"),
        ("responses: [{share: 0.9}, {share: 0.2}]", ".responses: shares add up to 1.1, not to 1 (0.9 + 0.2)"),
        ("responses: [{share: 0.9}, {share: 1.1}]", ".responses[1].share: must be at most 1, not 1.1"),
        ("{responses: [{}], response: {}}", ".response and responses exclude one another (keep one of them)"),
    ],
)
def test_several_responses_that_cannot_be_are_refused(folder: Any, written: str, problem: str) -> None:
    assert folder.problem(written).replace("stub: ", "stub.", 1).startswith(f"a.yaml:1: stub{problem}")


@pytest.mark.parametrize(
    "value",
    ["123456789012345678901", "1" * 500, "1e999", "[" * 300 + "]" * 300, "{a: " * 400 + "1" + "}" * 400],
)
def test_json_that_cannot_be_sent_is_refused(folder: Any, value: str) -> None:
    problem = folder.problem(f"name: x\nresponse:\n  jsonBody: {value}\n")
    assert problem.startswith(("a.yaml:3: stub 'x': response.jsonBody: ", "a.yaml: is nested too deeply"))


def test_a_template_in_a_file_is_refused_where_it_is_named(folder: Any) -> None:
    folder.put("__files/a.txt", "one\n{{ two")
    problem = folder.problem("name: x\nresponse:\n  transformers: [jinja]\n  bodyFileName: a.txt\n")
    assert problem.startswith("a.yaml:4: stub 'x': response.bodyFileName: template does not parse: line 2: ")
