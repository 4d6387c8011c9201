/* The shop's settings: one row. */
#ifndef SERVERY_STORE_SHOP_H
#define SERVERY_STORE_SHOP_H

#include "base/json.h"
#include "store/store.h"

struct shop {
    struct str name;
    struct str currency;     /* an active ISO 4217 code */
    struct str country_code; /* the digits of a phone number's country, as in 234 */
    struct str timezone;     /* an IANA name, as in Africa/Lagos */
    struct str payment_instructions;
};

MUST_CHECK enum err shop_read(struct tx *tx, struct shop *ret_shop);

/* Who changes the settings, or takes an admin away, or relies on what it finds of these unchanged,
 * comes one after the other; in a write, after its users' locks (tx_lock_user). */
MUST_CHECK enum err shop_lock(struct tx *tx);

/* As nobody changes it before the end of this transaction. */
MUST_CHECK enum err shop_read_locked(struct tx *tx, struct shop *ret_shop);

/* A row if there is a payment or an order; asked ahead (tx_ask_ahead). */
MUST_CHECK enum err shop_sold_ahead(struct tx *tx, struct sql_rows *ret_rows);

/* What an admin changes, already checked; members that are not set stay as they are. */
struct shop_edit {
    struct opt_str name, currency, country_code, timezone, payment_instructions;
    struct problem *problem;
    struct shop shop; /* out */
};

/* A transaction function with a struct shop_edit; emits STORE_EVENT_SHOP. currency_in_use when
 * another currency is asked for and there is a payment or an order. */
MUST_CHECK enum err shop_edit(struct tx *tx, void *edit);

/* Whether a secret is the one that the shop's hashes and waiting mails were made with. The first
 * one that asks is taken; with `accept` this one is taken from now on, and all sessions, which only
 * the former one could find, are deleted. `print` is a keyed hash of a constant. */
struct shop_secret {
    struct str print;
    bool accept;
    bool matches; /* out */
};
MUST_CHECK enum err shop_secret(struct tx *tx, void *secret);

#endif
