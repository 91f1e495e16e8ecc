"""How right an answer is."""

from __future__ import annotations

import pytest

from mockforge.learning.answers import Answer
from mockforge.learning.fidelity import Fidelity, Judged, judge, tally
from mockforge.learning.volatile import Volatile
from mockforge.model.headers import Headers

STEADY = Volatile({})


def given(body: bytes, status: int = 200, content: str = "application/json; charset=utf-8") -> Answer:
    return Answer(status, Headers((("Content-Type", content),)), body)


@pytest.mark.parametrize(
    ("one", "other", "right"),
    [
        (given(b'{"a":1}'), given(b'{"a": 1}'), (True, True, True)),
        (given(b'{"a":1}'), given(b'{"a":2}'), (True, True, False)),
        (given(b'{"a":1}'), given(b'{"b":1}'), (True, False, False)),
        (given(b'{"a":1}'), given(b'{"a":1}', 404), (False, False, False)),
        (given(b'{"a":1}'), given(b"text"), (True, False, False)),
        (given(b"one", content="text/plain"), given(b"two", content="text/plain"), (True, True, False)),
        (given(b"one", content="text/plain"), given(b"one", content="text/html"), (True, False, False)),
        (given(b"one", content="text/plain"), given(b"", content="text/plain"), (True, False, False)),
        (given(b""), given(b""), (True, True, True)),
    ],
)
def test_an_answer_is_judged_by_status_shape_and_content(
    one: Answer, other: Answer, right: tuple[bool, bool, bool]
) -> None:
    assert judge(one, other, STEADY) == Judged(*right)


def test_what_is_of_the_moment_does_not_make_content_wrong() -> None:
    volatile = Volatile({("at",): "instant"})
    assert judge(given(b'{"a":1,"at":1}'), given(b'{"a":1,"at":2}'), volatile).content
    assert not judge(given(b'{"a":1,"at":1}'), given(b'{"a":2,"at":1}'), volatile).content


def test_verdicts_are_counted_by_operation_and_chance_apart() -> None:
    right, wrong = Judged(True, True, True), Judged(True, False, False)
    judged = tally([("b", right), ("a", wrong), ("a", right), ("a", None)])
    assert judged == [Fidelity("a", 2, 2, 1, 1, by_chance=1), Fidelity("b", 1, 1, 1, 1)]
    assert judged[0].shares() == (1.0, 0.5, 0.5)
    assert Fidelity("none", 0, 0, 0, 0).shares() == (1.0, 1.0, 1.0)
