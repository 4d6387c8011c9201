/* The yardstick for complete orders: what the server's SQLite connection does for cart, place, pay
 * and order, in a bare loop on one thread: the same statements (src/store), in four transactions an
 * order, each shared by 64 users, as group commit would at its best. No HTTP, no JSON, no threads.
 *
 * usage: raw_loop DATABASE USERS SECONDS    (a database made by seed)
 * prints {"orders_per_s":…,"cpu_us_per_order":…} */
#include <sodium.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"

enum { FOODS = 50, HASH_BYTES = 32, NONCE_BYTES = 16, USERS_MAX = 1024 };

enum statement {
    BEGIN,
    COMMIT,
    SESSION_INSERT,
    SESSION_BY_TOKEN,
    SESSION_BY_ID,
    CART_AND_FOOD,
    CART_UPSERT,
    PLACE_CONTEXT,
    CART_LINES,
    PAYMENT_INSERT,
    PAYMENT_LINE,
    FOOD_TAKE,
    PAYMENT_FIND,
    PAYMENT_SAVE,
    ORDER_INSERT,
    ORDER_LINES_COPY,
    CART_CLEAR,
    EVENT_INSERT,
    ORDER_FIND,
    ORDER_LINES,
    ORDER_EVENTS,
    STATEMENTS,
};

#define SESSION_COLUMNS                                                                            \
    "SELECT s.id, s.user_id, u.role, u.disabled, s.used_at, s.expires_at FROM sessions s "         \
    "JOIN users u ON u.id = s.user_id "
#define PAYMENT_COLUMNS                                                                            \
    "p.id, p.user_id, p.status, p.amount, p.currency, p.provider, p.remote, p.provider_ref, "      \
    "p.provider_url, p.claimed_until, p.cancel_to, p.nonce, p.fulfilment, p.address, p.note, "     \
    "p.held, p.outcome, p.needs_attention, p.refund_due, p.expires_at, p.created_at, "             \
    "(SELECT o.id FROM orders o WHERE o.payment_id = p.id) "
#define HELD_JOINS                                                                                 \
    "LEFT JOIN payments p ON p.user_id = ?1 AND p.status IN ('creating', 'pending') "              \
    "LEFT JOIN payment_items h ON h.payment_id = p.id AND h.food_id = f.id AND h.taken = 1 "
#define LINE_COLUMNS                                                                               \
    "SELECT f.id, f.name, f.image_hash, f.price, i.quantity, i.revision, f.archived, "             \
    "f.available, f.stock, h.quantity, p.id "

