#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "api/session_hints.h"

#include <string.h>

#include "base/crypto.h"

/* The first four bytes choose the set; the last one tells tokens of a set apart. */
static struct str token_hash(unsigned char text[static CRYPTO_HASH_BYTES], unsigned char last)
{
    memset(text, 7, CRYPTO_HASH_BYTES);
    text[CRYPTO_HASH_BYTES - 1] = last;
    return (struct str){(const char *)text, CRYPTO_HASH_BYTES};
}

static void keep(struct session_hints *hints, unsigned char last, int64_t session_id)
{
    unsigned char text[CRYPTO_HASH_BYTES];
    const struct session session = {.id = session_id, .user_id = 10 * session_id};
    session_hints_keep(hints, token_hash(text, last), &session);
}

static int64_t find(struct session_hints *hints, unsigned char last)
{
    unsigned char text[CRYPTO_HASH_BYTES];
    struct session session;
    return session_hints_find(hints, token_hash(text, last), &session) ? session.id : 0;
}

static void test_session_hints__finds_what_was_kept(void **state)
{
    struct session_hints *hints = session_hints_create();
    (void)state;

    assert_int_equal(find(hints, 1), 0);
    keep(hints, 1, 5);
    assert_int_equal(find(hints, 1), 5);
    assert_int_equal(find(hints, 2), 0);
    keep(hints, 1, 6);
    assert_int_equal(find(hints, 1), 6);
    session_hints_destroy(hints);
}

static void test_session_hints__a_dropped_one_is_gone(void **state)
{
    struct session_hints *hints = session_hints_create();
    unsigned char text[CRYPTO_HASH_BYTES];
    (void)state;

    keep(hints, 1, 5);
    keep(hints, 2, 6);
    session_hints_drop(hints, token_hash(text, 1));
    session_hints_drop(hints, token_hash(text, 3));
    assert_int_equal(find(hints, 1), 0);
    assert_int_equal(find(hints, 2), 6);
    session_hints_destroy(hints);
}

static void test_session_hints__the_first_makes_room(void **state)
{
    struct session_hints *hints = session_hints_create();
    (void)state;

    for (unsigned char i = 1; i <= 5; i++)
        keep(hints, i, i);
    assert_int_equal(find(hints, 1), 0);
    for (unsigned char i = 2; i <= 5; i++)
        assert_int_equal(find(hints, i), i);
    session_hints_destroy(hints);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_session_hints__finds_what_was_kept),
        cmocka_unit_test(test_session_hints__a_dropped_one_is_gone),
        cmocka_unit_test(test_session_hints__the_first_makes_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
