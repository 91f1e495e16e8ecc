"""What the default rules replace and what they leave, one line a case; all secrets are made up."""

from __future__ import annotations

import base64
import gzip
import json
import re
import urllib.parse
from dataclasses import replace

import pytest

from mockforge.model.exchange import Exchange, Request, Response
from mockforge.model.headers import Headers
from mockforge.recording.redaction import RedactionRules, Redactor
from mockforge.recording.redaction.cards import is_card_number

KEY = bytes(range(32))
VISA = "4111 1111 1111 1111"


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


JWT = ".".join(
    (part({"alg": "HS256", "kid": "k-17"}), part({"sub": "user-17", "exp": 1700000000}), "c2lnbmF0dXJl")
)
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIBOgIBAAJBAKj34\nLYLInFEX6Ppy1tPf\n-----END RSA PRIVATE KEY-----"


def redactor(**rules: object) -> Redactor:
    return Redactor(RedactionRules.from_mapping(rules), KEY)


def exchange(
    target: str = "/", *headers: tuple[str, str], body: bytes = b"", kind: str = "application/json"
) -> Exchange:
    """An exchange with the body in both directions."""
    described = (("Content-Type", kind), ("Content-Length", str(len(body)))) if body else ()
    request = Request("POST", target, Headers((*headers, *described)), body)
    return Exchange(1, 2, request, Response(200, Headers(described), body), 3)


def header(name: str, value: str) -> str:
    redacted = redactor().redact(exchange("/", (name, value))).request.headers.pairs[0]
    assert redacted[0] == name
    return redacted[1]


def target(text: str) -> str:
    return redactor().redact(exchange(text)).request.target


def body(text: str, kind: str = "application/json") -> str:
    redacted = redactor().redact(exchange(body=text.encode(), kind=kind))
    assert redacted.response is not None
    assert redacted.response.body == redacted.request.body
    assert redacted.response.headers.get("content-length") == str(len(redacted.response.body))
    return redacted.request.body.decode()


def basic(pair: str) -> str:
    return "Basic " + base64.b64encode(pair.encode()).decode()


@pytest.mark.parametrize(
    ("name", "value", "gone", "stays"),
    [
        ("Authorization", "Bearer tok-17", "tok-17", r"Bearer \w{20}"),
        ("Authorization", "ApiKey tok-17", "tok-17", r"ApiKey \w{20}"),
        ("Authorization", "tok-17", "tok-17", r"\w{20}"),
        ("authorization", "bearer tok-17", "tok-17", r"bearer \w{20}"),
        ("Proxy-Authorization", "Bearer tok-17", "tok-17", r"Bearer \w{20}"),
        ("Authorization", f"Bearer {JWT}", JWT, r"Bearer [\w-]+\.[\w-]+\.[\w-]+"),
        (
            "Authorization",
            'Digest username="jane", realm="r", uri="/x", response="ab12"',
            "jane",
            r'.*realm="r".*',
        ),
        (
            "Authorization",
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260101/eu/s3/aws4_request, SignedHeaders=host"
            ", Signature=fe5f80f77d5fa3beca038a248ff027d0",
            "IOSFODNN7EXAMPLE",
            r"AWS4-HMAC-SHA256 Credential=AKIA[A-Z2-7]{16}/20260101/eu/s3/aws4_request, SignedHeaders=host, "
            r"Signature=[0-9a-f]{32}",
        ),
        ("Cookie", "sid=abc-17; theme=dark-17", "-17", r"sid=\w{20}; theme=\w{20}"),
        ("Cookie", 'sid="abc-17"', "abc-17", r'sid="\w{20}"'),
        ("Set-Cookie", "sid=abc-17; Path=/; HttpOnly", "abc-17", r"sid=\w{20}; Path=/; HttpOnly"),
        ("Set-Cookie", "sid=; Max-Age=0", "abc-17", r"sid=; Max-Age=0"),
        ("X-Api-Key", "k-17", "k-17", r"\w{20}"),
        ("apikey", "k-17", "k-17", r"\w{20}"),
        ("X-Auth-Token", "k-17", "k-17", r"\w{20}"),
        ("X-Amz-Security-Token", "k-17", "k-17", r"\w{20}"),
        ("X-CSRF-Token", "k-17", "k-17", r"\w{20}"),
        ("X-Our-Client-Secret-2", "k-17", "k-17", r"\w{20}"),
        ("X-Hub-Signature-256", "k-17", "k-17", r"\w{20}"),
        (
            "Location",
            "https://h.example/cb?code=1&access_token=k-17#id_token=k-17",
            "k-17",
            r".*/cb\?code=1&access.*",
        ),
        (
            "Referer",
            "https://h.example/?next=%2Fx%3Ftoken%3Dk-17",
            "k-17",
            r"https://h.example/\?next=%2Fx%3Ftoken.*",
        ),
        ("Location", "/cards/4111%201111%201111%201111", "1111", r"/cards/4\d{3}(%20\d{4}){3}"),
        ("X-Origin", "http://jane:pw-17@h.example/x", "pw-17", r"http://\w{20}:\w{20}@h.example/x"),
        ("X-User", "Jane <jane@example.com>", "jane@", r"Jane <u-[0-9a-f]{16}@example.invalid>"),
        ("X-RateLimit-Remaining-Tokens", "4000", "no-17", r"4000"),
        ("Access-Control-Allow-Headers", "authorization, x-api-key", "no-17", r"authorization, x-api-key"),
        ("WWW-Authenticate", 'Bearer realm="orders"', "no-17", r'Bearer realm="orders"'),
        ("Date", "Tue, 24 Nov 2026 02:53:11 GMT", "no-17", r"Tue, 24 Nov 2026 02:53:11 GMT"),
    ],
)
def test_of_a_header_the_secret_goes_and_the_rest_stays(name: str, value: str, gone: str, stays: str) -> None:
    new = header(name, value)
    assert gone not in new
    assert re.fullmatch(stays, new)


