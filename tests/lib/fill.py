#!/usr/bin/env python3
"""Fills the database of a shop that is not served with free orders of one customer: through the
program so many would take minutes. Two of them in the same millisecond, each with a note, and with as
many lines, of the food and those whose ids follow.

usage: fill.py DATABASE USER_ID FOOD_ID ORDERS NOTE [LINES NAME]
DATABASE is what the program's setting is: sqlite:FILE or postgresql://..."""
import re
import sqlite3
import subprocess
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


def fill_sqlite(file, values):
    database = sqlite3.connect(file)
    (values["last"],) = database.execute("SELECT COALESCE(max(id), 0) FROM orders").fetchone()
    for statement in STATEMENTS:
        database.execute(NUMBERS + statement, values)
    database.commit()
    database.close()


def fill_postgresql(url, values):
    """By psql, whose variables are :number and :'text'."""
    def own(match):
        return f":'{match[1]}'" if isinstance(values.get(match[1]), str) else match[0]
    script = "BEGIN;\nSELECT COALESCE(max(id), 0) AS last FROM orders \\gset\n"
    for statement in STATEMENTS:
        script += re.sub(r":(\w+)", own, NUMBERS + statement) + ";\n"
    # SQLite goes on after the highest id there is, PostgreSQL after the last one that it gave itself.
    script += "SELECT setval(pg_get_serial_sequence('orders', 'id'), max(id)) FROM orders;\nCOMMIT;\n"
    variables = [f"--set={name}={value}" for name, value in values.items()]
    subprocess.run(["psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", *variables, url],
                   input=script, encoding="utf-8", stdout=subprocess.DEVNULL, check=True)


def main():
    database, user, food, orders, note, lines, name = \
        sys.argv[1:] + ["1", "Rice"][len(sys.argv) - 6:]
    values = {"user": int(user), "food": int(food), "orders": int(orders), "note": note,
              "lines": int(lines), "name": name, "begin": 1700000000000}
    if database.startswith("sqlite:"):
        fill_sqlite(database.removeprefix("sqlite:"), values)
    else:
        fill_postgresql(database, values)


if __name__ == "__main__":
    main()
