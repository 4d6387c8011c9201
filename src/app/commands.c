/* The commands that work beside a running server and end: admin, migrate, check, config (backup.c
 * has the backup). */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "app/app.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "domain/account.h"
#include "store/check.h"
#include "store/shop.h"
#include "store/user.h"

enum err app_load(const struct command_line *line, bool demo, struct config *ret_config,
                  struct config_sources **ret_sources)
{
    int n_rest = 0;
    enum err err =
        config_load(line->arena, demo, line->argc, line->argv, ret_config, ret_sources, &n_rest);
    if (!err && n_rest > 0) {
        fprintf(stderr, "servery: unexpected word %s (see --help)\n", line->argv[0]);
        err = ERR_PROBLEM;
    }
    return err;
}

struct store_options app_store_options(const struct config *config)
{
    return (struct store_options){.database = config->database,
                                  .readers = 2,
                                  .connections = (int)config->database_connections,
                                  .unnamed = !config->prepared_statements};
}

static sigset_t end_signals(void)
{
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    return signals;
}

void app_hold_signals(void)
{
    sigset_t signals = end_signals();

    sigprocmask(SIG_BLOCK, &signals, NULL);
}

bool app_was_signalled(void)
{
    sigset_t pending, signals = end_signals(), both;

    return sigpending(&pending) == 0 && sigandset(&both, &pending, &signals) == 0 &&
           !sigisemptyset(&both);
}

static enum err open_store(const struct config *config, bool must_exist, struct store **ret_store)
{
    struct store_options options = app_store_options(config);

    options.must_exist = must_exist;
    return store_open(&options, ret_store);
}

int app_config(const struct command_line *line)
{
    struct config config;
    struct config_sources *sources;

    if (line->argc == 1 && strcmp(line->argv[0], "--markdown") == 0) {
        config_print_markdown();
        return 0;
    }
    if (line->argc == 1 && strcmp(line->argv[0], "--example") == 0) {
        config_print_example();
        return 0;
    }
    if (app_load(line, false, &config, &sources))
        return 2;
    config_print(&config, sources);
    return 0;
}

int app_migrate(const struct command_line *line)
{
    struct config config;
    struct config_sources *sources;
    struct store *store = NULL;
    int applied = 0;

    if (app_load(line, false, &config, &sources))
        return 2;
    if (open_store(&config, false, &store))
        return 1;
    enum err err = store_migrate(store, &applied);
    store_close(store);
    if (err)
        return 1;
    printf("%d migrations applied; the database is up to date.\n", applied);
    return 0;
}

void app_report_breach(void *ctx, const char *rule, int64_t id, const char *detail)
{
    (void)ctx;
    printf("breach: %s %lld: %s\n", rule, (long long)id, detail);
}

int app_check(const struct command_line *line)
{
    struct config config;
    struct config_sources *sources;
    struct store *store = NULL;
    struct store_check_counts counts;

    if (app_load(line, false, &config, &sources))
        return 2;
    struct store_options options = app_store_options(&config);
    options.read_only = true;
    if (store_open(&options, &store))
        return 1;
    int64_t version = 0;
    enum err err = store_version(store, &version);
    if (!err && version < store_newest_version()) {
        fprintf(stderr, "servery: the database is older than this program; `servery migrate` "
                        "brings it up to date\n");
        err = ERR_PROBLEM;
    }
    if (!err)
        err = store_check(store, app_report_breach, NULL, NULL, &counts);
    store_close(store);
    if (err) {
        fprintf(stderr, "servery: the check could not be completed\n");
        return 1;
    }
    printf("checked %lld foods, %lld payments, %lld orders: %lld breaches\n",
           (long long)counts.foods, (long long)counts.payments, (long long)counts.orders,
           (long long)counts.breaches);
    return counts.breaches > 0 ? 1 : 0;
}

/* ---- admin create ---- */

