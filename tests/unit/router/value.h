/*
 * Values for the tests of serializers: bytes written in hexadecimal, their
 * JSON form, and a generator that makes the same values in every run.
 */
#ifndef LT_TESTS_UNIT_ROUTER_VALUE_H
#define LT_TESTS_UNIT_ROUTER_VALUE_H

#include <math.h>

#include "base/alloc.h"
#include "base/json.h"
#include "router/binary.h"
#include "router/transcode.h"
#include "router/wamp_msg.h"
#include "support/test.h"

/* "93 01 02 03", spaces ignored; finish it. */
static inline struct lt_buf from_hex(const char *hex)
{
	struct lt_buf bytes = { 0 };
	char digits[3] = { 0 };
	size_t n = 0;

	for (; *hex; hex++) {
		if (*hex != ' ') {
			digits[n++ % 2] = *hex;
			if (n % 2 == 0) {
				lt_buf_add_char(&bytes, (char)strtoul(digits, NULL, 16));
			}
		}
	}
	return bytes;
}

static inline struct lt_buf to_hex(struct lt_str bytes)
{
	struct lt_buf hex = { 0 };

	for (size_t i = 0; i < bytes.n; i++) {
		lt_buf_printf(&hex, "%02x", (uint8_t)bytes.p[i]);
	}
	lt_buf_add_c(&hex, "");
	return hex;
}

/* The encoded value is this JSON text. */
static inline void expect_json(const struct lt_binary *format, const char *hex, const char *json)
{
	struct lt_buf bytes = from_hex(hex), text = { 0 };
	struct lt_err err = { 0 };

	if (!lt_transcode(format, lt_buf_str(&bytes), NULL, &text, &err)) {
		fail_msg("%s: %s", hex, err.msg);
	}
	if (!lt_str_eq_c(lt_buf_str(&text), json)) {
		fail_msg("%s: expected %s, got %s", hex, json, text.p);
	}
	lt_buf_finish(&bytes);
	lt_buf_finish(&text);
}

/* The JSON text is written as these bytes. */
static inline void expect_hex(const struct lt_binary *format, const char *json, const char *hex)
{
	struct lt_buf bytes = { 0 }, expected = from_hex(hex);
	struct lt_err err = { 0 };

	if (!lt_transcode(NULL, lt_str_from(json), format, &bytes, &err)) {
		fail_msg("%s: %s", json, err.msg);
	}

	struct lt_buf got = to_hex(lt_buf_str(&bytes)), wanted = to_hex(lt_buf_str(&expected));

	if (!lt_str_eq(lt_buf_str(&got), lt_buf_str(&wanted))) {
		fail_msg("%s: expected %s, got %s", json, wanted.p, got.p);
	}
	lt_buf_finish(&bytes);
	lt_buf_finish(&expected);
	lt_buf_finish(&got);
	lt_buf_finish(&wanted);
}

/* The bytes are no value, and the sentence says so. */
static inline void expect_broken(
		const struct lt_binary *format, struct lt_str bytes, const char *sentence)
{
	struct lt_buf text = { 0 };
	struct lt_err err = { 0 };

	lt_buf_add_c(&text, "before");
	assert_false(lt_transcode(format, bytes, NULL, &text, &err));
	if (!strstr(err.msg, sentence)) {
		fail_msg("expected \"%s\", got \"%s\"", sentence, err.msg);
	}
	assert_str_equal(lt_buf_str(&text), "before");
	lt_buf_finish(&text);
}

static inline void expect_broken_hex(
		const struct lt_binary *format, const char *hex, const char *sentence)
{
	struct lt_buf bytes = from_hex(hex);

	expect_broken(format, lt_buf_str(&bytes), sentence);
	lt_buf_finish(&bytes);
}

/* A message is refused with this sentence. */
static inline void expect_refused(
		const struct lt_serializer *serializer, struct lt_str message, const char *sentence)
{
	struct lt_msg_scratch scratch = { 0 };
	struct lt_msg msg;
	struct lt_err err = { 0 };

	if (lt_msg_decode(serializer, message, 64, &scratch, &msg, &err)) {
		fail_msg("accepted instead of \"%s\"", sentence);
	}
	if (!strstr(err.msg, sentence)) {
		fail_msg("expected \"%s\", got \"%s\"", sentence, err.msg);
	}
	lt_msg_scratch_finish(&scratch);
}

/* --- generator --- */

static inline uint64_t next_random(uint64_t *state)
{
	uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static inline void add_random_text(struct lt_buf *json, uint64_t *state)
{
	static const uint32_t chars[] = { 'a', ' ', '"', '\\', '\n', 0, 1, 0x7f, 0xe9, 0x20ac,
		0xffff, 0x1f3c1, 0x10ffff };
	struct lt_buf text = { 0 };
	size_t n = next_random(state) % (next_random(state) % 16 == 0 ? 300 : 12);

	lt_buf_add_c(&text, "x");
	for (size_t i = 0; i < n; i++) {
		lt_buf_add_utf8(&text, chars[next_random(state) % LT_ARRAY_LEN(chars)]);
	}
	lt_json_write_str(json, lt_buf_str(&text));
	lt_buf_finish(&text);
}

static inline void add_random_number(struct lt_buf *json, uint64_t *state)
{
	uint64_t bits = next_random(state), more = next_random(state);
	int64_t integer;
	double number;

	switch (more % 4) {
	case 0:
		lt_buf_printf(json, "%llu", (unsigned long long)(bits >> (more >> 8) % 64));
		return;
	case 1:
		lt_buf_printf(json, "%lld", (long long)bits >> (more >> 8) % 64);
		return;
	case 2:
		lt_json_write_double(json, (double)(int)(bits % 2000000) / 1000);
		return;
	default:
		memcpy(&number, &bits, sizeof(number));
		if (!isfinite(number) || lt_float_is_integer(number, &integer)) {
			number = 0.5;
		}
		lt_json_write_double(json, number);
	}
}

/* A JSON text as our own writer would have written it, so that texts can be compared. */
static inline void add_random_json(struct lt_buf *json, uint64_t *state, int depth)
{
	static const char *const words[] = { "null", "true", "false", "\"\\u0000AAEC/w==\"",
		"\"\\u0000\"" };
	uint64_t kind = next_random(state) % (depth > 0 ? 8 : 4);
	size_t n = next_random(state) % (next_random(state) % 32 == 0 ? 40 : 6);

	if (kind == 0) {
		lt_buf_add_c(json, words[next_random(state) % LT_ARRAY_LEN(words)]);
	} else if (kind == 1) {
		add_random_text(json, state);
	} else if (kind < 4) {
		add_random_number(json, state);
	} else {
		lt_buf_add_char(json, kind < 6 ? '[' : '{');
		for (size_t i = 0; i < n; i++) {
			lt_buf_add_c(json, i > 0 ? "," : "");
			if (kind >= 6) {
				add_random_text(json, state);
				lt_buf_add_char(json, ':');
			}
			add_random_json(json, state, depth - 1);
		}
		lt_buf_add_char(json, kind < 6 ? ']' : '}');
	}
}

#endif
