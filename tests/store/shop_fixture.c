#include "shop_fixture.h"

#include <string.h>

static void listen(void *ctx, const struct store_event *events, size_t n)
{
    struct shop_fixture *s = ctx;
    for (size_t i = 0; i < n && s->n_events < sizeof(s->events) / sizeof(*s->events); i++)
        s->events[s->n_events++] = events[i];
}

static int set_up(void **state, struct store_options options)
{
    struct shop_fixture *s = calloc(1, sizeof(*s));
    int applied;

    fixture_shop_dir(&s->base);
    options.database = s->base.database;
    assert_int_equal(store_open(&options, &s->base.store), ERR_OK);
    assert_int_equal(store_migrate(s->base.store, &applied), ERR_OK);
    s->store = s->base.store;
    s->arena = s->base.arena;
    problem_init(&s->problem, s->arena);
    store_listen(s->store, listen, s);
    *state = s;
    return 0;
}

int shop_setup(void **state)
{
    return set_up(state, (struct store_options){0});
}

int shop_setup_twice(void **state)
{
    return set_up(state, (struct store_options){.run_twice = true});
}

int shop_setup_deferred(void **state)
{
    return set_up(state, (struct store_options){.run_twice = true, .defer = true});
}

int shop_teardown(void **state)
{
    struct shop_fixture *s = *state;
    for (size_t i = 0; i < s->n_arenas; i++)
        arena_destroy(s->arenas[i]);
    fixture_remove(&s->base);
    free(s);
    return 0;
}

struct problem *shop_problems(struct shop_fixture *s, size_t n)
{
    struct problem *problems = arena_zalloc(s->arena, n * sizeof *problems);

    assert_in_range(s->n_arenas + n, 0, sizeof s->arenas / sizeof *s->arenas);
    for (size_t i = 0; i < n; i++) {
        s->arenas[s->n_arenas] = arena_create();
        problem_init(&problems[i], s->arenas[s->n_arenas++]);
    }
    return problems;
}

struct write {
    struct shop_fixture *s;
    tx_fn *fn;
    void *arg;
};

static enum err run_write(struct tx *tx, void *arg)
{
    struct write *write = arg;
    problem_reset(&write->s->problem);
    return write->fn(tx, write->arg);
}

enum err shop_write(struct shop_fixture *s, tx_fn *fn, void *arg)
{
    struct write write = {s, fn, arg};
    s->n_events = 0;
    return store_write(s->store, s->arena, run_write, &write);
}

enum err shop_read_tx(struct shop_fixture *s, tx_fn *fn, void *arg)
{
    return store_read(s->store, s->arena, fn, arg);
}

struct sql {
    const char *text;
    struct sql_args args;
    int64_t first;
};

static enum err run_sql(struct tx *tx, void *arg)
{
    struct sql *sql = arg;
    struct sql_rows rows;
    enum err err = tx_ask(tx, sql->text, sql->args, &rows);
    sql->first = err == ERR_OK && rows.n > 0 ? sql_get_int(&rows, 0, 0) : 0;
    return err;
}

int64_t shop_sql(struct shop_fixture *s, const char *text, struct sql_args args)
{
    struct sql sql = {text, args, 0};
    assert_int_equal(shop_write(s, run_sql, &sql), ERR_OK);
    return sql.first;
}

int64_t shop_user(struct shop_fixture *s, const char *email)
{
    static const char insert[] =
        "INSERT INTO users (email, email_key, search_key, role, password_hash, referral_code, "
        "created_at) VALUES ($1, $1, $1, 'user', '', $1, $2) RETURNING id";
    return shop_sql(s, insert, SQL_ARGS(sql_text(str_from(email)), sql_int(SHOP_NOW_MS)));
}

int64_t shop_food(struct shop_fixture *s, const char *name, int64_t price, int64_t stock)
{
    struct food_edit edit = {
        .name = {.set = true, .value = str_from(name)},
        .price = {.set = true, .value = price},
        .stock = {.set = stock >= 0, .value = stock},
        .now_ms = SHOP_NOW_MS,
        .problem = &s->problem,
    };
    assert_int_equal(shop_write(s, food_create, &edit), ERR_OK);
    return edit.food.id;
}

int64_t shop_stock(struct shop_fixture *s, int64_t food_id)
{
    static const char sql[] = "SELECT coalesce(stock, -1) FROM foods WHERE id = $1";
    return shop_sql(s, sql, SQL_ARGS(sql_int(food_id)));
}

int64_t shop_taken(struct shop_fixture *s, int64_t food_id)
{
    static const char sql[] = "SELECT taken FROM foods WHERE id = $1";
    return shop_sql(s, sql, SQL_ARGS(sql_int(food_id)));
}

int64_t shop_hold(struct shop_fixture *s, int64_t user_id, int64_t food_id, int64_t quantity,
                  const char *status, bool taken)
{
    static const char payment[] =
        "INSERT INTO payments (user_id, status, amount, currency, provider, remote, nonce, "
        "fulfilment, "
        "held, expires_at, created_at, updated_at) "
        "VALUES ($1, $2, 1, 'NGN', 'test', 0, $3, 'pickup', 1, $4 + 60000, $4, $4) RETURNING id";
    static const char item[] =
        "INSERT INTO payment_items (payment_id, food_id, name, unit_price, quantity, line_total, "
        "taken, cart_revision) VALUES ($1, $2, '', 1, $3, 1, $4, 1)";
    int64_t id = shop_sql(s, payment,
                          SQL_ARGS(sql_int(user_id), sql_text(str_from(status)),
                                   sql_blob(STR("nonce")), sql_int(SHOP_NOW_MS)));
    shop_sql(s, item, SQL_ARGS(sql_int(id), sql_int(food_id), sql_int(quantity), sql_bool(taken)));
    return id;
}
