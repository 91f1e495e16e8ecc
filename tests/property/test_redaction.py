"""Whatever a secret is made of and wherever it stands, it goes; and nothing else does."""

from __future__ import annotations

import base64
import gzip
import json
import re
from typing import Any
from urllib.parse import quote, quote_plus, unquote_plus

from hypothesis import given, settings
from hypothesis import strategies as st

from mockforge.model.exchange import Exchange, Request, Response
from mockforge.model.headers import Headers
from mockforge.recording.redaction import RedactionRules, Redactor

KEY = bytes(range(32))

#: What may stand in a secret; the first letters make sure that it stands nowhere else by chance.
secrets = st.text(
    st.one_of(st.sampled_from("ab1/+=&%;:,.?#'\"\\<>{}[] \n-_@"), st.characters(exclude_categories=["Cs"])),
    min_size=3,
    max_size=25,
).map(lambda text: f"Zq{text}Qz")
cookie_secrets = st.text("ab1/+=&%:.?#'<>{}[]-_@", min_size=3, max_size=25).map(lambda text: f"Zq{text}Qz")
secret_names = st.sampled_from(["password", "accessToken", "api_key", "client-secret", "sig", "user.passwd"])

harmless_names = st.sampled_from(
    ["a", "state", "tokens", "items", "keyboard", "designation", "x-1", "ö", 'q"', "b\\"]
)
harmless_texts = st.text(
    st.characters(exclude_characters="@=%", exclude_categories=["Cs", "Nd"]), max_size=12
)
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**11), 10**11), st.floats(0, 1).map(str), harmless_texts
)
harmless = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(harmless_names, inner, max_size=3),
    max_leaves=8,
)


@st.composite
def documents(draw: st.DrawFn, planted: list[str]) -> Any:
    """A JSON document with each of `planted` under a telling name, somewhere."""
    document: dict[str, Any] = draw(st.dictionaries(harmless_names, harmless, max_size=3))
    deep: list[Any] = []
    for secret in planted:
        inner: Any = {draw(secret_names): draw(st.sampled_from([secret, [secret], {"value": secret}]))}
        for _ in range(draw(st.integers(0, 3))):
            inner = draw(st.sampled_from([[inner], {"in": inner}, [1, inner, "x"]]))
        deep.append(inner)
    return {**document, "deep": deep}


@st.composite
def written(draw: st.DrawFn, document: Any) -> str:
    """The document as JSON, in one of the ways that it can be written."""
    return json.dumps(
        document,
        ensure_ascii=draw(st.booleans()),
        indent=draw(st.sampled_from([None, 1, "\t"])),
        separators=draw(st.sampled_from([None, (",", ":"), (" , ", " :  ")])),
    )


@st.composite
def exchanges(draw: st.DrawFn) -> tuple[Exchange, list[str]]:
    """An exchange, and the secrets that are in it."""
    planted = draw(st.lists(secrets, min_size=1, max_size=3))
    in_cookie = draw(cookie_secrets)
    first = planted[0]
    body = draw(written(draw(documents(planted)))).encode()
    form = f"a=1&password={quote_plus(first)}&b=%C3%A4".encode()
    pair = base64.b64encode(f"jane:{first}".encode()).decode()
    request = Request(
        "POST",
        f"/x?page=1&{draw(secret_names)}={quote(first, safe='')}&q=a%20b",
        Headers(
            (
                ("Authorization", f"Basic {pair}"),
                ("Cookie", f"sid={in_cookie}; b={quote(first, safe='')}"),
                ("X-Api-Key", in_cookie),
                ("Referer", f"https://h.example/?token={quote(first, safe='')}"),
                ("Content-Type", "application/x-www-form-urlencoded"),
            )
        ),
        form,
    )
    packed = draw(st.booleans())
    coding = (("Content-Encoding", "gzip"),) if packed else ()
    kind = draw(st.sampled_from(["application/json", "application/problem+json", "", "text/plain"]))
    response = Response(
        200,
        Headers((("Set-Cookie", f"sid={in_cookie}; Path=/"), ("Content-Type", kind), *coding)),
        gzip.compress(body, mtime=0) if packed else body,
    )
    return Exchange(1, 2, request, response, 3), [*planted, in_cookie]


def redactor() -> Redactor:
    return Redactor(RedactionRules(), KEY)


def texts_of(exchange: Exchange) -> list[str]:
    """All that can be read in an exchange, decoded in every way that applies."""
    response = exchange.response
    assert response is not None
    body = response.body
    if response.headers.get("content-encoding"):
        body = gzip.decompress(body)
    values = [value for _, value in (*exchange.request.headers, *response.headers)]
    values += [base64.b64decode(value[6:]).decode() for value in values if value.startswith("Basic ")]
    values += [
        exchange.request.target,
        exchange.request.body.decode(),
        body.decode(),
        *strings_in(json.loads(body)),
    ]
    return values + [unquote_plus(value) for value in values]


