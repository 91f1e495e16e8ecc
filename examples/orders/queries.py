"""What the endpoints ask of the database: plain functions that a worker runs on its own connection.

Their cost is uneven the way it is in real services: by how busy a customer is, by how rare a word is, by how
long a period is. No function here waits on purpose.
"""

import sqlite3
from datetime import date
from typing import Any

Json = dict[str, Any]

_ORDER = """
SELECT o.id, o.status, o.ordered_on, o.quantity, o.note, o.quantity * p.price_cents AS total_cents,
       p.id AS product_id, p.name AS product, p.category, p.price_cents, p.weight_g,
       c.id AS customer_id, c.name AS customer, c.city
FROM orders o JOIN products p ON p.id = o.product_id JOIN customers c ON c.id = o.customer_id
WHERE o.id = ?
"""
# How far an order is from the front of the packing line: the undelivered ones among those placed before it.
_AHEAD = """
SELECT count(*) FROM orders WHERE id BETWEEN :id - 30000 AND :id - 1 AND status IN ('open', 'packed')
"""
_RESERVED = (
    "SELECT coalesce(sum(quantity), 0) FROM orders WHERE product_id = ? AND status IN ('open', 'packed')"
)
_ACCOUNT = """
SELECT count(*) AS orders, sum(o.quantity * p.price_cents) AS total_cents
FROM orders o JOIN products p ON p.id = o.product_id WHERE o.customer_id = ?
"""
_OF_CUSTOMER = """
SELECT o.id, o.status, o.ordered_on, o.quantity, p.name AS product, o.quantity * p.price_cents AS total_cents,
       sum(o.quantity * p.price_cents) OVER (ORDER BY o.ordered_on, o.id) AS running_total_cents
FROM orders o JOIN products p ON p.id = o.product_id
WHERE o.customer_id = ? ORDER BY o.ordered_on DESC, o.id DESC LIMIT ?
"""
# What is still to be delivered in the customer's city: the reason for most calls to the hotline.
_BACKLOG = """
SELECT count(*) FROM orders o CROSS JOIN customers c ON c.id = o.customer_id
WHERE o.id > (SELECT max(id) - 30000 FROM orders) AND o.status IN ('open', 'packed')
  AND c.city = (SELECT city FROM customers WHERE id = ?)
"""
_SEARCH = """
SELECT o.id, o.ordered_on, o.status, o.note, c.name AS customer
FROM orders o JOIN customers c ON c.id = o.customer_id
WHERE o.note LIKE ? ESCAPE '\\' ORDER BY o.id DESC LIMIT 20
"""
_RECENT_MATCHES = """
SELECT count(*) FROM orders WHERE id > (SELECT max(id) - 20000 FROM orders) AND note LIKE ? ESCAPE '\\'
"""
_REVENUE = """
SELECT p.category, count(*) AS orders, sum(o.quantity) AS pieces,
       sum(o.quantity * p.price_cents) AS revenue_cents
FROM orders o JOIN products p ON p.id = o.product_id
WHERE o.ordered_on BETWEEN ? AND ? GROUP BY p.category ORDER BY revenue_cents DESC
"""
_PARCEL = """
SELECT o.id, c.city, o.quantity * p.weight_g AS weight_g, o.status, p.name AS product
FROM orders o JOIN products p ON p.id = o.product_id JOIN customers c ON c.id = o.customer_id WHERE o.id = ?
"""


class UnknownReferenceError(Exception):
    """A new order names a customer or a product that does not exist."""


def order(db: sqlite3.Connection, order_id: int) -> Json | None:
    """One order with what the order page shows around it: stock, account, place in the packing line."""
    row = db.execute(_ORDER, (order_id,)).fetchone()
    if row is None:
        return None
    found = dict(row)
    found["ahead_in_line"] = db.execute(_AHEAD, {"id": order_id}).fetchone()[0]
    found["product_reserved"] = db.execute(_RESERVED, (row["product_id"],)).fetchone()[0]
    found["account"] = dict(db.execute(_ACCOUNT, (row["customer_id"],)).fetchone())
    return found


def orders_of_customer(db: sqlite3.Connection, customer_id: int, limit: int) -> Json:
    """The customer's newest orders, each with the account's running total up to it."""
    rows = [dict(row) for row in db.execute(_OF_CUSTOMER, (customer_id, limit))]
    backlog = db.execute(_BACKLOG, (customer_id,)).fetchone()[0]
    return {
        "customer_id": customer_id,
        "limit": limit,
        "count": len(rows),
        "city_backlog": backlog,
        "orders": rows,
    }


def search(db: sqlite3.Connection, text: str) -> Json:
    """The newest orders whose note has the text in it. No index helps: a rare word reads the whole table."""
    literal = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    rows = [dict(row) for row in db.execute(_SEARCH, (f"%{literal}%",))]
    recent = db.execute(_RECENT_MATCHES, (f"%{literal}%",)).fetchone()[0]
    return {"q": text, "count": len(rows), "recent_matches": recent, "orders": rows}


def revenue(db: sqlite3.Connection, first: date, last: date) -> Json:
    """Revenue by category between two days, both included; costs what the period is long."""
    rows = [dict(row) for row in db.execute(_REVENUE, (first.isoformat(), last.isoformat()))]
    total = sum(row["revenue_cents"] for row in rows)
    return {"from": first.isoformat(), "to": last.isoformat(), "revenue_cents": total, "categories": rows}


def parcel(db: sqlite3.Connection, order_id: int) -> Json | None:
    """What the carrier has to know about an order to quote for it."""
    row = db.execute(_PARCEL, (order_id,)).fetchone()
    return None if row is None else dict(row)


def insert_order(db: sqlite3.Connection, customer_id: int, product_id: int, quantity: int, note: str) -> int:
    """Insert one order and return its id. SQLite lets one writer in at a time."""
    db.execute("BEGIN IMMEDIATE")
    try:
        for table, number in (("customers", customer_id), ("products", product_id)):
            if db.execute(f"SELECT 1 FROM {table} WHERE id = ?", (number,)).fetchone() is None:
                raise UnknownReferenceError(f"{table.removesuffix('s')}_id {number} does not exist")
        inserted = db.execute(
            "INSERT INTO orders (customer_id, product_id, quantity, status, ordered_on, note)"
            " VALUES (?, ?, ?, 'open', ?, ?) RETURNING id",
            (customer_id, product_id, quantity, date.today().isoformat(), note),
        ).fetchall()
        db.execute("COMMIT")
    except BaseException:
        db.execute("ROLLBACK")
        raise
    return int(inserted[0][0])
