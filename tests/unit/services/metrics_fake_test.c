/* The text that Prometheus reads. */
#include "base/alloc.h"
#include "router/local.h"
#include "router/router.h"
#include "services/web/metrics.h"
#include "support/test.h"
#include "support_fake/loop_fake.h"

#define ROLE "{\"permissions\":[{\"uri\":\"\",\"match\":\"prefix\",\"allow\":{\"publish\":true}}]}"

struct fixture {
	struct lt_loop *loop;
	struct lt_random *random;
	struct lt_router *router;
	struct lt_metrics *metrics;
	struct lt_buf text;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct lt_err err;

	f->loop = lt_loop_create(&err);
	f->random = lt_random_create(7, &err);
	f->router = lt_router_create(&(struct lt_router_env){
			.loop = f->loop, .random = f->random, .agent = "test" });
	assert_true(lt_router_add_realm(f->router, LT_STR("timing"), &err));
	f->metrics = lt_metrics_create(&(struct lt_metrics_env){
			.loop = f->loop, .router = f->router, .version = "1.2" });
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	lt_metrics_destroy(f->metrics);
	lt_router_destroy(f->router);
	lt_random_destroy(f->random);
	lt_loop_destroy(f->loop);
	lt_buf_finish(&f->text);
	free(f);
	return 0;
}

static void expect_line(struct fixture *f, const char *line)
{
	lt_buf_clear(&f->text);
	lt_metrics_write(f->metrics, &f->text);
	if (!strstr(f->text.p, line)) {
		fail_msg("no \"%s\" in:\n%s", line, f->text.p);
	}
}

static void the_version_and_the_start_are_told(void **state)
{
	expect_line(*state, "\nlivetiming_build_info{version=\"1.2\"} 1\n");
	expect_line(*state, "\nprocess_start_time_seconds 1778936400.000\n");
}

static void counters_follow_the_router(void **state)
{
	struct fixture *f = *state;
	struct lt_err err;
	struct lt_local *local = lt_local_join(f->router, LT_STR("timing"), "a", "services", &err);

	expect_line(f, "\nlivetiming_events_published_total 0\n");
	assert_true(lt_local_publish(local, LT_STR("t"), true, LT_STR("[1]"), &err));
	expect_line(f, "\nlivetiming_events_published_total 1\n");
	expect_line(f, "\nlivetiming_retained_topics 1\n");
	expect_line(f, "\nlivetiming_sessions{role=\"services\"} 1\n");
	expect_line(f, "\nlivetiming_transport_sessions{transport=\"local\"} 1\n");
	lt_local_leave(local);
	expect_line(f, "\nlivetiming_sessions{role=\"services\"} 0\n");
}

static void every_limit_has_a_counter(void **state)
{
	for (size_t i = 0; i < LT_LIMITS_COUNT; i++) {
		char line[200];

		snprintf(line, sizeof(line), "\nlivetiming_limit_hits_total{limit=\"%s\"} 0\n",
				lt_limit_names[i]);
		expect_line(*state, line);
	}
}

static void names_from_the_configuration_are_escaped(void **state)
{
	struct fixture *f = *state;
	struct lt_err err;

	assert_true(lt_router_set_permissions(
			f->router, LT_STR("{\"roles\":{\"a\\\"\\\\\\nb\":" ROLE "}}"), &err));

	expect_line(f, "\nlivetiming_sessions{role=\"a\\\"\\\\\\nb\"} 0\n");
}

static void the_histogram_of_the_loop_ends_in_its_count(void **state)
{
	expect_line(*state,
			"\nlivetiming_loop_lag_seconds_bucket{le=\"+Inf\"} 0\n"
			"livetiming_loop_lag_seconds_sum 0\n"
			"livetiming_loop_lag_seconds_count 0\n");
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_version_and_the_start_are_told),
		TEST(counters_follow_the_router),
		TEST(every_limit_has_a_counter),
		TEST(names_from_the_configuration_are_escaped),
		TEST(the_histogram_of_the_loop_ends_in_its_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