static const char *const TEXTS[STATEMENTS] = {
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [SESSION_INSERT] = "INSERT INTO sessions (token_hash, user_id, created_at, used_at, "
                       "expires_at) VALUES (?1, ?2, ?3, ?3, ?4) RETURNING id",
    [SESSION_BY_TOKEN] = SESSION_COLUMNS "WHERE s.token_hash = ?1 AND s.expires_at > ?2",
    [SESSION_BY_ID] = SESSION_COLUMNS "WHERE s.id = ?1 AND s.expires_at > ?2",
    [CART_AND_FOOD] = LINE_COLUMNS
    "FROM foods f LEFT JOIN cart_items i ON i.user_id = ?1 AND i.food_id = f.id " HELD_JOINS
    "WHERE f.id IN (SELECT food_id FROM cart_items WHERE user_id = ?1 "
    "UNION ALL SELECT CAST(?2 AS BIGINT)) ORDER BY f.id",
    [CART_UPSERT] = "INSERT INTO cart_items (user_id, food_id, quantity, revision, added_at) "
                    "VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (user_id, food_id) DO UPDATE SET "
                    "quantity = excluded.quantity, revision = excluded.revision",
    [PLACE_CONTEXT] = "SELECT s.currency, (SELECT count(*) FROM payments u WHERE u.user_id = ?1 "
                      "AND u.created_at > ?2 AND u.status IN ('failed', 'expired', 'cancelling', "
                      "'cancelled') AND COALESCE(u.outcome, '') <> 'refused'), " PAYMENT_COLUMNS
                      "FROM shop s LEFT JOIN payments p ON p.user_id = ?1 "
                      "AND p.status IN ('creating', 'pending')",
    [CART_LINES] = LINE_COLUMNS "FROM cart_items i JOIN foods f ON f.id = i.food_id " HELD_JOINS
                                "WHERE i.user_id = ?1 ORDER BY i.food_id",
    [PAYMENT_INSERT] = "INSERT INTO payments (user_id, status, amount, currency, provider, "
                       "remote, claimed_until, nonce, fulfilment, address, note, held, "
                       "expires_at, created_at, updated_at) VALUES (?1, 'pending', ?2, ?3, "
                       "'test', 0, 0, ?4, 'pickup', NULL, NULL, 1, ?5, ?6, ?6) RETURNING id",
    [PAYMENT_LINE] = "INSERT INTO payment_items (payment_id, food_id, name, unit_price, quantity, "
                     "line_total, taken, cart_revision) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1, ?7)",
    [FOOD_TAKE] = "UPDATE foods SET stock = stock - ?2, taken = taken + ?2 WHERE id = ?1 "
                  "AND archived = 0 AND available = 1 AND stock >= ?2",
    [PAYMENT_FIND] = "SELECT " PAYMENT_COLUMNS "FROM payments p WHERE p.id = ?1",
    [PAYMENT_SAVE] = "UPDATE payments SET status = 'paid', provider_ref = NULL, "
                     "provider_url = NULL, claimed_until = 0, cancel_to = 'cancelled', held = 0, "
                     "outcome = 'paid', needs_attention = NULL, refund_due = 0, updated_at = ?2 "
                     "WHERE id = ?1 AND status = 'pending'",
    [ORDER_INSERT] = "INSERT INTO orders (user_id, payment_id, status, total, currency, "
                     "fulfilment, address, note, created_at, updated_at) VALUES (?1, ?2, "
                     "'pending', ?3, ?4, 'pickup', NULL, NULL, ?5, ?5) RETURNING id",
    [ORDER_LINES_COPY] = "INSERT INTO order_items (order_id, food_id, name, unit_price, quantity, "
                         "line_total, taken) SELECT ?1, food_id, name, unit_price, quantity, "
                         "line_total, taken FROM payment_items WHERE payment_id = ?2",
    [CART_CLEAR] = "DELETE FROM cart_items WHERE user_id = ?1 AND EXISTS (SELECT 1 FROM "
                   "payment_items i WHERE i.payment_id = ?2 AND i.food_id = cart_items.food_id "
                   "AND i.cart_revision = cart_items.revision)",
    [EVENT_INSERT] = "INSERT INTO order_events (order_id, from_status, to_status, actor, "
                     "actor_id, note, at) VALUES (?1, NULL, 'pending', 'system', NULL, NULL, ?2) "
                     "RETURNING id",
    [ORDER_FIND] = "SELECT o.id, o.user_id, o.status, o.total, o.currency, o.fulfilment, "
                   "o.address, o.note, o.payment_id, p.status, p.amount, u.name, u.email, "
                   "u.phone, o.version, o.created_at, o.updated_at FROM orders o "
                   "JOIN users u ON u.id = o.user_id LEFT JOIN payments p ON p.id = o.payment_id "
                   "WHERE o.id = ?1",
    [ORDER_LINES] = "SELECT order_id, food_id, name, unit_price, quantity, line_total "
                    "FROM order_items WHERE order_id = ?1 ORDER BY food_id",
    [ORDER_EVENTS] = "SELECT id, order_id, from_status, to_status, actor, note, at "
                     "FROM order_events WHERE order_id = ?1 ORDER BY id",
};

struct user {
    int64_t id, session_id, payment_id, order_id, amount;
    unsigned char token_hash[HASH_BYTES];
};

struct loop {
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENTS];
    int64_t now_ms;
    struct user users[USERS_MAX];
    int n_users;
};

static void fail(const struct loop *loop, const char *what)
{
    fprintf(stderr, "raw_loop: %s: %s\n", what, sqlite3_errmsg(loop->db));
    exit(1);
}

/* Runs to the end; ints are bound from ?1 on. Gives the first column of the first row. */
static int64_t run(struct loop *loop, enum statement which, const int64_t *ints, int n)
{
    sqlite3_stmt *statement = loop->statements[which];
    int64_t first = 0;
    bool any = false;
    int rc;

    for (int i = 0; i < n; i++)
        sqlite3_bind_int64(statement, i + 1, ints[i]);
    while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
        if (!any)
            first = sqlite3_column_int64(statement, 0);
        any = true;
    }
    if (rc != SQLITE_DONE)
        fail(loop, TEXTS[which]);
    sqlite3_reset(statement);
    return first;
}
#define INTS(...)                                                                                  \
    (const int64_t[]){__VA_ARGS__}, (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t))

