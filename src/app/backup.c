/* `servery backup FILE`: a copy beside a running server, that has its name only when it is whole,
 * on the disk and verified. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/app.h"
#include "base/clock.h"
#include "base/log.h"
#include "store/check.h"

enum { NICENESS = 10 };

struct job {
    struct arena *arena;
    const struct config *config;
    const char *path, *key_path; /* what they are to be called; NULL: no copy of the key */
    char *partial, *key_partial; /* what they are called until then; NULL: not made yet */
    struct store_backup copy;
    struct store_check_counts counts;
    int64_t version;
};

static enum err complain(const char *path, const char *what)
{
    fprintf(stderr, "servery: %s: %s\n", path, what);
    return ERR_UNAVAILABLE;
}

/* What SQLite keeps beside a database, and takes for its own when it opens one of that name. */
static const char *const SIDECARS[] = {"-wal", "-shm", "-journal"};
enum { SIDECARS_N = sizeof SIDECARS / sizeof *SIDECARS };

static bool exists(const char *path)
{
    struct stat status;

    return lstat(path, &status) == 0;
}

/* ---- Files ---- */

/* A name of its own, so that whatever bears a name that could be guessed is never written to. */
static enum err open_partial(struct job *job, const char *path, char **ret_partial, int *ret_fd)
{
    size_t size = strlen(path) + sizeof ".partial-XXXXXX";
    char *partial = arena_alloc(job->arena, size);

    snprintf(partial, size, "%s.partial-XXXXXX", path);
    int fd = mkostemp(partial, O_CLOEXEC);

    if (fd < 0)
        return complain(path, strerror(errno));
    *ret_partial = partial;
    *ret_fd = fd;
    return ERR_OK;
}

/* SQLite's own files beside it are gone, but for a failure. */
static void remove_partial(struct job *job)
{
    for (size_t i = 0; job->partial && i < SIDECARS_N; i++)
        unlink(arena_printf(job->arena, "%s%s", job->partial, SIDECARS[i]).ptr);
    if (job->partial)
        unlink(job->partial);
    if (job->key_partial)
        unlink(job->key_partial);
}

static enum err sync_folder(struct job *job)
{
    const char *end = strrchr(job->path, '/');
    size_t len = end ? (size_t)(end - job->path) + 1 : 0;
    const char *folder = len ? arena_printf(job->arena, "%.*s", (int)len, job->path).ptr : ".";
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool synced = fd >= 0 && fsync(fd) == 0;

    if (fd >= 0)
        close(fd);
    return synced ? ERR_OK : complain(job->path, "its folder could not be written to the disk");
}

static enum err copy_key(struct job *job)
{
    char key[4096];
    const char *from = job->config->secret_file;
    int in = open(from, O_RDONLY | O_CLOEXEC);
    ssize_t n = in >= 0 ? read(in, key, sizeof key) : -1;

    if (in >= 0)
        close(in);
    if (n <= 0)
        return complain(from, n < 0 ? strerror(errno) : "is empty");
    int out = -1;
    enum err err = open_partial(job, job->key_path, &job->key_partial, &out);
    if (!err && (write(out, key, (size_t)n) != n || fsync(out)))
        err = complain(job->key_partial, "could not be written");
    if (out >= 0)
        close(out);
    explicit_bzero(key, sizeof key);
    return err;
}

/* Never over another file, also not over one that came meanwhile. */
static enum err give_name(const char *partial, const char *path)
{
    int rc = renameat2(AT_FDCWD, partial, AT_FDCWD, path, RENAME_NOREPLACE);

    /* Some file systems cannot promise it. */
    if (rc && errno == EINVAL && !exists(path))
        rc = rename(partial, path);
    return rc ? complain(path, strerror(errno)) : ERR_OK;
}

/* The key's last: alone it would be in the way of the next backup to the same name. */
static enum err give_names(struct job *job)
{
    enum err err = give_name(job->partial, job->path);
    bool named = !err, key_named = false;

    if (!err && job->key_path) {
        err = give_name(job->key_partial, job->key_path);
        key_named = !err;
    }
    if (!err)
        err = sync_folder(job);
    if (err && named)
        unlink(job->path);
    if (err && key_named)
        unlink(job->key_path);
    return err;
}

/* ---- What may be written ---- */

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* Whether both name one file, there or not, however their folder is spelt. */
static bool is_same_name(struct arena *arena, const char *a, const char *b)
{
    const char *paths[] = {a, b};
    struct stat folders[2];

    if (strcmp(base_name(a), base_name(b)) != 0)
        return false;
    for (size_t i = 0; i < 2; i++) {
        size_t len = (size_t)(base_name(paths[i]) - paths[i]);

        if (stat(arena_printf(arena, "%.*s.", (int)len, paths[i]).ptr, &folders[i]))
            return false;
    }
    return folders[0].st_dev == folders[1].st_dev && folders[0].st_ino == folders[1].st_ino;
}

/* The server's own names: a backup that bears one would be replayed, emptied or written over. */
static bool is_servers(struct job *job, const char *database, const char *path)
{
    static const char *const endings[] = {"", "-wal", "-shm", "-journal", ".lock"};
    bool is = is_same_name(job->arena, job->config->secret_file, path);

    for (size_t i = 0; database && !is && i < sizeof endings / sizeof *endings; i++)
        is = is_same_name(job->arena, path,
                          arena_printf(job->arena, "%s%s", database, endings[i]).ptr);
    return is;
}

