/* All tables with all their columns: a migration that adds one has to add it here (a test
 * compares). Rows are read by their primary key in pages, so that no statement takes longer in a
 * larger shop. */
#include "store/copy_tables.h"

enum {
    PAGE_ROWS = 1000,
    ANSWER_ROWS = 100, /* a stored answer may be some ten KB */
    IMAGE_ROWS = 8,    /* a picture up to a MB */
};

#define V4 "$1, $2, $3, $4"
#define V5 V4 ", $5"
#define V6 V5 ", $6"
#define V7 V6 ", $7"
#define V8 V7 ", $8"
#define V9 V8 ", $9"
#define V10 V9 ", $10"
#define V11 V10 ", $11"
#define V12 V11 ", $12"
#define V13 V12 ", $13"
#define V23 V13 ", $14, $15, $16, $17, $18, $19, $20, $21, $22, $23"

#define STATEMENTS(table, columns, values, after, order, limit)                                    \
    "SELECT COUNT(*) AS n_rows FROM " table,                                                       \
        "SELECT " columns " FROM " table " WHERE " after " ORDER BY " order " LIMIT " limit,       \
        "INSERT INTO " table " (" columns ") VALUES (" values ")"

#define BY_ID(table, columns, values)                                                              \
    {                                                                                              \
        table, columns, "i", true, PAGE_ROWS,                                                      \
            STATEMENTS(table, columns, values, "id > $1", "id", "$2")                              \
    }
#define BY_PAIR(table, one, two, columns, values)                                                  \
    {                                                                                              \
        table, one ", " two ", " columns, "ii", false, PAGE_ROWS,                                  \
            STATEMENTS(table, one ", " two ", " columns, values, "(" one ", " two ") > ($1, $2)",  \
                       one ", " two, "$3")                                                         \
    }

#define IMAGE "hash, type, width, height, created_at, released_at, bytes"
#define ANSWER "user_id, path, key, body_hash, status, location, body, payment_id, created_at"
#define SHOP "id, name, currency, country_code, timezone, payment_instructions, secret_print"

const struct copy_table copy_tables[COPY_TABLES_N] = {
    BY_ID("users",
          "id, email, email_key, phone, name, search_key, role, password_hash, referral_code, "
          "referrer_id, disabled, created_at",
          V12),
    BY_ID("signups",
          "id, token_hash, email, email_key, phone, name, password_hash, referrer_id, otp_hash, "
          "otp_expires_at, otp_attempts, resend_at, created_at",
          V13),
    BY_ID("attempts", "id, scope, subject, at", V4),
    BY_ID("sessions", "id, token_hash, user_id, created_at, used_at, expires_at", V6),
    BY_ID("password_resets", "id, token_hash, user_id, expires_at, used", V5),
    {"images", IMAGE, "t", false, IMAGE_ROWS,
     STATEMENTS("images", IMAGE, V7, "hash > $1", "hash", "$2")},
    BY_ID("foods",
          "id, name, description, category, price, available, stock, taken, image_hash, archived, "
          "version, created_at, updated_at",
          V13),
    BY_PAIR("cart_items", "user_id", "food_id", "quantity, revision, added_at", V5),
    BY_ID("payments",
          "id, user_id, status, amount, currency, provider, remote, provider_ref, provider_url, "
          "claimed_until, cancel_to, nonce, fulfilment, address, note, held, outcome, "
          "needs_attention, refund_due, version, expires_at, created_at, updated_at",
          V23),
    BY_PAIR("payment_items", "payment_id", "food_id",
            "name, unit_price, quantity, line_total, taken, cart_revision", V8),
    BY_ID("payment_events",
          "id, payment_id, what, reason, refund_due, paid_amount, paid_currency, note, actor_id, "
          "at",
          V10),
    BY_ID("orders",
          "id, user_id, payment_id, status, total, currency, fulfilment, address, note, "
          "stock_returned, version, created_at, updated_at",
          V13),
    BY_PAIR("order_items", "order_id", "food_id", "name, unit_price, quantity, line_total, taken",
            V7),
    BY_ID("order_events", "id, order_id, from_status, to_status, actor, actor_id, note, at", V8),
    {"idempotency_keys", ANSWER, "itt", false, ANSWER_ROWS,
     STATEMENTS("idempotency_keys", ANSWER, V9, "(user_id, path, key) > ($1, $2, $3)",
                "user_id, path, key", "$4")},
    BY_ID("outbox",
          "id, recipient, subject, body, status, attempts, next_at, useless_at, created_at, "
          "done_at",
          V10),
    /* One row, which needs no order. */
    {"shop", SHOP, "i", false, 2, "SELECT COUNT(*) AS n_rows FROM shop",
     "SELECT " SHOP " FROM shop WHERE id > $1 LIMIT $2",
     "INSERT INTO shop (" SHOP ") VALUES (" V7 ")"},
};