/* One line, not echoed if it is typed. False at the end of input. */
static bool read_password(char *text, size_t size)
{
    struct termios before, quiet;
    bool typed = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &before) == 0;

    if (typed) {
        fputs("Password: ", stderr);
        quiet = before;
        quiet.c_lflag &= ~(tcflag_t)ECHO;
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
    }
    bool got = fgets(text, (int)size, stdin) != NULL;
    if (typed) {
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
        fputc('\n', stderr);
    }
    if (got)
        text[strcspn(text, "\r\n")] = '\0';
    return got;
}

static int make_admin(struct arena *arena, const struct config *config, const char *email)
{
    char password[PASSWORD_MAX_BYTES + 3], hash[CRYPTO_PASSWORD_HASH_SIZE];
    struct problem problem;
    struct user_codes codes;
    struct user_make_admin make = {.now_ms = clock_now_ms(), .codes = &codes, .problem = &problem};
    struct store *store = NULL;
    int applied, status = 1;

    problem_init(&problem, arena);
    if (!email_normalize(arena, str_from(email), &make.email, &make.email_key)) {
        fprintf(stderr, "servery: %s is not an email address\n", email);
        return 2;
    }
    if (!read_password(password, sizeof password)) {
        fprintf(stderr, "servery: no password was given\n");
        return 2;
    }
    if (password_check(str_from(password), "password", &problem)) {
        fprintf(stderr, "servery: the password must have %d characters to %d bytes\n",
                PASSWORD_MIN_CHARS, PASSWORD_MAX_BYTES);
        return 2;
    }
    enum err err = crypto_password_hash(str_from(password), hash);
    if (!err)
        err = open_store(config, false, &store);
    if (!err)
        err = store_migrate(store, &applied);
    if (!err) {
        user_codes_draw(&codes);
        make.password_hash = str_from(hash);
        err = store_write(store, arena, user_make_admin, &make);
    }
    if (err) {
        fprintf(stderr, "servery: the admin could not be made\n");
    } else {
        printf("%s is %s admin now.\n", email, make.created ? "a new" : "an");
        status = 0;
    }
    store_close(store);
    return status;
}

struct str app_secret_print(struct arena *arena, const struct crypto_keys *keys)
{
    return crypto_hash_str(keys, arena, "secret", STR("servery"));
}

/* A server goes on with the secret that it began with: what it hashed and sealed none could
 * read. */
static enum err claim(struct store *store)
{
    enum err err = store_claim(store);

    if (err == ERR_PROBLEM)
        fprintf(stderr, "servery: the shop is served, or copied, at the moment; stop that first "
                        "(each server of it)\n");
    return err;
}

static int accept_secret(struct arena *arena, const struct config *config,
                         const struct config_sources *sources)
{
    struct crypto_keys keys;
    struct store *store = NULL;
    int applied;

    if (config_check_secret_file(config, sources))
        return 2;
    enum err err = open_store(config, true, &store);
    if (!err)
        err = claim(store);
    if (!err)
        err = crypto_keys_load(config->secret_file, &keys, NULL);
    if (!err)
        err = store_migrate(store, &applied);
    if (!err) {
        struct shop_secret secret = {.print = app_secret_print(arena, &keys), .accept = true};
        err = store_write(store, arena, shop_secret, &secret);
    }
    store_close(store);
    if (err) {
        fprintf(stderr, "servery: the secret could not be taken\n");
        return 1;
    }
    printf("%s is the shop's secret now.\n", config->secret_file);
    return 0;
}

int app_admin(const struct command_line *line)
{
    struct config config;
    struct config_sources *sources;
    int n_rest = 0;

    if (config_load(line->arena, false, line->argc, line->argv, &config, &sources, &n_rest))
        return 2;
    if (n_rest == 2 && strcmp(line->argv[0], "create") == 0)
        return make_admin(line->arena, &config, line->argv[1]);
    if (n_rest == 1 && strcmp(line->argv[0], "accept-secret") == 0)
        return accept_secret(line->arena, &config, sources);
    fprintf(stderr, "usage: servery admin create EMAIL\n       servery admin accept-secret\n");
    return 2;
}
