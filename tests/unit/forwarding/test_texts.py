"""Texts of callbacks know the request that was answered, and the callback's own parameters."""

from __future__ import annotations

import pytest

from mockforge.errors import StubFileError
from mockforge.forwarding.texts import compile_body, compile_text
from mockforge.model.request import RequestView
from mockforge.model.stub import Body
from mockforge.templating.failure import TemplateFailure
from mockforge.templating.request import TemplateRequest
from mockforge.templating.scope import Scope

REQUEST = TemplateRequest(
    RequestView("POST", "/orders/17?a=b", ((b"X-Id", b"7"),), b'{"word": "it \\"broke\\""}'), {"id": "17"}
)
PARAMETERS = {
    "text": 'it\'s "é" \\ \n',
    "number": 1.5,
    "yes": True,
    "none": None,
    "deep": {"list": [1, "a"], "no": False},
}
SCOPE = Scope(("request", "originalRequest"), {"parameters": PARAMETERS})


def rendered(text: str) -> str:
    return compile_text(text, templated=True, scope=SCOPE)(REQUEST)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("plain", "plain"),
        ("{{ originalRequest.path.id }}", "17"),
        ("{{ request.path.id }}", "17"),
        ("{{ originalRequest.json.word }}", 'it "broke"'),
        ("  {{ originalRequest.method }}\n", "  POST\n"),
        ("\n{% if parameters.yes %}y{% endif %}", "\ny"),
        ("{{ parameters.text }}", 'it\'s "é" \\ \n'),
        ("{{ parameters.number }}{{ parameters.none }}{{ parameters.deep.list[1] }}", "1.5nulla"),
    ],
)
def test_a_text_is_rendered(text: str, wanted: str) -> None:
    assert rendered(text) == wanted


def test_json_stays_json() -> None:
    body = Body("jsonBody", {"a": ["{{ originalRequest.json.word }}"], "{{ parameters.deep.list[1] }}": 1})
    assert compile_body(body, SCOPE)(REQUEST) == b'{"a":["it \\"broke\\""],"a":1}'


def test_what_fails_is_shown_as_it_was_written() -> None:
    with pytest.raises(TemplateFailure) as failed:
        rendered("id {{ originalRequest.json.nothing }}")
    assert str(failed.value).startswith("{{ originalRequest.json.nothing }}: ")


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(StubFileError, match="'nothing'"):
        rendered("{{ nothing }}")


def test_a_text_that_does_not_parse_is_refused_with_its_own_line() -> None:
    with pytest.raises(StubFileError, match="line 1"):
        rendered("{{ nothing")
    with pytest.raises(StubFileError, match="line 3"):
        rendered("a\nb\n{% if %}")