@pytest.mark.parametrize(
    ("before", "gone", "stays"),
    [
        ("/x?token=k-17&page=2", "k-17", r"/x\?token=\w{20}&page=2"),
        ("/x?api_key=k-17", "k-17", r"/x\?api_key=\w{20}"),
        ("/x?user%5BapiKey%5D=k-17", "k-17", r"/x\?user%5BapiKey%5D=\w{20}"),
        (
            "/x?a=1&X-Amz-Signature=ab17cd17ab17cd17ab17cd17",
            "ab17cd17",
            r"/x\?a=1&X-Amz-Signature=[0-9a-f]{24}",
        ),
        ("/x;jsessionid=k-17?a=1", "k-17", r"/x;jsessionid=\w{20}\?a=1"),
        ("/x?token=k%2D17%26x", "17%26x", r"/x\?token=\w{20}"),
        ("/users/jane%40example.com/x", "jane", r"/users/u-[0-9a-f]{16}%40example.invalid/x"),
        ("/users/jane@example.com", "jane", r"/users/u-[0-9a-f]{16}@example.invalid"),
        ("/x?q=jane%2Bnews%40example.com", "jane", r"/x\?q=u-[0-9a-f]{16}%40example.invalid"),
        ("/cards/4111%201111%201111%201111", "1111", r"/cards/4\d{3}%20\d{4}%20\d{4}%20\d{4}"),
        ("/x?card=4111+1111+1111+1111", "1111", r"/x\?card=4\d{3}\+\d{4}\+\d{4}\+\d{4}"),
        ("http://jane:pw-17@h.example/x?a=1", "pw-17", r"http://\w{20}:\w{20}@h.example/x\?a=1"),
        ('/x?filter={"password":"k-17"}', "k-17", r'/x\?filter=\{"password":"\w{20}"\}'),
        ("/x?next=/y?token=k-17", "k-17", r"/x\?next=/y\?token=\w{20}"),
        ("/x?token=&token_type=bearer&max_tokens=17", "no-17", r"/x\?token=&token_type=bearer&max_tokens=17"),
        ("/x?a=b%2fc&d=%e4+e;f", "no-17", r"/x\?a=b%2fc&d=%e4\+e;f"),
        ("*", "no-17", r"\*"),
        ("h.example:443", "no-17", r"h.example:443"),
    ],
)
def test_of_a_target_the_secret_goes_and_the_rest_stays(before: str, gone: str, stays: str) -> None:
    new = target(before)
    assert gone not in new
    assert re.fullmatch(stays, new)


