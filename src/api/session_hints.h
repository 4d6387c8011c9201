/* Sessions that were found lately, by their token's hash: a hint that saves a write its first
 * look-up. Never the last word: every transaction and every read that goes by a hint looks the
 * session up again in its own snapshot (call.c), so a hint may be old, and nothing has to tell
 * it. */
#ifndef SERVERY_API_SESSION_HINTS_H
#define SERVERY_API_SESSION_HINTS_H

#include "store/session.h"

struct session_hints;

struct session_hints *session_hints_create(void);
void session_hints_destroy(struct session_hints *hints); /* NULL is fine */

/* token_hash has CRYPTO_HASH_BYTES. Any thread. */
MUST_CHECK bool session_hints_find(struct session_hints *hints, struct str token_hash,
                                   struct session *ret_session);
void session_hints_keep(struct session_hints *hints, struct str token_hash,
                        const struct session *session);
void session_hints_drop(struct session_hints *hints, struct str token_hash);

#endif
