"""Naming very many requests by some of each group gives the names that all of them would get."""

from __future__ import annotations

import pytest

from mockforge.cli.operation_names import operation_names
from mockforge.learning.operations import Operations

REQUESTS = {
    *(("GET", f"/orders/{number}/items/{number % 9}?q={number}") for number in range(600)),
    *(("DELETE", f"/orders/{number}") for number in range(300)),
    *(("GET", f"/files/00000000-0000-4000-8000-{number:012x}/raw") for number in range(300)),
    *(("GET", f"/tags/{word}") for word in ("red", "green", "blue")),
    ("GET", "http://h/orders/7"),
    ("GET", "/v2/7"),
    ("GET", "/"),
}


def each_looked_at() -> dict[tuple[str, str], str]:
    operations = Operations.find(REQUESTS)
    return {request: operations.name_of(*request) for request in REQUESTS}


def test_few_requests_are_each_looked_at() -> None:
    assert operation_names(REQUESTS) == each_looked_at()


def test_many_requests_get_the_names_of_all_from_some(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[int] = []
    find = Operations.find

    def counting(requests: set[tuple[str, str]]) -> Operations:
        looked_at.append(len(requests))
        return find(requests)

    expected = each_looked_at()
    monkeypatch.setattr("mockforge.cli.operation_names._MANY", 100)
    monkeypatch.setattr("mockforge.cli.operation_names._SAMPLE", 20)
    monkeypatch.setattr(Operations, "find", counting)
    assert operation_names(REQUESTS) == expected
    assert max(looked_at) < 100


def test_a_group_of_several_operations_has_every_request_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    class ByLength:
        """Stands for a rule that tells paths of one look apart."""

        @classmethod
        def find(cls, requests: object) -> ByLength:
            return cls()

        def name_of(self, method: str, target: str) -> str:
            return f"{method} {len(target)}"

    monkeypatch.setattr("mockforge.cli.operation_names._MANY", 100)
    monkeypatch.setattr("mockforge.cli.operation_names._SAMPLE", 500)
    monkeypatch.setattr("mockforge.cli.operation_names.Operations", ByLength)
    names = operation_names(REQUESTS)
    assert names == {(method, target): f"{method} {len(target)}" for method, target in REQUESTS}
