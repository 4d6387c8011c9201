#include "api_shop.h"

#include <dirent.h>
#include <fcntl.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/client.h"
#include "api/health.h"
#include "api/hub.h"
#include "api/image_cache.h"
#include "api/menu.h"
#include "api/metrics.h"
#include "api/pages.h"
#include "api/passwords.h"
#include "api/rate_limit.h"
#include "api/session_hints.h"
#include "app/demo_menu.h"
#include "base/clock.h"
#include "base/log.h"
#include "fuzz.h"
#include "net/mailbox.h"
#include "net/provider.h"
#include "store/check.h"
#include "store/outbox.h"
#include "store/user.h"

#define EPOCH_MS INT64_C(1800000000000)
#define PASSWORD "correct horse"

enum { PATH_SIZE = 200, MAILS_A_TIME = 20, RATE_PER_MINUTE = 1000000000 };

static struct {
    char dir[PATH_SIZE];
    sqlite3 *raw; /* puts the tables back */
    char *put_back;
    struct arena *arena; /* for good */
    atomic_bool mail_waits;
    int64_t commits; /* when the tables were last put back */
    struct payment_provider provider;
    struct api_shop shop;
} g;

/* ---- Clock, random numbers, the cost of a hash ---- */

static _Atomic int64_t now_ms = EPOCH_MS;
static _Atomic uint64_t random_state;

int64_t __wrap_clock_now_ms(void);
int64_t __wrap_clock_now_ms(void)
{
    return atomic_load(&now_ms);
}

void api_shop_pass(int64_t ms)
{
    atomic_fetch_add(&now_ms, ms);
}

static uint32_t next_random(void)
{
    uint64_t z = atomic_fetch_add(&random_state, UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)(z >> 32);
}

static const char *random_name(void)
{
    return "splitmix64";
}

static void random_fill(void *const bytes, const size_t size)
{
    for (size_t i = 0; i < size; i++)
        ((unsigned char *)bytes)[i] = (unsigned char)next_random();
}

static randombytes_implementation random_numbers = {
    .implementation_name = random_name, .random = next_random, .buf = random_fill};

int __wrap_crypto_pwhash_str(char out[static crypto_pwhash_STRBYTES], const char *password,
                             unsigned long long len, unsigned long long operations, size_t memory);
int __wrap_crypto_pwhash_str(char out[static crypto_pwhash_STRBYTES], const char *password,
                             unsigned long long len, unsigned long long operations, size_t memory)
{
    (void)operations;
    (void)memory;
    return crypto_pwhash_str_alg(out, password, len, crypto_pwhash_OPSLIMIT_MIN,
                                 crypto_pwhash_MEMLIMIT_MIN, crypto_pwhash_ALG_ARGON2ID13);
}

static char dummy[CRYPTO_PASSWORD_HASH_SIZE];

const char *__wrap_crypto_password_dummy(void);
const char *__wrap_crypto_password_dummy(void)
{
    return dummy;
}

/* ---- Opening ---- */

static void run_sql(const char *sql)
{
    char *error = NULL;
    if (sqlite3_exec(g.raw, sql, NULL, NULL, &error) != SQLITE_OK)
        fprintf(stderr, "%s: %s\n", error, sql);
    CHECK(error == NULL);
}

static int add_table(void *sql, int n, char **columns, char **names)
{
    (void)n;
    (void)names;
    buf_printf(sql, "DELETE FROM main.%s; INSERT INTO main.%s SELECT * FROM pristine.%s;",
               columns[0], columns[0], columns[0]);
    return 0;
}

/* Keeps a copy of the database, and makes the statements that bring it back. */
static void keep_pristine(const char *database)
{
    struct buf sql;
    buf_init(&sql, g.arena);
    CHECK(sqlite3_open(database, &g.raw) == SQLITE_OK);
    struct str path = arena_printf(g.arena, "%s/pristine.db", g.dir);
    run_sql("PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF;");
    run_sql(arena_printf(g.arena, "VACUUM INTO '%s'; ATTACH '%s' AS pristine;", path.ptr, path.ptr)
                .ptr);
    buf_put_cstr(&sql, "BEGIN IMMEDIATE;");
    CHECK(sqlite3_exec(g.raw,
                       "SELECT name FROM pristine.sqlite_schema WHERE type = 'table' AND "
                       "(name NOT LIKE 'sqlite%' OR name = 'sqlite_sequence')",
                       add_table, &sql, NULL) == SQLITE_OK);
    buf_put_cstr(&sql, "COMMIT;");
    buf_put_char(&sql, '\0');
    g.put_back = sql.ptr;
}

struct person {
    const char *word, *email, *phone;
    enum role role;
    struct str hash;
    struct user_codes codes;
    struct str token_hash;
    struct problem *problem;
};

