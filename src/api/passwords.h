/* Argon2id on niced threads of their own with a bounded queue, so that a storm of log-ins can take
 * neither the workers' processor time nor more memory than threads × 64 MiB. */
#ifndef SERVERY_API_PASSWORDS_H
#define SERVERY_API_PASSWORDS_H

#include "base/crypto.h"

struct passwords;

MUST_CHECK enum err passwords_create(int threads, struct passwords **ret_passwords);
void passwords_destroy(struct passwords *passwords);

/* Both block the calling worker; ERR_UNAVAILABLE when the queue (PASSWORDS_QUEUE_MAX) is full. */
enum { PASSWORDS_QUEUE_MAX = 64 };
MUST_CHECK enum err passwords_hash(struct passwords *passwords, struct str password,
                                   char ret_hash[static CRYPTO_PASSWORD_HASH_SIZE]);
MUST_CHECK enum err passwords_verify(struct passwords *passwords, const char *hash,
                                     struct str password, bool *ret_right);

/* How many wait; for the metrics. */
int64_t passwords_waiting(const struct passwords *passwords);

#endif
