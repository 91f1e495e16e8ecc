"""The services of the prediction row are what they say, and what they give is judged against the truth."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.prediction import SERVICES, Service


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_a_service_keeps_up_below_its_capacity_and_not_above(service: Service) -> None:
    below, above = (service.recorded((load,), 6_000, (1, 2)) for load in (0.9, 1.2))
    for arrived, departed in (below, above):
        assert (departed > arrived).all()
    waited = [float((departed - arrived)[-500:].mean()) for arrived, departed in (below, above)]
    assert waited[1] > 5 * waited[0]


def test_the_same_seeds_give_the_same_recording_and_others_other_demands() -> None:
    first, again, other = (SERVICES[0].recorded((0.5,), 200, seed) for seed in ((1, 2), (1, 2), (1, 3)))
    assert np.array_equal(first[1], again[1])
    assert np.array_equal(first[0], other[0])
    assert not np.array_equal(first[1], other[1])
