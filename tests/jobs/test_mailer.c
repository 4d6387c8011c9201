/* The mailer against a real socket that speaks SMTP as each test tells it to: sent, put off,
 * refused, nobody there, stopped while the mail server hangs. */
#include "shop_fixture.h"

#include "base/clock.h"
#include "jobs/mailer.h"
#include "net/global.h"
#include "store/outbox.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct crypto_keys keys = {{1}, {2}};

/* ---- A mail server ---- */

struct smtp {
    int listener, port;
    atomic_int n_data;          /* mails whose text has come */
    const char *_Atomic answer; /* to RCPT */
    atomic_bool hang;           /* says nothing after RCPT until the client leaves */
    atomic_int hanging_fd;      /* 0: none */
    char data[8192];
    pthread_t thread;
};

static void say(int fd, const char *line)
{
    assert_int_equal(write(fd, line, strlen(line)), (ssize_t)strlen(line));
}

/* The bytes after DATA, up to the line with a dot. */
static void take_data(struct smtp *smtp, FILE *in)
{
    char line[2048];
    size_t len = 0;

    while (fgets(line, sizeof(line), in) && strcmp(line, ".\r\n") != 0) {
        size_t n = strlen(line);
        if (len + n < sizeof(smtp->data))
            memcpy(smtp->data + len, line, n);
        len += n;
    }
    smtp->data[len < sizeof(smtp->data) ? len : sizeof(smtp->data) - 1] = '\0';
    atomic_fetch_add(&smtp->n_data, 1);
}

static void serve_client(struct smtp *smtp, int fd)
{
    FILE *in = fdopen(dup(fd), "r");
    char line[2048];

    say(fd, "220 test\r\n");
    while (fgets(line, sizeof(line), in)) {
        if (strncmp(line, "RCPT", 4) == 0 && atomic_load(&smtp->hang)) {
            atomic_store(&smtp->hanging_fd, fd);
            continue;
        }
        if (strncmp(line, "RCPT", 4) == 0) {
            say(fd, atomic_load(&smtp->answer));
        } else if (strncmp(line, "DATA", 4) == 0) {
            say(fd, "354 go on\r\n");
            take_data(smtp, in);
            say(fd, "250 taken\r\n");
        } else if (strncmp(line, "QUIT", 4) == 0) {
            say(fd, "221 bye\r\n");
            break;
        } else {
            say(fd, "250 fine\r\n");
        }
    }
    fclose(in);
    close(fd);
}

static void *run_smtp(void *arg)
{
    struct smtp *smtp = arg;
    int fd;

    while ((fd = accept(smtp->listener, NULL, NULL)) >= 0)
        serve_client(smtp, fd);
    return NULL;
}

static void smtp_start(struct smtp *smtp)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(addr);

    atomic_store(&smtp->answer, "250 fine\r\n");
    smtp->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(smtp->listener, (struct sockaddr *)&addr, sizeof(addr)), 0);
    assert_int_equal(listen(smtp->listener, 8), 0);
    assert_int_equal(getsockname(smtp->listener, (struct sockaddr *)&addr, &len), 0);
    smtp->port = ntohs(addr.sin_port);
    assert_int_equal(pthread_create(&smtp->thread, NULL, run_smtp, smtp), 0);
}

static void smtp_stop(struct smtp *smtp)
{
    shutdown(smtp->listener, SHUT_RDWR);
    pthread_join(smtp->thread, NULL);
    close(smtp->listener);
}

/* ---- A mailer on a shop ---- */

struct rig {
    struct shop_fixture *s;
    struct smtp smtp;
    struct mailbox *mailbox;
    struct mailer *mailer;
};

static void rig_start(struct rig *rig, void **state)
{
    char url[64], error[MAIL_ERROR_SIZE];
    struct mailer_options options = {.from = {STR("The Shop"), STR("shop@example.com")},
                                     .keys = &keys};

    rig->s = *state;
    rig->mailbox = mailbox_create();
    smtp_start(&rig->smtp);
    snprintf(url, sizeof(url), "smtp+plain://127.0.0.1:%d", rig->smtp.port);
    assert_true(mail_target_parse(url, &options.target, error));
    options.store = rig->s->store;
    options.mailbox = rig->mailbox;
    rig->mailer = mailer_create(&options);
}

static void rig_stop(struct rig *rig)
{
    assert_false(mailer_stop(rig->mailer, 10 * SECOND_MS));
    mailer_destroy(rig->mailer);
    smtp_stop(&rig->smtp);
    mailbox_destroy(rig->mailbox);
}

