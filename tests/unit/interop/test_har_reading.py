"""HAR in: the times of an entry, bodies and codings, failures, and what is left out."""

from __future__ import annotations

import base64
import gzip
from pathlib import Path
from typing import Any

import pytest

from mockforge.interop.source import SourceError
from mockforge.model.exchange import Exchange, Response
from mockforge.recording.foreign.instants import iso_ns
from tests.unit.interop.importing import MS, TARGET, entry, exchanges, har, imported

START = iso_ns("2026-11-24T10:00:00Z")


def one(tmp_path: Path, **changes: Any) -> Exchange:
    return exchanges(tmp_path / "a.har", har(entry(**changes)))[0]


def answer(tmp_path: Path, fields: dict[str, str], content: dict[str, Any], **more: Any) -> Response:
    headers = [{"name": name, "value": value} for name, value in fields.items()]
    response = {"status": 200, "headers": headers, "content": content, **more}
    made = one(tmp_path, response=response).response
    assert made is not None
    return made


def test_the_arrival_is_when_the_request_was_sent_and_ssl_is_part_of_connect(tmp_path: Path) -> None:
    exchange = one(tmp_path)
    assert exchange.wall_ns == START + 40 * MS
    assert (exchange.ttfb_ns, exchange.total_ns) == (80 * MS, 90 * MS)
    assert (exchange.connect_ns, exchange.tls_ns) == (12 * MS, 20 * MS)
    assert exchange.request.target == "/orders/7?x=1"
    assert exchange.response is not None
    assert exchange.response.body == b"hello"
    assert exchange.response.reason == "OK"


def test_ssl_beside_connect_is_known_by_the_whole_time(tmp_path: Path) -> None:
    timings = {"connect": 30, "ssl": 20, "send": 0, "wait": 80, "receive": 10}
    exchange = one(tmp_path, time=140, timings=timings)
    assert (exchange.connect_ns, exchange.tls_ns) == (30 * MS, 20 * MS)
    assert exchange.wall_ns == START + 50 * MS


def test_times_that_do_not_apply_are_unknown(tmp_path: Path) -> None:
    timings = {"blocked": -1, "dns": -1, "connect": -1, "ssl": -1, "send": 0, "wait": 5.25, "receive": 0}
    exchange = one(tmp_path, timings=timings)
    assert (exchange.connect_ns, exchange.tls_ns) == (None, None)
    assert (exchange.wall_ns, exchange.ttfb_ns) == (START, 5_250_000)


def test_a_connection_that_took_no_time_was_pooled(tmp_path: Path) -> None:
    exchange = one(tmp_path, timings={"dns": 0, "connect": 0, "ssl": 0, "send": 0, "wait": 1, "receive": 0})
    assert (exchange.connect_ns, exchange.tls_ns) == (None, None)


def test_a_decoded_body_loses_its_coding_and_gets_its_own_length(tmp_path: Path) -> None:
    fields = {"Content-Encoding": "gzip", "Content-Length": "31", "X-Kept": "a"}
    response = answer(tmp_path, fields, {"text": "plain", "mimeType": "text/plain"})
    assert response.body == b"plain"
    assert response.headers.pairs == (("Content-Length", "5"), ("X-Kept", "a"))


def test_a_body_that_is_still_encoded_keeps_its_coding(tmp_path: Path) -> None:
    packed = gzip.compress(b"plain", mtime=0)
    content = {"text": base64.b64encode(packed).decode(), "encoding": "base64"}
    response = answer(tmp_path, {"Content-Encoding": "gzip"}, content)
    assert response.body == packed
    assert response.headers.get("content-encoding") == "gzip"


def test_text_is_written_in_the_charset_of_its_type(tmp_path: Path) -> None:
    content = {"text": "é", "mimeType": "text/plain; charset=iso-8859-1"}
    assert answer(tmp_path, {}, content).body == b"\xe9"
    assert answer(tmp_path, {}, {"text": "é", "mimeType": "text/plain; charset=made-up"}).body == "é".encode()


def test_a_body_that_was_not_kept_is_omitted_with_its_size(tmp_path: Path) -> None:
    response = answer(tmp_path, {"Content-Encoding": "gzip"}, {"size": 900}, bodySize=-1)
    assert (response.body, response.omitted, response.size) == (b"", 900, 900)
    assert response.headers.get("content-encoding") == "gzip"


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ("net::ERR_CONNECTION_REFUSED", "connect: refused"),
        ("net::ERR_NAME_NOT_RESOLVED", "connect: unknown host"),
        ("net::ERR_CERT_AUTHORITY_INVALID", "tls: certificate not trusted"),
        ("net::ERR_ABORTED", "caller: left"),
        ("NS_BINDING_ABORTED", "caller: left"),
        ("net::ERR_EMPTY_RESPONSE", "wait: closed without an answer"),
        ("something new", "wait: something new"),
        (None, "wait: no answer"),
    ],
)
def test_an_entry_without_an_answer_is_an_error(tmp_path: Path, said: str | None, error: str) -> None:
    timings = dict.fromkeys(("blocked", "dns", "connect", "ssl", "send", "wait", "receive"), -1)
    exchange = one(
        tmp_path, response={"status": 0, "headers": [], "content": {}, "_error": said}, timings=timings
    )
    assert (exchange.response, exchange.error, exchange.ttfb_ns) == (None, error, None)
    assert exchange.total_ns == 130 * MS