static enum err add_person(struct tx *tx, void *arg)
{
    const struct person *p = arg;
    int64_t id, expires_at_ms;
    const struct user_new user = {.email = str_from(p->email),
                                  .email_key = str_from(p->email),
                                  .phone = str_from(p->phone),
                                  .name = str_from(p->word),
                                  .password_hash = p->hash,
                                  .role = p->role,
                                  .codes = &p->codes,
                                  .now_ms = EPOCH_MS};
    enum err err = user_insert(tx, &user, p->problem, &id);
    if (!err)
        err = session_create(tx, id, p->token_hash, EPOCH_MS, &expires_at_ms);
    return err;
}

static void add_people(void)
{
    static struct person people[] = {
        {.word = "admin", .email = "admin@example.com", .role = ROLE_ADMIN},
        {.word = "user", .email = "ada@example.com", .phone = "+2348031234567"},
        {.word = "other", .email = "ben@example.com", .phone = "+2348031234568"},
    };
    char hash[CRYPTO_PASSWORD_HASH_SIZE];
    struct problem *problem = arena_zalloc(g.arena, sizeof *problem);
    problem_init(problem, g.arena);
    CHECK(crypto_password_hash(STR(PASSWORD), hash) == ERR_OK);
    for (size_t i = 0; i < sizeof people / sizeof *people; i++) {
        struct person *p = &people[i];
        struct str token = crypto_token(g.arena);
        p->problem = problem;
        p->hash = str_from(hash);
        p->token_hash = crypto_hash_str(&g.shop.api.keys, g.arena, "session", token);
        user_codes_draw(&p->codes);
        CHECK(store_write(g.shop.api.store, g.arena, add_person, p) == ERR_OK);
        api_shop_learn(&g.shop, p->word, token);
    }
}

static void on_mail(void *ctx)
{
    (void)ctx;
    atomic_store(&g.mail_waits, true);
}

static void remove_dir(void)
{
    DIR *dir = opendir(g.dir);
    const struct dirent *entry;
    while (dir && (entry = readdir(dir)))
        if (entry->d_name[0] != '.')
            (void)unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir)
        (void)closedir(dir);
    (void)rmdir(g.dir);
}

