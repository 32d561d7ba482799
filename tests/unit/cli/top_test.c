/* The picture of `livetimingctl top`, and the rates in it. */
#include "base/alloc.h"
#include "cli/top.h"
#include "support/test.h"

#define STATUS(pid, sent, lag)                                                                     \
	"{\"version\":\"1.0\",\"pid\":" pid ",\"uptime_s\":60,\"ready\":true,\"router\":{"         \
	"\"sessions\":3,\"connections\":2,\"events_sent\":" sent                                   \
	",\"slow_peers_ended\":1},\"recordings\":{\"enabled\":true},\"loop\":{\"lag\":" lag "}}"
#define OWN                                                                                        \
	"[{\"uuid\":\"a\",\"name\":\"Alpha\",\"serviceClass\":\"sim\",\"status\":\"running\","     \
	"\"stale\":false,\"lastUpdated\":99000,\"updates\":5,\"cars\":32,\"flag\":\"green\"},"     \
	"{\"uuid\":\"b\",\"name\":\"\",\"serviceClass\":\"rm\",\"status\":\"failed\",\"reason\":"  \
	"\"no such file\",\"lastUpdated\":null,\"updates\":0},"                                    \
	"{\"uuid\":\"c\",\"name\":\"Gamma\",\"serviceClass\":\"rm\",\"status\":\"running\","       \
	"\"stale\":true,\"staleReason\":\"nothing comes\",\"lastUpdated\":40000,\"updates\":2}]"
#define LISTED                                                                                     \
	"[{\"uuid\":\"a\",\"name\":\"Alpha\",\"age_ms\":1},"                                       \
	"{\"uuid\":\"z\",\"name\":\"Omega\",\"description\":\"far\",\"age_ms\":2500}]"
#define RECORDING "{\"inProgress\":[{\"uuid\":\"a\",\"status\":\"failing\"}]}"

static cJSON *parse(const char *text)
{
	struct lt_err err = { 0 };
	cJSON *json = lt_json_parse(lt_str_from(text), &err);

	if (!json) {
		fail_msg("%s", err.msg);
	}
	return json;
}

static struct lt_top_sample sample(const char *status, const char *services, int64_t at_s)
{
	return (struct lt_top_sample){
		.status = parse(status),
		.services = parse(services),
		.listed = parse(LISTED),
		.recordings = parse(RECORDING),
		.at_us = at_s * 1000000,
		.now_ms = 100000,
	};
}

struct fixture {
	struct lt_top_sample before, now;
	struct lt_top_screen screen;
	struct lt_buf text;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->before = sample(STATUS("7", "100", "[[1000,90],[null,0]]"), "[]", 10);
	f->now = sample(STATUS("7", "300", "[[1000,100],[null,0]]"), OWN, 12);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	lt_top_sample_finish(&f->before);
	lt_top_sample_finish(&f->now);
	lt_buf_finish(&f->text);
	free(f);
	return 0;
}

static const char *draw(struct fixture *f)
{
	lt_buf_clear(&f->text);
	lt_top_draw(&f->text, &f->before, &f->now, &f->screen);
	return f->text.p ? f->text.p : "";
}

static void expect(struct fixture *f, const char *line)
{
	if (!strstr(draw(f), line)) {
		fail_msg("no \"%s\" in:\n%s", line, f->text.p);
	}
}

static void set_status(struct lt_top_sample *of, const char *status)
{
	cJSON_Delete(of->status);
	of->status = parse(status);
}

/* --- rates --- */

static void a_rate_is_what_a_counter_grew_by_a_second(void **state)
{
	struct fixture *f = *state;

	assert_true(lt_top_rate(&f->before, &f->now, "router.events_sent") == 100.0);
	assert_true(lt_top_rate(&f->before, &f->now, "router.no_such_counter") == 0.0);
	assert_true(lt_top_rate(&f->before, &f->now, "no.where") == 0.0);
}

