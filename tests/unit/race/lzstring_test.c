#include "base/fsutil.h"
#include "base/json_scan.h"
#include "race/lzstring.h"
#include "support/golden.h"
#include "support/test.h"

#define BIG (64u * 1024 * 1024)

/* One pair of the reference data, with zero bytes kept, which trees cannot hold. */
struct pair {
	struct lt_buf input, compressed, newer, js; /* by three implementations */
	bool round_trip;
};

static void pair_finish(struct pair *pair)
{
	lt_buf_finish(&pair->input);
	lt_buf_finish(&pair->compressed);
	lt_buf_finish(&pair->newer);
	lt_buf_finish(&pair->js);
}

static struct pair read_pair(struct lt_json_scan *scan)
{
	struct pair pair = { 0 };
	struct lt_json_slice key, value;

	assert_true(lt_json_scan_enter(scan, LT_JSON_OBJECT, NULL));
	while (lt_json_scan_more(scan)) {
		assert_true(lt_json_scan_key(scan, &key, NULL));
		assert_true(lt_json_scan_value(scan, &value, NULL));
		struct lt_str name = lt_json_slice_plain(&key);

		if (lt_str_eq_c(name, "input")) {
			lt_json_slice_text(&value, &pair.input);
		} else if (lt_str_eq_c(name, "compressed")) {
			lt_json_slice_text(&value, &pair.compressed);
		} else if (lt_str_eq_c(name, "lzstring_1_0_4")) {
			lt_json_slice_text(&value, &pair.newer);
		} else if (lt_str_eq_c(name, "js_1_5")) {
			lt_json_slice_text(&value, &pair.js);
		} else if (lt_str_eq_c(name, "python_round_trip")) {
			pair.round_trip = value.kind == LT_JSON_TRUE;
		}
	}
	assert_true(lt_json_scan_leave(scan, NULL));
	return pair;
}

/* What a browser makes of the input; the data says "same" instead of repeating a text. */
static const struct lt_buf *browser_text(const struct pair *pair)
{
	bool as_newer = lt_str_eq_c(lt_buf_str(&pair->js), "same as lzstring_1_0_4");
	const struct lt_buf *text = as_newer ? &pair->newer : &pair->js;

	return lt_str_eq_c(lt_buf_str(text), "same") ? &pair->compressed : text;
}

static size_t for_each_pair(void (*check)(const struct pair *pair))
{
	char *path = shared_path("golden/lzstring_pairs.json");
	struct lt_buf content = { 0 };
	struct lt_json_scan scan;
	size_t count = 0;

	assert_true(lt_file_read(path, BIG, &content, NULL));
	assert_true(lt_json_scan_init(&scan, lt_buf_str(&content), 8, NULL));
	assert_true(lt_json_scan_enter(&scan, LT_JSON_ARRAY, NULL));
	while (lt_json_scan_more(&scan)) {
		struct pair pair = read_pair(&scan);

		check(&pair);
		pair_finish(&pair);
		count++;
	}
	assert_true(lt_json_scan_leave(&scan, NULL));
	lt_buf_finish(&content);
	free(path);
	return count;
}

static void assert_bytes_equal(const struct lt_buf *actual, const struct lt_buf *expected)
{
	assert_int_equal(actual->n, expected->n);
	if (expected->n) {
		assert_memory_equal(actual->p, expected->p, expected->n);
	}
}

static void check_compress(const struct pair *pair)
{
	struct lt_buf out = { 0 };

	lt_lzstring_compress(&out, lt_buf_str(&pair->input));

	assert_bytes_equal(&out, browser_text(pair));
	lt_buf_finish(&out);
}

static void check_decompress_one(const struct lt_buf *compressed, const struct lt_buf *expected)
{
	struct lt_err err = { .code = LT_E_NONE };
	struct lt_buf out = { 0 };

	if (!lt_lzstring_decompress(&out, lt_buf_str(compressed), BIG, &err)) {
		fail_msg("%s", err.msg);
	}
	assert_bytes_equal(&out, expected);
	lt_buf_finish(&out);
}

static void check_decompress(const struct pair *pair)
{
	if (pair->round_trip) {
		check_decompress_one(&pair->compressed, &pair->input);
	}
	check_decompress_one(browser_text(pair), &pair->input);
}

static void compresses_exactly_as_browsers_do(void **state)
{
	(void)state;
	assert_true(for_each_pair(check_compress) >= 28);
}

static void decompresses_both_forms_of_ending(void **state)
{
	(void)state;
	assert_true(for_each_pair(check_decompress) >= 28);
}

static void compressing_appends(void **state)
{
	struct lt_buf out = { 0 };
	(void)state;

	lt_buf_add_c(&out, "x");
	lt_lzstring_compress(&out, LT_STR("a"));

	assert_str_equal(lt_buf_str(&out), "x\u10e8 ");
	lt_buf_finish(&out);
}

/* A generator of our own: the texts are the same in every run. */
static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

