/* A copy of the database while others write it: all pages in one read snapshot, which SQLite's
 * backup then never begins anew. The log cannot be emptied behind that snapshot, so it grows by
 * what is written meanwhile, and no writer waits. The copy is a database without a log of its own:
 * one file, readable also where nothing can be written. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/sqlite.h"

enum {
    /* Brought to the disk at once, so that the commits of a busy server never wait for the writing
     * back of a whole database. */
    SLICE_PAGES = 2048,
    CANCEL_STEPS = 100000, /* of SQLite's machine, between two looks */
};

struct copy {
    struct store_backup *backup;
    struct sqlite_conn *from;
    sqlite3 *to;
    int fd; /* of the same file as `to`, to sync it */
};

static enum err failed(const struct copy *copy, const char *detail, const char *hint)
{
    log_line(LOG_ERROR, "backup_failed", LOG_CSTR("path", copy->backup->path),
             LOG_CSTR("detail", detail), LOG_CSTR("hint", hint));
    return ERR_UNAVAILABLE;
}

static enum err copy_failed(const struct copy *copy, int rc)
{
    if ((rc & 0xff) == SQLITE_INTERRUPT)
        return failed(copy, "it was stopped", "nothing is left of it");
    return failed(copy, sqlite3_errmsg(copy->to),
                  (rc & 0xff) == SQLITE_FULL ? "the disk is full; make space" : "");
}

static int is_cancelled(void *arg)
{
    const struct store_backup *backup = arg;

    return backup->is_cancelled && backup->is_cancelled();
}

static enum err sync_copy(const struct copy *copy)
{
    return fsync(copy->fd) ? failed(copy, strerrordesc_np(errno), "") : ERR_OK;
}

static enum err run(const struct copy *copy, const char *sql)
{
    int rc = sqlite3_exec(copy->to, sql, NULL, NULL, NULL);

    return rc ? copy_failed(copy, rc) : ERR_OK;
}

/* ERR_OK if the statement's only row is `expected`, or, with NULL, if it has none. */
static enum err expect(const struct copy *copy, const char *sql, const char *expected)
{
    sqlite3_stmt *stmt = NULL;
    const char *found = NULL;
    enum err err = ERR_OK;
    int rc = sqlite3_prepare_v2(copy->to, sql, -1, &stmt, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW)
        found = (const char *)sqlite3_column_text(stmt, 0);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        err = copy_failed(copy, rc);
    else if (expected ? !found || strcmp(found, expected) != 0 : rc == SQLITE_ROW)
        err = failed(copy, found ? found : "a row refers to one that is not there",
                     "the database itself is damaged; look at the disk, and restore a good backup");
    sqlite3_finalize(stmt);
    return err;
}

/* ---- Copying ---- */

static enum err open_both(struct copy *copy, const char *source)
{
    static const char settings[] = "PRAGMA locking_mode = EXCLUSIVE;"
                                   "PRAGMA journal_mode = OFF;"
                                   "PRAGMA synchronous = OFF";
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    enum err err = sqlite_conn_open(source, SQLITE_ROLE_READER, &copy->from);

    if (err)
        return err;
    copy->fd = open(copy->backup->path, O_RDWR | O_CLOEXEC);
    if (copy->fd < 0)
        return failed(copy, strerrordesc_np(errno), "");
    if (sqlite3_open_v2(copy->backup->path, &copy->to, flags, NULL))
        return failed(copy, sqlite3_errmsg(copy->to), "");
    sqlite3_progress_handler(copy->to, CANCEL_STEPS, is_cancelled, copy->backup);
    return run(copy, settings);
}

static enum err copy_pages(struct copy *copy)
{
    /* A transaction begins only with its first look. */
    static const char begin_snapshot[] = "BEGIN; SELECT 1 FROM sqlite_schema LIMIT 1";
    enum err err = sqlite_conn_script(copy->from, begin_snapshot);
    int rc = SQLITE_OK;

    if (err)
        return err;
    sqlite3_backup *pages =
        sqlite3_backup_init(copy->to, "main", sqlite_conn_db(copy->from), "main");
    if (!pages)
        return copy_failed(copy, sqlite3_errcode(copy->to));
    while (rc == SQLITE_OK && !err) {
        rc = sqlite3_backup_step(pages, SLICE_PAGES);
        if (rc == SQLITE_OK && is_cancelled(copy->backup))
            rc = SQLITE_INTERRUPT;
        if (rc == SQLITE_OK)
            err = sync_copy(copy);
    }
    int finished = sqlite3_backup_finish(pages);
    sqlite_conn_rollback(copy->from);
    if (!err && rc != SQLITE_DONE)
        err = copy_failed(copy, rc);
    else if (!err && finished)
        err = copy_failed(copy, finished);
    return err;
}

/* ---- Verifying ---- */

static enum err verify(const struct copy *copy)
{
    enum err err = run(copy, "PRAGMA journal_mode = DELETE");

    if (!err)
        err = expect(copy, "PRAGMA integrity_check(1)", "ok");
    return err ? err : expect(copy, "PRAGMA foreign_key_check", NULL);
}

enum err sqlite_backup(const char *source, struct store_backup *backup)
{
    struct copy copy = {.backup = backup, .fd = -1};
    struct stat status;
    int64_t begun_ms = clock_mono_ms();
    enum err err = open_both(&copy, source);

    if (!err)
        err = copy_pages(&copy);
    backup->copied_ms = clock_mono_ms() - begun_ms;
    sqlite_conn_close(copy.from); /* before the long look at the copy */
    if (!err)
        err = verify(&copy);
    if (sqlite3_close(copy.to) && !err)
        err = failed(&copy, "it could not be closed", "");
    if (!err)
        err = sync_copy(&copy);
    if (!err && fstat(copy.fd, &status))
        err = failed(&copy, strerrordesc_np(errno), "");
    if (!err)
        backup->bytes = status.st_size;
    if (copy.fd >= 0)
        close(copy.fd);
    return err;
}
