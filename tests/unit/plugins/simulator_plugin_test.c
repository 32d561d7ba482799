#include "fake_host.h"
#include "race/field/field.h"

static const void *field_alone(const char *id)
{
	return strcmp(id, LT_EXT_FIELD) == 0 ? &lt_field_table : NULL;
}

static void the_first_update_shows_a_race_in_progress(void **state)
{
	static const char *const options[] = { NULL };
	struct lt_host host = { .extension = field_alone };

	(void)state;
	assert_int_equal(fake_start(&host, options), 0);
	host.desc->ops->update(host.self);

	assert_int_equal(host.published, 1);
	assert_int_equal(host.rows, 32);
	assert_int_equal(host.short_rows, 0);
	assert_string_equal(host.description, "6 Hours of Port Ellery");
	assert_int_equal(host.texts, 0);
	fake_end(&host);
}

static void the_next_race_is_a_new_session_under_its_own_name(void **state)
{
	static const char *const options[] = { "duration", "5", "speed", "1000", "start-at", "0",
		NULL };
	struct lt_host host = { .extension = field_alone };

	(void)state;
	assert_int_equal(fake_start(&host, options), 0);
	host.desc->ops->update(host.self);
	fake_run(&host, 1000);

	assert_int_equal(host.sessions, 1);
	assert_true(host.described >= 2);
	fake_end(&host);
}

static void a_far_start_is_reached_in_slices(void **state)
{
	static const char *const options[] = { "start-at", "21000", "cars", "100", NULL };
	struct lt_host host = { .extension = field_alone };

	(void)state;
	assert_int_equal(fake_start(&host, options), 0);
	host.desc->ops->update(host.self);
	assert_int_equal(host.published, 0);
	fake_run(&host, 100);

	assert_int_equal(host.published, 1);
	fake_end(&host);
}

static void a_bad_class_list_is_refused_with_a_reason(void **state)
{
	static const char *const options[] = { "classes", "GT3,,GT4", NULL };
	struct lt_host host = { .extension = field_alone };

	(void)state;
	assert_int_equal(fake_start(&host, options), -1);

	assert_non_null(strstr(host.reason, "--classes"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_update_shows_a_race_in_progress),
		cmocka_unit_test(the_next_race_is_a_new_session_under_its_own_name),
		cmocka_unit_test(a_far_start_is_reached_in_slices),
		cmocka_unit_test(a_bad_class_list_is_refused_with_a_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
