"""What is learned does not depend on the order of the requests, and serves what was recorded."""

from __future__ import annotations

from random import Random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mockforge.engine import Engine, compile_service
from mockforge.learning.latency import fit_latency
from mockforge.learning.learn import Learner
from mockforge.learning.operations import Operations, path_of
from mockforge.matching.url import template_regex
from mockforge.model.exchange import Exchange, Request, Response
from mockforge.model.request import RequestView

segments = st.one_of(
    st.sampled_from(["orders", "items", "v1", "search", "", "2fa", "a%20b", "17", "2026-01-31", "{id}"]),
    st.text("ab1{}-.", min_size=1, max_size=4),
    st.integers(0, 99).map(str),
)
paths = st.lists(segments, min_size=1, max_size=4).map(lambda parts: "/" + "/".join(parts))
queries = st.sampled_from(["", "?", "?page=1", "?page=2&q=", "?=1", "?flag", "?_=1&q=a%26b"])
targets = st.builds("{}{}".format, paths, queries)
requests = st.tuples(st.sampled_from(["GET", "POST"]), targets)


@settings(deadline=None, max_examples=70)
@given(st.lists(requests, max_size=30), st.randoms(use_true_random=False))
def test_operations_do_not_depend_on_the_order_or_the_number_of_the_requests(
    asked: list[tuple[str, str]], random: Random
) -> None:
    again = asked + asked[:5]
    random.shuffle(again)
    one, other = Operations.find(asked), Operations.find(again)
    assert one.all == other.all
    assert [one.name_of(*each) for each in asked] == [other.name_of(*each) for each in asked]


@settings(deadline=None, max_examples=70)
@given(st.lists(requests, min_size=1, max_size=30))
def test_every_request_matches_the_template_of_its_operation(asked: list[tuple[str, str]]) -> None:
    operations = Operations.find(asked)
    for method, target in asked:
        operation = operations.of(method, target)
        assert operation in operations.all
        assert operation.method == method
        assert template_regex(operation.template).fullmatch(path_of(target))
        assert len(set(operation.parameters)) == len(operation.parameters)


def meaning_of(method: str, target: str) -> tuple[object, ...]:
    """What a key holds of a request: `/a`, `/a?` and `/a?flag` are the same to it."""
    view = RequestView(method, target)
    return (
        method,
        view.path,
        tuple((name, *values) for name, values in view.query.items() if name and any(values)),
    )


@settings(deadline=None, max_examples=70)
@given(st.data())
def test_a_backend_of_one_answer_a_request_is_served_as_it_was_recorded(data: st.DataObject) -> None:
    asked = data.draw(st.lists(requests, min_size=1, max_size=15))
    answers = {
        meaning: Response(data.draw(st.sampled_from([200, 201, 404])), body=data.draw(st.binary(max_size=3)))
        for meaning in dict.fromkeys(meaning_of(*each) for each in asked)
    }
    learner = Learner(asked)
    for number, (method, target) in enumerate(asked):
        learner.add(
            Exchange(0, number, Request(method, target), answers[meaning_of(method, target)], 1_000_000)
        )
    engine = Engine(compile_service(learner.learn("s", None, "r").service), Random(1))
    for method, target in asked:
        recorded = answers[meaning_of(method, target)]
        decision = engine.decide(RequestView(method, target), 0)
        assert decision.stub == Operations.find(asked).name_of(method, target)
        assert (decision.response.status, decision.response.body) == (recorded.status, recorded.body)


@settings(deadline=None, max_examples=70)
@given(st.lists(st.integers(0, 10**11), min_size=1, max_size=200))
def test_a_latency_table_rises_and_stays_within_its_sample(latencies_ns: list[int]) -> None:
    points = fit_latency(np.array(latencies_ns, dtype=np.int64)).distribution.parameters["points"]
    assert isinstance(points, dict)
    values = list(points.values())
    assert list(points) == sorted(points)
    assert values == sorted(values)
    least, most = (max(each / 1e6, 1e-3) for each in (min(latencies_ns), max(latencies_ns)))
    assert least * (1 - 5e-4) <= values[0]
    assert values[-1] <= most * (1 + 5e-4)
