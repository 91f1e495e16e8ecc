"""The orders example, from outside: started as a user starts it, asked over real sockets.

Nothing here waits for a time to pass. The backend is ready when it says so, and a process is known to be gone
when the connection to it ends.
"""

import http.client
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

_ROOT = Path(__file__).parents[2]
_PATIENCE_S = 30.0
_READY = re.compile(r"orders backend on http://127\.0\.0\.1:(\d+) \((.+)\)\n")


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    json: Any


@dataclass(frozen=True, slots=True)
class Backend:
    process: subprocess.Popen[str]
    port: int
    shape: str
    scratch: Path

    def ask(self, method: str, path: str, body: object = None) -> Answer:
        with closing(self.send(method, path, body)) as connection:
            return receive(connection)

    def send(self, method: str, path: str, body: object = None) -> http.client.HTTPConnection:
        """Send a request and leave its answer for `receive`: several can be out at once, without threads."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_PATIENCE_S)
        sent = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        connection.request(method, path, sent)
        return connection


def receive(connection: http.client.HTTPConnection) -> Answer:
    with connection.getresponse() as response:
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, headers, json.loads(response.read()))


def start(scratch: Path, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "examples.orders", *options],
        cwd=_ROOT,
        env={**os.environ, "TMPDIR": str(scratch)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def running(scratch: Path, *options: str) -> Iterator[Backend]:
    with start(scratch, "--port", "0", *options) as process:
        try:
            assert process.stdout is not None
            readable, _, _ = select.select([process.stdout], [], [], _PATIENCE_S)
            ready = _READY.fullmatch(process.stdout.readline()) if readable else None
            assert ready, "the backend did not say that it is ready"
            yield Backend(process, int(ready[1]), ready[2], scratch)
        finally:
            process.kill()


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    with running(tmp_path_factory.mktemp("orders")) as started:
        yield started


def test_the_ready_line_tells_the_shape(backend: Backend) -> None:
    assert backend.shape == "100,000 orders, 4 workers, queue of 32"


def test_a_known_order_is_answered_with_its_customer_and_product(backend: Backend) -> None:
    answer = backend.ask("GET", "/orders/4711")
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json["id"] == 4711
    assert answer.json["total_cents"] == answer.json["quantity"] * answer.json["price_cents"]
    assert answer.json["customer"]
    assert answer.json["product"]


@pytest.mark.parametrize("path", ["/orders/999999999", "/orders/999999999/shipping"])
def test_an_unknown_order_is_404(backend: Backend, path: str) -> None:
    answer = backend.ask("GET", path)
    assert answer.status == 404
    assert answer.json == {"error": "there is no order 999999999"}


def test_an_id_longer_than_the_database_can_hold_is_404(backend: Backend) -> None:
    assert backend.ask("GET", f"/orders/{10**30}").status == 404


def test_a_customer_gets_only_its_own_orders_and_no_more_than_the_limit(backend: Backend) -> None:
    customer_id = backend.ask("GET", "/orders/4711").json["customer_id"]
    answer = backend.ask("GET", f"/orders?customer={customer_id}&limit=3")
    assert len(answer.json["orders"]) == 3
    for listed in answer.json["orders"]:
        assert backend.ask("GET", f"/orders/{listed['id']}").json["customer_id"] == customer_id


def test_a_search_answers_orders_whose_note_has_the_word(backend: Backend) -> None:
    answer = backend.ask("GET", "/search?q=fragile")
    assert answer.json["count"] == 20
    assert all("fragile" in found["note"] for found in answer.json["orders"])


def test_a_search_takes_wildcards_literally(backend: Backend) -> None:
    assert backend.ask("GET", "/search?q=%25%25").json["count"] == 0


def test_revenue_of_two_halves_is_the_revenue_of_the_whole(backend: Backend) -> None:
    def revenue(first: str, last: str) -> int:
        total: int = backend.ask("GET", f"/reports/revenue?from={first}&to={last}").json["revenue_cents"]
        return total

    whole = revenue("2024-03-01", "2024-03-31")
    assert whole == revenue("2024-03-01", "2024-03-15") + revenue("2024-03-16", "2024-03-31")
    assert whole > 0


def test_a_posted_order_can_be_got(backend: Backend) -> None:
    posted = backend.ask(
        "POST", "/orders", {"customer_id": 7, "product_id": 3, "quantity": 2, "note": "by hand"}
    )
    assert posted.status == 201
    got = backend.ask("GET", posted.headers["location"])
    assert (got.json["customer_id"], got.json["product_id"], got.json["quantity"]) == (7, 3, 2)
    assert got.json["note"] == "by hand"


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        [],
        {"customer_id": 7, "product_id": 3},
        {"customer_id": 7, "product_id": 3, "quantity": 0},
        {"customer_id": True, "product_id": 3, "quantity": 1},
        {"customer_id": 7, "product_id": 999_999, "quantity": 1},
        {"customer_id": 7, "product_id": 3, "quantity": 1, "note": 5},
    ],
)
def test_an_order_that_makes_no_sense_is_422_and_says_why(backend: Backend, body: object) -> None:
    answer = backend.ask("POST", "/orders", body)
    assert answer.status == 422
    assert answer.json["error"]


@pytest.mark.parametrize(
    "path",
    [
        "/orders",
        "/orders?customer=x",
        "/orders?customer=1&limit=51",
        "/search?q=a",
        "/reports/revenue?from=2024-01-01",
        "/reports/revenue?from=2024-02-30&to=2024-03-01",
        "/reports/revenue?from=2024-03-02&to=2024-03-01",
    ],
)
def test_a_question_that_makes_no_sense_is_422_and_says_why(backend: Backend, path: str) -> None:
    answer = backend.ask("GET", path)
    assert answer.status == 422
    assert answer.json["error"]


def test_shipping_is_quoted_by_the_carrier_for_the_order_asked(backend: Backend) -> None:
    answer = backend.ask("GET", "/orders/4711/shipping")
    assert answer.status == 200
    assert answer.json["quote"]["order"] == 4711
    assert answer.json["quote"]["price_cents"] > 0


def test_concurrent_shipping_requests_get_their_own_quotes(backend: Backend) -> None:
    with ExitStack() as open_connections:
        ids = range(100, 120)
        out = [
            open_connections.enter_context(closing(backend.send("GET", f"/orders/{i}/shipping"))) for i in ids
        ]
        assert [receive(connection).json["quote"]["order"] for connection in out] == list(ids)


def test_a_full_pool_answers_503_with_retry_after_and_then_recovers(tmp_path: Path) -> None:
    year = "/reports/revenue?from=2024-01-01&to=2024-12-31"
    with running(tmp_path, "--workers", "1", "--queue", "1") as small, ExitStack() as open_connections:
        out = [open_connections.enter_context(closing(small.send("GET", year))) for _ in range(24)]
        answers = [receive(connection) for connection in out]
        refused = [answer for answer in answers if answer.status == 503]
        assert {answer.status for answer in answers} == {200, 503}
        assert all(answer.headers["retry-after"] == "1" for answer in refused)
        assert all(answer.json == {"error": "the backend is busy, try again later"} for answer in refused)
        assert small.ask("GET", year).status == 200


def test_a_kept_database_keeps_its_orders(tmp_path: Path) -> None:
    file = tmp_path / "kept.db"
    with running(tmp_path, "--db", str(file)) as first:
        first.ask("POST", "/orders", {"customer_id": 1, "product_id": 1, "quantity": 1})
        first.process.terminate()
        first.process.wait(_PATIENCE_S)
    with running(tmp_path, "--db", str(file)) as second:
        assert second.shape.startswith("100,001 orders")


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_backend_its_carrier_and_its_database(
    tmp_path: Path, ending: signal.Signals
) -> None:
    with running(tmp_path) as started, connection_to_carrier(started) as carrier:
        assert list(tmp_path.iterdir())
        started.process.send_signal(ending)
        _, complaints = started.process.communicate(timeout=_PATIENCE_S)
        assert (started.process.returncode, complaints) == (0, "")
        assert carrier.recv(1) == b""
        assert not list(tmp_path.iterdir())


def test_the_carrier_ends_even_when_the_backend_is_killed(tmp_path: Path) -> None:
    with running(tmp_path) as started, connection_to_carrier(started) as carrier:
        started.process.kill()
        assert carrier.recv(1) == b""
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(carrier.getpeername(), timeout=_PATIENCE_S).close()


@contextmanager
def connection_to_carrier(backend: Backend) -> Iterator[socket.socket]:
    """A connection that says nothing: it ends when the carrier does."""
    host, port = backend.ask("GET", "/health").json["carrier"].split(":")
    with socket.create_connection((host, int(port)), timeout=_PATIENCE_S) as connection:
        yield connection


def test_a_port_in_use_is_one_line_and_exit_code_2(backend: Backend, tmp_path: Path) -> None:
    with start(tmp_path, "--port", str(backend.port)) as second:
        printed, complaints = second.communicate(timeout=_PATIENCE_S)
    assert second.returncode == 2
    assert printed == ""
    assert complaints == f"orders: cannot listen on port {backend.port}: Address already in use\n"


def test_a_file_that_is_no_orders_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "diary.txt"
    file.write_text("dear diary, " * 100)
    with start(tmp_path, "--port", "0", "--db", str(file)) as process:
        _, complaints = process.communicate(timeout=_PATIENCE_S)
    assert process.returncode == 2
    assert complaints == f"orders: {file} is not an orders database: file is not a database\n"
    assert file.read_text() == "dear diary, " * 100


def test_the_traffic_sends_what_it_was_told_and_sums_it_up(backend: Backend) -> None:
    done = call_traffic("--url", f"http://127.0.0.1:{backend.port}", "--rate", "200", "--count", "40")
    assert done.returncode == 0
    assert done.stdout.startswith("40 requests  ")
    assert done.stdout.count("\n") == 1
    assert "p50" in done.stdout
    assert "p95" in done.stdout


def test_traffic_with_nobody_to_answer_it_is_one_line_and_exit_code_2() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    done = call_traffic("--url", url)
    assert done.returncode == 2
    assert done.stderr.startswith(f"traffic: cannot reach {url}: ")
    assert done.stderr.count("\n") == 1


def call_traffic(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "examples.orders.traffic", *options]
    return subprocess.run(
        command, cwd=_ROOT, capture_output=True, text=True, timeout=_PATIENCE_S, check=False
    )
