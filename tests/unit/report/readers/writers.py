"""Files as load tools write them, of requests that are known: a writer for each reader's name."""

from __future__ import annotations

import base64
import json
import sqlite3
import struct
import tempfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mockforge.recording.foreign.instants import iso_of

__all__ = ["HITS", "START_MS", "SUMMARIES", "WRITERS", "Hit", "hdr_histogram"]

START_MS = 1_763_683_200_000


@dataclass(frozen=True)
class Hit:
    """One request: when (ms), how long (µs), to the first byte (µs), what it got."""

    at_ms: int
    total_us: int
    ttfb_us: int
    status: int
    path: str = "/orders/17"

    @property
    def total_ms(self) -> float:
        return self.total_us / 1e3

    @property
    def ttfb_ms(self) -> float:
        return self.ttfb_us / 1e3

    @property
    def started_ns(self) -> int:
        return (START_MS + self.at_ms) * 1_000_000

    @property
    def ended_ns(self) -> int:
        return self.started_ns + self.total_us * 1_000

    @property
    def good(self) -> bool:
        return self.status < 400


HITS = [
    Hit(0, 25_500, 20_000, 200),
    Hit(7, 41_000, 40_000, 200, "/orders/9?full=1"),
    Hit(1_003, 10_250, 9_000, 503),
]


def k6_json(hits: Sequence[Hit]) -> bytes:
    lines: list[object] = [{"type": "Metric", "data": {"name": "http_reqs"}, "metric": "http_reqs"}]
    for hit in hits:
        url = f"http://h{hit.path}"
        tags = {"url": url, "name": url, "method": "GET", "status": str(hit.status)}
        tags["expected_response"] = str(hit.good).lower()
        for metric, value in (
            ("http_reqs", 1.0),
            ("http_req_duration", hit.total_ms),
            ("http_req_blocked", 3.0),
            ("http_req_sending", 0.0),
            ("http_req_waiting", hit.ttfb_ms),
        ):
            data = {"time": iso_of(hit.ended_ns), "value": value, "tags": tags}
            lines.append({"metric": metric, "type": "Point", "data": data})
    return "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines).encode()


def k6_csv(hits: Sequence[Hit]) -> bytes:
    rows = ["metric_name,timestamp,metric_value,expected_response,method,name,status,url,extra_tags,metadata"]
    for hit in hits:
        url = f"http://h{hit.path}"
        tags = f"{str(hit.good).lower()},GET,{url},{hit.status},{url},,"
        rows += [
            f"http_req_duration,{hit.ended_ns},{hit.total_ms:f},{tags}",
            f"http_req_waiting,{hit.ended_ns},{hit.ttfb_ms:f},{tags}",
        ]
    return "".join(f"{row}\n" for row in rows).encode()


def jtl_csv(hits: Sequence[Hit]) -> bytes:
    rows = ["timeStamp,elapsed,label,responseCode,responseMessage,threadName,success,bytes,Latency,Connect"]
    rows += [
        f'{START_MS + hit.at_ms},{round(hit.total_ms)},"Get, order",{hit.status},OK,t 1-1,'
        f"{str(hit.good).lower()},12,{round(hit.ttfb_ms)},1"
        for hit in hits
    ]
    return "".join(f"{row}\n" for row in rows).encode()


def jtl_xml(hits: Sequence[Hit]) -> bytes:
    inner = '<sample t="1" ts="1" lb="inner" rc="200" s="true"/>'
    rows = [
        f'<httpSample t="{round(hit.total_ms)}" lt="{round(hit.ttfb_ms)}" ts="{START_MS + hit.at_ms}" '
        f's="{str(hit.good).lower()}" lb="Get order" rc="{hit.status}" rm="OK">{inner}</httpSample>\n'
        for hit in hits
    ]
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<testResults version="1.2">\n'
    return f"{head}{''.join(rows)}</testResults>\n".encode()


def gatling_text(hits: Sequence[Hit]) -> bytes:
    rows = [f"RUN\tsim.Orders\torders\t{START_MS}\t \t3.9.5", "USER\tscn\tSTART\t1"]
    for hit in hits:
        at = START_MS + hit.at_ms
        said = "OK\t " if hit.good else f"KO\tstatus.find.is(200), but actually found {hit.status}"
        rows.append(f"REQUEST\tcheckout,pay\tGet order\t{at}\t{at + round(hit.total_ms)}\t{said}")
    return "".join(f"{row}\n" for row in rows).encode()


