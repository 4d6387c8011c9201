/* Argon2id on niced threads of their own with a bounded queue, so that a storm of log-ins can take
 * neither the workers' processor time nor more memory than threads × 64 MiB. */
#ifndef SERVERY_API_PASSWORDS_H
#define SERVERY_API_PASSWORDS_H

#include "base/crypto.h"
#include "base/metric.h"

struct passwords;

struct passwords *passwords_create(int threads);
void passwords_destroy(struct passwords *passwords); /* NULL is fine */

/* Both block the calling worker; ERR_UNAVAILABLE when the queue (PASSWORDS_QUEUE_MAX) is full, or
 * the memory for a hash cannot be had. */
enum { PASSWORDS_QUEUE_MAX = 64 };
MUST_CHECK enum err passwords_hash(struct passwords *passwords, struct str password,
                                   char ret_hash[static CRYPTO_PASSWORD_HASH_SIZE]);
MUST_CHECK enum err passwords_verify(struct passwords *passwords, const char *hash,
                                     struct str password, bool *ret_right);

/* For the metrics; each a relaxed atomic read. */
extern const struct metric_scale PASSWORDS_SCALE;
struct passwords_stats {
    int64_t waiting, running;
    int64_t refused;            /* because the queue was full */
    struct metric_reading time; /* microseconds that a hash took, without the wait */
};
void passwords_stats(const struct passwords *passwords, struct passwords_stats *ret_stats);

#endif
