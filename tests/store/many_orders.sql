-- The statistics of a shop with :n orders: its rows need no sense, only the numbers and the spread that a
-- planner sees. Of all orders 20 payments and 30 orders are open, and a tenth has expired unpaid.
SET session_replication_role = replica; -- foreign keys are not looked at, which takes half the time

INSERT INTO users (email, email_key, phone, name, search_key, role, password_hash, referral_code,
                   referrer_id, created_at)
SELECT 'u' || i || '@x.com', 'u' || i || '@x.com', '+234' || i, 'n' || i, 'u' || i || '@x.com n' || i,
       CASE WHEN i <= 5 THEN 'admin' ELSE 'user' END, 'h', 'G' || i,
       CASE WHEN i % 10 = 0 THEN 1 + i / 20 END, 1000 * i
FROM generate_series(1, :n / 10) i;

INSERT INTO foods (name, description, category, price, available, stock, image_hash, archived,
                   created_at, updated_at)
SELECT 'f' || i, 'd', 'c', 1000, 1, CASE WHEN i % 3 = 0 THEN 100 END,
       CASE WHEN i % 2 = 0 THEN 'h' || i END, CASE WHEN i % 5 = 0 THEN 1 ELSE 0 END, 1, 1
FROM generate_series(1, 200) i;

INSERT INTO images (hash, type, width, height, created_at, released_at, bytes)
SELECT 'h' || i, 'image/png', 9, 9, 1, CASE WHEN i % 100 = 0 THEN i END, decode(repeat('ab', 1000), 'hex')
FROM generate_series(1, 4000) i;

INSERT INTO payments (user_id, status, amount, currency, provider, remote, provider_ref, nonce,
                      fulfilment, held, outcome, needs_attention, refund_due, expires_at, created_at,
                      updated_at)
SELECT i % (:n / 10) + 1,
       CASE WHEN i > :n - 20 THEN 'pending' WHEN i % 10 = 0 THEN 'expired' ELSE 'paid' END, 2000, 'NGN',
       'p', i % 2, CASE WHEN i % 2 = 1 THEN 'r' || i END, 'nonce', 'pickup', 0, 'paid',
       CASE WHEN i % 1000 = 0 THEN 'paid_after_cancel' END, CASE WHEN i % 1000 = 1 THEN 1 ELSE 0 END,
       CAST(i AS BIGINT) * 30000, CAST(i AS BIGINT) * 30000, CAST(i AS BIGINT) * 30000
FROM generate_series(1, :n) i;

INSERT INTO payment_items (payment_id, food_id, name, unit_price, quantity, line_total, taken,
                           cart_revision)
SELECT p.id, (p.id + 7 * k) % 50 + 1, 'f', 1000, 1, 1000, p.id % 2, 1
FROM payments p, generate_series(1, 2) k;

INSERT INTO payment_events (payment_id, what, reason, at)
SELECT id, 'flagged', 'paid_after_cancel', created_at FROM payments WHERE id % 4 = 0;

INSERT INTO orders (user_id, payment_id, status, total, currency, fulfilment, created_at, updated_at)
SELECT user_id, id,
       CASE WHEN id > :n - 50 THEN 'pending' WHEN id % 50 = 1 THEN 'cancelled' ELSE 'completed' END, 2000,
       'NGN', 'pickup', created_at, created_at
FROM payments WHERE status = 'paid';

INSERT INTO order_items (order_id, food_id, name, unit_price, quantity, line_total, taken)
SELECT o.id, i.food_id, i.name, i.unit_price, i.quantity, i.line_total, i.taken
FROM orders o JOIN payment_items i ON i.payment_id = o.payment_id;

INSERT INTO order_events (order_id, from_status, to_status, actor, at)
SELECT id, NULL, CASE WHEN k = 5 THEN status ELSE 'pending' END, 'system', created_at
FROM generate_series(1, 5) k, orders;

INSERT INTO cart_items (user_id, food_id, quantity, revision, added_at)
SELECT id, id % 50 + 1, 1, 1, 1 FROM users WHERE id % 2 = 0;

INSERT INTO signups (token_hash, email, email_key, phone, password_hash, otp_hash, otp_expires_at,
                     resend_at, created_at)
SELECT decode(md5(CAST(i AS TEXT)), 'hex'), 's' || i, 's' || i, '+1' || i, 'h', 'o', i, i, i
FROM generate_series(1, :n / 2) i;

INSERT INTO attempts (scope, subject, at)
SELECT 'login', decode(md5(CAST(i / 3 AS TEXT)), 'hex'), i FROM generate_series(1, :n) i;

INSERT INTO sessions (token_hash, user_id, created_at, used_at, expires_at)
SELECT decode(md5(CAST(i AS TEXT)), 'hex'), i % (:n / 10) + 1, i, i, i FROM generate_series(1, :n) i;

INSERT INTO password_resets (token_hash, user_id, expires_at, used)
SELECT decode(md5(CAST(i AS TEXT)), 'hex'), i % (:n / 10) + 1, i, 1 FROM generate_series(1, :n / 2) i;

INSERT INTO idempotency_keys (user_id, path, key, body_hash, status, created_at)
SELECT i % (:n / 10) + 1, '/api/orders', 'k' || i, 'b', 200, i FROM generate_series(1, :n) i;

INSERT INTO outbox (recipient, subject, status, next_at, created_at, done_at)
SELECT 'r', 's', CASE WHEN i < 20 THEN 'waiting' ELSE 'sent' END, i, i, CASE WHEN i >= 20 THEN i END
FROM generate_series(1, :n) i;

ANALYZE;
