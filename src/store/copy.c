#include "store/copy.h"

#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "base/crypto.h"
#include "base/log.h"
#include "store/copy_tables.h"
#include "store/engine.h"

static const struct copy_table *const SHOP = &copy_tables[COPY_TABLES_N - 1];

/* ---- Pages ---- */

/* The rows after a key, by rising keys. */
struct page {
    const struct copy_table *table;
    struct sql_value after[COPY_KEYS_MAX];
    int64_t limit;
    struct sql_rows rows; /* out */
};

static struct page first_page(const struct copy_table *table)
{
    struct page page = {.table = table, .limit = table->page_rows};

    for (size_t i = 0; table->keys[i]; i++)
        page.after[i] = table->keys[i] == 'i' ? sql_int(INT64_MIN) : sql_text(STR(""));
    return page;
}

static enum err read_page(struct tx *tx, void *arg)
{
    struct page *page = arg;
    struct sql_value values[COPY_KEYS_MAX + 1];
    size_t n = strlen(page->table->keys);

    memcpy(values, page->after, n * sizeof *values);
    values[n] = sql_int(page->limit);
    return tx_ask(tx, page->table->page, (struct sql_args){values, n + 1}, &page->rows);
}

static enum err write_page(struct tx *tx, void *arg)
{
    const struct page *page = arg;
    const struct sql_rows *rows = &page->rows;
    enum err err = ERR_OK;

    for (size_t row = 0; !err && row < rows->n; row++)
        err = tx_post(tx, 1, page->table->add,
                      (struct sql_args){rows->cells + row * rows->n_cols, rows->n_cols});
    return err;
}

static uint64_t hash_row(const struct sql_value *cells, size_t n, struct buf *buf)
{
    buf->len = 0;
    for (size_t i = 0; i < n; i++) {
        char type = (char)cells[i].type;
        int64_t number = cells[i].type == SQL_INT ? cells[i].i : (int64_t)cells[i].s.len;

        buf_put_char(buf, type);
        buf_put(buf, &number, sizeof number);
        buf_put_str(buf, cells[i].s);
    }
    return crypto_content_number(buf_str(buf));
}

/* A sum, because two engines may sort texts differently. */
static void count_page(const struct page *page, struct buf *buf, struct copy_count *count)
{
    const struct sql_rows *rows = &page->rows;

    for (size_t row = 0; row < rows->n; row++)
        count->sum += hash_row(rows->cells + row * rows->n_cols, rows->n_cols, buf);
    count->rows += (int64_t)rows->n;
    if (page->table->generated && rows->n > 0)
        count->last_id = sql_get_int(rows, rows->n - 1, 0);
}

/* ---- Walking through all tables ---- */

struct walk {
    struct copy *copy;
    struct copy_progress progress;
    struct store *from, *to; /* NULL: nothing is written */
    struct arena *pages[2];  /* the page, and the one before, whose last key it began at */
    struct arena *writes;
    struct buf row;
};

static void walk_init(struct walk *walk, struct copy *copy, const char *doing)
{
    *walk = (struct walk){.copy = copy, .progress.doing = doing, .from = copy->to};
    walk->pages[0] = arena_create();
    walk->pages[1] = arena_create();
    walk->writes = arena_create();
    buf_init(&walk->row, NULL);
    for (size_t i = 0; i < COPY_TABLES_N; i++)
        walk->progress.expected += copy->counts[i].expected;
}

static void walk_finish(struct walk *walk)
{
    buf_finish(&walk->row);
    arena_destroy(walk->writes);
    arena_destroy(walk->pages[1]);
    arena_destroy(walk->pages[0]);
}

static bool is_cancelled(const struct copy *copy)
{
    return copy->is_cancelled && copy->is_cancelled();
}

static void tell(struct walk *walk, const struct copy_count *count, size_t rows)
{
    walk->progress.rows += (int64_t)rows;
    walk->progress.table_rows = count->rows;
    if (walk->copy->tell)
        walk->copy->tell(walk->copy->ctx, &walk->progress);
}

/* Reads all rows of a table, and writes them if there is where to. The shop's row is only read. */
static enum err walk_table(struct walk *walk, const struct copy_table *table,
                           struct copy_count *ret_count)
{
    struct page page = first_page(table);
    struct copy_count count = {.table = table->name};
    enum err err;

