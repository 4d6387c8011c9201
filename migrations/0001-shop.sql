-- The shop: accounts, menu, carts, payments, orders, mail.
-- One text for every engine; the tokens $ID$ (an identity primary key), $ID_NEVER_REUSED$ (one whose
-- numbers do not come back when rows are deleted), $BLOB$ and $STRICT$ are replaced by the engine.
-- Times are milliseconds since 1970 UTC, money is in minor units, booleans are 0 or 1.

CREATE TABLE shop (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    name TEXT NOT NULL,
    currency TEXT NOT NULL,
    country_code TEXT NOT NULL,
    timezone TEXT NOT NULL,
    payment_instructions TEXT NOT NULL,
    secret_print $BLOB$ -- a keyed hash that only the shop's secret makes; NULL until it first served
) $STRICT$;
INSERT INTO shop (id, name, currency, country_code, timezone, payment_instructions)
VALUES (1, 'Servery', 'NGN', '234', 'Africa/Lagos', 'Pay at the counter.');

CREATE TABLE users (
    id $ID$,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL, -- folded: emails compare without case
    phone TEXT,              -- E.164
    name TEXT,
    search_key TEXT NOT NULL, -- folded email, name and phone, for the admin's search
    role TEXT NOT NULL CHECK (role IN ('user', 'admin')),
    password_hash TEXT NOT NULL,
    referral_code TEXT NOT NULL,
    referrer_id BIGINT REFERENCES users (id),
    disabled BIGINT NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1)),
    created_at BIGINT NOT NULL
) $STRICT$;
CREATE UNIQUE INDEX users_email ON users (email_key);
CREATE UNIQUE INDEX users_phone ON users (phone);
CREATE UNIQUE INDEX users_referral_code ON users (referral_code);
CREATE INDEX users_referrer ON users (referrer_id, id) WHERE referrer_id IS NOT NULL;
CREATE INDEX users_admin ON users (id) WHERE role = 'admin';

-- A sign-up that is not verified yet. Never blocks anybody: no unique email, no unique phone.
CREATE TABLE signups (
    id $ID$,
    token_hash $BLOB$ NOT NULL,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL,
    phone TEXT,
    name TEXT,
    password_hash TEXT NOT NULL,
    referrer_id BIGINT REFERENCES users (id),
    otp_hash $BLOB$ NOT NULL,
    otp_expires_at BIGINT NOT NULL,
    otp_attempts BIGINT NOT NULL DEFAULT 0,
    resend_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL
) $STRICT$;
CREATE UNIQUE INDEX signups_token ON signups (token_hash);
CREATE INDEX signups_email ON signups (email_key, id);
CREATE INDEX signups_phone ON signups (phone, id) WHERE phone IS NOT NULL;
CREATE INDEX signups_created ON signups (created_at);

-- What is counted over a sliding window: codes mailed, failed log-ins. `scope` names the rule,
-- `subject` what is counted (an email, an email and an address, an identifier, …), hashed.
CREATE TABLE attempts (
    id $ID$,
    scope TEXT NOT NULL,
    subject $BLOB$ NOT NULL,
    at BIGINT NOT NULL
) $STRICT$;
CREATE INDEX attempts_subject ON attempts (scope, subject, at);
CREATE INDEX attempts_at ON attempts (at);

CREATE TABLE sessions (
    id $ID_NEVER_REUSED$, -- a request that still waits knows its session by it
    token_hash $BLOB$ NOT NULL,
    user_id BIGINT NOT NULL REFERENCES users (id),
    created_at BIGINT NOT NULL,
    used_at BIGINT NOT NULL, -- written at most once a day
    expires_at BIGINT NOT NULL
) $STRICT$;
CREATE UNIQUE INDEX sessions_token ON sessions (token_hash);
CREATE INDEX sessions_user ON sessions (user_id, id);
CREATE INDEX sessions_expires ON sessions (expires_at);

