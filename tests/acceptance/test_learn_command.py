"""`mockforge learn` as a user runs it: into edited stubs, by an OpenAPI file, a check, odd recordings."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from mockforge.model.exchange import Exchange, Request, Response
from mockforge.model.headers import Headers
from mockforge.recording.store import RecordingMeta, RecordingWriter
from mockforge.stubfiles.reader import read_service

Run = Callable[..., str]

JSON = Headers((("Content-Type", "application/json"),))


def exchange(number: int, target: str, body: object, status: int = 200) -> Exchange:
    written = body if isinstance(body, bytes) else json.dumps(body).encode()
    at_ns = number * 10_000_000
    return Exchange(
        at_ns, at_ns, Request("GET", target), Response(status, JSON, written), 5_000_000, 5_000_000
    )


def record(path: Path, exchanges: Sequence[Exchange]) -> str:
    meta = RecordingMeta(kind="recording", target="http://shop.example.com", started_wall_ns=0)
    with RecordingWriter(path, meta) as writer:
        for each in exchanges:
            writer.add(each)
    return str(path)


def shop(paths: Sequence[str], factor: int = 1) -> list[Exchange]:
    return [
        exchange(number, f"/{paths[number % len(paths)]}/{number % 9}", {"v": number % 9 * factor + 17})
        for number in range(60)
    ]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_learning_into_edited_stubs_loses_no_edit(tmp_path: Path, mockforge: Run) -> None:
    stubs = tmp_path / "shop"
    first = record(tmp_path / "first.mfrec", shop(["pens", "inks"]))
    mockforge("learn", first, "--into", str(stubs))
    file = stubs / "mappings" / "get-pens-id.yaml"
    mine = file.read_text().replace("name:", "# the pens are mine\nname:", 1)
    file.write_text(mine)
    (stubs / "mappings" / "by-hand.yaml").write_text("name: by hand\nrequest: GET /hand\n")

    second = record(tmp_path / "second.mfrec", shop(["pens", "inks", "nibs"], factor=3))
    said = mockforge("learn", second, "--into", str(stubs))
    assert file.read_text() == mine
    assert "kept      GET /pens/{id}: mappings/get-pens-id.yaml was edited" in said
    assert "updated   GET /inks/{id}" in said
    assert "new       GET /nibs/{id}" in said
    assert b"29" in (stubs / "__files" / "get-inks-id.success.jsonl").read_bytes()
    assert len(read_service(stubs).stubs) == 4
    assert [stub.name for stub in read_service(stubs / "learned").stubs] == ["GET /pens/{id}"]

    before = contents(stubs)
    mockforge("learn", second, "--into", str(stubs))
    assert contents(stubs) == before


def test_a_folder_that_cannot_be_read_is_not_merged_into(tmp_path: Path, mockforge: Run) -> None:
    stubs = tmp_path / "shop"
    recording = record(tmp_path / "a.mfrec", shop(["pens"]))
    mockforge("learn", recording, "--into", str(stubs))
    (stubs / "mappings" / "bad.yaml").write_text("name: bad\nrequets: GET /a\n")
    before = contents(stubs)
    assert "unknown key 'requets'" in mockforge("learn", recording, "--into", str(stubs), code=2)
    assert contents(stubs) == before


def test_an_openapi_file_names_the_stubs(tmp_path: Path, mockforge: Run) -> None:
    api = tmp_path / "api.yaml"
    api.write_text("openapi: 3.1.0\npaths:\n  /pens/{pen}:\n    get: {operationId: showPen}\n")
    recording = record(tmp_path / "a.mfrec", shop(["pens", "inks"]))
    said = mockforge("learn", recording, "--out", str(tmp_path / "shop"), "--openapi", str(api))
    written = (tmp_path / "shop" / "mappings" / "showpen.yaml").read_text()
    assert "request: GET /pens/{pen}" in written
    assert "name: showPen" in written
    assert "GET /inks/{id} is not described (exchanges: 30)" in said


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: [", "api.yaml"),
        ("a: 1\n", "describes no paths"),
        ("paths: {pets: {}}\n", "'pets' does not begin"),
    ],
)
def test_what_is_no_openapi_file_is_refused_in_one_line(
    tmp_path: Path, mockforge: Run, text: str, reason: str
) -> None:
    (tmp_path / "api.yaml").write_text(text)
    recording = record(tmp_path / "a.mfrec", shop(["pens"]))
    said = mockforge("learn", recording, "--openapi", str(tmp_path / "api.yaml"), "--check", code=2)
    assert reason in said
    assert "Traceback" not in said


def test_a_check_says_how_right_the_stubs_are_and_writes_nothing(tmp_path: Path, mockforge: Run) -> None:
    recording = record(tmp_path / "a.mfrec", shop(["pens", "inks"]))
    before = contents(tmp_path)
    said = mockforge("learn", recording, "--check")
    (row,) = [line for line in said.splitlines() if line.split()[:1] == ["all"]]
    assert row.split() == ["all", "30", "100.0", "%", "100.0", "%", "100.0", "%", "0"]
    assert contents(tmp_path) == before


def test_into_excludes_what_replaces(tmp_path: Path, mockforge: Run) -> None:
    recording = record(tmp_path / "a.mfrec", shop(["pens"]))
    said = mockforge("learn", recording, "--into", str(tmp_path / "x"), "--overwrite", code=2)
    assert "--into excludes --out and --overwrite" in said


@pytest.mark.parametrize(
    "exchanges",
    [
        [exchange(0, "/only", {"a": 1})],
        [exchange(number, f"/a/{number}", b"busy", 503) for number in range(10)],
        [exchange(number, f"/a/{number}", bytes([0xFF, number, 0])) for number in range(10)],
        [exchange(number, f"/a/{number}", b'{"a": %d' % number) for number in range(30)],
        [exchange(number, f"/a/{number % 3}", b"[" * 500 + b"]" * 500) for number in range(30)],
        [exchange(0, "/big", b"x" * 3_000_000)],
    ],
    ids=["one sample", "all errors", "binary", "malformed JSON", "deep JSON", "huge"],
)
def test_of_an_odd_recording_is_learned_what_can_be(
    tmp_path: Path, mockforge: Run, exchanges: list[Exchange]
) -> None:
    recording = record(tmp_path / "odd.mfrec", exchanges)
    mockforge("learn", recording, "--out", str(tmp_path / "odd"))
    assert len(read_service(tmp_path / "odd").stubs) == 1


def test_what_cannot_be_learned_is_said_in_one_line_each(tmp_path: Path, mockforge: Run) -> None:
    sound = [exchange(number, f"/a/{number % 3}", {"a": 1}) for number in range(30)]
    odd = [
        replace(sound[0], wall_ns=3600 * 10**9, in_flight=7),
        replace(sound[1], total_ns=-5),
        replace(sound[2], ttfb_ns=10**9),
        replace(sound[3], total_ns=10**18),
        replace(sound[4], request=Request("GET", "/a b")),
        *sound[5:],
    ]
    stubs = tmp_path / "odd"
    said = mockforge("learn", record(tmp_path / "odd.mfrec", odd), "--out", str(stubs))
    assert "3 exchanges have times that cannot be" in said
    assert "the wall clock stepped by 3,600 s" in said
    assert "the recording starts mid-load, with 7 in flight" in said
    assert "'GET /a b' is left out (1 times): no stub can spell such a path" in said
    assert [stub.name for stub in read_service(stubs).stubs] == ["GET /a/{id}"]


@pytest.mark.parametrize("error", ["caller: left", "connect: refused"])
def test_where_nothing_was_answered_nothing_is_learned(tmp_path: Path, mockforge: Run, error: str) -> None:
    unanswered = [replace(exchange(each, "/a", b""), response=None, error=error) for each in range(20)]
    recording = record(tmp_path / "none.mfrec", unanswered)
    assert "no exchange has a complete answer" in mockforge(
        "learn", recording, "--out", str(tmp_path / "none"), code=2
    )
    assert "no complete answer to check against" in mockforge("learn", recording, "--check", code=2)
