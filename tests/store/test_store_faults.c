/* What must hold when the machine fails: nothing is acknowledged that is not on the disk, nothing
 * refused comes back, and the store goes on as soon as it can. */
#include "fault_vfs.h"
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- Failing writes and syncs ---- */

static void copy_file(const char *from, const char *to)
{
    char buf[65536];
    int in = open(from, O_RDONLY), out = open(to, O_CREAT | O_WRONLY | O_TRUNC, 0600);
    ssize_t n;

    assert_true(in >= 0 && out >= 0);
    while ((n = read(in, buf, sizeof(buf))) > 0)
        assert_true(write(out, buf, (size_t)n) == n);
    close(in);
    close(out);
}

/* Whether a server started after a crash at this moment would find the thing. */
static bool survives_crash(struct fixture *f, const char *name)
{
    struct fixture after;
    char wal[128], wal_after[128];
    bool found;

    fixture_dir(&after);
    snprintf(wal, sizeof(wal), "%s-wal", f->path);
    snprintf(wal_after, sizeof(wal_after), "%s-wal", after.path);
    copy_file(f->path, after.path);
    copy_file(wal, wal_after);
    fixture_reopen(&after, (struct store_options){0});
    found = thing_exists(after.store, name);
    fixture_remove(&after);
    return found;
}

static void check_recovered(struct fixture *f)
{
    struct store_stats stats;

    assert_false(thing_exists(f->store, "lost"));
    assert_false(survives_crash(f, "lost"));
    assert_int_equal(thing_add(f, "after"), ERR_OK);
    assert_true(survives_crash(f, "after"));
    assert_true(survives_crash(f, "before"));
    assert_false(survives_crash(f, "lost"));
    store_stats(f->store, &stats);
    assert_int_equal(stats.failed_commits, 1);
}

static void test_faults__failed_sync_acknowledges_nothing(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(thing_add(f, "before"), ERR_OK);
    atomic_store(&fault_syncs, 1);
    assert_int_equal(thing_add(f, "lost"), ERR_UNAVAILABLE);
    assert_int_equal(atomic_load(&fault_syncs), 0);
    check_recovered(f);
}

static void test_faults__failing_syncs_then_a_good_commit(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(thing_add(f, "before"), ERR_OK);
    atomic_store(&fault_syncs, 2);
    assert_int_equal(thing_add(f, "lost"), ERR_UNAVAILABLE);
    assert_int_equal(atomic_load(&fault_syncs), 0);
    assert_int_equal(thing_add(f, "next"), ERR_OK);
    check_recovered(f);
}

static void test_faults__full_log_acknowledges_nothing(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(thing_add(f, "before"), ERR_OK);
    atomic_store(&fault_write_code, SQLITE_FULL);
    atomic_store(&fault_writes, 1);
    assert_int_equal(thing_add(f, "lost"), ERR_UNAVAILABLE);
    assert_int_equal(atomic_load(&fault_writes), 0);
    check_recovered(f);
}

static void test_faults__io_error_acknowledges_nothing(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(thing_add(f, "before"), ERR_OK);
    atomic_store(&fault_write_code, SQLITE_IOERR_WRITE);
    atomic_store(&fault_writes, 1);
    assert_int_equal(thing_add(f, "lost"), ERR_UNAVAILABLE);
    assert_int_equal(atomic_load(&fault_writes), 0);
    check_recovered(f);
}

static void count_calls(void *ctx, const struct store_event *events, size_t n)
{
    (void)events;
    *(size_t *)ctx += n;
}

static enum err insert_and_emit(struct tx *tx, void *arg)
{
    tx_emit(tx, (struct store_event){STORE_EVENT_FOOD, 1, 0, 0});
    return thing_insert(tx, arg);
}

enum { NEIGHBOURS = 3 };

/* Lets them wait until all can go in one batch, whose commit fails. False: a busy machine has cut
 * the batch, whose time is limited, so that they were no neighbours. */
