"""The functions of templates: each a table of what it gives; random ones against their seed and range."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable
from datetime import UTC, datetime
from random import Random
from typing import Any

import orjson
import pytest

from mockforge.model.request import RequestView
from mockforge.model.stub import Body
from mockforge.state.memory import ServiceMemory
from mockforge.templating.failure import TemplateFailure
from mockforge.templating.functions.dates import moved
from mockforge.templating.jinja import compile_body_template
from mockforge.templating.request import TemplateRequest

HEADERS = [(b"Cookie", b'a=1; b="2"'), (b"Host", b"shop.test:81"), (b"Content-Type", b"application/json")]
BODY = b'{"items": [{"sku": "A-17", "n": 2}, {"sku": "B-4", "n": 3}], "xml": "<a><b c=\'1\'>x</b></a>"}'


def render(expression: str, seed: int = 1) -> str:
    request = TemplateRequest(
        RequestView("POST", "/a/b%20c?t=1&t=2", HEADERS, BODY), {"id": "7"}, ServiceMemory(Random(seed))
    )
    return compile_body_template(Body("body", f"{{{{ {expression} }}}}"))(request).decode()


@pytest.mark.parametrize(
    ("expression", "rendered"),
    [
        ("request.segments[1]", "b c"),
        ("request.queries.t", '["1","2"]'),
        ("request.cookies.a ~ request.cookies.b", "12"),
        ("request.host ~ ' ' ~ request.port ~ ' ' ~ request.scheme", "shop.test 81 http"),
        ("request.json | jsonpath('$.items[1].sku')", "B-4"),
        ("jsonpath(request.body, '$.items[*].n') | sum", "5"),
        ("request.json | jsonpath('$..sku') | join('+')", "A-17+B-4"),
        ("request.json | jsonpath('$.none', 'x')", "x"),
        ("(request.body | parse_json)['items'] | length", "2"),
        ("request.json.xml | xpath('//b')", "x"),
        ("1234567.125 | format_number", "1,234,567.13"),
        ("'-1234.5' | format_number(0, '.', ',')", "-1.235"),
        ("format_number(2 ** 70, digits=1, thousands=' ', point=',')", "1 180 591 620 717 411 303 424,0"),
        ("request.json.xml | xpath('//b/@c')", "1"),
        ("request.json.xml | xpath('count(//b)')", "1.0"),
        ("request.json.xml | xpath('//z', none)", "null"),
        ("'order-17-b' | regex_find('\\\\d+')", "17"),
        ("'order-17-b' | regex_find('order-(\\\\d+)-(.)')", "17"),
        ("'order-17-b' | regex_find('order-(\\\\d+)-(?<x>.)', 'x')", "b"),
        ("'order' | regex_find('\\\\d', default='-')", "-"),
        ("'a1b22' | regex_all('\\\\d+')", '["1","22"]'),
        ("'a1b22' | regex_replace('(\\\\d)', '<\\\\1>')", "a<1>b<2><2>"),
        ("'a,b' | split(',')", '["a","b"]'),
        ("'a?>é' | base64_encode", base64.b64encode("a?>é".encode()).decode()),
        ("'a?>' | base64_encode(url=true)", "YT8-"),
        ("'a' | base64_encode(padding=false)", "YQ"),
        ("'YT8-' | base64_decode ~ base64_decode('YQ==')", "a?>a"),
        ("'a%20b+c' | url_decode", "a b c"),
        ("'a' | md5", hashlib.md5(b"a").hexdigest()),
        ("'a' | sha1", hashlib.sha1(b"a").hexdigest()),
        ("'é' | sha256", hashlib.sha256("é".encode()).hexdigest()),
        ("sha512('a')", hashlib.sha512(b"a").hexdigest()),
        ("'a' | hmac('k')", hmac.digest(b"k", b"a", "sha256").hex()),
        ("hmac('a', 'k', 'sha1', 'base64')", base64.b64encode(hmac.digest(b"k", b"a", "sha1")).decode()),
        ("date('2024-01-31', offset='+1 month')", "2024-02-29T00:00:00.000Z"),
        ("date('2024-02-01T10:00:00+02:00', 'unix')", "1706774400"),
        ("date(1706774400, 'http')", "Thu, 01 Feb 2024 08:00:00 GMT"),
        ("date(1706774400123, 'epoch')", "1706774400123"),
        ("date('Thu, 01 Feb 2024 08:00:00 GMT', '%d.%m.%y')", "01.02.24"),
        ("'2024-07-01' | date('yyyy-MM-dd HH:mm XXX', zone='Europe/Paris')", "2024-07-01 02:00 +02:00"),
        (
            "'2024-07-01T08:05:03.120' | date(\"EEE d MMM yy, h:mm a S 'o''clock'\")",
            "Mon 1 Jul 24, 8:05 AM 1 o'clock",
        ),
        ("now('yyyy') == now('%Y')", "true"),
        ("now('unix') < now('unix', offset='+2 hours')", "true"),
    ],
)
def test_a_function_gives(expression: str, rendered: str) -> None:
    assert render(expression) == rendered


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("request.json | jsonpath('$.none')", "nothing is at $.none"),
        ("request.json | jsonpath('$[')", "does not parse"),
        ("request.json.xml | xpath('//z')", "nothing is at //z"),
        ("'x' | regex_find('y')", "matches nothing"),
        ("'x' | regex_find('(')", "is no regular expression"),
        ("now(offset='+3 moons')", "'moons' is no unit of time; such as '+3 days'"),
        ("now(offset='soon')", "'soon' is no offset"),
        ("now(zone='Europe/Atlantis')", "is no time zone"),
        ("now('yyyy-QQ')", "'QQ' is no part of a date format"),
        ("date('someday')", "'someday' is no date"),
        ("hmac('a', 'k', 'crc')", "'crc' is no digest"),
        ("jwt(algorithm='RS256')", "'RS256' is no algorithm; known: HS256"),
        ("fake('seed')", "'seed' is no provider of Faker"),
        ("fake('_Generator__config')", "is no provider of Faker"),
        ("fake('name', locale='xx_XX')", "is no locale of Faker"),
        ("uuid(1)", "takes 0 positional arguments"),
    ],
)
def test_a_function_that_cannot_is_a_failure_that_says_why(expression: str, reason: str) -> None:
    with pytest.raises(TemplateFailure, match=re.escape(reason)):
        render(expression)


@pytest.mark.parametrize(
    ("expression", "fits"),
    [
        ("random_int(1, 6)", lambda value: 1 <= int(value) <= 6),
        ("random_float(1, 2, digits=3)", lambda value: 1 <= float(value) <= 2 and len(value) <= 5),
        ("random_bool()", lambda value: value in {"true", "false"}),
        ("random_choice(['a', 'b', 'c', 'd'])", lambda value: value in "abcd"),
        ("shuffled(range(9) | list)", lambda value: sorted(orjson.loads(value)) == list(range(9))),
        ("random_string(12)", re.compile(r"[A-Za-z0-9]{12}").fullmatch),
        ("random_string(12, 'xyz')", re.compile(r"[xyz]{12}").fullmatch),
        ("random_hex(8)", re.compile(r"[0-9a-f]{8}").fullmatch),
        (
            "uuid()",
            re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}").fullmatch,
        ),
        ("fake('name')", re.compile(r"\S+ .+").fullmatch),
    ],
)
def test_what_is_drawn_fits_and_is_the_same_for_the_same_seed(
    expression: str, fits: Callable[[str], Any]
) -> None:
    drawn = [render(expression, seed) for seed in range(12)]
    assert all(map(fits, drawn))
    assert len(set(drawn)) > 1
    assert drawn == [render(expression, seed) for seed in range(12)]


def test_a_token_is_signed_and_has_its_times() -> None:
    head, claims, signature = render("jwt({'sub': 'me'}, 'k', expires='+10 minutes')").split(".")
    expected = hmac.digest(b"k", f"{head}.{claims}".encode(), "sha256")
    assert signature == base64.urlsafe_b64encode(expected).rstrip(b"=").decode()
    read = orjson.loads(base64.urlsafe_b64decode(claims + "=="))
    assert read["sub"] == "me"
    assert read["exp"] - read["iat"] == 600


@pytest.mark.parametrize(
    ("offset", "to"),
    [
        ("", "2024-02-29T12:00:00"),
        ("+1 year", "2025-02-28T12:00:00"),
        ("-2 months", "2023-12-29T12:00:00"),
        ("1w", "2024-03-07T12:00:00"),
        ("-1 day +90 minutes", "2024-02-28T13:30:00"),
        ("+ 1.5 hours", "2024-02-29T13:30:00"),
        ("250 ms", "2024-02-29T12:00:00.250000"),
    ],
)
def test_an_offset_leads_to(offset: str, to: str) -> None:
    at = datetime(2024, 2, 29, 12, tzinfo=UTC)
    assert moved(at, offset) == datetime.fromisoformat(to).replace(tzinfo=UTC)
