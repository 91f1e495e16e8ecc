"""The same workload for k6, Locust and vegeta: golden files."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from mockforge.model.exchange import Exchange, Request
from mockforge.model.headers import Headers
from mockforge.replay.export import EXPORTERS, Exported, Step
from mockforge.replay.feed import Mold
from mockforge.replay.load import Load
from mockforge.replay.pace import Pace, Segment
from mockforge.replay.rewriting import Rewriting
from mockforge.replay.schedule import make_schedule
from mockforge.replay.wire import HostPolicy
from mockforge.replay.workload import read_workload
from mockforge.targets import parse_target

GOLDEN = Path(__file__).parent / "golden"
TARGET = parse_target("http://127.0.0.1:9000/api")
BODY = bytes(range(256))
GET = Request("GET", "/orders/1?x=%20y", Headers((("Host", "old:1"), ("X-T", "1"), ("X-T", "2"))))
POST = Request("POST", "/orders", Headers((("Content-Length", "256"), ("Content-Type", "a/b"))), BODY)


def exported(pace: Pace | None = None) -> Exported:
    ramp = (Segment(2, 2, 2), Segment(4, 4, 1))
    workload = read_workload(Exchange(0, at, one, None, 0) for at, one in enumerate([GET, POST, GET]))
    mold = Mold(TARGET, HostPolicy(TARGET.authority), Rewriting((("X-Run", "7"),)))
    schedule = make_schedule(workload, pace or Pace(ramp=ramp))
    return Exported(Load(Path("r/orders.mfrec"), workload, schedule, mold, 100, 60.0), "load")


@pytest.mark.parametrize("tool", EXPORTERS)
def test_the_files_are_as_agreed(tool: str) -> None:
    written = EXPORTERS[tool](exported())
    assert set(written) == {path.name.removeprefix(f"{tool}-") for path in GOLDEN.glob(f"{tool}-*")}
    for name, text in written.items():
        assert text == (GOLDEN / f"{tool}-{name}").read_text()


def test_the_steps_are_the_schedules_requests_by_the_second() -> None:
    assert exported().steps() == [Step(2, 2), Step(4, 1)]


def test_the_document_holds_each_request_once_and_their_order() -> None:
    document = json.loads(exported().document())
    assert document["order"] == [0, 1, 0]
    get, post = document["requests"]
    assert get["url"] == "http://127.0.0.1:9000/api/orders/1?x=%20y"
    assert get["fields"] == [["Host", "127.0.0.1:9000"], ["X-T", "1"], ["X-T", "2"], ["X-Run", "7"]]
    assert base64.b64decode(post["body"]) == BODY
    assert "Content-Length" not in dict(post["fields"])


def test_a_locust_script_is_python() -> None:
    compile(EXPORTERS["locust"](exported())["load"], "load", "exec")


def test_a_vegeta_target_stands_on_a_line_of_its_own_in_recorded_order() -> None:
    lines = [json.loads(line) for line in EXPORTERS["vegeta"](exported())["load"].splitlines()]
    assert [line["method"] for line in lines] == ["GET", "POST", "GET"]
    assert lines[0]["header"]["X-T"] == ["1", "2"]
    assert base64.b64decode(lines[1]["body"]) == BODY
