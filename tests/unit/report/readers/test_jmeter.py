"""JMeter: any header, delimiter and timestamp; transactions; failures that never got an answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from mockforge.errors import ComparisonError
from mockforge.model.sample import FailureKind
from mockforge.report.readers.registry import read_tool_run
from mockforge.report.readers.toolrun import ToolRun

MS = 1_763_683_200_500
HEADER = "timeStamp,elapsed,label,responseCode,responseMessage,success,Latency"


def run_of(path: Path, *lines: str) -> ToolRun:
    path.write_text("".join(f"{line}\n" for line in lines))
    run = read_tool_run(path)
    assert isinstance(run, ToolRun)
    return run


def test_a_file_without_header_has_the_columns_that_jmeter_writes(tmp_path: Path) -> None:
    row = f"{MS},25,Get order,200,OK,t 1-1,text,true,,120,80,1,1,http://h/orders/17,20,0,1"
    run = run_of(tmp_path / "jtl", row, row)
    assert (run.names[0], run.total_ns[0], run.ttfb_ns[0], len(run)) == (
        "Get order",
        25 * 10**6,
        20 * 10**6,
        2,
    )


@pytest.mark.parametrize("delimiter", [";", "\t", "|", ",", "^"])
def test_the_delimiter_is_what_the_header_has(delimiter: str, tmp_path: Path) -> None:
    run = run_of(
        tmp_path / "jtl",
        HEADER.replace(",", delimiter),
        f"{MS},25,Get order,200,OK,true,20".replace(",", delimiter),
    )
    assert (run.names, run.total_ns[0]) == (["Get order"], 25_000_000)


@pytest.mark.parametrize(
    "stamp",
    [str(MS), "2025/11/21 00:00:00.500", "2025-11-21 00:00:00.500", "2025-11-21T00:00:00.500"],
)
def test_timestamps_may_be_written(stamp: str, tmp_path: Path) -> None:
    run = run_of(tmp_path / "jtl", HEADER, f"{stamp},25,a,200,OK,true,20")
    assert run.start_ns[0] == MS * 10**6


def test_whole_seconds_are_said(tmp_path: Path) -> None:
    run = run_of(tmp_path / "jtl", HEADER, "11/21/25 00:00:00,25,a,200,OK,true,20")
    assert run.start_ns[0] == (MS - 500) * 10**6
    assert any("whole seconds" in remark for remark in run.remarks)


def test_an_unknown_timestamp_is_named(tmp_path: Path) -> None:
    with pytest.raises(ComparisonError, match="line 2 cannot be read: 'yesterday' is no time"):
        run_of(tmp_path / "jtl", HEADER, "yesterday,25,a,200,OK,true,20")


def test_a_transaction_beside_its_requests_is_left_out(tmp_path: Path) -> None:
    run = run_of(
        tmp_path / "jtl",
        HEADER,
        f"{MS},25,Get order,200,OK,true,20",
        f'{MS},26,Checkout,200,"Number of samples in transaction : 1, number of failing samples : 0",true,0',
    )
    assert run.names == ["Get order"]
    assert any("1 transactions, which sum up other requests" in remark for remark in run.remarks)


def test_transactions_alone_are_the_requests(tmp_path: Path) -> None:
    said = '"Number of samples in transaction : 1, number of failing samples : 0"'
    assert run_of(tmp_path / "jtl", HEADER, f"{MS},26,Checkout,200,{said},true,0").names == ["Checkout"]


def test_a_code_that_is_no_status_tells_the_kind_of_failure(tmp_path: Path) -> None:
    code = "Non HTTP response code: java.net.SocketTimeoutException"
    refused = "Non HTTP response code: org.apache.http.conn.HttpHostConnectException"
    run = run_of(
        tmp_path / "jtl",
        HEADER,
        f"{MS},5000,a,{code},Non HTTP response message: Read timed out,false,0",
        f"{MS},1,a,{refused},Non HTTP response message: Connection refused,false,0",
    )
    assert list(run.failure) == [FailureKind.TIMEOUT, FailureKind.CONNECTION]
    assert list(run.status) == [0, 0]
    assert list(run.ttfb_ns) == [-1, -1]


def test_a_transaction_with_its_requests_in_it_is_one_request(tmp_path: Path) -> None:
    said = "Number of samples in transaction : 1, number of failing samples : 0"
    inner = f'<httpSample t="20" ts="{MS}" lb="inner" rc="200" s="true"/>'
    run = run_of(
        tmp_path / "jtl",
        '<?xml version="1.0"?><testResults version="1.2">',
        f'<sample t="25" ts="{MS}" lb="Checkout" rc="200" s="true" rm="{said}">{inner}</sample>',
        f'<httpSample t="5" ts="{MS}" lb="Get order" rc="200" rm="OK" s="true"/>',
        "</testResults>",
    )
    assert run.names == ["Checkout", "Get order"]
