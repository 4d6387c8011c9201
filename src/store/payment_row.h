/* A payment as a row of an answer; for the files of store/ that read payments. */
#ifndef SERVERY_STORE_PAYMENT_ROW_H
#define SERVERY_STORE_PAYMENT_ROW_H

#include "store/payment.h"

/* Of `payments p`, in the order payment_from_row reads them. */
#define PAYMENT_COLUMNS                                                                            \
    "p.id, p.user_id, p.status, p.amount, p.currency, p.provider, p.remote, p.provider_ref, "      \
    "p.provider_url, p.claimed_until, p.cancel_to, p.nonce, p.fulfilment, p.address, p.note, "     \
    "p.held, p.outcome, p.needs_attention, p.refund_due, p.expires_at, p.created_at, "             \
    "p.version, (SELECT o.id FROM orders o WHERE o.payment_id = p.id)"

enum { PAYMENT_N_COLUMNS = 23 };

/* The columns begin at `col`. */
struct payment payment_from_row(const struct sql_rows *rows, size_t row, size_t col);

/* The lines of the user's payment that is stored as open, asked ahead (tx_ask_ahead); as lines when
 * that is answered. */
MUST_CHECK enum err payment_lines_open_ahead(struct tx *tx, int64_t user_id,
                                             struct sql_rows *ret_rows);
void payment_lines_from_rows(struct tx *tx, const struct sql_rows *rows,
                             struct payment_line **ret_lines, size_t *ret_n);

/* Writes what of a payment can change, provided that nobody has written it since it was read: a
 * copy that is old fails the transaction with ERR_STALE. Its version moves. */
MUST_CHECK enum err payment_save(struct tx *tx, struct payment *payment, int64_t now_ms);

/* The payment can no longer be paid: it goes to `to`, and the units of its hold go back. */
MUST_CHECK enum err payment_close(struct tx *tx, struct payment *payment, enum payment_status to,
                                  int64_t now_ms);

/* ---- Many at once; `found` are rows of (id, user_id) ---- */

/* Locks the owners, by rising id, and reads the payments again. */
MUST_CHECK enum err payment_lock_all(struct tx *tx, const struct sql_rows *found,
                                     struct payment **ret_payments);

/* payment_close of them all, locked, each to what it finally counts as. Everything is asked before
 * anything is changed: the late updates of the stock wait for the end, in the order of the
 * foods. */
MUST_CHECK enum err payment_close_all(struct tx *tx, struct payment *payments, size_t n,
                                      int64_t now_ms);

/* Locks them and ends those that are still open and past their time, as payment_expire does. */
MUST_CHECK enum err payment_expire_all(struct tx *tx, const struct sql_rows *found, int64_t now_ms);

#endif
