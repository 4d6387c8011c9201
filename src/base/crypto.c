/* The few cryptographic operations the server needs, each on one primitive of libsodium; no other
 * file calls it. */
#include "base/crypto.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "base/arena.h"
#include "base/log.h"

static_assert(CRYPTO_PASSWORD_HASH_SIZE == crypto_pwhash_STRBYTES, "");
static_assert(CRYPTO_KEY_BYTES == crypto_kdf_KEYBYTES, "");
static_assert(CRYPTO_KEY_BYTES == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "");
static_assert(CRYPTO_HASH_BYTES == crypto_generichash_BYTES, "");

enum {
    SUBKEY_HASH = 1, /* their numbers are part of the stored data's format */
    SUBKEY_SEAL = 2,
    CONTENT_HASH_BYTES = 16,
    NONCE_BYTES = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
    TAG_BYTES = crypto_aead_xchacha20poly1305_ietf_ABYTES,
};

static const unsigned char *bytes_of(struct str s)
{
    return (const unsigned char *)(s.ptr ? s.ptr : "");
}

enum err crypto_init(void)
{
    if (sodium_init() >= 0)
        return ERR_OK;
    log_line(LOG_ERROR, "crypto_init_failed");
    return ERR_INTERNAL;
}

static enum err refuse_key(const char *path, const char *reason)
{
    log_line(LOG_ERROR, "secret_file_refused", LOG_CSTR("path", path), LOG_CSTR("reason", reason));
    return ERR_INTERNAL;
}

/* A name is on the disk only once its folder is. */
static enum err sync_folder_of(const char *path)
{
    size_t size = strlen(path) + 1;
    char *copy = memcpy(mem_alloc(size), path, size);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool synced = fd >= 0 && fsync(fd) == 0;

    if (fd >= 0)
        close(fd);
    free(copy);
    return synced ? ERR_OK : refuse_key(path, "its folder could not be written to the disk");
}

/* Writes the key beside `path` and links it there whole, so that of several servers starting at
 * once none reads half a key and all read the same; and to the disk, before anything is hashed or
 * sealed with it. */
static enum err create_key(const char *path, bool *ret_made)
{
    enum err err = ERR_INTERNAL;
    bool made = false;
    unsigned char key[CRYPTO_KEY_BYTES];
    size_t size = strlen(path) + sizeof(".XXXXXX");
    char *temp = mem_alloc(size);
    memcpy(temp, path, strlen(path));
    memcpy(temp + strlen(path), ".XXXXXX", sizeof(".XXXXXX"));

    int fd = mkstemp(temp); /* 0600 */
    if (fd < 0) {
        refuse_key(path, strerror(errno));
        goto out;
    }
    crypto_random(key, sizeof(key));
    if (write(fd, key, sizeof(key)) != (ssize_t)sizeof(key) || fsync(fd) != 0)
        refuse_key(path, "it could not be written");
    else if (!(made = link(temp, path) == 0) && errno != EEXIST)
        refuse_key(path, strerror(errno));
    else
        err = sync_folder_of(path);
    unlink(temp);
    if (err != ERR_OK && made)
        unlink(path);
    close(fd);
    *ret_made = made;
out:
    sodium_memzero(key, sizeof(key));
    free(temp);
    return err;
}

static enum err read_key(int fd, const char *path, unsigned char key[static CRYPTO_KEY_BYTES])
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return refuse_key(path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return refuse_key(path, "it is no file");
    if (st.st_mode & (S_IRWXG | S_IRWXO))
        return refuse_key(path, "others may read or write it; chmod 600 it");
    if (st.st_size != CRYPTO_KEY_BYTES ||
        read(fd, key, CRYPTO_KEY_BYTES) != (ssize_t)CRYPTO_KEY_BYTES)
        return refuse_key(path, "it does not hold exactly 32 bytes");
    return ERR_OK;
}

enum err crypto_keys_load(const char *path, struct crypto_keys *ret_keys, bool *ret_made)
{
    bool made = false;
    unsigned char master[CRYPTO_KEY_BYTES];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        enum err err = create_key(path, &made);
        if (err != ERR_OK)
            return err;
        fd = open(path, O_RDONLY | O_CLOEXEC);
    }
    if (fd < 0)
        return refuse_key(path, strerror(errno));
    enum err err = read_key(fd, path, master);
    close(fd);
    if (err == ERR_OK) {
        crypto_kdf_derive_from_key(ret_keys->hash, sizeof(ret_keys->hash), SUBKEY_HASH, "servery_",
                                   master);
        crypto_kdf_derive_from_key(ret_keys->seal, sizeof(ret_keys->seal), SUBKEY_SEAL, "servery_",
                                   master);
    }
    sodium_memzero(master, sizeof(master));
    if (err == ERR_OK && ret_made)
        *ret_made = made;
    return err;
}

