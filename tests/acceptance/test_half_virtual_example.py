"""examples/half-virtual: one endpoint made up, one not built yet, and the rest for real."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.acceptance.conftest import ROOT, Program, running
from tests.acceptance.upstreams import Upstream, ask, upstream

STUBS = ROOT / "examples" / "half-virtual" / "stubs" / "orders.yaml"


@pytest.fixture(scope="module")
def real() -> Iterator[Upstream]:
    with upstream() as made:
        yield made


@pytest.fixture(scope="module")
def mock(real: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    folder: Path = tmp_path_factory.mktemp("half-virtual")
    written = STUBS.read_text("utf-8")
    (folder / "orders.yaml").write_text(written.replace("127.0.0.1:9001", urlsplit(real.url).netloc))
    command = ["-m", "mockforge", "serve", str(folder), "--port", "0", "--proxy-unmatched", real.url]
    with running(*command, "--time-scale", "0", "--seed", "1") as program:
        yield program
    assert "Traceback" not in program.output


def test_shipping_is_made_up_and_orders_are_real(mock: Program, real: Upstream) -> None:
    real.asked.clear()
    answers = [ask(mock.url, "/orders/17/shipping") for _ in range(100)]
    assert [answer.status for answer in answers].count(503) == 5, "shares are kept over a hundred requests"
    made_up = next(answer for answer in answers if answer.status == 200)
    assert json.loads(made_up.body) == {"order": "17", "carrier": "slow", "days": 9}
    assert not real.asked
    assert ask(mock.url, "/orders/17").body == b"GET /orders/17"


def test_a_refund_is_called_back(mock: Program, real: Upstream) -> None:
    real.asked.clear()
    taken = ask(mock.url, "/orders/17/refunds", "POST", b'{"reason": "it \\"broke\\""}')
    assert (taken.status, json.loads(taken.body)) == (202, {"state": "pending"})
    (called,) = real.wait_for(1)
    assert (called.method, called.url) == ("POST", "/refunds/17")
    assert json.loads(called.body) == {"order": "17", "reason": 'it "broke"', "state": "done"}
