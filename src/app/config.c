#include "app/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/secret_url.h"
#include "base/clock.h"
#include "base/str.h"
#include "store/store.h"

enum type { TYPE_TEXT, TYPE_SECRET_URL, TYPE_SECRET, TYPE_BOOL, TYPE_COUNT, TYPE_DURATION };

struct setting {
    const char *name;
    enum type type;
    size_t offset;
    const char *value; /* default, as it would be written; "" is none */
    const char *demo;  /* demo's default; NULL: the same */
    int64_t min, max;  /* of a number; min of a secret: its length, if it has one */
    const char *meaning;
};

#define AT(member) offsetof(struct config, member)
#define COUNT_MAX INT64_C(1000000000)

/* clang-format off */
static const struct setting SETTINGS[] = {
    {"listen", TYPE_TEXT, AT(listen), "127.0.0.1:8080", NULL, 0, 0,
     "address and port to serve on"},
    {"database", TYPE_SECRET_URL, AT(database), "sqlite:servery.db", "", 0, 0,
     "where the shop's data is: sqlite:FILE, or postgresql://USER:PASSWORD@HOST/NAME (demo: a "
     "temporary file, thrown away)"},
    {"mail", TYPE_SECRET_URL, AT(mail), "log", NULL, 0, 0,
     "how mail leaves: log (standard output), smtp://user:pass@host:587 (STARTTLS required), "
     "smtps://…, smtp+plain://…"},
    {"mail_from", TYPE_TEXT, AT(mail_from), "", "Servery <servery@localhost>", 0, 0,
     "sender of every mail; required with smtp"},
    {"mail_ca_file", TYPE_TEXT, AT(mail_ca_file), "", NULL, 0, 0,
     "certificates (PEM) to trust for mail instead of the system's"},
    {"public_url", TYPE_TEXT, AT(public_url), "", NULL, 0, 0,
     "the shop's own URL, for links, cookies and origins; default http://<listen>"},
    {"secret_file", TYPE_TEXT, AT(secret_file), "servery.key", NULL, 0, 0,
     "key for hashes and the outbox, created if missing; keep it with the backups"},
    {"payment", TYPE_TEXT, AT(payment), "manual", "test", 0, 0,
     "payment provider: manual or test"},
    {"allow_test_payments", TYPE_BOOL, AT(allow_test_payments), "no", "yes", 0, 0,
     "lets serve run with payment = test, where anybody can pay with nothing"},
    {"test_provider_url", TYPE_SECRET_URL, AT(test_provider_url), "", NULL, 0, 0,
     "makes the test provider a remote one, asked over HTTP at this URL"},
    {"payment_hold", TYPE_DURATION, AT(payment_hold_ms), "15m", NULL, SECOND_MS, 30 * DAY_MS,
     "how long an unpaid order holds its plates (s, m, h, d)"},
    {"workers", TYPE_COUNT, AT(workers), "64", NULL, 4, 1024,
     "threads that run calls; at most three quarters of them wait in writes"},
    {"io_threads", TYPE_COUNT, AT(io_threads), "", NULL, 1, 256,
     "threads that read and write sockets; default: one a core"},
    {"max_connections", TYPE_COUNT, AT(max_connections), "20000", NULL, 16, 1000000,
     "open connections at most"},
    {"drain", TYPE_DURATION, AT(drain_ms), "0s", NULL, 0, 60 * SECOND_MS,
     "how long a server that is to stop still serves while /readyz says 503, so that proxies turn "
     "to others (s, up to 60s)"},
    {"prepared_statements", TYPE_BOOL, AT(prepared_statements), "on", NULL, 0, 0,
     "with PostgreSQL: off behind pgbouncer in transaction mode"},
    {"database_listen", TYPE_SECRET_URL, AT(database_listen), "", NULL, 0, 0,
     "with PostgreSQL behind pgbouncer: the database itself, to hear what other servers change; "
     "default: database"},
    {"database_connections", TYPE_COUNT, AT(database_connections), "16", NULL, 1, 1000,
     "with PostgreSQL: connections at most, for all reads and writes; two more hear what other "
     "servers change, and read it"},
    {"auth_rate_per_minute", TYPE_COUNT, AT(auth_rate_per_minute), "10", "1000", 0, COUNT_MAX,
     "sign-up, code and reset calls a minute from one client address; 0: no limit"},
    {"rate_per_minute", TYPE_COUNT, AT(rate_per_minute), "0", NULL, 0, COUNT_MAX,
     "calls a minute from one client address; 0: no limit"},
    {"trusted_proxies", TYPE_TEXT, AT(trusted_proxies), "", NULL, 0, 0,
     "addresses or networks (CIDR), separated by commas, whose X-Forwarded-For is believed"},
    {"sandbox", TYPE_BOOL, AT(sandbox), "yes", NULL, 0, 0,
     "lets the kernel refuse what serving does not take; no where a library of yours needs more"},
    {"metrics_token", TYPE_SECRET, AT(metrics_token), "", NULL, 16, 0,
     "bearer token for /metrics, of 16 characters or more; without one only this machine may ask, "
     "and nobody if public_url names another"},
};
/* clang-format on */

