"""The carrier: the slow dependency that the backend asks for shipping quotes. A process of its own.

It works as old batch gateways do. Requests are collected, and each 40 ms the ones that have come in are
worked off together and answered together. So a quote takes the wait for the next cycle plus the batch's work:
the tariff is read anew for every batch, and each parcel is routed through the depot network. Nothing here
sleeps a drawn time.

Protocol: TCP on the loopback address; one JSON object a line each way, answers in the order of the requests.
Its port is the first line on stdout. It ends when its stdin ends: whoever started it holds the other side of
that pipe, so it cannot outlive its owner, however that one dies.
"""

import asyncio
import csv
import heapq
import io
import json
import random
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from examples.orders.names import CITIES

CYCLE_S = 0.040
_SIDE = 22
_WEIGHT_BANDS_G = range(100, 240_100, 100)
_ZONES = 6


@dataclass(frozen=True, slots=True)
class Parcel:
    """One request as it waits for its batch."""

    order: int
    city: str
    weight_g: int
    reply_to: asyncio.StreamWriter


class DepotNetwork:
    """Depots on a square grid, with roads of uneven cost between neighbours."""

    def __init__(self, rng: random.Random) -> None:
        self._roads: list[list[tuple[int, int]]] = [[] for _ in range(_SIDE * _SIDE)]
        for depot in range(_SIDE * _SIDE):
            if depot % _SIDE + 1 < _SIDE:
                self._connect(depot, depot + 1, rng.randrange(20, 90))
            if depot + _SIDE < _SIDE * _SIDE:
                self._connect(depot, depot + _SIDE, rng.randrange(20, 90))
        edge = [
            depot
            for depot in range(_SIDE * _SIDE)
            if depot % _SIDE == _SIDE - 1 or depot >= _SIDE * (_SIDE - 1)
        ]
        self._depot_of = dict(zip(CITIES, rng.sample(edge, len(CITIES)), strict=True))

    def _connect(self, one: int, other: int, cost: int) -> None:
        self._roads[one].append((other, cost))
        self._roads[other].append((one, cost))

    def cheapest_route(self, city: str, weight_g: int) -> tuple[int, int]:
        """Cost and number of legs from the warehouse to a city (Dijkstra); weight costs on dear roads."""
        target = self._depot_of[city]
        surcharge = weight_g // 2_000
        best = {0: 0}
        reached = [(0, 0, 0)]
        while reached:
            cost, depot, legs = heapq.heappop(reached)
            if depot == target:
                return cost, legs
            if cost > best[depot]:
                continue
            for neighbour, toll in self._roads[depot]:
                total = cost + toll + (surcharge if toll > 60 else 0)
                if total < best.get(neighbour, sys.maxsize):
                    best[neighbour] = total
                    heapq.heappush(reached, (total, neighbour, legs + 1))
        raise AssertionError(f"no road leads to {city}")


class Gateway:
    """Collects parcels and answers them a batch a cycle."""

    def __init__(self) -> None:
        rng = random.Random(40)
        self._network = DepotNetwork(rng)
        self._tariff_file = _write_tariff(rng)
        self._waiting: list[Parcel] = []
        self._batches = 0

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read one caller's requests until it hangs up or the gateway's end cancels this task."""
        with suppress(asyncio.CancelledError, ConnectionError):
            while line := await reader.readline():
                asked = json.loads(line)
                self._waiting.append(Parcel(asked["order"], asked["city"], asked["weight_g"], writer))
        writer.close()

    async def work(self) -> None:
        """Work off a batch at each cycle; a batch that overruns puts the next one off to a later cycle."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        while True:
            await asyncio.sleep(CYCLE_S - (loop.time() - began) % CYCLE_S)
            if self._waiting:
                batch, self._waiting = self._waiting, []
                self._answer(batch)

    def _answer(self, batch: list[Parcel]) -> None:
        self._batches += 1
        tariff = _read_tariff(self._tariff_file)
        quotes = [self._quote(parcel, tariff) for parcel in batch]
        for parcel, quote in zip(batch, quotes, strict=True):
            if not parcel.reply_to.is_closing():
                parcel.reply_to.write(json.dumps(quote).encode() + b"\n")

    def _quote(self, parcel: Parcel, tariff: dict[tuple[int, int], int]) -> dict[str, Any]:
        route_cents, legs = self._network.cheapest_route(parcel.city, parcel.weight_g)
        zone = min(_ZONES - 1, legs // 8)
        band = -(-parcel.weight_g // _WEIGHT_BANDS_G.step) * _WEIGHT_BANDS_G.step
        weight_cents = tariff[zone, min(band, _WEIGHT_BANDS_G[-1])]
        return {
            "order": parcel.order,
            "carrier": "Packhorse Freight",
            "zone": zone,
            "legs": legs,
            "days": 1 + legs // 12,
            "price_cents": route_cents + weight_cents,
            "batch": self._batches,
        }


def _write_tariff(rng: random.Random) -> str:
    lines = io.StringIO()
    table = csv.writer(lines)
    for zone in range(_ZONES):
        for band in _WEIGHT_BANDS_G:
            table.writerow((zone, band, 200 + zone * 110 + band // 40 + rng.randrange(30)))
    return lines.getvalue()


def _read_tariff(text: str) -> dict[tuple[int, int], int]:
    return {(int(zone), int(band)): int(cents) for zone, band, cents in csv.reader(io.StringIO(text))}


async def _serve() -> None:
    gateway = Gateway()
    server = await asyncio.start_server(gateway.take, "127.0.0.1", 0)
    working = asyncio.create_task(gateway.work())
    owner_gone = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), owner_gone.set)
    print(server.sockets[0].getsockname()[1], flush=True)
    stopping = asyncio.create_task(owner_gone.wait())
    await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    server.close()
    if working.done():
        working.result()


def main() -> None:
    """Run until stdin ends. Ctrl-C goes to the whole terminal group; the owner decides what it means."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asyncio.run(_serve())


if __name__ == "__main__":
    main()
