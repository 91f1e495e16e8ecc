"""Times that cannot be are told from those that can, one by one and in columns alike."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mockforge.learning.soundness import Soundness, has_possible_times, possible_times
from mockforge.model.exchange import Exchange
from tests.unit.learning.made import exchange, learn

SOUND = exchange("GET /a", {"a": 1})


@pytest.mark.parametrize(
    ("odd", "possible"),
    [
        (SOUND, True),
        (replace(SOUND, total_ns=0, ttfb_ns=0), True),
        (replace(SOUND, ttfb_ns=None), True),
        (replace(SOUND, total_ns=-1), False),
        (replace(SOUND, ttfb_ns=SOUND.total_ns + 1), False),
        (replace(SOUND, arrived_ns=-1), False),
        (replace(SOUND, total_ns=10**18), False),
    ],
)
def test_times_can_be_or_not(odd: Exchange, possible: bool) -> None:
    ttfb_ns = -1 if odd.ttfb_ns is None else odd.ttfb_ns
    arrived, total, ttfb = (np.array([each]) for each in (odd.arrived_ns, odd.total_ns, ttfb_ns))
    assert has_possible_times(odd) == possible
    assert possible_times(arrived, total, ttfb).tolist() == [possible]


def test_a_sound_recording_says_nothing() -> None:
    soundness = Soundness()
    soundness.add(SOUND)
    assert list(soundness.sentences()) == []


def test_answers_are_learned_where_times_cannot_be() -> None:
    learned = learn([replace(SOUND, total_ns=-7, ttfb_ns=-9)] * 3)
    (stub,) = learned.service.stubs
    assert stub.responses[0].body is not None
    assert "success: no time of these can be: they are given at once" in learned.comments[stub.name]
    assert any("3 exchanges have times that cannot be" in remark for remark in learned.remarks)


def test_of_sound_and_unsound_times_the_sound_ones_count() -> None:
    learned = learn([SOUND] * 40 + [replace(SOUND, total_ns=10**18)] * 40)
    assert learned.outcomes[0].fit.count == 40
