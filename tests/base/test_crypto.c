#include "base/crypto.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sodium.h>

#include "base/log.h"
#include "check.h"

static struct arena *arena;
static char dir[64];
static char key_path[128];
static struct crypto_keys keys;

static int set_up_group(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(keys.hash); i++) {
        keys.hash[i] = (unsigned char)i;
        keys.seal[i] = (unsigned char)(255 - i);
    }
    log_set_level(LOG_ERROR);
    return crypto_init() == ERR_OK ? 0 : -1;
}

static int set_up(void **state)
{
    (void)state;
    arena = arena_create();
    snprintf(dir, sizeof(dir), "/tmp/servery-test-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    snprintf(key_path, sizeof(key_path), "%s/servery.key", dir);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(key_path);
    arena_destroy(arena);
    return rmdir(dir); /* fails if anything else was left behind */
}

static void write_key(size_t size, mode_t mode)
{
    char bytes[64] = "0123456789abcdef0123456789abcdef0123456789";
    unlink(key_path);
    int fd = open(key_path, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), size);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static void test_crypto__keys_are_created_once_and_private(void **state)
{
    (void)state;
    struct crypto_keys first, second;
    struct stat st;
    bool made;
    assert_int_equal(crypto_keys_load(key_path, &first, &made), ERR_OK);
    assert_true(made);
    assert_int_equal(stat(key_path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(st.st_size, 32);
    assert_int_equal(crypto_keys_load(key_path, &second, &made), ERR_OK);
    assert_false(made);
    assert_memory_equal(&first, &second, sizeof(first));
    assert_memory_not_equal(first.hash, first.seal, sizeof(first.hash));
}

/* Instead of the C library's, for this program. */
static int synced_folders, synced_files;
static bool folder_sync_fails;

int fsync(int fd)
{
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    if (S_ISDIR(st.st_mode)) {
        /* Too early, it would not hold the key's name. */
        assert_int_equal(access(key_path, F_OK), 0);
        synced_folders++;
        if (folder_sync_fails) {
            errno = EIO;
            return -1;
        }
    } else {
        synced_files++;
    }
    return (int)syscall(SYS_fsync, fd);
}

/* After a loss of power the key could be gone, and all that was hashed or sealed with it lost. */
static void test_crypto__a_new_key_is_on_the_disk_with_its_name(void **state)
{
    (void)state;
    struct crypto_keys loaded;
    synced_folders = synced_files = 0;
    assert_int_equal(crypto_keys_load(key_path, &loaded, NULL), ERR_OK);
    assert_int_equal(synced_files, 1);
    assert_int_equal(synced_folders, 1);
    assert_int_equal(crypto_keys_load(key_path, &loaded, NULL), ERR_OK);
    assert_int_equal(synced_folders, 1);
}

static void test_crypto__keys_of_a_known_master_never_change(void **state)
{
    (void)state;
    /* What is stored was made with these; another derivation would lock everybody out. */
    static const char hash_hex[] =
        "94748dbeb36587a400e458429ec05b25b1e8bd5c8477169acf4be865aecf4ae3";
    static const char seal_hex[] =
        "e517a51f25e32c0332f239b473d9aa6aa28e9816af561e83ffbed5627acdf39e";
    struct crypto_keys loaded;
    char hex[2 * CRYPTO_KEY_BYTES + 1];
    write_key(32, 0600);
    assert_int_equal(crypto_keys_load(key_path, &loaded, NULL), ERR_OK);
    sodium_bin2hex(hex, sizeof(hex), loaded.hash, sizeof(loaded.hash));
    assert_string_equal(hex, hash_hex);
    sodium_bin2hex(hex, sizeof(hex), loaded.seal, sizeof(loaded.seal));
    assert_string_equal(hex, seal_hex);
}

static void refuse_quietly(const char *path)
{
    struct crypto_keys loaded;
    memset(&loaded, 7, sizeof(loaded));
    struct crypto_keys before = loaded;
    log_set_level(LOG_ERROR + 1);
    assert_int_equal(crypto_keys_load(path, &loaded, NULL), ERR_INTERNAL);
    log_set_level(LOG_ERROR);
    assert_memory_equal(&loaded, &before, sizeof(loaded));
}

static void test_crypto__a_key_that_may_be_lost_is_not_used(void **state)
{
    (void)state;
    folder_sync_fails = true;
    refuse_quietly(key_path);
    folder_sync_fails = false;
    assert_int_not_equal(access(key_path, F_OK), 0);
}

static void test_crypto__keys_refuse_another_size(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 31, 33};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        write_key(sizes[i], 0600);
        refuse_quietly(key_path);
    }
}

static void test_crypto__keys_refuse_what_others_may_read(void **state)
{
    (void)state;
    static const mode_t modes[] = {0640, 0620, 0604, 0602, 0644};
    struct crypto_keys loaded;
    for (size_t i = 0; i < COUNT(modes); i++) {
        write_key(32, modes[i]);
        refuse_quietly(key_path);
    }
    write_key(32, 0400);
    assert_int_equal(crypto_keys_load(key_path, &loaded, NULL), ERR_OK);
}

static void test_crypto__keys_refuse_bad_paths(void **state)
{
    (void)state;
    refuse_quietly(dir);
    refuse_quietly("/nonexistent/servery.key");
}

static void test_crypto__keys_of_servers_that_start_at_once_are_the_same(void **state)
{
    (void)state;
    enum { N = 8 };
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    for (int i = 0; i < N; i++) {
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            struct crypto_keys mine;
            bool ok = crypto_keys_load(key_path, &mine, NULL) == ERR_OK &&
                      write(fds[1], &mine, sizeof(mine)) == (ssize_t)sizeof(mine);
            _exit(ok ? 0 : 1);
        }
    }
    close(fds[1]);
    for (int i = 0; i < N; i++) {
        int status;
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    struct crypto_keys first, other;
    assert_int_equal(read(fds[0], &first, sizeof(first)), sizeof(first));
    for (int i = 1; i < N; i++) {
        assert_int_equal(read(fds[0], &other, sizeof(other)), sizeof(other));
        assert_memory_equal(&first, &other, sizeof(first));
    }
    close(fds[0]);
}

static void test_crypto__random_below_stays_below_and_reaches_all(void **state)
{
    (void)state;
    int seen[6] = {0};
    for (int i = 0; i < 6000; i++) {
        uint32_t value = crypto_random_below(6);
        assert_true(value < 6);
        seen[value]++;
    }
    /* 1,000 each expected; 700 is ten standard deviations away. */
    for (size_t i = 0; i < COUNT(seen); i++)
        assert_true(seen[i] > 700);
    assert_int_equal(crypto_random_below(1), 0);
}

static void test_crypto__random_id_is_a_safe_integer(void **state)
{
    (void)state;
    int64_t all = 0;
    for (int i = 0; i < 10000; i++) {
        int64_t id = crypto_random_id();
        assert_true(id >= 1 && id <= (INT64_C(1) << 53) - 1);
        all |= id;
    }
    assert_int_equal(all, (INT64_C(1) << 53) - 1); /* every bit is used */
}

static void test_crypto__tokens(void **state)
{
    (void)state;
    struct str a = crypto_token(arena), b = crypto_token(arena);
    assert_int_equal(a.len, CRYPTO_TOKEN_CHARS);
    assert_int_equal(strspn(a.ptr, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                   "0123456789-_"),
                     CRYPTO_TOKEN_CHARS);
    assert_int_equal(a.ptr[a.len], '\0');
    assert_false(str_eq(a, b));
}

static void test_crypto__hash_depends_on_key_purpose_and_bytes(void **state)
{
    (void)state;
    struct crypto_keys other = keys;
    other.hash[31] ^= 1;
    struct str base = crypto_hash_str(&keys, arena, "session", STR("abc"));
    assert_int_equal(base.len, CRYPTO_HASH_BYTES);
    assert_true(str_eq(base, crypto_hash_str(&keys, arena, "session", STR("abc"))));
    assert_false(str_eq(base, crypto_hash_str(&other, arena, "session", STR("abc"))));
    assert_false(str_eq(base, crypto_hash_str(&keys, arena, "otp", STR("abc"))));
    assert_false(str_eq(base, crypto_hash_str(&keys, arena, "session", STR("abd"))));
    assert_false(str_eq(base, crypto_hash_str(&keys, arena, "sessiona", STR("bc"))));
    assert_true(str_eq(crypto_hash_str(&keys, arena, "x", STR_NONE),
                       crypto_hash_str(&keys, arena, "x", STR(""))));
    unsigned char hash[CRYPTO_HASH_BYTES];
    crypto_hash_into(&keys, "session", STR("abc"), hash);
    assert_memory_equal(hash, base.ptr, sizeof(hash));
}

static void test_crypto__hash_is_keyed_blake2b(void **state)
{
    (void)state;
    unsigned char expected[CRYPTO_HASH_BYTES], hash[CRYPTO_HASH_BYTES];
    static const unsigned char input[] = "otp\000123456";
    crypto_generichash(expected, sizeof(expected), input, sizeof(input) - 1, keys.hash,
                       sizeof(keys.hash));
    crypto_hash_into(&keys, "otp", STR("123456"), hash);
    assert_memory_equal(hash, expected, sizeof(hash));
}

static void test_crypto__content_hash(void **state)
{
    (void)state;
    /* BLAKE2b-128 of nothing, as b2sum -l 128 prints it. */
    assert_str(crypto_content_hash(arena, STR("")), "cae66941d9efbd404e4d88758ea67670");
    assert_str(crypto_content_hash(arena, STR_NONE), "cae66941d9efbd404e4d88758ea67670");
    assert_str(crypto_content_hash(arena, STR("abc")), "cf4ab791c62b8d2b2109c90275287816");
}

static void test_crypto__content_name(void **state)
{
    (void)state;
    /* BLAKE2b-256, as b2sum -l 256 prints it. */
    assert_str(crypto_content_name(arena, STR("abc")),
               "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
}

static void test_crypto__equal(void **state)
{
    (void)state;
    assert_true(crypto_equal(STR("abc"), STR("abc")));
    assert_false(crypto_equal(STR("abc"), STR("abd")));
    assert_false(crypto_equal(STR("abc"), STR("ab")));
    assert_true(crypto_equal(STR(""), STR_NONE));
}

static void test_crypto__base64url(void **state)
{
    (void)state;
    assert_str(crypto_base64url(arena, STR("")), "");
    assert_str(crypto_base64url(arena, STR("f")), "Zg");
    assert_str(crypto_base64url(arena, STR("foob")), "Zm9vYg");
    assert_str(crypto_base64url(arena, STR("\xfb\xff\xfe")), "-__-");
}

static void test_crypto__base64url_parse(void **state)
{
    (void)state;
    static const char *const bad[] = {"Z", "Zm9", "Zg==", "Zm9v Yg", "+/++", "Zm9v\n", "é"};
    struct str bytes = STR_NONE;
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_false(crypto_base64url_parse(arena, str_from(bad[i]), &bytes));
    assert_false(crypto_base64url_parse(arena, STR_NONE, &bytes));
    assert_absent(bytes); /* untouched */
    assert_true(crypto_base64url_parse(arena, STR("Zm9vYg"), &bytes));
    assert_str(bytes, "foob");
    assert_true(crypto_base64url_parse(arena, STR("-__-"), &bytes));
    assert_str(bytes, "\xfb\xff\xfe");
    assert_true(crypto_base64url_parse(arena, STR(""), &bytes));
    assert_str(bytes, "");
}

static void test_crypto__seal_and_open(void **state)
{
    (void)state;
    static const struct str texts[] = {{"", 0}, {"a", 1}, {"Your code is 123456", 19}, {"a\0b", 3}};
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct str sealed = crypto_seal(&keys, arena, texts[i]);
        struct str plain = STR_NONE;
        assert_int_equal(sealed.len, texts[i].len + 24 + 16);
        assert_true(crypto_open(&keys, arena, sealed, &plain));
        assert_non_null(plain.ptr);
        assert_true(str_eq(plain, texts[i]));
        assert_int_equal(plain.ptr[plain.len], '\0');
    }
    struct str text = STR("Your code is 123456");
    struct str sealed = crypto_seal(&keys, arena, text);
    assert_false(str_contains(sealed, STR("123456")));
    assert_false(str_eq(sealed, crypto_seal(&keys, arena, text))); /* another nonce */
}

static void test_crypto__open_refuses_every_change(void **state)
{
    (void)state;
    struct str sealed = crypto_seal(&keys, arena, STR("secret"));
    struct str plain = STR_NONE;
    for (size_t i = 0; i < sealed.len * 8; i++) {
        char *changed = arena_alloc(arena, sealed.len);
        memcpy(changed, sealed.ptr, sealed.len);
        changed[i / 8] = (char)(changed[i / 8] ^ (1 << i % 8));
        assert_false(crypto_open(&keys, arena, (struct str){changed, sealed.len}, &plain));
    }
    for (size_t len = 0; len < sealed.len; len++)
        assert_false(crypto_open(&keys, arena, (struct str){sealed.ptr, len}, &plain));
    assert_false(crypto_open(&keys, arena, STR_NONE, &plain));
    struct crypto_keys other = keys;
    other.seal[0] ^= 1;
    assert_false(crypto_open(&other, arena, sealed, &plain));
    assert_absent(plain); /* untouched */
}

static bool verify(const char *hash, struct str password)
{
    bool right;
    assert_int_equal(crypto_password_verify(hash, password, &right), ERR_OK);
    return right;
}

static void test_crypto__passwords(void **state)
{
    (void)state;
    char hash[CRYPTO_PASSWORD_HASH_SIZE], again[CRYPTO_PASSWORD_HASH_SIZE];
    struct str password = STR("pass\0wörd");
    assert_int_equal(crypto_password_hash(password, hash), ERR_OK);
    assert_int_equal(strncmp(hash, "$argon2id$", 10), 0);
    assert_true(verify(hash, password));
    assert_false(verify(hash, STR("pass\0wörD")));
    assert_false(verify(hash, STR("pass")));
    assert_false(verify(hash, STR_NONE));
    assert_false(verify("", password));
    assert_false(verify("no hash", password));
    assert_int_equal(crypto_password_hash(password, again), ERR_OK);
    assert_string_not_equal(hash, again); /* salted */
}

/* What the library itself makes of it; a hash that differs anywhere is that of no password. */
static void test_crypto__password_hashes(void **state)
{
    (void)state;
    char hash[CRYPTO_PASSWORD_HASH_SIZE], other[CRYPTO_PASSWORD_HASH_SIZE];
    static const struct {
        unsigned long long passes;
        size_t bytes;
    } LIMITS[] = {{crypto_pwhash_OPSLIMIT_MIN, crypto_pwhash_MEMLIMIT_MIN}, {3, 1024 * 1024}};
    for (size_t i = 0; i < sizeof(LIMITS) / sizeof(*LIMITS); i++) {
        assert_int_equal(crypto_pwhash_str(hash, "password", 8, LIMITS[i].passes, LIMITS[i].bytes),
                         0);
        assert_true(verify(hash, STR("password")));
        assert_false(verify(hash, STR("passwore")));
        for (size_t at = 0; hash[at]; at++) {
            memcpy(other, hash, sizeof(other));
            other[at] = other[at] == '2' ? '1' : '2';
            assert_false(verify(other, STR("password")));
            other[at] = '\0';
            assert_false(verify(other, STR("password")));
        }
    }
    memcpy(other, hash, sizeof(other));
    strcat(other, "=");
    assert_false(verify(other, STR("password")));
}

#ifndef SANITIZED
/* A right password is not told, and counted, as a wrong one. */
static void test_crypto__no_memory_for_a_password(void **state)
{
    (void)state;
    bool right = true;
    char hash[CRYPTO_PASSWORD_HASH_SIZE];
    assert_int_equal(crypto_password_hash(STR("password"), hash), ERR_OK);
    struct rlimit limit, none;
    assert_int_equal(getrlimit(RLIMIT_AS, &limit), 0);
    none = limit;
    none.rlim_cur = 0; /* what is there stays, nothing is added */
    assert_int_equal(setrlimit(RLIMIT_AS, &none), 0);
    enum err verified = crypto_password_verify(hash, STR("password"), &right);
    enum err hashed = crypto_password_hash(STR("password"), hash);
    assert_int_equal(setrlimit(RLIMIT_AS, &limit), 0);
    assert_int_equal(verified, ERR_UNAVAILABLE);
    assert_false(right);
    assert_int_equal(hashed, ERR_UNAVAILABLE);
}
#endif

static void test_crypto__dummy_costs_what_a_real_hash_costs(void **state)
{
    (void)state;
    const char *dummy = crypto_password_dummy();
    assert_int_equal(crypto_pwhash_str_needs_rehash(dummy, crypto_pwhash_OPSLIMIT_INTERACTIVE,
                                                    crypto_pwhash_MEMLIMIT_INTERACTIVE),
                     0);
    char hash[CRYPTO_PASSWORD_HASH_SIZE];
    assert_int_equal(crypto_password_hash(STR("x"), hash), ERR_OK);
    assert_int_equal(strlen(dummy), strlen(hash));
    assert_false(verify(dummy, STR("")));
    assert_false(verify(dummy, STR("password")));
}

#define CRYPTO_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CRYPTO_TEST(test_crypto__keys_are_created_once_and_private),
        CRYPTO_TEST(test_crypto__a_new_key_is_on_the_disk_with_its_name),
        CRYPTO_TEST(test_crypto__a_key_that_may_be_lost_is_not_used),
        CRYPTO_TEST(test_crypto__keys_of_a_known_master_never_change),
        CRYPTO_TEST(test_crypto__keys_refuse_another_size),
        CRYPTO_TEST(test_crypto__keys_refuse_what_others_may_read),
        CRYPTO_TEST(test_crypto__keys_refuse_bad_paths),
        CRYPTO_TEST(test_crypto__keys_of_servers_that_start_at_once_are_the_same),
        CRYPTO_TEST(test_crypto__random_below_stays_below_and_reaches_all),
        CRYPTO_TEST(test_crypto__random_id_is_a_safe_integer),
        CRYPTO_TEST(test_crypto__tokens),
        CRYPTO_TEST(test_crypto__hash_depends_on_key_purpose_and_bytes),
        CRYPTO_TEST(test_crypto__hash_is_keyed_blake2b),
        CRYPTO_TEST(test_crypto__content_hash),
        CRYPTO_TEST(test_crypto__content_name),
        CRYPTO_TEST(test_crypto__equal),
        CRYPTO_TEST(test_crypto__base64url),
        CRYPTO_TEST(test_crypto__base64url_parse),
        CRYPTO_TEST(test_crypto__seal_and_open),
        CRYPTO_TEST(test_crypto__open_refuses_every_change),
        CRYPTO_TEST(test_crypto__passwords),
        CRYPTO_TEST(test_crypto__password_hashes),
#ifndef SANITIZED
        CRYPTO_TEST(test_crypto__no_memory_for_a_password),
#endif
        CRYPTO_TEST(test_crypto__dummy_costs_what_a_real_hash_costs),
    };
    return cmocka_run_group_tests(tests, set_up_group, NULL);
}