static void there_is_no_rate_before_a_second_sample_or_over_a_restart(void **state)
{
	struct fixture *f = *state;
	const struct lt_top_sample none = { 0 };

	assert_true(lt_top_rate(&none, &f->now, "router.events_sent") == 0.0);
	set_status(&f->before, STATUS("6", "100", "[]"));
	assert_true(lt_top_rate(&f->before, &f->now, "router.events_sent") == 0.0);
}

static void a_counter_that_fell_has_no_rate(void **state)
{
	struct fixture *f = *state;

	set_status(&f->before, STATUS("7", "900", "[]"));
	assert_true(lt_top_rate(&f->before, &f->now, "router.events_sent") == 0.0);
}

static void the_loop_is_judged_by_its_last_turns(void **state)
{
	struct fixture *f = *state;
	const struct lt_top_sample none = { 0 };

	set_status(&f->before, STATUS("7", "1", "[[1000,1000],[5000,0],[null,0]]"));
	set_status(&f->now, STATUS("7", "1", "[[1000,1050],[5000,50],[null,0]]"));
	assert_int_equal(lt_top_loop_p99(&f->before, &f->now), 5000);
	set_status(&f->now, STATUS("7", "1", "[[1000,1001],[5000,0],[null,99]]"));
	assert_int_equal(lt_top_loop_p99(&f->before, &f->now), 0);
	set_status(&f->now, STATUS("7", "1", "[[1000,1000],[5000,0],[null,0]]"));
	assert_int_equal(lt_top_loop_p99(&f->before, &f->now), -1);
	assert_int_equal(lt_top_loop_p99(&none, &f->now), 1000);
	assert_int_equal(lt_top_loop_p99(&none, &none), -1);
}

/* --- services --- */

static void own_and_foreign_services_are_listed_once(void **state)
{
	struct fixture *f = *state;
	LT_AUTO(lt_free) struct lt_top_service *services = NULL;

	assert_int_equal(lt_top_services(&f->now, &services), 4);

	assert_true(lt_str_eq_c(services[0].name, "Alpha"));
	assert_int_equal(services[0].age_ms, 1000);
	assert_true(services[0].is_recorded && services[0].is_recording_failing);
	assert_true(services[1].is_failed);
	assert_int_equal(services[1].age_ms, -1);
	assert_true(lt_str_eq_c(services[2].status, "silent"));
	assert_true(lt_str_eq_c(services[2].reason, "nothing comes"));
	assert_true(services[3].is_foreign);
	assert_int_equal(services[3].age_ms, 2500);
}

static void a_daemon_that_answers_little_is_drawn_all_the_same(void **state)
{
	struct fixture *f = *state;

	lt_top_sample_finish(&f->before);
	lt_top_sample_finish(&f->now);
	assert_string_equal(draw(f), "");
	f->now.status = parse("{\"router\":7,\"loop\":[],\"listeners\":{}}");
	f->now.services = parse("{\"a\":1}");
	f->now.recordings = parse("null");
	expect(f, "sessions    0, 0 connections");
}

/* --- the picture --- */

static void it_says_what_matters(void **state)
{
	struct fixture *f = *state;

	expect(f, "\nhealth      ready\n");
	expect(f, "\nsessions    3, 2 connections, 0 subscriptions\n");
	expect(f, " 100/s sent\n");
	expect(f, ", 1 slow clients ended\n");
	expect(f, "\nrunning  1.0 s        0.0   32  green     FAIL sim          Alpha\n");
	expect(f, "\nfailed   -              -    -  -         -    rm           no such file\n");
	expect(f, "\nsilent   1 min        0.0    0  -         -    rm           Gamma: nothing comes\n");
	expect(f, "\nremote   2.5 s          -    -  -         -    -            Omega - far\n");
}

