from __future__ import annotations

import re
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockforge.errors import StubFileError
from mockforge.model.request import RequestView
from mockforge.model.stub import Body
from mockforge.templating.failure import TemplateFailure
from mockforge.templating.jinja import compile_body_template
from mockforge.templating.request import TemplateRequest

JSON_BODY = {
    "items": [{"sku": 'b"17', "n": 2.50}, {"sku": "é\n", "n": 10**17}],
    "keys": "own",
    "paid": True,
    "note": None,
    "_id": 5,
    "c d": {"é": [[1]]},
}
REQUEST = TemplateRequest(
    RequestView(
        "POST",
        "/orders/17?page=2&page=3&q=a%20b",
        [(b"X-Id", b"first"), (b"x-id", b"second"), (b"Accept", b"text/plain")],
        orjson.dumps(JSON_BODY),
    ),
    {"id": "17"},
)


def render(source: str, request: TemplateRequest = REQUEST) -> str:
    return compile_body_template(Body("body", source))(request).decode()


def render_json(value: object, request: TemplateRequest = REQUEST) -> Any:
    return orjson.loads(compile_body_template(Body("jsonBody", value))(request))


@pytest.mark.parametrize(
    ("source", "rendered"),
    [
        ("plain", "plain"),
        ("", ""),
        ("{{ request.method }} {{request.url}}", "POST /orders/17?page=2&page=3&q=a%20b"),
        ("<{{ request.path.id }}>", "<17>"),
        ("{{ request.query.page }}, {{ request.query['q'] }}", "2, a b"),
        ("{{ request.headers['X-ID'] }} {{ request.headers.accept }}", "first text/plain"),
        ("{{ request.headers.get('X-Other', 'none') }}", "none"),
        ("{{ request.json.items[1].n + 1 }}", "100000000000000001"),
        ("{{ request.json.items | length }} {{ request.json.keys }}", "2 own"),
        ("{{ request.json._id }}", "5"),
        ("{% for name, value in request.path.items() %}{{ name }}={{ value }}{% endfor %}", "id=17"),
        ("{{ request.path.items | default('none') }} {{ request.path.keys is defined }}", "none false"),
        ("{{ request.path['items'] | default('none') }} {{ request.path.get('id') }}", "none 17"),
        ("{{ request.query | dictsort | map('first') | join(',') }}", "page,q"),
        ("{{ request.body | length }}", str(len(orjson.dumps(JSON_BODY).decode()))),
        ("a\n{%- for item in request.json.items %} {{ item.sku | upper }}{% endfor %}\n", 'a B"17 É\n\n'),
        ("{% if request.query.debug is defined %}debug{% else %}-{% endif %}", "-"),
        ("{# a remark #}x", "x"),
        ("{% raw %}{{ x }}{% endraw %}", "{{ x }}"),
        ("a {{- request.path.id -}} b", "a17b"),
        ("{{ '}}' }} {{ {'a': {'b': 1}}['a']['b'] }}", "}} 1"),
        ("{{ request.path.id, 1 }}", '["17",1]'),
        ("a\r\n{{ request.path.id }}\r\n", "a\r\n17\r\n"),
        ("a\r\n{% if true %}b\r\n{% endif %}", "a\r\nb\r\n"),
        ("{ {{ request.path.id }} } {a} }} %}", "{ 17 } {a} }} %}"),
    ],
)
def test_a_text_is_rendered_against_the_request(source: str, rendered: str) -> None:
    assert render(source) == rendered


@pytest.mark.parametrize(
    ("expression", "rendered"),
    [
        ("request.json.paid", "true"),
        ("request.json.note", "null"),
        ("request.json.items[0].n", "2.5"),
        ("request.json['c d']", '{"é":[[1]]}'),
        ("request.json['c d'].é", "[[1]]"),
        ("request.path", '{"id":"17"}'),
        ("request.headers", '{"x-id":"first","accept":"text/plain"}'),
        ("1 < 2", "true"),
        ("{1: 2}", '{"1":2}'),
    ],
)
def test_what_is_no_text_stands_as_json(expression: str, rendered: str) -> None:
    assert render(f"{{{{ {expression} }}}}") == rendered


def look_ups() -> st.SearchStrategy[str]:
    part = st.sampled_from(["method", "url", "path", "query", "headers", "body", "json"])
    name = st.sampled_from(
        ["id", "page", "items", "sku", "keys", "note", "accept", "n", "values", "c d", "é"]
    )
    step = (
        name.filter(str.isidentifier).map(".{}".format)
        | name.map("['{}']".format)
        | name.map('["{}"]'.format)
        | st.integers(0, 2).map("[{}]".format)
    )
    return st.builds("request{}{}".format, part.map(".{}".format), st.lists(step, max_size=4).map("".join))