static void open_store(struct api *api)
{
    const char *tmp = getenv("TMPDIR");
    int applied;
    (void)snprintf(g.dir, sizeof g.dir, "%s/servery-fuzz-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    CHECK(mkdtemp(g.dir) != NULL);
    (void)atexit(remove_dir);
    struct str database = arena_printf(g.arena, "sqlite:%s/fuzz.db", g.dir);
    const struct store_options options = {.database = database.ptr};
    struct demo_menu menu = {.now_ms = EPOCH_MS};

    CHECK(crypto_keys_load(arena_printf(g.arena, "%s/key", g.dir).ptr, &api->keys, NULL) == ERR_OK);
    CHECK(store_open(&options, &api->store) == ERR_OK);
    CHECK(store_migrate(api->store, &applied) == ERR_OK);
    CHECK(store_write(api->store, g.arena, demo_menu_fill, &menu) == ERR_OK);
    add_people();
    keep_pristine(database.ptr + sizeof "sqlite:" - 1);
}

struct api_shop *api_shop_open(void)
{
    struct api *api = &g.shop.api;
    log_set_level(LOG_ERROR);
    CHECK(randombytes_set_implementation(&random_numbers) == 0 && crypto_init() == ERR_OK);
    CHECK(crypto_password_hash(STR("nobody's"), dummy) == ERR_OK);
    g.arena = arena_create();
    g.shop.arena = g.arena;
    CHECK(provider_init(&g.provider, "test", NULL));
    static const struct client_network proxy = {.address = {.bytes = {127}}, .prefix_bits = 8};
    api->settings = (struct api_settings){.trusted_proxies = &proxy,
                                          .n_trusted_proxies = 1,
                                          .public_url = STR("http://127.0.0.1:8080"),
                                          .is_local = true,
                                          .origin = STR("http://127.0.0.1:8080"),
                                          .demo = true,
                                          .payment_hold_ms = 15 * MINUTE_MS};
    api->provider = &g.provider;
    api->mail_waits = on_mail;
    open_store(api);
    api->hub = hub_create(api->store);
    api->health = health_create(api->store, HEALTH_WAIT_MS);
    api->pages = pages_create();
    api->metrics = metrics_create(1);
    api->all_limit = rate_limit_create("all", RATE_PER_MINUTE);
    api->passwords = passwords_create(1);
    CHECK(menu_create(api->store, &api->menu) == ERR_OK);
    store_listen(api->store, api_store_listener, api);
    g.shop.arena = arena_create();
    return &g.shop;
}

/* ---- Each input ---- */

enum { WORDS_OF_ALL = 3 }; /* the people's tokens */

/* Most inputs are refused or only read. */
static bool was_written(const struct api_shop *shop)
{
    struct store_stats stats;
    store_stats(shop->api.store, &stats);
    return stats.commits != g.commits;
}

void api_shop_reset(struct api_shop *shop)
{
    struct api *api = &shop->api;
    struct store_stats stats;
    if (was_written(shop)) {
        run_sql(g.put_back);
        menu_refresh_all(api->menu);
        menu_refresh_shop(api->menu);
        store_stats(api->store, &stats);
        g.commits = stats.commits;
    }
    session_hints_destroy(api->session_hints);
    api->session_hints = session_hints_create();
    mailbox_destroy(api->mailbox);
    api->mailbox = mailbox_create();
    image_cache_destroy(api->images);
    api->images = image_cache_create(IMAGE_CACHE_MAX_BYTES);
    arena_reset(shop->arena);
    shop->n_words = WORDS_OF_ALL;
    api_shop_learn(shop, "asset", pages_name(api->pages, STR("main.tsx")));
    atomic_store(&now_ms, EPOCH_MS + 2 * HOUR_MS);
    atomic_store(&random_state, 1);
    atomic_store(&g.mail_waits, false);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static void learn_from_mail(struct api_shop *shop, struct str text)
{
    static const char mark[] = "#token=";
    const char *at = memmem(text.ptr, text.len, mark, sizeof mark - 1);
    if (at) {
        size_t from = (size_t)(at - text.ptr) + sizeof mark - 1;
        api_shop_learn(shop, "reset", str_slice(text, from, from + CRYPTO_TOKEN_CHARS));
    }
    for (size_t i = 0, n = 0; i < text.len; i++) {
        n = is_digit(text.ptr[i]) ? n + 1 : 0;
        if (n == OTP_DIGITS)
            api_shop_learn(shop, "otp", str_slice(text, i + 1 - n, i + 1));
    }
}

void api_shop_take_mails(struct api_shop *shop)
{
    struct api *api = &shop->api;
    struct outbox_take take = {.now_ms = now_ms, .lease_ms = MINUTE_MS, .max = MAILS_A_TIME};
    if (!atomic_exchange(&g.mail_waits, false))
        return;
    CHECK(store_write(api->store, shop->arena, outbox_take, &take) == ERR_OK);
    for (size_t i = 0; i < take.n; i++) {
        const struct outbox_mail *mail = &take.mails[i];
        struct outbox_finish finish = {.id = mail->id, .result = OUTBOX_SENT, .now_ms = now_ms};
        struct str text, html;
        CHECK(outbox_open(&api->keys, shop->arena, mail->sealed_body, &text, &html));
        const struct mailbox_mail copy = {mail->id, mail->recipient, mail->subject, text, now_ms};
        mailbox_add(api->mailbox, &copy);
        learn_from_mail(shop, text);
        CHECK(store_write(api->store, shop->arena, outbox_finish, &finish) == ERR_OK);
    }
}

static void on_breach(void *ctx, const char *rule, int64_t id, const char *detail)
{
    (void)ctx;
    fprintf(stderr, "breach: %s %lld %s\n", rule, (long long)id, detail);
}

void api_shop_check(struct api_shop *shop)
{
    struct store_check_counts counts = {0};
    if (!was_written(shop))
        return;
    CHECK(store_check(shop->api.store, on_breach, NULL, NULL, &counts) == ERR_OK);
    CHECK(counts.breaches == 0);
}

/* ---- Words ---- */

static struct shop_word *find_word(struct api_shop *shop, struct str name)
{
    for (size_t i = 0; i < shop->n_words; i++)
        if (str_is(name, shop->words[i].name))
            return &shop->words[i];
    return NULL;
}

void api_shop_learn(struct api_shop *shop, const char *name, struct str value)
{
    if (!value.ptr)
        return;
    struct shop_word *word = find_word(shop, str_from(name));
    if (!word) {
        CHECK(shop->n_words < sizeof shop->words / sizeof *shop->words);
        word = &shop->words[shop->n_words++];
        (void)snprintf(word->name, sizeof word->name, "%s", name);
    }
    word->value = arena_dup(shop->arena, value);
}

struct str api_shop_fill(struct api_shop *shop, struct str text)
{
    struct buf out;
    buf_init(&out, shop->arena);
    for (size_t i = 0, end; i < text.len; i = end) {
        end = i + 1;
        if (text.ptr[i] == '$') {
            while (end < text.len && text.ptr[end] >= 'a' && text.ptr[end] <= 'z')
                end++;
            const struct shop_word *word = find_word(shop, str_slice(text, i + 1, end));
            if (word) {
                buf_put_str(&out, word->value);
                continue;
            }
        }
        buf_put(&out, text.ptr + i, end - i);
    }
    return fuzz_exact(shop->arena, buf_str(&out));
}