@pytest.mark.parametrize(
    ("kind", "before", "gone", "stays"),
    [
        (
            "application/json",
            '{"password": "k-17", "a": 1.50}',
            "k-17",
            r'\{"password": "\w{20}", "a": 1.50\}',
        ),
        (
            "application/json",
            '{"a":[{"clientSecret":"k-17"}]}',
            "k-17",
            r'\{"a":\[\{"clientSecret":"\w{20}"\}\]\}',
        ),
        ("application/json", '{"pin": 1717, "otp": -1.7e1}', "17", r'\{"pin": \d{15}, "otp": \d{15}\}'),
        (
            "application/json",
            '{"token": {"value": "k-17", "ttl": 60}}',
            "k-17",
            r'.*"value": "\w{20}", "ttl": 60\}\}',
        ),
        (
            "application/json",
            '{"password": null, "pin": true}',
            "no-17",
            r'\{"password": null, "pin": true\}',
        ),
        ("application/json", r'{"pass\u0077ord": "k\u002d17"}', "17", r'\{"pass\\u0077ord": "\w{20}"\}'),
        (
            "application/json",
            r'{"a": "\u00e9 jane\u0040example.com \/"}',
            "jane",
            r'\{"a": "\\u00e9 u-.*invalid \\/"\}',
        ),
        (
            "application/json",
            '{"jane@example.com": {"x": 1}}',
            "jane",
            r'\{"u-\w+@example.invalid": \{"x": 1\}\}',
        ),
        (
            "application/json",
            r'{"a": "{\"password\": \"k-17\"}"}',
            "k-17",
            r'\{"a": "\{\\"password\\": \\"\w{20}\\"\}"\}',
        ),
        ("application/json", '{"a": "<pin>k-17</pin>"}', "k-17", r'\{"a": "<pin>\w{20}</pin>"\}'),
        ("application/json", '{"pan": 4111111111111111}', "411111", r'\{"pan": 4\d{15}\}'),
        (
            "application/json",
            '{"password": "k-17", "cut": "of',
            "k-17",
            r'\{"password": "\w{20}", "cut": "of',
        ),
        ("application/json", '{"password": "k-17 and more', "k-17", r'\{"password": "\w{20}'),
        (
            "application/x-ndjson",
            '{"token":"k-17"}\n{"a":"x"}\n',
            "k-17",
            r'\{"token":"\w{20}"\}\n\{"a":"x"\}\n',
        ),
        (
            "text/event-stream",
            'event: x\ndata: {"token":"k-17"}\n\n',
            "k-17",
            r'event: x\ndata: \{"token":"\w{20}"\}\n\n',
        ),
        ("", '{"token":"k-17"}', "k-17", r'\{"token":"\w{20}"\}'),
        ("application/octet-stream", '{"token":"k-17"}', "k-17", r'\{"token":"\w{20}"\}'),
        ("application/x-www-form-urlencoded", "user=x&password=k-17", "k-17", r"user=x&password=\w{20}"),
        ("", "user=x&password=k-17", "k-17", r"user=x&password=\w{20}"),
        (
            "text/xml",
            "<w:Password Type='x'> k-17 </w:Password>",
            "k-17",
            r"<w:Password Type='x'> \w{20} </w:Password>",
        ),
        ("text/xml", "<secret><![CDATA[k-17]]></secret>", "k-17", r"<secret><!\[CDATA\[\w{20}\]\]></secret>"),
        ("text/xml", '<login user="x" password="k-17"/>', "k-17", r'<login user="x" password="\w{20}"/>'),
        (
            "text/html",
            '<input name="csrf_token" value="k-17">',
            "k-17",
            r'<input name="csrf_token" value="\w{20}">',
        ),
        ("text/html", '<a href="/x?a=1&amp;token=k-17">', "k-17", r'<a href="/x\?a=1&amp;token=\w{20}">'),
        ("text/plain", "write to Jane@Example.com.", "Jane", r"write to u-[0-9a-f]{16}@example.invalid\."),
        ("text/plain", "paid with 4111-1111-1111-1111 12/30", "1111", r"paid with 4\d{3}(-\d{4}){3} 12/30"),
        ("text/plain", f"id {JWT} end", JWT, r"id [\w-]+\.[\w-]+\.[\w-]+ end"),
        ("text/plain", f"id%20{JWT}.", JWT, r"id%20[\w-]+\.[\w-]+\.[\w-]+\."),
        ("text/plain", f"id_eyJx_{JWT}", JWT, r"id_eyJx_[\w-]+\.[\w-]+\.[\w-]+"),
        ("text/plain", "at /x?next=%2Fy%3Ftoken%3Dk-17", "k-17", r"at /x\?next=%2Fy%3Ftoken%3D\w{20}"),
        ("text/plain", "AKIAIOSFODNN7EXAMPLE", "IOSFODNN7EXAMPLE", r"AKIA[A-Z2-7]{16}"),
        (
            "text/plain",
            PEM,
            "MIIB",
            r"-----BEGIN RSA PRIVATE KEY-----\n\w{64}\n-----END RSA PRIVATE KEY-----",
        ),
        ("text/plain", PEM[:60], "MIIB", r"-----BEGIN RSA PRIVATE KEY-----\n\w{64}\n"),
        ("text/plain", "ftp://jane:pw-17@h.example", "pw-17", r"ftp://\w{20}:\w{20}@h.example"),
        ("text/css", "a{background:url(icon@2x.png)}", "no-17", r"a\{background:url\(icon@2x.png\)\}"),
        (
            "text/plain",
            "order 4111111111111112, 1700000000000000000, 0.4111111111111111",
            "no-17",
            r"order 4111.*1",
        ),
    ],
)
def test_of_a_body_the_secret_goes_and_the_rest_stays(kind: str, before: str, gone: str, stays: str) -> None:
    new = body(before, kind)
    assert gone not in new
    assert re.fullmatch(stays, new)


