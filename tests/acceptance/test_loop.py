"""The main job over real sockets: record, learn, serve, replay, compare, on two backends.

`examples/orders` is this project's example of what people have; httpbin under gunicorn is somebody else's.
Real and mock are seen from the same vantage: the recording proxy's record against the mock's own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest

from mockforge.model.exchange import Exchange, Request
from mockforge.model.headers import Headers
from mockforge.recording.store import RecordingMeta, RecordingReader, RecordingWriter

MANY = 500
LARGEST_GAP = 0.15

Run = Callable[..., str]
Start = Callable[..., AbstractContextManager[Any]]


@dataclass(frozen=True, slots=True)
class Loop:
    """What one round of the main job left behind."""

    recorded: Path
    stubs: Path
    served: Path
    report: dict[str, Any]
    learned: str


def go_round(
    backend: str, requests: list[Request], rate: float, folder: Path, run: Run, start: Start
) -> Loop:
    """Send `requests` through the recorder at a mean `rate`, learn, serve, replay, compare."""
    recorded, stubs, served = folder / "real.mfrec", folder / "stubs", folder / "mock.mfrec"
    workload = write_workload(folder / "workload.mfrec", requests, rate)
    with start(
        "-m", "mockforge", "record", "--target", backend, "--port", "0", "--out", str(recorded)
    ) as proxy:
        run("replay", str(workload), "--target", proxy.url, "--unsafe", "--out", str(folder / "caller.mfrec"))
    learned = run("learn", str(recorded), "--out", str(stubs))
    run("check", str(stubs))
    serving = (
        "-m",
        "mockforge",
        "serve",
        str(stubs),
        "--port",
        "0",
        "--seed",
        "1",
        "--record-run",
        str(served),
    )
    with start(*serving) as mock:
        run(
            "replay", str(recorded), "--target", mock.url, "--unsafe", "--out", str(folder / "replayed.mfrec")
        )
    report = folder / "report.json"
    run("compare", str(recorded), str(served), "--json", str(report), "--html", str(folder / "report.html"))
    return Loop(recorded, stubs, served, json.loads(report.read_bytes()), learned)


def write_workload(path: Path, requests: list[Request], rate: float) -> Path:
    """A recording that only says what is to be sent when: Poisson arrivals, seeded."""
    random, at_s = Random(7), 0.0
    with RecordingWriter(path, RecordingMeta(kind="recording", target="", started_wall_ns=0)) as writer:
        for request in requests:
            at_s += random.expovariate(rate)
            arrived_ns = int(at_s * 1e9)
            writer.add(
                Exchange(
                    wall_ns=arrived_ns, arrived_ns=arrived_ns, request=request, response=None, total_ns=0
                )
            )
    return path


def assert_the_mock_is_near(loop: Loop, frequent: set[str]) -> None:
    """Every operation with many samples has a small gap; `frequent` are those that must have had many."""
    many = {each["name"]: each for each in loop.report["operations"] if each["requests"]["real"] >= MANY}
    assert many.keys() >= frequent
    gaps = {name: each["gap_share"] for name, each in many.items()}
    assert all(gap < LARGEST_GAP for gap in gaps.values()), gaps


def assert_answers_agree(loop: Loop, least: float) -> None:
    """At least the share `least` of the requests got a status and body that the backend once gave them."""
    with RecordingReader(loop.recorded) as real, RecordingReader(loop.served) as mock:
        known: dict[tuple[str, str, bytes], set[tuple[int, bytes]]] = {}
        for each in real.exchanges():
            assert each.response is not None
            key = (each.request.method, each.request.target, each.request.body)
            known.setdefault(key, set()).add((each.response.status, each.response.body))
        agreed = asked = 0
        for each in mock.exchanges():
            key = (each.request.method, each.request.target, each.request.body)
            if each.request.target == "/gzip":
                continue  # it is learned decoded, so that people can read it
            if key in known and each.response is not None:
                asked += 1
                agreed += (each.response.status, each.response.body) in known[key]
    assert asked
    assert agreed >= least * asked, f"{agreed} of {asked}"


@pytest.mark.loop
def test_the_mock_of_the_orders_backend_performs_as_the_backend_did(
    tmp_path: Path, mockforge: Run, program: Start
) -> None:
    random = Random(1)
    requests = [order_request(random) for _ in range(1_500)]
    with program("-m", "examples.orders", "--port", "0") as backend:
        loop = go_round(backend.url, requests, 85, tmp_path, mockforge, program)
    assert_the_mock_is_near(loop, {"GET /orders/{id}", "GET /orders"})
    assert_answers_agree(loop, 0.97)
    assert "chosen by path.id" in loop.learned
    assert (loop.stubs / "mappings" / "get-orders-id.yaml").exists()


def order_request(random: Random) -> Request:
    kind = random.random()
    if kind < 0.5:
        return Request("GET", f"/orders/{random.randint(1, 300)}")
    if kind < 0.9:
        return Request("GET", f"/orders?customer={random.randint(1, 200)}&limit=20")
    if kind < 0.95:
        return Request("GET", f"/orders/{random.randint(9_000_000, 9_000_020)}")
    return Request("GET", f"/orders/{random.randint(1, 300)}/shipping")


@contextmanager
def httpbin(start: Start) -> Iterator[Any]:
    """httpbin under gunicorn with two synchronous workers."""
    command = ("-m", "gunicorn", "--workers", "2", "--bind", "127.0.0.1:0", "httpbin:app")
    with start(*command, ready=r"Listening at: (http://127\.0\.0\.1:\d+)") as backend:
        yield backend


@pytest.mark.loop
def test_the_mock_of_httpbin_performs_as_httpbin_did(tmp_path: Path, mockforge: Run, program: Start) -> None:
    random = Random(2)
    requests = [httpbin_request(random) for _ in range(1_400)]
    with httpbin(program) as backend:
        loop = go_round(backend.url, requests, 100, tmp_path, mockforge, program)
    assert_the_mock_is_near(loop, {"GET /get", "GET /status/{id}"})
    assert_answers_agree(loop, 0.97)


def httpbin_request(random: Random) -> Request:
    kind = random.random()
    if kind < 0.45:
        return Request(
            "GET", f"/get?page={random.randint(1, 40)}", Headers((("Accept", "application/json"),))
        )
    if kind < 0.9:
        return Request("GET", f"/status/{random.choice((200, 204, 404, 418))}")
    if kind < 0.95:
        return Request("GET", "/gzip")
    headers = Headers((("Content-Type", "application/json"),))
    return Request("POST", "/post", headers, json.dumps({"n": random.randint(1, 9)}).encode())
