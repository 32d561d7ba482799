#include "services/schedule/schedule_source.h"
#include "unit/services/scheduler_fixture.h"

/* --- the original's timelines --- */

/* What is better here: nothing is told again of an event that is held out, and a deleted one ends.
 */
static cJSON *better(const char *name, const cJSON *actions)
{
	cJSON *result = cJSON_CreateArray();
	const cJSON *action;

	(void)name;
	cJSON_ArrayForEach(action, actions) {
		int at = (int)lt_json_get(action, "at")->valuedouble;
		const cJSON *tweet = lt_json_get(action, "tweet");
		cJSON *copy;

		if (lt_json_get(action, "stop_refused") || lt_json_get(action, "ensure")) {
			continue;
		}
		if (strcmp(name, "back_to_back_other_args") == 0 && at >= 1620 && at < 2460 &&
				(tweet || at % 600 != 0)) {
			continue;
		}
		copy = cJSON_Duplicate(action, true);
		cJSON_DeleteItemFromObject(copy, "retain");
		cJSON_DeleteItemFromObject(copy, "retain_option");
		cJSON_DeleteItemFromObject(copy, "suppressed_because_hidden");
		cJSON_AddItemToArray(result, copy);
	}
	return result;
}

/* Publications at one time that say the same are one: a reading looks at what is due at once. */
static void assert_actions(const cJSON *actual, const cJSON *expected, const char *name)
{
	static const char *const kinds[] = { "start", "stop", "tweet" };

	for (size_t k = 0; k < LT_ARRAY_LEN(kinds); k++) {
		LT_AUTO(cJSON_Delete) cJSON *a = cJSON_CreateArray();
		LT_AUTO(cJSON_Delete) cJSON *b = cJSON_CreateArray();
		const cJSON *action;

		cJSON_ArrayForEach(action, actual) {
			if (lt_json_get(action, kinds[k])) {
				cJSON_AddItemToArray(a, cJSON_Duplicate(action, true));
			}
		}
		cJSON_ArrayForEach(action, expected) {
			if (lt_json_get(action, kinds[k])) {
				cJSON_AddItemToArray(b, cJSON_Duplicate(action, true));
			}
		}
		assert_json_equal(a, b, name);
	}
}

/* The listing that stands after all of a time's actions. */
static void assert_listings(const cJSON *actual, const cJSON *expected, const char *name)
{
	const cJSON *want;

	cJSON_ArrayForEach(want, expected) {
		const cJSON *have, *last = NULL;
		int at = (int)lt_json_get(want, "at")->valuedouble;
		bool is_last = true;

		if (!lt_json_get(want, "publish")) {
			continue;
		}
		for (const cJSON *later = want->next; later; later = later->next) {
			is_last = is_last &&
					!((int)lt_json_get(later, "at")->valuedouble == at &&
							lt_json_get(later, "publish"));
		}
		cJSON_ArrayForEach(have, actual) {
			if ((int)lt_json_get(have, "at")->valuedouble == at &&
					lt_json_get(have, "publish")) {
				last = have;
			}
		}
		if (is_last && !last) {
			fail_msg("%s: nothing was published at %d", name, at);
		}
		if (is_last) {
			assert_json_equal(lt_json_get(last, "events"), lt_json_get(want, "events"),
					name);
		}
	}
}

static void set_golden_calendar(struct fixture *f, const cJSON *events)
{
	struct lt_ical_event list[8] = { 0 };
	const cJSON *event;
	size_t n = 0;

	cJSON_ArrayForEach(event, events) {
		list[n].uid = lt_json_get(event, "uid")->valuestring;
		list[n].summary = lt_json_get(event, "summary")->valuestring;
		list[n].start_s = f->zero + (int64_t)lt_json_get(event, "start")->valuedouble;
		list[n++].end_s = f->zero + (int64_t)lt_json_get(event, "end")->valuedouble;
	}
	lt_buf_clear(&f->calendar);
	lt_ics_write(&f->calendar, list, n, &(struct lt_ics_opts){ .stamp_s = 0 });
}