def gatling_binary(hits: Sequence[Hit]) -> bytes:
    known: dict[str, int] = {}

    def string(text: str) -> bytes:
        return struct.pack(">i", len(text)) + (text.encode("latin-1") + b"\0" if text else b"")

    def cached(text: str) -> bytes:
        if text in known:
            return struct.pack(">i", -known[text])
        known[text] = len(known) + 1
        return struct.pack(">i", known[text]) + string(text)

    out = b"\0" + string("3.13.1") + string("sim.Orders") + struct.pack(">q", START_MS) + string("")
    out += struct.pack(">i", 1) + string("scn") + struct.pack(">i", 1) + struct.pack(">i", 2) + b"ab"
    out += b"\2" + struct.pack(">ibi", 0, 1, 5)
    for hit in hits:
        said = "" if hit.good else f"status.find.is(200), but actually found {hit.status}"
        end = hit.at_ms + round(hit.total_ms)
        out += b"\1" + struct.pack(">i", 2) + cached("checkout") + cached("pay") + cached("Get order")
        out += struct.pack(">iib", hit.at_ms, end, hit.good) + cached(said)
    return out


def vegeta_json(hits: Sequence[Hit]) -> bytes:
    lines = [
        {
            "attack": "",
            "seq": number,
            "code": hit.status,
            "timestamp": iso_of(hit.started_ns),
            "latency": hit.total_us * 1_000,
            "bytes_out": 0,
            "bytes_in": 7,
            "error": "" if hit.good else f"{hit.status} Service Unavailable",
            "method": "GET",
            "url": f"http://h{hit.path}",
        }
        for number, hit in enumerate(hits)
    ]
    return "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines).encode()


def vegeta_csv(hits: Sequence[Hit]) -> bytes:
    rows = [
        f"{hit.started_ns},{hit.status},{hit.total_us * 1_000},0,7,,e30=,,{number},GET,http://h{hit.path},QQ==\n"
        for number, hit in enumerate(hits)
    ]
    return "".join(rows).encode()


def hdr_histogram(values: Sequence[int], digits: int = 3) -> bytes:
    """The values, integers, as HdrHistogram's compressed form of version 2."""
    half_bits = {1: 4, 2: 7, 3: 10}[digits]
    counts: dict[int, int] = {}
    for value in values:
        bucket = max(value.bit_length() - half_bits - 1, 0)
        slot = ((bucket + 1) << half_bits) + (value >> bucket) - (1 << half_bits)
        counts[slot] = counts.get(slot, 0) + 1
    payload, at = b"", 0
    for slot in sorted(counts):
        if slot > at:
            payload += _zigzag(at - slot)
        payload += _zigzag(counts[slot])
        at = slot + 1
    plain = struct.pack(">iiiiqqd", 0x1C849313, len(payload), 0, digits, 1, 3_600_000_000_000, 1.0) + payload
    packed = zlib.compress(plain)
    return base64.b64encode(struct.pack(">ii", 0x1C849314, len(packed)) + packed)


def _zigzag(number: int) -> bytes:
    rest, out = (number << 1) ^ (number >> 63), b""
    while rest >= 0x80 and len(out) < 8:
        out += bytes([rest & 0x7F | 0x80])
        rest >>= 7
    return out + bytes([rest])


def hlog(hits: Sequence[Hit]) -> bytes:
    lines = [b"#[Histogram log format version 1.2]", b"#[StartTime: 1763683200.000 (seconds since epoch)]"]
    lines.append(b'"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"')
    for hit in hits:  # an interval of a nanosecond: its one request begins with it
        most = f"{hit.at_ms / 1e3:.6f},0.000000001,{hit.total_ms:.3f},".encode()
        lines.append(most + hdr_histogram([hit.total_us * 1_000]))
    return b"".join(line + b"\n" for line in lines)


def oha_csv(hits: Sequence[Hit]) -> bytes:
    rows = ["request-start,DNS,DNS+dialup,Response-delay,request-duration,bytes,status"]
    rows += [f"{hit.at_ms / 1e3},0,0,{hit.ttfb_us / 1e6},{hit.total_us / 1e6},7,{hit.status}" for hit in hits]
    return "".join(f"{row}\n" for row in rows).encode()