static enum err add_mail(struct tx *tx, void *arg)
{
    return outbox_add(tx, arg, clock_now_ms());
}

static void post(struct rig *rig, const char *to, int64_t useless_at_ms)
{
    struct outbox_mail mail = {
        .recipient = str_from(to),
        .subject = STR("Your code"),
        .sealed_body = outbox_seal(&keys, rig->s->arena, STR("the code is 123456\n"), STR_NONE),
        .useless_at_ms = useless_at_ms,
    };
    assert_int_equal(shop_write(rig->s, add_mail, &mail), ERR_OK);
    mailer_wake(rig->mailer);
}

/* Waits until as many mails have come to this. */
static void await(struct rig *rig, struct mailer_stats expected)
{
    struct mailer_stats stats;
    do {
        sched_yield();
        mailer_stats(rig->mailer, &stats);
    } while (stats.sent < expected.sent || stats.retried < expected.retried ||
             stats.failed < expected.failed || stats.expired < expected.expired);
    assert_memory_equal(&stats, &expected, sizeof(stats));
}

/* Waits until the outbox has a row of that status that no sender holds. */
static void await_row(struct rig *rig, const char *status)
{
    static const char sql[] = "SELECT COUNT(*) FROM outbox WHERE status = $1 "
                              "AND (status <> 'waiting' OR next_at < $2)";
    int64_t leased_ms = clock_now_ms() + MAILER_LEASE_MS / 2;
    while (shop_sql(rig->s, sql, SQL_ARGS(sql_text(str_from(status)), sql_int(leased_ms))) == 0)
        sched_yield();
}

static void test_mailer__sends(void **state)
{
    struct rig rig = {0};
    struct arena *arena = arena_create();
    size_t n;

    rig_start(&rig, state);
    post(&rig, "ada@example.com", 0);
    await(&rig, (struct mailer_stats){.sent = 1});
    assert_int_equal(atomic_load(&rig.smtp.n_data), 1);
    assert_non_null(strstr(rig.smtp.data, "To: ada@example.com"));
    assert_non_null(strstr(rig.smtp.data, "the code is 123456"));
    assert_false(mailer_stop(rig.mailer, 10 * SECOND_MS));
    mailer_destroy(rig.mailer);
    rig.mailer = NULL;
    const struct mailbox_mail *mails = mailbox_list(rig.mailbox, arena, &n);
    assert_int_equal(n, 1);
    assert_true(str_is(mails[0].to, "ada@example.com"));
    assert_true(str_is(mails[0].text, "the code is 123456\n"));
    rig_stop(&rig);
    arena_destroy(arena);
}

static void test_mailer__put_off_then_accepted(void **state)
{
    static const char next[] = "SELECT next_at FROM outbox WHERE status = 'waiting'";
    static const char now[] = "UPDATE outbox SET next_at = 0 RETURNING id";
    struct rig rig = {0};

    rig_start(&rig, state);
    atomic_store(&rig.smtp.answer, "451 later\r\n");
    int64_t before_ms = clock_now_ms();
    post(&rig, "ada@example.com", 0);
    await(&rig, (struct mailer_stats){.retried = 1});
    await_row(&rig, "waiting");
    int64_t next_at_ms = shop_sql(rig.s, next, SQL_NO_ARGS);
    assert_in_range(next_at_ms, before_ms + MAILER_FIRST_DELAY_MS / 2,
                    clock_now_ms() + MAILER_FIRST_DELAY_MS);
    atomic_store(&rig.smtp.answer, "250 fine\r\n");
    shop_sql(rig.s, now, SQL_NO_ARGS);
    mailer_wake(rig.mailer);
    await(&rig, (struct mailer_stats){.sent = 1, .retried = 1});
    rig_stop(&rig);
}

static void test_mailer__refused_is_given_up(void **state)
{
    struct rig rig = {0};

    rig_start(&rig, state);
    atomic_store(&rig.smtp.answer, "550 nobody here\r\n");
    post(&rig, "ada@example.com", 0);
    await(&rig, (struct mailer_stats){.failed = 1});
    await_row(&rig, "failed");
    rig_stop(&rig);
}

static void test_mailer__useless_is_not_sent(void **state)
{
    struct rig rig = {0};

    rig_start(&rig, state);
    post(&rig, "ada@example.com", clock_now_ms() - 1);
    await(&rig, (struct mailer_stats){.expired = 1});
    assert_int_equal(atomic_load(&rig.smtp.n_data), 0);
    rig_stop(&rig);
}