    walk->progress.table = table->name;
    do {
        struct arena *arena = walk->pages[0];

        walk->pages[0] = walk->pages[1];
        walk->pages[1] = arena;
        arena_reset(arena);
        arena_reset(walk->writes);
        err = is_cancelled(walk->copy) ? ERR_UNAVAILABLE
                                       : store_read(walk->from, arena, read_page, &page);
        if (!err && walk->to && table != SHOP && page.rows.n > 0)
            err = store_write(walk->to, walk->writes, write_page, &page);
        if (err)
            return err;
        count_page(&page, &walk->row, &count);
        if (page.rows.n > 0)
            memcpy(page.after, page.rows.cells + (page.rows.n - 1) * page.rows.n_cols,
                   strlen(table->keys) * sizeof *page.after);
        tell(walk, &count, page.rows.n);
    } while ((int64_t)page.rows.n == page.limit);
    *ret_count = count;
    return ERR_OK;
}

/* ---- What is in a database ---- */

enum shop_row { SHOP_ROW_NO_TABLE, SHOP_ROW_NONE, SHOP_ROW_THERE };

static enum err find_shop_row(struct tx *tx, void *arg)
{
    enum shop_row *ret_found = arg;
    struct page page = first_page(SHOP);
    enum err err =
        tx_ask(tx, tx->ops->find_table_sql, SQL_ARGS(sql_text(str_from(SHOP->name))), &page.rows);

    *ret_found = SHOP_ROW_NO_TABLE;
    if (err || page.rows.n == 0)
        return err;
    err = read_page(tx, &page);
    *ret_found = page.rows.n > 0 ? SHOP_ROW_THERE : SHOP_ROW_NONE;
    return err;
}

enum err copy_refuse_half(struct store *store)
{
    struct arena *arena = arena_create();
    enum shop_row found = SHOP_ROW_NO_TABLE;
    enum err err = store_read(store, arena, find_shop_row, &found);

    arena_destroy(arena);
    if (err || found != SHOP_ROW_NONE)
        return err;
    log_line(LOG_ERROR, "database_half_copied",
             LOG_CSTR("hint", "a copy into this database came to no end; `servery copy` again "
                              "empties it and begins anew"));
    return ERR_INTERNAL;
}

static enum err judge(struct tx *tx, void *arg)
{
    enum copy_target *ret_target = arg;
    enum shop_row found;
    enum err err = find_shop_row(tx, &found);

    *ret_target = found == SHOP_ROW_NONE ? COPY_TARGET_HALF : COPY_TARGET_EMPTY;
    for (size_t i = 0; !err && *ret_target == COPY_TARGET_EMPTY && &copy_tables[i] != SHOP; i++) {
        struct page page = first_page(&copy_tables[i]);

        page.limit = 1;
        err = read_page(tx, &page);
        if (!err && page.rows.n > 0)
            *ret_target = COPY_TARGET_SHOP;
    }
    return err;
}

enum err copy_prepare(struct store *to, enum copy_target *ret_target)
{
    struct arena *arena = arena_create();
    int applied;
    enum err err = migrate_apply(to, store_migrations, store_n_migrations, &applied);

    if (!err)
        err = store_read(to, arena, judge, ret_target);
    arena_destroy(arena);
    return err;
}

/* ---- Copying ---- */

static enum err count_rows(struct tx *tx, void *arg)
{
    struct copy *copy = arg;
    enum err err = tx->ops->take_time(tx);

    for (size_t i = 0; !err && i < COPY_TABLES_N; i++) {
        struct sql_rows rows;

        err = tx_ask(tx, copy_tables[i].count, SQL_NO_ARGS, &rows);
        if (err)
            break;
        copy->counts[i] =
            (struct copy_count){.table = copy_tables[i].name, .expected = sql_get_int(&rows, 0, 0)};
    }
    return err;
}

/* The target is no shop from here on. */
static enum err begin(struct tx *tx, void *arg)
{
    enum copy_target *ret_target = arg;
    enum err err = judge(tx, ret_target);

    return err || *ret_target != COPY_TARGET_EMPTY ? err : tx->ops->empty(tx, SHOP->name);
}

static enum err empty_table(struct tx *tx, void *arg)
{
    const size_t *i = arg;
    enum err err = tx->ops->take_time(tx);

    return err ? err : tx->ops->empty(tx, copy_tables[*i].name);
}

/* Those that refer to others first. */
static enum err empty_tables(struct copy *copy, struct arena *arena)
{
    enum err err = ERR_OK;

