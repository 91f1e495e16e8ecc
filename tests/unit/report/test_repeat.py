"""The commands that make a report again."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from mockforge.model.sample import Run
from mockforge.report.comparing import compare_runs
from mockforge.report.deviation import Origin
from mockforge.report.repeat import commands
from mockforge.report.tolerances import Tolerances


def line(make_run: Callable[..., Run], kind: str, target: str, notes: Mapping[str, str]) -> str:
    run = make_run({"GET /a": [1]}, kind=kind, name="a b.mfrec")
    return commands(compare_runs(run, run, Origin("a b.mfrec", target, "mockforge 1", 0, notes)))[0]


@pytest.mark.parametrize(
    ("kind", "target", "notes", "expected"),
    [
        ("recording", "http://h", {}, "mockforge record --target http://h --out 'a b.mfrec'"),
        ("serve", "stubs/x", {"seed": "7"}, "mockforge serve stubs/x --seed 7 --record-run 'a b.mfrec'"),
        (
            "replay",
            "http://h",
            {"source": "r.mfrec", "speed": "1.5"},
            "mockforge replay r.mfrec --target http://h --speed 1.5 --out 'a b.mfrec'",
        ),
        ("replay", "http://h", {}, "mockforge compare 'a b.mfrec' 'a b.mfrec' --html report.html"),
        ("other", "", {}, "mockforge compare 'a b.mfrec' 'a b.mfrec' --html report.html"),
    ],
)
def test_a_run_is_made_again_by_the_command_that_made_it(
    make_run: Callable[..., Run], kind: str, target: str, notes: Mapping[str, str], expected: str
) -> None:
    assert line(make_run, kind, target, notes) == expected


def test_the_comparison_is_made_again_with_its_tolerances(make_run: Callable[..., Run]) -> None:
    run = make_run({"GET /a": [10.0] * 5})
    tolerances = Tolerances.parse(["p95=12%", "gap<0.1"])
    last = commands(compare_runs(run, run, tolerances=tolerances))[-1]
    assert "--tolerance p95=12% --tolerance 'gap<0.1'" in last
