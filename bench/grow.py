#!/usr/bin/env python3
"""Grows a database that `seed` has made to that many completed orders, of a tenth as many users, in
SQL: through the program it would take as long as the shop itself. `servery check` says whether the
result is a shop's. One text for both engines; $RANDOM$ is 16 bytes of each row's own.

usage: grow.py DATABASE ORDERS      sqlite:FILE or postgresql://…"""
import re
import sqlite3
import subprocess
import sys

USERS_SQL = """
WITH RECURSIVE n (i) AS (
    SELECT CAST(:first AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :users)
INSERT INTO users (email, email_key, phone, search_key, role, password_hash, referral_code, created_at)
SELECT 'u' || i || '@x.com', 'u' || i || '@x.com', '+234803' || substr(CAST(10000000 + i AS TEXT), 2),
       'u' || i || '@x.com +234803' || substr(CAST(10000000 + i AS TEXT), 2), 'user',
       (SELECT password_hash FROM users WHERE id = 1), 'G' || substr(CAST(10000000 + i AS TEXT), 2), :begin
FROM n
"""
PHONES_SQL = """
UPDATE users SET phone = '+234803' || substr(
    CAST(10000000 + CAST(replace(substr(email, 2), '@x.com', '') AS BIGINT) AS TEXT), 2)
WHERE phone IS NULL AND role = 'user'
"""
# Order k is user k's modulo their number, one every half minute; two lines each.
NUMBERS = """
WITH RECURSIVE n (i) AS (
    SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < :orders),
k (i, user_id, at, a, b) AS MATERIALIZED (
    SELECT i, i % :users + 1, :begin + i * 30000, i % 50 + 1, (i + 7) % 50 + 1 FROM n)
"""
PAYMENTS_SQL = NUMBERS + """
INSERT INTO payments (id, user_id, status, amount, currency, provider, remote, nonce, fulfilment, held,
                      outcome, expires_at, created_at, updated_at)
SELECT i, user_id, 'paid', fa.price + fb.price, 'NGN', 'test', 0, $RANDOM$, 'pickup', 0, 'paid',
       at + 900000, at, at FROM k JOIN foods fa ON fa.id = a JOIN foods fb ON fb.id = b
"""
LINES = """
SELECT i, f.id, f.name, f.price, 1, f.price, 0{more} FROM k JOIN foods f ON f.id IN (a, b)
"""
PAYMENT_ITEMS_SQL = NUMBERS + """
INSERT INTO payment_items (payment_id, food_id, name, unit_price, quantity, line_total, taken,
                           cart_revision)""" + LINES.format(more=", 1")
ORDERS_SQL = NUMBERS + """
INSERT INTO orders (id, user_id, payment_id, status, total, currency, fulfilment, created_at, updated_at)
SELECT i, user_id, i, 'completed', fa.price + fb.price, 'NGN', 'pickup', at, at + 1200000
FROM k JOIN foods fa ON fa.id = a JOIN foods fb ON fb.id = b
"""
ORDER_ITEMS_SQL = NUMBERS + """
INSERT INTO order_items (order_id, food_id, name, unit_price, quantity, line_total, taken)""" \
    + LINES.format(more="")
EVENTS_SQL = NUMBERS + """
INSERT INTO order_events (order_id, from_status, to_status, actor, at)
SELECT i, m.f, m.t, m.actor, at + m.after FROM k CROSS JOIN (
    SELECT NULL AS f, 'pending' AS t, 'system' AS actor, 0 AS after
    UNION ALL SELECT 'pending', 'confirmed', 'admin', 60000
    UNION ALL SELECT 'confirmed', 'preparing', 'admin', 120000
    UNION ALL SELECT 'preparing', 'ready', 'admin', 900000
    UNION ALL SELECT 'ready', 'completed', 'admin', 1200000) m
"""


STATEMENTS = (PHONES_SQL, PAYMENTS_SQL, PAYMENT_ITEMS_SQL, ORDERS_SQL, ORDER_ITEMS_SQL, EVENTS_SQL)
# Foreign keys are not looked at, which takes most of the time; ids go on behind those that were given.
POSTGRESQL_BEFORE = "SET session_replication_role = replica"
POSTGRESQL_AFTER = ("SELECT setval(pg_get_serial_sequence('payments', 'id'), max(id)) FROM payments",
                    "SELECT setval(pg_get_serial_sequence('orders', 'id'), max(id)) FROM orders",
                    "VACUUM ANALYZE")


def texts(orders, there, now):
    """The statements, given how many users there are and when the newest one came."""
    values = {"orders": orders, "users": max(there, orders // 10), "first": there,
              "begin": now - orders * 30000 - 3600000}
    users = (USERS_SQL,) if values["users"] > there else ()
    return [re.sub(r":(\w+)", lambda name: str(values[name[1]]), sql) for sql in users + STATEMENTS]


THERE = "SELECT count(*), max(created_at) FROM users WHERE role = 'user'"


def grow_sqlite(file, orders):
    database = sqlite3.connect(file)
    database.execute("PRAGMA synchronous = OFF")
    database.execute("PRAGMA cache_size = -400000")
    for sql in texts(orders, *database.execute(THERE).fetchone()):
        database.execute(sql.replace("$RANDOM$", "randomblob(16)"))
    database.commit()
    database.close()


def grow_postgresql(url, orders):
    def psql(*statements):
        return subprocess.run(["psql", "-X", "-q", "-A", "-t", "-F", " ", "-v", "ON_ERROR_STOP=1", "-d", url,
                               *(word for sql in statements for word in ("-c", sql))],
                              stdout=subprocess.PIPE, text=True, check=True).stdout

    there, now = psql(THERE).split()
    random = "decode(md5(CAST(i AS TEXT)), 'hex')"
    psql(POSTGRESQL_BEFORE, *(sql.replace("$RANDOM$", random) for sql in texts(orders, int(there), int(now))),
         *POSTGRESQL_AFTER)


def main():
    database, orders = sys.argv[1], int(sys.argv[2])
    if database.startswith("sqlite:"):
        grow_sqlite(database.removeprefix("sqlite:"), orders)
    else:
        grow_postgresql(database, orders)


if __name__ == "__main__":
    main()
