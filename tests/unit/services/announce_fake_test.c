/* The queue of announcements on a loop whose clock the test moves, with answers that it gives. */
#include "base/alloc.h"
#include "base/fsutil.h"
#include "base/random.h"
#include "base/table.h"
#include "services/announce/announce.h"
#include "support/test.h"
#include "support/tmpdir.h"
#include "support_fake/loop_fake.h"

#define SECONDS INT64_C(1000)

/* A request under way: the struct that an lt_fetch is for the announcements. */
struct lt_fetch {
	char *url, *body;
	void (*result)(void *arg, const struct lt_fetch_result *result);
	void *arg;
	struct lt_fetch *prev, *next;
};

struct fixture {
	char dir[TMPDIR_MAX];
	struct lt_loop *loop;
	struct lt_random *random;
	struct lt_log_sink *sink;
	struct lt_buf log;
	struct lt_announce_conf conf;
	struct lt_announce *announce;
	struct lt_fetch *fetches;
	int started; /* requests */
	cJSON *tested;
	struct lt_buf test_error;
	bool refuse;
};

static void free_fetch(struct fixture *f, struct lt_fetch *fetch)
{
	DL_DELETE(f->fetches, fetch);
	lt_free(fetch->url);
	lt_free(fetch->body);
	lt_free(fetch);
}

static struct lt_fetch *start_request(
		void *arg, const struct lt_fetch_opts *opts, struct lt_err *err)
{
	struct fixture *f = arg;
	struct lt_fetch *fetch;

	if (f->refuse) {
		lt_err_set(err, LT_E_INVALID, "a header contains control characters");
		return NULL;
	}
	fetch = lt_zalloc(sizeof(*fetch));
	assert_true(opts->once);
	fetch->url = lt_strdup(opts->url);
	fetch->body = lt_str_dup(opts->body);
	fetch->result = opts->result;
	fetch->arg = opts->arg;
	DL_APPEND(f->fetches, fetch);
	f->started++;
	return fetch;
}

static void cancel_request(void *arg, struct lt_fetch *fetch)
{
	free_fetch(arg, fetch);
}

static void on_log(void *arg, enum lt_level level, struct lt_str line)
{
	struct fixture *f = arg;

	(void)level;
	lt_buf_add_str(&f->log, line);
	lt_buf_add_char(&f->log, '\n');
}

static void start_up(struct fixture *f)
{
	f->announce = lt_announce_create(&(struct lt_announce_env){
			.loop = f->loop,
			.random = f->random,
			.log = { f->sink, "announce" },
			.requests = { f, start_request, cancel_request },
			.state_dir = f->dir,
			.conf = &f->conf,
	});
	lt_announce_start(f->announce);
	lt_fake_settle(f->loop);
}

static int setup(void **state)
{
	struct fixture *f = lt_zalloc(sizeof(*f));

	tmpdir_make(f->dir);
	f->loop = lt_loop_create(NULL);
	f->random = lt_random_create(7, NULL);
	f->sink = lt_log_sink_fn(LT_DEBUG, on_log, f);
	f->conf = (struct lt_announce_conf){
		.site = "https://t.example/",
		.text = "Starting now: {name}. Follow live at {link}",
		.link = "{site}/s/{service}",
		.retry_s = 5,
		.give_up_s = 1800,
		.webhook = { "https://w.example/hook", "hush-webhook" },
	};
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	lt_announce_destroy(f->announce);
	lt_fake_settle(f->loop);
	assert_null(f->fetches);
	lt_loop_destroy(f->loop);
	lt_random_destroy(f->random);
	lt_log_sink_destroy(f->sink);
	lt_buf_finish(&f->log);
	lt_buf_finish(&f->test_error);
	cJSON_Delete(f->tested);
	tmpdir_remove(f->dir);
	lt_free(f);
	return 0;
}

/* As a crash: nothing is said or waited for; then a new run with the same files. */
static void restart(struct fixture *f)
{
	lt_announce_destroy(f->announce);
	lt_fake_settle(f->loop);
	start_up(f);
}

static void discord_alone(struct fixture *f)
{
	f->conf.webhook.url = NULL;
	f->conf.discord.url = "https://d.example/hook";
}

static void begin_event(struct fixture *f, const char *uid, int64_t start_s)
{
	lt_announce_event(f->announce,
			&(struct lt_announcement){
					.uid = lt_str_from(uid),
					.start = { start_s * LT_US_PER_S },
					.name = LT_STR("Spa 24h"),
					.service = LT_STR("wec"),
			});
	lt_fake_settle(f->loop);
}