static void run_timeline(const cJSON *timeline)
{
	const char *name = lt_json_get(timeline, "name")->valuestring;
	LT_AUTO(cJSON_Delete) cJSON *expected = better(name, lt_json_get(timeline, "actions"));
	const cJSON *calendars = lt_json_get(timeline, "calendar");
	int length = (int)lt_json_get(timeline, "minutes")->valuedouble;
	void *state;

	setup(&state);
	struct fixture *f = state;

	f->zero = (int64_t)lt_json_get(timeline, "zero")->valuedouble;
	lt_fake_set_wall(f->loop, (struct lt_wall){ f->zero * LT_US_PER_S });
	set_golden_calendar(f, lt_json_get(calendars->child, "events"));
	start_scheduler(f);
	for (int minute = 0; minute < length; minute++) {
		const cJSON *calendar;

		cJSON_ArrayForEach(calendar, calendars) {
			if ((int)lt_json_get(calendar, "from")->valuedouble == minute * 60 &&
					minute) {
				set_golden_calendar(f, lt_json_get(calendar, "events"));
			}
		}
		minutes(f, 1);
	}
	if (strcmp(name, "removed_while_running") ==
			0) { /* better here: it ends, when it is read */
		assert_running(f, "");
		cJSON_AddItemToArray(expected, json_of("{\"at\":1200,\"stop\":\"svc\"}"));
	}
	assert_actions(f->actions, expected, name);
	assert_listings(f->actions, expected, name);
	teardown(&state);
}

static void timelines_of_the_original_are_followed(void **state)
{
	LT_AUTO(cJSON_Delete) cJSON *timelines = golden_json("golden/calendar/timeline.json");
	const cJSON *timeline;

	(void)state;
	cJSON_ArrayForEach(timeline, timelines) {
		run_timeline(timeline);
	}
}

/* The events that the original keeps of its own calendars are listed in its form. */
static void calendars_of_the_original_are_listed_in_its_form(void **state)
{
	static const char *const files[] = { "basic.ics", "timezones.ics", "empty.ics" };
	LT_AUTO(cJSON_Delete) cJSON *cases = golden_json("golden/calendar/expected_sync.json");
	struct fixture *f = *state;
	const cJSON *item, *event;

	for (size_t i = 0; i < LT_ARRAY_LEN(files); i++) {
		LT_AUTO(cJSON_Delete) cJSON *expected = cJSON_CreateArray();
		LT_AUTO(cJSON_Delete) cJSON *args = NULL;
		LT_AUTO(lt_buf_finish) struct lt_buf path = { 0 };
		int64_t now = 0;

		cJSON_ArrayForEach(item, cases) {
			if (strcmp(lt_json_get(item, "file")->valuestring, files[i]) != 0) {
				continue;
			}
			now = (int64_t)lt_json_get(item, "now")->valuedouble;
			cJSON_ArrayForEach(event, lt_json_get(item, "events")) {
				cJSON *listed = cJSON_Duplicate(
						lt_json_get(event, "listing"), true);

				if (lt_json_get(listed, "startTime")->valuedouble <= (double)now) {
					cJSON_Delete(listed);
					continue;
				}
				/* better here: -m is known, too */
				if (strcmp(lt_json_get(listed, "service")->valuestring, "elms") ==
						0) {
					lt_json_set_take(listed, "service",
							cJSON_CreateString("euro"));
				}
				cJSON_AddItemToArray(expected, listed);
			}
		}
		lt_buf_printf(&path, "golden/calendar/%s", files[i]);
		char *file = shared_path(path.p);

		lt_buf_clear(&f->calendar);
		assert_true(lt_file_read(file, 100000, &f->calendar, NULL));
		free(file);
		lt_fake_set_wall(f->loop, (struct lt_wall){ now * LT_US_PER_S });
		start_scheduler(f);
		args = lt_json_parse(lt_buf_str(&f->listing), NULL);
		assert_same_set(lt_json_get(args->child, "payload"), expected, files[i]);
		lt_scheduler_destroy(f->scheduler);
		lt_fake_settle(f->loop);
		f->scheduler = NULL;
	}
}

