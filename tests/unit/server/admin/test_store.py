"""Stubs that come and go while they are served: each edit is one step, and what is gone is remembered."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

import pytest

from mockforge.compiling import CompiledStub, compile_stub
from mockforge.engine import Engine, compile_service
from mockforge.errors import StubFileError
from mockforge.model.request import RequestView
from mockforge.model.service import Capacity, Service
from mockforge.model.stub import (
    Body,
    DelayDistribution,
    RequestPattern,
    ResponseDefinition,
    ScenarioStep,
    Stub,
    UrlPattern,
)
from mockforge.server.admin.store import GlobalDelay, StubStore
from mockforge.state.pools import PoolRule

ID = "11111111-2222-4333-8444-{:012d}"


def stub(path: str, body: str, number: int | None = None, **more: object) -> Stub:
    return Stub(
        name=f"GET {path}",
        request=RequestPattern("GET", UrlPattern("urlPath", path)),
        responses=(ResponseDefinition(body=Body("body", body)),),
        id=None if number is None else ID.format(number),
        **more,  # type: ignore[arg-type]
    )


class Served:
    """A service, its store, and a clock that stands until it is moved."""

    def __init__(self, *stubs: Stub, capacity: Capacity | None = None) -> None:
        self.now_ns = 1_000
        self.engine = Engine(compile_service(Service("s", stubs, capacity=capacity)), Random(1))
        self.store = StubStore(self.engine, lambda: self.now_ns)

    def answer(self, path: str) -> str | None:
        decision = self.engine.decide(RequestView("GET", path), 0)
        return None if decision.stub is None else decision.response.body.decode()

    def delay_ns(self, path: str) -> int:
        return self.engine.decide(RequestView("GET", path), 0).plan.first_byte_ns


@pytest.mark.parametrize("capacity", [None, Capacity(servers=2)])
def test_stubs_of_files_and_of_the_api_are_served_together_and_the_newest_wins(
    capacity: Capacity | None,
) -> None:
    served = Served(stub("/a", "file a"), stub("/b", "file b"), capacity=capacity)
    for number, body in enumerate(["one", "two", "three"]):
        served.store.put(stub("/a", body, number), {})
        assert (served.answer("/a"), served.answer("/b")) == (body, "file b")
    served.store.remove({ID.format(2)})
    assert served.answer("/a") == "two"
    served.store.remove({ID.format(0), ID.format(1)})
    assert served.answer("/a") == "file a"


def test_an_edited_stub_keeps_its_place_among_the_others() -> None:
    served = Served()
    served.store.put(stub("/a", "old", 0), {})
    served.store.put(stub("/a", "newer", 1), {})
    served.store.put(stub("/a", "edited", 0), {})
    assert served.answer("/a") == "newer"
    served.store.remove({ID.format(1)})
    assert served.answer("/a") == "edited"
    assert len(served.store) == 1


def test_reset_gives_back_the_stubs_of_the_files_removed_and_edited_ones_too() -> None:
    served = Served(stub("/a", "file a", 0), stub("/b", "file b", 1))
    served.store.put(stub("/a", "edited", 0), {})
    served.store.put(stub("/c", "added"), {})
    served.store.remove({ID.format(1)})
    assert (served.answer("/a"), served.answer("/b"), served.answer("/c")) == ("edited", None, "added")
    served.store.reset()
    assert (served.answer("/a"), served.answer("/b"), served.answer("/c")) == ("file a", "file b", None)


def test_an_edit_that_cannot_be_compiled_changes_nothing() -> None:
    served = Served(stub("/a", "file a"))
    with pytest.raises(StubFileError):
        served.store.put_all([(stub("/a", "good", 0), {}), (stub("/b", "bad", 1, pool="none"), {})])
    assert served.answer("/a") == "file a"
    assert len(served.store) == 1


@pytest.mark.parametrize("capacity", [None, Capacity(servers=2)])
def test_an_edit_of_one_stub_compiles_no_other_and_keeps_the_pools(
    monkeypatch: pytest.MonkeyPatch, capacity: Capacity | None
) -> None:
    served = Served(*(stub(f"/{number}", "file") for number in range(20)), capacity=capacity)
    compiled: list[str] = []

    def counting(stub: Stub, pools: Mapping[str, PoolRule | None]) -> CompiledStub:
        compiled.append(stub.name)
        return compile_stub(stub, pools)

    before = served.engine.compiled
    monkeypatch.setattr("mockforge.server.admin.store.compile_stub", counting)
    made = served.store.put(stub("/a", "first", 1), {})
    served.store.put(stub("/a", "second", 1), {})
    assert served.answer("/a") == "second"
    served.store.remove({made.id})
    assert compiled == ["GET /a", "GET /a"]
    assert served.engine.compiled is before
    assert served.answer("/a") is None


def test_the_scenario_of_a_single_stub_comes_and_goes_with_it() -> None:
    served = Served()
    made = served.store.put(stub("/a", "a", 1, scenario=ScenarioStep("s", None, "Next")), {})
    assert served.answer("/a") == "a"
    assert served.engine.scenarios.state("s") == "Next"
    served.store.remove({made.id})
    assert served.engine.scenarios.listing() == []


def test_names_are_told_apart_so_that_events_are() -> None:
    served = Served(stub("/a", "file"))
    made = [served.store.put(stub("/a", str(number), number), {}) for number in range(3)]
    assert [each.stub.name for each in made] == ["GET /a (2)", "GET /a (3)", "GET /a (4)"]
    served.store.remove({made[0].id})
    assert served.store.put(stub("/a", "again"), {}).stub.name == "GET /a (2)"


def test_what_a_name_stood_for_when_a_request_arrived_is_known_after_edit_and_removal() -> None:
    served = Served()
    first = served.store.put(stub("/a", "first", 0), {})
    served.now_ns = 2_000
    second = served.store.put(stub("/a", "second", 0), {})
    served.now_ns = 3_000
    served.store.remove({ID.format(0)})
    assert served.store.at("GET /a", 1_500) == first
    assert served.store.at("GET /a", 2_500) == second
    assert served.store.at("GET /b", 2_500) is None
    assert served.store.named("GET /a") is None


def test_a_global_delay_is_for_those_that_say_nothing_and_for_later_ones_too() -> None:
    own = Stub(
        "own", RequestPattern("GET", UrlPattern("urlPath", "/own")), (ResponseDefinition(fixed_delay_ms=5),)
    )
    served = Served(stub("/a", "file"), own)
    served.store.set_delay(GlobalDelay(20))
    served.store.put(stub("/b", "added"), {})
    assert [served.delay_ns(path) for path in ("/a", "/b", "/own")] == [20_000_000, 20_000_000, 5_000_000]
    served.store.set_delay(GlobalDelay(None, DelayDistribution("fixed", {"milliseconds": 7})))
    assert [served.delay_ns(path) for path in ("/a", "/own")] == [7_000_000, 12_000_000]
    served.store.set_delay(GlobalDelay())
    assert served.delay_ns("/b") == 0


def test_edits_of_files_are_taken_and_stubs_of_the_api_stay() -> None:
    served = Served(stub("/a", "file a", 0))
    served.store.put(stub("/c", "api", 2), {})
    served.store.put(stub("/a", "edited", 0), {})
    served.store.set_delay(GlobalDelay(1))
    served.store.take_files(compile_service(Service("s", (stub("/a", "file anew", 0), stub("/b", "b", 1)))))
    assert [served.answer(path) for path in ("/a", "/b", "/c")] == ["file anew", "b", "api"]
    assert served.delay_ns("/b") == 1_000_000
    served.store.reset()
    assert [served.answer(path) for path in ("/a", "/b", "/c")] == ["file anew", "b", None]


def test_ids_of_files_are_theirs_or_follow_from_their_names() -> None:
    ids = [mapping.id for mapping in Served(stub("/a", "x", 7), stub("/b", "x")).store.oldest_first()]
    again = [mapping.id for mapping in Served(stub("/b", "y"), stub("/a", "x", 7)).store.oldest_first()]
    assert ids[0] == ID.format(7)
    assert ids == again[::-1]
