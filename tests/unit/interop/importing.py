"""What the tests of the readers share: sources from text, and what was read of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mockforge.interop.readers import read_source
from mockforge.interop.source import Imported, Source
from mockforge.model.exchange import Exchange
from mockforge.targets import parse_target

MS = 1_000_000
S = 1_000_000_000
TARGET = "http://shop.example.com"


def imported(path: Path, content: str | bytes, *, form: str = "auto", **said: Any) -> Imported:
    """A file with `content` at `path`, imported."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    target = said.pop("target", None)
    source = Source(path, parse_target(target) if target else None, **said)
    return read_source(source, form)[1]


def exchanges(path: Path, content: str | bytes, *, form: str = "auto", **said: Any) -> list[Exchange]:
    """The exchanges of a file with `content`."""
    return list(imported(path, content, form=form, **said).exchanges)


def entry(**changes: Any) -> dict[str, Any]:
    """An entry of a HAR as browsers write it."""
    return {
        "startedDateTime": "2026-11-24T10:00:00.000Z",
        "time": 130,
        "request": {
            "method": "GET",
            "url": f"{TARGET}/orders/7?x=1",
            "httpVersion": "HTTP/1.1",
            "headers": [{"name": "Host", "value": "shop.example.com"}],
            "queryString": [],
            "cookies": [],
            "headersSize": -1,
            "bodySize": 0,
        },
        "response": {
            "status": 200,
            "statusText": "OK",
            "headers": [{"name": "Content-Type", "value": "text/plain"}],
            "content": {"size": 5, "mimeType": "text/plain", "text": "hello"},
            "redirectURL": "",
            "bodySize": 5,
        },
        "cache": {},
        "timings": {
            "blocked": 1,
            "dns": 2,
            "connect": 30,
            "ssl": 20,
            "send": 7,
            "wait": 80,
            "receive": 10,
        },
        **changes,
    }


def har(*entries: Any) -> str:
    return json.dumps(
        {"log": {"version": "1.2", "creator": {"name": "t", "version": "1"}, "entries": entries}}
    )
