"""No secret reaches the disk: not the recording, not its journal, in no form that can be decoded."""

from __future__ import annotations

import base64
import gzip
import json
import re
import sqlite3
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

import zstandard

from mockforge.model.exchange import Exchange, Request, Response
from mockforge.model.headers import Headers
from mockforge.recording.redaction import RedactionReport, RedactionRules, Redactor, load_or_create_key
from mockforge.recording.store import RecordingMeta, RecordingReader, RecordingWriter

META = RecordingMeta("recording", "http://h.example", 1)


def base64url(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


SIGNATURE = base64url("planted-signature")
JWT = ".".join((base64url({"alg": "HS256"}), base64url({"sub": "planted-subject", "exp": 1}), SIGNATURE))
PEM_LINE = "UGxhbnRlZCBwcml2YXRlIGtleSwgbm90IGEgcmVhbCBvbmU"
PEM = f"-----BEGIN PRIVATE KEY-----\n{PEM_LINE}\n-----END PRIVATE KEY-----\n"

PLANTED = [
    "planted-password",
    "planted token/+",
    "planted-session",
    "planted-api-key",
    "planted-client-secret",
    "planted-phone",
    "planted-trailer",
    "planted.mail@example.com",
    "planted-subject",
    "4111111111111111",
    "5555 5555 5555 4444",
    "AKIAIOSFODNN7EXAMPLE",
    SIGNATURE,
    PEM_LINE,
]

BODY = json.dumps(
    {
        "user": {"password": "planted-password", "contact": "Planted <planted.mail@example.com>"},
        "cards": [{"number": "5555 5555 5555 4444"}, {"number": 4111111111111111}],
        "client_secret": "planted-client-secret",
        "key": PEM,
        "log": f"used {JWT} and AKIAIOSFODNN7EXAMPLE",
        "event": json.dumps({"access_token": "planted token/+"}),
        "customer": {"phone": "planted-phone"},
    }
).encode()
FORM = f"grant_type=password&password=planted-password&token={quote_plus('planted token/+')}".encode()
MULTIPART = (
    b'--b\r\nContent-Disposition: form-data; name="secret"\r\n\r\nplanted-client-secret\r\n'
    b'--b\r\nContent-Disposition: form-data; name="f"; filename="f.txt"\r\n\r\n'
    b"planted.mail@example.com\r\n--b--\r\n"
)
XML = f"<login token='planted token/+'><password>planted-password</password><pem>{PEM}</pem></login>".encode()


def exchanges() -> Iterator[Exchange]:
    """Every kind of secret at every kind of place, each body plain and in every coding."""
    pair = base64.b64encode(b"planted.mail@example.com:planted-password").decode()
    headers = (
        ("Authorization", f"Basic {pair}"),
        ("Proxy-Authorization", f"Bearer {JWT}"),
        ("Cookie", f"sid=planted-session; t={quote('planted token/+', safe='')}"),
        ("X-Api-Key", "planted-api-key"),
        ("Referer", "https://planted.mail%40example.com:planted-password@h.example/?sig=planted-api-key"),
    )
    target = (
        "/users/planted.mail%40example.com/cards/4111111111111111;jsessionid=planted-session"
        f"?access_token={quote('planted token/+', safe='')}&next=%2Fa%3Ftoken%3Dplanted-api-key"
    )
    answers = (("Set-Cookie", "sid=planted-session; Path=/; HttpOnly"), ("Location", f"/cb#id_token={JWT}"))
    trailers = Headers((("X-Auth-Token", "planted-trailer"),))
    bodies = [
        ("application/json", BODY),
        ("application/x-ndjson", BODY + b"\n" + BODY),
        ("application/json", BODY[:-20]),
        ("application/x-www-form-urlencoded", FORM),
        ("multipart/form-data; boundary=b", MULTIPART),
        ("text/xml", XML),
        ("application/octet-stream", BODY),
        ("text/plain; charset=utf-16", BODY.decode().encode("utf-16")),
    ]
    codings: list[tuple[str, Callable[[bytes], bytes]]] = [
        ("", bytes),
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("zstd", zstandard.ZstdCompressor().compress),
        ("gzip", lambda body: gzip.compress(body, mtime=0)[:-9]),
        ("unheard-of", bytes),
    ]
    number = 0
    for kind, body in bodies:
        for coding, encode in codings:
            number += 1
            coded = encode(body)
            described: tuple[tuple[str, str], ...] = (
                ("Content-Type", kind),
                ("Content-Length", str(len(coded))),
            )
            if coding:
                described = (*described, ("Content-Encoding", coding))
            request = Request("POST", target, Headers((*headers, *described)), coded, trailers)
            response = Response(201, Headers((*answers, *described)), coded, trailers)
            yield Exchange(number, number, request, response, 9)


def forms_of(secret: str) -> list[bytes]:
    forms = [secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1]]
    forms += [secret.encode("utf-16-le").decode("latin-1"), secret.encode("utf-16-be").decode("latin-1")]
    # Within base64 a text looks in one of three ways, by where it begins.
    for shift in range(3):
        coded = base64.b64encode(b"x" * shift + secret.encode()).decode()
        forms.append(coded[4 if shift else 0 : len(coded) - 4])
    return [form.encode("latin-1") for form in forms]