CREATE TABLE password_resets (
    id $ID$,
    token_hash $BLOB$ NOT NULL,
    user_id BIGINT NOT NULL REFERENCES users (id),
    expires_at BIGINT NOT NULL,
    used BIGINT NOT NULL DEFAULT 0 CHECK (used IN (0, 1))
) $STRICT$;
CREATE UNIQUE INDEX password_resets_token ON password_resets (token_hash);
CREATE INDEX password_resets_user ON password_resets (user_id);
CREATE INDEX password_resets_expires ON password_resets (expires_at);

CREATE TABLE foods (
    id $ID$,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    category TEXT NOT NULL,
    price BIGINT NOT NULL CHECK (price BETWEEN 0 AND 1000000000000),
    available BIGINT NOT NULL CHECK (available IN (0, 1)),
    stock BIGINT CHECK (stock >= 0), -- what can still be sold; NULL: not counted
    taken BIGINT NOT NULL DEFAULT 0 CHECK (taken >= 0), -- units marked taken in holds and orders
    image_hash TEXT,
    archived BIGINT NOT NULL DEFAULT 0 CHECK (archived IN (0, 1)),
    version BIGINT NOT NULL DEFAULT 1,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
) $STRICT$;
CREATE INDEX foods_menu ON foods (id) WHERE archived = 0;

CREATE TABLE cart_items (
    user_id BIGINT NOT NULL REFERENCES users (id),
    food_id BIGINT NOT NULL REFERENCES foods (id),
    quantity BIGINT NOT NULL CHECK (quantity BETWEEN 1 AND 99),
    revision BIGINT NOT NULL, -- random, new with each edit: tells whether a line was edited since
    added_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, food_id)
) $STRICT$;
CREATE INDEX cart_items_food ON cart_items (food_id);

CREATE TABLE payments (
    id $ID$,
    user_id BIGINT NOT NULL REFERENCES users (id),
    status TEXT NOT NULL CHECK (status IN
        ('creating', 'pending', 'paid', 'failed', 'expired', 'cancelling', 'cancelled')),
    amount BIGINT NOT NULL CHECK (amount BETWEEN 0 AND 1000000000000),
    currency TEXT NOT NULL,
    provider TEXT NOT NULL,
    remote BIGINT NOT NULL CHECK (remote IN (0, 1)), -- its provider is called over HTTP
    provider_ref TEXT,             -- the provider's own id of it
    provider_url TEXT,             -- where the customer pays, with a remote provider
    claimed_until BIGINT NOT NULL DEFAULT 0, -- somebody is calling the provider about it until then
    cancel_to TEXT CHECK (cancel_to IN ('expired', 'cancelled')), -- what a cancelling one becomes
    nonce $BLOB$ NOT NULL,         -- the checkout token is a keyed hash of it
    fulfilment TEXT NOT NULL CHECK (fulfilment IN ('pickup', 'delivery')),
    address TEXT,
    note TEXT,
    held BIGINT NOT NULL CHECK (held IN (0, 1)), -- its lines hold stock
    outcome TEXT,                  -- the test provider's: paid or failed; or refused
    needs_attention TEXT,          -- the reason; NULL: none
    refund_due BIGINT NOT NULL DEFAULT 0 CHECK (refund_due IN (0, 1)),
    resolved_note TEXT,
    version BIGINT NOT NULL DEFAULT 1, -- moves with every change: nobody writes over what he has not seen
    expires_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
) $STRICT$;
CREATE UNIQUE INDEX payments_open ON payments (user_id) WHERE status IN ('creating', 'pending');
CREATE INDEX payments_unpaid ON payments (user_id, created_at)
    WHERE status IN ('failed', 'expired', 'cancelling', 'cancelled');
CREATE INDEX payments_expires ON payments (expires_at) WHERE status IN ('creating', 'pending');
CREATE INDEX payments_calls ON payments (provider, claimed_until)
    WHERE remote = 1 AND status IN ('creating', 'pending', 'cancelling');
CREATE UNIQUE INDEX payments_provider_ref ON payments (provider, provider_ref)
    WHERE provider_ref IS NOT NULL;
CREATE INDEX payments_attention ON payments (id) WHERE needs_attention IS NOT NULL;
CREATE INDEX payments_refund ON payments (id) WHERE refund_due = 1;

