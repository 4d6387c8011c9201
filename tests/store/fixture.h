/* What the tests of the store share: a database and a temporary folder, and small transactions on a
 * table `things (id, name UNIQUE, amount, data, parent_id)`. */
#ifndef SERVERY_TESTS_STORE_FIXTURE_H
#define SERVERY_TESTS_STORE_FIXTURE_H

#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "database.h"
#include "store/engine.h"
#include "store/store.h"

struct fixture {
    char dir[64];
    char path[96];      /* of the database file; SQLite only */
    char database[256]; /* the setting */
    struct arena *arena;
    struct store *store;
    bool defer; /* its stores do */
};

extern const struct migration fixture_migrations[];

/* For cmocka; *state is the struct fixture, its store migrated and open (…_deferred: its posts and
 * lates wait as long as they may). */
int fixture_setup(void **state);
int fixture_setup_deferred(void **state);
int fixture_teardown(void **state);

/* Closes the store and opens it anew with these options; `database` is filled in. */
void fixture_reopen(struct fixture *f, struct store_options options);

/* A fixture without a store; the database is empty or not there, or (…_shop_dir) migrated
 * perhaps. */
void fixture_dir(struct fixture *f);
void fixture_shop_dir(struct fixture *f);
void fixture_remove(struct fixture *f);

/* What a write comes to that is stale however often it runs, and how often that is. */
enum err fixture_always_stale(void);
int fixture_runs_max(void);

/* Inserts a thing called arg->name. */
struct thing {
    const char *name;
    int64_t amount;
    int runs;         /* counts how often the function ran; never reset */
    enum err refusal; /* returned after the row was written */
    int64_t id;
};
enum err thing_insert(struct tx *tx, void *arg);
enum err thing_add(struct fixture *f, const char *name); /* in a transaction of its own */

/* How many things there are in all, or with this name. */
int64_t thing_count(struct store *store);
bool thing_exists(struct store *store, const char *name);

/* Holds the writer inside a transaction until it is told to go on. */
struct gate {
    sem_t entered, leave;
};
void gate_init(struct gate *gate);
enum err gate_hold(struct tx *tx, void *arg);

/* One write on a thread of its own. */
struct writing {
    struct store *store;
    tx_fn *fn;
    void *arg;
    enum err result;
    pthread_t thread;
};
void writing_start(struct writing *writing);
enum err writing_finish(struct writing *writing);

/* Waits until exactly n writes are queued. */
void wait_queued(struct store *store, int64_t n);

#endif
