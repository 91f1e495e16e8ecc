"""Keys of proxying and of callbacks in stub files: what is read, and what is refused at its place."""

from __future__ import annotations

from typing import Any

import pytest

from mockforge.model.forwarding import CallbackDefinition, ProxyDefinition, RetryRule
from mockforge.model.headers import Headers
from mockforge.model.stub import Body, DelayDistribution

URL = "http://127.0.0.1:9001/paid"


def test_a_response_may_be_an_upstreams(folder: Any) -> None:
    stub = folder.stub(
        "request: GET /a\n"
        "response:\n"
        "  proxyBaseUrl: http://real:9000\n"
        "  proxyUrlPrefixToRemove: /api\n"
        "  additionalProxyRequestHeaders: {X-A: 1, X-B: [b, c]}\n"
        "  removeProxyRequestHeaders: [Authorization]\n"
        "  headers: {X-From: mock}\n"
    )
    (response,) = stub.responses
    assert response.proxy == ProxyDefinition(
        "http://real:9000",
        "/api",
        Headers((("X-A", "1"), ("X-B", "b"), ("X-B", "c"))),
        ("Authorization",),
    )
    assert response.headers.get("x-from") == "mock"


@pytest.mark.parametrize(
    ("response", "problem"),
    [
        (
            "proxyBaseUrl: real:9000",
            "response.proxyBaseUrl: 'real:9000' does not begin with http:// or https://",
        ),
        ("proxyBaseUrl: http://{{ x }}", "response.proxyBaseUrl: 'http://{{ x }}' has a blank"),
        (
            "{proxyBaseUrl: http://real, transformers: [jinja], status: '{{ 200 }}'}",
            "response: status and proxyBaseUrl exclude one another",
        ),
        ("proxyUrlPrefixToRemove: /a", "response: proxyUrlPrefixToRemove goes with proxyBaseUrl"),
        ("{proxyBaseUrl: http://real, body: x}", "response: body and proxyBaseUrl exclude one another"),
        (
            '{proxyBaseUrl: http://real, additionalProxyRequestHeaders: {A: "x\\ny"}}',
            "response.additionalProxyRequestHeaders.A: 'x\\ny' holds a control character",
        ),
        (
            "{proxyBaseUrl: http://real, additionalProxyRequestHeaders: {Content-Length: 1}}",
            "response.proxyBaseUrl: the field Content-Length cannot be set",
        ),
        (
            "{proxyBaseUrl: http://real, removeProxyRequestHeaders: [a b]}",
            "response.removeProxyRequestHeaders[0]: 'a b' is",
        ),
        ("{proxyBaseUrl: 'http://{{ request.nope }}', transformers: [jinja]}", "response.proxyBaseUrl: "),
    ],
)
def test_what_cannot_be_passed_on_is_refused_at_its_place(folder: Any, response: str, problem: str) -> None:
    found = folder.problem(
        f"request: GET /a\nresponse: {response}\n"
        if response[0] == "{"
        else f"request: GET /a\nresponse:\n  {response}\n"
    )
    assert f"stub 'GET /a': {problem}" in found
    assert found.startswith("a.yaml:")


def listener(parameters: str, key: str = "serveEventListeners", name: str = "webhook") -> str:
    return f"request: GET /a\n{key}:\n- name: {name}\n  parameters: {parameters}\n"


def test_a_webhook_is_read_whole(folder: Any) -> None:
    stub = folder.stub(
        listener(
            f"{{method: PUT, url: {URL}, headers: {{X-A: b}}, body: hi, "
            "delay: {type: fixed, milliseconds: 20}, retry: {times: 3, waitMilliseconds: 100}}"
        )
    )
    assert stub.callbacks == (
        CallbackDefinition(
            URL,
            "PUT",
            Headers((("X-A", "b"),)),
            Body("body", "hi"),
            DelayDistribution("fixed", {"milliseconds": 20}),
            RetryRule(3, 100.0),
        ),
    )


@pytest.mark.parametrize(
    "written",
    [
        listener(f"{{url: {URL}}}"),
        listener(f"{{url: {URL}}}", "postServeActions"),
        f"request: GET /a\npostServeActions: {{webhook: {{url: {URL}}}}}\n",
        listener(f"{{url: {URL}}}\n  requestPhases: [AFTER_COMPLETE]"),
    ],
)
def test_every_form_that_wiremock_has_had_is_read(folder: Any, written: str) -> None:
    assert folder.stub(written).callbacks == (CallbackDefinition(URL),)


def test_keys_of_ones_own_are_parameters_where_a_template_asks_for_them(folder: Any) -> None:
    (callback,) = folder.stub(
        listener(f"{{url: {URL}, body: '{{{{ parameters.word }}}}', word: 1.10}}")
    ).callbacks
    assert callback.parameters == {"word": 1.1}


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        (listener("{method: GET}"), "serveEventListeners[0].parameters.url: is missing"),
        (
            listener("{url: nonsense}"),
            "serveEventListeners[0].parameters: the target 'nonsense' does not begin",
        ),
        (
            listener(f"{{url: {URL}, dealy: 1}}"),
            "serveEventListeners[0].parameters: unknown key 'dealy', did you mean 'delay'?",
        ),
        (
            listener(f"{{url: {URL}}}", name="log"),
            "serveEventListeners[0].name: listener 'log' is not known (known: webhook)",
        ),
        (
            listener(f'{{url: {URL}, headers: {{A: "x\\ny"}}}}'),
            "serveEventListeners[0].parameters.headers.A: 'x\\ny' holds",
        ),
        (
            listener(f"{{url: {URL}, body: '{{{{ nope', }}"),
            "serveEventListeners[0].parameters: template does not parse",
        ),
        (
            listener(f"{{url: {URL}, body: '{{{{jsonPath originalRequest.body \"$.id\"}}}}' }}"),
            "serveEventListeners[0].parameters: template does not parse: line 1: expected token 'end of "
            "print statement', got 'originalRequest' (callbacks are Jinja, and not Handlebars, templates: ",
        ),
        (
            listener(f"{{url: {URL}, retry: {{times: 0}}}}"),
            "serveEventListeners[0].parameters.retry.times: must be at least 1",
        ),
        (
            listener(f"{{url: {URL}, body: a, base64Body: AA==}}"),
            "serveEventListeners[0].parameters: body and base64Body",
        ),
        (
            listener(f"{{url: {URL}}}\n  requestPhases: [BEFORE_MATCH]"),
            "serveEventListeners[0].requestPhases[0]: phase 'BEFORE_MATCH' is not served",
        ),
    ],
)
def test_a_callback_that_cannot_be_made_is_refused_at_its_place(
    folder: Any, written: str, problem: str
) -> None:
    assert f"stub 'GET /a': {problem}" in folder.problem(written)
