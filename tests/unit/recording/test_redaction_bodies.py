"""Bodies that are coded, in parts, in other character sets, or no text at all."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Callable

import pytest
import zstandard

from mockforge.model.exchange import Exchange, Request
from mockforge.model.headers import Headers
from mockforge.recording.redaction import RedactionRules, Redactor, codings

SECRET = b'{"password": "k-17-secret", "state": "open"}'
PLAIN = b'{"state": "open"}'
REDACTED = re.compile(rb'\{"password": "\w{20}", "state": "open"\}')


def request(body: bytes, kind: str = "application/json", coding: str = "") -> Request:
    fields = (("Content-Type", kind), ("Content-Encoding", coding), ("Content-Length", str(len(body))))
    return Request("POST", "/", Headers(tuple(pair for pair in fields if pair[1])), body)


def redacted(one: Request) -> Request:
    return ours().redact(Exchange(1, 2, one, None, 3)).request


def ours() -> Redactor:
    return Redactor(RedactionRules(), bytes(32))


def raw_deflate(content: bytes) -> bytes:
    return zlib.compress(content, wbits=-15)


def brotli(content: bytes) -> bytes:
    return codings.encode("br", content)


def zstd(content: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(content)


CODINGS: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("gzip", gzip.compress),
    ("x-gzip", gzip.compress),
    ("GZIP", gzip.compress),
    ("deflate", zlib.compress),
    ("deflate", raw_deflate),
    ("zstd", zstd),
    ("identity", bytes),
    ("gzip, zstd", lambda content: zstd(gzip.compress(content, mtime=0))),
    pytest.param(
        "br",
        brotli,
        marks=pytest.mark.skipif(codings.BROTLI is None, reason="the library for brotli is not installed"),
    ),  # type: ignore[list-item]
]


def decoded(body: bytes, coding: str) -> bytes:
    for each in reversed(coding.lower().split(",")):
        if each.strip() != "identity":
            body, _ = codings.decode(each.strip(), body)
    return body


@pytest.mark.parametrize(("coding", "encode"), CODINGS)
def test_a_coded_body_is_redacted_and_coded_again(coding: str, encode: Callable[[bytes], bytes]) -> None:
    new = redacted(request(encode(SECRET), coding=coding))
    assert REDACTED.fullmatch(decoded(new.body, coding))
    assert new.headers.get("content-length") == str(len(new.body))
    assert redacted(new) is new


@pytest.mark.parametrize(("coding", "encode"), CODINGS)
def test_a_coded_body_without_secrets_keeps_its_bytes(coding: str, encode: Callable[[bytes], bytes]) -> None:
    one = request(encode(PLAIN), coding=coding)
    assert redacted(one) is one


def test_a_body_of_several_gzip_members_is_redacted_in_all() -> None:
    new = redacted(
        request(
            gzip.compress(SECRET[:20], mtime=0) + gzip.compress(SECRET[20:], mtime=0) + b"\0" * 9,
            coding="gzip",
        )
    )
    assert REDACTED.fullmatch(gzip.decompress(new.body))


@pytest.mark.parametrize(
    ("body", "coding", "why"),
    [
        (gzip.compress(SECRET, mtime=0)[:-9], "gzip", "its content coding is cut off"),
        (zstd(SECRET * 9)[:-5], "zstd", "its content coding is cut off"),
        (gzip.compress(SECRET, mtime=0) + b"\x80more", "gzip", "its content coding is damaged"),
        (b"\x1f\x8b\x08\xff" + SECRET, "gzip", "its content coding is damaged"),
        (zstd(SECRET), "dcz", "unknown content coding"),
        (SECRET, "dcz", "unknown content coding"),
        ('{"token": "k-17-secret"}'.encode("utf-16") + b"\0", "", "no valid utf-16-le"),
    ],
)
def test_what_cannot_be_decoded_is_left_out_and_counted(body: bytes, coding: str, why: str) -> None:
    one = request(body, coding=coding)
    redactor = ours()
    new = redactor.redact(Exchange(1, 2, one, None, 3)).request
    assert (new.body, new.omitted, new.size) == (b"", len(body), one.size)
    assert new.headers == one.headers
    assert dict(redactor.report().dropped) == {why: 1}
    assert f"dropped 1 bodies: {why}" in redactor.report().lines()


def test_a_body_that_would_grow_without_bounds_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codings, "LARGEST_DECODED", 10_000)
    new = redacted(request(gzip.compress(bytes(20_000), mtime=0), coding="gzip"))
    assert (new.body, new.omitted > 0) == (b"", True)


def test_without_its_library_a_brotli_body_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codings, "BROTLI", None)
    redactor = ours()
    new = redactor.redact(Exchange(1, 2, request(SECRET, coding="br"), None, 3)).request
    assert new.body == b""
    assert "br cannot be decoded" in redactor.report().lines()[-1]


def test_a_plain_text_that_claims_to_be_coded_is_redacted() -> None:
    assert REDACTED.fullmatch(redacted(request(SECRET, coding="gzip")).body)


def test_what_is_nested_too_deeply_to_be_searched_is_left_out() -> None:
    depth = 990
    redactor = Redactor(RedactionRules.from_mapping({"jsonPaths": ["$..phone"]}), bytes(32))
    body = b'{"a":' * depth + b'{"phone": 1}' + b"}" * depth
    assert redactor.redact(Exchange(1, 2, request(body), None, 3)).request.body == b""


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-8-sig"])
def test_a_text_in_a_wide_or_marked_encoding_is_redacted(codec: str) -> None:
    new = redacted(request('{"password": "k-17-secret", "a": "é"}'.encode(codec)))
    assert re.fullmatch(
        r'\ufeff?\{"password": "\w{20}", "a": "é"\}', new.body.decode(codec.removesuffix("-sig"))
    )


def test_a_wide_encoding_may_stand_in_the_content_type() -> None:
    new = redacted(request('<a token="k-17-secret"/>'.encode("utf-16-be"), "text/xml; charset=utf-16"))
    assert re.fullmatch(r'<a token="\w{20}"/>', new.body.decode("utf-16-be"))


def test_bytes_that_are_no_utf_8_stay_as_they_are_in_a_text() -> None:
    new = redacted(request(b"M\xfcller <jane@example.com> \xff", "text/plain; charset=iso-8859-1"))
    assert re.fullmatch(rb"M\xfcller <u-[0-9a-f]{16}@example.invalid> \xff", new.body)


@pytest.mark.parametrize("kind", ["image/png", "application/octet-stream", "", "application/pdf"])
def test_what_is_no_text_is_left(kind: str) -> None:
    one = request(b"\x89PNG\r\n\xff jane@example.com", kind)
    assert redacted(one) is one


PARTS = (
    b"--XX\r\n"
    b'Content-Disposition: form-data; name="password"\r\n\r\n'
    b"k-17-secret\r\n"
    b"--XX\r\n"
    b'Content-Disposition: form-data; name="note"\r\n\r\n'
    b"from jane@example.com\r\nline 2\r\n"
    b"--XX\r\n"
    b'Content-Disposition: form-data; name="data"; filename="jane@example.com.json"\r\n'
    b"Content-Type: application/json\r\n\r\n"
    b'{"token": "k-17-secret"}\r\n'
    b"--XX\r\n"
    b'Content-Disposition: form-data; name="photo"; filename="a.png"\r\n'
    b"Content-Type: image/png\r\n\r\n"
    b"\x89PNG\xff\r\n"
    b"--XX--\r\n"
)
PARTS_REDACTED = re.compile(
    rb"--XX\r\n"
    rb'Content-Disposition: form-data; name="password"\r\n\r\n'
    rb"\w{20}\r\n"
    rb"--XX\r\n"
    rb'Content-Disposition: form-data; name="note"\r\n\r\n'
    rb"from u-\w{16}@example.invalid\r\nline 2\r\n"
    rb"--XX\r\n"
    rb'Content-Disposition: form-data; name="data"; filename="u-\w{16}@example.invalid"\r\n'
    rb"Content-Type: application/json\r\n\r\n"
    rb'\{"token": "\w{20}"\}\r\n'
    rb"--XX\r\n"
    rb'Content-Disposition: form-data; name="photo"; filename="a.png"\r\n'
    rb"Content-Type: image/png\r\n\r\n"
    rb"\x89PNG\xff\r\n"
    rb"--XX--\r\n"
)


@pytest.mark.parametrize("boundary", ["XX", '"XX"'])
def test_each_part_of_a_form_is_redacted_by_its_own_header(boundary: str) -> None:
    new = redacted(request(PARTS, f"multipart/form-data; boundary={boundary}"))
    assert PARTS_REDACTED.fullmatch(new.body)
    assert new.headers.get("content-length") == str(len(new.body))


def test_a_form_that_is_cut_off_is_redacted_as_far_as_it_goes() -> None:
    new = redacted(request(PARTS[:70], "multipart/form-data; boundary=XX"))
    assert b"k-17" not in new.body


def test_a_form_whose_boundary_is_not_told_is_parted_by_its_first_line() -> None:
    assert PARTS_REDACTED.fullmatch(redacted(request(PARTS, "multipart/form-data")).body)
    text = b"\n" + PARTS.replace(b"\r", b"")
    assert b"jane" not in redacted(request(text, "multipart/form-data")).body


@pytest.mark.parametrize("kind", ["application/json", ""])
def test_wherever_a_json_text_is_cut_off_its_secrets_go_and_the_rest_stays(kind: str) -> None:
    text = r"""{"a": [1.5, true, "x"], "token": ["Zq1", {"b": "Zq2\u00e9\""}], "pin": 1.7e1,"""
    text += r""" "c": "{\"sig\": \"Zq3\"}"}"""
    for cut in range(2, len(text)):
        new = redacted(request(text[:cut].encode(), kind)).body.decode()
        assert not re.search("Zq[123]", new)
        assert new.startswith(text[: min(cut, text.index("Zq1"))])
        assert cut > text.index("Zq1") or new == text[:cut]


def test_a_repeated_body_is_the_same_again() -> None:
    redactor = ours()
    twice = [redactor.redact(Exchange(1, 2, request(SECRET), None, 3)).request.body for _ in range(2)]
    assert twice[0] == twice[1]
    as_text = redactor.redact(Exchange(1, 2, request(SECRET, "image/x"), None, 3)).request.body
    assert REDACTED.fullmatch(as_text)