/* --- the network --- */

static void on_result(void *arg, const struct lt_result *result)
{
	struct lt_buf *text = arg;

	assert_true(result->ok);
	lt_buf_add_str(text, result->args);
}

static void the_schedule_is_published_and_answered(void **state)
{
	struct fixture *f = *state;
	LT_AUTO(lt_buf_finish) struct lt_buf answered = { 0 };
	LT_AUTO(lt_buf_finish) struct lt_buf expected = { 0 };

	SET(f, { "a", "Race [svc, -m euro --hidden]", 60, 120 });
	start_scheduler(f);
	lt_buf_printf(&expected,
			"[[{\"id\":\"a\",\"name\":\"Race\",\"service\":\"euro\",\"startTime\":%lld.0,"
			"\"hidden\":true}]]",
			(long long)LT_FAKE_START_S + 3600);
	assert_true(lt_local_call(f->viewer, LT_STR("livetiming.schedule.list"), LT_STR("[]"), 0,
			on_result, &answered, NULL));
	lt_fake_settle(f->loop);
	assert_string_equal(answered.p, expected.p);
	assert_non_null(strstr(f->listing.p, "\"msgClass\":6"));
	assert_non_null(strstr(f->listing.p, "\"retain\":true"));
	assert_non_null(strstr(f->listing.p, "\"service\":\"euro\""));
}

static void without_a_calendar_the_schedule_is_empty(void **state)
{
	struct fixture *f = *state;
	struct lt_err err = { 0 };

	f->urls = NULL;
	start_scheduler(f);
	assert_int_equal(f->requests, 0);
	assert_non_null(strstr(f->listing.p, "\"payload\":[]"));
	assert_false(lt_scheduler_sync(f->scheduler, NULL, NULL, &err));
	assert_string_equal(err.msg, "no calendar is set: LIVETIMING_CALENDAR_URL");
}

/* --- what changes --- */

static void a_title_edit_does_not_restart(void **state)
{
	struct fixture *f = *state;

	SET(f, { "a", "Race [svc]", 1, 60 });
	start_scheduler(f);
	SET(f, { "a", "The race [svc]", 1, 60 });
	minutes(f, 15);
	assert_running(f, "svc");
	assert_string_equal(f->services[0].uuid, "uuid1");
	assert_string_equal(status_of(f, "a"), "running");
	assert_non_null(strstr(
			lt_json_get(f->show, "events")->child->child->next->valuestring, "The"));
}

static void changed_arguments_restart_and_are_not_told_again(void **state)
{
	struct fixture *f = *state;

	SET(f, { "a", "Race [svc, --a]", 1, 60 });
	start_scheduler(f);
	SET(f, { "a", "Race [svc, --b]", 1, 60 });
	minutes(f, 15);
	assert_running(f, "svc --b");
	SET(f, { "a", "Race [other]", 1, 60 });
	minutes(f, 10);
	assert_running(f, "other");
	assert_string_equal(f->started.p, "a@1778936460\n");
}

static void a_moved_event_goes_on_and_ends_at_its_new_end(void **state)
{
	struct fixture *f = *state;

	SET(f, { "a", "Race [svc]", 1, 60 });
	start_scheduler(f);
	SET(f, { "a", "Race [svc]", 5, 90 });
	minutes(f, 75);
	assert_running(f, "svc");
	assert_string_equal(f->services[0].uuid, "uuid1");
	minutes(f, 27);
	assert_running(f, "");
	assert_string_equal(f->started.p, "a@1778936460\n");
}

static void an_event_moved_to_later_ends_and_begins_again(void **state)
{
	struct fixture *f = *state;

	SET(f, { "a", "Race [svc]", 1, 60 });
	start_scheduler(f);
	SET(f, { "a", "Race [svc]", 120, 180 });
	minutes(f, 15);
	assert_running(f, "");
	minutes(f, 105);
	assert_running(f, "svc");
}

