"""k6: names, ends, whole seconds, what was dropped, and three shapes of a summary."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mockforge.errors import ComparisonError
from mockforge.model.sample import FailureKind
from mockforge.report.readers.registry import read_tool_run
from mockforge.report.readers.toolrun import ToolRun, ToolSummary

S = 1_763_683_200


def point(metric: str, value: float, time: str = "2025-11-21T00:00:00.5Z", **tags: str) -> bytes:
    line = {"metric": metric, "type": "Point", "data": {"time": time, "value": value, "tags": tags}}
    return json.dumps(line, separators=(",", ":")).encode() + b"\n"


def run_of(path: Path, *lines: bytes) -> ToolRun:
    path.write_bytes(b"".join(lines))
    run = read_tool_run(path)
    assert isinstance(run, ToolRun)
    return run


def test_a_name_tag_is_the_label_and_an_address_is_a_request(tmp_path: Path) -> None:
    run = run_of(
        tmp_path / "k6",
        point("http_req_duration", 5, name="checkout", url="checkout", method="POST", status="200"),
        point("http_req_duration", 5, name="http://h/orders/1", url="http://h/orders/1", method="PUT"),
        point("http_req_duration", 5, name="${}/orders/${}", url="${}/orders/${}", method="GET"),
    )
    assert run.names == ["checkout", "PUT http://h/orders/1", "GET ${}/orders/${}"]


def test_a_point_is_stamped_at_its_end(tmp_path: Path) -> None:
    run = run_of(tmp_path / "k6", point("http_req_duration", 500, name="a", status="200"))
    assert (run.start_ns[0], run.total_ns[0]) == (S * 10**9, 500_000_000)


def test_the_first_byte_counts_from_the_send_as_the_duration_does(tmp_path: Path) -> None:
    run = run_of(
        tmp_path / "k6",
        point("http_req_duration", 10, name="a"),
        point("http_req_sending", 1, name="a"),
        point("http_req_waiting", 8, name="a"),
    )
    assert run.ttfb_ns[0] == 9_000_000


def test_a_failure_has_its_kind(tmp_path: Path) -> None:
    run = run_of(
        tmp_path / "k6",
        point("http_req_duration", 10, name="a", status="0", error="request timeout"),
        point("http_req_duration", 0, name="a", status="0", error="dial: connection refused"),
        point("http_req_duration", 10, name="a", status="503", expected_response="false", error="x"),
        point("http_req_duration", 10, name="a", status="404", expected_response="true"),
    )
    assert list(run.failure) == [FailureKind.TIMEOUT, FailureKind.CONNECTION, 0, 0]
    assert list(run.failed) == [True, True, True, False]


def test_what_was_dropped_is_said(tmp_path: Path) -> None:
    run = run_of(
        tmp_path / "k6",
        point("dropped_iterations", 3),
        point("http_req_duration", 10, name="a"),
        point("dropped_iterations", 4),
    )
    assert any("dropped 7 iterations" in remark for remark in run.remarks)


@pytest.mark.parametrize(
    ("stamp", "whole"),
    [
        (str(S), True),
        (f"{S}500", False),
        (f"{S}500000", False),
        (f"{S}500000000", False),
        ("2025-11-21T00:00:00Z", True),
        ("2025-11-21T00:00:00.5Z", False),
    ],
)
def test_every_time_format_is_read_and_whole_seconds_are_said(
    stamp: str, whole: bool, tmp_path: Path
) -> None:
    run = run_of(
        tmp_path / "k6",
        b"metric_name,timestamp,metric_value,check,error,error_code,group,method,name,proto,status,url,extra_tags\n",
        f"http_req_duration,{stamp},12.5,,,,,GET,a,HTTP/1.1,200,a,\n".encode(),
    )
    assert run.start_ns[0] == S * 10**9 + (0 if whole else 500_000_000) - 12_500_000
    assert any("whole seconds" in remark for remark in run.remarks) is whole


FIGURES = {"avg": 20.0, "min": 1.0, "med": 18.0, "max": 90.0}


def summary_of(path: Path, value: object) -> ToolSummary:
    path.write_text(json.dumps(value))
    run = read_tool_run(path)
    assert isinstance(run, ToolSummary)
    return run


@pytest.mark.parametrize("shape", ["export", "handle", "machine-readable"])
def test_the_three_shapes_of_a_summary_say_the_same(shape: str, tmp_path: Path) -> None:
    p95 = "p95" if shape == "machine-readable" else "p(95)"
    failed = {"matches": 20, "total": 100} if shape == "machine-readable" else {"passes": 20, "fails": 80}
    metrics: dict[str, dict[str, float]] = {
        "http_reqs": {"count": 100},
        "http_req_failed": {"rate": 0.2, **failed},
        "http_req_duration": {**FIGURES, p95: 50.0},
        "http_req_duration{expected_response:true}": {**FIGURES, p95: 51.0},
        "http_req_duration{name:http://h/orders/1}": {**FIGURES, p95: 52.0},
        "dropped_iterations": {"count": 2},
    }
    document: object
    if shape == "export":
        metrics["http_reqs"]["rate"] = 10.0
        document = {"root_group": {"name": ""}, "metrics": metrics}
    elif shape == "handle":
        values = {name: {"type": "t", "contains": "c", "values": of} for name, of in metrics.items()}
        document = {"root_group": {}, "state": {"testRunDurationMs": 10_000.0}, "metrics": values}
    else:
        listed = [{"name": name, "type": "t", "contains": "c", "values": of} for name, of in metrics.items()]
        document = {
            "config": {"duration": 10.0, "execution": "local", "script": "x"},
            "metadata": {"generated_at": "2025-11-21T00:00:10Z", "k6_version": "2.0.0"},
            "results": {"metrics": listed, "checks": {}},
            "version": "1.0.0",
        }
    run = summary_of(tmp_path / "k6", document)
    assert run.overall is not None
    assert (run.overall.count, run.overall.failed, run.duration_s) == (100, 20, 10.0)
    assert run.overall.answered_per_s == pytest.approx(8.0)
    assert run.overall.quantiles_ms == {0.0: 1.0, 0.5: 18.0, 0.95: 50.0, 1.0: 90.0}
    assert [(one.name, one.quantiles_ms[0.95]) for one in run.operations] == [("http://h/orders/1", 52.0)]
    assert any("no p99" in remark for remark in run.remarks)
    assert any("dropped 2 iterations" in remark for remark in run.remarks)
    assert run.started_wall_ns == (S * 10**9 if shape == "machine-readable" else 0)


def test_a_summary_without_http_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ComparisonError, match="no HTTP was sent"):
        summary_of(tmp_path / "k6", {"root_group": {}, "metrics": {"iterations": {"count": 1}}})
