/* servery: the subcommands and their help. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "app/app.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/zone.h"

struct subcommand {
    const char *name;
    int (*run)(const struct command_line *line);
    const char *usage, *summary, *help;
};

static int version(const struct command_line *line)
{
    (void)line;
    puts("servery " SERVERY_VERSION);
    return 0;
}

static const struct subcommand SUBCOMMANDS[] = {
    {"serve", app_serve, "serve", "Serves the shop",
     "Serves the shop. Applies missing migrations first."},
    {"demo", app_demo, "demo", "Serves a sample shop, to try it out",
     "Serves a sample shop on loopback, with pretended payments, an admin\n"
     "(admin@example.com / servery-demo) and a page /dev/mail that shows the mails\n"
     "sent. Its data is thrown away at the end, unless --database says where to keep it."},
    {"admin", app_admin, "admin create EMAIL", "Makes an admin, or promotes a user",
     "Makes a verified admin, or promotes the user with that email, and sets the\n"
     "password, read from the terminal or standard input. Works while the server runs.\n\n"
     "servery admin accept-secret\n\n"
     "Takes the key in secret_file as the shop's, where the former one is lost: everybody\n"
     "has to log in again, and mails that wait to be sent are lost. No server may run."},
    {"migrate", app_migrate, "migrate", "Brings the database up to date",
     "Brings the database to this program's version."},
    {"backup", app_backup, "backup [--with-key] FILE", "Copies the data, also while it serves",
     "Copies the data, as they are at one moment, to a new file, also while the server runs and\n"
     "writes. The file has its name only when it is on the disk and verified as by check. One\n"
     "that exists is not written over, and a backup that fails leaves nothing behind. Exits 1\n"
     "if there is none, and also if there is one of data with a breach, which is named. Of SQLite\n"
     "only: PostgreSQL has backups of its own (pg_dump, pg_basebackup).\n\n"
     "  --with-key\n        also copies the key (secret_file), to FILE.key"},
    {"copy", app_copy, "copy --from DB --to DB", "Moves the shop to another database",
     "Copies all data of a shop, with their ids, into another database, and verifies them there:\n"
     "every row is read again, then as by check. DATABASE is sqlite:FILE or postgresql://...;\n"
     "both may be of one kind. Neither may be served meanwhile, and the target must be empty.\n"
     "The key (secret_file) goes on. A copy that was interrupted is half a copy, which no command\n"
     "takes for a shop; to copy again begins anew. Exits 1 if there is no verified copy.\n\n"
     "Others on the machine see what stands on the command line: leave the password out of the\n"
     "URL, and let it be read from ~/.pgpass, or from the file that PGPASSFILE names.\n"
     "SERVERY_DATABASE, which they do not see, is for the other commands.\n\n"
     "  --from DATABASE\n        the shop; nothing in it is changed\n"
     "  --to DATABASE\n        what it is copied into; a file is made if there is none"},
    {"check", app_check, "check", "Verifies the data",
     "Verifies the data, also while the server runs: names each breach and exits 1. Changes\n"
     "nothing, so it needs no right to write, and reads a backup on a read-only medium."},
    {"config", app_config, "config [--example|--markdown]", "Prints every setting",
     "Prints every setting with its value, where that came from, and its meaning. With\n"
     "--example, a configuration file to begin with; with --markdown, a table of them."},
    {"version", version, "version", "Prints the version", "Prints the version."},
};

enum { SUBCOMMANDS_N = sizeof SUBCOMMANDS / sizeof *SUBCOMMANDS };

static void print_help(FILE *out)
{
    fputs("Servery: sells every plate at most once, never loses a paid order.\n\n", out);
    for (size_t i = 0; i < SUBCOMMANDS_N; i++) {
        fprintf(out, "  servery %-29s  %s\n", SUBCOMMANDS[i].usage, SUBCOMMANDS[i].summary);
    }
    fputs("\nTry `servery demo`; each command has --help.\n", out);
}

static const struct subcommand *find(const char *name)
{
    for (size_t i = 0; i < SUBCOMMANDS_N; i++)
        if (strcmp(SUBCOMMANDS[i].name, name) == 0)
            return &SUBCOMMANDS[i];
    return NULL;
}

static bool wants_help(int argc, char **argv)
{
    for (int i = 0; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return 2;
    }
    if (strcmp(argv[1], "--version") == 0)
        return version(NULL);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        print_help(stdout);
        return 0;
    }
    const struct subcommand *subcommand = find(argv[1]);
    if (!subcommand) {
        fprintf(stderr, "servery: unknown command %s\n\n", argv[1]);
        print_help(stderr);
        return 2;
    }
    if (wants_help(argc - 2, argv + 2)) {
        printf("servery %s\n\n%s\n", subcommand->usage, subcommand->help);
        if (subcommand->run != version) {
            putchar('\n');
            config_print_help(subcommand->run == app_demo);
        }
        return 0;
    }
    /* A limit of a file's size is to refuse the write, as a full disk does, not end the process. */
    signal(SIGXFSZ, SIG_IGN);
    if (crypto_init())
        return 1;
    json_decode_init();
    zone_init();
    struct command_line line = {arena_create(), argc - 2, argv + 2};
    int status = subcommand->run(&line);
    arena_destroy(line.arena);
    return status;
}
