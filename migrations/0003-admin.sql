-- What admins work with: the history of a payment that needs them, and indexes of what they look for.

-- What was said about a payment that no order could be made of, or whose money is owed back, and what
-- admins did about it. Rows are only ever added: payments.needs_attention and refund_due are what is
-- open now, these are what has been.
CREATE TABLE payment_events (
    id $ID$,
    payment_id BIGINT NOT NULL REFERENCES payments (id),
    what TEXT NOT NULL CHECK (what IN
        ('flagged', 'refund_due', 'cleared', 'resolved', 'reopened', 'noted')),
    reason TEXT,           -- of needs_attention: raised, cleared, resolved or reopened
    refund_due BIGINT NOT NULL DEFAULT 0 CHECK (refund_due IN (0, 1)), -- raised, resolved or reopened
    paid_amount BIGINT,    -- with flagged: the money that came
    paid_currency TEXT,
    note TEXT,
    actor_id BIGINT REFERENCES users (id), -- the admin; NULL: the shop itself, or a provider
    at BIGINT NOT NULL
) $STRICT$;
CREATE INDEX payment_events_payment ON payment_events (payment_id, id);

INSERT INTO payment_events (payment_id, what, reason, at)
SELECT id, 'flagged', needs_attention, updated_at FROM payments
WHERE needs_attention IS NOT NULL ORDER BY id;
INSERT INTO payment_events (payment_id, what, refund_due, at)
SELECT id, 'refund_due', 1, updated_at FROM payments WHERE refund_due = 1 ORDER BY id;

-- The notes are in the events.
ALTER TABLE payments DROP COLUMN resolved_note;

CREATE INDEX payments_user ON payments (user_id, id);
