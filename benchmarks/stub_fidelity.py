"""How right learned stubs answer: each backend is recorded, its first half learned, its second half asked.

`python -m benchmarks --rows stubs-orders,stubs-httpbin,stubs-files,stubs-todos,stubs-datasette`. All but the
first are other people's code: httpbin under gunicorn, Python's own file server, json-server (which has a
state) and datasette. The traffic is made up, from a seed.
"""

from __future__ import annotations

import contextlib
import http.client
import importlib.util
import json
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from uuid import UUID

from benchmarks.measure import Bench, Figures, Measured, Row
from benchmarks.peers import json_server_command
from benchmarks.processes import NotRunError, Probe, free_port, running, wait_until_answered
from benchmarks.results import Check, Contestant
from examples.orders.traffic_plan import plan
from mockforge.cli.learn_check import check_fidelity
from mockforge.learning.fidelity import Fidelity
from mockforge.recording.store import RecordingReader

__all__ = ["ROWS", "Asked", "Backend", "measure"]

_ROOT = Path(__file__).resolve().parents[1]
_LEAST_STATUS = 0.98
_LEAST_SHAPE = 0.95
_REQUESTS = 3_000
_READY_S = 30.0
_FIRST_TODOS = 200
_FAMILIES = ("rose", "daisy", "mint", "grass", "palm")


@dataclass(frozen=True, slots=True)
class Asked:
    """One request of the traffic."""

    target: str
    method: str = "GET"
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Backend:
    """`command(folder, port)` starts it, `traffic` is what it is asked, without end."""

    name: str
    command: Callable[[Path, int], list[str]]
    traffic: Callable[[Random], Iterator[Asked]]
    probe: str


def _orders(folder: Path, port: int) -> list[str]:
    return [sys.executable, "-m", "examples.orders", "--port", str(port), "--db", str(folder / "orders.db")]


def _orders_traffic(random: Random) -> Iterator[Asked]:
    for planned in plan(random.randrange(2**31), rate=100, seconds=1e9):
        if planned.body is None:
            yield Asked(planned.path, planned.method)
        else:
            yield _json(planned.path, planned.body, planned.method)


def _httpbin(_: Path, port: int) -> list[str]:
    return [sys.executable, "-m", "gunicorn", "--workers", "2", "--bind", f"127.0.0.1:{port}", "httpbin:app"]


def _httpbin_traffic(random: Random) -> Iterator[Asked]:
    plain: list[Callable[[], Asked]] = [
        lambda: Asked(f"/get?page={random.randint(1, 60)}&_={random.randrange(10**12)}"),
        lambda: Asked(f"/status/{random.choice((200, 201, 204, 301, 404, 418, 500))}"),
        lambda: Asked(f"/anything/{random.choice(('a', 'b', 'c'))}?q={random.randint(1, 400)}"),
        lambda: Asked("/uuid"),
        lambda: Asked(f"/bytes/{random.choice((16, 64, 1024))}"),
        lambda: Asked("/cookies", headers={"Cookie": f"session={random.randrange(10**6)}"}),
        lambda: Asked(f"/cookies/set?theme={random.choice(('dark', 'light'))}"),
        lambda: Asked("/headers", headers={"X-Trace": str(UUID(int=random.getrandbits(128)))}),
        lambda: _json(
            "/post", {"sku": f"b-{random.randrange(10**4)}", "count": random.randint(1, 99), "express": True}
        ),
        lambda: _form("/post", f"name=n{random.randrange(10**5)}&size={random.choice('SML')}"),
        lambda: Asked("/json"),
        lambda: Asked("/html"),
        lambda: Asked("/gzip"),
        lambda: Asked(f"/base64/{random.choice(('aGVsbG8=', 'd29ybGQ='))}"),
        lambda: Asked(f"/response-headers?freeform=f{random.randrange(500)}"),
        lambda: Asked(
            "/basic-auth/user/secret",
            headers={"Authorization": "Basic dXNlcjpzZWNyZXQ="} if random.random() < 0.7 else {},
        ),
        lambda: Asked("/image", headers={"Accept": random.choice(("image/png", "image/svg+xml", "text/x"))}),
        lambda: Asked("/cache", headers={"If-None-Match": "x"} if random.random() < 0.5 else {}),
        lambda: Asked("/etag/abc", headers={"If-None-Match": random.choice(("abc", "def"))}),
        lambda: Asked("/bearer", headers={"Authorization": "Bearer t"} if random.random() < 0.5 else {}),
        lambda: Asked(f"/no/such/page/{random.randrange(1_000)}"),
        lambda: _json("/put", {"id": random.randrange(10**6)}, "PUT"),
        lambda: Asked(f"/delete?id={random.randrange(10**4)}", "DELETE"),
    ]
    while True:
        yield random.choice(plain)()


