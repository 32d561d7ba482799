/*
 * JSON trees (cJSON nodes) for everything off the hot path, with what cJSON
 * lacks: a strict parser, numbers that remember whether they were written as
 * integers or as floating point (90 and 90.0 are different to the fast-lap
 * messages), shortest exact output, and getters whose errors name the path.
 *
 * U+0000 inside a string becomes U+FFFD: nodes hold C strings. Member lookup
 * is case-sensitive (lt_json_get), never cJSON's default. A member that occurs
 * twice in a text has its first place and its last value, as in the original.
 *
 * A float carries a bit of its own in item->type, above those that cJSON uses;
 * ask with cJSON_IsNumber and lt_json_is_float, never by comparing item->type.
 */
#ifndef LT_BASE_JSON_H
#define LT_BASE_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "base/base.h"
#include "base/str.h"

LT_DEFINE_AUTO(cJSON, cJSON_Delete);

/* The caller owns the result: cJSON_Delete. */
cJSON *lt_json_parse(struct lt_str text, struct lt_err *err);
cJSON *lt_json_parse_file(const char *path, size_t max_bytes, struct lt_err *err);

/* Numbers. Integers are exact to 2^53. cJSON_Duplicate keeps the mark. */
/* A number written with a fraction or exponent, or made by cJSON with a fraction. */
bool lt_json_is_float(const cJSON *item);
cJSON *lt_json_new_int(int64_t value);
cJSON *lt_json_new_float(double value); /* printed with a fraction: 90.0 */
cJSON *lt_json_new_str(struct lt_str text);
void lt_json_add_int(cJSON *object, const char *key, int64_t value);
void lt_json_add_float(cJSON *object, const char *key, double value);
void lt_json_add_str(cJSON *object, const char *key, struct lt_str text);
void lt_json_add_c(cJSON *object, const char *key, const char *text);
void lt_json_add_bool(cJSON *object, const char *key, bool value);
/* Add or replace; owns `value` from the call on. */
void lt_json_set_take(cJSON *object, const char *key, cJSON *value);

/* Member or NULL; `object` may be anything, also NULL. */
cJSON *lt_json_get(const cJSON *object, const char *key);

/*
 * Required members of an object; the error names the key and what was found
 * instead. A text is borrowed from the node. 90.0 is an integer here.
 */
bool lt_json_get_str(const cJSON *object, const char *key, struct lt_str *ret, struct lt_err *err);
bool lt_json_get_int(const cJSON *object, const char *key, int64_t min, int64_t max, int64_t *ret,
		struct lt_err *err);
bool lt_json_get_bool(const cJSON *object, const char *key, bool *ret, struct lt_err *err);
/* Optional ones: absent and null leave *ret alone and succeed; so does object NULL. */
bool lt_json_opt_str(const cJSON *object, const char *key, struct lt_str *ret, struct lt_err *err);
bool lt_json_opt_bool(const cJSON *object, const char *key, bool *ret, struct lt_err *err);
bool lt_json_opt_int(const cJSON *object, const char *key, int64_t min, int64_t max, int64_t *ret,
		struct lt_err *err);

/*
 * Deep equality as the original's language has it: 1 and 1.0 are equal, object
 * member order does not matter, texts are compared bytewise. true equals 1.
 */
bool lt_json_equal(const cJSON *a, const cJSON *b);

/*
 * Output is ASCII (\u escapes, surrogate pairs), doubles in their shortest
 * exact form, integers as integers. SPACED is the original's ", " and ": ",
 * needed byte for byte in recordings and compressed states; UTF8 is compact
 * with text left as UTF-8, for the wire; INDENTED is for people, two spaces a
 * level. Whatever the tree holds, the output is JSON: ill-formed UTF-8 becomes
 * U+FFFD, a number that is not finite becomes null.
 */
enum lt_json_style { LT_JSON_SPACED, LT_JSON_COMPACT, LT_JSON_UTF8, LT_JSON_INDENTED };
void lt_json_print(struct lt_buf *buf, const cJSON *value, enum lt_json_style style);

/* Pieces, for text that is written without a tree. */
void lt_json_write_str(struct lt_buf *buf, struct lt_str text);   /* quoted, UTF-8 kept */
void lt_json_write_ascii(struct lt_buf *buf, struct lt_str text); /* quoted, ASCII */
void lt_json_write_double(
		struct lt_buf *buf, double value); /* shortest; 90.0, 1e+16, as the original */

#endif
