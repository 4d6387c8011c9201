/* The settings: one table (config.c) with each one's name, type, default and meaning, from which
 * the file, the environment, the flags, `servery config`, `--help` and the README's table are
 * read. */
#ifndef SERVERY_APP_CONFIG_H
#define SERVERY_APP_CONFIG_H

#include "base/arena.h"
#include "base/err.h"

struct config {
    const char *listen;
    const char *database;
    const char *mail;
    const char *mail_from;
    const char *mail_ca_file;
    const char *public_url;
    const char *secret_file;
    const char *payment;
    const char *test_provider_url;
    const char *trusted_proxies;
    const char *metrics_token;
    const char *database_listen;
    bool allow_test_payments;
    bool prepared_statements;
    bool sandbox;
    int64_t payment_hold_ms;
    int64_t drain_ms;
    int64_t workers;
    int64_t io_threads;
    int64_t max_connections;
    int64_t database_connections;
    int64_t auth_rate_per_minute;
    int64_t rate_per_minute;
};

enum config_source { CONFIG_DEFAULT, CONFIG_DEMO, CONFIG_FILE, CONFIG_ENVIRONMENT, CONFIG_FLAG };

struct config_sources; /* where each value came from */

/* Reads defaults (demo's own ones with `demo`), the file named by --config, SERVERY_… and the flags
 * in argv, each over the one before. What is no flag is left, in order, in argv[0 … *n_rest-1].
 * Complaints go to standard error, naming the setting and where the value came from. All strings
 * live in the arena. */
MUST_CHECK enum err config_load(struct arena *arena, bool demo, int argc, char **argv,
                                struct config *ret_config, struct config_sources **ret_sources,
                                int *ret_n_rest);

/* Says what is wrong with a setting's value, and where that came from. Always ERR_PROBLEM. */
enum err config_complain(const struct config_sources *sources, const char *name, const char *what);

/* For the commands that need the key: whether secret_file is, or can become, a file. Complains. */
MUST_CHECK enum err config_check_secret_file(const struct config *config,
                                             const struct config_sources *sources);

/* "# source: meaning" and "name = value" for each; passwords are masked. */
void config_print(const struct config *config, const struct config_sources *sources);

void config_print_help(bool demo); /* the flags, for --help */
void config_print_markdown(void);  /* the README's table */
void config_print_example(void);   /* a configuration file, every setting commented out */

#endif
