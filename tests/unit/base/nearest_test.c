#include "base/nearest.h"
#include "support/test.h"

static const char *nearest_of(const char *wanted)
{
	struct lt_nearest nearest = { .wanted = lt_str_from(wanted) };

	lt_nearest_offer(&nearest, "simulator");
	lt_nearest_offer(&nearest, "replay");
	lt_nearest_offer(&nearest, "rmonitor");
	return nearest.best;
}

static void a_slip_finds_the_name(void **state)
{
	(void)state;
	assert_string_equal(nearest_of("simulatr"), "simulator");
	assert_string_equal(nearest_of("relpay"), "replay");
	assert_string_equal(nearest_of("rmonitr"), "rmonitor");
}

static void another_name_finds_nothing(void **state)
{
	char longest[100];

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';

	assert_null(nearest_of("banana"));
	assert_null(nearest_of(longest));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_slip_finds_the_name),
		cmocka_unit_test(another_name_finds_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
