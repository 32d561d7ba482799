#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "store/recorder.h"
#include "store/timeline.h"
#include "support/golden.h"
#include "support/test.h"
#include "support/tmpdir.h"

#define START INT64_C(1700000040) /* a whole minute */

struct fixture {
	char dir[TMPDIR_MAX];
	char journal[200], archive[200];
	struct lt_recorder *recorder;
};

static int set_up(void **state)
{
	struct fixture *f = lt_zalloc(sizeof(*f));
	struct lt_err err = { 0 };

	tmpdir_make(f->dir);
	snprintf(f->journal, sizeof(f->journal), "%s/x.journal", f->dir);
	snprintf(f->archive, sizeof(f->archive), "%s/x.zip", f->dir);
	f->recorder = lt_recorder_begin(f->journal, NULL, &err);
	assert_non_null(f->recorder);
	LT_AUTO(cJSON_Delete)
	cJSON *manifest = json_of(
			"{\"uuid\":\"x\",\"name\":\"n\",\"description\":\"d\","
			"\"version\":1,\"colSpec\":[[\"Num\",\"text\"],[\"Laps\",\"numeric\"]]}");
	assert_true(lt_recorder_set_manifest(f->recorder, manifest, START, &err));
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	lt_recorder_close(f->recorder);
	tmpdir_remove(f->dir);
	lt_free(f);
	return 0;
}

static void add(struct fixture *f, int second, const char *flag, const char *leader,
		const char *messages)
{
	char text[400];
	struct lt_err err = { 0 };

	snprintf(text, sizeof(text),
			"{\"cars\":[[\"%s\",%d]],\"session\":{\"flagState\":\"%s\",\"t\":%d},"
			"\"messages\":[%s],\"highlight\":[]}",
			leader, second / 20, flag, second, messages);
	LT_AUTO(cJSON_Delete) cJSON *value = json_of(text);
	if (!lt_recorder_add(f->recorder, START + second, value, &err)) {
		fail_msg("%s", err.msg);
	}
}

static void add_green(struct fixture *f, int from, int until)
{
	for (int second = from; second < until; second++) {
		add(f, second, "green", "7", "");
	}
}

static struct lt_timeline *open_journal(struct fixture *f)
{
	struct lt_err err = { 0 };
	struct lt_timeline *timeline = lt_timeline_open_journal(f->journal, &err);

	if (!timeline) {
		fail_msg("%s", err.msg);
	}
	return timeline;
}

static cJSON *chunk_at(const struct lt_timeline *timeline, int64_t start_s, bool *ret_closed)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	struct lt_err err = { 0 };

	if (!lt_timeline_write_chunk(timeline, start_s, ret_closed, &text, &err)) {
		fail_msg("%s", err.msg);
	}
	cJSON *chunk = lt_json_parse(lt_buf_str(&text), &err);
	assert_non_null(chunk);
	return chunk;
}

static void a_chunk_begins_with_the_first_key_frame_of_its_minute(void **state)
{
	struct fixture *f = *state;
	size_t count;
	bool closed;

	add_green(f, 5, 130);
	struct lt_timeline *timeline = open_journal(f);
	const int64_t *starts = lt_timeline_starts(timeline, &count);
	assert_int_equal(count, 3);
	assert_int_equal(starts[0], START + 5);
	assert_int_equal(starts[1], START + 65);
	assert_int_equal(starts[2], START + 125);

	LT_AUTO(cJSON_Delete) cJSON *chunk = chunk_at(timeline, START + 5, &closed);
	const cJSON *frames = lt_json_get(chunk, "frames");
	assert_true(closed);
	assert_int_equal(cJSON_GetArraySize(frames), 60);
	assert_non_null(lt_json_get(frames->child, "key"));
	assert_non_null(lt_json_get(frames->child->next, "diff"));
	LT_AUTO(cJSON_Delete) cJSON *last = chunk_at(timeline, START + 125, &closed);
	assert_non_null(last);
	assert_false(closed);
	lt_timeline_close(timeline);
}

static void a_time_at_which_no_chunk_begins_is_refused(void **state)
{
	struct fixture *f = *state;
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	struct lt_err err = { 0 };
	bool closed;

	add_green(f, 0, 70);
	struct lt_timeline *timeline = open_journal(f);
	assert_false(lt_timeline_write_chunk(timeline, START + 1, &closed, &text, &err));
	assert_int_equal(err.code, LT_E_NOT_FOUND);
	assert_false(lt_timeline_write_chunk(timeline, INT64_MAX, &closed, &text, &err));
	lt_timeline_close(timeline);
}

static void frames_that_are_added_are_seen_after_a_refresh(void **state)
{
	struct fixture *f = *state;
	struct lt_err err = { 0 };
	size_t count;

	add_green(f, 0, 10);
	struct lt_timeline *timeline = open_journal(f);
	assert_int_equal(lt_timeline_span(timeline).frames, 10);
	add_green(f, 10, 80);
	assert_true(lt_timeline_refresh(timeline, &err));
	assert_int_equal(lt_timeline_span(timeline).last_s, START + 79);
	lt_timeline_starts(timeline, &count);
	assert_int_equal(count, 2);
	lt_timeline_close(timeline);
}

static void a_closed_chunk_is_the_same_when_more_has_come(void **state)
{
	struct fixture *f = *state;
	struct lt_err err = { 0 };
	LT_AUTO(lt_buf_finish) struct lt_buf before = { 0 }, after = { 0 };
	bool closed;

	add_green(f, 0, 62);
	struct lt_timeline *timeline = open_journal(f);
	assert_true(lt_timeline_write_chunk(timeline, START, &closed, &before, &err));
	assert_true(closed);
	add_green(f, 62, 150);
	assert_true(lt_timeline_refresh(timeline, &err));
	assert_true(lt_timeline_write_chunk(timeline, START, &closed, &after, &err));
	assert_int_equal(before.n, after.n);
	assert_memory_equal(before.p, after.p, before.n);
	lt_timeline_close(timeline);
}

