/* An order as rows of an answer; for the files of store/ that read orders. */
#ifndef SERVERY_STORE_ORDER_ROW_H
#define SERVERY_STORE_ORDER_ROW_H

#include "store/order.h"

/* In the order order_from_row reads them, of ORDER_FROM. */
#define ORDER_COLUMNS                                                                              \
    "o.id, o.user_id, o.status, o.total, o.currency, o.fulfilment, o.address, o.note, "            \
    "o.payment_id, p.status, p.amount, u.name, u.email, u.phone, o.version, o.created_at, "        \
    "o.updated_at"
#define ORDER_FROM                                                                                 \
    " FROM orders o JOIN users u ON u.id = o.user_id LEFT JOIN payments p ON p.id = o.payment_id "

/* In the order order_events_from_rows reads them, of order_events. */
#define ORDER_EVENT_COLUMNS "id, order_id, from_status, to_status, actor, note, at"

/* ORDER_CHUNK ids; what is missing is asked as 0. */
#define ORDER_CHUNK_IDS                                                                            \
    "($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)"

/* Without its lines and events, which order_fill reads. */
struct order order_from_row(const struct sql_rows *rows, size_t row);
struct order_event *order_events_from_rows(struct tx *tx, const struct sql_rows *rows);

/* Lines and events of n orders; the same order may be there twice. */
MUST_CHECK enum err order_fill(struct tx *tx, struct order *orders, size_t n);

#endif
