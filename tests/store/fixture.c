#include "fixture.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const struct migration fixture_migrations[] = {
    {1, "things",
     "CREATE TABLE things (id $ID$, name TEXT NOT NULL, amount BIGINT, data $BLOB$,\n"
     "    parent_id BIGINT REFERENCES things (id)) $STRICT$;\n"
     "CREATE UNIQUE INDEX things_name ON things (name);\n"},
};

static void make(struct fixture *f, bool migrated)
{
    *f = (struct fixture){.dir = "/tmp/servery-test-XXXXXX"};
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->path, sizeof(f->path), "%s/shop.db", f->dir);
    database_url(f->dir, f->database, sizeof f->database);
    database_create(f->dir, migrated);
    f->arena = arena_create();
}

void fixture_dir(struct fixture *f)
{
    make(f, false);
}

void fixture_shop_dir(struct fixture *f)
{
    make(f, true);
}

void fixture_remove(struct fixture *f)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    char path[128];

    store_close(f->store);
    arena_destroy(f->arena);
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        snprintf(path, sizeof(path), "%s%s", f->path, suffixes[i]);
        unlink(path);
    }
    assert_int_equal(rmdir(f->dir), 0);
    database_drop(f->dir);
}

void fixture_reopen(struct fixture *f, struct store_options options)
{
    int applied;

    store_close(f->store);
    f->store = NULL;
    options.database = f->database;
    options.defer |= f->defer;
    assert_int_equal(store_open(&options, &f->store), ERR_OK);
    assert_int_equal(migrate_apply(f->store, fixture_migrations, 1, &applied), ERR_OK);
}

static int set_up(void **state, bool defer)
{
    struct fixture *f = malloc(sizeof(*f));

    fixture_dir(f);
    f->defer = defer;
    fixture_reopen(f, (struct store_options){0});
    *state = f;
    return 0;
}

int fixture_setup(void **state)
{
    return set_up(state, false);
}

int fixture_setup_deferred(void **state)
{
    return set_up(state, true);
}

int fixture_teardown(void **state)
{
    fixture_remove(*state);
    free(*state);
    return 0;
}

/* Where one thread writes, a bug; else others who were faster. */
enum err fixture_always_stale(void)
{
    return database_on_postgresql() ? ERR_UNAVAILABLE : ERR_INTERNAL;
}

int fixture_runs_max(void)
{
    return database_on_postgresql() ? 8 : 2;
}

enum err thing_insert(struct tx *tx, void *arg)
{
    static const char sql[] = "INSERT INTO things (name, amount) VALUES ($1, $2) RETURNING id";
    struct thing *thing = arg;
    struct sql_rows rows;
    enum err err;

    thing->runs++;
    thing->id = 0;
    err = tx_ask(tx, sql, SQL_ARGS(sql_text(str_from(thing->name)), sql_int(thing->amount)), &rows);
    if (err)
        return err;
    thing->id = sql_get_int(&rows, 0, 0);
    return thing->refusal;
}

enum err thing_add(struct fixture *f, const char *name)
{
    struct thing thing = {.name = name};

    return store_write(f->store, f->arena, thing_insert, &thing);
}

struct count {
    const char *name; /* NULL: all */
    int64_t n;
};

static enum err count_things(struct tx *tx, void *arg)
{
    static const char sql[] = "SELECT count(*) FROM things WHERE name = $1 OR $1 IS NULL";
    struct count *count = arg;
    struct sql_rows rows;
    enum err err;

    err = tx_ask(tx, sql, SQL_ARGS(sql_text(str_from(count->name))), &rows);
    if (err == ERR_OK)
        count->n = sql_get_int(&rows, 0, 0);
    return err;
}

static int64_t count_named(struct store *store, const char *name)
{
    struct arena *arena = arena_create();
    struct count count = {name, -1};

    assert_int_equal(store_read(store, arena, count_things, &count), ERR_OK);
    arena_destroy(arena);
    return count.n;
}

int64_t thing_count(struct store *store)
{
    return count_named(store, NULL);
}

bool thing_exists(struct store *store, const char *name)
{
    return count_named(store, name) == 1;
}

void gate_init(struct gate *gate)
{
    sem_init(&gate->entered, 0, 0);
    sem_init(&gate->leave, 0, 0);
}

enum err gate_hold(struct tx *tx, void *arg)
{
    struct gate *gate = arg;

    (void)tx;
    sem_post(&gate->entered);
    while (sem_wait(&gate->leave))
        ;
    return ERR_OK;
}

static void *run_writing(void *arg)
{
    struct writing *writing = arg;
    struct arena *arena = arena_create();

    writing->result = store_write(writing->store, arena, writing->fn, writing->arg);
    arena_destroy(arena);
    return NULL;
}

void writing_start(struct writing *writing)
{
    assert_int_equal(pthread_create(&writing->thread, NULL, run_writing, writing), 0);
}

enum err writing_finish(struct writing *writing)
{
    assert_int_equal(pthread_join(writing->thread, NULL), 0);
    return writing->result;
}

void wait_queued(struct store *store, int64_t n)
{
    struct store_stats stats;

    do {
        sched_yield();
        store_stats(store, &stats);
    } while (stats.queue_depth != n);
}
