/* `servery copy`: moves a shop from one database to another, the way from one machine to several
 * and back. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/app.h"
#include "base/clock.h"
#include "store/check.h"
#include "store/copy.h"

struct job {
    struct arena *arena;
    struct config config;
    const char *from, *to;
    struct copy copy;
    struct store_check_counts counts;
    bool begun;                     /* the target is half a copy */
    int64_t next_tell_ms;           /* progress is told once a second */
    bool line_open;                 /* on a terminal, the line of progress */
    int64_t copied_ms, verified_ms; /* out: how long it took */
};

static enum err complain(const char *what)
{
    fprintf(stderr, "servery: %s\n", what);
    return ERR_PROBLEM;
}

/* ---- Progress ---- */

static void close_line(struct job *job)
{
    if (job->line_open)
        fputc('\n', stderr);
    job->line_open = false;
}

static void tell(void *ctx, const struct copy_progress *progress)
{
    struct job *job = ctx;
    int64_t now_ms = clock_mono_ms();
    bool terminal = isatty(STDERR_FILENO);

    if (now_ms < job->next_tell_ms)
        return;
    job->next_tell_ms = now_ms + SECOND_MS;
    fprintf(stderr, "%s%s %s: %lld of %lld rows; %.0f%% of all%s", terminal ? "\r\033[K" : "",
            progress->doing, progress->table, (long long)progress->table_rows,
            (long long)progress->table_expected,
            progress->expected > 0 ? (double)progress->rows * 100 / (double)progress->expected
                                   : 100.0,
            terminal ? "" : "\n");
    job->line_open = terminal;
}

/* ---- Both ends ---- */

static enum err open_end(struct job *job, const char *database, bool source,
                         struct store **ret_store)
{
    struct store_options options = app_store_options(&job->config);

    options.database = database;
    options.read_only = source;
    return store_open(&options, ret_store);
}

static enum err claim(struct store *store, const char *flag)
{
    enum err err = store_claim(store);

    if (err == ERR_PROBLEM)
        fprintf(stderr, "servery: %s is served, or copied, at the moment; stop that first\n", flag);
    return err;
}

static enum err open_source(struct job *job)
{
    int64_t version;
    enum err err = open_end(job, job->from, true, &job->copy.from);

    if (!err)
        err = claim(job->copy.from, "--from");
    if (!err)
        err = store_version(job->copy.from, &version);
    if (err)
        return err;
    if (version == 0)
        return complain("--from is not a shop's database");
    if (version < store_newest_version())
        return complain("--from is of an older version; bring it to this program's with "
                        "`servery migrate --database` first");
    return ERR_OK;
}

static enum err open_target(struct job *job)
{
    enum copy_target target;
    enum err err = open_end(job, job->to, false, &job->copy.to);

    if (err)
        return err;
    const char *from = store_path(job->copy.from), *to = store_path(job->copy.to);
    if (from && to && strcmp(from, to) == 0)
        return complain("--from and --to are the same database");
    err = claim(job->copy.to, "--to");
    if (!err)
        err = copy_prepare(job->copy.to, &target);
    if (err)
        return err;
    if (target == COPY_TARGET_SHOP)
        return complain("--to is not empty: a shop's data are never written over");
    if (target == COPY_TARGET_HALF)
        fprintf(stderr, "servery: --to is half a copy; it is emptied, and the copy begins anew\n");
    return ERR_OK;
}

/* A connection may have been lost meanwhile, and with it the claim. */
static enum err claim_still(struct job *job)
{
    enum err err = store_claim(job->copy.from);

    if (!err)
        err = store_claim(job->copy.to);
    return err ? complain("the connection that kept servers away was lost") : ERR_OK;
}

/* ---- The copy ---- */

static enum err verify(struct job *job)
{
    enum err err = copy_compare(&job->copy);

    if (!err)
        err = store_check(job->copy.to, app_report_breach, NULL, app_was_signalled, &job->counts);
    if (!err && job->counts.breaches > 0)
        err = complain("the rows are those of --from, and break the rules there too: see "
                       "`servery check`");
    return err;
}

