"""The backend's side of the carrier: starting and ending its process, and asking it for quotes."""

import json
import socket
import subprocess
import sys
from types import TracebackType
from typing import Any, Self

_TIMEOUT_S = 5.0


class CarrierError(Exception):
    """The carrier did not answer; the app makes a 502 of it."""


class CarrierProcess:
    """The carrier as a child process. It ends when the pipe to its stdin closes: at the latest with us."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "examples.orders.carrier"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        first_line = self._process.stdout.readline()
        if not first_line.strip().isdigit():
            self._end()
            raise CarrierError("the carrier process ended before it was ready")
        self.port = int(first_line)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._end()

    def _end(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            self._process.wait(timeout=_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class CarrierClient:
    """One worker's connection to the carrier: one question at a time, and the worker waits for the answer."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._connection: socket.socket | None = None

    def quote(self, parcel: dict[str, Any]) -> dict[str, Any]:
        """Ask for a quote and wait for it; after a failure the next call starts on a new connection."""
        asked = {"order": parcel["id"], "city": parcel["city"], "weight_g": parcel["weight_g"]}
        try:
            connection = self._connected()
            connection.sendall(json.dumps(asked).encode() + b"\n")
            answer: dict[str, Any] = json.loads(_read_line(connection))
        except (OSError, ValueError) as error:
            self.close()
            raise CarrierError(f"the carrier did not answer for order {parcel['id']}: {error}") from error
        return answer

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connected(self) -> socket.socket:
        if self._connection is None:
            self._connection = socket.create_connection(("127.0.0.1", self._port), timeout=_TIMEOUT_S)
        return self._connection


def _read_line(connection: socket.socket) -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        chunk = connection.recv(4096)
        if not chunk:
            raise ConnectionError("it hung up")
        line += chunk
    return line