void crypto_random(void *bytes, size_t len)
{
    randombytes_buf(bytes, len);
}

uint32_t crypto_random_below(uint32_t bound)
{
    return randombytes_uniform(bound);
}

int64_t crypto_random_id(void)
{
    uint64_t id;
    do {
        crypto_random(&id, sizeof(id));
        id &= (UINT64_C(1) << 53) - 1;
    } while (id == 0);
    return (int64_t)id;
}

struct str crypto_token(struct arena *arena)
{
    char bytes[CRYPTO_TOKEN_BYTES];
    crypto_random(bytes, sizeof(bytes));
    struct str token = crypto_base64url(arena, (struct str){bytes, sizeof(bytes)});
    sodium_memzero(bytes, sizeof(bytes));
    return token;
}

void crypto_hash_into(const struct crypto_keys *keys, const char *purpose, struct str bytes,
                      unsigned char ret_hash[static CRYPTO_HASH_BYTES])
{
    /* The purpose goes in with its NUL, so no purpose and text run together into others. */
    crypto_generichash_state state;
    crypto_generichash_init(&state, keys->hash, sizeof(keys->hash), CRYPTO_HASH_BYTES);
    crypto_generichash_update(&state, (const unsigned char *)purpose, strlen(purpose) + 1);
    crypto_generichash_update(&state, bytes_of(bytes), bytes.len);
    crypto_generichash_final(&state, ret_hash, CRYPTO_HASH_BYTES);
}

struct str crypto_hash_str(const struct crypto_keys *keys, struct arena *arena, const char *purpose,
                           struct str bytes)
{
    unsigned char *hash = arena_alloc(arena, CRYPTO_HASH_BYTES);
    crypto_hash_into(keys, purpose, bytes, hash);
    return (struct str){(const char *)hash, CRYPTO_HASH_BYTES};
}

/* Of up to CRYPTO_HASH_BYTES. */
static struct str hex_hash(struct arena *arena, struct str bytes, size_t hash_len)
{
    unsigned char hash[CRYPTO_HASH_BYTES];
    size_t size = 2 * hash_len + 1;
    char *text = arena_alloc(arena, size);
    crypto_generichash(hash, hash_len, bytes_of(bytes), bytes.len, NULL, 0);
    sodium_bin2hex(text, size, hash, hash_len);
    return (struct str){text, size - 1};
}

struct str crypto_content_hash(struct arena *arena, struct str bytes)
{
    return hex_hash(arena, bytes, CONTENT_HASH_BYTES);
}

struct str crypto_content_name(struct arena *arena, struct str bytes)
{
    return hex_hash(arena, bytes, CRYPTO_HASH_BYTES);
}

uint64_t crypto_content_number(struct str bytes)
{
    unsigned char hash[CONTENT_HASH_BYTES];
    uint64_t number;

    crypto_generichash(hash, sizeof hash, bytes_of(bytes), bytes.len, NULL, 0);
    memcpy(&number, hash, sizeof number);
    return number;
}

bool crypto_equal(struct str a, struct str b)
{
    return a.len == b.len && sodium_memcmp(bytes_of(a), bytes_of(b), a.len) == 0;
}

struct str crypto_base64url(struct arena *arena, struct str bytes)
{
    enum { VARIANT = sodium_base64_VARIANT_URLSAFE_NO_PADDING };
    size_t size = sodium_base64_encoded_len(bytes.len, VARIANT);
    char *text = arena_alloc(arena, size);
    sodium_bin2base64(text, size, bytes_of(bytes), bytes.len, VARIANT);
    return (struct str){text, size - 1};
}

bool crypto_base64url_parse(struct arena *arena, struct str text, struct str *ret_bytes)
{
    enum { VARIANT = sodium_base64_VARIANT_URLSAFE_NO_PADDING };
    size_t len = 0;
    char *bytes = arena_alloc(arena, text.len + 1);
    if (!text.ptr || sodium_base642bin((unsigned char *)bytes, text.len, text.ptr, text.len, NULL,
                                       &len, NULL, VARIANT) != 0)
        return false;
    bytes[len] = '\0';
    *ret_bytes = (struct str){bytes, len};
    return true;
}