def oha_sqlite(hits: Sequence[Hit]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "oha.db"
        with sqlite3.connect(path) as database:
            database.execute(
                "CREATE TABLE oha (url TEXT, start REAL, start_latency_correction REAL, end REAL, "
                "duration REAL, status INTEGER, len_bytes INTEGER, run INTEGER)"
            )
            for hit in hits:
                start, lasted = hit.at_ms / 1e3, hit.total_us / 1e6
                row = (f"http://h{hit.path}", start, None, start + lasted, lasted, hit.status, 7, 1)
                database.execute("INSERT INTO oha VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
        database.close()
        return path.read_bytes()


def hey_csv(hits: Sequence[Hit]) -> bytes:
    rows = ["response-time,DNS+dialup,DNS,Request-write,Response-delay,Response-read,status-code,offset"]
    for hit in hits:
        read = (hit.total_us - hit.ttfb_us) / 1e6
        times = f"{hit.total_us / 1e6:.4f},0.0000,0.0000,0.0000,{hit.ttfb_us / 1e6:.4f},{read:.4f}"
        rows.append(f"{times},{hit.status},{hit.at_ms / 1e3:.4f}")
    return "".join(f"{row}\n" for row in rows).encode()


def ab_table(hits: Sequence[Hit]) -> bytes:
    rows = ["starttime\tseconds\tctime\tdtime\tttime\twait"]
    rows += [
        f"now\t{(START_MS + hit.at_ms) // 1000}\t0\t1\t{round(hit.total_ms)}\t{round(hit.ttfb_ms)}"
        for hit in hits
    ]
    return "".join(f"{row}\n" for row in rows).encode()


def har(hits: Sequence[Hit]) -> bytes:
    entries = [
        {
            "startedDateTime": iso_of(hit.started_ns),
            "time": hit.total_ms,
            "request": {"method": "GET", "url": f"http://h{hit.path}"},
            "response": {"status": hit.status, "content": {"size": 7}},
            "timings": {"blocked": -1, "wait": hit.ttfb_ms, "receive": hit.total_ms - hit.ttfb_ms},
        }
        for hit in hits
    ]
    return json.dumps({"log": {"version": "1.2", "creator": {"name": "t"}, "entries": entries}}).encode()


#: Writers of forms that have every request, by the reader's name.
WRITERS: dict[str, Callable[[Sequence[Hit]], bytes]] = {
    "k6 JSON stream": k6_json,
    "k6 CSV": k6_csv,
    "JMeter JTL (CSV)": jtl_csv,
    "JMeter JTL (XML)": jtl_xml,
    "Gatling simulation.log (text)": gatling_text,
    "Gatling simulation.log (binary)": gatling_binary,
    "vegeta JSON": vegeta_json,
    "vegeta CSV": vegeta_csv,
    "HdrHistogram log": hlog,
    "oha CSV": oha_csv,
    "oha SQLite": oha_sqlite,
    "hey CSV": hey_csv,
    "ab table": ab_table,
    "HAR": har,
}

_TREND = {"avg": 21.5, "min": 1.25, "med": 20.0, "max": 99.0, "p(90)": 40.0, "p(95)": 50.0, "p(99)": 60.0}
_LOCUST = (
    "Type,Name,Request Count,Failure Count,Median Response Time,Average Response Time,Min Response Time,"
    "Max Response Time,Average Content Size,Requests/s,Failures/s,50%,66%,75%,80%,90%,95%,98%,99%,99.9%,"
    "99.99%,100%\n"
    "GET,/orders/[id],90,10,20,21.5,1.25,99.0,7,9.0,1.0,20,22,30,32,40,50,55,60,90,99,99\n"
    ",Aggregated,90,10,20,21.5,1.25,99.0,7,9.0,1.0,20,22,30,32,40,50,55,60,90,99,99\n"
)
_WRK = """Running 10s test @ http://127.0.0.1:8080/orders
  1 threads and 10 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency    21.50ms   27.70ms  99.00ms   76.19%
    Req/Sec   154.16     22.30   210.00     62.50%
  Latency Distribution
     50%   20.00ms
     75%   30.00ms
     90%   40.00ms
     99%   60.00ms
  80 requests in 10.00s, 142.94KB read
  Socket errors: connect 10, read 0, write 0, timeout 0
Requests/sec:      8.00
Transfer/sec:     17.85KB
"""
_HGRM = """       Value     Percentile TotalCount 1/(1-Percentile)

       1.250 0.000000000000          1           1.00
      20.000 0.500000000000         45           2.00
      40.000 0.900000000000         81          10.00
      50.000 0.950000000000         86          20.00
      60.000 0.990625000000         90         106.67
      99.000 1.000000000000         90
#[Mean    =       21.500, StdDeviation   =       10.000]
#[Max     =       99.000, Total count    =           90]
#[Buckets =           22, SubBuckets     =         2048]
"""
_HEY = """
Summary:
  Total:\t10.0000 secs
  Slowest:\t0.0990 secs
  Fastest:\t0.0013 secs
  Average:\t0.0215 secs
  Requests/sec:\t9.0000


Latency distribution:
  50% in 0.0200 secs
  90% in 0.0400 secs
  95% in 0.0500 secs
  99% in 0.0600 secs

Details (average, fastest, slowest):
  resp wait:\t0.0646 secs, 0.0182 secs, 0.2183 secs

Status code distribution:
  [200]\t80 responses

Error distribution:
  [10]\tGet "http://127.0.0.1:1/": dial tcp 127.0.0.1:1: connect: connection refused
"""
_AB = """This is ApacheBench, Version 2.3 <$Revision$>

Document Path:          /orders
Document Length:        7 bytes

Concurrency Level:      10
Time taken for tests:   10.000 seconds
Complete requests:      90
Failed requests:        0
Non-2xx responses:      10

Connection Times (ms)
              min  mean[+/-sd] median   max
Total:          1   22  27.0     20      99

Percentage of the requests served within a certain time (ms)
  50%     20
  90%     40
  95%     50
  99%     60
 100%     99 (longest request)
"""
_AUTOCANNON = {
    "url": "http://127.0.0.1:8080/orders",
    "duration": 10.0,
    "start": "2026-11-21T00:07:52.086Z",
    "errors": 10,
    "timeouts": 0,
    "non2xx": 0,
    "5xx": 0,
    "latency": {
        "mean": 21.5,
        "min": 1,
        "p50": 20,
        "p90": 40,
        "p97_5": 55,
        "p99": 60,
        "max": 99,
        "totalCount": 80,
    },
    "requests": {"total": 80},
}
_ARTILLERY = {
    "aggregate": {
        "counters": {"http.requests": 90, "http.responses": 90, "http.codes.200": 80, "http.codes.503": 10},
        "firstCounterAt": START_MS,
        "lastCounterAt": START_MS + 10_000,
        "summaries": {
            "http.response_time": {"min": 1, "max": 99, "count": 90, "p50": 20, "p90": 40, "p99": 60}
        },
    },
    "intermediate": [],
}
_VEGETA = {
    "latencies": {
        "mean": 21_500_000, "50th": 20_000_000, "90th": 40_000_000, "95th": 50_000_000, "99th": 60_000_000,
        "max": 99_000_000, "min": 1_250_000,
    },
    "earliest": "2026-11-27T14:29:52.413356139Z", "duration": 9_950_000_000, "wait": 50_000_000,
    "requests": 90,
    "throughput": 8.0, "success": 0.8888888888888888, "status_codes": {"200": 80, "503": 10},
}  # fmt: skip
_OHA = {
    "summary": {
        "total": 10.0,
        "slowest": 0.099,
        "fastest": 0.00125,
        "average": 0.0215,
        "requestsPerSec": 9.0,
    },
    "latencyPercentiles": {"p50": 0.02, "p90": 0.04, "p95": 0.05, "p99": 0.06, "p99.9": None},
    "firstBytePercentiles": {"p50": 0.01},
    "statusCodeDistribution": {"200": 80, "503": 10},
    "errorDistribution": {},
}
_LOCUST_JSON = [
    {
        "name": "/orders/[id]",
        "method": "GET",
        "last_request_timestamp": 1_763_683_210.0,
        "start_time": 1_763_683_200.0,
        "num_requests": 90,
        "num_failures": 10,
        "total_response_time": 90 * 21.5,
        "response_times": {"20": 46, "40": 36, "60": 8},
    }
]
_LOCUST_HISTORY = (
    "Timestamp,User Count,Type,Name,Requests/s,Failures/s,50%,95%,Total Request Count,Total Failure Count,"
    "Total Median Response Time,Total Average Response Time,Total Min Response Time,Total Max Response Time,"
    "Total Average Content Size\n"
    "1763683200,0,,Aggregated,0,0,N/A,N/A,0,0,0,0.0,0,0,0\n"
    "1763683210,5,GET,/orders/[id],0,0,5,9,90,10,20,21.5,1.25,99.0,7\n"
    "1763683210,5,,Aggregated,0,0,5,9,90,10,20,21.5,1.25,99.0,7\n"
)
_K6 = {
    "metrics": {
        "http_reqs": {"count": 90, "rate": 9.0},
        "http_req_failed": {"passes": 10, "fails": 80, "value": 0.11},
        "http_req_duration": _TREND,
        "http_req_waiting": {"med": 10.0},
    }
}

#: Files of summaries, by the reader's name: 90 requests in 10 s, 10 failed; p50 20 ms, p90 40, p99 60.
SUMMARIES: dict[str, bytes] = {
    "k6 summary": json.dumps(_K6).encode(),
    "Locust stats": _LOCUST.encode(),
    "Locust history": _LOCUST_HISTORY.encode(),
    "Locust JSON": json.dumps(_LOCUST_JSON).encode(),
    "Artillery JSON": json.dumps(_ARTILLERY).encode(),
    "vegeta report (JSON)": json.dumps(_VEGETA).encode(),
    "wrk text": _WRK.encode(),
    "HdrHistogram percentiles": _HGRM.encode(),
    "oha JSON": json.dumps(_OHA).encode(),
    "hey text": _HEY.encode(),
    "autocannon JSON": json.dumps(_AUTOCANNON).encode(),
    "ab percentiles": b"Percentage served,Time in ms\n0,1.250\n50,20.000\n90,40.000\n99,60.000\n100,99.000\n",
    "ab text": _AB.encode(),
}
