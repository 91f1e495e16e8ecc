"""What stands in a recording file: its tables, and how values are put into columns and taken out.

The file is SQLite, so that any client can open it. `PRAGMA application_id` marks it as a recording and
`PRAGMA user_version` is the schema's version. All times are integer nanoseconds.

Versions only add: what a file of an older version lacks is read as NULL, and `upgrade_tables` adds it.

    1   meta, body, exchange up to `response_headers`
    2   the columns of `ADDED_COLUMNS`, the tables chunk and marker
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson
import zstandard

from mockforge import __version__
from mockforge.model.headers import Headers
from mockforge.model.sample import FailureKind

__all__ = [
    "ADDED_COLUMNS",
    "APPLICATION_ID",
    "FAILED",
    "FAILURE",
    "REQUEST_SIZE",
    "RESPONSE_SIZE",
    "SCHEMA_VERSION",
    "RecordingMeta",
    "StoredBody",
    "create_tables",
    "headers_from_json",
    "headers_to_json",
    "meta_from_rows",
    "meta_to_rows",
    "notes_to_rows",
    "pack_body",
    "storable",
    "unpack_body",
    "upgrade_tables",
]

SCHEMA_VERSION = 2

#: "MFRC" in ASCII.
APPLICATION_ID = 0x4D465243

#: `Exchange.failed` in SQL.
FAILED = "(error IS NOT NULL OR status IS NULL OR status >= 400)"

#: Why no complete answer came, in SQL: a FailureKind.
FAILURE = f"""CASE WHEN error IS NULL THEN {FailureKind.NONE}
    WHEN error = 'caller: left' THEN {FailureKind.CALLER_LEFT}
    WHEN error LIKE '%timeout%' THEN {FailureKind.TIMEOUT}
    WHEN error LIKE 'connect:%' OR error LIKE 'tls:%' THEN {FailureKind.CONNECTION}
    ELSE {FailureKind.BROKEN} END"""

#: Columns of `exchange` since version 2, and their types.
ADDED_COLUMNS = {
    "tls_ns": "INTEGER",
    "request_size": "INTEGER",
    "response_size": "INTEGER",
    "reason": "TEXT",
    "request_trailers": "TEXT",
    "response_trailers": "TEXT",
}

_TABLES = """
CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE body (
    id       INTEGER PRIMARY KEY,
    sha256   BLOB NOT NULL UNIQUE,
    size     INTEGER NOT NULL,
    encoding TEXT NOT NULL,
    content  BLOB NOT NULL
);

CREATE TABLE exchange (
    id               INTEGER PRIMARY KEY,
    wall_ns          INTEGER NOT NULL,
    arrived_ns       INTEGER NOT NULL,
    connect_ns       INTEGER,
    ttfb_ns          INTEGER,
    total_ns         INTEGER NOT NULL,
    lateness_ns      INTEGER,
    in_flight        INTEGER NOT NULL,
    connection_id    INTEGER NOT NULL,
    method           TEXT NOT NULL,
    target           TEXT NOT NULL,
    operation        TEXT,
    status           INTEGER,
    error            TEXT,
    request_body_id  INTEGER REFERENCES body (id),
    response_body_id INTEGER REFERENCES body (id),
    request_headers  TEXT NOT NULL,
    response_headers TEXT
);

CREATE INDEX exchange_by_arrival ON exchange (arrived_ns);
"""

#: What makes version 2 of version 1; a new file gets it in the same way, so that both are alike.
_ADDED = "".join(f"ALTER TABLE exchange ADD COLUMN {name} {kind};" for name, kind in ADDED_COLUMNS.items())
_ADDED += """
CREATE TABLE chunk (
    exchange_id INTEGER NOT NULL REFERENCES exchange (id),
    number      INTEGER NOT NULL,
    at_ns       INTEGER NOT NULL,
    size        INTEGER NOT NULL,
    kind        TEXT NOT NULL,
    PRIMARY KEY (exchange_id, number)
) WITHOUT ROWID;

