"""A bounded pool of worker threads: so many work, so many wait, and who comes then is turned away.

    request ──► a place free?  ── no ──► PoolFullError (the app answers 503)
                     │ yes
                     ▼
               queue, in order of arrival ──► worker thread, with its own connection ──► result

A place is taken at admission and given back when the work ends. There are `workers + queue` of them.
"""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from examples.orders.carrier_client import CarrierClient

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Worker:
    """What one worker thread owns. Nothing in it is shared, so requests meet no lock inside the pool."""

    db: sqlite3.Connection
    carrier: CarrierClient

    def close(self) -> None:
        """Let go of both connections."""
        self.db.close()
        self.carrier.close()


class PoolFullError(Exception):
    """All workers are busy and the queue is full."""


class WorkerPool:
    """Runs jobs on `workers` threads and lets at most `queue` more wait."""

    def __init__(self, workers: int, queue: int, make_worker: Callable[[], Worker]) -> None:
        self.workers = workers
        self.queue = queue
        self._make_worker = make_worker
        self._places = threading.BoundedSemaphore(workers + queue)
        self._mine = threading.local()
        self._opened: list[Worker] = []
        self._threads = ThreadPoolExecutor(
            workers, thread_name_prefix="worker", initializer=self._open_worker
        )

    async def run(self, job: Callable[[Worker], T]) -> T:
        """Run the job on a worker; without a free place raise PoolFullError at once."""
        if not self._places.acquire(blocking=False):
            raise PoolFullError
        future = self._threads.submit(self._run_on_worker, job)
        future.add_done_callback(self._leave)
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Finish what is running, drop what waits, and close the workers' connections."""
        self._threads.shutdown(wait=True, cancel_futures=True)
        for worker in self._opened:
            worker.close()

    def _open_worker(self) -> None:
        worker = self._make_worker()
        self._mine.worker = worker
        self._opened.append(worker)

    def _run_on_worker(self, job: Callable[[Worker], T]) -> T:
        worker: Worker = self._mine.worker
        return job(worker)

    def _leave(self, _done: Future[T]) -> None:
        self._places.release()