enum { SETTINGS_N = sizeof SETTINGS / sizeof *SETTINGS, VALUE_MAX_BYTES = 4096 };

struct config_sources {
    enum config_source of[SETTINGS_N];
};

struct loader {
    struct arena *arena;
    struct config *config;
    struct config_sources *sources;
};

static const char *source_text(enum config_source source)
{
    switch (source) {
    case CONFIG_DEFAULT:
        return "default";
    case CONFIG_DEMO:
        return "demo";
    case CONFIG_FILE:
        return "file";
    case CONFIG_ENVIRONMENT:
        return "environment";
    case CONFIG_FLAG:
        return "flag";
    }
    return "";
}

/* A switch is yes or no, or on or off where that is its default's word; both are understood. */
static const char *switch_text(const struct setting *setting, bool value)
{
    bool is_on = strcmp(setting->value, "on") == 0;

    if (value)
        return is_on ? "on" : "yes";
    return is_on ? "off" : "no";
}

static bool parse_bool(struct str text, bool *ret_value)
{
    bool yes = str_is(text, "yes") || str_is(text, "on");

    if (!yes && !str_is(text, "no") && !str_is(text, "off"))
        return false;
    *ret_value = yes;
    return true;
}

static bool parse_duration(struct str text, int64_t *ret_ms)
{
    static const char units[] = "smhd";
    static const int64_t unit_ms[] = {SECOND_MS, MINUTE_MS, HOUR_MS, DAY_MS};
    int64_t count;

    if (text.len < 2)
        return false;
    const char *unit = strchr(units, text.ptr[text.len - 1]);
    if (!unit || !str_to_int64(str_slice(text, 0, text.len - 1), &count) || count < 0 ||
        count > 1000000)
        return false;
    *ret_ms = count * unit_ms[unit - units];
    return true;
}

static enum err complain(const struct setting *setting, enum config_source source, const char *what)
{
    fprintf(stderr, "servery: %s (from %s): %s\n", setting->name, source_text(source), what);
    return ERR_PROBLEM;
}

static enum err set_number(const struct loader *loader, const struct setting *setting,
                           struct str text, enum config_source source)
{
    int64_t number;
    char what[128];
    bool good = setting->type == TYPE_DURATION ? parse_duration(text, &number)
                                               : str_to_int64(text, &number);

    if (good && number >= setting->min && number <= setting->max) {
        *(int64_t *)((char *)loader->config + setting->offset) = number;
        return ERR_OK;
    }
    if (setting->type == TYPE_DURATION)
        snprintf(what, sizeof what,
                 setting->max < DAY_MS
                     ? "write a time such as 10s (%llds to %llds)"
                     : "write a time such as 90s, 15m, 2h or 30d (%llds to %lldd)",
                 (long long)(setting->min / SECOND_MS),
                 (long long)(setting->max / (setting->max < DAY_MS ? SECOND_MS : DAY_MS)));
    else
        snprintf(what, sizeof what, "must be a number from %lld to %lld", (long long)setting->min,
                 (long long)setting->max);
    return complain(setting, source, what);
}

/* Short ones are guessed, and others do not come through a header. */
static bool is_good_secret(const struct setting *setting, struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] <= ' ' || text.ptr[i] > '~')
            return false;
    return text.len == 0 || (int64_t)text.len >= setting->min;
}