static void answer_full(struct fixture *f, const struct lt_fetch_result *result)
{
	struct lt_fetch *fetch = f->fetches;
	void (*fn)(void *arg, const struct lt_fetch_result *result);
	void *arg;

	assert_non_null(fetch);
	fn = fetch->result;
	arg = fetch->arg;
	free_fetch(f, fetch);
	fn(arg, result);
	lt_fake_settle(f->loop);
}

static void answer(struct fixture *f, long status)
{
	answer_full(f, &(struct lt_fetch_result){ .status = status, .was_sent = true });
}

static void no_answer(struct fixture *f, bool was_sent)
{
	answer_full(f,
			&(struct lt_fetch_result){ .was_sent = was_sent,
					.error = LT_STR("operation timed out"),
					.code = LT_E_TIMEOUT });
}

/* State of the newest announcement, as the list has it. */
static void expect_state(struct fixture *f, const char *expected)
{
	LT_AUTO(cJSON_Delete) cJSON *list = lt_announce_list(f->announce);
	const cJSON *first = cJSON_GetArrayItem(lt_json_get(list, "announcements"), 0);
	struct lt_str found = { 0 };

	assert_true(lt_json_get_str(first, "state", &found, NULL));
	assert_str_equal(found, expected);
}

/* --- posting --- */

static void an_event_is_posted_once_with_its_link(void **state)
{
	struct fixture *f = *state;

	start_up(f);
	begin_event(f, "a", LT_FAKE_START_S);
	assert_int_equal(f->started, 1);
	assert_string_equal(f->fetches->url, "https://w.example/hook");
	assert_non_null(strstr(f->fetches->body,
			"Starting now: Spa 24h. Follow live at https://t.example/s/wec"));
	answer(f, 204);
	expect_state(f, "posted");

	begin_event(f, "a", LT_FAKE_START_S);
	lt_fake_advance(f->loop, 3600 * SECONDS);

	assert_int_equal(f->started, 1);
}

static void another_occurrence_of_the_same_entry_is_another_announcement(void **state)
{
	struct fixture *f = *state;

	start_up(f);
	begin_event(f, "a", LT_FAKE_START_S);
	answer(f, 204);
	begin_event(f, "a", LT_FAKE_START_S + 86400);

	assert_int_equal(f->started, 2);
}

static void hidden_events_are_not_announced(void **state)
{
	struct fixture *f = *state;

	start_up(f);
	lt_announce_event(f->announce,
			&(struct lt_announcement){ .uid = LT_STR("a"),
					.name = LT_STR("x"),
					.service = LT_STR("x"),
					.hidden = true });
	lt_fake_settle(f->loop);

	assert_int_equal(f->started, 0);
	assert_string_equal(f->fetches ? "posted" : "nothing", "nothing");
}

static void networks_do_not_wait_for_each_other(void **state)
{
	struct fixture *f = *state;

	f->conf.discord.url = "https://d.example/hook";
	f->conf.mastodon = (struct lt_mastodon_conf){ "https://m.example", "tok", "public" };
	start_up(f);
	begin_event(f, "a", LT_FAKE_START_S);

	assert_int_equal(f->started, 3);
}

static void a_network_gets_one_post_at_a_time(void **state)
{
	struct fixture *f = *state;

	start_up(f);
	begin_event(f, "a", LT_FAKE_START_S);
	begin_event(f, "b", LT_FAKE_START_S);
	assert_int_equal(f->started, 1);
	answer(f, 204);

	assert_int_equal(f->started, 2);
}

static void names_are_made_one_line_of_text(void **state)
{
	struct fixture *f = *state;

	start_up(f);
	lt_announce_event(f->announce,
			&(struct lt_announcement){ .uid = LT_STR("a"),
					.name = LT_STR("Two\nlines\xff"),
					.service = LT_STR("x") });
	lt_fake_settle(f->loop);

	assert_non_null(strstr(f->fetches->body, "now: Two lines\xef\xbf\xbd. Follow"));
}

/* --- failing --- */

