/* Sends one mail by mail_send and prints what came of it; net/mail.test.mjs drives it against a
 * real SMTP server. Arguments are name=value:
 *
 *   mail_probe mail=smtp://… [ca_file=…] from=… to=… subject=… text=… [html=…] [id=…]
 *              [timeout_ms=…] [threads=…]
 *
 * Prints a line `outcome code error` for each thread; exits 0 if it got that far, 2 on bad
 * usage. */
#include "base/clock.h"
#include "base/crypto.h"
#include "net/global.h"
#include "net/mail.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS_MAX = 32 };

struct job {
    struct mail_target target;
    struct mail_message message;
    struct mail_result result;
};

static const char *arg_get(int argc, char **argv, const char *name)
{
    size_t len = strlen(name);

    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], name, len) == 0 && argv[i][len] == '=')
            return argv[i] + len + 1;
    }
    return NULL;
}

static void *run(void *arg)
{
    struct job *job = arg;

    mail_send(&job->target, &job->message, &job->result);
    return NULL;
}

static bool read_args(int argc, char **argv, struct arena *arena, struct job *job)
{
    const char *mail = arg_get(argc, argv, "mail"), *from = arg_get(argc, argv, "from");
    const char *timeout_ms = arg_get(argc, argv, "timeout_ms");
    char error[MAIL_ERROR_SIZE] = "mail is missing";

    if (mail == NULL || !mail_target_parse(mail, &job->target, error)) {
        fprintf(stderr, "%s\n", error);
        return false;
    }
    job->target.ca_file = arg_get(argc, argv, "ca_file");
    if (timeout_ms != NULL)
        job->target.total_timeout_ms = atoi(timeout_ms);
    if (from == NULL || !mail_address_parse(arena, str_from(from), &job->message.from)) {
        fprintf(stderr, "from is no address\n");
        return false;
    }
    job->message.to = str_from(arg_get(argc, argv, "to"));
    job->message.subject = str_from(arg_get(argc, argv, "subject"));
    job->message.text = str_from(arg_get(argc, argv, "text"));
    job->message.html = str_from(arg_get(argc, argv, "html"));
    job->message.id = str_from(arg_get(argc, argv, "id"));
    job->message.date_ms = clock_now_ms();
    return true;
}

static int send_all(struct job *jobs, int n)
{
    pthread_t threads[THREADS_MAX];

    for (int i = 0; i < n; i++) {
        jobs[i] = jobs[0];
        if (pthread_create(&threads[i], NULL, run, &jobs[i]) != 0)
            return 2;
    }
    for (int i = 0; i < n; i++) {
        pthread_join(threads[i], NULL);
        printf("%s %d %s\n", mail_outcome_text(jobs[i].result.outcome), jobs[i].result.code,
               jobs[i].result.error);
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct job jobs[THREADS_MAX] = {0};
    const char *number = arg_get(argc, argv, "threads");
    int n = number != NULL ? atoi(number) : 1;
    struct arena *arena = arena_create();
    int code = 2;

    if (n >= 1 && n <= THREADS_MAX && crypto_init() == ERR_OK && net_global_init() == ERR_OK) {
        if (read_args(argc, argv, arena, &jobs[0]))
            code = send_all(jobs, n);
        net_global_cleanup();
    }
    arena_destroy(arena);
    return code;
}
