"""A filter selects what it says, in SQLite and over exchanges alike."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mockforge.errors import UsageError
from mockforge.model.exchange import Exchange, Marker, Request, Response
from mockforge.recording.store import Filter, RecordingMeta, RecordingReader, RecordingWriter, Selection

START_NS = 1_700_000_000_000_000_000  # 2023-11-14T22:13:20Z
S = 10**9
MS = 10**6

#: target, status, error, total, ttfb; arrivals a second apart.
ROWS = [
    ("GET", "/orders/1", 200, None, 5 * MS, 4 * MS),
    ("GET", "/orders/2?full=1", 404, None, 200 * MS, 9 * MS),
    ("POST", "/orders", 503, None, 1500 * MS, 1500 * MS),
    ("get", "http://h/orders/3", None, "connect: refused", 30 * MS, None),
    ("GET", "/reports", 200, "body: reset", 250 * MS, 2 * MS),
    ("GET", "/a[b]?", 599, None, 200 * MS + 1, 1 * MS),
]
EXCHANGES = [
    Exchange(
        START_NS + at * S,
        at * S,
        Request(method, target),
        None if status is None else Response(status),
        total,
        ttfb,
        error=error,
    )
    for at, (method, target, status, error, total, ttfb) in enumerate(ROWS)
]
MARKERS = [
    Marker("warm-up", 0, 0),
    Marker("peak", 2 * S, 0),
    Marker("rest", 3 * S, 0),
    Marker("peak", 5 * S, 0),
]


def name_of(method: str, target: str) -> str:
    return f"{method.upper()} {'/orders/{id}' if 'orders/' in target else target.partition('?')[0]}"


def bound(text: str) -> Selection:
    return Filter.parse(text).bind(started_wall_ns=START_NS, markers=MARKERS, name_of=name_of)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("selection") / "run.mfrec"
    with RecordingWriter(path, RecordingMeta("recording", "http://h", START_NS)) as writer:
        for exchange in EXCHANGES:
            writer.add(exchange)
        for marker in MARKERS:
            writer.mark(marker)
    return path


def selected(recording: Path, text: str) -> list[int]:
    """The places in `ROWS` that SQLite selects; the exchanges themselves must say the same."""
    selection = bound(text)
    with RecordingReader(recording) as reader:
        found = [line.arrived_ns // S for line in reader.lines(selection)]
        assert [exchange.arrived_ns // S for exchange in reader.exchanges(selection)] == found
        assert (reader.columns(selection).arrived_ns // S).tolist() == found
    assert [at for at, exchange in enumerate(EXCHANGES) if selection.matches(exchange)] == found
    return found


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("method=GET", [0, 1, 3, 4, 5]),
        ("method!=get", [2]),
        ("path=/orders", [2]),
        ("path=/orders*", [0, 1, 2, 3]),
        ("path=*/2", [1]),
        ("path=/a[b]", [5]),
        ("path=/a?b]", []),
        ("path!=/orders*", [4, 5]),
        ("operation=GET /orders/{id}", [0, 1, 3]),
        ("operation=* /orders*", [0, 1, 2, 3]),
        ("operation!=GET *", [2]),
        ("status=200", [0, 4]),
        ("status!=200", [1, 2, 3, 5]),
        ("status=5xx", [2, 5]),
        ("status!=5xx", [0, 1, 3, 4]),
        ("status>=404", [1, 2, 5]),
        ("status>404", [2, 5]),
        ("status<404", [0, 4]),
        ("status<=4xx", [0, 1, 4]),
        ("status=none", [3]),
        ("status!=none", [0, 1, 2, 4, 5]),
        ("latency>=200ms", [1, 2, 4, 5]),
        ("latency>200ms", [2, 4, 5]),
        ("latency<=0.2s", [0, 1, 3]),
        ("latency<200ms", [0, 3]),
        ("latency=30ms", [3]),
        ("latency!=1.5s", [0, 1, 3, 4, 5]),
        ("ttfb>4ms", [1, 2]),
        ("ttfb<=4ms", [0, 4, 5]),
        ("error=*", [3, 4]),
        ("error!=*", [0, 1, 2, 5]),
        ("error=connect*", [3]),
        ("failed=yes", [1, 2, 3, 4, 5]),
        ("failed=no", [0]),
        ("from=4", [4, 5]),
        ("from=1s to=3000ms", [1, 2]),
        ("from=2023-11-14T22:13:24+00:00", [4, 5]),
        ("from=2023-11-14T23:13:24+01:00 to=2023-11-14T22:13:25", [4]),
        ("phase=warm-up", [0, 1]),
        ("phase=peak", [2, 5]),
        ("phase!=peak", [0, 1, 3, 4]),
        ("from=@peak to=@rest", [2]),
        ("from=@rest to=@peak", [3, 4]),
        ("to=@rest", [0, 1, 2]),
        ("status>=400  latency>300ms", [2]),
        ("operation=GET /orders/{id} status=404", [1]),
        ("method = GET  status >= 500", [5]),
        ("from=5 to=2", []),
    ],
)
def test_a_filter_selects(recording: Path, text: str, places: list[int]) -> None:
    assert selected(recording, text) == places


def test_no_filter_selects_everything(recording: Path) -> None:
    with RecordingReader(recording) as reader:
        assert list(reader.exchanges(Filter().bind())) == EXCHANGES


def test_two_selections_are_read_side_by_side(recording: Path) -> None:
    with RecordingReader(recording) as reader:
        both = zip(reader.lines(bound("path=/orders*")), reader.lines(bound("path=/*")), strict=False)
        assert [(one.id, other.id) for one, other in both] == [(1, 1), (2, 2), (3, 3), (4, 4)]


def test_a_filter_is_written_as_it_was_parsed() -> None:
    text = "status>=400 operation=GET /orders/{id} latency>1.5s"
    assert str(Filter.parse(text)) == text
    assert Filter.parse(str(Filter.parse(text))) == Filter.parse(text)


def test_a_filter_says_whether_it_needs_the_names_of_operations() -> None:
    assert Filter.parse("status=200 operation=GET /").names_operations
    assert not Filter.parse("path=/operation").names_operations


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is no filter"),
        ("GET /orders", "is no filter"),
        ("GET status=200", "is no filter"),
        ("statsu=200", "'statsu' is no key (status?)"),
        ("colour=red", "'colour' is no key (method, path, operation"),
        ("status=", "it has no value"),
        ("status=2000", "'2000' is no status"),
        ("status>none", "where there is no status"),
        ("method>GET", "method takes = or !="),
        ("latency>200", "'200' is no duration (for example 200ms"),
        ("latency>fast", "'fast' is no duration"),
        ("failed=perhaps", "neither yes nor no"),
        ("from=yesterday", "'yesterday' is no moment"),
        ("phase=storm", "no marker 'storm' (it has warm-up, peak, rest)"),
        ("from=@storm", "no marker 'storm'"),
    ],
)
def test_what_is_no_filter_is_told_in_one_line(text: str, told: str) -> None:
    with pytest.raises(UsageError) as raised:
        bound(text)
    assert told in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_marker_is_missed_in_a_recording_without_any() -> None:
    with pytest.raises(UsageError, match="it has none"):
        Filter.parse("phase=peak").bind()


statuses = st.sampled_from(["200", "4xx", "503", "none"])
signs = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
terms = st.one_of(
    st.tuples(st.just("status"), st.sampled_from(["=", "!="]), statuses),
    st.tuples(st.just("status"), signs, st.sampled_from(["200", "404", "5xx"])),
    st.tuples(st.sampled_from(["latency", "ttfb"]), signs, st.sampled_from(["4ms", "200ms", "1.5s"])),
    st.tuples(st.just("path"), st.sampled_from(["=", "!="]), st.sampled_from(["*", "/orders*", "*[*"])),
    st.tuples(st.just("error"), st.sampled_from(["=", "!="]), st.sampled_from(["*", "*reset"])),
    st.tuples(st.just("phase"), st.sampled_from(["=", "!="]), st.sampled_from(["peak", "rest"])),
    st.tuples(st.just("failed"), st.just("="), st.sampled_from(["yes", "no"])),
    st.tuples(st.sampled_from(["from", "to"]), st.just("="), st.sampled_from(["0", "2.5", "@rest"])),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(terms, min_size=1, max_size=4))
def test_sqlite_and_the_exchange_itself_agree(recording: Path, drawn: list[tuple[str, str, str]]) -> None:
    selected(recording, " ".join("".join(term) for term in drawn))
