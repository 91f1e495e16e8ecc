"""Which labels name a request, and what `--map` makes of those that do not."""

from __future__ import annotations

import numpy as np
import pytest

from mockforge.errors import ComparisonError, UsageError
from mockforge.model.sample import OperationSummary, Run, SummaryRun
from mockforge.report.naming import NameMap, operations_of, renamed, request_of


@pytest.mark.parametrize(
    ("label", "named"),
    [
        ("GET http://127.0.0.1:8080/orders/17?full=1", ("GET", "/orders/17?full=1")),
        ("http://h/orders/17", ("GET", "/orders/17")),
        ("http://h", ("GET", "/")),
        ("http://h?x=1", ("GET", "/?x=1")),
        ("POST /orders", ("POST", "/orders")),
        ("/orders/[id]", ("GET", "/orders/0")),
        ("GET /orders/{orderId}/lines/:line", ("GET", "/orders/0/lines/0")),
        ("GET ${}/orders/${}", ("GET", "/orders/0")),
        ("GET {host}/orders/<id>", ("GET", "/orders/0")),
        ("Get order", None),
        ("checkout / Get order", None),
        ("orders", None),
        ("GET", None),
        ("all requests", None),
    ],
)
def test_a_label_that_is_an_address_names_a_request(label: str, named: tuple[str, str] | None) -> None:
    assert request_of(label) == named


def run_with(*operations: str) -> Run:
    size = len(operations)
    zeros = np.zeros(size, np.int64)
    return Run(
        "b.jtl",
        "JMeter",
        operations,
        np.arange(size, dtype=np.int32),
        *(zeros, zeros, zeros),
        zeros.astype(np.int32),
        zeros.astype(np.bool_),
        zeros.astype(np.int32),
        zeros,
    )


def names_of(run: Run | SummaryRun) -> list[str]:
    assert isinstance(run, Run)
    return [run.operations[index] for index in run.operation]


REAL = ["GET /orders/{id}", "POST /orders", "GET /stock/berlin"]


def test_a_name_becomes_the_real_ones() -> None:
    mapped = NameMap.parse(["Get order = GET /orders/{id}"]).apply(run_with("Get order", "x"), REAL)
    assert names_of(mapped) == ["GET /orders/{id}", "x"]


def test_a_star_stands_for_anything_and_is_given_on() -> None:
    mapped = NameMap.parse(["v2 * *=* /*"]).apply(run_with("v2 GET orders/{id}", "v2 POST orders"), REAL)
    assert names_of(mapped) == ["GET /orders/{id}", "POST /orders"]


def test_a_parameter_stands_for_one_segment_whatever_its_name() -> None:
    mapped = NameMap.parse(["GET /api/orders/{order}=GET /orders/{id}"]).apply(
        run_with("GET /api/orders/17", "GET /api/orders/{id}"), REAL
    )
    assert names_of(mapped) == ["GET /orders/{id}"] * 2


def test_the_first_pattern_that_fits_counts() -> None:
    mapped = NameMap.parse(["a*=POST /orders", "*=GET /stock/berlin"]).apply(run_with("ab", "b"), REAL)
    assert names_of(mapped) == ["POST /orders", "GET /stock/berlin"]


def test_a_name_that_the_real_run_lacks_changes_nothing() -> None:
    mapped = NameMap.parse(["x=GET /nowhere", "x=POST /orders"]).apply(run_with("x"), REAL)
    assert names_of(mapped) == ["POST /orders"]


def test_a_pattern_that_fits_nothing_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(ComparisonError, match=r"fits no operation .*\(did you mean 'Get order'"):
        NameMap.parse(["get orders=POST /orders"]).refuse_unused([(["Get order", "x"], REAL)])


def test_a_name_that_the_real_run_does_not_have_is_refused_with_the_nearest() -> None:
    with pytest.raises(ComparisonError, match=r"leads to 'GET /order/\{id\}', which .*mean 'GET /orders"):
        NameMap.parse(["x=GET /order/{id}"]).refuse_unused([(["x"], REAL)])


def test_a_pair_may_be_of_either_level() -> None:
    NameMap.parse(["x=POST /orders"]).refuse_unused([(["y"], ["GET /y"]), (["x"], REAL)])


@pytest.mark.parametrize("text", ["x", "=a", "a=", "a=b*"])
def test_what_is_no_map_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--map"):
        NameMap.parse([text])


def test_summaries_that_share_a_name_become_one_without_percentiles() -> None:
    one = OperationSummary("a", 10, 1, 20.0, {0.5: 10.0}, answered_per_s=3.0)
    other = OperationSummary("b", 30, 3, 40.0, {0.5: 30.0}, answered_per_s=5.0)
    run = renamed(SummaryRun("x", "Locust", (one, other)), {"a": "c", "b": "c"})
    assert isinstance(run, SummaryRun)
    assert operations_of(run) == ["c"]
    (both,) = run.operations
    assert (both.count, both.failed, both.mean_ms, both.answered_per_s) == (40, 4, 35.0, 8.0)
    assert both.quantiles_ms == {}