static void a_deleted_event_ends(void **state)
{
	struct fixture *f = *state;

	SET(f, { "a", "Race [svc]", 1, 60 }, { "b", "Other [two]", 1, 60 });
	start_scheduler(f);
	assert_running(f, "svc; two");
	SET(f, { "b", "Other [two]", 1, 60 });
	minutes(f, 11);
	assert_running(f, "two");
}

static void two_masquerades_of_one_plugin_run_side_by_side(void **state)
{
	struct fixture *f = *state;

	SET(f, { "a", "Race [svc, -m one]", 1, 60 }, { "b", "Race [svc, -m two]", 1, 60 });
	start_scheduler(f);
	assert_running(f, "svc -m one; svc -m two");
}

static void one_event_in_two_entries_counts_once(void **state)
{
	struct fixture *f = *state;

	SET(f, { "a", "Race [svc]", 1, 60 }, { "b", "Race again [svc]", 1, 70 });
	start_scheduler(f);
	assert_running(f, "svc");
	minutes(f, 75);
	assert_running(f, "svc");
	minutes(f, 10);
	assert_running(f, "");
}

static void a_held_out_event_says_by_whom(void **state)
{
	struct fixture *f = *state;

	SET(f, { "a", "First [svc, --a]", 1, 30 }, { "b", "Second [svc, --b]", 10, 60 });
	start_scheduler(f);
	minutes(f, 12);
	assert_string_equal(status_of(f, "b"), "held");
	assert_true(is_logged(f, "uses the service with other arguments"));
	minutes(f, 30);
	assert_string_equal(status_of(f, "b"), "running");
}

/* --- one of several nodes --- */

static void who_stands_by_starts_nothing_until_it_takes_over_and_tells_only_what_is_new(
		void **state)
{
	struct fixture *f = *state;
	int listings;

	SET(f, { "a", "Race [svc]", 1, 60 }, { "b", "Later [other]", 40, 60 });
	start_scheduler(f);
	lt_scheduler_set_active(f->scheduler, false);
	listings = f->listings;
	lt_buf_clear(&f->started);
	minutes(f, 20);
	assert_running(f, "");
	assert_int_equal(f->listings, listings);
	lt_scheduler_set_active(f->scheduler, true);
	minutes(f, 1);
	assert_running(f, "svc");
	assert_int_equal(f->started.n, 0); /* who acted before has told */
	minutes(f, 20);
	assert_true(f->started.n > 0);
}

static void who_lets_another_act_ends_what_it_had_started(void **state)
{
	struct fixture *f = *state;

	SET(f, { "a", "Race [svc]", 1, 60 });
	start_scheduler(f);
	minutes(f, 5);
	assert_running(f, "svc");
	lt_scheduler_set_active(f->scheduler, false);
	assert_running(f, "");
	minutes(f, 5);
	assert_running(f, "");
}

/* --- by hand --- */

static void run_by_hand(struct fixture *f, const char *line)
{
	struct lt_args args = { 0 };

	assert_true(lt_args_split(&args, lt_str_from(line), NULL));
	add_service(f, &args, false);
	lt_args_finish(&args);
}

static void a_service_started_by_hand_is_neither_doubled_nor_stopped(void **state)
{
	struct fixture *f = *state;

	run_by_hand(f, "svc");
	SET(f, { "a", "Race [svc]", 1, 30 });
	start_scheduler(f);
	assert_running(f, "svc");
	assert_string_equal(status_of(f, "a"), "running");
	assert_string_equal(f->started.p, "a@1778936460\n");
	minutes(f, 60);
	assert_running(f, "svc");
}

static void one_with_other_arguments_holds_out(void **state)
{
	struct fixture *f = *state;

	run_by_hand(f, "svc --x");
	SET(f, { "a", "Race [svc]", 1, 30 });
	start_scheduler(f);
	assert_running(f, "svc --x");
	assert_string_equal(status_of(f, "a"), "held");
	assert_null(f->started.p);
	remove_service(f, 0);
	minutes(f, 1);
	assert_running(f, "svc");
	assert_string_equal(f->started.p, "a@1778936460\n");
}

