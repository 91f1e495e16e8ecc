"""What every family of the report's numbers keeps."""

from __future__ import annotations

import numpy as np
import pytest

from mockforge.model.sample import Run
from mockforge.report.metrics.kinds import Family
from mockforge.report.metrics.registry import FAMILIES, FAMILY_OF, KINDS
from tests.unit.report.runs import drawn_run, run_of

RUNS = {
    "many": drawn_run(1, 3_000, errors=0.05),
    "few": drawn_run(2, 12),
    "one": run_of(np.array([5.0])),
    "at once": run_of(np.zeros(40)),
    "failing": run_of(np.full(40, 3.0), failed=np.ones(40, dtype=np.bool_)),
}


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_a_figure_lies_within_its_interval(family: Family, run: Run) -> None:
    for name, interval in family.measure(run).items():
        assert name in {kind.name for kind in family.kinds}
        if not np.isnan(interval.estimate):
            assert interval.low <= interval.estimate + 1e-9, name
            assert interval.estimate <= interval.high + 1e-9, name


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_more_samples_never_widen_it(family: Family) -> None:
    few, many = family.measure(drawn_run(3, 3_000)), family.measure(drawn_run(3, 30_000))
    for name in set(few) & set(many):
        widths = [found[name].high - found[name].low for found in (few, many)]
        if all(map(np.isfinite, widths)):
            assert widths[1] <= 1.05 * widths[0] + 1e-9, name


def test_names_are_of_one_family_alone_and_say_what_they_are() -> None:
    names = [kind.name for family in FAMILIES for kind in family.kinds]
    assert len(names) == len(set(names))
    assert set(names) <= set(FAMILY_OF)
    assert all(kind.says for kind in KINDS.values())
