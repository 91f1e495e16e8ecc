"""What a fit says in words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mockforge.learning.capacity_station import (
    GateStation,
    LimitedStation,
    NoLoadDependence,
    PoolStation,
    SharingStation,
    StationLaw,
)
from mockforge.learning.load_shedding import Shedding
from mockforge.learning.spells import find_spells
from mockforge.report.fit import FitReport
from mockforge.report.fit_prose import (
    candidate_error,
    fit_headline,
    fit_paragraph,
    fit_remarks,
    load_findings,
    load_meaning,
    saturation_per_s,
    spells_meaning,
    station_words,
)
from tests.unit.report.fit_examples import EVIL, capacity, latencies, operation, service, unidentified

EMPTY = FitReport("empty", "empty.mfrec", 0, 0.0, ())


def test_the_headline_counts_exchanges_and_operations() -> None:
    assert fit_headline(service()) == "orders: 412 exchanges of 2 operations, in 1.6 s"


def test_a_station_saturates_at_its_pace_over_the_mean_demand() -> None:
    assert (
        load_meaning(service())
        == "Latency depends on load: 4 servers, first come first served, saturates near 400/s."
    )
    curve = replace(capacity(), station=SharingStation((1.0, 1.6, 1.8)))
    assert saturation_per_s(curve) == pytest.approx(180)
    assert saturation_per_s(replace(curve, demands_ns=np.full(3, np.nan))) is None


def test_what_is_not_identifiable_is_said_with_its_reason() -> None:
    report = replace(service(), capacity=unidentified())
    assert load_meaning(report).startswith("Not identifiable: recorded at up to 4 in flight")
    assert saturation_per_s(unidentified()) is None
    first = fit_remarks(report)[0]
    assert first.grave
    assert "recorded at up to 4 in flight" in first.text


@pytest.mark.parametrize(
    ("station", "words"),
    [
        (SharingStation.of(1), "1 server, shared by all that are in flight"),
        (SharingStation((1.0, 1.5)), "sharing by a measured curve, up to 1.50 times the pace of one alone"),
        (LimitedStation((1.0,), 8), "1 server, shared by at most 8; others wait"),
        (
            LimitedStation((1.0, 1.5), 8),
            "at most 8 share, up to 1.50 times the pace of one alone; others wait",
        ),
        (PoolStation(2), "2 servers, in no known order"),
        (GateStation(2.5e6, 3e5), "a gate that one request passes each 2.50 ms; the others wait"),
        (NoLoadDependence(), "no load dependence"),
    ],
)
def test_every_station_has_words(station: StationLaw, words: str) -> None:
    assert station_words(station) == words


def test_what_nobody_looked_at_is_not_claimed() -> None:
    assert load_meaning(EMPTY) == "Whether latency depends on load was not looked at."
    assert spells_meaning(EMPTY) == "Whether answers are slow together was not looked at."
    assert [remark.code for remark in fit_remarks(EMPTY)] == ["nothing-learned"]


def test_slow_spells_are_counted_with_their_lengths_and_share() -> None:
    latency = np.full(4_000, 10_000_000, dtype=np.int64) + np.arange(4_000)
    for begin in (500, 1_700, 3_000):
        latency[begin : begin + 100] *= 8
    found = find_spells(
        np.arange(4_000, dtype=np.int64) * 10_000_000, latency, np.zeros(4_000, dtype=np.int32)
    )
    told = spells_meaning(replace(EMPTY, spells=found))
    assert told.startswith("3 slow spells of ")
    assert "7.5 % of the calls" in told


def test_a_model_that_misses_its_own_recording_is_not_to_be_leaned_on() -> None:
    codes = [
        remark.code
        for remark in fit_remarks(replace(service(), capacity=capacity(check=-0.4)))
        if remark.grave
    ]
    assert codes == ["self-check"]
    assert not any(remark.grave for remark in fit_remarks(service()))


def test_a_station_whose_demands_follow_load_is_said_to() -> None:
    doubtful = replace(capacity(), candidates=(replace(capacity().candidates[0], accepted=False),))
    assert "no-station" in [remark.code for remark in fit_remarks(replace(service(), capacity=doubtful))]


def test_quantiles_that_are_not_claimed_are_named_once_with_what_they_take() -> None:
    texts = [remark.text for remark in fit_remarks(service())]
    assert "no p99.9 is claimed for GET /orders/{id}: 200: that takes 3,688 answers" in texts
    assert f"{EVIL}: 200 rests on 12 answers: its tail is not known" in texts
    assert "OpenAPI: <b>GET /x</b> is not described" in texts


def test_remarks_of_an_operation_carry_its_name() -> None:
    noted = replace(operation("GET /a", latencies(400)), remarks=("pooled with the others",))
    texts = [remark.text for remark in fit_remarks(replace(service(), operations=(noted,)))]
    assert "GET /a: 200: pooled with the others" in texts


def test_of_what_load_does_only_what_was_seen_is_a_finding() -> None:
    assert load_findings(capacity()) == ()
    shed = replace(capacity().load, shedding=Shedding(9, 503, "9 refused from 20 in flight on"))
    assert load_findings(replace(capacity(), load=shed)) == ("refusals: 9 refused from 20 in flight on",)


def test_a_paragraph_says_what_the_figures_rest_on() -> None:
    fitted = operation("GET /a", latencies(400))
    assert fit_paragraph(fitted, 0.05).startswith("Learned from 400 answers: the table has ")
    assert "5.0 % of the mean latency off" in fit_paragraph(fitted, 0.05)
    censored = replace(fitted, fit=replace(fitted.fit, censored=1))
    assert "1 caller left before the answer." in fit_paragraph(censored, 0.05)
    assert "nothing to compare" in fit_paragraph(replace(fitted, recorded_ms=np.zeros(0)), float("nan"))


def test_the_held_out_error_is_a_share_and_unknown_where_it_could_not_be_learned() -> None:
    first, second = capacity().candidates
    assert candidate_error(first) == pytest.approx(np.exp(0.05) - 1)
    assert np.isnan(candidate_error(second))
