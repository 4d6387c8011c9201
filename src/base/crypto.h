/* Randomness, tokens, hashes and sealing on libsodium. Call crypto_init once before threads start.
 * Every function is thread-safe. */
#ifndef SERVERY_BASE_CRYPTO_H
#define SERVERY_BASE_CRYPTO_H

#include "base/arena.h"
#include "base/err.h"

enum {
    CRYPTO_KEY_BYTES = 32,
    CRYPTO_HASH_BYTES = 32,
    CRYPTO_TOKEN_BYTES = 32,         /* 256 bits */
    CRYPTO_TOKEN_CHARS = 43,         /* base64url without padding */
    CRYPTO_PASSWORD_HASH_SIZE = 128, /* Argon2id's text form with its NUL */
};

/* The shop's secret: one master key, from which each purpose derives its own (BLAKE2b KDF). */
struct crypto_keys {
    unsigned char hash[CRYPTO_KEY_BYTES]; /* keyed hashes of tokens and codes */
    unsigned char seal[CRYPTO_KEY_BYTES]; /* mail bodies in the outbox */
};

MUST_CHECK enum err crypto_init(void);

/* Reads the master key from `path`, creating it (0600, random) if there is none, and derives the
 * keys. A file that others may read, or of another size, is refused with a line in the log.
 * *ret_made: this call has created it; NULL is fine. */
MUST_CHECK enum err crypto_keys_load(const char *path, struct crypto_keys *ret_keys,
                                     bool *ret_made);

void crypto_random(void *bytes, size_t len);
uint32_t crypto_random_below(uint32_t bound); /* uniform in 0 … bound-1 */
int64_t crypto_random_id(void);               /* uniform in 1 … 2^53-1 */

/* A fresh token of 256 bits as base64url text in the arena. */
struct str crypto_token(struct arena *arena);

/* Keyed BLAKE2b-256 of `purpose` and `bytes`; what is stored instead of a token or a code.
 * (libsodium owns the name crypto_hash.) */
void crypto_hash_into(const struct crypto_keys *keys, const char *purpose, struct str bytes,
                      unsigned char ret_hash[static CRYPTO_HASH_BYTES]);
struct str crypto_hash_str(const struct crypto_keys *keys, struct arena *arena, const char *purpose,
                           struct str bytes); /* the same, in the arena */

/* Unkeyed BLAKE2b-128 as 32 hex digits: content hashes and ETags. */
struct str crypto_content_hash(struct arena *arena, struct str bytes);

/* Unkeyed BLAKE2b-256 as 64 hex digits: the name of bytes whose name nobody may forge. */
struct str crypto_content_name(struct arena *arena, struct str bytes);

/* Unkeyed too, and so short that only chance is kept out: to compare many rows by one sum. */
uint64_t crypto_content_number(struct str bytes);

bool crypto_equal(struct str a, struct str b); /* constant time for equal lengths */

struct str crypto_base64url(struct arena *arena, struct str bytes); /* without padding */
bool crypto_base64url_parse(struct arena *arena, struct str text, struct str *ret_bytes);

/* Authenticated encryption (XChaCha20-Poly1305), nonce first. Open fails on a changed text. */
struct str crypto_seal(const struct crypto_keys *keys, struct arena *arena, struct str plain);
bool crypto_open(const struct crypto_keys *keys, struct arena *arena, struct str sealed,
                 struct str *ret_plain);

/* Argon2id (RFC 9106) with libsodium's interactive limits: 64 MiB and tens of milliseconds;
 * ERR_UNAVAILABLE where those cannot be had. Verify goes by the limits in the hash; for what is no
 * hash every password is wrong. Only the hash threads (api/passwords.h), the command line and tests
 * call these. */
MUST_CHECK enum err crypto_password_hash(struct str password,
                                         char ret_hash[static CRYPTO_PASSWORD_HASH_SIZE]);
MUST_CHECK enum err crypto_password_verify(const char *hash, struct str password, bool *ret_right);

/* A valid hash of no known password, made with the same limits: compared where there is no user. */
const char *crypto_password_dummy(void);

#endif
