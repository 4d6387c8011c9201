/* The upkeep thread on a real store. The linker wraps arena_reset and store_write (see
 * meson.build), to see what the thread keeps from one slice to the next. */
#include "shop_fixture.h"

#include "jobs/upkeep.h"
#include "store/sweep.h"

#include <stdio.h>

enum { SLICES = 3 };

static struct {
    int slices, resets; /* the resets since the last slice */
    bool kept;
    _Atomic bool watching;
    sem_t done;
} watch;

void __real_arena_reset(struct arena *arena);
void __wrap_arena_reset(struct arena *arena);
enum err __real_store_write(struct store *store, struct arena *arena, tx_fn *fn, void *arg);
enum err __wrap_store_write(struct store *store, struct arena *arena, tx_fn *fn, void *arg);

void __wrap_arena_reset(struct arena *arena)
{
    watch.resets++;
    __real_arena_reset(arena);
}

enum err __wrap_store_write(struct store *store, struct arena *arena, tx_fn *fn, void *arg)
{
    bool is_slice = watch.watching && fn == sweep_payments;
    if (is_slice) {
        watch.kept = watch.kept || watch.resets == 0;
        watch.slices++;
        watch.resets = 0;
    }
    enum err err = __real_store_write(store, arena, fn, arg);
    if (is_slice && !((struct sweep_payments *)arg)->more)
        sem_post(&watch.done);
    return err;
}

/* After a night in which the server was down there may be thousands. */
static void test_upkeep__keeps_nothing_from_slice_to_slice(void **state)
{
    static const char due[] = "UPDATE payments SET expires_at = 1";
    static const char taken[] = "UPDATE foods SET taken = $1";
    struct shop_fixture *s = *state;
    struct payment_provider provider;
    struct upkeep_options options = {.pay = {.store = s->store, .provider = &provider}};
    struct upkeep *upkeep;
    int64_t rice = shop_food(s, "Rice", 250, 1000);
    int n = SLICES * SWEEP_PAYMENTS - 1;

    for (int i = 0; i < n; i++) {
        char email[40];
        snprintf(email, sizeof email, "u%d@example.com", i);
        shop_hold(s, shop_user(s, email), rice, 1, "pending", true);
    }
    shop_sql(s, due, SQL_NO_ARGS);
    shop_sql(s, taken, SQL_ARGS(sql_int(n)));
    assert_true(provider_init(&provider, "manual", NULL));
    sem_init(&watch.done, 0, 0);
    watch.watching = true;
    upkeep = upkeep_create(&options);
    while (sem_wait(&watch.done))
        ;
    watch.watching = false;
    upkeep_destroy(upkeep);
    assert_int_equal(watch.slices, SLICES);
    assert_false(watch.kept);
    assert_int_equal(shop_taken(s, rice), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_upkeep__keeps_nothing_from_slice_to_slice, shop_setup,
                                        shop_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