static void the_schedule_names_what_comes_next(void **state)
{
	struct fixture *f = *state;

	assert_null(strstr(draw(f), "schedule"));
	f->now.schedule = parse("{\"calendars\":[{}],\"events\":["
				"{\"name\":\"Later\",\"start\":900000,\"status\":\"coming\"},"
				"{\"name\":\"Now\",\"start\":1000,\"status\":\"running\"},"
				"{\"name\":\"Next\",\"start\":400000,\"status\":\"coming\"}]}");
	expect(f, "\nschedule    1 running, 2 to come; in 5 min: Next\n");
	cJSON_Delete(f->now.schedule);
	f->now.schedule = parse("{\"calendars\":[],\"events\":[]}");
	assert_null(strstr(draw(f), "schedule"));
}

static void trouble_of_the_schedule_is_said(void **state)
{
	struct fixture *f = *state;

	f->now.schedule = parse("{\"calendars\":[{\"problem\":\"down\"}],\"events\":["
				"{\"name\":\"Now\",\"start\":1000,\"status\":\"failed\"}]}");
	expect(f, "\nschedule    0 running, 0 to come, 1 DO NOT START, 1 calendars cannot be read\n");
}

static void trouble_is_said(void **state)
{
	struct fixture *f = *state;

	set_status(&f->now, "{\"ready\":false,\"reason\":\"the disk is full\"}");
	expect(f, "\nhealth      not ready: the disk is full\n");
	f->screen.notice = "the daemon closed the connection and does not come back";
	f->screen.width = 40;
	expect(f, "\nthe daemon closed the connection and\ndoes not come back\n");
}

static void no_line_is_wider_and_none_is_below_the_screen(void **state)
{
	struct fixture *f = *state;

	f->screen.keys = "q ends";
	for (size_t height = 1; height < 20; height++) {
		for (size_t width = 1; width < 90; width += 11) {
			size_t lines = 0;

			f->screen.width = width;
			f->screen.height = height;
			for (struct lt_str rest = lt_str_from(draw(f)); rest.n > 0; lines++) {
				assert_true(lt_str_split(&rest, '\n').n <= width);
			}
			assert_true(lines <= height);
		}
	}
}

static void what_does_not_fit_scrolls_as_far_as_there_is_something(void **state)
{
	struct fixture *f = *state;

	f->screen.height = 14;
	expect(f, "\n1 to 2 of 4\n");
	f->screen.scroll = 1;
	expect(f, "\n2 to 3 of 4\n");
	f->screen.scroll = 99;
	expect(f, "\n3 to 4 of 4\n");
	assert_int_equal(f->screen.scroll, 2);
}

static void attributes_are_for_terminals_that_want_them(void **state)
{
	struct fixture *f = *state;

	assert_null(strchr(draw(f), '\033'));
	f->screen.has_colors = true;
	expect(f, "\033[1;31mfailed ");
	expect(f, "\033[33msilent ");
}

static void texts_from_outside_are_cleaned(void **state)
{
	struct fixture *f = *state;

	cJSON_Delete(f->now.listed);
	f->now.listed = parse("[{\"uuid\":\"y\",\"name\":\"a\\u001b[2Jb\\u0004c\\u009bd\"}]");
	expect(f, "a?[2Jb?c?d");
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_rate_is_what_a_counter_grew_by_a_second),
		TEST(there_is_no_rate_before_a_second_sample_or_over_a_restart),
		TEST(a_counter_that_fell_has_no_rate),
		TEST(the_loop_is_judged_by_its_last_turns),
		TEST(own_and_foreign_services_are_listed_once),
		TEST(a_daemon_that_answers_little_is_drawn_all_the_same),
		TEST(it_says_what_matters),
		TEST(the_schedule_names_what_comes_next),
		TEST(trouble_of_the_schedule_is_said),
		TEST(trouble_is_said),
		TEST(no_line_is_wider_and_none_is_below_the_screen),
		TEST(what_does_not_fit_scrolls_as_far_as_there_is_something),
		TEST(attributes_are_for_terminals_that_want_them),
		TEST(texts_from_outside_are_cleaned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
