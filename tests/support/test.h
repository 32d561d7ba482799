/*
 * What every unit test includes: cmocka with its prerequisites in order, and
 * the way to the reference data.
 */
#ifndef LT_TESTS_SUPPORT_TEST_H
#define LT_TESTS_SUPPORT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/*
 * Path of a file in the reference data (SHARED_DIR, default ../shared), owned
 * by the caller (free). Skips the running test, saying so, when it is absent.
 */
char *shared_path(const char *name);

#define assert_str_equal(actual, expected_literal)                                                 \
	do {                                                                                       \
		struct lt_str actual_str = (actual);                                               \
		assert_int_equal(actual_str.n, strlen(expected_literal));                          \
		assert_memory_equal(actual_str.p, expected_literal, actual_str.n);                 \
	} while (0)

#endif