static void failures_are_tried_again_with_growing_pauses_and_given_up(void **state)
{
	struct fixture *f = *state;
	int64_t last = 0;

	start_up(f);
	begin_event(f, "a", LT_FAKE_START_S);
	for (int i = 0; i < 5; i++) {
		int64_t wait;

		answer(f, 500);
		expect_state(f, "waiting");
		wait = lt_fake_next_timer_ms(f->loop);
		assert_true(wait >= (5 << i) * SECONDS && wait <= (5 << i) * SECONDS * 6 / 5 + 2);
		assert_true(wait > last);
		last = wait;
		lt_fake_advance(f->loop, wait);
		assert_int_equal(f->started, i + 2);
	}
	while (f->fetches) {
		answer(f, 500);
		lt_fake_advance(f->loop, 721 * SECONDS);
	}

	expect_state(f, "failed");
	assert_non_null(strstr(
			f->log.p, "announcement given up, another attempt would be too late"));
	assert_true(f->started < 12);
}

static void a_network_is_given_the_time_that_it_asks_for(void **state)
{
	struct fixture *f = *state;

	start_up(f);
	begin_event(f, "a", LT_FAKE_START_S);
	answer_full(f,
			&(struct lt_fetch_result){ .status = 429,
					.was_sent = true,
					.headers = LT_STR(
							"HTTP/1.1 429 x\r\nRetry-After: 90\r\n") });

	lt_fake_advance(f->loop, 89 * SECONDS);
	assert_int_equal(f->started, 1);
	lt_fake_advance(f->loop, 2 * SECONDS);
	assert_int_equal(f->started, 2);
}

static void a_network_that_asks_for_too_much_time_is_given_up(void **state)
{
	struct fixture *f = *state;

	start_up(f);
	begin_event(f, "a", LT_FAKE_START_S);
	answer_full(f,
			&(struct lt_fetch_result){ .status = 429,
					.was_sent = true,
					.headers = LT_STR(
							"HTTP/1.1 429 x\r\nRetry-After: 1900\r\n") });

	expect_state(f, "failed");
}

static void what_is_refused_is_not_tried_again(void **state)
{
	struct fixture *f = *state;

	start_up(f);
	begin_event(f, "a", LT_FAKE_START_S);
	answer(f, 403);
	lt_fake_advance(f->loop, 3600 * SECONDS);

	expect_state(f, "failed");
	assert_int_equal(f->started, 1);
	assert_non_null(strstr(f->log.p, "announcement refused, not tried again"));
}

static void what_cannot_be_sent_is_refused(void **state)
{
	struct fixture *f = *state;

	start_up(f);
	f->refuse = true;
	begin_event(f, "a", LT_FAKE_START_S);

	expect_state(f, "failed");
}

static void an_unknown_result_is_sent_again_where_repeats_are_recognised(void **state)
{
	struct fixture *f = *state;

	start_up(f);
	begin_event(f, "a", LT_FAKE_START_S);
	no_answer(f, true);
	lt_fake_advance(f->loop, 10 * SECONDS);

	assert_int_equal(f->started, 2);
}

static void an_unknown_result_is_not_sent_again_where_they_are_not(void **state)
{
	struct fixture *f = *state;

	discord_alone(f);
	start_up(f);
	begin_event(f, "a", LT_FAKE_START_S);
	no_answer(f, true);
	lt_fake_advance(f->loop, 3600 * SECONDS);

	expect_state(f, "unknown");
	assert_int_equal(f->started, 1);
}

static void a_request_that_never_left_is_sent_again_everywhere(void **state)
{
	struct fixture *f = *state;

	discord_alone(f);
	start_up(f);
	begin_event(f, "a", LT_FAKE_START_S);
	no_answer(f, false);
	lt_fake_advance(f->loop, 10 * SECONDS);

	assert_int_equal(f->started, 2);
}

/* --- over restarts --- */

static void what_was_posted_is_not_posted_again_after_a_restart(void **state)
{
	struct fixture *f = *state;

	start_up(f);
	begin_event(f, "a", LT_FAKE_START_S);
	answer(f, 204);
	restart(f);
	begin_event(f, "a", LT_FAKE_START_S);

	assert_int_equal(f->started, 1);
	expect_state(f, "posted");
}

static void what_waits_is_posted_after_a_restart(void **state)
{
	struct fixture *f = *state;

	start_up(f);
	begin_event(f, "a", LT_FAKE_START_S);
	answer(f, 503);
	restart(f);
	lt_fake_advance(f->loop, 10 * SECONDS);

	assert_int_equal(f->started, 2);
	assert_non_null(strstr(f->fetches->body, "Starting now: Spa 24h."));
	answer(f, 204);
	expect_state(f, "posted");
}