static enum err complain_of_secret(const struct setting *setting, enum config_source source)
{
    char what[128];

    snprintf(what, sizeof what, "must have %lld characters or more, all of them visible ASCII",
             (long long)setting->min);
    return complain(setting, source, what);
}

static enum err set(const struct loader *loader, const struct setting *setting, struct str text,
                    enum config_source source)
{
    char *target = (char *)loader->config + setting->offset;
    enum err err = ERR_OK;

    if (text.len > VALUE_MAX_BYTES)
        return complain(setting, source, "the value is too long");
    switch (setting->type) {
    case TYPE_SECRET:
        if (!is_good_secret(setting, text))
            return complain_of_secret(setting, source);
        *(const char **)(void *)target = arena_cstr(loader->arena, text);
        break;
    case TYPE_TEXT:
    case TYPE_SECRET_URL:
        *(const char **)(void *)target = arena_cstr(loader->arena, text);
        break;
    case TYPE_BOOL:
        if (!parse_bool(text, (bool *)target))
            err = complain(setting, source, "must be yes or no, or on or off");
        break;
    case TYPE_COUNT:
    case TYPE_DURATION:
        err = set_number(loader, setting, text, source);
        break;
    }
    if (!err)
        loader->sources->of[setting - SETTINGS] = source;
    return err;
}

/* `separator` is what stands for the table's underscores. */
static const struct setting *find(struct str name, char separator)
{
    for (size_t i = 0; i < SETTINGS_N; i++) {
        const char *known = SETTINGS[i].name;
        if (strlen(known) != name.len)
            continue;
        size_t k = 0;
        while (k < name.len && name.ptr[k] == (known[k] == '_' ? separator : known[k]))
            k++;
        if (k == name.len)
            return &SETTINGS[i];
    }
    return NULL;
}

static enum err load_defaults(const struct loader *loader, bool demo)
{
    for (size_t i = 0; i < SETTINGS_N; i++) {
        const struct setting *setting = &SETTINGS[i];
        bool of_demo = demo && setting->demo;
        const char *value = of_demo ? setting->demo : setting->value;
        char cores[16];

        if (setting->offset == AT(io_threads)) {
            long n = sysconf(_SC_NPROCESSORS_ONLN);
            snprintf(cores, sizeof cores, "%ld", n < 1 ? 1 : n > 256 ? 256 : n);
            value = cores;
        }
        enum err err =
            set(loader, setting, str_from(value), of_demo ? CONFIG_DEMO : CONFIG_DEFAULT);
        if (err)
            return err;
    }
    return ERR_OK;
}

/* `seen` has the settings of the lines before: of two, one would be taken in silence. */
static enum err load_line(const struct loader *loader, const char *path, int number,
                          struct str line, bool *seen)
{
    struct str rest = str_trim(line), name;

    if (rest.len == 0 || rest.ptr[0] == '#')
        return ERR_OK;
    bool split = str_split(&rest, '=', &name) && rest.ptr;
    const struct setting *setting = split ? find(str_trim(name), '_') : NULL;
    if (!split)
        fprintf(stderr, "servery: %s:%d: expected name = value\n", path, number);
    else if (!setting)
        fprintf(stderr, "servery: %s:%d: unknown setting " STR_FMT "\n", path, number,
                STR_ARG(str_trim(name)));
    if (!setting)
        return ERR_PROBLEM;
    if (seen[setting - SETTINGS]) {
        fprintf(stderr, "servery: %s:%d: %s is set a second time\n", path, number, setting->name);
        return ERR_PROBLEM;
    }
    seen[setting - SETTINGS] = true;
    return set(loader, setting, str_trim(rest), CONFIG_FILE);
}

static enum err load_file(const struct loader *loader, const char *path)
{
    FILE *file = fopen(path, "re");
    bool seen[SETTINGS_N] = {false};
    char *line = NULL;
    size_t cap = 0;
    enum err err = ERR_OK;

