"""`mockforge compare` with what load tools wrote, as a user runs it."""

from __future__ import annotations

import gzip
from pathlib import Path

from tests.acceptance.test_compare import compare, record, refusal
from tests.unit.report.readers.writers import HITS, SUMMARIES, WRITERS


def test_a_zipped_k6_stream_is_held_against_a_recording(tmp_path: Path) -> None:
    real = record(tmp_path / "real.mfrec", [f"/orders/{number}" for number in range(200)], 10)
    mock = tmp_path / "mock"
    mock.write_bytes(gzip.compress(WRITERS["k6 JSON stream"](HITS * 60)))
    done = compare(real, mock)
    assert done.returncode == 0, done.stderr
    assert "GET /orders/{id}" in done.stdout
    assert "mock run: k6 times from the actual send" in " ".join(done.stdout.split())


def test_a_summary_is_compared_by_its_percentiles_and_that_is_said(tmp_path: Path) -> None:
    real, mock = tmp_path / "real.csv", tmp_path / "mock.txt"
    real.write_bytes(SUMMARIES["Locust stats"])
    mock.write_bytes(SUMMARIES["wrk text"])
    done = compare(real, mock, "--map", "GET /orders=GET /orders/{id}", "--json", tmp_path / "r.json")
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stdout.split())
    assert "only percentiles are known" in said
    assert "Locust rounds to whole milliseconds" in said


def test_names_that_differ_are_refused_with_the_map_that_would_help(tmp_path: Path) -> None:
    real = record(tmp_path / "real.mfrec", ["/orders/1", "/orders/2"], 10)
    mock = tmp_path / "mock.jtl"
    mock.write_bytes(WRITERS["JMeter JTL (XML)"](HITS))
    assert "--map 'Get order=GET /orders/{id}'" in refusal(compare(real, mock))
    assert compare(real, mock, "--map", "Get order=GET /orders/{id}").returncode == 0
    assert "did you mean 'Get order'?" in refusal(compare(real, mock, "--map", "get orders=GET /orders/{id}"))


def test_what_no_tool_wrote_is_refused_with_what_works(tmp_path: Path) -> None:
    file = tmp_path / "notes.json"
    file.write_text("hello")
    assert "what works: recordings (.mfrec), k6 JSON stream" in refusal(compare(file, file))
