"""Every load tool's file gives back the requests that it was written from, to the tool's own rounding."""

from __future__ import annotations

import gzip
import json
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from mockforge.errors import ComparisonError
from mockforge.report.readers.registry import READERS, read_tool_run

START_S = 1_763_683_200


@dataclass(frozen=True)
class Hit:
    """One request: when, how long (ms), to the first byte (ms), what it got."""

    at_ms: int
    total_ms: float
    ttfb_ms: float
    status: int
    path: str = "/orders/17"


HITS = [Hit(0, 25.5, 20.0, 200), Hit(7, 41.0, 40.0, 200, "/orders/9?full=1"), Hit(1_003, 10.25, 9.0, 503)]


def k6_json(hits: list[Hit]) -> bytes:
    lines = [{"type": "Metric", "metric": "http_req_duration", "data": {"name": "http_req_duration"}}]
    for hit in hits:
        ended = START_S * 1000 + hit.at_ms + hit.total_ms
        stamp = f"2025-11-21T00:00:{(ended / 1000) % 60:012.9f}Z"
        tags = {"url": f"http://h{hit.path}", "name": f"http://h{hit.path}", "method": "GET"}
        tags |= {"status": str(hit.status), "expected_response": str(hit.status < 400).lower()}
        for metric, value in (("http_req_duration", hit.total_ms), ("http_req_waiting", hit.ttfb_ms)):
            data = {"time": stamp, "value": value, "tags": tags}
            lines.append({"type": "Point", "metric": metric, "data": data})
    return "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines).encode()


def k6_csv(hits: list[Hit]) -> bytes:
    rows = ["metric_name,timestamp,metric_value,expected_response,method,name,status,url,extra_tags,metadata"]
    for hit in hits:
        at = round((START_S * 1000 + hit.at_ms + hit.total_ms) * 1e6)
        url = f"http://h{hit.path}"
        tags = f"{str(hit.status < 400).lower()},GET,{url},{hit.status},{url},,"
        rows += [
            f"http_req_duration,{at},{hit.total_ms},{tags}",
            f"http_req_waiting,{at},{hit.ttfb_ms},{tags}",
        ]
    return "\n".join(rows).encode()


def jtl_csv(hits: list[Hit]) -> bytes:
    rows = ["timeStamp,elapsed,label,responseCode,responseMessage,threadName,success,bytes,Latency,Connect"]
    for hit in hits:
        at = START_S * 1000 + hit.at_ms
        ok = str(hit.status < 400).lower()
        rows.append(
            f"{at},{round(hit.total_ms)},Get order,{hit.status},OK,t 1,{ok},12,{round(hit.ttfb_ms)},1"
        )
    return "\n".join(rows).encode() + b"\n"


def jtl_xml(hits: list[Hit]) -> bytes:
    rows = []
    for hit in hits:
        at, ok = START_S * 1000 + hit.at_ms, str(hit.status < 400).lower()
        inner = '<sample t="1" ts="1" lb="inner" rc="200" s="true"/>'
        rows.append(
            f'<httpSample t="{round(hit.total_ms)}" lt="{round(hit.ttfb_ms)}" ts="{at}" s="{ok}" '
            f'lb="Get order" rc="{hit.status}">{inner}</httpSample>'
        )
    return f'<?xml version="1.0"?><testResults version="1.2">{"".join(rows)}</testResults>'.encode()


def gatling_text(hits: list[Hit]) -> bytes:
    rows = [f"RUN\tsim.Orders\torders\t{START_S * 1000}\t \t3.9.5", "USER\tscn\tSTART\t1"]
    for hit in hits:
        at = START_S * 1000 + hit.at_ms
        verdict = "OK" if hit.status < 400 else "KO"
        rows.append(f"REQUEST\tcheckout\tGet order\t{at}\t{at + round(hit.total_ms)}\t{verdict}\t ")
    return "\n".join(rows).encode() + b"\n"


def gatling_binary(hits: list[Hit]) -> bytes:
    def string(text: str) -> bytes:
        return (
            struct.pack(">i", len(text)) + text.encode("latin-1") + b"\x00" if text else struct.pack(">i", 0)
        )

    out = b"\x00" + string("3.13.1") + string("sim.Orders") + struct.pack(">q", START_S * 1000) + string("")
    out += struct.pack(">i", 1) + string("scn") + struct.pack(">i", 1) + struct.pack(">i", 2) + b"ab"
    out += b"\x02" + struct.pack(">ibi", 0, 1, 5)
    for number, hit in enumerate(hits):
        names = [("checkout", 1), ("Get order", 2)]
        cached = [struct.pack(">i", -i) if number else struct.pack(">i", i) + string(t) for t, i in names]
        end = hit.at_ms + round(hit.total_ms)
        ok = struct.pack(">b", hit.status < 400)
        out += (
            b"\x01" + struct.pack(">i", 1) + cached[0] + cached[1] + struct.pack(">ii", hit.at_ms, end) + ok
        )
        out += struct.pack(">i", -3) if number else struct.pack(">i", 3) + string("")
    return out


def vegeta_json(hits: list[Hit]) -> bytes:
    lines = []
    for number, hit in enumerate(hits):
        stamp = f"2025-11-21T01:00:{hit.at_ms / 1000:012.9f}+01:00"
        one = {"attack": "", "seq": number, "code": hit.status, "timestamp": stamp, "error": ""}
        lines.append(
            one | {"latency": round(hit.total_ms * 1e6), "method": "GET", "url": f"http://h{hit.path}"}
        )
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