def outcome(source: str) -> str | None:
    try:
        return render(source)
    except TemplateFailure:
        return None


@given(look_ups())
def test_a_look_up_gives_what_jinja_gives(expression: str) -> None:
    looked_up = outcome(f"{{{{ {expression} }}}}")
    assert looked_up == outcome(f"{{{{ ({expression}) }}}}")
    assert looked_up == outcome(f"{{% if true %}}{{{{ {expression} }}}}{{% endif %}}")


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.sampled_from(
    [
        '"',
        "\\",
        "\n\t\x00",
        "\u2028",
        "🙂",
        '","admin":true,"',
        "{{ 1 }}",
        "{% raw %}",
        "\\u0041",
        "</script>",
    ]
)


@given(TEXTS)
def test_a_value_in_a_json_body_cannot_break_out_of_its_string(text: str) -> None:
    request = TemplateRequest(RequestView("POST", "/", body=orjson.dumps({"a": text})), {"id": text})
    template: dict[str, object] = {
        "look-up": "<{{ request.path.id }}>",
        "expression": "{{ request.json.a ~ '!' }}",
        "statement": "{% if true %}{{ request.json.a }}{% endif %}",
        "{{ request.path.id }} as key": [1, None, {}, []],
        "plain": 'a "b"\n',
    }
    assert render_json(template, request) == {
        "look-up": f"<{text}>",
        "expression": f"{text}!",
        "statement": text,
        f"{text} as key": [1, None, {}, []],
        "plain": 'a "b"\n',
    }


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(0, 9) | TEXTS.filter(lambda text: "{" not in text),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(TEXTS.filter(lambda text: "{" not in text), inner, max_size=3)
        ),
    )
)
def test_a_json_body_without_templates_is_rendered_as_it_is(value: object) -> None:
    body = Body("jsonBody", value)
    assert compile_body_template(body)(REQUEST) == body.content()


def test_quotes_in_the_expressions_of_a_json_body_are_jinjas() -> None:
    assert render_json({"a": "{{ request.json[\"keys\"] }} {{ 'x' }}"}) == {"a": "own x"}


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{{ request.json.sku }}", "{{ request.json.sku }}: is not in this request"),
        ("{{ request.path.idd }}", "{{ request.path.idd }}: is not in this request"),
        ("{{ request.json.keys.a }}", "{{ request.json.keys.a }}: is not in this request"),
        (
            "{{ request.json.sku | upper }}",
            "{{ request.json.sku | upper }}: 'dict object' has no attribute 'sku'",
        ),
        ("ok {{ 1 + 'a' }}", "{{ 1 + 'a' }}: unsupported operand type(s) for +: 'int' and 'str'"),
        ("{{ 1 // 0 }}", "{{ 1 // 0 }}: integer division or modulo by zero"),
        ("{{ range(3) }}", "{{ range(3) }}: a range cannot stand in a body"),
        ("{{ request.json.values }}", "{{ request.json.values }}: is not in this request"),
        (
            "{{ (request.json.values) }}",
            "{{ (request.json.values) }}: 'dict object' has no attribute 'values'",
        ),
        ("{{ (request.json.values.a) }}", "{{ (request.json.values.a) }}: 'dict object' has no attribute 'v"),
        (
            "{{ (request.json['values']) }}",
            "{{ (request.json['values']) }}: 'dict object' has no attribute 'v",
        ),
        ("{{ request }}", "{{ request }}: a TemplateRequest cannot stand in a body"),
        ("{% if true %}\n{{ 1 + 'a' }}\n{% endif %}", "{{ 1 + 'a' }}: unsupported operand"),
        (
            "{% for a in request.json.note %}{% endfor %}",
            "{% for a in request.json.note %}{% endfor %}: 'NoneT",
        ),
        (r"{{ '\ud800' }}", "the rendered text is not Unicode: surrogates not allowed"),
        (
            "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
            "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}: ",
        ),
    ],
)
def test_what_fails_is_one_kind_of_failure_that_names_the_expression(source: str, message: str) -> None:
    template = compile_body_template(Body("body", source))
    with pytest.raises(TemplateFailure, match="^" + re.escape(message)) as caught:
        template(REQUEST)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "source", ["{{ 1 + 'a' }}", r"{{ '\ud800' }}", "{% if true %}{{ 1 + 'a' }}{% endif %}"]
)
def test_an_expression_of_a_json_body_fails_alike(source: str) -> None:
    template = compile_body_template(Body("jsonBody", {"a": [source]}))
    with pytest.raises(TemplateFailure, match=r"\+ 'a'|ud800"):
        template(REQUEST)