    for (size_t i = COPY_TABLES_N; !err && i-- > 0;)
        err = is_cancelled(copy) ? ERR_UNAVAILABLE : store_write(copy->to, arena, empty_table, &i);
    return err;
}

static enum err differs(struct copy *copy, size_t i)
{
    copy->differs = copy_tables[i].name;
    return ERR_PROBLEM;
}

static enum err copy_tables_over(struct copy *copy)
{
    struct walk walk;
    enum err err = ERR_OK;

    walk_init(&walk, copy, "copying");
    walk.from = copy->from;
    walk.to = copy->to;
    for (size_t i = 0; !err && i < COPY_TABLES_N; i++) {
        int64_t expected = copy->counts[i].expected;

        walk.progress.table_expected = expected;
        err = walk_table(&walk, &copy_tables[i], &copy->counts[i]);
        copy->counts[i].expected = expected;
        if (!err && copy->counts[i].rows != expected)
            err = differs(copy, i);
    }
    walk_finish(&walk);
    return err;
}

static enum err read_last_ids(struct tx *tx, void *arg)
{
    struct copy *copy = arg;
    enum err err = ERR_OK;

    for (size_t i = 0; !err && i < COPY_TABLES_N; i++) {
        int64_t given = 0;

        if (copy_tables[i].generated)
            err = tx->ops->read_last_id(tx, copy_tables[i].name, &given);
        if (!err && given > copy->counts[i].last_id)
            copy->counts[i].last_id = given;
    }
    return err;
}

/* For the planner, which knows the tables as empty. */
static enum err analyze(struct tx *tx, void *arg)
{
    enum err err = tx->ops->take_time(tx);

    (void)arg;
    return err ? err : tx->ops->analyze(tx);
}

enum err copy_rows(struct copy *copy)
{
    struct arena *arena = arena_create();
    enum copy_target target = COPY_TARGET_SHOP;
    enum err err = store_read(copy->from, arena, count_rows, copy);

    if (!err)
        err = store_write(copy->to, arena, begin, &target);
    if (!err && target == COPY_TARGET_SHOP)
        err = ERR_PROBLEM;
    if (!err && target == COPY_TARGET_HALF)
        err = empty_tables(copy, arena);
    if (!err)
        err = copy_tables_over(copy);
    if (!err)
        err = store_read(copy->from, arena, read_last_ids, copy);
    if (!err)
        err = store_write(copy->to, arena, analyze, NULL);
    arena_destroy(arena);
    return err;
}

/* ---- Verifying ---- */

enum err copy_compare(struct copy *copy)
{
    struct walk walk;
    enum err err = ERR_OK;

    walk_init(&walk, copy, "comparing");
    for (size_t i = 0; !err && &copy_tables[i] != SHOP; i++) {
        struct copy_count there = {0};

        walk.progress.table_expected = copy->counts[i].expected;
        err = walk_table(&walk, &copy_tables[i], &there);
        if (!err && (there.rows != copy->counts[i].rows || there.sum != copy->counts[i].sum))
            err = differs(copy, i);
    }
    walk_finish(&walk);
    return err;
}

/* ---- The end ---- */

struct finish {
    struct copy *copy;
    struct page page; /* the source's */
};

static enum err finish(struct tx *tx, void *arg)
{
    struct finish *end = arg;
    struct page written = first_page(SHOP);
    struct copy_count count = {0};
    struct buf row;
    enum err err = ERR_OK;

    for (size_t i = 0; !err && i < COPY_TABLES_N; i++)
        if (end->copy->counts[i].last_id > 0)
            err = tx->ops->keep_last_id(tx, copy_tables[i].name, end->copy->counts[i].last_id);
    if (!err)
        err = write_page(tx, &end->page);
    if (!err)
        err = read_page(tx, &written);
    if (err)
        return err;
    buf_init(&row, tx->arena);
    count_page(&written, &row, &count);
    return count.sum == end->copy->counts[COPY_TABLES_N - 1].sum ? ERR_OK : ERR_PROBLEM;
}

enum err copy_finish(struct copy *copy)
{
    struct arena *arena = arena_create();
    struct finish end = {.copy = copy, .page = first_page(SHOP)};
    enum err err = store_read(copy->from, arena, read_page, &end.page);

    if (!err)
        err = store_write(copy->to, arena, finish, &end);
    if (err == ERR_PROBLEM)
        copy->differs = SHOP->name;
    arena_destroy(arena);
    return err;
}