static bool fail_neighbours(struct fixture *f, struct thing *things, enum err *results)
{
    struct gate gate;
    struct writing holder = {f->store, gate_hold, &gate, ERR_INTERNAL, 0};
    struct writing writings[NEIGHBOURS];
    struct store_stats before, after;

    store_stats(f->store, &before);
    gate_init(&gate);
    writing_start(&holder);
    sem_wait(&gate.entered);
    for (int i = 0; i < NEIGHBOURS; i++) {
        writings[i] = (struct writing){f->store, insert_and_emit, &things[i], ERR_OK, 0};
        writing_start(&writings[i]);
        wait_queued(f->store, i + 1);
    }
    atomic_store(&fault_syncs, 1);
    sem_post(&gate.leave);
    /* The gate's own batch has nothing to write, unless the others still joined it. */
    if (writing_finish(&holder))
        assert_int_equal(holder.result, ERR_UNAVAILABLE);
    for (int i = 0; i < NEIGHBOURS; i++)
        results[i] = writing_finish(&writings[i]);
    atomic_store(&fault_syncs, 0);
    store_stats(f->store, &after);
    return after.commits == before.commits;
}

/* A refusal may rest on what its neighbours did, so nobody of the batch is answered by it. */
static void test_faults__a_failed_commit_fails_the_whole_batch(void **state)
{
    struct fixture *f = *state;
    struct thing things[NEIGHBOURS] = {
        {.name = "a"}, {.name = "b", .refusal = ERR_PROBLEM}, {.name = "c"}};
    enum err results[NEIGHBOURS];
    size_t heard = 0;

    store_listen(f->store, count_calls, &heard);
    while (!fail_neighbours(f, things, results)) {
        fixture_remove(f);
        fixture_dir(f);
        fixture_reopen(f, (struct store_options){0});
        heard = 0;
        store_listen(f->store, count_calls, &heard);
    }
    for (int i = 0; i < NEIGHBOURS; i++)
        assert_int_equal(results[i], ERR_UNAVAILABLE);
    assert_int_equal(heard, 0);
    assert_int_equal(thing_count(f->store), 0);
}

/* ---- A full disk ---- */

enum { TMPFS_SIZE = 1 << 20 };

static enum err insert_big(struct tx *tx, void *arg)
{
    static const char sql[] = "INSERT INTO things (name, data) VALUES ($1, $2)";
    static char data[16384];
    int *number = arg;

    return tx_post(tx, 1, sql,
                   SQL_ARGS(sql_text(arena_printf(tx_arena(tx), "big %d", *number)),
                            sql_blob((struct str){data, sizeof(data)})));
}

/* Writes until it fails and returns how many were acknowledged. */
static int fill_up(struct fixture *f)
{
    enum err err = ERR_OK;
    int n = 0;

    while (err == ERR_OK) {
        arena_reset(f->arena);
        err = store_write(f->store, f->arena, insert_big, &n);
        if (err == ERR_OK)
            n++;
    }
    assert_int_equal(err, ERR_UNAVAILABLE);
    return n;
}

static void check_full_disk(struct fixture *f, void (*make_room)(struct fixture *f))
{
    int n = fill_up(f);

    assert_true(n > 0);
    assert_int_equal(thing_count(f->store), n);
    assert_int_equal(store_write(f->store, f->arena, insert_big, &n), ERR_UNAVAILABLE);
    assert_int_equal(thing_count(f->store), n);
    make_room(f);
    assert_int_equal(store_write(f->store, f->arena, insert_big, &n), ERR_OK);
    assert_int_equal(thing_count(f->store), n + 1);
    fixture_reopen(f, (struct store_options){0});
    assert_int_equal(thing_count(f->store), n + 1);
}

static void grow_tmpfs(struct fixture *f)
{
    assert_int_equal(mount("none", f->dir, "tmpfs", MS_REMOUNT, "size=64m"), 0);
}

static void test_faults__full_disk(void **state)
{
    struct fixture f;

    (void)state;
    fixture_dir(&f);
    if (mount("none", f.dir, "tmpfs", 0, "size=1m")) {
        /* Not allowed here; the limit on file sizes below tests the same path. */
        fixture_remove(&f);
        skip();
    }
    fixture_reopen(&f, (struct store_options){0});
    check_full_disk(&f, grow_tmpfs);
    store_close(f.store);
    f.store = NULL;
    umount2(f.dir, MNT_DETACH);
    fixture_remove(&f);
}

static struct rlimit no_limit;

static void lift_limit(struct fixture *f)
{
    (void)f;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &no_limit), 0);
}

static void test_faults__file_size_limit(void **state)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &no_limit), 0);
    signal(SIGXFSZ, SIG_IGN);
    limit = no_limit;
    limit.rlim_cur = TMPFS_SIZE;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    check_full_disk(*state, lift_limit);
}

