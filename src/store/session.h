/* Sessions: who a token belongs to. Only a token's keyed hash is stored. */
#ifndef SERVERY_STORE_SESSION_H
#define SERVERY_STORE_SESSION_H

#include "domain/account.h"
#include "store/store.h"

struct session {
    int64_t id; /* 0: none */
    int64_t user_id;
    enum role role;
    bool disabled; /* the user is */
    int64_t used_at_ms, expires_at_ms;
};

/* The live session of a token, with its user's present role; id 0 if there is none. */
MUST_CHECK enum err session_find(struct tx *tx, struct str token_hash, int64_t now_ms,
                                 struct session *ret_session);

/* The same by its id and its user's: what a write checks again inside its transaction. */
MUST_CHECK enum err session_find_by_id(struct tx *tx, int64_t session_id, int64_t user_id,
                                       int64_t now_ms, struct session *ret_session);

/* The same asked ahead (tx_ask_ahead): session_look_read when that is answered. */
struct session_look {
    struct sql_rows rows;
};
MUST_CHECK enum err session_look_ahead(struct tx *tx, int64_t session_id, int64_t user_id,
                                       int64_t now_ms, struct session_look *look);
MUST_CHECK enum err session_look_read(const struct session_look *look, struct session *ret_session);

MUST_CHECK enum err session_create(struct tx *tx, int64_t user_id, struct str token_hash,
                                   int64_t now_ms, int64_t *ret_expires_at_ms);

/* Slides the expiry to now + SESSION_LIFETIME_MS; called when used_at is over SESSION_TOUCH_MS
 * old. */
MUST_CHECK enum err session_touch(struct tx *tx, int64_t session_id, int64_t now_ms);

/* Both emit what closes the open streams. `keep_id` is spared; 0 spares none. */
MUST_CHECK enum err session_end(struct tx *tx, int64_t session_id);
MUST_CHECK enum err session_end_all(struct tx *tx, int64_t user_id, int64_t keep_id);

#endif
