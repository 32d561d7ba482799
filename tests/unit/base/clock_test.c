#include "base/clock.h"
#include "support/test.h"

static void assert_format(int64_t us, const char *expected)
{
	char text[LT_WALL_TEXT];

	lt_wall_format((struct lt_wall){ us }, text);

	assert_string_equal(text, expected);
}

static void a_wall_time_is_written_as_utc_with_milliseconds(void **state)
{
	(void)state;
	assert_format(INT64_C(1778936400123456), "2026-05-16T13:00:00.123Z");
}

static void times_before_1970_round_down(void **state)
{
	(void)state;
	assert_format(0, "1970-01-01T00:00:00.000Z");
	assert_format(-1, "1969-12-31T23:59:59.999Z");
}

static void times_outside_four_digit_years_stay_within_the_buffer(void **state)
{
	(void)state;
	assert_format(INT64_MAX, "9999-12-31T23:59:59.775Z");
	assert_format(INT64_MIN, "0000-01-01T00:00:00.224Z");
}

static void monotonic_time_does_not_run_backwards(void **state)
{
	int64_t first = lt_clock_mono().us;

	(void)state;
	assert_true(lt_clock_mono().us >= first);
}

static void the_wall_clock_is_after_this_was_written(void **state)
{
	(void)state;
	assert_true(lt_wall_s(lt_clock_wall()) > INT64_C(1700000000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_wall_time_is_written_as_utc_with_milliseconds),
		cmocka_unit_test(times_before_1970_round_down),
		cmocka_unit_test(times_outside_four_digit_years_stay_within_the_buffer),
		cmocka_unit_test(monotonic_time_does_not_run_backwards),
		cmocka_unit_test(the_wall_clock_is_after_this_was_written),
	};

	return cmocka_run_group_tests_name("base/clock", tests, NULL, NULL);
}
