"""What templates are told of earlier requests: counts, counters and scenario states."""

from __future__ import annotations

from random import Random

import pytest

from mockforge.engine import Engine, compile_service
from mockforge.model.request import RequestView
from mockforge.model.service import Service
from mockforge.model.stub import Body, RequestPattern, ResponseDefinition, ScenarioStep, Stub, UrlPattern
from mockforge.state.memory import MOST_COUNTERS, ServiceMemory


def stub(path: str, body: str, scenario: ScenarioStep | None = None) -> Stub:
    response = ResponseDefinition(body=Body("body", body), transformers=("jinja",))
    return Stub(
        path, RequestPattern("ANY", UrlPattern("urlPathTemplate", path)), (response,), scenario=scenario
    )


def engine(*stubs: Stub) -> Engine:
    return Engine(compile_service(Service("s", stubs=stubs)), Random(1))


def get(made: Engine, path: str) -> str:
    return made.decide(RequestView("GET", path), 0).response.body.decode()


def test_a_stub_counts_its_own_requests() -> None:
    made = engine(stub("/a", "{{ request.count }}"), stub("/b", "{{ request.count }}"))
    assert [get(made, path) for path in ("/a", "/a", "/b", "/a", "/b")] == ["1", "2", "1", "3", "2"]


def test_every_name_has_a_counter_of_its_own() -> None:
    made = engine(stub("/a", "{{ counter('x') }}{{ counter('x') }}"), stub("/b", "{{ counter('y', 7) }}"))
    assert [get(made, path) for path in ("/a", "/b", "/a", "/b")] == ["12", "7", "34", "8"]


def test_counts_outlive_an_edit_and_end_with_a_reset() -> None:
    made = engine(stub("/a", "{{ request.count }} {{ counter('x') }}"))
    assert get(made, "/a") == "1 1"
    made.replace(made.compiled)
    assert get(made, "/a") == "2 2"
    made.memory.reset()
    assert get(made, "/a") == "1 1"


def test_the_counter_that_was_left_alone_longest_begins_anew() -> None:
    memory = ServiceMemory(Random(1))
    for name in map(str, range(MOST_COUNTERS + 1)):
        memory.next_number(name, 1)
    assert (memory.next_number("0", 1), memory.next_number("2", 1)) == (1, 2)


def test_a_template_is_told_the_state_of_a_scenario() -> None:
    made = engine(
        stub("/pay", "{{ state('cart') }}", ScenarioStep("cart", new="paid")),
        stub("/a", "{{ state('cart') }}"),
    )
    assert [get(made, path) for path in ("/a", "/pay", "/a")] == ["Started", "paid", "paid"]


def test_a_template_is_told_the_state_of_one_resource() -> None:
    paid = ScenarioStep("cart", new="paid", key=("path.id",))
    made = engine(stub("/pay/{id}", "", paid), stub("/a/{id}", "{{ state('cart', request.path.id) }}"))
    get(made, "/pay/7")
    assert [get(made, path) for path in ("/a/7", "/a/8")] == ["paid", "Started"]


@pytest.mark.parametrize(
    ("scenario", "hint"), [(None, "no stub has a scenario"), (ScenarioStep("cart"), "known: cart")]
)
def test_a_scenario_that_is_none_is_a_500(scenario: ScenarioStep | None, hint: str) -> None:
    made = engine(stub("/a", "{{ state('basket') }}", scenario))
    assert get(made, "/a") == f"stub '/a': {{{{ state('basket') }}}}: there is no scenario 'basket'; {hint}\n"
