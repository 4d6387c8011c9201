/* Which locks are asked for, and when. SQLite needs none of them, so a transaction that only notes
 * what it is asked stands in for an engine with several writers. */
#include "fixture.h"

#include "base/buf.h"
#include "store/attempts.h"

struct noting {
    struct tx tx; /* first */
    struct buf notes;
};

static enum err note(struct tx *tx, const char *what, struct str detail)
{
    struct buf *notes = &((struct noting *)tx)->notes;

    buf_put_cstr(notes, what);
    buf_put_str(notes, detail);
    buf_put_char(notes, ';');
    return ERR_OK;
}

static enum err note_ask(struct tx *tx, const char *sql, struct sql_args args,
                         struct sql_rows *ret_rows)
{
    (void)sql;
    (void)args;
    *ret_rows = (struct sql_rows){0};
    return note(tx, "ask", STR(""));
}

static enum err settle(struct tx *tx)
{
    (void)tx;
    return ERR_OK;
}

static enum err note_user(struct tx *tx, int64_t user_id)
{
    return note(tx, "user ", arena_printf(tx->arena, "%d", (int)user_id));
}

static enum err note_subject(struct tx *tx, struct str scope, struct str subject)
{
    return note(tx, "subject ",
                arena_printf(tx->arena, STR_FMT "=" STR_FMT, STR_ARG(scope), STR_ARG(subject)));
}

static const struct engine_ops noting_ops = {
    .ask = note_ask,
    .ask_ahead = note_ask,
    .settle = settle,
    .lock_user = note_user,
    .lock_subject = note_subject,
};

static int setup(void **state)
{
    struct noting *noting = calloc(1, sizeof(*noting));

    noting->tx = (struct tx){.ops = &noting_ops, .arena = arena_create()};
    buf_init(&noting->notes, noting->tx.arena);
    *state = noting;
    return 0;
}

static int teardown(void **state)
{
    struct noting *noting = *state;

    arena_destroy(noting->tx.arena);
    free(noting);
    return 0;
}

static void assert_notes(struct noting *noting, const char *expected)
{
    buf_put_char(&noting->notes, '\0');
    assert_string_equal(buf_str(&noting->notes).ptr, expected);
}

/* Two admins who changed each other locked each other's rows in opposite order. */
static void test_locks__two_users_by_rising_id(void **state)
{
    struct noting *noting = *state;

    assert_int_equal(tx_lock_users(&noting->tx, 7, 3), ERR_OK);
    assert_int_equal(tx_lock_users(&noting->tx, 3, 7), ERR_OK);
    assert_int_equal(tx_lock_users(&noting->tx, 5, 5), ERR_OK);
    assert_notes(noting, "user 3;user 7;user 3;user 7;user 5;");
}

/* Many at once would each have counted none. */
static void test_locks__attempts_are_counted_under_a_lock(void **state)
{
    static const struct attempt_subject ada = {.alone = {"ada", 3}, .with_client = {"ada+", 4}};
    struct noting *noting = *state;
    int64_t free_at_ms;

    assert_int_equal(attempts_check(&noting->tx, ATTEMPT_CODE, &ada, 1, &free_at_ms), ERR_OK);
    assert_int_equal(attempts_check(&noting->tx, ATTEMPT_RESET, &ada, 1, &free_at_ms), ERR_OK);
    assert_notes(noting, "subject code=ada;ask;ask;ask;subject reset=ada;ask;ask;ask;");
}

static void test_locks__none_after_a_failure(void **state)
{
    struct noting *noting = *state;

    noting->tx.failed = ERR_UNAVAILABLE;
    assert_int_equal(tx_lock_users(&noting->tx, 1, 2), ERR_UNAVAILABLE);
    assert_int_equal(tx_lock_subject(&noting->tx, STR("s"), STR("x")), ERR_UNAVAILABLE);
    assert_notes(noting, "");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(test_locks__##name, setup, teardown)
        T(two_users_by_rising_id),
        T(attempts_are_counted_under_a_lock),
        T(none_after_a_failure),
#undef T
    };

    return cmocka_run_group_tests_name("locks", tests, NULL, NULL);
}
