"""What the small load generators print: hey, ab, wrk, autocannon, oha, vegeta, Artillery, Locust."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from mockforge.errors import ComparisonError
from mockforge.report.readers.registry import read_tool_run
from mockforge.report.readers.toolrun import ToolRun, ToolSummary
from tests.unit.report.readers.writers import HITS, SUMMARIES, WRITERS, Hit

GOB = (
    bytes.fromhex("ff967f030101 06526573756c7401ff80 00010c0106 41747461636b".replace(" ", ""))
    + b"\x01Timestamp"
)


def summary_of(path: Path, content: bytes | str) -> ToolSummary:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    run = read_tool_run(path)
    assert isinstance(run, ToolSummary)
    return run


def test_autocannons_wrong_correction_is_found_by_its_counts(tmp_path: Path) -> None:
    result = json.loads(SUMMARIES["autocannon JSON"])
    result["latency"]["totalCount"] = 6_307
    run = summary_of(tmp_path / "a", json.dumps(result))
    assert run.overall is not None
    assert run.overall.quantiles_ms == {}
    assert "added 6,227 latencies to 80 real ones" in run.remarks[0]


def test_autocannons_operation_is_the_address(tmp_path: Path) -> None:
    assert [one.name for one in summary_of(tmp_path / "a", SUMMARIES["autocannon JSON"]).operations] == [
        "GET /orders"
    ]


def test_artillerys_times_are_to_the_first_byte(tmp_path: Path) -> None:
    run = summary_of(tmp_path / "a", SUMMARIES["Artillery JSON"])
    assert run.overall is not None
    assert run.overall.quantiles_ms == {}
    assert run.overall.ttfb_quantiles_ms[0.5] == 20.0
    assert any("first byte" in remark for remark in run.remarks)


def test_artillerys_endpoints_are_operations_with_their_own_failures(tmp_path: Path) -> None:
    result = json.loads(SUMMARIES["Artillery JSON"])
    plugin = "plugins.metrics-by-endpoint"
    result["aggregate"]["summaries"][f"{plugin}.response_time./orders/1 (get order)"] = {"p50": 12}
    result["aggregate"]["counters"] |= {
        f"{plugin}./orders/1 (get order).codes.200": 36,
        f"{plugin}./orders/1 (get order).codes.503": 4,
        f"{plugin}./stall.errors.ETIMEDOUT": 5,
    }
    order, stall = summary_of(tmp_path / "a", json.dumps(result)).operations
    assert (order.name, order.count, order.failed) == ("/orders/1", 40, 4)
    assert order.ttfb_quantiles_ms == {0.5: 12.0}
    assert (stall.name, stall.count, stall.failed) == ("/stall", 5, 5)


def test_artillerys_requests_of_one_path_keep_their_names(tmp_path: Path) -> None:
    result = json.loads(SUMMARIES["Artillery JSON"])
    for name in ("one", "two"):
        result["aggregate"]["counters"][f"plugins.metrics-by-endpoint./a ({name}).codes.200"] = 1
    run = summary_of(tmp_path / "a", json.dumps(result))
    assert [one.name for one in run.operations] == ["/a (one)", "/a (two)"]


def test_an_old_artillery_result_is_read(tmp_path: Path) -> None:
    aggregate = {
        "scenariosCreated": 10,
        "requestsCompleted": 90,
        "latency": {"min": 1, "max": 99, "median": 20, "p95": 50, "p99": 60},
        "rps": {"count": 90, "mean": 9.0},
        "codes": {"200": 80, "503": 10},
        "errors": {"ETIMEDOUT": 10},
    }
    run = summary_of(tmp_path / "a", json.dumps({"aggregate": aggregate, "intermediate": []}))
    assert run.overall is not None
    assert (run.overall.count, run.overall.failed, run.duration_s) == (100, 20, 10.0)
    assert run.overall.ttfb_quantiles_ms[0.5] == 20.0
    assert run.errors == {"ETIMEDOUT": 10, "503": 10}


def test_wrk2_times_from_when_a_request_was_due(tmp_path: Path) -> None:
    text = SUMMARIES["wrk text"].decode()
    text = text.replace(
        "  Latency Distribution\n     50%   20.00ms\n",
        "  Latency Distribution (HdrHistogram - Recorded Latency)\n 50.000%   21.00ms\n 99.900%    1.05s \n\n"
        "  Detailed Percentile spectrum:\n       Value   Percentile   TotalCount 1/(1-Percentile)\n\n"
        "       1.250     0.000000            1         1.00\n"
        "      55.000     0.950000           76        20.00\n"
        "#[Mean    =        9.747, StdDeviation   =        3.245]\n"
        "  Latency Distribution (HdrHistogram - Uncorrected Latency (measured without taking delayed "
        "starts into account))\n 50.000%    2.00ms\n",
    )
    run = summary_of(tmp_path / "w", text)
    assert run.tool == "wrk2"
    assert run.overall is not None
    assert run.overall.quantiles_ms == {0.0: 1.25, 0.5: 21.0, 0.95: 55.0, 0.999: 1050.0}
    assert not any("coordinated omission" in remark for remark in run.remarks)


def test_wrk_without_latency_has_no_percentiles_and_says_so(tmp_path: Path) -> None:
    text = SUMMARIES["wrk text"].decode()
    run = summary_of(
        tmp_path / "w", text[: text.index("  Latency Distribution")] + text[text.index("  80 req") :]
    )
    assert any("run wrk with --latency" in remark for remark in run.remarks)
    assert any("coordinated omission" in remark for remark in run.remarks)


def test_hey_that_got_no_answer_is_refused(tmp_path: Path) -> None:
    text = SUMMARIES["hey text"].decode().replace("  [200]\t80 responses\n", "")
    with pytest.raises(ComparisonError, match="no answer at all"):
        summary_of(tmp_path / "h", text)


def test_heys_failures_are_counted_apart(tmp_path: Path) -> None:
    run = summary_of(tmp_path / "h", SUMMARIES["hey text"])
    assert list(run.errors.values()) == [10]
    assert run.overall is not None
    assert run.overall.failed == 10


def test_heys_million_is_said(tmp_path: Path) -> None:
    head, row, *_ = WRITERS["hey CSV"](HITS).splitlines(keepends=True)
    path = tmp_path / "h"
    path.write_bytes(head + row * 1_000_000)
    assert any("first 1,000,000" in remark for remark in read_tool_run(path).remarks)


def test_a_broken_row_is_named_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "h"
    path.write_bytes(WRITERS["hey CSV"](HITS).replace(b"0.0410", b"fast"))
    with pytest.raises(ComparisonError, match="line 3 cannot be read: could not convert"):
        read_tool_run(path)


def test_vegetas_binary_results_are_named_with_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "results.bin"
    path.write_bytes(GOB)
    with pytest.raises(ComparisonError, match=r"vegeta encode --to csv results\.bin"):
        read_tool_run(path)


def test_ab_lays_the_rows_of_a_second_in_no_order(tmp_path: Path) -> None:
    path = tmp_path / "ab"
    path.write_bytes(WRITERS["ab table"](HITS))
    run = read_tool_run(path)
    assert isinstance(run, ToolRun)
    assert not run.ordered


def test_oha_counts_from_when_a_request_was_due_where_it_was_told_to(tmp_path: Path) -> None:
    path = tmp_path / "oha.db"
    path.write_bytes(WRITERS["oha SQLite"]([Hit(20, 10_000, 0, 200)]))
    with sqlite3.connect(path) as database:
        database.execute("UPDATE oha SET start_latency_correction = start - 0.005")
    database.close()
    run = read_tool_run(path)
    assert isinstance(run, ToolRun)
    assert (run.total_ns[0], run.lateness_ns[0]) == (15_000_000, 5_000_000)


def test_locusts_failures_are_read_from_the_file_beside(tmp_path: Path) -> None:
    (tmp_path / "x_failures.csv").write_text("Method,Name,Error,Occurrences\nGET,/a,boom,10\n")
    run = summary_of(tmp_path / "x_stats.csv", SUMMARIES["Locust stats"])
    assert run.errors == {"GET /a: boom": 10}
    with pytest.raises(ComparisonError, match=r"x_stats\.csv"):
        read_tool_run(tmp_path / "x_failures.csv")


def test_locusts_two_digits_are_its_precision(tmp_path: Path) -> None:
    run = summary_of(tmp_path / "x_stats.csv", SUMMARIES["Locust stats"])
    assert run.precision == pytest.approx(0.0476)
    assert any("two significant digits" in remark for remark in run.remarks)
    assert [one.name for one in run.operations] == ["GET /orders/[id]"]


def test_a_body_of_any_length_in_a_cell_is_read(tmp_path: Path) -> None:
    path = tmp_path / "v"
    path.write_bytes(WRITERS["vegeta CSV"](HITS).replace(b"e30=", b"A" * 200_000))
    assert len(read_tool_run(path)) == len(HITS)


@pytest.mark.parametrize("value", ["1e300", "inf", "nan"])
def test_a_time_that_cannot_be_is_named_by_its_line(value: str, tmp_path: Path) -> None:
    path = tmp_path / "h"
    path.write_bytes(WRITERS["hey CSV"](HITS).replace(b"0.0410", value.encode()))
    with pytest.raises(ComparisonError, match=r"line 3 cannot be read: .* is no time"):
        read_tool_run(path)


def test_a_table_that_is_hardly_in_milliseconds_is_said(tmp_path: Path) -> None:
    run = summary_of(
        tmp_path / "h", SUMMARIES["HdrHistogram percentiles"].replace(b"20.000 ", b"20000000.000 ")
    )
    assert "its median would be 20,000 s" in run.remarks[0]


def test_an_entry_of_a_har_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.har"
    path.write_bytes(
        WRITERS["HAR"](HITS).replace(b'"method": "GET", "url": "http://h/orders/9', b'"x": "', 1)
    )
    with pytest.raises(ComparisonError, match="entry 2 cannot be read: it has no 'method'"):
        read_tool_run(path)