static void an_attempt_is_on_disk_before_it_is_made(void **state)
{
	struct fixture *f = *state;
	LT_AUTO(lt_buf_finish) struct lt_buf file = { 0 };

	start_up(f);
	begin_event(f, "a", LT_FAKE_START_S);
	assert_int_equal(f->started, 1);

	file = file_bytes(in_dir(f->dir, "announcements.json"));
	lt_buf_add_c(&file, "");
	assert_non_null(strstr(file.p, "\"state\": \"sending\""));
	assert_null(strstr(file.p, "hush"));
}

static void a_kill_during_an_attempt_is_repeated_where_repeats_are_recognised(void **state)
{
	struct fixture *f = *state;

	start_up(f);
	begin_event(f, "a", LT_FAKE_START_S);
	restart(f);
	lt_fake_advance(f->loop, 1 * SECONDS);

	assert_int_equal(f->started, 2);
}

static void a_kill_during_an_attempt_is_not_repeated_where_they_are_not(void **state)
{
	struct fixture *f = *state;

	discord_alone(f);
	start_up(f);
	begin_event(f, "a", LT_FAKE_START_S);
	restart(f);
	begin_event(f, "a", LT_FAKE_START_S);
	lt_fake_advance(f->loop, 3600 * SECONDS);

	assert_int_equal(f->started, 1);
	expect_state(f, "unknown");
	assert_non_null(strstr(f->log.p, "may have been posted or not"));
}

static void what_is_too_old_at_a_restart_is_given_up(void **state)
{
	struct fixture *f = *state;

	start_up(f);
	begin_event(f, "a", LT_FAKE_START_S);
	answer(f, 500);
	lt_announce_destroy(LT_STEAL(f->announce));
	lt_fake_advance(f->loop, 7200 * SECONDS);
	start_up(f);
	lt_fake_advance(f->loop, 3600 * SECONDS);

	assert_int_equal(f->started, 1);
	expect_state(f, "failed");
}

static void a_network_that_is_gone_keeps_its_past(void **state)
{
	struct fixture *f = *state;

	start_up(f);
	begin_event(f, "a", LT_FAKE_START_S);
	answer(f, 500);
	f->conf.webhook.url = NULL;
	restart(f);
	lt_fake_advance(f->loop, 60 * SECONDS);
	assert_int_equal(f->started, 1);
	f->conf.webhook.url = "https://w.example/hook";
	restart(f);
	lt_fake_advance(f->loop, 60 * SECONDS);

	assert_int_equal(f->started, 2);
}

static void a_broken_file_is_set_aside(void **state)
{
	static const char *const broken[] = {
		"",
		"{",
		"[]",
		"{\"version\": 2, \"announcements\": []}",
		"{\"version\": 1, \"announcements\": {}}",
		"{\"version\": 1, \"announcements\": [{\"uid\": \"a\"}]}",
		"{\"version\": 1, \"announcements\": [{\"uid\": \"a\", \"network\": \"x\", \"name\": "
		"\"n\", \"service\": \"s\", \"text\": \"t\", \"link\": \"l\", \"startUs\": 1, "
		"\"createdUs\": 1, \"nextUs\": 1, \"state\": \"odd\", \"attempts\": 1}]}",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < LT_ARRAY_LEN(broken); i++) {
		LT_AUTO(lt_free) char *names = NULL;

		file_write(in_dir(f->dir, "announcements.json"), lt_str_from(broken[i]));
		start_up(f);
		names = dir_names(f->dir);
		assert_string_equal(names, "announcements.json.broken");
		lt_announce_destroy(LT_STEAL(f->announce));
	}
	assert_non_null(strstr(f->log.p, "earlier announcements cannot be read, set aside"));
}

static void a_clock_that_was_set_back_does_not_hold_posts_up(void **state)
{
	struct fixture *f = *state;

	start_up(f);
	begin_event(f, "a", LT_FAKE_START_S);
	answer(f, 500);
	lt_fake_set_wall(f->loop, (struct lt_wall){ (LT_FAKE_START_S - 10 * 86400) * LT_US_PER_S });
	lt_fake_advance(f->loop, 3600 * SECONDS);

	assert_int_equal(f->started, 2);
}