def decoded(body: bytes, coding: str | None) -> bytes:
    if not body or not coding:
        return body
    if coding == "gzip":
        return gzip.decompress(body)
    if coding == "deflate":
        return zlib.decompress(body)
    assert coding == "zstd"
    return zstandard.ZstdDecompressor().decompress(body, max_output_size=1 << 20)


def base64_in(content: bytes) -> bytes:
    """What stands in an exchange's Basic credentials and web tokens."""
    runs = re.findall(rb"[\w+/-]{20,}", content)
    return b" ".join(base64.b64decode(run[: len(run) // 4 * 4], altchars=b"-_") for run in runs)


def assert_clean(content: bytes, where: str) -> None:
    for secret in PLANTED:
        for form in forms_of(secret):
            assert form not in content, f"{form!r} stands in {where}"


def test_no_planted_secret_is_on_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "run.mfrec"
    rules = RedactionRules.from_mapping({"jsonPaths": ["$.customer.phone"], "parameters": ["phone"]})
    redactor = Redactor(rules, load_or_create_key(tmp_path / ".mockforge" / "redaction.key"))
    journal = path.with_name(path.name + "-wal")
    with RecordingWriter(path, META, redactor=redactor) as writer:
        for exchange in exchanges():
            writer.add(exchange)
        while writer.count < 48 and writer.failure is None:
            pass
        assert_clean(path.read_bytes(), "the file while it grows")
        assert_clean(journal.read_bytes(), "its journal")
        writer.note("redaction", redactor.report().to_json())
    assert_clean(path.read_bytes(), "the file")
    assert_clean(b"\n".join(contents_of(path)), "the file's bodies")
    with RecordingReader(path) as reader:
        kept = list(reader.exchanges())
        report = RedactionReport.from_json(reader.meta.notes["redaction"])
    assert len(kept) == 48
    for exchange in kept:
        assert exchange.response is not None
        for message in (exchange.request, exchange.response):
            texts = [value.encode("latin-1") for _, value in (*message.headers, *message.trailers)]
            texts.append(decoded(message.body, message.headers.get("content-encoding")))
            for text in texts:
                assert_clean(text, str(exchange.wall_ns))
                assert_clean(base64_in(text), str(exchange.wall_ns))
    assert sum(exchange.request.size > 0 for exchange in kept) == 48
    assert (report.exchanges, report.changed) == (48, 48)
    assert dict(report.dropped) == {"its content coding is cut off": 16, "unknown content coding": 16}


def contents_of(path: Path) -> Iterator[bytes]:
    """All texts and bodies of the file, decompressed."""
    connection = sqlite3.connect(path)
    for encoding, content in connection.execute("SELECT encoding, content FROM body"):
        plain = encoding != "zstd"
        yield content if plain else zstandard.ZstdDecompressor().decompress(content, max_output_size=1 << 20)
    for row in connection.execute("SELECT * FROM exchange"):
        yield repr(row).encode()
    connection.close()


def test_the_key_is_not_in_the_recording_but_its_fingerprint_is(tmp_path: Path) -> None:
    path = tmp_path / "run.mfrec"
    key = load_or_create_key(tmp_path / "redaction.key")
    redactor = Redactor(RedactionRules(), key)
    with RecordingWriter(path, META, redactor=redactor) as writer:
        writer.add(next(exchanges()))
        writer.note("redaction", redactor.report().to_json())
    content = path.read_bytes()
    assert key not in content
    assert key.hex().encode() not in content
    assert redactor.report().key.encode() in content