    if (!file) {
        fprintf(stderr, "servery: cannot read %s: %s\n", path, strerror(errno));
        return ERR_PROBLEM;
    }
    for (int number = 1; !err; number++) {
        ssize_t len = getline(&line, &cap, file);
        if (len < 0)
            break;
        while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'))
            len--;
        err = load_line(loader, path, number, (struct str){line, (size_t)len}, seen);
    }
    /* What can be opened and not read, such as a folder, is not an empty file. */
    if (!err && ferror(file)) {
        fprintf(stderr, "servery: cannot read %s: %s\n", path, strerror(errno));
        err = ERR_PROBLEM;
    }
    free(line);
    fclose(file);
    return err;
}

static enum err load_environment(const struct loader *loader)
{
    for (size_t i = 0; i < SETTINGS_N; i++) {
        char name[64] = "SERVERY_";
        size_t len = strlen(name);
        for (const char *p = SETTINGS[i].name; *p && len < sizeof name - 1; p++)
            name[len++] = *p >= 'a' && *p <= 'z' ? (char)(*p - 'a' + 'A') : *p;
        const char *value = getenv(name);
        enum err err =
            value ? set(loader, &SETTINGS[i], str_from(value), CONFIG_ENVIRONMENT) : ERR_OK;
        if (err)
            return err;
    }
    return ERR_OK;
}

/* One flag at argv[*i]; moves *i over a value that stands by itself. With `file`, only --config is
 * looked at; without, it is skipped. */
static enum err load_flag(const struct loader *loader, int argc, char **argv, int *i, bool file)
{
    struct str rest = str_from(argv[*i] + 2), name;

    str_split(&rest, '=', &name);
    bool is_config = str_is(name, "config");
    const struct setting *setting = find(name, '-');
    if (!is_config && !setting) {
        fprintf(stderr, "servery: unknown option %s (see servery --help)\n", argv[*i]);
        return ERR_PROBLEM;
    }
    if (!rest.ptr) {
        bool next_is_value = *i + 1 < argc && strncmp(argv[*i + 1], "--", 2) != 0;
        bool is_switch = setting && setting->type == TYPE_BOOL;
        if (!next_is_value && !is_switch) {
            fprintf(stderr, "servery: %s needs a value\n", argv[*i]);
            return ERR_PROBLEM;
        }
        rest = next_is_value ? str_from(argv[++*i]) : STR("yes");
    }
    if (is_config)
        return file ? load_file(loader, rest.ptr) : ERR_OK;
    return file ? ERR_OK : set(loader, setting, rest, CONFIG_FLAG);
}

static enum err load_flags(const struct loader *loader, int argc, char **argv, bool file,
                           int *ret_n_rest)
{
    int n_rest = 0;

    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "--", 2) == 0 && argv[i][2] != '\0') {
            enum err err = load_flag(loader, argc, argv, &i, file);
            if (err)
                return err;
        } else if (!file) {
            argv[n_rest++] = argv[i];
        }
    }
    *ret_n_rest = n_rest;
    return ERR_OK;
}

enum err config_complain(const struct config_sources *sources, const char *name, const char *what)
{
    const struct setting *setting = find(str_from(name), '_');

    return complain(setting, sources->of[setting - SETTINGS], what);
}

/* What every command would stumble over. demo has a database of its own, if none is named. */
static enum err check_database(const struct loader *loader, bool demo)
{
    const char *database = loader->config->database;
    const char *listen = loader->config->database_listen;
    char error[STORE_ERROR_SIZE] = "must be a URL such as postgresql://user:password@host/name";

    if (*listen && (!store_is_shared(listen) || !store_knows(listen, error)))
        return config_complain(loader->sources, "database_listen", error);
    if (!store_knows(database, error) && !(demo && !*database))
        return config_complain(loader->sources, "database", error);
    return ERR_OK;
}

enum err config_check_secret_file(const struct config *config, const struct config_sources *sources)
{
    const char *path = config->secret_file, *slash = strrchr(path, '/');
    char folder[VALUE_MAX_BYTES + 1] = ".";
    struct stat status;

    if (!*path)
        return config_complain(sources, "secret_file", "must name a file");
    if (stat(path, &status) == 0)
        return S_ISREG(status.st_mode)
                   ? ERR_OK
                   : config_complain(sources, "secret_file", "this is not a file");
    if (slash)
        snprintf(folder, sizeof folder, "%.*s", (int)(slash - path) + 1, path);
    if (stat(folder, &status) != 0 && (errno == ENOENT || errno == ENOTDIR))
        return config_complain(sources, "secret_file", "there is no such folder");
    return ERR_OK;
}

