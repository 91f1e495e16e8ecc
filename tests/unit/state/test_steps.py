"""Steps in a scenario: whose state is looked at, and when it goes on."""

from __future__ import annotations

from typing import Any

import pytest

from mockforge.errors import StubFileError
from mockforge.matching.url import template_regex
from mockforge.model.request import RequestView
from mockforge.model.response import RenderedResponse
from mockforge.model.stub import ScenarioStep
from mockforge.state import scenarios as module
from mockforge.state.scenarios import STARTED, Scenarios
from mockforge.state.steps import Step, compile_step, elsewhere

DELETE = ScenarioStep("todo", None, "gone", ("path.id",))
GONE = ScenarioStep("todo", "gone", None, ("path.id",))
CREATE = ScenarioStep("todo", None, STARTED, ("response.data.id",))


def step(written: ScenarioStep) -> Step:
    compiled = compile_step(written, template_regex("/todos/{id}"))
    assert compiled is not None
    return compiled


def ask(number: int) -> RequestView:
    return RequestView("GET", f"/todos/{number}")


def answered(status: int = 200, body: bytes = b"") -> RenderedResponse:
    return RenderedResponse(status, (), body)


@pytest.fixture
def scenarios() -> Scenarios:
    made = Scenarios()
    made.declare([DELETE, GONE, CREATE])
    return made


def test_each_key_has_a_state_of_its_own(scenarios: Scenarios) -> None:
    step(DELETE).answered(scenarios, ask(17), answered())
    assert step(GONE).enter(scenarios, ask(17))
    assert not step(GONE).enter(scenarios, ask(18))


def test_a_write_that_failed_changes_nothing(scenarios: Scenarios) -> None:
    step(DELETE).answered(scenarios, ask(17), answered(404))
    assert not step(GONE).enter(scenarios, ask(17))


def test_an_answer_can_name_the_resource(scenarios: Scenarios) -> None:
    step(DELETE).answered(scenarios, ask(17), answered())
    step(CREATE).answered(scenarios, RequestView("POST", "/todos"), answered(201, b'{"data":{"id":17}}'))
    assert not step(GONE).enter(scenarios, ask(17))


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"data":7}', b'{"data":{"id":true}}', b'{"data":{}}'])
def test_an_answer_that_names_none_changes_nothing(scenarios: Scenarios, body: bytes) -> None:
    step(DELETE).answered(scenarios, ask(17), answered())
    step(CREATE).answered(scenarios, RequestView("POST", "/todos"), answered(201, body))
    assert step(GONE).enter(scenarios, ask(17))


def test_near_misses_tell_the_state_of_the_resource_asked_for(scenarios: Scenarios) -> None:
    assert elsewhere([("gone", step(GONE))], scenarios, ask(17)).keys() == {"gone"}
    step(DELETE).answered(scenarios, ask(17), answered())
    assert elsewhere([("gone", step(GONE))], scenarios, ask(17)) == {}


def test_setting_or_resetting_a_scenario_takes_all_its_keys_along(scenarios: Scenarios) -> None:
    step(DELETE).answered(scenarios, ask(17), answered())
    scenarios.reset_one("todo")
    assert not step(GONE).enter(scenarios, ask(17))
    scenarios.set_state("todo", "gone")
    assert step(GONE).enter(scenarios, ask(99))
    scenarios.reset()
    assert not step(GONE).enter(scenarios, ask(99))


def test_an_edit_that_drops_the_scenario_forgets_its_keys(scenarios: Scenarios) -> None:
    step(DELETE).answered(scenarios, ask(17), answered())
    scenarios.declare([])
    scenarios.declare([DELETE, GONE])
    assert not step(GONE).enter(scenarios, ask(17))


def test_beyond_the_bound_the_key_left_alone_longest_starts_over(
    scenarios: Scenarios, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_RESOURCES", 2)
    for number in (1, 2, 1, 3):
        step(DELETE).answered(scenarios, ask(number), answered())
    assert [step(GONE).enter(scenarios, ask(number)) for number in (1, 2, 3)] == [True, False, True]


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        (ScenarioStep("todo", None, "gone", ("path.nope",)), "'path.nope' is no parameter of the request"),
        (ScenarioStep("todo", "gone", None, ("response.id",)), "requiredScenarioState needs a key"),
        (ScenarioStep("todo", None, "x", ("response.id", "path.id")), "what the answer tells comes last"),
    ],
)
def test_keys_that_cannot_be_are_refused(written: ScenarioStep, problem: str) -> None:
    with pytest.raises(StubFileError, match=problem):
        step(written)


def test_no_step_is_no_step() -> None:
    nothing: Any = compile_step(None, None)
    assert nothing is None
