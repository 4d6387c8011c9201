#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "api/client.h"

#include "base/str.h"

static struct http_address address(const char *text)
{
    struct http_address parsed;
    assert_true(client_address_parse(str_from(text), &parsed));
    return parsed;
}

static struct client_network network(const char *text)
{
    struct client_network parsed;
    assert_true(client_network_parse(str_from(text), &parsed));
    return parsed;
}

static void assert_client(const char *peer, const char *forwarded, const char *expected)
{
    const struct client_network trusted[] = {network("10.0.0.0/8"), network("::1"),
                                             network("2001:db8::/32")};
    struct arena *arena = arena_create();
    struct http_address client =
        client_from_forwarded(address(peer), str_from(forwarded), trusted, 3);
    assert_string_equal(client_text(arena, &client).ptr, expected);
    arena_destroy(arena);
}

static void test_client__a_stranger_is_not_believed(void **state)
{
    (void)state;
    assert_client("203.0.113.7", "198.51.100.1", "203.0.113.7");
    assert_client("203.0.113.7", "10.0.0.1", "203.0.113.7");
    assert_client("2001:db9::1", "198.51.100.1", "2001:db9::1");
}

static void test_client__the_last_untrusted_address_is_the_client(void **state)
{
    (void)state;
    assert_client("10.0.0.1", "198.51.100.1", "198.51.100.1");
    assert_client("10.0.0.1", "1.2.3.4, 198.51.100.1", "198.51.100.1");
    assert_client("10.0.0.1", "1.2.3.4, 198.51.100.1 ,10.2.3.4", "198.51.100.1");
    assert_client("::1", "2001:db9::5, 2001:db8::1", "2001:db9::5");
    assert_client("10.0.0.1", "::ffff:198.51.100.1", "198.51.100.1");
}

static void test_client__nonsense_ends_the_search(void **state)
{
    (void)state;
    assert_client("10.0.0.1", "", "10.0.0.1");
    assert_client("10.0.0.1", ",", "10.0.0.1");
    assert_client("10.0.0.1", "1.2.3.4, unknown", "10.0.0.1");
    assert_client("10.0.0.1", "1.2.3.4, nobody, 10.9.9.9", "10.9.9.9");
    assert_client("10.0.0.1", "10.0.0.2, 10.0.0.3", "10.0.0.2");
    assert_client("10.0.0.1", "1.2.3.4:80", "10.0.0.1");
}

static void test_client__networks_end_at_their_bit(void **state)
{
    const struct client_network half = network("192.0.2.128/25");
    const struct client_network all = network("0.0.0.0/0");
    const struct client_network one = network("192.0.2.1");
    struct http_address below = address("192.0.2.127"), first = address("192.0.2.128");
    struct http_address single = address("192.0.2.1"), next = address("192.0.2.2");
    struct http_address six = address("2001:db8::1");
    (void)state;

    assert_false(client_in_network(&below, &half));
    assert_true(client_in_network(&first, &half));
    assert_true(client_in_network(&below, &all));
    assert_false(client_in_network(&six, &all));
    assert_true(client_in_network(&single, &one));
    assert_false(client_in_network(&next, &one));
}

static void test_client__bad_networks_are_refused(void **state)
{
    static const char *const bad[] = {"",           "10.0.0.0/33", "10.0.0.0/-1",
                                      "10.0.0/8",   "::/129",      "10.0.0.0/",
                                      "10.0.0.0/x", "localhost",   "1.2.3.4 5"};
    struct client_network parsed;
    (void)state;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(client_network_parse(str_from(bad[i]), &parsed));
}

static void test_client__limits_count_an_ipv6_network_as_one(void **state)
{
    struct arena *arena = arena_create();
    struct http_address a = address("2001:db8:1:2::1"), b = address("2001:db8:1:2:ffff::9");
    struct http_address c = address("2001:db8:1:3::1");
    struct http_address d = address("192.0.2.1"), e = address("192.0.2.2");
    (void)state;

    assert_true(str_eq(client_key(arena, &a), client_key(arena, &b)));
    assert_false(str_eq(client_key(arena, &a), client_key(arena, &c)));
    assert_false(str_eq(client_key(arena, &d), client_key(arena, &e)));
    arena_destroy(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_client__a_stranger_is_not_believed),
        cmocka_unit_test(test_client__the_last_untrusted_address_is_the_client),
        cmocka_unit_test(test_client__nonsense_ends_the_search),
        cmocka_unit_test(test_client__networks_end_at_their_bit),
        cmocka_unit_test(test_client__bad_networks_are_refused),
        cmocka_unit_test(test_client__limits_count_an_ipv6_network_as_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