def test_an_exchange_without_secrets_is_the_same_object() -> None:
    one = exchange("/orders/17?page=2", ("Accept", "*/*"), body=b'{"id": 17, "state": "shipped"}')
    assert redactor().redact(one) is one


def test_the_exchange_that_is_given_is_not_changed() -> None:
    one = exchange("/?token=k-17", body=b'{"token": "k-17"}')
    copy = replace(one)
    redactor().redact(one)
    assert one == copy


def test_everything_of_an_exchange_that_is_no_secret_stays() -> None:
    one = replace(exchange("/?token=k-17"), ttfb_ns=5, connect_ns=6, in_flight=7, connection_id=8)
    assert replace(redactor().redact(one), request=one.request) == one


def test_trailers_reason_error_and_operation_are_redacted_too() -> None:
    one = exchange()
    assert one.response is not None
    trailers = Headers((("X-Token", "k-17"),))
    one = replace(
        one,
        request=replace(one.request, trailers=trailers),
        response=replace(one.response, trailers=trailers, reason="no jane@example.com"),
        error="connect: http://jane:pw@h.example",
        operation="GET /users/jane@example.com",
    )
    new = redactor().redact(one)
    assert new.response is not None
    for text in (str(new.request.trailers), str(new.response), str(new.error), str(new.operation)):
        assert not re.search("k-17|jane", text)


def test_a_body_that_was_not_kept_is_left() -> None:
    one = exchange("/")
    one = replace(one, request=replace(one.request, omitted=17))
    assert redactor().redact(one) is one


def test_one_customer_is_the_same_customer_everywhere() -> None:
    text = json.dumps({"email": "JANE@example.com", "token": "k 17", "card": VISA.replace(" ", "")})
    one = exchange(
        "/jane%40example.com?token=k%2017&card=4111-1111-1111-1111",
        ("Authorization", basic("jane@example.com:k 17")),
        ("Cookie", "sid=k%2017"),
        ("X-Auth-Token", "k 17"),
        body=text.encode(),
    )
    new = redactor().redact(one)
    fields = json.loads(new.request.body)
    address, token, card = fields["email"], fields["token"], fields["card"]
    assert base64.b64decode(new.request.headers.pairs[0][1].split()[1]).decode() == f"{address}:{token}"
    assert new.request.headers.get("cookie") == f"sid={token}"
    assert new.request.headers.get("x-auth-token") == token
    path, _, query = new.request.target.partition("?")
    assert urllib.parse.unquote(path) == f"/{address}"
    assert dict(urllib.parse.parse_qsl(query))["token"] == token
    assert dict(urllib.parse.parse_qsl(query))["card"].replace("-", "") == card
    assert is_card_number(card)


