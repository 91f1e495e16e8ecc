"""Answers that changed: because of a write, or by chance."""

from __future__ import annotations

from mockforge.learning.states import Changes, changes_of
from mockforge.model.exchange import Exchange
from tests.unit.learning.made import answers_of, exchange, learn


def changes(exchanges: list[Exchange]) -> Changes:
    answers = answers_of(exchanges)
    (outcome,) = answers.outcomes()
    return changes_of(answers, outcome, ("path.id",))


def life_of(number: int, *, written: bool) -> list[Exchange]:
    """Asked twice, shipped, asked twice again."""
    at_s, asked = number * 10, f"GET /orders/{number}"
    before, after = {"state": "open", "n": number**2 % 7}, {"state": "sent", "n": number**2 % 7}
    exchanges = [exchange(asked, before, at_s=at_s), exchange(asked, before, at_s=at_s + 1)]
    if written:
        exchanges.append(exchange(f"PUT /orders/{number}", b"", 204, at_s=at_s + 2))
    return [*exchanges, exchange(asked, after, at_s=at_s + 3), exchange(asked, after, at_s=at_s + 4)]


def test_an_answer_that_changed_after_a_write_has_a_state() -> None:
    found = changes([each for number in range(5) for each in life_of(number, written=True)])
    assert found == Changes(requests=5, changes=5, after_writes=5, example="PUT /orders/0")
    assert found.are_state
    assert "5 requests got another answer after a write (PUT /orders/0)" in (found.described() or "")


def test_an_answer_that_changed_by_itself_has_none() -> None:
    found = changes([each for number in range(5) for each in life_of(number, written=False)])
    assert not found.are_state
    assert "nothing in them tells why" in (found.described() or "")


def test_an_answer_that_did_not_change_is_not_mentioned() -> None:
    assert changes([exchange("GET /orders/1", {"a": 1})] * 5).described() is None


def test_states_that_the_last_write_does_not_tell_are_said_and_given_in_the_recorded_order() -> None:
    again = [
        each
        for number in range(5)
        for version in range(6)
        for each in (
            exchange(f"PUT /orders/{number}", b"", 204, at_s=100 * number + 10 * version),
            exchange(
                f"GET /orders/{number}", {"n": number, "v": version}, at_s=100 * number + 10 * version + 5
            ),
        )
    ]
    learned = learn(again)
    stub = next(each for each in learned.service.stubs if each.name == "GET /orders/{id}")
    variants = stub.responses[0].variants
    assert variants is not None
    assert variants.by == ("path.id",)
    states = [row.body.value["v"] for row in variants.rows if row.body]  # type: ignore[index]
    assert states == [0, 1, 2, 3, 4, 5] * 5
    assert any("state: 5 requests" in line for line in learned.comments[stub.name])