static void open_database(struct loop *loop, const char *path, int n_users)
{
    if (sqlite3_open(path, &loop->db) != SQLITE_OK)
        fail(loop, path);
    if (sqlite3_exec(loop->db,
                     "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; "
                     "PRAGMA foreign_keys = ON;",
                     NULL, NULL, NULL) != SQLITE_OK)
        fail(loop, "pragmas");
    for (int i = 0; i < STATEMENTS; i++)
        if (sqlite3_prepare_v3(loop->db, TEXTS[i], -1, SQLITE_PREPARE_PERSISTENT,
                               &loop->statements[i], NULL) != SQLITE_OK)
            fail(loop, TEXTS[i]);
    loop->n_users = n_users;
    run(loop, BEGIN, NULL, 0);
    for (int i = 0; i < n_users; i++) {
        struct user *user = &loop->users[i];
        user->id = i + 1;
        randombytes_buf(user->token_hash, sizeof user->token_hash);
        sqlite3_stmt *insert = loop->statements[SESSION_INSERT];
        sqlite3_bind_blob(insert, 1, user->token_hash, HASH_BYTES, SQLITE_STATIC);
        sqlite3_bind_int64(insert, 2, user->id);
        sqlite3_bind_int64(insert, 3, loop->now_ms);
        sqlite3_bind_int64(insert, 4, loop->now_ms + 30 * DAY_MS);
        user->session_id = run(loop, SESSION_INSERT, NULL, 0);
    }
    run(loop, COMMIT, NULL, 0);
}

static void authenticate(struct loop *loop, const struct user *user)
{
    sqlite3_stmt *by_token = loop->statements[SESSION_BY_TOKEN];
    sqlite3_bind_blob(by_token, 1, user->token_hash, HASH_BYTES, SQLITE_STATIC);
    sqlite3_bind_int64(by_token, 2, loop->now_ms);
    run(loop, SESSION_BY_TOKEN, NULL, 0);
}

/* What a write does: once before its transaction, once in it. */
static void authorize(struct loop *loop, const struct user *user)
{
    authenticate(loop, user);
    run(loop, SESSION_BY_ID, INTS(user->session_id, loop->now_ms));
}

static void cart(struct loop *loop, struct user *user)
{
    int64_t food_id = 1 + (int64_t)randombytes_uniform(FOODS);
    int64_t revision = (int64_t)randombytes_random() << 20;

    authorize(loop, user);
    run(loop, CART_AND_FOOD, INTS(user->id, food_id));
    run(loop, CART_UPSERT, INTS(user->id, food_id, 1, revision, loop->now_ms));
}

struct line {
    int64_t food_id, price, quantity, revision;
    char name[100];
};

static struct line read_line(struct loop *loop, const struct user *user)
{
    sqlite3_stmt *lines = loop->statements[CART_LINES];
    struct line line = {0};

    sqlite3_bind_int64(lines, 1, user->id);
    if (sqlite3_step(lines) != SQLITE_ROW)
        fail(loop, "an empty cart");
    line.food_id = sqlite3_column_int64(lines, 0);
    snprintf(line.name, sizeof line.name, "%s", (const char *)sqlite3_column_text(lines, 1));
    line.price = sqlite3_column_int64(lines, 3);
    line.quantity = sqlite3_column_int64(lines, 4);
    line.revision = sqlite3_column_int64(lines, 5);
    while (sqlite3_step(lines) == SQLITE_ROW)
        ;
    sqlite3_reset(lines);
    return line;
}

