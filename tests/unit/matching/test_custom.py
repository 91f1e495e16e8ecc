"""Matchers that other packages register: refused at load, and never "no match" where they fail."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random

import pytest

from mockforge.engine import Engine, compile_service
from mockforge.errors import StubFileError
from mockforge.matching import custom
from mockforge.model.request import RequestView
from mockforge.stubfiles.from_model import written_stub
from mockforge.stubfiles.reader import read_service

Test = Callable[[RequestView], bool]


def longer_than(parameters: Mapping[str, object]) -> Test:
    least = parameters["least"]
    if not isinstance(least, int):
        raise ValueError(f"least is {least!r}")
    return lambda request: len(request.body) > least


def failing(parameters: Mapping[str, object]) -> Test:
    return lambda request: 1 / 0 == 1


class Entry:
    """An entry point that gives `made`, or fails to."""

    value = "shop:made"

    def __init__(self, made: object) -> None:
        self._made = made

    def load(self) -> object:
        if isinstance(self._made, Exception):
            raise self._made
        return self._made


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    made = {
        "longer-than": Entry(longer_than),
        "failing": Entry(failing),
        "broken": Entry(ImportError("no module named shop")),
        "no-test": Entry(lambda parameters: 7),
    }
    monkeypatch.setattr(custom, "_registered", lambda: made)


def engine(folder: Path, matcher: str) -> Engine:
    file = folder / "stub.yaml"
    file.write_text(
        f"name: s\nrequest: {{method: POST, customMatcher: {matcher}}}\nresponse: {{status: 201}}"
    )
    return Engine(compile_service(read_service(file)), Random(1))


def status(served: Engine, body: bytes) -> int:
    return served.decide(RequestView("POST", "/", body=body), 0).response.status


def test_a_registered_matcher_decides_with_its_parameters(tmp_path: Path) -> None:
    served = engine(tmp_path, "{name: longer-than, parameters: {least: 3}}")
    assert [status(served, body) for body in (b"abc", b"abcd")] == [404, 201]


def test_a_near_miss_names_it(tmp_path: Path) -> None:
    served = engine(tmp_path, "{name: longer-than, parameters: {least: 3}}")
    said = served.decide(RequestView("POST", "/"), 0).response.body.decode()
    assert "custom matcher longer-than: wanted a request that it takes, found one that it does not" in said


def test_one_that_fails_is_an_error_of_its_stub_and_not_a_miss(tmp_path: Path) -> None:
    decision = engine(tmp_path, "{name: failing}").decide(RequestView("POST", "/"), 0)
    assert (decision.stub, decision.response.status) == ("s", 500)
    assert decision.response.body == b"stub 's': a matcher failed: division by zero\n"


@pytest.mark.parametrize(
    ("matcher", "said"),
    [
        (
            "{name: longer}",
            "customMatcher 'longer' is not registered (known: broken, failing, longer-than, no-test; "
            "group mockforge.matchers)",
        ),
        ("{name: broken}", "customMatcher 'broken' cannot be loaded from shop:made: no module named shop"),
        (
            "{name: longer-than, parameters: {least: x}}",
            "customMatcher 'longer-than' refuses its parameters: least is 'x'",
        ),
        ("{name: longer-than}", "customMatcher 'longer-than' refuses its parameters: 'least'"),
        ("{name: no-test}", "customMatcher 'no-test' gave no test of a request, but 7"),
        ("{parameters: {}}", "name: is missing (such as {name: tenant-of, parameters: {tenant: acme}})"),
    ],
)
def test_what_cannot_be_is_refused_when_it_is_read(tmp_path: Path, matcher: str, said: str) -> None:
    with pytest.raises(StubFileError) as refused:
        engine(tmp_path, matcher)
    (problem,) = refused.value.problems
    assert problem.startswith(f"{tmp_path}/stub.yaml:2: stub 's': request.customMatcher")
    assert problem.endswith(said)


def test_it_is_written_as_it_is_read(tmp_path: Path) -> None:
    served = engine(tmp_path, "{name: longer-than, parameters: {least: 3}}")
    (stub,) = served.service.stubs
    assert written_stub(stub)["request"] == {
        "method": "POST",
        "customMatcher": {"name": "longer-than", "parameters": {"least": 3}},
    }
