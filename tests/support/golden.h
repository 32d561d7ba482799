/*
 * Reading the reference data as JSON, and comparing trees with a failure that
 * shows both. Free trees with cJSON_Delete.
 */
#ifndef LT_TESTS_SUPPORT_GOLDEN_H
#define LT_TESTS_SUPPORT_GOLDEN_H

#include "base/json.h"

/* Skips the running test when the data is absent; fails it when it cannot be read. */
cJSON *golden_json(const char *name);

/* A file of one JSON value a line, as an array. */
cJSON *golden_lines(const char *name);

/* JSON written in the test. */
cJSON *json_of(const char *text);

/* Same types, objects in any order, numbers equal as doubles; `what` names the case. */
void assert_json_equal(const cJSON *actual, const cJSON *expected, const char *what);

/* Lists of the same elements in any order. */
void assert_same_set(const cJSON *actual, const cJSON *expected, const char *what);

#endif