static enum err check_names(struct job *job, const char *database)
{
    const char *const paths[] = {job->path, job->key_path};

    for (size_t i = 0; i < 2 && paths[i]; i++)
        if (is_servers(job, database, paths[i]))
            return complain(paths[i], "is a name that the server uses itself; choose another");
    if (exists(job->path))
        return complain(job->path, "exists, and a backup is never written over another file");
    if (job->key_path && exists(job->key_path))
        return complain(job->key_path, "exists, and a key is never written over another file");
    for (size_t i = 0; i < SIDECARS_N; i++) {
        const char *sidecar = arena_printf(job->arena, "%s%s", job->path, SIDECARS[i]).ptr;

        if (exists(sidecar))
            return complain(sidecar, "exists, and would be taken for a part of the backup; "
                                     "remove it, or choose another name");
    }
    return ERR_OK;
}

/* ---- The copy ---- */

static enum err write_copy(struct job *job)
{
    struct store_options options = {.database = job->config->database, .read_only = true};
    struct store *store = NULL;
    int fd = -1;
    enum err err = store_open(&options, &store);

    if (!err)
        err = check_names(job, store_path(store));
    if (!err)
        err = open_partial(job, job->path, &job->partial, &fd);
    if (fd >= 0)
        close(fd); /* before SQLite locks it: closing it later would drop the locks */
    job->copy = (struct store_backup){.path = job->partial, .is_cancelled = app_was_signalled};
    if (!err)
        err = store_backup(store, &job->copy);
    store_close(store);
    return err;
}

/* A breach is the shop's and not the copy's, and a shop that has one needs its backups all the
 * more: it is told, and the copy stays. */
static enum err verify_copy(struct job *job)
{
    struct store_options options = {
        .database = arena_printf(job->arena, "sqlite:%s", job->partial).ptr, .read_only = true};
    struct store *store = NULL;
    enum err err = store_open(&options, &store);

    if (!err)
        err = store_version(store, &job->version);
    if (!err && job->version == 0)
        err = complain(job->config->database, "is not a shop's database");
    if (!err && job->version < store_newest_version())
        job->counts.orders = -1;
    else if (!err)
        err = store_check(store, app_report_breach, NULL, app_was_signalled, &job->counts);
    store_close(store);
    if (app_was_signalled())
        err = complain(job->path, "it was stopped; nothing is left of it");
    return err;
}

static enum err run(struct job *job)
{
    enum err err = write_copy(job);

    if (!err)
        err = verify_copy(job);
    if (!err && job->key_path)
        err = copy_key(job);
    if (!err)
        err = give_names(job);
    if (err)
        remove_partial(job);
    return err;
}

static void tell(const struct job *job, int64_t ms)
{
    printf("%s: %lld bytes, copied in %.1f s, verified in %.1f s\n", job->path,
           (long long)job->copy.bytes, (double)job->copy.copied_ms / SECOND_MS,
           (double)(ms - job->copy.copied_ms) / SECOND_MS);
    if (job->counts.orders < 0)
        printf("Its version is %lld, older than this program: its orders were not checked.\n",
               (long long)job->version);
    else
        printf("checked %lld foods, %lld payments, %lld orders: %lld breaches\n",
               (long long)job->counts.foods, (long long)job->counts.payments,
               (long long)job->counts.orders, (long long)job->counts.breaches);
    if (job->key_path)
        printf("%s: the key; keep it apart from the backup\n", job->key_path);
    else
        printf("The key (%s) is not in it: keep a copy of that too.\n", job->config->secret_file);
}

/* Takes `--with-key` out of the words; what is left is the settings' and the file's. */
static bool take_with_key(int *argc, char **argv)
{
    int n = 0;

    for (int i = 0; i < *argc; i++)
        if (strcmp(argv[i], "--with-key") != 0)
            argv[n++] = argv[i];
    bool taken = n < *argc;
    *argc = n;
    return taken;
}

int app_backup(const struct command_line *line)
{
    struct config config;
    struct config_sources *sources;
    struct job job = {.arena = line->arena, .config = &config};
    int n_rest = 0, argc = line->argc;
    int64_t begun_ms = clock_mono_ms();
    bool with_key = take_with_key(&argc, line->argv);

    if (config_load(line->arena, false, argc, line->argv, &config, &sources, &n_rest))
        return 2;
    if (n_rest != 1 || !*line->argv[0]) {
        fprintf(stderr, "usage: servery backup [--with-key] FILE\n");
        return 2;
    }
    if (store_is_shared(config.database)) {
        fprintf(stderr, "servery: PostgreSQL has its own backups: pg_dump, or pg_basebackup with "
                        "its log\n");
        return 2;
    }
    job.path = line->argv[0];
    if (with_key)
        job.key_path = arena_printf(line->arena, "%s.key", job.path).ptr;
    app_hold_signals();
    /* The server beside it comes first. */
    (void)setpriority(PRIO_PROCESS, 0, NICENESS);
    if (run(&job)) {
        fprintf(stderr, "servery: there is no backup\n");
        return 1;
    }
    tell(&job, clock_mono_ms() - begun_ms);
    return job.counts.breaches > 0 ? 1 : 0;
}