def vegeta_csv(hits: list[Hit]) -> bytes:
    rows = [
        f"{(START_S * 1000 + hit.at_ms) * 10**6},{hit.status},{round(hit.total_ms * 1e6)},0,2,,e30=,,0,GET,"
        f"http://h{hit.path},"
        for hit in hits
    ]
    return "\n".join(rows).encode()


def hey(hits: list[Hit]) -> bytes:
    rows = ["response-time,DNS+dialup,DNS,Request-write,Response-delay,Response-read,status-code,offset"]
    for hit in hits:
        rest = (hit.total_ms - hit.ttfb_ms) / 1e3
        times = f"{hit.total_ms / 1e3:.4f},0,0,0,{hit.ttfb_ms / 1e3:.4f},{rest:.4f}"
        rows.append(f"{times},{hit.status},{hit.at_ms / 1e3:.4f}")
    return "\n".join(rows).encode()


def oha(hits: list[Hit]) -> bytes:
    rows = ["request-start,DNS,DNS+dialup,Response-delay,request-duration,bytes,status"]
    rows += [f"{h.at_ms / 1e3},0,0,{h.ttfb_ms / 1e3},{h.total_ms / 1e3},12,{h.status}" for h in hits]
    return "\n".join(rows).encode()


def ab(hits: list[Hit]) -> bytes:
    rows = ["starttime\tseconds\tctime\tdtime\tttime\twait"]
    rows += [f"now\t{START_S + h.at_ms // 1000}\t0\t1\t{round(h.total_ms)}\t1" for h in hits]
    return "\n".join(rows).encode()


WRITERS: dict[str, Callable[[list[Hit]], bytes]] = {
    "k6 JSON stream": k6_json,
    "k6 CSV": k6_csv,
    "JMeter JTL (CSV)": jtl_csv,
    "JMeter JTL (XML)": jtl_xml,
    "Gatling simulation.log (text)": gatling_text,
    "Gatling simulation.log (binary)": gatling_binary,
    "vegeta JSON": vegeta_json,
    "vegeta CSV": vegeta_csv,
    "hey CSV": hey,
    "oha CSV": oha,
    "ab table": ab,
}
every = pytest.mark.parametrize("name", [reader.name for reader in READERS])


def test_every_reader_has_a_writer_here() -> None:
    assert list(WRITERS) == [reader.name for reader in READERS]


@every
def test_what_was_written_comes_back_to_the_tools_rounding(name: str, tmp_path: Path) -> None:
    file = tmp_path / "out"
    file.write_bytes(WRITERS[name](HITS))
    run = read_tool_run(file)
    step = run.resolution_ns
    assert len(run) == len(HITS)
    assert run.total_ns == pytest.approx([hit.total_ms * 1e6 for hit in HITS], abs=step)
    starts = [start - run.start_ns[0] for start in run.start_ns]
    coarse = 1e9 if name == "ab table" else step + 1_000
    assert starts == pytest.approx([hit.at_ms * 1e6 for hit in HITS], abs=coarse)
    if name != "ab table":
        assert run.failed == [False, False, True]
    known = [ttfb for ttfb in run.ttfb_ns if ttfb >= 0]
    assert known == [] or known == pytest.approx([hit.ttfb_ms * 1e6 for hit in HITS], abs=step)


@every
def test_only_one_reader_recognises_a_file(name: str) -> None:
    head = WRITERS[name](HITS)[:4_096]
    assert [reader.name for reader in READERS if reader.recognises(head)] == [name]


@pytest.mark.parametrize(
    "name", ["k6 JSON stream", "vegeta JSON", "Gatling simulation.log (binary)", "ab table"]
)
def test_a_file_that_ends_in_its_middle_is_read_up_to_there_and_said(name: str, tmp_path: Path) -> None:
    file = tmp_path / "torn"
    file.write_bytes(WRITERS[name](HITS)[:-7])
    run = read_tool_run(file)
    assert 0 < len(run) <= len(HITS)
    assert run.torn


def test_a_gzipped_stream_is_read(tmp_path: Path) -> None:
    file = tmp_path / "k6.json.gz"
    file.write_bytes(gzip.compress(k6_json(HITS)))
    assert len(read_tool_run(file)) == len(HITS)


def test_urls_become_names_and_labels_stay(tmp_path: Path) -> None:
    file = tmp_path / "out"
    file.write_bytes(vegeta_csv(HITS))
    assert read_tool_run(file).names[1] == "GET /orders/9?full=1"
    file.write_bytes(gatling_binary(HITS))
    labelled = read_tool_run(file)
    assert (labelled.names[0], labelled.from_urls) == ("checkout / Get order", False)


def test_whole_seconds_of_k6_are_warned_of(tmp_path: Path) -> None:
    file = tmp_path / "k6.csv"
    file.write_text(
        "metric_name,timestamp,metric_value,method,name,status,url\n"
        f"http_req_duration,{START_S},12.5,GET,http://h/,200,http://h/\n"
    )
    assert "whole seconds" in read_tool_run(file).remarks[0]


def test_what_no_tool_wrote_is_refused_with_what_is_known(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("hello")
    with pytest.raises(ComparisonError, match=r"known: recordings .*k6.*vegeta encode"):
        read_tool_run(file)


def test_a_broken_row_is_named_by_its_line(tmp_path: Path) -> None:
    file = tmp_path / "hey.csv"
    file.write_bytes(hey(HITS).replace(b"0.0410", b"fast"))
    with pytest.raises(ComparisonError, match="line 3 cannot be read"):
        read_tool_run(file)
