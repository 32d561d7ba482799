#include "base/alloc.h"
#include "base/ctl_proto.h"
#include "support/test.h"

static void lines_are_taken_one_by_one_as_they_complete(void **state)
{
	LT_AUTO(lt_buf_finish) struct lt_buf input = { 0 };
	struct lt_str line;
	size_t used = 0;
	struct lt_err err = { .code = LT_E_IO };
	(void)state;

	assert_false(lt_ctl_next_line(&input, &line, &used, &err));
	assert_int_equal(err.code, LT_E_NONE);
	lt_buf_add_c(&input, "{\"verb\":\"status\"}\n\n{\"ver");
	assert_true(lt_ctl_next_line(&input, &line, &used, &err));
	assert_str_equal(line, "{\"verb\":\"status\"}");
	lt_buf_remove_front(&input, used);
	assert_true(lt_ctl_next_line(&input, &line, &used, &err));
	assert_str_equal(line, "");
	lt_buf_remove_front(&input, used);
	err.code = LT_E_IO;
	assert_false(lt_ctl_next_line(&input, &line, &used, &err));
	assert_int_equal(err.code, LT_E_NONE);
	lt_buf_add_c(&input, "b\":1}\n");
	assert_true(lt_ctl_next_line(&input, &line, &used, &err));
	assert_str_equal(line, "{\"verb\":1}");
	assert_int_equal(used, input.n);
}

static void the_longest_line_passes_and_one_byte_more_ends_it(void **state)
{
	LT_AUTO(lt_buf_finish) struct lt_buf input = { 0 };
	struct lt_str line;
	size_t used = 0;
	struct lt_err err = { 0 };
	(void)state;
	lt_buf_reserve(&input, LT_CTL_LINE_MAX + 2);
	memset(input.p, 'x', LT_CTL_LINE_MAX + 1);
	input.n = LT_CTL_LINE_MAX;

	assert_false(lt_ctl_next_line(&input, &line, &used, &err));
	assert_int_equal(err.code, LT_E_NONE);
	input.p[LT_CTL_LINE_MAX] = '\n';
	input.n++;
	assert_true(lt_ctl_next_line(&input, &line, &used, &err));
	assert_int_equal(line.n, LT_CTL_LINE_MAX);
	input.p[LT_CTL_LINE_MAX] = 'x';
	input.p[LT_CTL_LINE_MAX + 1] = '\n';
	assert_false(lt_ctl_next_line(&input, &line, &used, &err));
	assert_int_equal(err.code, LT_E_LIMIT);
	assert_string_equal(err.msg, "control line longer than 1048576 bytes");
}

static void lines_that_are_not_utf8_are_refused(void **state)
{
	LT_AUTO(lt_buf_finish) struct lt_buf input = { 0 };
	struct lt_str line;
	size_t used = 0;
	struct lt_err err = { 0 };
	(void)state;

	lt_buf_add_c(&input, "ab\xC3\n");

	assert_false(lt_ctl_next_line(&input, &line, &used, &err));
	assert_int_equal(err.code, LT_E_FORMAT);
	assert_string_equal(err.msg, "control line is not well-formed UTF-8 at byte 2");
}

static void the_socket_path_is_found_in_order(void **state)
{
	static const struct {
		const char *given, *env, *runtime, *path;
	} cases[] = {
		{ "/a", "/b", "/c", "/a" },
		{ NULL, "/b", "/c", "/b" },
		{ "", "/b", "/c", "/b" },
		{ NULL, NULL, "/c", "/c/livetimingd.sock" },
		{ NULL, "", "/c", "/c/livetimingd.sock" },
		{ NULL, NULL, NULL, "/run/livetimingd/control.sock" },
		{ "", "", "", "/run/livetimingd/control.sock" },
	};
	(void)state;

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		char *path = lt_ctl_socket_path(cases[i].given, cases[i].env, cases[i].runtime);

		assert_string_equal(path, cases[i].path);
		lt_free(path);
	}
}

static void every_error_class_has_a_name_that_reads_back(void **state)
{
	(void)state;

	for (int code = LT_E_NONE; code <= LT_E_URI; code++) {
		const char *name = lt_errc_name((enum lt_errc)code);

		assert_non_null(name);
		assert_int_equal(lt_errc_parse(lt_str_from(name)), code);
	}
	assert_string_equal(lt_errc_name(LT_E_NOT_FOUND), "not_found");
}

static void unknown_classes_are_invalid(void **state)
{
	(void)state;

	assert_int_equal(lt_errc_parse(LT_STR("sideways")), LT_E_INVALID);
	assert_int_equal(lt_errc_parse(LT_STR("")), LT_E_INVALID);
	assert_string_equal(lt_errc_name((enum lt_errc)999), "invalid");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_taken_one_by_one_as_they_complete),
		cmocka_unit_test(the_longest_line_passes_and_one_byte_more_ends_it),
		cmocka_unit_test(lines_that_are_not_utf8_are_refused),
		cmocka_unit_test(the_socket_path_is_found_in_order),
		cmocka_unit_test(every_error_class_has_a_name_that_reads_back),
		cmocka_unit_test(unknown_classes_are_invalid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
