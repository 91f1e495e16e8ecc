"""An open-loop caller: `python -m examples.orders.traffic --url http://127.0.0.1:8080 --rate 80`.

Open loop: each request is sent when it is due, whether or not the earlier ones have been answered. A caller
that waits for answers slows down together with the backend, and so hides the very queue that is to be seen.
"""

import argparse
import asyncio
import csv
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp

from examples.orders.traffic_plan import PlannedRequest, plan

_TIMEOUT_S = 10.0
_PROGRESS_S = 0.5


@dataclass(frozen=True, slots=True)
class Answer:
    """One request as it went. `late_ms` is how late the caller itself sent it, not part of the latency."""

    operation: str
    due_ms: float
    late_ms: float
    latency_ms: float
    status: str


@dataclass(slots=True)
class Tally:
    """What has been sent and answered so far."""

    sent: int = 0
    answers: list[Answer] = field(default_factory=list)

    def progress(self, elapsed_s: float) -> str:
        """The live line."""
        waiting = self.sent - len(self.answers)
        return f"{elapsed_s:5.1f} s  {self.sent:,} sent  {waiting:,} waiting  {self._statuses()}"

    def summary(self) -> str:
        """The last line: count, statuses, quantiles of the latency, and how late the caller itself was."""
        latencies = [answer.latency_ms for answer in self.answers]
        lateness = [answer.late_ms for answer in self.answers]
        return (
            f"{len(self.answers):,} requests  {self._statuses()}  p50 {quantile(latencies, 0.5):.1f} ms"
            f"  p95 {quantile(latencies, 0.95):.1f} ms  (sent late p95 {quantile(lateness, 0.95):.1f} ms)"
        )

    def _statuses(self) -> str:
        counts = Counter(answer.status for answer in self.answers)
        return "  ".join(f"{status}: {count:,}" for status, count in sorted(counts.items()))


class Caller:
    """Sends planned requests at their due times, until the plan ends or `stop` is called."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.tally = Tally()
        self._url = url.rstrip("/")
        self._session = session
        self._stopped = asyncio.Event()
        self._in_flight: set[asyncio.Task[None]] = set()

    def stop(self) -> None:
        """Send no more, and do not wait for what is still out."""
        self._stopped.set()
        for task in self._in_flight:
            task.cancel()

    async def run(self, requests: Iterable[PlannedRequest]) -> None:
        """Send all of them and wait for the answers; each wait is bounded by the session's timeout."""
        began = time.perf_counter()
        progress = asyncio.create_task(self._show_progress(began))
        for request in requests:
            await self._pause(began + request.due_s - time.perf_counter())
            if self._stopped.is_set():
                break
            self.tally.sent += 1
            task = asyncio.create_task(self._send(request, began))
            self._in_flight.add(task)
            task.add_done_callback(self._in_flight.discard)
        await asyncio.gather(*self._in_flight, return_exceptions=True)
        progress.cancel()
        await asyncio.gather(progress, return_exceptions=True)

    async def _pause(self, seconds: float) -> None:
        if seconds > 0:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), seconds)

    async def _send(self, request: PlannedRequest, began: float) -> None:
        sent = time.perf_counter()
        try:
            async with self._session.request(
                request.method, self._url + request.path, json=request.body
            ) as response:
                await response.read()
                status = str(response.status)
        except TimeoutError:
            status = "timeout"
        except aiohttp.ClientError:
            status = "error"
        latency_ms = (time.perf_counter() - sent) * 1e3
        late_ms = (sent - began - request.due_s) * 1e3
        self.tally.answers.append(Answer(request.operation, request.due_s * 1e3, late_ms, latency_ms, status))

    async def _show_progress(self, began: float) -> None:
        while True:
            await asyncio.sleep(_PROGRESS_S)
            if sys.stderr.isatty():
                print(
                    f"\r{self.tally.progress(time.perf_counter() - began)}",
                    end="\033[K",
                    file=sys.stderr,
                    flush=True,
                )


def quantile(values: list[float], share: float) -> float:
    """The value that `share` of the values do not exceed; 0 when there are none."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else 0.0


async def _call(options: argparse.Namespace) -> int:
    await _check_reachable(options.url)
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=timeout) as session:
        caller = Caller(options.url, session)
        stopped_by: list[signal.Signals] = []

        def stop(by: signal.Signals) -> None:
            stopped_by.append(by)
            caller.stop()

        for one in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(one, stop, one)
        await caller.run(islice(plan(options.seed, options.rate, options.seconds), options.count))
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr, flush=True)
    print(caller.tally.summary())
    if options.samples:
        _write_samples(options.samples, caller.tally.answers)
    return 128 + stopped_by[0] if stopped_by else 0


async def _check_reachable(url: str) -> None:
    """Fail once and clearly rather than a thousand times; opens a connection, sends nothing."""
    parts = urlsplit(url)
    _, writer = await asyncio.open_connection(parts.hostname, parts.port or 80)
    writer.close()


def _write_samples(path: Path, answers: list[Answer]) -> None:
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(("operation", "due_ms", "late_ms", "latency_ms", "status"))
        for one in answers:
            row = (
                one.operation,
                f"{one.due_ms:.3f}",
                f"{one.late_ms:.3f}",
                f"{one.latency_ms:.3f}",
                one.status,
            )
            table.writerow(row)


def main() -> int:
    """Send the traffic; 0 when all was sent, 2 when there is nobody to send it to, 130 after Ctrl-C."""
    options = _arguments()
    try:
        return asyncio.run(_call(options))
    except OSError as error:
        print(f"traffic: cannot reach {options.url}: {error.strerror or error}", file=sys.stderr)
        return 2


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m examples.orders.traffic", description=__doc__)
    parser.add_argument("--url", type=_http_url, default="http://127.0.0.1:8080", help="where to send it")
    parser.add_argument(
        "--rate", type=_positive(float), default=80.0, help="mean requests a second (default: 80)"
    )
    parser.add_argument(
        "--seconds", type=_positive(float), default=12.0, help="how long to send (default: 12)"
    )
    parser.add_argument("--count", type=_positive(int), help="send at most so many requests")
    parser.add_argument(
        "--seed", type=int, default=7, help="same seed, same requests at the same times (default: 7)"
    )
    parser.add_argument("--samples", type=Path, help="write one CSV line a request to this file")
    return parser.parse_args()


def _http_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme != "http" or not parts.hostname:
        raise argparse.ArgumentTypeError(f"has to be like http://127.0.0.1:8080: {text!r}")
    return text


def _positive(kind: Callable[[str], float]) -> Callable[[str], float]:
    def number(text: str) -> float:
        value = kind(text)
        if not 0 < value < 1e9:
            raise argparse.ArgumentTypeError(f"has to be above 0: {text}")
        return value

    return number


if __name__ == "__main__":
    sys.exit(main())
