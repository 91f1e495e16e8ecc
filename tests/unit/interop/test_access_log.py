"""Access logs in: nginx's and Apache's formats, where their times stand, and lines that do not fit."""

from __future__ import annotations

from pathlib import Path

import pytest

from mockforge.interop.log_format import PRESETS, compiled
from mockforge.interop.source import SourceError
from mockforge.model.exchange import Exchange
from mockforge.recording.foreign.instants import iso_ns
from tests.unit.interop.importing import MS, TARGET, S, exchanges, imported

TEN = iso_ns("2026-11-24T10:00:00Z")
SECOND = TEN // S
NGINX = (
    '192.0.2.1 - - [24/Nov/2026:10:00:00 +0000] {msec} "GET /a?b=c HTTP/1.1" 200 512 '
    '"-" "curl/7 \\x22q\\x22" {took} {ttfb} 0.002'
)
APACHE = '192.0.2.1 - made-up [24/Nov/2026:10:00:00 +0000] "{line}" {status} 512 "-" "curl/7" {took}'


def read(tmp_path: Path, text: str, log_format: str | None = None) -> list[Exchange]:
    return exchanges(tmp_path / "a.log", text, target=TARGET, log_format=log_format)


def test_the_preset_of_nginx_is_known_by_its_lines_and_the_arrival_is_before_the_end(tmp_path: Path) -> None:
    exchange = read(tmp_path, NGINX.format(msec=f"{SECOND}.123", took="0.120", ttfb="0.100") + "\n")[0]
    assert exchange.wall_ns == TEN + 3 * MS
    assert (exchange.total_ns, exchange.ttfb_ns, exchange.connect_ns) == (120 * MS, 100 * MS, 2 * MS)
    assert (exchange.request.method, exchange.request.target) == ("GET", "/a?b=c")
    assert exchange.request.headers.pairs == (("User-Agent", 'curl/7 "q"'),)
    assert exchange.response is not None
    assert (exchange.response.status, exchange.response.omitted) == (200, 512)


def test_the_preset_of_apache_has_the_begin_and_microseconds(tmp_path: Path) -> None:
    line = APACHE.format(line="POST /a HTTP/1.1", status=201, took=1500)
    exchange = read(tmp_path, line, "apache-timed")[0]
    assert (exchange.wall_ns, exchange.total_ns) == (TEN, 1_500_000)
    assert exchange.request.method == "POST"


def test_times_to_the_second_are_remarked_on(tmp_path: Path) -> None:
    line = APACHE.format(line="GET / HTTP/1.1", status=200, took=1500)
    got = imported(tmp_path / "a.log", line, target=TARGET, log_format="apache-timed")
    assert got.notes == {"arrival_resolution_ns": str(S)}
    assert "to the second" in got.remarks[0]
    fine = imported(tmp_path / "b.log", NGINX.format(msec=f"{SECOND}.0", took="0.1", ttfb="-"), target=TARGET)
    assert fine.remarks == ()


AT_TEN = "24/Nov/2026:10:00:00 +0000"


@pytest.mark.parametrize(
    ("log_format", "line", "arrived_ns", "total_ns"),
    [
        ("$msec $request_time $request_uri", f"{SECOND}.500 0.250 /x", TEN + 250 * MS, 250 * MS),
        (
            "[$time_iso8601] ${request_time}s $uri",
            "[2026-11-24T12:00:00+02:00] 1.5s /x",
            TEN - 1500 * MS,
            1500 * MS,
        ),
        (
            "$time_local|$upstream_response_time|$uri",
            f"{AT_TEN}|0.1, 0.02 : 0.03|/x",
            TEN - 150 * MS,
            150 * MS,
        ),
        ("%{msec}t %{ms}T %U%q", f"{SECOND}250 7 /x", TEN + 250 * MS, 7 * MS),
        ("%{end:usec}t %{us}T %U", f"{SECOND}000500 500 /x", TEN, 500_000),
        ('%t %T \\"%r\\"', f'[{AT_TEN}] 2 "GET /x HTTP/2.0"', TEN, 2 * S),
        (
            '{"t":$msec,"took":$request_time,"uri":"$uri"}',
            f'{{"t":{SECOND}.0,"took":0.001,"uri":"/x"}}',
            TEN - MS,
            MS,
        ),
    ],
)
def test_formats_say_where_the_times_stand(
    tmp_path: Path, log_format: str, line: str, arrived_ns: int, total_ns: int
) -> None:
    exchange = read(tmp_path, line, log_format)[0]
    assert (exchange.wall_ns, exchange.total_ns) == (arrived_ns, total_ns)
    assert exchange.request.target == "/x"