static void old_announcements_are_forgotten(void **state)
{
	struct fixture *f = *state;

	start_up(f);
	begin_event(f, "a", LT_FAKE_START_S);
	answer(f, 204);
	lt_fake_advance(f->loop, 15 * 86400 * SECONDS);
	begin_event(f, "b", LT_FAKE_START_S + 15 * 86400);
	LT_AUTO(cJSON_Delete) cJSON *list = lt_announce_list(f->announce);

	assert_int_equal(cJSON_GetArraySize(lt_json_get(list, "announcements")), 1);
}

static void the_queue_is_bounded(void **state)
{
	struct fixture *f = *state;

	start_up(f);
	for (int i = 0; i < 510; i++) {
		lt_announce_event(f->announce,
				&(struct lt_announcement){ .uid = LT_STR("a"),
						.start = { i },
						.name = LT_STR("n"),
						.service = LT_STR("s") });
	}
	lt_fake_settle(f->loop);

	assert_non_null(strstr(f->log.p, "event not announced, too many announcements wait"));
}

/* --- figures --- */

static void metrics_count_posts_and_failures_by_network(void **state)
{
	struct fixture *f = *state;
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

	start_up(f);
	begin_event(f, "a", LT_FAKE_START_S);
	answer(f, 500);
	lt_fake_advance(f->loop, 10 * SECONDS);
	answer(f, 204);
	begin_event(f, "b", LT_FAKE_START_S);
	lt_announce_write_metrics(f->announce, &text);

	assert_non_null(strstr(text.p, "\nlivetiming_posts_total{network=\"webhook\"} 1\n"));
	assert_non_null(strstr(
			text.p, "\nlivetiming_post_failures_total{network=\"webhook\"} 1\n"));
	assert_non_null(strstr(text.p, "\nlivetiming_posts_waiting{network=\"webhook\"} 1\n"));
	assert_non_null(strstr(text.p, "# TYPE livetiming_post_failures_total counter\n"));
}

/* --- trying out --- */

static void on_tested(void *arg, cJSON *result_take, const struct lt_err *err)
{
	struct fixture *f = arg;

	assert_null(f->tested);
	f->tested = result_take;
	if (!result_take) {
		lt_buf_add_c(&f->test_error, err->msg);
	}
}

static void expect_test_result(struct fixture *f, int nth, const char *expected)
{
	struct lt_str found = { 0 };

	assert_non_null(f->tested);
	assert_true(lt_json_get_str(cJSON_GetArrayItem(f->tested, nth), "result", &found, NULL));
	assert_str_equal(found, expected);
}

static void a_test_sends_to_all_and_tells_each_result(void **state)
{
	struct fixture *f = *state;

	f->conf.discord.url = "https://d.example/hook";
	start_up(f);
	lt_announce_test(f->announce, LT_STR(""), false, on_tested, f);
	lt_fake_settle(f->loop);
	assert_int_equal(f->started, 2);
	assert_null(f->tested);
	assert_non_null(strstr(f->fetches->body, "Test of announcements, 2026-05-16 13:00:00 UTC"));
	answer(f, 204);
	answer(f, 500);

	expect_test_result(f, 0, "posted");
	expect_test_result(f, 1, "failed");
	lt_fake_advance(f->loop, 3600 * SECONDS);
	assert_int_equal(f->started, 2);
}

static void a_dry_run_sends_nothing(void **state)
{
	struct fixture *f = *state;

	start_up(f);
	lt_announce_test(f->announce, LT_STR("webhook"), true, on_tested, f);
	lt_fake_settle(f->loop);

	expect_test_result(f, 0, "not sent");
	assert_int_equal(f->started, 0);
}

static void a_test_of_what_is_not_configured_says_so(void **state)
{
	struct fixture *f = *state;

	start_up(f);
	lt_announce_test(f->announce, LT_STR("myspace"), false, on_tested, f);
	assert_str_equal(lt_buf_str(&f->test_error), "network \"myspace\" is not configured");
	f->conf.webhook.url = NULL;
	restart(f);
	lt_buf_clear(&f->test_error);
	lt_announce_test(f->announce, LT_STR(""), false, on_tested, f);
	assert_non_null(strstr(f->test_error.p, "no network is configured"));
}

static void a_test_under_way_is_answered_at_the_end(void **state)
{
	struct fixture *f = *state;

	start_up(f);
	lt_announce_test(f->announce, LT_STR(""), false, on_tested, f);
	lt_fake_settle(f->loop);
	lt_announce_destroy(LT_STEAL(f->announce));

	assert_str_equal(lt_buf_str(&f->test_error), "the daemon stops");
}

/* --- other settings --- */

