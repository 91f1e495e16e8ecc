"""States of scenarios."""

from __future__ import annotations

import pytest

from mockforge.model.stub import ScenarioStep
from mockforge.state.scenarios import (
    STARTED,
    Scenarios,
    ScenarioView,
    UnknownScenarioError,
    UnknownStateError,
)

BEGIN = ScenarioStep("order", STARTED, "paid")
SHIP = ScenarioStep("order", "paid", "shipped")
LOOK = ScenarioStep("order")
OTHER = ScenarioStep("stock", None, "low")


@pytest.fixture
def scenarios() -> Scenarios:
    made = Scenarios()
    made.declare([BEGIN, SHIP, LOOK, OTHER])
    return made


def test_a_transition_is_won_once(scenarios: Scenarios) -> None:
    assert [scenarios.enter(BEGIN), scenarios.enter(BEGIN)] == [True, False]
    assert scenarios.state("order") == "paid"


def test_a_step_without_a_required_state_is_admitted_in_any(scenarios: Scenarios) -> None:
    assert scenarios.enter(LOOK)
    scenarios.set_state("order", "shipped")
    assert scenarios.enter(LOOK)
    assert scenarios.state("order") == "shipped"


def test_the_listing_names_every_state_that_can_be(scenarios: Scenarios) -> None:
    scenarios.enter(BEGIN)
    assert scenarios.listing() == [
        ScenarioView("order", "paid", ("Started", "paid", "shipped")),
        ScenarioView("stock", "Started", ("Started", "low")),
    ]


def test_a_reset_brings_all_or_one_back_to_the_start(scenarios: Scenarios) -> None:
    scenarios.enter(BEGIN)
    scenarios.enter(OTHER)
    scenarios.reset_one("order")
    assert scenarios.states() == {"order": STARTED, "stock": "low"}
    scenarios.reset()
    assert scenarios.states() == {"order": STARTED, "stock": STARTED}


def test_states_outlive_an_edit_that_keeps_the_scenario(scenarios: Scenarios) -> None:
    scenarios.enter(BEGIN)
    scenarios.enter(OTHER)
    scenarios.declare([SHIP])
    assert scenarios.states() == {"order": "paid"}


def test_unknown_names_are_refused_with_those_that_are_known(scenarios: Scenarios) -> None:
    with pytest.raises(UnknownScenarioError, match=r"Scenario cart does not exist \(known: order, stock\)"):
        scenarios.set_state("cart", STARTED)
    with pytest.raises(UnknownStateError, match=r"support state lost \(known: Started, paid, shipped\)"):
        scenarios.set_state("order", "lost")
    with pytest.raises(UnknownScenarioError, match="no stub has a scenario"):
        Scenarios().reset_one("order")
