"""The database: what it looks like, how it is filled, how a worker opens it.

The rows come from a seeded generator, so that every build holds the same orders and two runs of the same
traffic do the same work. What differs between two runs then differs because of load, not because of data.
"""

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

from examples.orders import names

_SCHEMA = """
CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL, city TEXT NOT NULL);
CREATE TABLE products (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, category TEXT NOT NULL,
    price_cents INTEGER NOT NULL, weight_g INTEGER NOT NULL
);
CREATE TABLE orders (
    id INTEGER PRIMARY KEY,
    customer_id INTEGER NOT NULL REFERENCES customers, product_id INTEGER NOT NULL REFERENCES products,
    quantity INTEGER NOT NULL, status TEXT NOT NULL, ordered_on TEXT NOT NULL, note TEXT NOT NULL
);
"""
_INDICES = """
CREATE INDEX orders_by_customer ON orders (customer_id);
CREATE INDEX orders_by_product ON orders (product_id);
CREATE INDEX orders_by_day ON orders (ordered_on);
"""
_MMAP_BYTES = 256 * 1024 * 1024

OrderRow = tuple[int, int, int, int, str, str, str]


class NotAnOrdersDatabaseError(Exception):
    """The file given with --db is there, and is something else: it is left as it is."""


def connect(path: Path) -> sqlite3.Connection:
    """Open one connection; each worker has its own.

    The file is mapped into memory because a commit on one connection makes the others drop their page caches:
    without the mapping each POST would send every worker back to reading the file. Nothing is synced to the
    disk: the rows are made up, and the disk of whoever runs this is not what is to be measured.
    """
    db = sqlite3.connect(path, timeout=5.0, isolation_level=None, check_same_thread=False)
    db.row_factory = sqlite3.Row
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = OFF")
    db.execute(f"PRAGMA mmap_size = {_MMAP_BYTES}")
    return db


def prepare(path: Path, seed: int = 20_240_101) -> int:
    """Build the database unless the file already holds one; return the number of orders in it."""
    with closing(sqlite3.connect(path)) as db:
        try:
            tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        except sqlite3.DatabaseError as error:
            raise NotAnOrdersDatabaseError(f"{path} is not an orders database: {error}") from error
    if tables and not tables >= {"customers", "products", "orders"}:
        raise NotAnOrdersDatabaseError(
            f"{path} is not an orders database: it holds {', '.join(sorted(tables))}"
        )
    with closing(connect(path)) as db:
        if not tables:
            _build(db, random.Random(seed))
        return int(db.execute("SELECT count(*) FROM orders").fetchone()[0])


def _build(db: sqlite3.Connection, rng: random.Random) -> None:
    """Fill the tables in one transaction: a build that is interrupted leaves nothing, never half the rows."""
    db.execute("BEGIN")
    _execute_each(db, _SCHEMA)
    cities = rng.choices(names.CITIES, k=names.CUSTOMERS)
    db.executemany(
        "INSERT INTO customers VALUES (?, ?, ?)",
        zip(range(1, names.CUSTOMERS + 1), names.company_names(), cities, strict=True),
    )
    db.executemany(
        "INSERT INTO products VALUES (?, ?, ?, ?, ?)",
        [
            (number, name, name.split()[1], rng.randrange(150, 40_000), rng.randrange(50, 9_000))
            for number, name in enumerate(names.product_names(), start=1)
        ],
    )
    db.executemany("INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?, ?)", _orders(rng))
    _execute_each(db, _INDICES)
    db.execute("COMMIT")
    db.execute("ANALYZE")


def _execute_each(db: sqlite3.Connection, script: str) -> None:
    """Run a script inside the open transaction, which `executescript` would commit first."""
    for statement in script.split(";"):
        db.execute(statement)


def _orders(rng: random.Random) -> Iterator[OrderRow]:
    """Orders by day; a few customers order much, and a few references stand on many orders."""
    count = names.ORDERS
    first_day = date.fromisoformat(names.FIRST_DAY)
    days = [(first_day + timedelta(days=number)).isoformat() for number in range(names.DAYS)]
    references = rng.choices(names.REFERENCE_CODES, cum_weights=names.REFERENCE_WEIGHTS, k=count)
    words = rng.choices(names.WORDS, cum_weights=names.WORD_WEIGHTS, k=count * 9)
    notes = (
        f"{reference} {' '.join(words[start : start + 9])}"
        for reference, start in zip(references, range(0, count * 9, 9), strict=True)
    )
    return zip(
        range(1, count + 1),
        rng.choices(range(1, names.CUSTOMERS + 1), cum_weights=names.CUSTOMER_WEIGHTS, k=count),
        rng.choices(range(1, names.PRODUCTS + 1), k=count),
        rng.choices(range(1, 25), k=count),
        rng.choices(list(names.STATUSES), list(names.STATUSES.values()), k=count),
        (days[row * names.DAYS // count] for row in range(count)),
        notes,
        strict=True,
    )
