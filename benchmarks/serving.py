"""The serving path beside other tools: what a request costs, and how late an answer is."""

from __future__ import annotations

from benchmarks.bounds import Bound, judged, no_errors
from benchmarks.measure import Bench, Measured, Row, Run, in_turn
from benchmarks.peers import (
    WIREMOCK_FAST,
    WIREMOCK_FAST_DELAYS,
    Server,
    mockforge,
    mountebank,
    nginx,
    raw_asgi,
    wiremock,
)
from benchmarks.processes import Probe
from benchmarks.results import Contestant
from benchmarks.stubsets import (
    STATIC_PATH,
    body_requests,
    body_stub,
    mixed_requests,
    mixed_stubs,
    static_stub,
)

__all__ = ["ROWS"]

_FAST = f"WireMock runs with `{' '.join(WIREMOCK_FAST)}`."
_STATIC = [Probe(STATIC_PATH)]


def static(bench: Bench) -> Measured:
    """What the fast lane costs when there is nothing to do."""
    servers = [
        nginx(),
        mockforge(static_stub()),
        raw_asgi(),
        wiremock(static_stub(), flags=WIREMOCK_FAST),
        mountebank(),
    ]
    contestants = in_turn(bench, [Run(server, _STATIC, 64, base="nginx") for server in servers])
    return Measured(
        title="Static stub, GET, 64 connections",
        how=f"nginx answers with `return 200`; every server sends the same body. {_FAST} {bench.scale}",
        checks=(judged(contestants, _over_nginx(1.7)), no_errors(contestants)),
        contestants=contestants,
        ratio="× nginx",
    )


def _over_nginx(times: float) -> Bound:
    return Bound("CPU a request over nginx's", "ratio", "at most", times, "×")


def stubs(bench: Bench) -> Measured:
    """What it costs to find one stub among many."""
    few, many = 10, bench.scale.many_stubs
    runs = []
    for make in (mockforge, _fast_wiremock):
        name = "MockForge" if make is mockforge else "WireMock"
        names = {count: f"{name}, {count:,} stubs" for count in (few, many)}
        runs += [
            Run(make(mixed_stubs(count), names[count]), mixed_requests(count), 64, base=names[few])
            for count in (few, many)
        ]
    contestants = in_turn(bench, runs)
    over_few = Bound(f"CPU a request over that with {few} stubs", "ratio", "at most", 1.15, "×")
    return Measured(
        title=f"{many:,} stubs against {few}, GET, 64 connections",
        how="A third each of exact paths, path templates and regular expressions, of two shapes each; half "
        "of the templates and of the expressions differ only after a variable part. "
        f"{len(mixed_requests(many))} different requests in turn, a third for each kind. "
        f"{_FAST} {bench.scale}",
        checks=(
            judged(contestants, over_few, f"MockForge, {many:,} stubs"),
            no_errors(contestants),
        ),
        contestants=contestants,
        ratio=f"× {few} stubs",
    )


def _fast_wiremock(mappings: list[dict[str, object]], name: str) -> Server:
    return wiremock(mappings, name, WIREMOCK_FAST)


def body(bench: Bench) -> Measured:
    """What it costs to read the body, and to write one."""
    servers = [
        nginx(),
        mockforge(body_stub("jinja")),
        wiremock(body_stub("response-template"), flags=WIREMOCK_FAST),
    ]
    contestants = in_turn(bench, [Run(server, body_requests(), 64, base="nginx") for server in servers])
    return Measured(
        title="POST, two body matchers, templated JSON response, 64 connections",
        how="`matchesJsonPath` with a value to equal, `equalToJson` with `ignoreExtraElements`, and a "
        "`jsonBody` with two expressions that read the request's body; 50 different orders in turn. nginx "
        f"gets the same requests and answers `return 200`. {_FAST} {bench.scale}",
        checks=(judged(contestants, _over_nginx(7)), no_errors(contestants)),
        contestants=contestants,
        ratio="× nginx",
    )


def _delayed(bench: Bench, delay_ms: int, connections: int) -> tuple[Contestant, ...]:
    delayed = static_stub(delay_ms)
    servers = [
        mockforge(delayed),
        wiremock(delayed, "WireMock, default"),
        wiremock(delayed, "WireMock, asynchronous", WIREMOCK_FAST_DELAYS),
    ]
    return in_turn(bench, [Run(server, _STATIC, connections) for server in servers])


_DELAYED = (
    "Latency as the caller sees it, from the request's last byte sent. "
    f"WireMock runs as it comes, and with `{' '.join(WIREMOCK_FAST_DELAYS)}`."
)


def delay_5ms(bench: Bench) -> Measured:
    """How late a short delay ends."""
    contestants = _delayed(bench, 5, 100)
    return Measured(
        title="Fixed delay of 5 ms, 100 connections",
        how=f"{_DELAYED} {bench.scale}",
        checks=(
            judged(contestants, Bound("p50", "p50_ms", "at most", 5.4, "ms")),
            judged(contestants, Bound("p99", "p99_ms", "at most", 6.0, "ms")),
            no_errors(contestants),
        ),
        contestants=contestants,
    )


def delay_20ms(bench: Bench) -> Measured:
    """How late delays end when a thousand run at a time."""
    contestants = _delayed(bench, 20, 1000)
    return Measured(
        title="Fixed delay of 20 ms, 1,000 connections",
        how=f"{_DELAYED} {bench.scale}",
        checks=(
            judged(contestants, Bound("p50", "p50_ms", "at most", 20.6, "ms")),
            judged(contestants, Bound("p99", "p99_ms", "at most", 23.0, "ms")),
            judged(contestants, Bound("requests/s", "requests_per_s", "at least", 45_000)),
            no_errors(contestants),
        ),
        contestants=contestants,
    )


#: By the names that `--rows` takes, in the order in which they are run.
ROWS: dict[str, Row] = {
    "static": static,
    "stubs": stubs,
    "body": body,
    "delay-5ms": delay_5ms,
    "delay-20ms": delay_20ms,
}