def test_an_answer_that_broke_off_is_an_answer_with_an_error(tmp_path: Path) -> None:
    response = {"status": 200, "headers": [], "content": {}, "_error": "net::ERR_CONNECTION_RESET"}
    exchange = one(tmp_path, response=response)
    assert exchange.response is not None
    assert exchange.error == "body: reset"


def test_http2_pseudo_fields_become_a_host(tmp_path: Path) -> None:
    fields = [{"name": ":authority", "value": "shop.example.com"}, {"name": "accept", "value": "*/*"}]
    exchange = one(tmp_path, request={"method": "GET", "url": f"{TARGET}/", "headers": fields})
    assert exchange.request.headers.pairs == (("Host", "shop.example.com"), ("accept", "*/*"))


def test_posted_text_and_parameters_are_the_body(tmp_path: Path) -> None:
    request = {"method": "POST", "url": f"{TARGET}/", "headers": []}
    text = one(tmp_path, request={**request, "postData": {"mimeType": "text/plain", "text": "a=b"}})
    assert text.request.body == b"a=b"
    params = [{"name": "q", "value": "a b"}, {"name": "r", "value": "1"}]
    form = one(tmp_path, request={**request, "postData": {"mimeType": "x", "params": params}})
    assert form.request.body == b"q=a+b&r=1"


def test_websocket_messages_are_frames(tmp_path: Path) -> None:
    messages = [
        {"type": "send", "time": START / 1e9 + 1, "opcode": 1, "data": "hi"},
        {"type": "receive", "time": START / 1e9 + 2, "opcode": 1, "data": "there"},
    ]
    request = {"method": "GET", "url": "ws://shop.example.com/live", "headers": []}
    exchange = one(tmp_path, request=request, _webSocketMessages=messages)
    assert [(piece.kind, piece.size) for piece in exchange.pieces] == [("frame-in", 2), ("frame-out", 5)]
    assert exchange.total_ns == exchange.pieces[1].at_ns


def test_exchanges_come_in_order_of_arrival_with_what_was_in_flight(tmp_path: Path) -> None:
    plain = {"blocked": -1, "dns": -1, "connect": -1, "ssl": -1, "send": 0, "receive": 0}
    made = [
        entry(startedDateTime=f"2026-11-24T10:00:0{second}.000Z", timings={**plain, "wait": wait})
        for second, wait in ((3, 100), (0, 2500), (1, 100), (2, 5000))
    ]
    got = imported(tmp_path / "a.har", har(*made))
    listed = list(got.exchanges)
    assert [exchange.arrived_ns // MS for exchange in listed] == [0, 1000, 2000, 3000]
    assert [exchange.in_flight for exchange in listed] == [0, 1, 1, 1]
    assert got.started_wall_ns == START
    assert got.target == TARGET


def test_what_never_reached_a_backend_is_left_out_and_counted(tmp_path: Path) -> None:
    data = entry(request={"method": "GET", "url": "data:text/plain,hello", "headers": []})
    got = imported(tmp_path / "a.har", har(entry(), entry(_fromCache="disk"), data))
    assert got.count == 1
    assert got.tally.left_out == {"from the browser's cache": 1, "of data:, which is not HTTP": 1}
    assert got.tally.bad == 0


def test_of_several_backends_one_must_be_chosen(tmp_path: Path) -> None:
    request = {"method": "GET", "url": "https://cdn.example.com/x.js", "headers": []}
    text = har(entry(), entry(), entry(request=request))
    with pytest.raises(SourceError, match=r"2 backends .*--target: http://shop\.example\.com \(2\)"):
        imported(tmp_path / "a.har", text)
    got = imported(tmp_path / "a.har", text, target="https://cdn.example.com")
    assert (got.count, got.target) == (1, "https://cdn.example.com")
    assert got.tally.left_out == {"of another target": 2}
    with pytest.raises(SourceError, match="nothing in it went to http://other"):
        imported(tmp_path / "a.har", text, target="http://other.example.com")


def test_the_prefix_of_a_target_is_not_part_of_what_is_asked(tmp_path: Path) -> None:
    assert [
        exchange.request.target
        for exchange in exchanges(tmp_path / "a.har", har(entry()), target=f"{TARGET}/orders")
    ] == ["/7?x=1"]


def test_a_bad_entry_is_counted_and_shown(tmp_path: Path) -> None:
    got = imported(tmp_path / "a.har", har(entry(), entry(startedDateTime="yesterday"), entry()))
    assert (got.count, got.tally.bad) == (2, 1)
    assert got.tally.first_bad.startswith("entry 2: 'yesterday' is no ISO 8601 time")


def test_mostly_bad_entries_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="2 of 3 cannot be read; the first is entry 2: "):
        imported(tmp_path / "a.har", har(entry(), {"a": 1}, "x"))


def test_a_file_that_was_cut_gives_what_stands_before(tmp_path: Path) -> None:
    text = har(entry(), entry(), entry())
    got = imported(tmp_path / "a.har", text[: text.rindex("startedDateTime")])
    assert (got.count, got.tally.bad) == (2, 1)
    assert "ends in the middle" in got.tally.first_bad


def test_a_gzipped_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    assert (
        len(exchanges(tmp_path / "a.har.gz", gzip.compress(b"\xef\xbb\xbf" + har(entry()).encode(), mtime=0)))
        == 1
    )


@pytest.mark.parametrize("text", ['{"log": {}}', '{"log": {"entries": []}}', '{"log": {"entries": [', "{"])
def test_a_har_without_entries_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    with pytest.raises(SourceError) as refused:
        imported(tmp_path / "a.har", text, form="har")
    assert "\n" not in str(refused.value)