static void a_service_stopped_by_hand_stays_so_for_its_event(void **state)
{
	struct fixture *f = *state;

	SET(f, { "a", "Race [svc]", 1, 30 }, { "b", "Next [svc]", 60, 90 });
	start_scheduler(f);
	remove_service(f, 0);
	minutes(f, 2);
	assert_running(f, "");
	assert_string_equal(status_of(f, "a"), "stopped");
	restart_daemon(f);
	minutes(f, 2);
	assert_running(f, "");
	minutes(f, 56);
	assert_running(f, "svc");
}

/* --- what fails --- */

static void a_service_that_does_not_start_is_tried_again(void **state)
{
	struct fixture *f = *state;

	f->refuses = true;
	SET(f, { "a", "Race [svc]", 1, 60 });
	start_scheduler(f);
	minutes(f, 3);
	assert_string_equal(status_of(f, "a"), "failed");
	assert_true(is_logged(f, "no plugin is named so"));
	assert_null(f->started.p);
	f->refuses = false;
	minutes(f, 1);
	assert_running(f, "svc");
	assert_string_equal(f->started.p, "a@1778936460\n");
}

static void a_service_that_failed_is_brought_back(void **state)
{
	struct fixture *f = *state;

	SET(f, { "a", "Race [svc]", 1, 60 });
	start_scheduler(f);
	f->services[0].is_failed = true;
	minutes(f, 1);
	assert_int_equal(f->restarts, 1);
	minutes(f, 5);
	assert_int_equal(f->restarts, 1);
}

static void while_the_source_is_down_the_copy_is_used(void **state)
{
	struct fixture *f = *state;
	struct lt_scheduler_stats stats;

	SET(f, { "a", "Race [svc]", 30, 60 });
	start_scheduler(f);
	lt_scheduler_destroy(f->scheduler);
	f->status = 0;
	start_scheduler(f);
	minutes(f, 29);
	assert_running(f, "svc");
	lt_scheduler_report(f->scheduler, &stats);
	assert_int_equal(stats.failing, 1);
	assert_int_not_equal(stats.age_s, -1); /* the copy is as old as its file */
	assert_true(is_logged(f, "calendar cannot be read, its last copy is used"));
}

static void garbage_and_errors_leave_the_events_as_they_are(void **state)
{
	struct fixture *f = *state;

	SET(f, { "a", "Race [svc]", 1, 120 });
	start_scheduler(f);
	lt_buf_clear(&f->calendar);
	lt_buf_add_c(&f->calendar, "<html>Sorry</html>");
	minutes(f, 11);
	assert_running(f, "svc");
	assert_true(is_logged(f, "not an iCalendar text"));
	f->status = 503;
	minutes(f, 20);
	assert_running(f, "svc");
	assert_true(is_logged(f, "the server answers with status 503"));
	f->status = 200;
	SET(f, { "b", "Other [two]", 1, 120 });
	minutes(f, 10);
	assert_running(f, "two");
	assert_true(is_logged(f, "calendar is read again"));
}

static void a_calendar_that_was_never_read_ends_nothing(void **state)
{
	struct fixture *f = *state;

	SET(f, { "a", "Race [svc]", 1, 30 });
	start_scheduler(f);
	assert_running(f, "svc");
	lt_scheduler_destroy(f->scheduler);
	LT_AUTO(lt_buf_finish) struct lt_buf command = { 0 };
	lt_buf_printf(&command, "rm %s/calendar-*.ics", f->dir);
	assert_int_equal(system(command.p), 0);
	f->status = 0;
	start_scheduler(f);
	minutes(f, 20);
	assert_running(f, "svc");
	minutes(f, 30); /* its end is known all the same */
	assert_running(f, "");
}

static void the_url_is_never_told(void **state)
{
	struct fixture *f = *state;
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

	f->status = 0;
	start_scheduler(f);
	minutes(f, 11);
	f->status = 404;
	minutes(f, 11);
	cJSON_Delete(f->show);
	f->show = lt_scheduler_show(f->scheduler);
	lt_json_print(&text, f->show, LT_JSON_COMPACT);
	assert_non_null(strstr(text.p, "https://calendar.example"));
	assert_null(strstr(text.p, "private"));
	assert_true(is_logged(f, "from=\"https://calendar.example\""));
	assert_false(is_logged(f, "private"));
	assert_false(is_logged(f, "SECRET"));
	assert_false(is_logged(f, "pass"));
}