def strings_in(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for each in value.items() for part in each for text in strings_in(part)]
    if isinstance(value, list):
        return [text for each in value for text in strings_in(each)]
    return [value] if isinstance(value, str) else []


@settings(deadline=None, max_examples=150)
@given(exchanges())
def test_no_planted_secret_remains_in_any_form(made: tuple[Exchange, list[str]]) -> None:
    exchange, planted = made
    texts = texts_of(redactor().redact(exchange))
    for secret in planted:
        for form in (secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1]):
            assert not any(form in text for text in texts), form


@settings(deadline=None, max_examples=100)
@given(exchanges())
def test_redacting_twice_is_redacting_once(made: tuple[Exchange, list[str]]) -> None:
    once = redactor().redact(made[0])
    assert redactor().redact(once) is once


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_around_the_secrets_every_byte_of_a_json_text_stays(data: st.DataObject) -> None:
    planted = data.draw(st.lists(secrets, min_size=1, max_size=3))
    marks = [f"Zq{number}Qz" for number in range(len(planted))]
    text = data.draw(written(data.draw(documents(marks))))
    before = text
    for mark, secret in zip(marks, planted, strict=True):
        before = before.replace(mark, json.dumps(secret)[1:-1])
    after = redact_body(before)
    around = [re.escape(part) for part in re.split("|".join(marks), text)]
    assert re.fullmatch(r"[^\"\\\s]+".join(around), after)


def redact_body(text: str) -> str:
    request = Request("PUT", "/", Headers((("Content-Type", "application/json"),)), text.encode())
    return redactor().redact(Exchange(1, 2, request, None, 3)).request.body.decode()


@settings(deadline=None, max_examples=150)
@given(st.data(), st.sampled_from(["application/json", "text/plain", "text/html", "", "image/png"]))
def test_without_a_secret_the_exchange_is_the_same_object(data: st.DataObject, kind: str) -> None:
    document = data.draw(st.dictionaries(harmless_names, harmless, max_size=4))
    text = data.draw(written(document))
    target = "/" + "/".join(quote(name) for name in document)
    value = quote(data.draw(harmless_texts))
    headers = Headers((("Content-Type", kind), ("X-Note", value), ("Location", f"{target}?q={value}")))
    request = Request("PUT", f"{target}?q={value}&state={value}", headers, text.encode())
    exchange = Exchange(1, 2, request, Response(200, headers, text.encode()), 3)
    assert redactor().redact(exchange) is exchange


@settings(deadline=None, max_examples=200)
@given(
    st.binary(max_size=80) | st.text(max_size=60).map(str.encode),
    st.sampled_from(
        [
            "application/json",
            "text/xml",
            "multipart/form-data; boundary=x",
            "text/event-stream",
            "a/b; charset=utf-16",
            "application/x-www-form-urlencoded",
            "text/plain; charset=klingon",
            "",
        ]
    ),
    st.sampled_from(["", "gzip", "deflate", "zstd", "br", "gzip, br", "x"]),
)
def test_any_bytes_are_redacted_or_left_out_but_never_fail(body: bytes, kind: str, coding: str) -> None:
    headers = Headers((("Content-Type", kind), ("Content-Encoding", coding)))
    once = redactor().redact(Exchange(1, 2, Request("PUT", "/", headers, body), None, 3)).request
    assert once.size >= 0
    assert once.body or once.omitted == len(body)


#: What rules look for, and what stands around it.
WORDS = (
    "Basic |Bearer |Digest |amFuZTpwdw==|eyJhbGciOiJub25lIn0|eyJzdWIiOiJqIn0|token=|sid|jane|example.com|https://|"
    "4111111111111111|4111 1111|-1111-1111|AKIAIOSFODNN7EXAMPLE|<secret>|</secret>|%40|%25|17}|"
    '{"pin":|-----BEGIN PRIVATE KEY-----|-----END PRIVATE KEY-----'
)
fragments = st.one_of(
    st.sampled_from([*WORDS.split("|"), *"@/:;&?#=.-, '\"\n\\%+"]),
    st.text(st.characters(max_codepoint=255), max_size=3),
)
mixtures = st.lists(fragments, max_size=9).map("".join)


@settings(deadline=None, max_examples=200, derandomize=True)
@given(mixtures, mixtures, mixtures)
def test_any_mixture_is_redacted_and_stays_so(value: str, target: str, body: str) -> None:
    names = ("Authorization", "Cookie", "Set-Cookie", "X-Api-Key", "Location", "X-Other")
    headers = Headers(tuple((name, value) for name in names))
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        typed = Headers((*headers.pairs, ("Content-Type", kind)))
        once = redactor().redact(Exchange(1, 2, Request("PUT", target, typed, body.encode()), None, 3))
        again = redactor().redact(once)
        assert again is once
