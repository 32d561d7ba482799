#include "base/fsutil.h"
#include "calendar/zone.h"
#include "support/test.h"

/* Date and time counted as if it were UTC. */
static int64_t at(int year, int month, int day, int hour, int minute)
{
	return lt_days_from_date(year, month, day) * 86400 + hour * 3600 + minute * 60;
}

static struct lt_zone posix(const char *text)
{
	struct lt_zone zone;
	struct lt_err err = { 0 };

	if (!lt_zone_parse_posix(lt_str_from(text), &zone, &err)) {
		fail_msg("%s", err.msg);
	}
	return zone;
}

static void dates_and_days_are_each_others_reverse(void **state)
{
	(void)state;
	assert_int_equal(lt_days_from_date(1970, 1, 1), 0);
	assert_int_equal(lt_days_from_date(2024, 2, 29), 19782);
	for (int64_t days = -800000; days < 800000; days += 97) {
		int64_t year;
		int month, day;

		lt_date_from_days(days, &year, &month, &day);
		assert_int_equal(lt_days_from_date(year, month, day), days);
	}
}

static void summer_time_begins_and_ends_by_the_rules(void **state)
{
	struct lt_zone zone = posix("CET-1CEST,M3.5.0,M10.5.0/3");

	(void)state;
	assert_int_equal(lt_zone_offset(&zone, at(2026, 3, 29, 0, 59)), 3600);
	assert_int_equal(lt_zone_offset(&zone, at(2026, 3, 29, 1, 0)), 7200);
	assert_int_equal(lt_zone_offset(&zone, at(2026, 10, 25, 0, 59)), 7200);
	assert_int_equal(lt_zone_offset(&zone, at(2026, 10, 25, 1, 0)), 3600);
	assert_int_equal(lt_zone_offset(&zone, at(2099, 7, 1, 0, 0)), 7200);
	lt_zone_finish(&zone);
}

static void every_form_of_rule_is_understood(void **state)
{
	struct lt_zone zone = posix("<-03>3<-02>,J60/0,299/25");

	(void)state;
	/* J60 is the first of March in every year; 299 counts the leap day */
	assert_int_equal(lt_zone_offset(&zone, at(2024, 3, 1, 2, 59)), -10800);
	assert_int_equal(lt_zone_offset(&zone, at(2024, 3, 1, 3, 0)), -7200);
	assert_int_equal(lt_zone_offset(&zone, at(2025, 3, 1, 3, 0)), -7200);
	assert_int_equal(lt_zone_offset(&zone, at(2024, 10, 27, 2, 59)), -7200);
	assert_int_equal(lt_zone_offset(&zone, at(2024, 10, 27, 3, 0)), -10800);
	lt_zone_finish(&zone);
	zone = posix("EST5EDT"); /* without rules: those of the United States */
	assert_int_equal(lt_zone_offset(&zone, at(2026, 7, 1, 0, 0)), -4 * 3600);
	lt_zone_finish(&zone);
	zone = posix("UTC0");
	assert_int_equal(lt_zone_offset(&zone, at(2026, 7, 1, 0, 0)), 0);
	lt_zone_finish(&zone);
}

static void a_time_that_occurs_twice_is_the_first(void **state)
{
	struct lt_zone zone = posix("CET-1CEST,M3.5.0,M10.5.0/3");

	(void)state;
	assert_int_equal(lt_zone_to_utc(&zone, at(2026, 10, 25, 2, 30)), at(2026, 10, 25, 0, 30));
	assert_int_equal(lt_zone_to_utc(&zone, at(2026, 10, 25, 3, 0)), at(2026, 10, 25, 2, 0));
	lt_zone_finish(&zone);
}

static void a_time_that_is_skipped_counts_with_the_offset_before(void **state)
{
	struct lt_zone zone = posix("CET-1CEST,M3.5.0,M10.5.0/3");

	(void)state;
	assert_int_equal(lt_zone_to_utc(&zone, at(2026, 3, 29, 2, 30)), at(2026, 3, 29, 1, 30));
	assert_int_equal(lt_zone_to_utc(&zone, at(2026, 3, 29, 3, 0)), at(2026, 3, 29, 1, 0));
	assert_int_equal(lt_zone_to_utc(&zone, at(2026, 3, 29, 1, 59)), at(2026, 3, 29, 0, 59));
	lt_zone_finish(&zone);
}

/* Several systems' zones, named in any of the usual ways. */
static void zones_of_the_system_are_found_by_name(void **state)
{
	static const char *const names[] = { "Europe/Paris", ":Europe/Paris",
		"/vendor.example/20260101_1/Europe/Paris" };
	struct lt_zone zone;
	struct lt_err err = { 0 };

	(void)state;
	if (!lt_zone_load(NULL, LT_STR("Europe/Paris"), &zone, &err)) {
		print_message("no zones are installed: skipped\n");
		skip();
	}
	lt_zone_finish(&zone);
	for (size_t i = 0; i < LT_ARRAY_LEN(names); i++) {
		assert_true(lt_zone_load(NULL, lt_str_from(names[i]), &zone, &err));
		assert_int_equal(lt_zone_offset(&zone, at(2026, 7, 1, 0, 0)), 7200);
		assert_int_equal(lt_zone_offset(&zone, at(2026, 1, 1, 0, 0)), 3600);
		assert_int_equal(lt_zone_offset(&zone, at(2080, 7, 1, 0, 0)), 7200);
		lt_zone_finish(&zone);
	}
}

static void names_that_are_no_zone_are_refused(void **state)
{
	static const char *const names[] = { "Nowhere/City", "", "../../../etc/passwd",
		"/etc/passwd", "Europe", "X", "CET-1CEST,M13.1.0,M10.5.0", "CET-1CEST,M3.5.0",
		"CET-99", "CET-1CEST,M3.5.0,M10.5.0/3junk" };
	struct lt_zone zone;

	(void)state;
	for (size_t i = 0; i < LT_ARRAY_LEN(names); i++) {
		struct lt_err err = { 0 };

		if (lt_zone_load(NULL, lt_str_from(names[i]), &zone, &err)) {
			fail_msg("%s was accepted", names[i]);
		}
		assert_int_equal(err.code, LT_E_NOT_FOUND);
	}
}

static void broken_zone_files_are_refused(void **state)
{
	char bytes[200] = "TZif2";
	struct lt_zone zone;
	struct lt_err err = { 0 };

	(void)state;
	for (size_t n = 0; n < sizeof(bytes); n++) {
		assert_false(lt_zone_parse_tzif((struct lt_str){ bytes, n }, &zone, &err));
	}
	memset(bytes + 5, 0x7F, sizeof(bytes) - 5);
	assert_false(lt_zone_parse_tzif((struct lt_str){ bytes, sizeof(bytes) }, &zone, &err));
	assert_string_equal(err.msg, "no compiled time zone");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dates_and_days_are_each_others_reverse),
		cmocka_unit_test(summer_time_begins_and_ends_by_the_rules),
		cmocka_unit_test(every_form_of_rule_is_understood),
		cmocka_unit_test(a_time_that_occurs_twice_is_the_first),
		cmocka_unit_test(a_time_that_is_skipped_counts_with_the_offset_before),
		cmocka_unit_test(zones_of_the_system_are_found_by_name),
		cmocka_unit_test(names_that_are_no_zone_are_refused),
		cmocka_unit_test(broken_zone_files_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
