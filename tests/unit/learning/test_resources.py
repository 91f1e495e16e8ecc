"""Resources that writes change: their states become scenarios, and the mock answers as the backend did."""

from __future__ import annotations

import random

from mockforge.engine import Engine, compile_service
from mockforge.learning.learn import Learned
from mockforge.model.exchange import Exchange
from mockforge.model.stub import ScenarioStep
from tests.unit.learning.made import exchange, learn, stub_of, view

JSON = {"Content-Type": "application/json"}


class Todos:
    """A made-up backend with a state, and what was recorded of it."""

    def __init__(self) -> None:
        self.recorded: list[Exchange] = []
        self._kept = {1: {"id": 1, "title": "first"}, 2: {"id": 2, "title": "second"}}
        self._next = 100

    def ask(self, asked: str, sent: object = b"") -> tuple[int, object]:
        method, _, path = asked.partition(" ")
        parts = path.split("/")
        number = int(parts[2]) if len(parts) > 2 else None
        status, body = self._answer(method, number, sent)
        at_s = len(self.recorded)
        self.recorded.append(exchange(asked, body, status, at_s=at_s, sent=sent, headers=JSON))
        return status, body

    def _answer(self, method: str, number: int | None, sent: object) -> tuple[int, object]:
        if number is None:
            if method == "GET":
                return 200, list(self._kept.values())
            assert isinstance(sent, dict)
            made = {"id": self._next, **sent}
            self._kept[self._next] = made
            self._next += 1
            return 201, made
        if method == "PUT" and isinstance(sent, dict):
            self._kept[number] = {"id": number, **sent}
        if number not in self._kept:
            return 404, {"error": "gone"}
        return 200, self._kept.pop(number) if method == "DELETE" else self._kept[number]


def lives(count: int) -> Todos:
    """Todos that are made, read, changed, deleted, and asked for again."""
    todos = Todos()
    for each in range(count):
        _, made = todos.ask("POST /todos", {"title": f"t{each}"})
        assert isinstance(made, dict)
        path = f"/todos/{made['id']}"
        for asked in (f"GET {path}", f"GET {path}"):
            todos.ask(asked)
        todos.ask(f"PUT {path}", {"title": f"u{each}"})
        for asked in (f"GET {path}", f"DELETE {path}", f"GET {path}", f"DELETE {path}"):
            todos.ask(asked)
    return todos


class Mock:
    """The learned service, asked in turn."""

    def __init__(self, learned: Learned) -> None:
        self._engine = Engine(compile_service(learned.service), random.Random(1))

    def ask(self, asked: str, sent: object = b"") -> tuple[int, bytes]:
        response = self._engine.decide(view(asked, sent), 0).response
        return response.status, response.body

    def replay(self, exchanges: list[Exchange]) -> list[bool]:
        """Whether each answer has the recorded status and body."""
        return [
            self.ask(f"{each.request.method} {each.request.target}", each.request.body)
            == (each.response.status, each.response.body)
            for each in exchanges
            if each.response is not None
        ]


def test_a_recording_with_states_is_answered_as_it_was_again_and_again() -> None:
    recorded = lives(12).recorded
    mock = Mock(learn(recorded))
    assert all(mock.replay(recorded))
    assert all(mock.replay(recorded)), "what is made again is there again"


def test_one_life_is_enough() -> None:
    recorded = lives(1).recorded
    assert all(Mock(learn(recorded)).replay(recorded))


def test_what_was_never_recorded_has_a_state_of_its_own() -> None:
    mock = Mock(learn(lives(12).recorded))
    assert mock.ask("GET /todos/777")[0] == 200
    assert mock.ask("DELETE /todos/777")[0] == 200
    assert mock.ask("GET /todos/777")[0] == 404
    assert mock.ask("GET /todos/778")[0] == 200
    assert mock.ask("PUT /todos/777", {"title": "u3"})[0] == 200
    assert mock.ask("GET /todos/777")[0] == 200


def test_in_whatever_order_they_come_no_request_misses() -> None:
    recorded = lives(12).recorded
    engine = Engine(compile_service(learn(recorded).service), random.Random(1))
    shuffled = recorded * 5
    random.Random(2).shuffle(shuffled)
    for each in shuffled:
        asked = view(f"{each.request.method} {each.request.target}", each.request.body)
        assert engine.decide(asked, 0).stub is not None


def test_stubs_say_which_write_they_answer_after() -> None:
    learned = learn(lives(12).recorded)
    gone = stub_of(learned, "GET /todos/{id}: after DELETE /todos/{id}")
    after = "after DELETE /todos/{id}"
    assert gone.scenario == ScenarioStep("/todos/{id}", after, None, ("path.id",))
    assert stub_of(learned, "GET /todos/{id}").scenario is None
    assert stub_of(learned, "DELETE /todos/{id}").scenario == ScenarioStep(
        "/todos/{id}", None, after, ("path.id",)
    )
    made = stub_of(learned, "POST /todos").scenario
    assert made is not None
    assert made.key == ("response.id",)
    assert any(line.startswith("state: each /todos/{id} has its own") for line in learned.comments[gone.name])


def test_a_list_that_one_write_changes_has_two_states() -> None:
    empty, full = exchange("GET /cart", [], headers=JSON), {"items": 1}
    recorded = [
        empty,
        exchange("PUT /cart", b"", 204, at_s=1),
        exchange("GET /cart", [full], at_s=2, headers=JSON),
        exchange("GET /cart", [full], at_s=3, headers=JSON),
    ]
    mock = Mock(learn(recorded))
    assert [mock.ask("GET /cart")[1] for _ in range(3)] == [b"[]"] * 3
    mock.ask("PUT /cart")
    assert [mock.ask("GET /cart")[1] for _ in range(3)] == [b'[{"items":1}]'] * 3


def test_errors_by_chance_and_ids_that_never_were_make_no_state() -> None:
    chance = random.Random(4)
    recorded = []
    for number in range(200):
        status = chance.choice((200, 200, 503))
        recorded.append(exchange(f"GET /orders/{number % 20}", {"n": number % 20}, status, at_s=3 * number))
        recorded.append(exchange(f"GET /orders/{9000 + number % 7}", {"e": 1}, 404, at_s=3 * number + 1))
        recorded.append(exchange("POST /orders", {"id": 500 + number}, 201, at_s=3 * number + 2))
    assert all(stub.scenario is None for stub in learn(recorded).service.stubs)
