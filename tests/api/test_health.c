/* Who asks whether the database answers waits for it, but not for ever. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <semaphore.h>

#include "api/health.h"
#include "base/clock.h"

enum { LONG_MS = 60000, SHORT_MS = 50 };

/* Each look says that it has begun, and waits to be told what it finds. */
static sem_t begun, go_on;
static enum err next_result;
static int n_looks;

enum err __wrap_store_ready(struct store *store);
enum err __wrap_store_ready(struct store *store)
{
    (void)store;
    n_looks++;
    (void)sem_post(&begun);
    while (sem_wait(&go_on) != 0) {
    }
    return next_result;
}

static int set_up_waiting(void **state, int64_t wait_ms)
{
    sem_init(&begun, 0, 0);
    sem_init(&go_on, 0, 0);
    next_result = ERR_OK;
    n_looks = 0;
    *state = health_create(NULL, wait_ms);
    return 0;
}

static int set_up_patient(void **state)
{
    return set_up_waiting(state, LONG_MS);
}

static int set_up_impatient(void **state)
{
    return set_up_waiting(state, SHORT_MS);
}

static int tear_down(void **state)
{
    health_stop(*state);
    health_destroy(*state);
    sem_destroy(&begun);
    sem_destroy(&go_on);
    return 0;
}

struct asking {
    struct health *health;
    int64_t since_us;
    enum health_found found;
    pthread_t thread;
};

static void *ask(void *arg)
{
    struct asking *asking = arg;

    asking->found = health_look(asking->health, asking->since_us);
    return NULL;
}

static void asking_start(struct asking *asking, struct health *health)
{
    asking->health = health;
    asking->since_us = clock_mono_us();
    assert_int_equal(pthread_create(&asking->thread, NULL, ask, asking), 0);
}

static enum health_found asking_finish(struct asking *asking)
{
    assert_int_equal(pthread_join(asking->thread, NULL), 0);
    return asking->found;
}

static void test_health__says_what_the_look_found(void **state)
{
    static const struct {
        enum err result;
        enum health_found found;
    } cases[] = {{ERR_OK, HEALTH_READY},
                 {ERR_UNAVAILABLE, HEALTH_NOT_READY},
                 {ERR_INTERNAL, HEALTH_NOT_READY},
                 {ERR_OK, HEALTH_READY}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct asking asking;
        asking_start(&asking, *state);
        assert_int_equal(sem_wait(&begun), 0);
        next_result = cases[i].result;
        (void)sem_post(&go_on);
        assert_int_equal(asking_finish(&asking), cases[i].found);
    }
    assert_int_equal(n_looks, 4);
}

static void test_health__a_silent_database_is_waited_for_no_longer(void **state)
{
    struct asking first;

    asking_start(&first, *state);
    assert_int_equal(sem_wait(&begun), 0);
    assert_int_equal(asking_finish(&first), HEALTH_SILENT);
    assert_true(clock_mono_us() - first.since_us >= SHORT_MS * 1000);
    /* Who asks now need not wait: it is silent already. */
    for (int i = 0; i < 100; i++)
        assert_int_equal(health_look(*state, clock_mono_us()), HEALTH_SILENT);
    /* What it answers in the end is no answer to those, whose own look is made now. */
    next_result = ERR_UNAVAILABLE;
    (void)sem_post(&go_on);
    assert_int_equal(sem_wait(&begun), 0);
    next_result = ERR_OK;
    enum health_found found;
    do {
        (void)sem_post(&go_on);
        found = health_look(*state, clock_mono_us());
        assert_int_not_equal(found, HEALTH_NOT_READY);
    } while (found == HEALTH_SILENT);
}

/* However many ask at once, the database is asked for them together. */
static void test_health__a_look_is_shared(void **state)
{
    struct asking askings[20];

    for (int i = 0; i < 20; i++)
        asking_start(&askings[i], *state);
    /* Those that ask while the first look is under way are told by the second. */
    for (int i = 0; i < 40; i++)
        (void)sem_post(&go_on);
    for (int i = 0; i < 20; i++)
        assert_int_equal(asking_finish(&askings[i]), HEALTH_READY);
    int64_t long_ago_us = askings[0].since_us;
    int n = n_looks;
    assert_int_equal(health_look(*state, long_ago_us), HEALTH_READY);
    assert_int_equal(n_looks, n);
}

#define TEST(name, setup) cmocka_unit_test_setup_teardown(test_health__##name, setup, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(says_what_the_look_found, set_up_patient),
        TEST(a_silent_database_is_waited_for_no_longer, set_up_impatient),
        TEST(a_look_is_shared, set_up_patient),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