CREATE TABLE payment_items (
    payment_id BIGINT NOT NULL REFERENCES payments (id),
    food_id BIGINT NOT NULL REFERENCES foods (id),
    name TEXT NOT NULL,
    unit_price BIGINT NOT NULL,
    quantity BIGINT NOT NULL,
    line_total BIGINT NOT NULL,
    taken BIGINT NOT NULL CHECK (taken IN (0, 1)), -- whether the line took units off the stock
    cart_revision BIGINT NOT NULL,
    PRIMARY KEY (payment_id, food_id)
) $STRICT$;

CREATE TABLE orders (
    id $ID$,
    user_id BIGINT NOT NULL REFERENCES users (id),
    payment_id BIGINT REFERENCES payments (id), -- NULL: it was free
    status TEXT NOT NULL CHECK (status IN
        ('pending', 'confirmed', 'preparing', 'ready', 'out_for_delivery', 'completed', 'cancelled')),
    total BIGINT NOT NULL CHECK (total BETWEEN 0 AND 1000000000000),
    currency TEXT NOT NULL,
    fulfilment TEXT NOT NULL CHECK (fulfilment IN ('pickup', 'delivery')),
    address TEXT,
    note TEXT,
    stock_returned BIGINT NOT NULL DEFAULT 0 CHECK (stock_returned IN (0, 1)),
    version BIGINT NOT NULL DEFAULT 1,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
) $STRICT$;
CREATE UNIQUE INDEX orders_payment ON orders (payment_id);
CREATE INDEX orders_user ON orders (user_id, created_at, id);
CREATE INDEX orders_status ON orders (status, created_at, id);
CREATE INDEX orders_created ON orders (created_at, id);

CREATE TABLE order_items (
    order_id BIGINT NOT NULL REFERENCES orders (id),
    food_id BIGINT NOT NULL REFERENCES foods (id),
    name TEXT NOT NULL,
    unit_price BIGINT NOT NULL,
    quantity BIGINT NOT NULL,
    line_total BIGINT NOT NULL,
    taken BIGINT NOT NULL CHECK (taken IN (0, 1)),
    PRIMARY KEY (order_id, food_id)
) $STRICT$;

CREATE TABLE order_events (
    id $ID$,
    order_id BIGINT NOT NULL REFERENCES orders (id),
    from_status TEXT,
    to_status TEXT NOT NULL,
    actor TEXT NOT NULL CHECK (actor IN ('customer', 'admin', 'system')),
    actor_id BIGINT REFERENCES users (id),
    note TEXT,
    at BIGINT NOT NULL
) $STRICT$;
CREATE INDEX order_events_order ON order_events (order_id, id);

CREATE TABLE idempotency_keys (
    user_id BIGINT NOT NULL REFERENCES users (id),
    path TEXT NOT NULL,
    key TEXT NOT NULL,
    body_hash $BLOB$ NOT NULL,
    status BIGINT,           -- of the stored answer; NULL where payment_id stands for it
    location TEXT,
    body TEXT,
    payment_id BIGINT REFERENCES payments (id),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, path, key)
) $STRICT$;
CREATE INDEX idempotency_keys_created ON idempotency_keys (created_at);

-- Mail to send: a row in the transaction that causes it.
CREATE TABLE outbox (
    id $ID$,
    recipient TEXT NOT NULL,
    subject TEXT NOT NULL,
    body $BLOB$,                -- sealed with the shop's key; NULL once sent or given up
    status TEXT NOT NULL CHECK (status IN ('waiting', 'sent', 'expired', 'failed')),
    attempts BIGINT NOT NULL DEFAULT 0,
    next_at BIGINT NOT NULL,    -- not before
    useless_at BIGINT,          -- an expired code is not sent late
    created_at BIGINT NOT NULL,
    done_at BIGINT
) $STRICT$;
CREATE INDEX outbox_waiting ON outbox (next_at, id) WHERE status = 'waiting';
CREATE INDEX outbox_done ON outbox (done_at) WHERE done_at IS NOT NULL;