struct str crypto_seal(const struct crypto_keys *keys, struct arena *arena, struct str plain)
{
    unsigned char *sealed = arena_alloc(arena, NONCE_BYTES + plain.len + TAG_BYTES);
    unsigned long long len = 0;
    crypto_random(sealed, NONCE_BYTES);
    crypto_aead_xchacha20poly1305_ietf_encrypt(sealed + NONCE_BYTES, &len, bytes_of(plain),
                                               plain.len, NULL, 0, NULL, sealed, keys->seal);
    return (struct str){(const char *)sealed, NONCE_BYTES + (size_t)len};
}

bool crypto_open(const struct crypto_keys *keys, struct arena *arena, struct str sealed,
                 struct str *ret_plain)
{
    if (sealed.len < NONCE_BYTES + TAG_BYTES)
        return false;
    size_t plain_len = sealed.len - NONCE_BYTES - TAG_BYTES;
    unsigned char *plain = arena_alloc(arena, plain_len + 1);
    const unsigned char *nonce = bytes_of(sealed);
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(plain, NULL, NULL, nonce + NONCE_BYTES,
                                                   sealed.len - NONCE_BYTES, NULL, 0, nonce,
                                                   keys->seal) != 0)
        return false;
    plain[plain_len] = '\0';
    *ret_plain = (struct str){(const char *)plain, plain_len};
    return true;
}

enum err crypto_password_hash(struct str password, char ret_hash[static CRYPTO_PASSWORD_HASH_SIZE])
{
    /* It fails only when its 64 MiB cannot be had. */
    char hash[CRYPTO_PASSWORD_HASH_SIZE];
    if (crypto_pwhash_str(hash, password.ptr ? password.ptr : "", password.len,
                          crypto_pwhash_OPSLIMIT_INTERACTIVE,
                          crypto_pwhash_MEMLIMIT_INTERACTIVE) != 0)
        return ERR_UNAVAILABLE;
    memcpy(ret_hash, hash, sizeof(hash));
    return ERR_OK;
}

enum {
    SALT_CHARS = 22, /* of 16 bytes in base64 */
    MADE_CHARS = 43, /* of 32 */
    MADE_BYTES = 32,
};

static bool base64_parse(const char *text, unsigned char *bytes, size_t size)
{
    size_t len;
    return sodium_base642bin(bytes, size, text, strlen(text), NULL, &len, NULL,
                             sodium_base64_VARIANT_ORIGINAL_NO_PADDING) == 0 &&
           len == size;
}

/* Not by crypto_pwhash_str_verify: where it has no memory, it says that the password is wrong. */
enum err crypto_password_verify(const char *hash, struct str password, bool *ret_right)
{
    char salt_text[SALT_CHARS + 1], due_text[MADE_CHARS + 1];
    unsigned char salt[crypto_pwhash_SALTBYTES], due[MADE_BYTES], made[MADE_BYTES];
    unsigned kib, passes;
    int end = 0;

    *ret_right = false;
    if (sscanf(hash,
               crypto_pwhash_STRPREFIX "v=19$m=%9u,t=%9u,p=1$%22[A-Za-z0-9+/]$%43[A-Za-z0-9+/]%n",
               &kib, &passes, salt_text, due_text, &end) != 4 ||
        hash[end] != '\0' || !base64_parse(salt_text, salt, sizeof(salt)) ||
        !base64_parse(due_text, due, sizeof(due)) || passes < crypto_pwhash_OPSLIMIT_MIN ||
        kib * 1024ULL < crypto_pwhash_MEMLIMIT_MIN)
        return ERR_OK;
    if (crypto_pwhash(made, sizeof(made), password.ptr ? password.ptr : "", password.len, salt,
                      passes, kib * 1024ULL, crypto_pwhash_ALG_ARGON2ID13) != 0)
        return ERR_UNAVAILABLE; /* its memory cannot be had */
    *ret_right = sodium_memcmp(made, due, sizeof(made)) == 0;
    return ERR_OK;
}

const char *crypto_password_dummy(void)
{
    /* A random salt and, in the place of the result, 32 random bytes; so nobody knows a password
     * for it, and it costs nothing at start. */
    return "$argon2id$v=19$m=65536,t=2,p=1$7O2sve93tOditWYsffaAgA$"
           "sKsS2yIMgYvmB070FHWlDvTx9jV6HRmIoqMxa6AUgYI";
}