static void mistakes_are_told_before_the_race(void **state)
{
	struct fixture *f = *state;
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

	SET(f, { "a", "Race [broken]", 600, 660 }, { "b", "No brackets", 600, 660 });
	start_scheduler(f);
	assert_true(is_logged(f, "event would not start"));
	f->show = lt_scheduler_show(f->scheduler);
	lt_json_print(&text, lt_json_get(f->show, "mistakes"), LT_JSON_COMPACT);
	assert_non_null(strstr(text.p, "no service in brackets"));
	assert_non_null(strstr(text.p, "no plugin is named"));
}

static void a_broken_state_file_is_set_aside(void **state)
{
	struct fixture *f = *state;
	LT_AUTO(lt_free) char *path = lt_path_join(f->dir, "scheduler.json");
	LT_AUTO(lt_free) char *aside = lt_path_join(f->dir, "scheduler.json.broken");

	SET(f, { "a", "Race [svc]", 1, 60 });
	assert_true(lt_file_replace(path, LT_STR("{\"version\":1,\"events\":[{}]}"), 0600, NULL));
	start_scheduler(f);
	assert_running(f, "svc");
	assert_int_equal(access(aside, F_OK), 0);
}

/* --- restarts --- */

static void a_service_that_came_back_is_known_and_ended(void **state)
{
	struct fixture *f = *state;

	SET(f, { "a", "Race [svc]", 1, 30 });
	start_scheduler(f);
	minutes(f, 10);
	restart_daemon(f);
	minutes(f, 5);
	assert_running(f, "svc");
	assert_string_equal(f->services[0].uuid, "uuid1");
	minutes(f, 27);
	assert_running(f, "");
	assert_string_equal(f->started.p, "a@1778936460\n");
}

static void without_its_state_file_the_scheduler_still_knows_its_services(void **state)
{
	struct fixture *f = *state;
	LT_AUTO(lt_free) char *path = lt_path_join(f->dir, "scheduler.json");

	SET(f, { "a", "Race [svc]", 1, 30 }, { "b", "Other [two]", 1, 30 });
	start_scheduler(f);
	lt_scheduler_destroy(f->scheduler);
	lt_fake_settle(f->loop);
	assert_int_equal(unlink(path), 0);
	SET(f, { "a", "Race [svc]", 1, 30 });
	start_scheduler(f);
	minutes(f, 2);
	assert_running(f, "svc"); /* the other one's event has gone meanwhile */
	minutes(f, 40);
	assert_running(f, "");
}

static void after_fresh_events_start_again_untold(void **state)
{
	struct fixture *f = *state;

	SET(f, { "a", "Race [svc]", 1, 30 });
	start_scheduler(f);
	remove_service(f, 0); /* as the service manager forgets them */
	f->fresh = true;
	restart_daemon(f);
	assert_running(f, "svc");
	assert_string_equal(f->started.p, "a@1778936460\n");
}

static void an_event_is_told_when_it_is_on_disk(void **state)
{
	struct fixture *f = *state;

	SET(f, { "a", "Race [svc]", 1, 30 });
	start_scheduler(f);
	LT_AUTO(lt_free) char *path = lt_path_join(f->dir, "scheduler.json");
	LT_AUTO(cJSON_Delete) cJSON *saved = lt_json_parse_file(path, 100000, NULL);
	struct stat status;

	assert_non_null(saved);
	assert_true(cJSON_IsTrue(lt_json_get(lt_json_get(saved, "marks")->child, "begun")));
	assert_string_equal(f->started.p, "a@1778936460\n");
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
}

/* --- order of life --- */

static void on_synced(void *arg, cJSON *result_take)
{
	struct fixture *f = arg;

	f->shown++;
	cJSON_Delete(f->show);
	f->show = result_take;
}

