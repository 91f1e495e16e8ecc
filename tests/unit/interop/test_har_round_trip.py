"""A recording written as HAR and read again is the same, to the nanosecond and the byte."""

from __future__ import annotations

import gzip
import json
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from mockforge.interop.har_reading import read_har
from mockforge.interop.har_writing import entry_of, write_har
from mockforge.interop.source import Imported, Source
from mockforge.model.exchange import Exchange, Marker, Piece, Request, Response
from mockforge.model.headers import Headers
from mockforge.recording.store import RecordingMeta, RecordingReader

MS = 1_000_000
META = RecordingMeta("serve", "http://127.0.0.1:9000/v1", 1_795_000_000_000_000_000, notes={"seed": "7"})
MARKERS = (Marker("ramp", 5, 1_795_000_000_000_000_005), Marker("steady", 9, 1_795_000_000_000_000_009))

NS = st.integers(0, 1 << 60)
MAYBE_NS = st.none() | NS
LATIN = st.text(st.characters(max_codepoint=255), max_size=8)
TYPES = st.sampled_from(
    ["text/plain", "text/html; charset=iso-8859-1", "a/b; charset=utf-16", "x; charset=hex", "x; charset=?"]
)
CODINGS = st.sampled_from(["gzip", "br", "deflate", "zstd", "identity", "made-up", "gzip, gzip"])
FIELDS = st.lists(
    st.tuples(LATIN, LATIN)
    | st.tuples(st.sampled_from(["Content-Type", "content-type"]), TYPES)
    | st.tuples(st.just("Content-Encoding"), CODINGS)
    | st.tuples(
        st.sampled_from(["Cookie", "Set-Cookie"]), st.sampled_from(["a=b; c", "x=1; Path=/; Secure", ""])
    ),
    max_size=4,
).map(lambda pairs: Headers(tuple(pairs)))
PLAIN = st.binary(max_size=30) | st.text(max_size=20).map(lambda text: text.encode("utf-8", "replace"))
BODY = PLAIN | PLAIN.map(gzip.compress) | PLAIN.map(lambda body: zstandard.ZstdCompressor().compress(body))
#: A body, and how much of one was not kept.
KEPT = st.tuples(BODY, st.just(0)) | st.tuples(st.just(b""), st.integers(1, 1 << 40))
TARGETS = st.sampled_from(["/", "*", "/a?b=c&d", "http://h/abs", "/?a=%zz;b", "//x", "?only"]) | LATIN


@st.composite
def requests(draw: Any) -> Request:
    body, omitted = draw(KEPT)
    method = draw(st.sampled_from(["GET", "POST", "odd"]))
    return Request(method, draw(TARGETS), draw(FIELDS), body, draw(FIELDS), omitted)


@st.composite
def responses(draw: Any) -> Response:
    body, omitted = draw(KEPT)
    return Response(draw(st.integers(100, 999)), draw(FIELDS), body, draw(FIELDS), omitted, draw(LATIN))


EXCHANGES = st.builds(
    Exchange,
    wall_ns=st.integers(0, 1 << 62),
    arrived_ns=NS,
    request=requests(),
    response=st.none() | responses(),
    total_ns=NS,
    ttfb_ns=MAYBE_NS,
    connect_ns=MAYBE_NS,
    in_flight=st.integers(0, 1 << 31),
    connection_id=st.integers(0, 1 << 31),
    lateness_ns=MAYBE_NS,
    error=st.none() | st.text(max_size=10),
    operation=st.none() | st.text(max_size=10),
    tls_ns=MAYBE_NS,
    pieces=st.lists(
        st.builds(Piece, NS, NS, st.sampled_from(["response", "request", "frame-in", "frame-out"])),
        max_size=3,
    ).map(tuple),
)


def reader_of(meta: RecordingMeta) -> RecordingReader:
    return cast(RecordingReader, SimpleNamespace(meta=meta, markers=lambda: list(MARKERS)))


def written_and_read(exchanges: list[Exchange], folder: Path) -> Imported:
    path = folder / "a.har"
    write_har(reader_of(META), iter(exchanges), path)
    json.loads(path.read_bytes())
    return read_har(Source(path))


@settings(max_examples=150, deadline=None)
@given(st.lists(EXCHANGES, min_size=1, max_size=3))
def test_what_is_written_is_read_as_it_was(exchanges: list[Exchange]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        got = written_and_read(exchanges, Path(folder))
        assert list(got.exchanges) == sorted(exchanges, key=lambda exchange: exchange.arrived_ns)
    assert (got.kind, got.target, got.started_wall_ns) == (META.kind, META.target, META.started_wall_ns)
    assert (got.notes, got.markers) == (META.notes, MARKERS)


def exchange(**changes: Any) -> Exchange:
    made: dict[str, Any] = {
        "wall_ns": 1_795_514_400_000_000_000,
        "arrived_ns": 5,
        "request": Request("GET", "/a?b=c&d=%20", Headers((("Cookie", "s=1; t=2"),))),
        "response": Response(200, Headers((("Content-Type", "text/plain"),)), b"hello", reason="OK"),
        "ttfb_ns": 30 * MS,
        "total_ns": 50 * MS,
    }
    return Exchange(**{**made, **changes})


def test_an_entry_has_what_other_tools_look_for() -> None:
    entry = entry_of(exchange(connect_ns=3 * MS, tls_ns=7 * MS), META.target)
    assert entry["request"]["url"] == "http://127.0.0.1:9000/v1/a?b=c&d=%20"
    assert entry["request"]["queryString"] == [{"name": "b", "value": "c"}, {"name": "d", "value": " "}]
    assert entry["request"]["cookies"] == [{"name": "s", "value": "1"}, {"name": "t", "value": "2"}]
    assert entry["response"]["content"] == {"size": 5, "mimeType": "text/plain", "text": "hello"}
    assert entry["startedDateTime"] == "2026-11-24T10:00:00.000000Z"
    timings = entry["timings"]
    assert (timings["connect"], timings["ssl"], timings["wait"], timings["receive"]) == (10, 7, 20, 20)
    assert entry["time"] == sum(timings[name] for name in ("connect", "send", "wait", "receive")) == 50


def test_content_is_shown_decoded_and_its_own_bytes_are_kept() -> None:
    body = gzip.compress(b"plain " * 20, mtime=0)
    packed = exchange(response=Response(200, Headers((("Content-Encoding", "gzip"),)), body))
    entry = entry_of(packed, META.target)
    assert entry["response"]["content"]["text"] == "plain " * 20
    assert entry["response"]["content"]["compression"] == 120 - len(body)
    assert entry["response"]["bodySize"] == len(body)


def test_an_error_without_an_answer_is_status_0() -> None:
    entry = entry_of(exchange(response=None, ttfb_ns=None, error="connect: refused"), META.target)
    assert (entry["response"]["status"], entry["response"]["_error"]) == (0, "connect: refused")


@pytest.mark.parametrize("gone", ["wall_ns", "response", "pieces"])
def test_a_damaged_entry_is_counted_as_one(tmp_path: Path, gone: str) -> None:
    path = tmp_path / "a.har"
    write_har(reader_of(META), iter([exchange(), exchange()]), path)
    har = json.loads(path.read_bytes())
    del har["log"]["entries"][0]["_mockforge"][gone]
    path.write_text(json.dumps(har))
    got = read_har(Source(path))
    assert (got.count, got.tally.bad) == (1, 1)
    assert "_mockforge member is damaged" in got.tally.first_bad