def test_a_path_and_its_query_may_stand_apart(tmp_path: Path) -> None:
    nginx = read(
        tmp_path,
        f"{SECOND}.0 0.1 PUT /x a=b\n{SECOND}.0 0.1 PUT /y -",
        "$msec $request_time $request_method $uri $args",
    )
    assert [(one.request.method, one.request.target) for one in nginx] == [("PUT", "/x?a=b"), ("PUT", "/y")]
    apache = read(tmp_path, "[24/Nov/2026:10:00:00 +0000] 5 /x?a=b", "%t %D %U%q")
    assert apache[0].request.target == "/x?a=b"


def test_header_fields_that_were_logged_are_kept(tmp_path: Path) -> None:
    log_format = '$msec $request_time $request_uri "$http_x_trace" "$sent_http_content_type"'
    exchange = read(tmp_path, f'{SECOND}.0 0.1 / "t1" "text/plain"', log_format)[0]
    assert exchange.request.headers.pairs == (("X-Trace", "t1"),)
    assert exchange.response is not None
    assert exchange.response.headers.pairs == (("Content-Type", "text/plain"),)


@pytest.mark.parametrize(
    ("status", "error"), [("499", "caller: left"), ("000", "wait: no answer"), ("-", "wait: no answer")]
)
def test_a_status_that_is_no_answer_is_an_error(tmp_path: Path, status: str, error: str) -> None:
    exchange = read(tmp_path, f"{SECOND}.0 0.1 / {status}", "$msec $request_time $request_uri $status")[0]
    assert (exchange.response, exchange.error) == (None, error)


def test_lines_that_do_not_fit_are_counted_and_the_first_is_shown(tmp_path: Path) -> None:
    good = APACHE.format(line="GET / HTTP/1.1", status=200, took=1)
    empty = APACHE.format(line="-", status=408, took=1)
    got = imported(
        tmp_path / "a.log",
        f"{good}\n{empty}\nnonsense\n\n{good}\n{good}",
        target=TARGET,
        log_format="apache-timed",
    )
    assert (got.count, got.tally.bad) == (3, 2)
    assert got.tally.first_bad.startswith("line 2: has no request in '-'")


def test_mostly_bad_lines_are_refused_with_the_line_and_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(
        SourceError, match=r"2 of 3 .*line 1: does not fit the format: 'no'.*expected .*\$msec"
    ):
        imported(
            tmp_path / "a.log",
            f"no\nnor this\n{SECOND}.0 0.1 /",
            target=TARGET,
            log_format="$msec $request_time $request_uri",
        )


def test_the_backend_must_be_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="--target"):
        imported(tmp_path / "a.log", f"{SECOND}.0 0.1 /", log_format="$msec $request_time $request_uri")


@pytest.mark.parametrize(
    ("log_format", "lacks"),
    [
        ("$request_time $request", "a time"),
        ("$msec $request", "a duration"),
        ("$msec $request_time", "the request"),
        ("nginx-timd", "a time .* nor a duration .* nor the request"),
    ],
)
def test_a_format_that_lacks_something_is_refused(log_format: str, lacks: str) -> None:
    with pytest.raises(SourceError, match=f"has not {lacks}"):
        compiled(log_format)


@pytest.mark.parametrize("name", PRESETS)
def test_presets_have_what_is_needed(name: str) -> None:
    assert compiled(name).parts


def test_unknown_lines_are_refused_with_what_to_say(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="--log-format, or one of nginx-timed"):
        imported(tmp_path / "a.log", "something else", form="access-log", target=TARGET)
