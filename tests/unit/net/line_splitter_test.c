#include "net/line_splitter.h"
#include "support/test.h"

/* Feeds `input` in pieces of `step` bytes; the lines come back joined with '|'. */
static void split(struct lt_line_splitter *splitter, struct lt_str input, size_t step,
		struct lt_buf *joined)
{
	while (input.n > 0) {
		struct lt_str piece = { input.p, LT_MIN(step, input.n) };
		struct lt_str line;

		lt_line_splitter_feed(splitter, piece);
		while (lt_line_splitter_next(splitter, &line)) {
			lt_buf_add_str(joined, line);
			lt_buf_add_char(joined, '|');
		}
		input = lt_str_skip(input, piece.n);
	}
	lt_buf_add_c(joined, "");
}

static void assert_split(struct lt_line_splitter like, const char *input, const char *expected)
{
	for (size_t step = 1; step < 12; step++) {
		struct lt_line_splitter splitter = like;
		struct lt_buf joined = { 0 };

		split(&splitter, lt_str_from(input), step, &joined);
		assert_str_equal(lt_buf_str(&joined), expected);
		lt_buf_finish(&joined);
		lt_line_splitter_finish(&splitter);
	}
}

static void every_kind_of_line_end_ends_a_line(void **state)
{
	(void)state;
	assert_split((struct lt_line_splitter){ 0 }, "a\nb\r\nc\r\r\nd\n", "a|b|c|d|");
}

static void a_carriage_return_inside_a_line_stays(void **state)
{
	(void)state;
	assert_split((struct lt_line_splitter){ 0 }, "a\rb\n", "a\rb|");
}

static void blank_lines_are_skipped(void **state)
{
	(void)state;
	assert_split((struct lt_line_splitter){ 0 }, "\n\r\n  \t\r\r\na\n\n", "a|");
}

static void a_line_without_its_end_waits(void **state)
{
	(void)state;
	assert_split((struct lt_line_splitter){ 0 }, "a\nhalf", "a|");
}

static void an_overlong_line_is_dropped_and_counted(void **state)
{
	(void)state;
	for (size_t step = 1; step < 40; step++) {
		struct lt_line_splitter splitter = { .line_max = 5 };
		struct lt_buf joined = { 0 };

		split(&splitter, LT_STR("12345\r\n123456\n1234567890123456789012345\nok\n"), step,
				&joined);
		assert_str_equal(lt_buf_str(&joined), "12345|ok|");
		assert_int_equal(splitter.dropped, 2);
		lt_buf_finish(&joined);
		lt_line_splitter_finish(&splitter);
	}
}

static void a_line_that_never_ends_takes_no_more_than_the_limit(void **state)
{
	struct lt_line_splitter splitter = { .line_max = 100 };
	struct lt_buf joined = { 0 };
	char bytes[1000];

	(void)state;
	memset(bytes, 'x', sizeof(bytes));
	for (int i = 0; i < 1000; i++) {
		split(&splitter, (struct lt_str){ bytes, sizeof(bytes) }, 64, &joined);
	}

	assert_int_equal(splitter.dropped, 1);
	assert_true(splitter.partial.cap < 1024);
	lt_buf_finish(&joined);
	lt_line_splitter_finish(&splitter);
}

static void a_byte_order_mark_is_dropped_only_at_the_start_and_when_asked(void **state)
{
	(void)state;
	assert_split((struct lt_line_splitter){ .skip_bom = true },
			"\xef\xbb\xbf"
			"a\n\xef\xbb\xbf"
			"b\n",
			"a|\xef\xbb\xbf"
			"b|");
	assert_split((struct lt_line_splitter){ 0 },
			"\xef\xbb\xbf"
			"a\n",
			"\xef\xbb\xbf"
			"a|");
}

static void a_reset_forgets_the_half_line(void **state)
{
	struct lt_line_splitter splitter = { 0 };
	struct lt_buf joined = { 0 };

	(void)state;
	split(&splitter, LT_STR("half"), 4, &joined);
	lt_line_splitter_reset(&splitter);
	split(&splitter, LT_STR("whole\n"), 6, &joined);

	assert_str_equal(lt_buf_str(&joined), "whole|");
	lt_buf_finish(&joined);
	lt_line_splitter_finish(&splitter);
}

static void the_last_line_of_a_file_needs_no_end(void **state)
{
	struct lt_line_splitter splitter = { 0 };
	struct lt_buf joined = { 0 };
	struct lt_str line;

	(void)state;
	split(&splitter, LT_STR("a\nlast\r"), 100, &joined);

	assert_true(lt_line_splitter_last(&splitter, &line));
	assert_str_equal(line, "last");
	assert_false(lt_line_splitter_last(&splitter, &line));
	lt_buf_finish(&joined);
	lt_line_splitter_finish(&splitter);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_line_end_ends_a_line),
		cmocka_unit_test(a_carriage_return_inside_a_line_stays),
		cmocka_unit_test(blank_lines_are_skipped),
		cmocka_unit_test(a_line_without_its_end_waits),
		cmocka_unit_test(an_overlong_line_is_dropped_and_counted),
		cmocka_unit_test(a_line_that_never_ends_takes_no_more_than_the_limit),
		cmocka_unit_test(a_byte_order_mark_is_dropped_only_at_the_start_and_when_asked),
		cmocka_unit_test(a_reset_forgets_the_half_line),
		cmocka_unit_test(the_last_line_of_a_file_needs_no_end),
	};

	return cmocka_run_group_tests_name("net/line_splitter", tests, NULL, NULL);
}