/* The log is moved into the file as it grows, instead of growing for ever. */
static void test_faults__the_log_stays_small(void **state)
{
    struct fixture *f = *state;
    char path[128];
    struct stat st;

    for (int i = 0; i < 600; i++) { /* four pages and more each */
        assert_int_equal(store_write(f->store, f->arena, insert_big, &i), ERR_OK);
        arena_reset(f->arena);
    }
    snprintf(path, sizeof(path), "%s-wal", f->path);
    assert_int_equal(stat(path, &st), 0);
    assert_in_range(st.st_size, 1, 1500 * 4096);
}

/* ---- A kill ---- */

static void write_until_killed(struct fixture *f, int out)
{
    fixture_reopen(f, (struct store_options){0});
    for (int64_t i = 1;; i++) {
        struct thing thing = {.name = "", .amount = i};

        thing.name = arena_printf(f->arena, "thing %d", (int)i).ptr;
        if (store_write(f->store, f->arena, thing_insert, &thing) ||
            write(out, &i, sizeof(i)) != sizeof(i))
            _exit(1);
        arena_reset(f->arena);
    }
}

static void test_faults__acknowledged_survives_a_kill(void **state)
{
    struct fixture f;
    int64_t acknowledged = 0, i;
    int fds[2];

    (void)state;
    fixture_dir(&f);
    for (int round = 0; round < 5; round++) {
        pid_t pid;

        assert_int_equal(pipe(fds), 0);
        pid = fork();
        if (pid == 0) {
            unlink(f.path);
            write_until_killed(&f, fds[1]);
        }
        close(fds[1]);
        for (acknowledged = 0; acknowledged < 50 * (round + 1); acknowledged = i)
            assert_true(read(fds[0], &i, sizeof(i)) == sizeof(i));
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        while (read(fds[0], &i, sizeof(i)) == sizeof(i))
            acknowledged = i;
        close(fds[0]);
        fixture_reopen(&f, (struct store_options){0});
        /* The last one may have been written without its caller having heard of it. */
        assert_in_range(thing_count(f.store) - acknowledged, 0, 1);
        store_close(f.store);
        f.store = NULL;
    }
    fixture_remove(&f);
}

/* ---- Opening ---- */

static enum err open_database(const char *database, bool must_exist)
{
    struct store_options options = {.database = database, .must_exist = must_exist};
    struct store *store = NULL;
    enum err err = store_open(&options, &store);

    if (err)
        assert_null(store);
    store_close(store);
    return err;
}

static void test_faults__what_cannot_be_opened(void **state)
{
    struct fixture *f = *state;
    char database[160], path[128];

    snprintf(database, sizeof(database), "sqlite:%s/none/shop.db", f->dir);
    assert_int_not_equal(open_database(database, false), ERR_OK);
    assert_int_not_equal(open_database(f->dir, false), ERR_OK);
    assert_int_not_equal(open_database("sqlite:", false), ERR_OK);
    snprintf(database, sizeof(database), "sqlite:%s", f->dir);
    assert_int_not_equal(open_database(database, false), ERR_OK);

    snprintf(path, sizeof(path), "%s/other", f->dir);
    snprintf(database, sizeof(database), "sqlite:%s", path);
    assert_int_not_equal(open_database(database, true), ERR_OK);
    assert_int_not_equal(access(path, F_OK), 0);
    copy_file("/proc/self/exe", path);
    assert_int_not_equal(open_database(database, false), ERR_OK);
    unlink(path);
}

static void test_faults__the_file_is_the_owners_alone(void **state)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    struct fixture *f = *state;
    char path[128];
    struct stat st;

    assert_string_equal(store_path(f->store), f->path);
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof(path), "%s%s", f->path, suffixes[i]);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
    }
}

int main(void)
{
    if (database_on_postgresql()) {
        puts("1..0 # SKIP these are the faults of SQLite's files");
        return 0;
    }
    static const struct CMUnitTest tests[] = {
#define T(name)                                                                                    \
    cmocka_unit_test_setup_teardown(test_faults__##name, fixture_setup, fixture_teardown)
        cmocka_unit_test(test_faults__acknowledged_survives_a_kill),
        T(failed_sync_acknowledges_nothing),
        T(failing_syncs_then_a_good_commit),
        T(full_log_acknowledges_nothing),
        T(io_error_acknowledges_nothing),
        T(a_failed_commit_fails_the_whole_batch),
        cmocka_unit_test(test_faults__full_disk),
        T(file_size_limit),
        T(the_log_stays_small),
        T(what_cannot_be_opened),
        T(the_file_is_the_owners_alone),
#undef T
    };

    umask(0);
    fault_vfs_install();
    return cmocka_run_group_tests_name("store/faults", tests, NULL, NULL);
}