static void every_text_survives_the_round_trip(void **state)
{
	static const uint32_t alphabets[][2] = { { 'a', 2 }, { ' ', 90 }, { 0xE0, 400 },
		{ 0x1F3CE, 50 }, { 0x4E00, 20000 } };
	uint32_t seed = 7;
	(void)state;

	for (size_t run = 0; run < 200; run++) {
		const uint32_t *alphabet = alphabets[run % LT_ARRAY_LEN(alphabets)];
		struct lt_buf text = { 0 }, compressed = { 0 };

		for (size_t i = 0; i < run * 40; i++) {
			lt_buf_add_utf8(&text, alphabet[0] + next_random(&seed) % alphabet[1]);
		}
		lt_lzstring_compress(&compressed, lt_buf_str(&text));
		assert_true(lt_utf8_valid(lt_buf_str(&compressed)));
		check_decompress_one(&compressed, &text);
		lt_buf_finish(&text);
		lt_buf_finish(&compressed);
	}
}

static void broken_compressed_texts_are_refused(void **state)
{
	static const struct {
		const char *text;
		const char *error;
	} cases[] = {
		{ "", "compressed text: no end marker" },
		{ "\u10f9", "compressed text: no end marker" },
		{ "\t", "compressed text: bad character at byte 0" },
		{ "\u10f9\n", "compressed text: bad character at byte 3" },
		{ "\u9000", "compressed text: bad character at byte 0" },
		{ "\U0001F3CE", "compressed text: bad character at byte 0" },
		{ "\u8000", "compressed text: bad code at byte 3" }, /* begins with code 3 */
	};
	(void)state;

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		struct lt_err err = { .code = LT_E_NONE };
		struct lt_buf out = { 0 };

		assert_false(lt_lzstring_decompress(&out, lt_str_from(cases[i].text), BIG, &err));
		assert_string_equal(err.msg, cases[i].error);
		assert_int_equal(err.code, LT_E_FORMAT);
		assert_int_equal(out.n, 0);
		lt_buf_finish(&out);
	}
}

static void every_cut_of_a_compressed_text_is_refused_or_whole(void **state)
{
	struct lt_buf compressed = { 0 };
	(void)state;

	lt_lzstring_compress(
			&compressed, LT_STR("{\"cars\": [[\"7\", \"RUN\"]], \"a\": \"aaaa\"}"));
	for (size_t n = 0; n + 4 < compressed.n; n++) {
		struct lt_buf out = { 0 };

		assert_false(lt_lzstring_decompress(
				&out, (struct lt_str){ compressed.p, n }, BIG, NULL));
		lt_buf_finish(&out);
	}
	lt_buf_finish(&compressed);
}

static void a_result_over_the_limit_is_refused(void **state)
{
	struct lt_err err = { .code = LT_E_NONE };
	struct lt_buf text = { 0 }, compressed = { 0 }, out = { 0 };
	(void)state;

	for (size_t i = 0; i < 100000; i++) {
		lt_buf_add_c(&text, "\u00e9");
	}
	lt_lzstring_compress(&compressed, lt_buf_str(&text));
	assert_true(compressed.n < 1000);

	/* one limit is met by the count of characters, the other by that of bytes */
	assert_false(lt_lzstring_decompress(&out, lt_buf_str(&compressed), 99999, &err));
	assert_int_equal(err.code, LT_E_LIMIT);
	assert_false(lt_lzstring_decompress(&out, lt_buf_str(&compressed), 199999, &err));
	assert_string_equal(err.msg, "compressed text: the result is over 199999 bytes");
	assert_int_equal(out.n, 0);
	assert_true(lt_lzstring_decompress(&out, lt_buf_str(&compressed), 200000, &err));
	lt_buf_finish(&text);
	lt_buf_finish(&compressed);
	lt_buf_finish(&out);
}

static void unpaired_surrogates_become_replacement_characters(void **state)
{
	/* code 1, then 16 bits of 0xD83C, lowest first, then the end marker */
	uint32_t bits[] = { 1, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 1, 1, 0, 1, 1, 0, 1, 0 };
	struct lt_buf compressed = { 0 }, out = { 0 };
	uint32_t value = 0;
	(void)state;

	for (size_t i = 0; i < 30; i++) {
		value = value << 1 | (i < LT_ARRAY_LEN(bits) ? bits[i] : 0);
		if (i % 15 == 14) {
			lt_buf_add_utf8(&compressed, value + 32);
			value = 0;
		}
	}
	assert_true(lt_lzstring_decompress(&out, lt_buf_str(&compressed), BIG, NULL));

	assert_str_equal(lt_buf_str(&out), "\uFFFD");
	lt_buf_finish(&compressed);
	lt_buf_finish(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compresses_exactly_as_browsers_do),
		cmocka_unit_test(decompresses_both_forms_of_ending),
		cmocka_unit_test(compressing_appends),
		cmocka_unit_test(every_text_survives_the_round_trip),
		cmocka_unit_test(broken_compressed_texts_are_refused),
		cmocka_unit_test(every_cut_of_a_compressed_text_is_refused_or_whole),
		cmocka_unit_test(a_result_over_the_limit_is_refused),
		cmocka_unit_test(unpaired_surrogates_become_replacement_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