enum err config_load(struct arena *arena, bool demo, int argc, char **argv,
                     struct config *ret_config, struct config_sources **ret_sources,
                     int *ret_n_rest)
{
    struct loader loader = {arena, ret_config, arena_zalloc(arena, sizeof(struct config_sources))};

    *ret_config = (struct config){0};
    *ret_sources = loader.sources;
    enum err err = load_defaults(&loader, demo);
    if (!err)
        err = load_flags(&loader, argc, argv, true, ret_n_rest);
    if (!err)
        err = load_environment(&loader);
    if (!err)
        err = load_flags(&loader, argc, argv, false, ret_n_rest);
    if (!err)
        err = check_database(&loader, demo);
    if (!err && !*ret_config->public_url)
        ret_config->public_url = arena_printf(arena, "http://%s", ret_config->listen).ptr;
    return err;
}

static void print_value(const struct config *config, const struct setting *setting)
{
    const char *at = (const char *)config + setting->offset;

    switch (setting->type) {
    case TYPE_TEXT:
        fputs(*(const char *const *)(const void *)at, stdout);
        break;
    case TYPE_SECRET:
        fputs(**(const char *const *)(const void *)at ? "***" : "", stdout);
        break;
    case TYPE_SECRET_URL:
        secret_url_print(*(const char *const *)(const void *)at);
        break;
    case TYPE_BOOL:
        fputs(switch_text(setting, *(const bool *)at), stdout);
        break;
    case TYPE_COUNT:
        printf("%lld", (long long)*(const int64_t *)(const void *)at);
        break;
    case TYPE_DURATION:
        printf("%llds", (long long)(*(const int64_t *)(const void *)at / SECOND_MS));
        break;
    }
}

void config_print(const struct config *config, const struct config_sources *sources)
{
    for (size_t i = 0; i < SETTINGS_N; i++) {
        printf("# %s: %s\n%s = ", source_text(sources->of[i]), SETTINGS[i].meaning,
               SETTINGS[i].name);
        print_value(config, &SETTINGS[i]);
        putchar('\n');
    }
}

void config_print_help(bool demo)
{
    puts("Settings, each also SERVERY_NAME in the environment or name = value in a file:");
    puts("  --config FILE\n        read settings from FILE");
    for (size_t i = 0; i < SETTINGS_N; i++) {
        const char *value = demo && SETTINGS[i].demo ? SETTINGS[i].demo : SETTINGS[i].value;
        printf("  --");
        for (const char *p = SETTINGS[i].name; *p; p++)
            putchar(*p == '_' ? '-' : *p);
        if (SETTINGS[i].type == TYPE_BOOL)
            printf(" %s|%s", switch_text(&SETTINGS[i], true), switch_text(&SETTINGS[i], false));
        else
            printf(" VALUE");
        printf("\n        %s", SETTINGS[i].meaning);
        if (value != SETTINGS[i].value && !*value)
            value = "temporary";
        if (*value)
            printf(" [%s]", value);
        putchar('\n');
    }
}

void config_print_markdown(void)
{
    puts("| setting | default | meaning |\n| --- | --- | --- |");
    for (size_t i = 0; i < SETTINGS_N; i++) {
        const struct setting *setting = &SETTINGS[i];
        printf("| `%s` | %s%s%s", setting->name, *setting->value ? "`" : "", setting->value,
               *setting->value ? "`" : "");
        if (setting->demo)
            printf("%sdemo: %s%s%s", *setting->value ? "; " : "", *setting->demo ? "`" : "",
                   *setting->demo ? setting->demo : "temporary", *setting->demo ? "`" : "");
        printf(" | %s |\n", setting->meaning);
    }
}

void config_print_example(void)
{
    puts("# Settings of servery. Each is shown at its default: to change one, take away the # "
         "before\n"
         "# its name. SERVERY_NAME in the environment and a flag --name win over this file.");
    for (size_t i = 0; i < SETTINGS_N; i++) {
        const struct setting *setting = &SETTINGS[i];
        printf("\n# %s\n#%s =%s%s\n", setting->meaning, setting->name, *setting->value ? " " : "",
               setting->value);
    }
}