static void sync_reads_at_once_and_answers_when_it_has(void **state)
{
	struct fixture *f = *state;
	struct lt_err err = { 0 };

	SET(f, { "a", "Race [svc]", 600, 660 });
	start_scheduler(f);
	SET(f, { "b", "Race [svc]", 1, 60 });
	f->is_silent = true;
	assert_true(lt_scheduler_sync(f->scheduler, on_synced, f, &err));
	lt_fake_settle(f->loop);
	assert_int_equal(f->shown, 0);
	answer(f);
	lt_fake_settle(f->loop);
	assert_int_equal(f->shown, 1);
	assert_running(f, "svc");
	assert_string_equal(lt_json_get(lt_json_get(f->show, "events")->child, "uid")->valuestring,
			"b");
}

static void who_waits_is_answered_when_the_scheduler_stops(void **state)
{
	struct fixture *f = *state;
	struct lt_err err = { 0 };

	SET(f, { "a", "Race [svc]", 600, 660 });
	start_scheduler(f);
	f->is_silent = true;
	assert_true(lt_scheduler_sync(f->scheduler, on_synced, f, &err));
	lt_fake_settle(f->loop);
	lt_scheduler_stop(f->scheduler);
	assert_int_equal(f->shown, 1);
	assert_null(f->show);
}

static void a_reload_takes_other_calendars_and_removes_old_copies(void **state)
{
	struct fixture *f = *state;
	LT_AUTO(lt_buf_finish) struct lt_buf command = { 0 };
	LT_AUTO(lt_buf_finish) struct lt_buf url = { 0 };
	LT_AUTO(lt_free) char *file = lt_path_join(f->dir, "other calendar.ics");

	SET(f, { "a", "Race [svc]", 1, 60 });
	start_scheduler(f);
	assert_running(f, "svc");
	SET(f, { "b", "Race [two]", 1, 60 });
	assert_true(lt_file_replace(file, lt_buf_str(&f->calendar), 0600, NULL));
	lt_buf_printf(&url, "file://%s/other%%20calendar.ics", f->dir);
	lt_scheduler_reload(f->scheduler, url.p, &f->times);
	lt_fake_settle(f->loop);
	assert_running(f, "two");
	lt_buf_printf(&command, "test $(ls %s/calendar-*.ics | wc -l) = 1", f->dir);
	assert_int_equal(system(command.p), 0);
	lt_scheduler_reload(f->scheduler, NULL, &f->times);
	lt_fake_settle(f->loop);
	assert_running(f, "");
}

static void figures_tell_of_calendars_and_events(void **state)
{
	struct fixture *f = *state;
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

	SET(f, { "a", "Race [svc]", 1, 60 }, { "b", "Next [svc]", 120, 160 });
	start_scheduler(f);
	minutes(f, 5);
	lt_scheduler_write_metrics(f->scheduler, &text);
	assert_non_null(strstr(text.p, "\nlivetiming_schedule_next_start_seconds 6900\n"));
	assert_non_null(strstr(text.p, "\nlivetiming_schedule_age_seconds 300\n"));
	assert_non_null(strstr(text.p, "\nlivetiming_schedule_events_running 1\n"));
	assert_non_null(strstr(text.p, "\nlivetiming_schedule_starts_total 1\n"));
}

static void add_url(void *arg, struct lt_str url)
{
	lt_buf_add_str(arg, url);
	lt_buf_add_char(arg, '\n');
}