def test_a_secret_has_one_pseudonym_however_it_is_escaped() -> None:
    in_json = json.loads(body(r'{"token": "k\u0026\"17"}'))["token"]
    assert body("<token>k&amp;&quot;17</token>", "text/xml") == f"<token>{in_json}</token>"
    assert target("/?token=k%26%2217") == f"/?token={in_json}"


def test_another_key_gives_other_pseudonyms() -> None:
    one = exchange("/?token=k-17")
    others = [Redactor(RedactionRules(), bytes([each]) * 32).redact(one).request.target for each in (1, 2)]
    assert others[0] != others[1]


def test_what_is_redacted_stays_as_it_is_also_for_another_redactor_with_the_key() -> None:
    body = json.dumps(
        {"password": "x", "e": "jane@example.com", "n": VISA, "k": PEM, "pin": 17, "t": JWT}
    ).encode()
    one = exchange(
        f"/jane@example.com/{VISA.replace(' ', '')}?token=k-17",
        ("Authorization", basic("jane:x")),
        ("Authorization", f"Bearer {JWT}"),
        (
            "Cookie",
            "a=deadbeefdeadbeef; b=0b7a1e0c-17ab-4c1d-9d0e-0123456789ab; c=12345; d=YWJjZGVmZ2hpamtsbW5vcA==",
        ),
        ("X-Secret", "AKIAIOSFODNN7EXAMPLE"),
        body=body,
    )
    once = redactor().redact(one)
    assert once != one
    assert redactor().redact(once) is once


def test_a_web_token_stays_one_and_keeps_names_and_numbers() -> None:
    claims = {
        "sub": "user-17",
        "exp": 1700000000,
        "email": "jane@example.com",
        "roles": ["a-17"],
        "in": {"x": "y-17"},
    }
    token = ".".join((part({"alg": "HS256", "kid": "k-17"}), part(claims), "c2lnbmF0dXJl"))
    new = header("Authorization", f"Bearer {token}").removeprefix("Bearer ")
    head, payload, signature = new.split(".")
    fields = json.loads(base64.urlsafe_b64decode(head + "=="))
    said = json.loads(base64.urlsafe_b64decode(payload + "=="))
    assert list(fields) == ["alg", "kid"]
    assert fields["alg"] == "HS256"
    assert list(said) == list(claims)
    assert said["exp"] == 1700000000
    assert said["email"].endswith("@example.invalid")
    assert signature != "c2lnbmF0dXJl"
    assert not re.search("-17|jane", json.dumps([fields, said]))


def test_what_looks_like_a_web_token_but_is_none_is_left() -> None:
    assert body("eyJub3QganNvbg.eyJub3QganNvbg.abc", "text/plain") == "eyJub3QganNvbg.eyJub3QganNvbg.abc"


def test_a_repeated_exchange_is_redacted_and_counted_again() -> None:
    one = exchange("/?token=k-17", ("X-Token", "k-17"), body=b'{"token": "k-17"}')
    ours = redactor()
    assert ours.redact(one) == ours.redact(replace(one))
    report = ours.report()
    assert dict(report.counts) == {
        ("parameter", "query token"): 2,
        ("header", "header X-Token"): 2,
        ("parameter", "body JSON $.token"): 4,
    }
    assert (report.exchanges, report.changed) == (2, 2)


def test_the_report_names_places_and_rules_but_no_secret() -> None:
    text = json.dumps(
        {
            "cards": [{"number": VISA}],
            "jane@example.com": "jane@example.com",
            "AKIAIOSFODNN7EXAMPLE": "jane@example.com",
        }
    )
    ours = redactor()
    ours.redact(exchange("/jane@example.com", ("Cookie", "k1719=v-17; sid=x"), body=text.encode()))
    shown = "\n".join(ours.report().lines()) + ours.report().to_json()
    assert "card: 2 in body JSON $.cards[*].number (2)" in shown
    assert "body JSON $.*" in shown
    assert "header Cookie sid" in shown
    assert not re.search("jane|4111|k1719|-17|AKIA", shown)


