"""What is refused before anything is sent."""

from __future__ import annotations

import pytest

from mockforge.errors import UsageError
from mockforge.model.exchange import Exchange, Request
from mockforge.replay.pace import Pace, Segment
from mockforge.replay.safety import check_host, check_methods, check_rate
from mockforge.replay.schedule import make_schedule
from mockforge.replay.workload import Workload, read_workload
from mockforge.targets import parse_target


def workload(*methods: str) -> Workload:
    return read_workload(Exchange(0, at, Request(method, "/"), None, 0) for at, method in enumerate(methods))


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:1", "http://127.8.0.1", "http://[::1]:9", "http://localhost", "http://A.localhost"],
)
def test_this_machine_may_always_be_loaded(url: str) -> None:
    check_host(parse_target(url), [])


def test_another_host_must_be_named() -> None:
    target = parse_target("https://orders.staging.example.com/api")
    with pytest.raises(UsageError, match=r"not on this machine .*--allow-host orders\.staging\.example\.com"):
        check_host(target, [])
    with pytest.raises(UsageError, match=r"--allow-host names other\.example\.com"):
        check_host(target, ["other.example.com"])
    check_host(target, ["Orders.Staging.example.com"])


def test_methods_that_may_change_data_are_refused_with_their_counts() -> None:
    check_methods(workload("GET", "HEAD", "OPTIONS"))
    with pytest.raises(UsageError, match="1 DELETE, 2 POST of 5 requests may change data"):
        check_methods(workload("GET", "POST", "GET", "DELETE", "POST"))


def test_a_schedule_above_the_rate_is_refused_with_the_place() -> None:
    schedule = make_schedule(
        workload("GET"), Pace(ramp=(Segment(10, 10, 5), Segment(40, 40, 1), Segment(5, 5, 5)))
    )
    check_rate(schedule, 40)
    with pytest.raises(UsageError, match=r"40 requests are due within the second from 5\.0 s on"):
        check_rate(schedule, 39)