static void place(struct loop *loop, struct user *user)
{
    sqlite3_stmt *payment = loop->statements[PAYMENT_INSERT];
    sqlite3_stmt *payment_line = loop->statements[PAYMENT_LINE];
    unsigned char nonce[NONCE_BYTES];

    authorize(loop, user);
    run(loop, PLACE_CONTEXT, INTS(user->id, loop->now_ms - HOUR_MS));
    struct line line = read_line(loop, user);
    user->amount = line.price * line.quantity;
    randombytes_buf(nonce, sizeof nonce);
    sqlite3_bind_int64(payment, 1, user->id);
    sqlite3_bind_int64(payment, 2, user->amount);
    sqlite3_bind_text(payment, 3, "NGN", 3, SQLITE_STATIC);
    sqlite3_bind_blob(payment, 4, nonce, NONCE_BYTES, SQLITE_STATIC);
    sqlite3_bind_int64(payment, 5, loop->now_ms + 15 * MINUTE_MS);
    sqlite3_bind_int64(payment, 6, loop->now_ms);
    user->payment_id = run(loop, PAYMENT_INSERT, NULL, 0);
    sqlite3_bind_int64(payment_line, 1, user->payment_id);
    sqlite3_bind_int64(payment_line, 2, line.food_id);
    sqlite3_bind_text(payment_line, 3, line.name, -1, SQLITE_STATIC);
    sqlite3_bind_int64(payment_line, 4, line.price);
    sqlite3_bind_int64(payment_line, 5, line.quantity);
    sqlite3_bind_int64(payment_line, 6, user->amount);
    sqlite3_bind_int64(payment_line, 7, line.revision);
    run(loop, PAYMENT_LINE, NULL, 0);
    run(loop, FOOD_TAKE, INTS(line.food_id, line.quantity));
}

static void pay(struct loop *loop, struct user *user)
{
    sqlite3_stmt *order = loop->statements[ORDER_INSERT];

    run(loop, PAYMENT_FIND, INTS(user->payment_id)); /* the handler's, to authorize */
    authorize(loop, user);
    run(loop, PAYMENT_FIND, INTS(user->payment_id));
    run(loop, PAYMENT_SAVE, INTS(user->payment_id, loop->now_ms));
    sqlite3_bind_int64(order, 1, user->id);
    sqlite3_bind_int64(order, 2, user->payment_id);
    sqlite3_bind_int64(order, 3, user->amount);
    sqlite3_bind_text(order, 4, "NGN", 3, SQLITE_STATIC);
    sqlite3_bind_int64(order, 5, loop->now_ms);
    user->order_id = run(loop, ORDER_INSERT, NULL, 0);
    run(loop, ORDER_LINES_COPY, INTS(user->order_id, user->payment_id));
    run(loop, CART_CLEAR, INTS(user->id, user->payment_id));
    run(loop, EVENT_INSERT, INTS(user->order_id, loop->now_ms));
}

static void read_order(struct loop *loop, struct user *user)
{
    authenticate(loop, user);
    run(loop, PAYMENT_FIND, INTS(user->payment_id));
    run(loop, ORDER_FIND, INTS(user->order_id));
    run(loop, ORDER_LINES, INTS(user->order_id));
    run(loop, ORDER_EVENTS, INTS(user->order_id));
}

static void run_group(struct loop *loop, void (*step)(struct loop *, struct user *))
{
    run(loop, BEGIN, NULL, 0);
    for (int i = 0; i < loop->n_users; i++)
        step(loop, &loop->users[i]);
    run(loop, COMMIT, NULL, 0);
}

static double cpu_us(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return 1e6 * (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

int main(int argc, char **argv)
{
    static struct loop loop;

    if (argc != 4 || sodium_init() < 0 || atoi(argv[2]) < 1 || atoi(argv[2]) > USERS_MAX)
        return 2;
    loop.now_ms = clock_now_ms();
    open_database(&loop, argv[1], atoi(argv[2]));
    int64_t start_us = clock_mono_us(), end_us = start_us + (int64_t)(atof(argv[3]) * 1e6);
    double start_cpu_us = cpu_us();
    int64_t orders = 0;
    while (clock_mono_us() < end_us) {
        loop.now_ms = clock_now_ms();
        run_group(&loop, cart);
        run_group(&loop, place);
        run_group(&loop, pay);
        run_group(&loop, read_order);
        orders += loop.n_users;
    }
    double seconds = (double)(clock_mono_us() - start_us) / 1e6;
    printf("{\"orders_per_s\":%.1f,\"cpu_us_per_order\":%.2f}\n", (double)orders / seconds,
           (cpu_us() - start_cpu_us) / (double)orders);
    for (int i = 0; i < STATEMENTS; i++)
        sqlite3_finalize(loop.statements[i]);
    sqlite3_close(loop.db);
    return 0;
}