static void urls_are_separated_by_commas(void **state)
{
	static const char *const bad[] = { "ftp://a.example/x", "https://", "calendar.ics",
		"https://a.example/a b.ics", ",https://a.example/" };
	LT_AUTO(lt_buf_finish) struct lt_buf urls = { 0 };

	(void)state;
	assert_true(lt_schedule_urls(
			LT_STR("https://a.example/x,y.ics, file:///tmp/a.ics ,HTTP://b/,"), add_url,
			&urls, NULL));
	assert_string_equal(urls.p, "https://a.example/x,y.ics\nfile:///tmp/a.ics\nHTTP://b/\n");
	for (size_t i = 0; i < LT_ARRAY_LEN(bad); i++) {
		struct lt_err err = { 0 };

		if (lt_schedule_urls(lt_str_from(bad[i]), NULL, NULL, &err)) {
			fail_msg("%s was accepted", bad[i]);
		}
		assert_null(strstr(err.msg, "example"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
				timelines_of_the_original_are_followed, setup, teardown),
		cmocka_unit_test_setup_teardown(
				calendars_of_the_original_are_listed_in_its_form, setup, teardown),
		cmocka_unit_test_setup_teardown(
				the_schedule_is_published_and_answered, setup, teardown),
		cmocka_unit_test_setup_teardown(
				without_a_calendar_the_schedule_is_empty, setup, teardown),
		cmocka_unit_test_setup_teardown(a_title_edit_does_not_restart, setup, teardown),
		cmocka_unit_test_setup_teardown(
				changed_arguments_restart_and_are_not_told_again, setup, teardown),
		cmocka_unit_test_setup_teardown(
				a_moved_event_goes_on_and_ends_at_its_new_end, setup, teardown),
		cmocka_unit_test_setup_teardown(
				an_event_moved_to_later_ends_and_begins_again, setup, teardown),
		cmocka_unit_test_setup_teardown(a_deleted_event_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(
				two_masquerades_of_one_plugin_run_side_by_side, setup, teardown),
		cmocka_unit_test_setup_teardown(
				one_event_in_two_entries_counts_once, setup, teardown),
		cmocka_unit_test_setup_teardown(a_held_out_event_says_by_whom, setup, teardown),
		cmocka_unit_test_setup_teardown(
				a_service_started_by_hand_is_neither_doubled_nor_stopped, setup,
				teardown),
		cmocka_unit_test_setup_teardown(
				one_with_other_arguments_holds_out, setup, teardown),
		cmocka_unit_test_setup_teardown(
				a_service_stopped_by_hand_stays_so_for_its_event, setup, teardown),
		cmocka_unit_test_setup_teardown(
				a_service_that_does_not_start_is_tried_again, setup, teardown),
		cmocka_unit_test_setup_teardown(
				a_service_that_failed_is_brought_back, setup, teardown),
		cmocka_unit_test_setup_teardown(
				while_the_source_is_down_the_copy_is_used, setup, teardown),
		cmocka_unit_test_setup_teardown(
				garbage_and_errors_leave_the_events_as_they_are, setup, teardown),
		cmocka_unit_test_setup_teardown(
				a_calendar_that_was_never_read_ends_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(the_url_is_never_told, setup, teardown),
		cmocka_unit_test_setup_teardown(mistakes_are_told_before_the_race, setup, teardown),
		cmocka_unit_test_setup_teardown(a_broken_state_file_is_set_aside, setup, teardown),
		cmocka_unit_test_setup_teardown(
				a_service_that_came_back_is_known_and_ended, setup, teardown),
		cmocka_unit_test_setup_teardown(
				without_its_state_file_the_scheduler_still_knows_its_services,
				setup, teardown),
		cmocka_unit_test_setup_teardown(
				after_fresh_events_start_again_untold, setup, teardown),
		cmocka_unit_test_setup_teardown(
				an_event_is_told_when_it_is_on_disk, setup, teardown),
		cmocka_unit_test_setup_teardown(
				sync_reads_at_once_and_answers_when_it_has, setup, teardown),
		cmocka_unit_test_setup_teardown(
				who_waits_is_answered_when_the_scheduler_stops, setup, teardown),
		cmocka_unit_test_setup_teardown(
				a_reload_takes_other_calendars_and_removes_old_copies, setup,
				teardown),
		cmocka_unit_test_setup_teardown(
				figures_tell_of_calendars_and_events, setup, teardown),
		cmocka_unit_test_setup_teardown(urls_are_separated_by_commas, setup, teardown),
		cmocka_unit_test_setup_teardown(
				who_stands_by_starts_nothing_until_it_takes_over_and_tells_only_what_is_new,
				setup, teardown),
		cmocka_unit_test_setup_teardown(
				who_lets_another_act_ends_what_it_had_started, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