static void set_conf(struct fixture *f)
{
	lt_announce_set_conf(f->announce, &f->conf);
	lt_fake_settle(f->loop);
}

static void other_settings_count_from_the_next_event_on(void **state)
{
	struct fixture *f = *state;

	start_up(f);
	begin_event(f, "a", LT_FAKE_START_S);
	answer(f, 204);
	discord_alone(f);
	f->conf.text = "Green: {name}";
	set_conf(f);
	begin_event(f, "b", LT_FAKE_START_S);

	assert_int_equal(f->started, 2);
	assert_string_equal(f->fetches->url, "https://d.example/hook");
	assert_non_null(strstr(f->fetches->body, "Green: Spa 24h"));
}

static void a_post_under_way_is_made_again_with_other_settings(void **state)
{
	struct fixture *f = *state;

	start_up(f);
	begin_event(f, "a", LT_FAKE_START_S);
	f->conf.webhook.url = "https://w.example/other";
	set_conf(f);

	assert_int_equal(f->started, 2);
	assert_string_equal(f->fetches->url, "https://w.example/other");
	answer(f, 204);
	expect_state(f, "posted");
}

static void a_post_under_way_that_could_repeat_itself_is_left_alone(void **state)
{
	struct fixture *f = *state;

	discord_alone(f);
	start_up(f);
	begin_event(f, "a", LT_FAKE_START_S);
	set_conf(f);
	lt_fake_advance(f->loop, 3600 * SECONDS);

	assert_int_equal(f->started, 1);
	expect_state(f, "unknown");
}

static void what_waits_for_a_network_that_was_taken_out_is_posted_when_it_is_back(void **state)
{
	struct fixture *f = *state;
	const char *url = f->conf.webhook.url;

	start_up(f);
	begin_event(f, "a", LT_FAKE_START_S);
	answer(f, 500);
	f->conf.webhook.url = NULL;
	set_conf(f);
	lt_fake_advance(f->loop, 60 * SECONDS);
	assert_int_equal(f->started, 1);
	f->conf.webhook.url = url;
	set_conf(f);

	assert_int_equal(f->started, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_event_is_posted_once_with_its_link),
		TEST(another_occurrence_of_the_same_entry_is_another_announcement),
		TEST(hidden_events_are_not_announced),
		TEST(networks_do_not_wait_for_each_other),
		TEST(a_network_gets_one_post_at_a_time),
		TEST(names_are_made_one_line_of_text),
		TEST(failures_are_tried_again_with_growing_pauses_and_given_up),
		TEST(a_network_is_given_the_time_that_it_asks_for),
		TEST(a_network_that_asks_for_too_much_time_is_given_up),
		TEST(what_is_refused_is_not_tried_again),
		TEST(what_cannot_be_sent_is_refused),
		TEST(an_unknown_result_is_sent_again_where_repeats_are_recognised),
		TEST(an_unknown_result_is_not_sent_again_where_they_are_not),
		TEST(a_request_that_never_left_is_sent_again_everywhere),
		TEST(what_was_posted_is_not_posted_again_after_a_restart),
		TEST(what_waits_is_posted_after_a_restart),
		TEST(an_attempt_is_on_disk_before_it_is_made),
		TEST(a_kill_during_an_attempt_is_repeated_where_repeats_are_recognised),
		TEST(a_kill_during_an_attempt_is_not_repeated_where_they_are_not),
		TEST(what_is_too_old_at_a_restart_is_given_up),
		TEST(a_network_that_is_gone_keeps_its_past),
		TEST(a_broken_file_is_set_aside),
		TEST(a_clock_that_was_set_back_does_not_hold_posts_up),
		TEST(old_announcements_are_forgotten),
		TEST(the_queue_is_bounded),
		TEST(metrics_count_posts_and_failures_by_network),
		TEST(a_test_sends_to_all_and_tells_each_result),
		TEST(a_dry_run_sends_nothing),
		TEST(a_test_of_what_is_not_configured_says_so),
		TEST(a_test_under_way_is_answered_at_the_end),
		TEST(other_settings_count_from_the_next_event_on),
		TEST(a_post_under_way_is_made_again_with_other_settings),
		TEST(a_post_under_way_that_could_repeat_itself_is_left_alone),
		TEST(what_waits_for_a_network_that_was_taken_out_is_posted_when_it_is_back),
	};

	return cmocka_run_group_tests_name("services/announce", tests, NULL, NULL);
}
