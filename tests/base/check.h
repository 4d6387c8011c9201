/* What every test needs: cmocka with the headers it wants before it, and comparing texts. */
#ifndef SERVERY_TESTS_BASE_CHECK_H
#define SERVERY_TESTS_BASE_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"

/* A macro, so that a failure names the test's own line. */
#define assert_str(s, expected)                                                                    \
    do {                                                                                           \
        struct str checked_ = (s);                                                                 \
        assert_non_null(checked_.ptr);                                                             \
        assert_int_equal(checked_.len, strlen(expected));                                          \
        assert_memory_equal(checked_.ptr, (expected), checked_.len);                               \
    } while (0)

#define assert_absent(s) assert_null((s).ptr)

/* A sanitizer needs memory of its own, and ends in its own way a program that can have no more. */
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define SANITIZED
#endif

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