@pytest.mark.parametrize(
    "expression",
    [
        "''.__class__",
        "''.__class__.__mro__[1].__subclasses__()",
        "''['__class__']",
        "'' | attr('__class__')",
        "(request | attr('_request')).body",
        "request.path.get.__self__",
        "request.json.items.append(1)",
        "request.json.update({'a': 1})",
        "'{0.__class__}'.format(request)",
        "range(999999999)",
    ],
)
@pytest.mark.parametrize("source", ["{{{{ {} }}}}", "{{% if true %}}{{{{ {} }}}}{{% endif %}}"])
def test_a_template_does_not_leave_the_sandbox(expression: str, source: str) -> None:
    template = compile_body_template(Body("body", source.format(expression)))
    with pytest.raises(TemplateFailure):
        template(REQUEST)
    assert render("{{ request.json.items | length }}") == "2"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            Body("body", "a\n{{ request.path.id"),
            "template does not parse: line 2: unexpected end of template",
        ),
        (Body("body", "{{ }}"), "template does not parse: line 1: Expected an expression"),
        (Body("body", "{% fi %}"), "template does not parse: line 1: Encountered unknown tag 'fi'"),
        (Body("body", "{% if true %}"), "template does not parse: line 1: Unexpected end of template"),
        (Body("body", "{{ 1 | nofilter }}"), "template asks for the filter 'nofilter', which is not known"),
        (Body("body", "{{ [1] | random }}"), "template asks for the filter 'random', which is not known"),
        (Body("body", "{{ lipsum() }}"), "template asks for 'lipsum', which is not known (known: request"),
        (Body("body", "{{ order.id }}"), "template asks for 'order', which is not known (known: request"),
        (Body("body", "{% if a is defined %}{% endif %}"), "template asks for 'a', which is not known"),
        (
            Body("body", "{{ request.foo | upper }}"),
            "template asks for 'request.foo', which no request has (kn",
        ),
        (Body("body", "{{ request['_request'] }}"), "template asks for 'request._request', which no request"),
        (Body("body", "{{ request.part }}"), "template asks for 'request.part', which no request has"),
        (Body("body", "{{ nwo() }}"), "template asks for 'nwo', which is not known (did you mean 'now'?)"),
        (
            Body("body", "{{ 1 is evn }}"),
            "template asks for the test 'evn', which is not known (did you mean",
        ),
        (
            Body("body", "{% if false %}{{ 1 | uper }}{% endif %}"),
            "template asks for the filter 'uper', which is not known (did you mean 'upper'?)",
        ),
        (Body("body", "{% include 'x' %}"), "template includes 'x'; it can include no other file"),
        (Body("body", "{{ " + "(" * 5000 + " }}"), "template is nested too deeply"),
        (Body("body", "{{ " + "9" * 5000 + " }}"), "template does not parse: Exceeds the limit"),
        (Body("jsonBody", {"a": "{{ 'a", "b": "b' }}"}), "template does not parse: line 1: unexpected char"),
        (Body("jsonBody", {"{{ a }}": 1}), "template asks for 'a', which is not known"),
        (Body("bodyFileName", "x.bin", b"ab\xff"), "template is not UTF-8 at byte 2"),
        (Body("base64Body", "/w=="), "template is not UTF-8 at byte 0"),
    ],
)
def test_a_template_that_cannot_be_is_refused_before_it_is_served(body: Body, message: str) -> None:
    with pytest.raises(StubFileError, match="^" + re.escape(message)) as caught:
        compile_body_template(body)
    assert "\n" not in str(caught.value)


def test_a_file_is_a_template_as_well() -> None:
    template = compile_body_template(Body("bodyFileName", "x.txt", "é {{ request.path.id }}".encode()))
    assert template(REQUEST) == "é 17".encode()


def test_a_body_that_is_not_json_is_null() -> None:
    request = TemplateRequest(RequestView("POST", "/", body=b"\xff{"), {})
    assert (
        render("{{ request.json }} {{ request.json is none }} {{ request.body }}", request)
        == "null true \ufffd{"
    )


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("{{ request.json.items[1].n | tojson }}", 10**17),
        ("{{ request.json['c d'] | tojson }}", {"é": [[1]]}),
        ("{{ request.json.paid|tojson }}", True),
        ("{{ request.json.note | tojson }}", None),
        ("{{ request.json.items[0].sku | tojson }}", 'b"17'),
        ("{{ request.query | tojson }}", {"page": "2", "q": "a b"}),
        ("{{- request.path.id | int | tojson -}}", 17),
        (" {{ request.path.id | int | tojson }}", " 17"),
        ("{{ request.path.id | int | tojson | upper }}", "17"),
    ],
)
def test_an_expression_that_ends_in_tojson_stands_as_the_value(template: str, value: object) -> None:
    assert render_json({"a": [template]}) == {"a": [value]}


def test_a_members_name_stays_a_text() -> None:
    assert render_json({"{{ request.path.id | int | tojson }}": 1}) == {"17": 1}