static void walk_all(struct lt_timeline *timeline)
{
	struct lt_timeline_progress progress = { 0 };
	struct lt_err err = { 0 };

	while (!progress.done) {
		double before = progress.share;

		if (!lt_timeline_walk(timeline, 7, &progress, &err)) {
			fail_msg("%s", err.msg);
		}
		assert_true(progress.done || progress.share > before);
	}
}

static void a_walk_in_slices_finds_flags_leaders_laps_and_messages(void **state)
{
	struct fixture *f = *state;
	struct lt_err err = { 0 };
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

	add_green(f, 0, 15);
	add(f, 15, "sc", "8", "[1,\"Track\",\"one\",\"\"]");
	add(f, 16, "sc", "8", "[2,\"Track\",\"two\",\"\"],[1,\"Track\",\"one\",\"\"]");
	for (int second = 17; second < 45; second++) {
		add(f, second, "chequered", "8",
				"[2,\"Track\",\"two\",\"\"],[1,\"Track\",\"one\",\"\"]");
	}
	struct lt_timeline *timeline = open_journal(f);
	walk_all(timeline);
	lt_buf_add_char(&text, '{');
	lt_timeline_write_moments(timeline, &text);
	lt_buf_add_char(&text, '}');
	LT_AUTO(cJSON_Delete) cJSON *moments = lt_json_parse(lt_buf_str(&text), &err);
	assert_non_null(moments);
	lt_buf_clear(&text);
	lt_json_print(&text, lt_json_get(moments, "flags"), LT_JSON_COMPACT);
	lt_json_print(&text, lt_json_get(moments, "leaders"), LT_JSON_COMPACT);
	lt_json_print(&text, lt_json_get(moments, "laps"), LT_JSON_COMPACT);
	lt_buf_add_char(&text, '\0');
	assert_string_equal(text.p,
			"[[1700000040,\"green\"],[1700000055,\"sc\"],[1700000057,"
			"\"chequered\"]][[1700000040,\"7\"],[1700000055,\"8\"]]"
			"[[1700000060,1],[1700000080,2]]");
	lt_buf_clear(&text);
	lt_timeline_write_messages(timeline, &text);
	lt_buf_add_char(&text, '\0');
	assert_string_equal(text.p,
			"\"complete\":false,\"end\":1700000083,\"messages\":"
			"[[1700000055,[1,\"Track\",\"one\",\"\"]],"
			"[1700000056,[2,\"Track\",\"two\",\"\"]]]");
	lt_timeline_close(timeline);
}

static void analyse(struct lt_timeline *timeline, int64_t at_s, struct lt_buf *text)
{
	struct lt_timeline_progress progress = { 0 };
	struct lt_err err = { 0 };

	while (!progress.done) {
		if (!lt_timeline_analyse(timeline, at_s, 50, &progress, text, &err)) {
			fail_msg("%s", err.msg);
		}
	}
}

static void the_analysis_at_a_time_does_not_depend_on_what_was_asked_before(void **state)
{
	struct fixture *f = *state;
	LT_AUTO(lt_buf_finish) struct lt_buf first = { 0 }, later = { 0 }, again = { 0 };

	add_green(f, 0, 1500);
	struct lt_timeline *timeline = open_journal(f), *other = open_journal(f);
	analyse(timeline, START + 700, &first);
	analyse(timeline, START + 1490, &later);
	analyse(timeline, START + 700, &again); /* from a checkpoint */
	assert_true(first.n > 50);
	assert_int_equal(first.n, again.n);
	assert_memory_equal(first.p, again.p, first.n);
	lt_buf_clear(&again);
	analyse(other, START + 1490, &again);
	assert_int_equal(later.n, again.n);
	assert_memory_equal(later.p, again.p, later.n);
	lt_timeline_close(timeline);
	lt_timeline_close(other);
}

static void before_the_start_there_is_no_analysis(void **state)
{
	struct fixture *f = *state;
	struct lt_timeline_progress progress;
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	struct lt_err err = { 0 };

	add_green(f, 0, 5);
	struct lt_timeline *timeline = open_journal(f);
	assert_false(lt_timeline_analyse(timeline, START - 1, 10, &progress, &text, &err));
	assert_int_equal(err.code, LT_E_NOT_FOUND);
	lt_timeline_close(timeline);
}

static void what_is_no_recording_is_refused(void **state)
{
	struct fixture *f = *state;
	struct lt_err err = { 0 };
	FILE *file = fopen(f->archive, "w");

	fputs("PK nothing", file);
	fclose(file);
	assert_null(lt_timeline_open_recording(f->archive, &err));
	assert_int_equal(err.code, LT_E_FORMAT);
	unlink(f->archive);
	assert_null(lt_timeline_open_recording(f->archive, &err));
	assert_int_equal(err.code, LT_E_NOT_FOUND);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_chunk_begins_with_the_first_key_frame_of_its_minute),
		TEST(a_time_at_which_no_chunk_begins_is_refused),
		TEST(frames_that_are_added_are_seen_after_a_refresh),
		TEST(a_closed_chunk_is_the_same_when_more_has_come),
		TEST(a_walk_in_slices_finds_flags_leaders_laps_and_messages),
		TEST(the_analysis_at_a_time_does_not_depend_on_what_was_asked_before),
		TEST(before_the_start_there_is_no_analysis),
		TEST(what_is_no_recording_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
