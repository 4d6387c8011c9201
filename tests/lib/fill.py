#!/usr/bin/env python3
"""Fills the database of a shop that is not served with free orders of one customer: through the
program so many would take minutes. Two of them in the same millisecond, each with a note, and with as
many lines, of the food and those whose ids follow.

usage: fill.py DATABASE USER_ID FOOD_ID ORDERS NOTE [LINES NAME]
DATABASE is what the program's setting is: sqlite:FILE or postgresql://..."""
import re
import sqlite3
import sys

NUMBERS = """WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :orders),
lines (line) AS (SELECT 1 UNION ALL SELECT line + 1 FROM lines WHERE line < :lines) """
STATEMENTS = (
    """INSERT INTO orders (id, user_id, status, total, currency, fulfilment, note, created_at,
    updated_at) SELECT :last + i, :user, 'pending', 0, 'NGN', 'pickup', :note, :begin + i / 2,
    :begin + i / 2 FROM n""",
    """INSERT INTO order_items (order_id, food_id, name, unit_price, quantity, line_total, taken)
    SELECT :last + i, :food + line - 1, :name, 0, 1, 0, 0 FROM n, lines""",
    """INSERT INTO order_events (order_id, to_status, actor, at) SELECT :last + i, 'pending',
    'customer', :begin + i / 2 FROM n""",
)
# SQLite goes on after the highest id there is, PostgreSQL after the last one that it gave itself.
GO_ON = "SELECT setval(pg_get_serial_sequence('orders', 'id'), max(id)) FROM orders"


def connect(database):
    """A connection, and what turns the parameters of a statement into those of the engine."""
    if database.startswith("sqlite:"):
        return sqlite3.connect(database.removeprefix("sqlite:")), lambda sql: sql
    import psycopg2  # where it is needed: Debian's python3-psycopg2
    return psycopg2.connect(database), lambda sql: re.sub(r":(\w+)", r"%(\1)s", sql)


def main():
    name, user, food, orders, note, lines, food_name = \
        sys.argv[1:] + ["1", "Rice"][len(sys.argv) - 6:]
    database, native = connect(name)
    cursor = database.cursor()
    cursor.execute("SELECT COALESCE(max(id), 0) FROM orders")
    (last,) = cursor.fetchone()
    values = {"user": int(user), "food": int(food), "orders": int(orders), "note": note,
              "lines": int(lines), "name": food_name, "last": last, "begin": 1700000000000}
    for statement in STATEMENTS:
        cursor.execute(native(NUMBERS + statement), values)
    if not name.startswith("sqlite:"):
        cursor.execute(GO_ON)
    database.commit()
    database.close()


if __name__ == "__main__":
    main()