def test_places_without_end_do_not_fill_the_report() -> None:
    ours = redactor()
    names = ["".join(chr(97 + number // 26**digit % 26) for digit in range(3)) for number in range(1500)]
    for name in names:
        ours.redact(exchange(f"/?{name}token=k-17"))
    report = ours.report()
    assert len(report.counts) <= 1001
    assert report.replaced == 1500


def test_a_custom_header_parameter_and_path_are_redacted() -> None:
    ours = redactor(
        headers=["X-Tenant*"], parameters=["customer_*"], jsonPaths=["$.who.phone", "$..street", "$.all[*].x"]
    )
    text = '{"who": {"phone": "k-17", "age": 17}, "a": {"street": ["k-17"]}, "all": [{"x": 1717}], "x": 5}'
    new = ours.redact(exchange("/?customerName=k-17&name=b", ("X-Tenant-Id", "k-17"), body=text.encode()))
    assert "k-17" not in str(new)
    assert re.fullmatch(
        r'\{"who": \{"phone": "\w{20}", "age": 17\}, "a": \{"street": \["\w{20}"\]\}, '
        r'"all": \[\{"x": \d{15}\}\], "x": 5\}',
        new.request.body.decode(),
    )
    assert new.request.target.endswith("&name=b")


def test_a_json_path_finds_every_one_of_repeated_members() -> None:
    new = redactor(jsonPaths=["$.phone"]).redact(exchange(body=b'{"phone": "k-17", "phone": "k-18"}'))
    assert re.fullmatch(rb'\{"phone": "\w{20}", "phone": "\w{20}"\}', new.request.body)


@pytest.mark.parametrize(
    ("replacement", "expected"),
    [("pseudonym", r"call \w{20} now"), ("mask", r"call \*{9} now"), ("[phone]", r"call \[phone\] now")],
)
def test_a_custom_pattern_is_replaced_as_it_says(replacement: str, expected: str) -> None:
    rules = {"name": "phone", "regex": r"\b0\d{3} \d{4}\b", "replace": replacement}
    ours = redactor(patterns=[rules])
    once = ours.redact(exchange(body=b'{"a": "call 0151 1717 now"}'))
    assert re.fullmatch(rf'\{{"a": "{expected}"\}}', once.request.body.decode())
    assert ours.report().counts["phone", "body JSON $.a"] == 2  # type: ignore[index]
    assert ours.redact(once) is once


def test_of_a_custom_pattern_with_a_value_only_that_is_replaced() -> None:
    ours = redactor(patterns=[{"name": "room", "regex": r"room (?P<value>\d+)", "replace": "0"}])
    assert ours.redact(exchange(body=b"in room 17", kind="text/plain")).request.body == b"in room 0"


def test_an_own_pattern_that_finds_its_own_replacement_changes_nothing() -> None:
    ours = redactor(patterns=[{"name": "place", "regex": "é/b|Köln", "replace": "é/b"}])
    one = exchange(body=r'{"a": "é\/b"}'.encode())
    assert ours.redact(one) is one
    assert ours.redact(exchange(body='{"a": "Köln"}'.encode())).request.body == rb'{"a": "\u00e9/b"}'


def test_credentials_that_are_no_pair_become_what_no_one_takes_for_a_pair() -> None:
    for number in range(300):
        once = redactor().redact(exchange("/", ("Authorization", f"Basic no-pair-{number}")))
        assert redactor().redact(once) is once


def test_what_is_kept_is_not_redacted() -> None:
    ours = redactor(keep={"headers": ["x-csrf-token"], "parameters": ["sid", "theme"], "patterns": ["email"]})
    text = b'{"sid": "k-17", "who": "jane@example.com"}'
    new = ours.redact(exchange("/?sid=k-17", ("X-CSRF-Token", "k-17"), ("Cookie", "theme=k-17"), body=text))
    assert new == exchange("/?sid=k-17", ("X-CSRF-Token", "k-17"), ("Cookie", "theme=k-17"), body=text)


def test_switched_off_nothing_is_redacted_and_the_report_says_so() -> None:
    one = exchange("/?token=k-17")
    ours = redactor(off=True)
    assert ours.redact(one) is one
    assert ours.report().lines() == ["redaction is off: secrets are stored as they are"]


def test_a_content_length_follows_its_body_and_no_other_does() -> None:
    packed = gzip.compress(b'{"a": "x", "password": "k-17"}', mtime=1)
    fields = (("Content-Encoding", "gzip"), ("Content-Length", str(len(packed) + 9)))
    one = Exchange(1, 2, Request("PUT", "/", Headers(fields), packed), None, 3)
    new = redactor().redact(one).request
    assert new.headers.get("content-length") == str(len(new.body) + 9)