def _json(target: str, value: object, method: str = "POST") -> Asked:
    return Asked(target, method, json.dumps(value).encode(), {"Content-Type": "application/json"})


def _form(target: str, body: str) -> Asked:
    return Asked(target, "POST", body.encode(), {"Content-Type": "application/x-www-form-urlencoded"})


def _files(folder: Path, port: int) -> list[str]:
    """Python's file server over a small site."""
    random = Random(3)
    site = folder / "site"
    for number in range(40):
        page = site / "guide" / f"page-{number}.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        words = " ".join(random.choices(("lamp", "pump", "hose", "valve"), k=random.randint(50, 900)))
        page.write_text(f"<html><title>{number}</title><body>{words}</body></html>\n")
        data = site / "data" / f"{number}.json"
        data.parent.mkdir(exist_ok=True)
        data.write_text(json.dumps({"id": number, "name": f"item {number}", "tags": words.split()[:3]}))
    (site / "index.html").write_text("<html><body>start</body></html>\n")
    (site / "style.css").write_text("body { color: black }\n")
    (site / "logo.png").write_bytes(bytes(random.randrange(256) for _ in range(5_000)))
    return [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1", "--directory", str(site)]


def _files_traffic(random: Random) -> Iterator[Asked]:
    future = {"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"}
    kinds: list[Callable[[], Asked]] = [
        lambda: Asked(f"/guide/page-{random.randrange(40)}.html"),
        lambda: Asked(f"/data/{random.randrange(40)}.json?v={random.randint(1, 3)}"),
        lambda: Asked(random.choice(("/", "/style.css", "/logo.png"))),
        lambda: Asked("/style.css", headers=future if random.random() < 0.5 else {}),
        lambda: Asked(f"/missing/{random.randrange(10**5)}"),
        lambda: Asked("/guide"),
        lambda: Asked("/data/"),
        lambda: Asked("/", random.choice(("HEAD", "POST", "OPTIONS"))),
        lambda: Asked(f"/data/{random.randrange(40)}.json", "HEAD"),
    ]
    while True:
        yield random.choice(kinds)()


def _todos(folder: Path, port: int) -> list[str]:
    """json-server over some todos: created, changed and deleted for good."""
    random = Random(5)
    todos = [
        {
            "id": number,
            "title": f"todo {number}",
            "userId": random.randint(1, 10),
            "done": random.random() < 0.4,
        }
        for number in range(1, _FIRST_TODOS + 1)
    ]
    users = [{"id": number, "name": f"user {number}"} for number in range(1, 11)]
    database = folder / "todos.json"
    database.write_text(json.dumps({"todos": todos, "users": users, "profile": {"name": "shop"}}))
    return [*json_server_command(), "--port", str(port), "--host", "127.0.0.1", "--quiet", str(database)]


def _todos_traffic(random: Random) -> Iterator[Asked]:
    """What is alive and what was deleted is known here, for ids are given in turn."""
    alive, dead, following = list(range(1, _FIRST_TODOS + 1)), [0], _FIRST_TODOS + 1

    def todo() -> dict[str, object]:
        return {"title": f"t{random.randrange(1_000)}", "userId": random.randint(1, 10), "done": False}

    kinds: list[tuple[int, Callable[[], Asked]]] = [
        (40, lambda: Asked(f"/todos/{random.choice(alive)}")),
        (7, lambda: _json(f"/todos/{random.choice(alive)}", todo(), "PUT")),
        (7, lambda: _json(f"/todos/{random.choice(alive)}", {"done": True}, "PATCH")),
        (8, lambda: Asked(f"/todos/{random.choice(dead)}")),
        (2, lambda: Asked(f"/todos/{random.choice(dead)}", "DELETE")),
        (2, lambda: _json(f"/todos/{random.choice(dead)}", todo(), "PUT")),
        (2, lambda: Asked(f"/todos/{random.randint(90_000, 99_999)}")),
        (8, lambda: Asked(f"/todos?_page={random.randint(1, 12)}&_limit=10")),
        (4, lambda: Asked(f"/todos?userId={random.randint(1, 12)}&_={random.randrange(10**12)}")),
        (3, lambda: Asked(f"/users/{random.randint(1, 12)}")),
        (1, lambda: Asked("/profile", random.choice(("GET", "HEAD")))),
        (1, lambda: Asked("/todos", "OPTIONS", headers={"Origin": "https://shop.example.com"})),
        (1, lambda: Asked("/todos", "POST", b'{"title": ', {"Content-Type": "application/json"})),
        (1, lambda: Asked("/nope")),
    ]
    weights = [weight for weight, _ in kinds]
    while True:
        draw = random.random()
        if draw < 0.1:
            alive.append(following)
            following += 1
            yield _json("/todos", todo())
        elif draw < 0.16:
            # Never the last one: its id would be given again.
            dead.append(alive.pop(random.randrange(len(alive) - 1)))
            yield Asked(f"/todos/{dead[-1]}", "DELETE")
        else:
            yield random.choices(kinds, weights)[0][1]()


def _datasette(folder: Path, port: int) -> list[str]:
    """Datasette over a table of a thousand plants."""
    if importlib.util.find_spec("datasette") is None:
        raise NotRunError("not installed (pip install datasette)")
    random = Random(6)
    with contextlib.closing(sqlite3.connect(folder / "garden.db")) as database, database:
        database.execute("CREATE TABLE plant (id INTEGER PRIMARY KEY, name TEXT, family TEXT, height REAL)")
        database.executemany(
            "INSERT INTO plant VALUES (?, ?, ?, ?)",
            [
                (number, f"plant {number}", random.choice(_FAMILIES), random.choice((None, number / 7)))
                for number in range(1, 1_001)
            ],
        )
    return [sys.executable, "-m", "datasette", "--port", str(port), str(folder / "garden.db")]


def _datasette_traffic(random: Random) -> Iterator[Asked]:
    kinds: list[Callable[[], Asked]] = [
        lambda: Asked(f"/garden/plant/{random.randint(1, 1_000)}.json"),
        lambda: Asked(f"/garden/plant/{random.randint(5_000, 9_000)}.json"),
        lambda: Asked(f"/garden/plant/{random.randint(1, 200)}"),
        lambda: Asked(f"/garden/plant.json?_size=20&_next={random.randrange(0, 1_000, 20)}"),
        lambda: Asked(f"/garden/plant.json?family={random.choice(_FAMILIES)}&_shape=array"),
        lambda: Asked(f"/garden/plant.csv?_size={random.choice((10, 50))}"),
        lambda: Asked(f"/garden.json?sql=select+count(*)+from+plant+where+id+<+{random.randint(1, 300)}"),
        lambda: Asked(
            "/garden.json?sql=" + random.choice(("drop+table+plant", "select+nothing", "select+1"))
        ),
        lambda: Asked(f"/garden/{random.choice(('plants', 'weeds'))}.json"),
        lambda: Asked(random.choice(("/", "/-/versions.json", "/-/metadata.json", "/garden", "/nope"))),
        lambda: Asked("/garden/plant", headers={"Accept-Encoding": random.choice(("gzip", "identity"))}),
    ]
    while True:
        yield random.choice(kinds)()


BACKENDS = {
    "stubs-orders": Backend("examples/orders", _orders, _orders_traffic, "/health"),
    "stubs-httpbin": Backend("httpbin under gunicorn", _httpbin, _httpbin_traffic, "/get"),
    "stubs-files": Backend("Python's http.server", _files, _files_traffic, "/index.html"),
    "stubs-todos": Backend("json-server", _todos, _todos_traffic, "/profile"),
    "stubs-datasette": Backend("datasette", _datasette, _datasette_traffic, "/-/versions.json"),
}


def measure(backend: Backend, folder: Path, requests: int) -> list[Fidelity]:
    """Record the backend through `mockforge record`, and judge what is learned; by stub."""
    recording = folder / "recorded.mfrec"
    port, proxy_port = free_port(), free_port()
    environment = ["env", f"PYTHONPATH={_ROOT}"]
    command = [*environment, *backend.command(folder, port)]
    with running(command, port, folder / "backend.log") as real:
        wait_until_answered(real, Probe(backend.probe), ready_s=_READY_S)
        record = [sys.executable, "-m", "mockforge", "record", "--target", real.url("")]
        record += ["--port", str(proxy_port), "--out", str(recording)]
        with running([*environment, *record], proxy_port, folder / "record.log") as proxy:
            wait_until_answered(proxy, Probe(backend.probe), ready_s=_READY_S)
            _send(proxy.port, backend.traffic(Random(1)), requests)
    with RecordingReader(recording) as reader:
        return check_fidelity(list(reader.exchanges()))


def _send(port: int, traffic: Iterator[Asked], requests: int) -> None:
    """One after the other: what is answered is judged here, not when."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        for _, asked in zip(range(requests), traffic, strict=False):
            connection.request(asked.method, asked.target, asked.body or None, dict(asked.headers))
            connection.getresponse().read()
    except (OSError, http.client.HTTPException) as error:
        raise NotRunError(f"a request was not answered: {error}") from error
    finally:
        connection.close()


def _row(key: str) -> Row:
    def measured(bench: Bench) -> Measured:
        backend = BACKENDS[key]
        contestants, checks = [], []
        try:
            with tempfile.TemporaryDirectory(prefix="mockforge-bench-") as folder:
                judged = measure(backend, Path(folder), _REQUESTS)
            total = _total(judged)
            status, shape, content = total.shares()
            contestants += [Contestant(each.operation, (_figures(each),)) for each in [total, *judged]]
            checks.append(Check("right status", "at least", 100 * _LEAST_STATUS, "%", (100 * status,)))
            checks.append(Check("right shape", "at least", 100 * _LEAST_SHAPE, "%", (100 * shape,)))
            bench.say(f"  {backend.name}: status {status:.1%}, shape {shape:.1%}, content {content:.1%}")
        except NotRunError as error:
            contestants.append(Contestant(backend.name, missing=str(error)))
        return Measured(
            title=f"Stub fidelity: {backend.name}",
            how=f"{_REQUESTS:,} requests, one after the other, recorded; stubs learned from the first half "
            "answer the second half's requests. Shares of answers with the recorded status, shape (JSON: "
            "the same members of the same types) and content.",
            checks=tuple(checks),
            contestants=tuple(contestants),
        )

    return measured


def _total(judged: list[Fidelity]) -> Fidelity:
    return Fidelity(
        "all",
        sum(each.asked for each in judged),
        sum(each.status for each in judged),
        sum(each.shape for each in judged),
        sum(each.content for each in judged),
        sum(each.by_chance for each in judged),
    )


def _figures(judged: Fidelity) -> Figures:
    status, shape, content = judged.shares()
    return {
        "asked": float(judged.asked),
        "status_share": status,
        "shape_share": shape,
        "content_share": content,
        "by_chance": float(judged.by_chance),
    }


#: By the names that `--rows` takes, in the order in which they are run.
ROWS: dict[str, Row] = {key: _row(key) for key in BACKENDS}