static void test_mailer__given_up_after_a_day(void **state)
{
    static const char age[] = "UPDATE outbox SET created_at = created_at - $1, next_at = 0 "
                              "RETURNING id";
    struct rig rig = {0};

    rig_start(&rig, state);
    atomic_store(&rig.smtp.answer, "451 later\r\n");
    post(&rig, "ada@example.com", 0);
    await(&rig, (struct mailer_stats){.retried = 1});
    await_row(&rig, "waiting");
    shop_sql(rig.s, age, SQL_ARGS(sql_int(MAILER_GIVE_UP_MS)));
    mailer_wake(rig.mailer);
    await(&rig, (struct mailer_stats){.retried = 1, .failed = 1});
    await_row(&rig, "failed");
    rig_stop(&rig);
}

static void test_mailer__stops_while_the_server_hangs(void **state)
{
    static const char waiting[] = "SELECT COUNT(*) FROM outbox WHERE status = 'waiting'";
    struct rig rig = {0};

    rig_start(&rig, state);
    atomic_store(&rig.smtp.hang, true);
    post(&rig, "ada@example.com", 0);
    while (atomic_load(&rig.smtp.hanging_fd) == 0)
        sched_yield();
    int64_t before_ms = clock_mono_ms();
    assert_true(mailer_stop(rig.mailer, 100));
    mailer_destroy(rig.mailer);
    rig.mailer = NULL;
    assert_true(clock_mono_ms() - before_ms < 5 * SECOND_MS);
    assert_int_equal(shop_sql(rig.s, waiting, SQL_NO_ARGS), 1);
    shutdown(atomic_load(&rig.smtp.hanging_fd), SHUT_RDWR);
    rig_stop(&rig);
}

static void test_mailer__delays_grow(void **state)
{
    (void)state;
    assert_int_equal(mailer_delay_ms(1, 0), MAILER_FIRST_DELAY_MS);
    assert_int_equal(mailer_delay_ms(2, 0), 2 * MAILER_FIRST_DELAY_MS);
    assert_int_equal(mailer_delay_ms(10, 0), 512 * MAILER_FIRST_DELAY_MS);
    assert_int_equal(mailer_delay_ms(11, 0), MAILER_LAST_DELAY_MS);
    assert_int_equal(mailer_delay_ms(INT64_MAX, 0), MAILER_LAST_DELAY_MS);
    for (uint32_t random = 0; random < 1000000; random += 997)
        assert_in_range(mailer_delay_ms(1, random), MAILER_FIRST_DELAY_MS / 2,
                        MAILER_FIRST_DELAY_MS);
}

/* ---- The copies ---- */

static void test_mailbox__keeps_the_last(void **state)
{
    struct arena *arena = arena_create();
    struct mailbox *mailbox = mailbox_create();
    size_t n;

    (void)state;
    mailbox_list(mailbox, arena, &n);
    assert_int_equal(n, 0);
    for (int64_t id = 1; id <= MAILBOX_MAX + 1; id++) {
        char to[48];
        snprintf(to, sizeof(to), "u%lld@example.com", (long long)id);
        mailbox_add(mailbox, &(struct mailbox_mail){.id = id, .to = str_from(to)});
    }
    const struct mailbox_mail *mails = mailbox_list(mailbox, arena, &n);
    assert_int_equal(n, MAILBOX_MAX);
    assert_int_equal(mails[0].id, MAILBOX_MAX + 1);
    assert_true(str_is(mails[0].to, "u1001@example.com"));
    assert_int_equal(mails[n - 1].id, 2);
    mailbox_destroy(mailbox);
    arena_destroy(arena);
}

#define MAILER_TEST(test)                                                                          \
    {                                                                                              \
#test, test, shop_setup, shop_teardown, NULL                                               \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        MAILER_TEST(test_mailer__sends),
        MAILER_TEST(test_mailer__put_off_then_accepted),
        MAILER_TEST(test_mailer__refused_is_given_up),
        MAILER_TEST(test_mailer__useless_is_not_sent),
        MAILER_TEST(test_mailer__given_up_after_a_day),
        MAILER_TEST(test_mailer__stops_while_the_server_hangs),
        MAILER_TEST(test_mailer__delays_grow),
        MAILER_TEST(test_mailbox__keeps_the_last),
    };
    if (net_global_init() != ERR_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
