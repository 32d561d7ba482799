/*
 * Comparing analyses with the reference data, and reading what of it is gzipped.
 */
#ifndef LT_TESTS_SUPPORT_ANALYSIS_GOLDEN_H
#define LT_TESTS_SUPPORT_ANALYSIS_GOLDEN_H

#include "base/json.h"

/* As assert_json_equal, but fractions may differ by 1e-9 of their size (averages do). */
void assert_analysis_equal(const cJSON *actual, const cJSON *expected, const char *what);

/* A gzipped file of one JSON value a line, as an array. */
cJSON *golden_gzip_lines(const char *name);

/* "golden/SET/FILE" in a buffer of the caller. */
#define GOLDEN_NAME_MAX 128
const char *golden_name(char buf[GOLDEN_NAME_MAX], const char *set, const char *file);

/* The races of the reference data; ends with NULL. */
extern const char *const golden_sets[];

#endif
