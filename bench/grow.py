#!/usr/bin/env python3
"""Grows a database that `seed` has made to that many completed orders, of a tenth as many users, in
SQL: through the program it would take as long as the shop itself. `servery check` says whether the
result is a shop's.

usage: grow.py FILE ORDERS"""
import sqlite3
import sys

USERS_SQL = """
WITH RECURSIVE n (i) AS (SELECT :first UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :users)
INSERT INTO users (email, email_key, phone, search_key, role, password_hash, referral_code, created_at)
SELECT 'u' || i || '@x.com', 'u' || i || '@x.com', printf('+234803%07d', i),
       'u' || i || '@x.com ' || printf('+234803%07d', i), 'user',
       (SELECT password_hash FROM users WHERE id = 1), printf('G%07d', i), :begin FROM n
"""
PHONES_SQL = """
UPDATE users SET phone = printf('+234803%07d', CAST(substr(email, 2) AS INTEGER)) 
WHERE phone IS NULL AND role = 'user'
"""
# Order k is user k's modulo their number, one every half minute; two lines each.
NUMBERS = """
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :orders),
k (i, user_id, at, a, b) AS MATERIALIZED (
    SELECT i, i % :users + 1, :begin + i * 30000, i % 50 + 1, (i + 7) % 50 + 1 FROM n)
"""
PAYMENTS_SQL = NUMBERS + """
INSERT INTO payments (id, user_id, status, amount, currency, provider, remote, nonce, fulfilment, held,
                      outcome, expires_at, created_at, updated_at)
SELECT i, user_id, 'paid', fa.price + fb.price, 'NGN', 'test', 0, randomblob(16), 'pickup', 0, 'paid',
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


def main():
    orders = int(sys.argv[2])
    database = sqlite3.connect(sys.argv[1])
    database.execute("PRAGMA synchronous = OFF")
    database.execute("PRAGMA cache_size = -400000")
    (there,) = database.execute("SELECT count(*) FROM users WHERE role = 'user'").fetchone()
    (now,) = database.execute("SELECT max(created_at) FROM users").fetchone()
    values = {"orders": orders, "users": max(there, orders // 10), "first": there,
              "begin": now - orders * 30000 - 3600000}
    statements = [PHONES_SQL, PAYMENTS_SQL, PAYMENT_ITEMS_SQL, ORDERS_SQL, ORDER_ITEMS_SQL, EVENTS_SQL]
    if values["users"] > there:
        statements.insert(0, USERS_SQL)
    for statement in statements:
        database.execute(statement, values)
    database.commit()
    database.close()


if __name__ == "__main__":
    main()