static enum err run(struct job *job)
{
    int64_t begun_ms = clock_mono_ms();
    enum err err = open_source(job);

    if (!err)
        err = open_target(job);
    if (err)
        return err;
    job->begun = true;
    job->next_tell_ms = begun_ms + SECOND_MS;
    err = copy_rows(&job->copy);
    job->copied_ms = clock_mono_ms() - begun_ms;
    if (!err)
        err = verify(job);
    if (!err)
        err = claim_still(job);
    if (!err)
        err = copy_finish(&job->copy);
    job->verified_ms = clock_mono_ms() - begun_ms - job->copied_ms;
    close_line(job);
    if (job->copy.differs)
        fprintf(stderr, "servery: %s differs; does something else write to one of the databases?\n",
                job->copy.differs);
    return err;
}

static int fail(const struct job *job)
{
    if (app_was_signalled())
        fprintf(stderr, "servery: it was stopped\n");
    fprintf(stderr, "servery: there is no copy\n");
    if (job->begun)
        fprintf(stderr, "Half of one may be in --to, where no command takes it for a shop. To copy "
                        "again begins anew;\nthe shop in --from is as it was.\n");
    return 1;
}

static int tell_end(const struct job *job)
{
    int64_t rows = 0;

    for (size_t i = 0; i < COPY_TABLES_N; i++) {
        printf("%10lld %s\n", (long long)job->copy.counts[i].rows, job->copy.counts[i].table);
        rows += job->copy.counts[i].rows;
    }
    printf("%10lld rows copied in %.1f s, verified in %.1f s\n", (long long)rows,
           (double)job->copied_ms / SECOND_MS, (double)job->verified_ms / SECOND_MS);
    printf("checked %lld foods, %lld payments, %lld orders: 0 breaches\n",
           (long long)job->counts.foods, (long long)job->counts.payments,
           (long long)job->counts.orders);
    puts("Now set database to what --to names, keep secret_file, and start the server. Keep the\n"
         "former database until you are content, and never serve both.");
    return 0;
}

/* ---- The words ---- */

/* Takes `--name VALUE` or `--name=VALUE` out of the words. */
static const char *take(int *argc, char **argv, const char *name)
{
    const char *value = NULL;
    size_t len = strlen(name);
    int n = 0;

    for (int i = 0; i < *argc; i++) {
        bool is = strncmp(argv[i], name, len) == 0;

        if (is && argv[i][len] == '=')
            value = argv[i] + len + 1;
        else if (is && argv[i][len] == '\0' && i + 1 < *argc)
            value = argv[++i];
        else
            argv[n++] = argv[i];
    }
    *argc = n;
    return value;
}

static bool is_known(const char *database, const char *flag)
{
    char error[STORE_ERROR_SIZE];
    bool known = store_knows(database, error);

    if (!known)
        fprintf(stderr, "servery: %s: %s\n", flag, error);
    return known;
}

int app_copy(const struct command_line *line)
{
    struct job job = {.arena = line->arena};
    struct command_line rest = *line;
    struct config_sources *sources;

    job.copy = (struct copy){.is_cancelled = app_was_signalled, .tell = tell, .ctx = &job};
    job.from = take(&rest.argc, rest.argv, "--from");
    job.to = take(&rest.argc, rest.argv, "--to");
    if (app_load(&rest, false, &job.config, &sources))
        return 2;
    if (!job.from || !job.to) {
        fprintf(stderr,
                "usage: servery copy --from DATABASE --to DATABASE\n"
                "Both are named as in the setting database: sqlite:FILE or postgresql://…\n");
        return 2;
    }
    if (!is_known(job.from, "--from") || !is_known(job.to, "--to"))
        return 2;
    if (strcmp(job.from, job.to) == 0) {
        fprintf(stderr, "servery: --from and --to are the same database\n");
        return 2;
    }
    app_hold_signals();
    enum err err = run(&job);
    store_close(job.copy.from);
    store_close(job.copy.to);
    return err ? fail(&job) : tell_end(&job);
}