CREATE TABLE marker (
    id      INTEGER PRIMARY KEY,
    at_ns   INTEGER NOT NULL,
    wall_ns INTEGER NOT NULL,
    label   TEXT NOT NULL
);
"""

#: Sizes of bodies in SQL where version 1 has no column for them: it kept every body whole.
REQUEST_SIZE = "ifnull((SELECT size FROM body WHERE body.id = request_body_id), 0)"
RESPONSE_SIZE = """CASE WHEN status IS NOT NULL
    THEN ifnull((SELECT size FROM body WHERE body.id = response_body_id), 0) END"""

_FILL_SIZES = f"UPDATE exchange SET request_size = {REQUEST_SIZE}, response_size = {RESPONSE_SIZE};"

_NOTE = "note."

#: Below this size a compressed body saves less than it costs to read.
_WORTH_COMPRESSING = 256

_IDENTITY = "identity"
_ZSTD = "zstd"


@dataclass(frozen=True, slots=True)
class RecordingMeta:
    """What a recording is of.

    `kind` is "recording" (by the proxy), "serve" (by the mock) or "replay" (by the load sender);
    `target` the address that answered; `notes` whatever else makes the run repeatable (seed, speed).
    """

    kind: str
    target: str
    started_wall_ns: int
    program: str = f"mockforge {__version__}"
    notes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoredBody:
    """A body as it lies in the file: `encoding` is `identity` or `zstd`, `size` the bytes before it."""

    sha256: bytes
    size: int
    encoding: str
    content: bytes


def create_tables(connection: sqlite3.Connection, meta: RecordingMeta) -> None:
    """Make an empty database a recording with no exchanges yet."""
    connection.executescript(
        f"BEGIN; PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {SCHEMA_VERSION};"
        f"{_TABLES} {_ADDED}"
    )
    connection.executemany("INSERT INTO meta (key, value) VALUES (?, ?)", meta_to_rows(meta))
    connection.execute("COMMIT")


def upgrade_tables(connection: sqlite3.Connection) -> None:
    """Make a recording of version 1 one of this version, in one transaction."""
    connection.executescript(
        f"BEGIN; {_ADDED} {_FILL_SIZES} PRAGMA user_version = {SCHEMA_VERSION};"
        f"UPDATE meta SET value = '{SCHEMA_VERSION}' WHERE key = 'schema_version'; COMMIT"
    )


def meta_to_rows(meta: RecordingMeta) -> list[tuple[str, str]]:
    """The rows of table `meta`; a note's key begins with `note.`."""
    rows = {
        "schema_version": str(SCHEMA_VERSION),
        "kind": meta.kind,
        "target": meta.target,
        "started_wall_ns": str(meta.started_wall_ns),
        "program": meta.program,
    }
    return [*rows.items(), *notes_to_rows(meta.notes)]


def notes_to_rows(notes: Mapping[str, str]) -> list[tuple[str, str]]:
    """The rows of table `meta` that hold `notes`."""
    return [(_NOTE + key, storable(value)) for key, value in notes.items()]


def meta_from_rows(rows: Mapping[str, str]) -> RecordingMeta:
    """The inverse of `meta_to_rows`; raises KeyError or ValueError where a row is missing or malformed."""
    return RecordingMeta(
        kind=rows["kind"],
        target=rows["target"],
        started_wall_ns=int(rows["started_wall_ns"]),
        program=rows["program"],
        notes={key.removeprefix(_NOTE): value for key, value in rows.items() if key.startswith(_NOTE)},
    )


def headers_to_json(headers: Headers) -> str:
    """A JSON array of [name, value] pairs, in wire order."""
    try:
        return orjson.dumps(headers.pairs).decode()
    except orjson.JSONEncodeError:
        return orjson.dumps([(storable(name), storable(value)) for name, value in headers.pairs]).decode()


def headers_from_json(text: str) -> Headers:
    """The inverse of `headers_to_json`."""
    return Headers(tuple((name, value) for name, value in orjson.loads(text)))


def pack_body(body: bytes, digest: bytes | None = None) -> StoredBody:
    """The body as it is stored: compressed where that saves a tenth or more."""
    sha256 = digest or hashlib.sha256(body).digest()
    if len(body) >= _WORTH_COMPRESSING:
        compressed = zstandard.ZstdCompressor(level=3).compress(body)
        if len(compressed) <= len(body) * 0.9:
            return StoredBody(sha256, len(body), _ZSTD, compressed)
    return StoredBody(sha256, len(body), _IDENTITY, body)


def unpack_body(size: int, encoding: str, content: bytes) -> bytes:
    """The body's own bytes; raises ValueError where they are damaged or the encoding is unknown."""
    if encoding == _IDENTITY:
        body = content
    elif encoding == _ZSTD:
        try:
            body = zstandard.ZstdDecompressor().decompress(content, max_output_size=size)
        except zstandard.ZstdError as error:
            raise ValueError(f"a body cannot be decompressed: {error}") from error
    else:
        raise ValueError(f"a body has the unknown encoding {encoding!r}")
    if len(body) != size:
        raise ValueError(f"a body has {len(body)} bytes where {size} were recorded")
    return body


def storable(text: str) -> str:
    """`text` as the file can hold it: lone surrogates, which UTF-8 cannot write, are spelled out."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode()
    return text
