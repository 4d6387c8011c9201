/* The subcommands, and `struct app`: everything that lives as long as a running server. */
#ifndef SERVERY_APP_APP_H
#define SERVERY_APP_APP_H

#include "app/config.h"
#include "base/crypto.h"
#include "store/store.h"

/* What main has parsed: argv without the program and the subcommand. */
struct command_line {
    struct arena *arena;
    int argc;
    char **argv;
};

/* Each returns the process's exit status: 0 done, 1 failed, 2 used wrongly. */
int app_serve(const struct command_line *line);
int app_demo(const struct command_line *line);
int app_admin(const struct command_line *line);
int app_migrate(const struct command_line *line);
int app_backup(const struct command_line *line);
int app_check(const struct command_line *line);
int app_copy(const struct command_line *line);
int app_config(const struct command_line *line);

/* Loads the configuration for a command that takes no other words; complains otherwise. */
MUST_CHECK enum err app_load(const struct command_line *line, bool demo, struct config *ret_config,
                             struct config_sources **ret_sources);

/* How every command opens the database; what else it wants it adds. */
struct store_options app_store_options(const struct config *config);

/* What struct shop_secret knows the keys by. */
struct str app_secret_print(struct arena *arena, const struct crypto_keys *keys);

/* A breach that store_check has found, on standard output. */
void app_report_breach(void *ctx, const char *rule, int64_t id, const char *detail);

/* The signals that would end the process are held back from now on, and asked for. */
void app_hold_signals(void);
bool app_was_signalled(void);

/* serve and demo, once configured. */
struct app_shop {
    struct config config;
    struct config_sources *sources;
    bool demo;
    bool thread_left; /* out: one still talks to the mail server; the process ends at once */
};
int app_run(struct arena *arena, struct app_shop *shop);

#endif
