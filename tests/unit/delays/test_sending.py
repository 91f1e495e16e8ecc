"""What is drawn of an answer's sending."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from mockforge.delays.event_stream import CompiledStream
from mockforge.delays.pacing import Finish, InMemory, Spread
from mockforge.delays.sending import Sending, compile_sending
from mockforge.model.sending import Dribble, FaultDefinition, SendingDefinition
from mockforge.model.stub import DelayDistribution

MS = 1_000_000


def draw(
    written: SendingDefinition, *, level: float = 0.5, number: Callable[[], float] = lambda: 0.5
) -> Sending | None:
    compiled = compile_sending(written, None)
    assert compiled is not None
    return compiled.draw(level, number, Random(1))


def test_an_answer_of_which_nothing_is_written_is_not_drawn() -> None:
    assert compile_sending(None, None) is None
    assert draw(SendingDefinition()) is None


def test_the_body_s_time_is_drawn_at_the_level_of_the_delay() -> None:
    law = DelayDistribution("uniform", {"lower": 0, "upper": 100})
    sending = draw(SendingDefinition(body_time=law), level=0.25)
    assert sending is not None
    assert sending.pace == Spread(25 * MS)


def test_a_fault_comes_as_often_as_its_probability_says() -> None:
    numbers = iter([0.0, 0.29, 0.3, 0.9])
    fault = SendingDefinition(fault=FaultDefinition("EMPTY_RESPONSE", 0.3))
    drawn = [draw(fault, number=lambda: next(numbers)) for _ in range(4)]
    assert [each is not None for each in drawn] == [True, True, False, False]


def test_a_fault_that_always_comes_draws_no_number() -> None:
    def never() -> float:
        raise AssertionError

    sending = draw(SendingDefinition(fault=FaultDefinition("RANDOM_DATA_THEN_CLOSE")), number=never)
    assert sending is not None
    assert sending.fault is not None
    assert len(sending.fault.noise) == 64


def test_every_time_is_scaled() -> None:
    compiled = compile_sending(SendingDefinition(dribble=Dribble(2, 100)), None)
    assert compiled is not None
    sending = compiled.draw(0, lambda: 0, Random(1), scale=0.5)
    assert sending is not None
    script = sending.script(b"H", b"\r\n", InMemory(b"ab"), chunked=False)
    assert [at_ns // MS for at_ns, _ in script.pieces] == [0, 25, 50]


def test_without_time_a_stream_for_ever_is_sent_once_and_stays_open() -> None:
    sending = Sending(stream=CompiledStream(((MS, b"x"),), None, stays_open=False), scale=0.0)
    script = sending.script(b"H", b"", InMemory(b""), chunked=False)
    assert [(at_ns, bytes(data)) for at_ns, data in script.pieces] == [(0, b"H"), (0, b"x")]
    assert script.finish is Finish.HOLDS
