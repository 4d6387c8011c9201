/* What every test of the domain includes: cmocka with what it needs before it, and comparing
 * texts. */
#ifndef SERVERY_TESTS_DOMAIN_TEST_H
#define SERVERY_TESTS_DOMAIN_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/problem.h"

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Fails at the caller's line, showing both. */
#define assert_str(actual, expected) check_str((actual), (expected), __FILE__, __LINE__)

static inline void check_str(struct str actual, const char *expected, const char *file, int line)
{
    if (!actual.ptr || !str_is(actual, expected)) {
        print_error("got '%.*s', not '%s'\n", actual.ptr ? (int)actual.len : 4,
                    actual.ptr ? actual.ptr : "NONE", expected);
        _fail(file, line);
    }
}

/* A problem with an arena of its own. */
static inline struct problem *problem_for_test(struct arena *arena)
{
    struct problem *problem = arena_alloc(arena, sizeof *problem);
    problem_init(problem, arena);
    return problem;
}

#endif
