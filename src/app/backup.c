/* `servery backup FILE`: a copy beside a running server, that has its name only when it is whole, on
 * the disk and verified. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
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
    const char *path, *partial; /* what it is to be called, and is until then */
    const char *key_path, *key_partial; /* of the key's copy; NULL: none */
    int fd, key_fd;                     /* of the partial ones, which they lock; -1: none */
    struct store_backup copy;
    struct store_check_counts counts;
    int64_t version;
};

static enum err complain(const char *path, const char *what)
{
    fprintf(stderr, "servery: %s: %s\n", path, what);
    return ERR_UNAVAILABLE;
}

static bool exists(const char *path)
{
    struct stat status;

    return lstat(path, &status) == 0;
}

/* ---- Files ---- */

/* The same name each time, so that what a kill left behind is used up by the next; a lock, so that
 * two at once do not write one file. */
static enum err open_partial(const char *path, int *ret_fd)
{
    struct stat by_name, by_fd;
    int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd < 0)
        return complain(path, strerror(errno));
    /* By the time it has the lock, another may have finished the file and given it its name. */
    if (flock(fd, LOCK_EX | LOCK_NB) || stat(path, &by_name) || fstat(fd, &by_fd) ||
        by_name.st_ino != by_fd.st_ino) {
        close(fd);
        return complain(path, "another backup is writing this file");
    }
    *ret_fd = fd;
    if (fchmod(fd, 0600) || ftruncate(fd, 0))
        return complain(path, strerror(errno));
    return ERR_OK;
}

/* SQLite's own files beside it are gone, but for a failure. */
static void remove_partial(struct job *job)
{
    static const char *const endings[] = {"", "-journal", "-wal", "-shm"};

    for (size_t i = 0; job->fd >= 0 && i < sizeof endings / sizeof *endings; i++)
        unlink(arena_printf(job->arena, "%s%s", job->partial, endings[i]).ptr);
    if (job->key_fd >= 0)
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
    enum err err = open_partial(job->key_partial, &job->key_fd);
    if (!err && (write(job->key_fd, key, (size_t)n) != n || fsync(job->key_fd)))
        err = complain(job->key_partial, "could not be written");
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

/* ---- The copy ---- */

/* The signals that would end the process are blocked, and asked for. */
static bool was_signalled(void)
{
    sigset_t pending;

    return sigpending(&pending) == 0 &&
           (sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGTERM) == 1 ||
            sigismember(&pending, SIGHUP) == 1);
}

static void report(void *ctx, const char *rule, int64_t id, const char *detail)
{
    (void)ctx;
    printf("breach: %s %lld: %s\n", rule, (long long)id, detail);
}

static enum err write_copy(struct job *job)
{
    struct store_options options = {.database = job->config->database, .read_only = true};
    struct store *store = NULL;
    enum err err = store_open(&options, &store);

    job->copy = (struct store_backup){.path = job->partial, .is_cancelled = was_signalled};
    if (!err)
        err = store_backup(store, &job->copy);
    store_close(store);
    return err;
}

/* A breach is the shop's and not the copy's, and a shop that has one needs its backups all the more:
 * it is told, and the copy stays. */
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
        err = store_check(store, report, NULL, was_signalled, &job->counts);
    store_close(store);
    if (was_signalled())
        err = complain(job->path, "it was stopped; nothing is left of it");
    return err;
}

static enum err run(struct job *job)
{
    if (exists(job->path))
        return complain(job->path, "exists, and a backup is never written over another file");
    if (job->key_path && exists(job->key_path))
        return complain(job->key_path, "exists, and a key is never written over another file");
    enum err err = open_partial(job->partial, &job->fd);
    if (!err)
        err = write_copy(job);
    if (!err)
        err = verify_copy(job);
    if (!err && job->key_path)
        err = copy_key(job);
    if (!err)
        err = give_names(job);
    if (err)
        remove_partial(job);
    if (job->fd >= 0)
        close(job->fd);
    if (job->key_fd >= 0)
        close(job->key_fd);
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
    struct job job = {.arena = line->arena, .config = &config, .fd = -1, .key_fd = -1};
    sigset_t signals;
    int n_rest = 0, argc = line->argc;
    int64_t begun_ms = clock_mono_ms();
    bool with_key = take_with_key(&argc, line->argv);

    if (config_load(line->arena, false, argc, line->argv, &config, &sources, &n_rest))
        return 2;
    if (n_rest != 1 || !*line->argv[0]) {
        fprintf(stderr, "usage: servery backup [--with-key] FILE\n");
        return 2;
    }
    job.path = line->argv[0];
    job.partial = arena_printf(line->arena, "%s.partial", job.path).ptr;
    if (with_key) {
        job.key_path = arena_printf(line->arena, "%s.key", job.path).ptr;
        job.key_partial = arena_printf(line->arena, "%s.partial", job.key_path).ptr;
    }
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    /* The server beside it comes first. */
    (void)setpriority(PRIO_PROCESS, 0, NICENESS);
    if (run(&job)) {
        fprintf(stderr, "servery: there is no backup\n");
        return 1;
    }
    tell(&job, clock_mono_ms() - begun_ms);
    return job.counts.breaches > 0 ? 1 : 0;
}
