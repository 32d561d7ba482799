/* Addresses of the timeline: who gets what, how often it is made, and what is too much. */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/random.h"
#include "race/envelope.h"
#include "router/http_req.h"
#include "router/router.h"
#include "services/timeline/timeline.h"
#include "store/finalise.h"
#include "store/recorder.h"
#include "store/zip_writer.h"
#include "support/golden.h"
#include "support/test.h"
#include "support/tmpdir.h"
#include "support_fake/loop_fake.h"

#define START   INT64_C(1700000040) /* a whole minute */
#define MANY    2500
#define WAITING 200 /* that may wait */
#define SOURCES 16  /* recordings that may be open */

/* A request and its answer. */
struct request {
	struct lt_http_req *req;
	bool answered, gone;
	int status;
	char head[1024];
	struct lt_buf body;
};

struct fixture {
	struct lt_loop *loop;
	struct lt_random *random;
	struct lt_router *router;
	struct lt_timelines *timelines;
	char dir[TMPDIR_MAX], recordings[100], cache[100], journal[100];
	struct lt_recorder *recorder;  /* of the service "live1"; NULL: none */
	bool do_not_record, is_closed; /* of it */
	const char *owned;             /* file name of a private recording; NULL: none */
	struct request one;
	struct request *many;
};

/* --- what the daemon tells --- */

static bool live(void *arg, struct lt_str uuid, struct lt_live_recording *ret)
{
	const struct fixture *f = arg;

	if (!lt_str_eq_c(uuid, "live1") || (!f->recorder && !f->do_not_record)) {
		return false;
	}
	*ret = (struct lt_live_recording){ .journal = f->recorder ? f->journal : NULL,
		.start_s = START,
		.do_not_record = f->do_not_record };
	return true;
}

static bool is_closed(void *arg, struct lt_str uuid)
{
	const struct fixture *f = arg;

	return f->is_closed && lt_str_eq_c(uuid, "live1");
}

static struct lt_str owner(void *arg, struct lt_str name)
{
	const struct fixture *f = arg;

	return f->owned && lt_str_eq_c(name, f->owned) ? LT_STR("live1")
						       : (struct lt_str){ NULL, 0 };
}

static int gate(void *arg, struct lt_str uuid, struct lt_http_req *req)
{
	struct lt_str code = lt_http_header(req, "x-access-code");

	(void)arg;
	(void)uuid;
	if (code.n == 0) {
		return 404;
	}
	return lt_str_eq_c(code, "right") ? 200 : 403;
}

/* --- life --- */

static void make_timelines(struct fixture *f)
{
	f->timelines = lt_timelines_create(&(struct lt_timelines_env){ .loop = f->loop,
			.router = f->router,
			.recordings_dir = f->recordings,
			.cache_dir = f->cache,
			.live = live,
			.arg = f,
			.is_closed = is_closed,
			.owner = owner,
			.gate = gate,
			.private_arg = f });
	lt_timelines_start(f->timelines);
	lt_fake_settle(f->loop);
}

static int set_up(void **state)
{
	struct fixture *f = lt_zalloc(sizeof(*f));

	tmpdir_make(f->dir);
	snprintf(f->recordings, sizeof(f->recordings), "%s/recordings", f->dir);
	snprintf(f->cache, sizeof(f->cache), "%s/cache", f->dir);
	snprintf(f->journal, sizeof(f->journal), "%s/live.journal", f->dir);
	mkdir(f->recordings, 0755);
	f->loop = lt_loop_create(NULL);
	f->random = lt_random_create(1, NULL);
	f->router = lt_router_create(&(struct lt_router_env){
			.loop = f->loop, .random = f->random, .agent = "test" });
	f->many = lt_calloc(MANY, sizeof(*f->many));
	make_timelines(f);
	*state = f;
	return 0;
}

static void finish_request(struct request *request)
{
	if (request->req && !request->gone) {
		lt_http_req_free(request->req);
	}
	lt_buf_finish(&request->body);
	*request = (struct request){ 0 };
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	lt_timelines_destroy(f->timelines);
	lt_fake_settle(f->loop);
	finish_request(&f->one);
	for (size_t i = 0; i < MANY; i++) {
		finish_request(&f->many[i]);
	}
	lt_free(f->many);
	lt_recorder_close(f->recorder);
	lt_router_destroy(f->router);
	lt_random_destroy(f->random);
	lt_loop_destroy(f->loop);
	tmpdir_remove(f->dir);
	lt_free(f);
	return 0;
}

/* --- recordings --- */

static struct lt_recorder *record(
		const char *journal, const char *uuid, bool is_private, int seconds)
{
	struct lt_err err = { 0 };
	struct lt_recorder *recorder = lt_recorder_begin(journal, NULL, &err);
	char text[400];

	assert_non_null(recorder);
	snprintf(text, sizeof(text),
			"{\"uuid\":\"%s\",\"name\":\"n\",\"description\":\"d\",%s\"version\":1,"
			"\"colSpec\":[[\"Num\",\"text\"],[\"Laps\",\"numeric\"]]}",
			uuid, is_private ? "\"private\":true," : "");
	LT_AUTO(cJSON_Delete) cJSON *manifest = json_of(text);
	assert_true(lt_recorder_set_manifest(recorder, manifest, START, &err));
	for (int second = 0; second < seconds; second++) {
		snprintf(text, sizeof(text),
				"{\"cars\":[[\"7\",%d]],\"session\":{\"flagState\":\"green\",\"t\":%d}"
				",\"messages\":[],\"highlight\":[]}",
				second / 20, second);
		LT_AUTO(cJSON_Delete) cJSON *value = json_of(text);
		assert_true(lt_recorder_add(recorder, START + second, value, &err));
	}
	return recorder;
}

static void add_recording(struct fixture *f, const char *name, bool is_private, int seconds)
{
	struct lt_err err = { 0 };
	char journal[160], file[100];
	struct lt_recorder *recorder;

	snprintf(journal, sizeof(journal), "%s/%s.journal", f->dir, name);
	snprintf(file, sizeof(file), "%s.zip", name);
	recorder = record(journal, name, is_private, seconds);
	assert_true(lt_recorder_end(recorder, &err));
	lt_recorder_close(recorder);
	if (!lt_finalise(&(struct lt_finalise_opts){ .journal_path = journal,
					 .directory = f->recordings,
					 .file_name = file },
			    NULL, &err)) {
		fail_msg("%s", err.msg);
	}
}

static void begin_live(struct fixture *f)
{
	f->recorder = record(f->journal, "live1", f->is_closed, 130);
}

/* --- requests --- */

static void on_ready(void *arg)
{
	struct request *request = arg;
	const char *out = request->req->out.p, *body;

	request->answered = true;
	assert_int_equal(sscanf(out, "HTTP/1.1 %d", &request->status), 1);
	body = strstr(out, "\r\n\r\n");
	assert_non_null(body);
	body += 4;
	snprintf(request->head, sizeof(request->head), "%.*s", (int)(body - out), out);
	lt_buf_add(&request->body, body, request->req->out.n - (size_t)(body - out));
}

/* As the transport does: target with or without "?at=TIME". */
static void send_request(
		struct fixture *f, struct request *request, const char *target, const char *code)
{
	struct lt_http *http = lt_router_http(f->router);
	struct lt_http_req *req = lt_http_req_create(http, 0);
	const char *query = strstr(target, "?at=");
	struct lt_str path = { target, query ? (size_t)(query - target) : strlen(target) };

	finish_request(request);
	request->req = req;
	req->method = LT_HTTP_GET;
	req->ready = on_ready;
	req->ready_arg = request;
	req->path = lt_str_dup(path);
	req->path_n = path.n;
	if (query) {
		lt_http_req_add(&req->queries, &req->queries_n, LT_STR("at"),
				lt_str_from(query + strlen("?at=")));
	}
	if (code) {
		lt_http_req_add(&req->headers, &req->headers_n, LT_STR("x-access-code"),
				lt_str_from(code));
	}
	if (lt_http_route_find(http, req)) {
		req->handed = true;
		req->fn(req->fn_arg, req);
	}
}

/* The client closes its connection. */
static void cancel(struct request *request)
{
	lt_http_req_abandon(request->req);
	request->gone = true;
}

static const char *body_of(struct request *request)
{
	lt_buf_add_char(&request->body, '\0');
	request->body.n--;
	return request->body.p;
}

/* Ask again while it is being made; the code of the answer. */
static int get(struct fixture *f, const char *target, const char *code)
{
	do {
		send_request(f, &f->one, target, code);
		lt_fake_settle(f->loop);
		assert_true(f->one.answered);
	} while (f->one.status == 202);
	return f->one.status;
}

static void expect_refused(struct fixture *f, const char *target, const char *access_code,
		int status, const char *code)
{
	struct lt_str got;

	if (get(f, target, access_code) != status) {
		fail_msg("%s: %d %s", target, f->one.status, body_of(&f->one));
	}
	LT_AUTO(cJSON_Delete) cJSON *body = json_of(body_of(&f->one));
	assert_true(lt_json_get_str(body, "code", &got, NULL));
	assert_str_equal(got, code);
	assert_non_null(lt_json_get(body, "error"));
}

static size_t count_status(const struct fixture *f, size_t requests, int status)
{
	size_t count = 0;

	for (size_t i = 0; i < requests; i++) {
		assert_true(f->many[i].answered);
		count += f->many[i].status == status;
	}
	return count;
}

/* --- documents --- */

#define RECORDED "/timeline/recordings/race/"
#define LIVE     "/timeline/live/live1/"

static void a_recording_has_all_documents(void **state)
{
	static const char *const names[] = { "index.json", "1700000040.json", "moments.json",
		"messages.json", "analysis.json?at=1700000100" };
	struct fixture *f = *state;

	add_recording(f, "race", false, 130);
	for (size_t i = 0; i < LT_ARRAY_LEN(names); i++) {
		char target[100];

		snprintf(target, sizeof(target), RECORDED "%s", names[i]);
		assert_int_equal(get(f, target, NULL), 200);
		LT_AUTO(cJSON_Delete) cJSON *body = json_of(body_of(&f->one));
		assert_true(cJSON_IsObject(body));
		assert_non_null(strstr(f->one.head, "Access-Control-Allow-Origin: *"));
		assert_non_null(strstr(f->one.head, "Cache-Control: public"));
	}
}

static void a_closed_chunk_may_be_kept_for_ever_and_an_open_one_for_a_second(void **state)
{
	struct fixture *f = *state;

	begin_live(f);
	assert_int_equal(get(f, LIVE "1700000040/1700000040.json", NULL), 200);
	assert_non_null(strstr(f->one.head, "immutable"));
	assert_int_equal(get(f, LIVE "1700000040/1700000160.json", NULL), 200);
	assert_non_null(strstr(f->one.head, "Cache-Control: public, max-age=1\r\n"));
}

static void a_live_index_is_made_again_after_a_second(void **state)
{
	struct fixture *f = *state;
	struct lt_err err = { 0 };

	begin_live(f);
	assert_int_equal(get(f, LIVE "index.json", NULL), 200);
	assert_non_null(strstr(body_of(&f->one), "\"frames\":130,"));
	LT_AUTO(cJSON_Delete)
	cJSON *value = json_of("{\"cars\":[],\"session\":{},\"messages\":[],\"highlight\":[]}");
	assert_true(lt_recorder_add(f->recorder, START + 130, value, &err));
	assert_int_equal(get(f, LIVE "index.json", NULL), 200);
	assert_non_null(strstr(body_of(&f->one), "\"frames\":130,"));
	lt_fake_advance(f->loop, 1001);
	assert_int_equal(get(f, LIVE "index.json", NULL), 200);
	assert_non_null(strstr(body_of(&f->one), "\"frames\":131,"));
}

static void what_takes_long_tells_its_progress_and_ends(void **state)
{
	struct fixture *f = *state;

	add_recording(f, "race", false, 1500);
	send_request(f, &f->one, RECORDED "moments.json", NULL);
	lt_fake_settle(f->loop);
	assert_int_equal(f->one.status, 202);
	assert_non_null(strstr(f->one.head, "Retry-After: 1"));
	LT_AUTO(cJSON_Delete) cJSON *body = json_of(body_of(&f->one));
	double share = lt_json_get(body, "progress")->valuedouble;
	assert_true(share > 0 && share < 1);
	assert_int_equal(get(f, RECORDED "moments.json", NULL), 200);
}

static void what_was_made_of_a_recording_is_on_disk_until_the_archive_changes(void **state)
{
	struct fixture *f = *state;

	add_recording(f, "race", false, 1500);
	get(f, RECORDED "moments.json", NULL);
	get(f, RECORDED "analysis.json?at=1800000000", NULL);
	LT_AUTO(lt_free) char *names = dir_names(f->cache);
	assert_string_equal(names, "race.analysis race.messages race.moments");

	/* a new daemon has it at once, by what is on the disk */
	lt_timelines_destroy(f->timelines);
	make_timelines(f);
	for (int i = 0; i < 2; i++) {
		send_request(f, &f->one,
				i ? RECORDED "moments.json"
				  : RECORDED "analysis.json?at=1800000000",
				NULL);
		lt_fake_settle(f->loop);
		assert_int_equal(f->one.status, 200);
	}

	lt_timelines_destroy(f->timelines);
	unlink(in_dir(f->recordings, "race.zip"));
	add_recording(f, "race", false, 1600);
	make_timelines(f);
	assert_int_equal(get(f, RECORDED "moments.json", NULL), 200);
	assert_non_null(strstr(body_of(&f->one), "\"end\":1700001639"));

	lt_timelines_destroy(f->timelines);
	unlink(in_dir(f->recordings, "race.zip"));
	make_timelines(f);
	LT_AUTO(lt_free) char *left = dir_names(f->cache);
	assert_string_equal(left, "");
}

/* --- many --- */

static void a_thousand_who_ask_at_once_share_one_answer(void **state)
{
	struct fixture *f = *state;

	add_recording(f, "race", false, 130);
	for (size_t i = 0; i < 1000; i++) {
		send_request(f, &f->many[i], RECORDED "index.json", NULL);
	}
	lt_fake_settle(f->loop);

	/* more questions than may wait would be refused */
	assert_int_equal(count_status(f, 1000, 200), 1000);
	assert_string_equal(body_of(&f->many[0]), body_of(&f->many[999]));
}

static void more_questions_than_may_wait_are_refused_for_now(void **state)
{
	struct fixture *f = *state;
	char target[80];

	add_recording(f, "race", false, 130);
	for (size_t i = 0; i < WAITING + 50; i++) {
		snprintf(target, sizeof(target), RECORDED "%zu.json", 1700000040 + i);
		send_request(f, &f->many[i], target, NULL);
	}
	lt_fake_settle(f->loop);

	assert_int_equal(count_status(f, WAITING + 50, 503), 50);
	assert_non_null(strstr(f->many[WAITING].head, "Retry-After: 1"));
	assert_int_equal(get(f, RECORDED "1700000100.json", NULL), 200);
}

static void more_recordings_at_once_than_may_be_open_are_refused_for_now(void **state)
{
	struct fixture *f = *state;
	char name[40], target[80];

	for (int i = 0; i < SOURCES + 3; i++) {
		snprintf(name, sizeof(name), "race%d", i);
		add_recording(f, name, false, 3);
		snprintf(target, sizeof(target), "/timeline/recordings/%s/index.json", name);
		send_request(f, &f->many[i], target, NULL);
	}
	lt_fake_settle(f->loop);

	assert_int_equal(count_status(f, SOURCES + 3, 200), SOURCES);
	assert_int_equal(f->many[SOURCES].status, 503);
	/* those that nobody asks for make room */
	assert_int_equal(get(f, target, NULL), 200);
}

static void more_addresses_than_are_kept_are_answered_all_the_same(void **state)
{
	struct fixture *f = *state;
	char target[80];

	add_recording(f, "race", false, 130);
	for (size_t i = 0; i < MANY; i++) {
		snprintf(target, sizeof(target), RECORDED "analysis.json?at=%zu", 10 * i);
		send_request(f, &f->many[i], target, NULL);
		lt_fake_advance(f->loop, 1);
	}

	assert_int_equal(count_status(f, MANY, 404), MANY);
	assert_int_equal(get(f, RECORDED "index.json", NULL), 200);
}

static void who_goes_away_is_not_answered_and_the_others_are(void **state)
{
	struct fixture *f = *state;

	add_recording(f, "race", false, 130);
	for (size_t i = 0; i < 10; i++) {
		send_request(f, &f->many[i], RECORDED "index.json", NULL);
	}
	for (size_t i = 0; i < 10; i += 2) {
		cancel(&f->many[i]);
	}
	lt_fake_settle(f->loop);

	for (size_t i = 0; i < 10; i++) {
		assert_int_equal(f->many[i].answered, i % 2 == 1);
	}
	/* all of them: what was made is there for the next one */
	send_request(f, &f->one, RECORDED "moments.json", NULL);
	cancel(&f->one);
	lt_fake_settle(f->loop);
	assert_int_equal(get(f, RECORDED "moments.json", NULL), 200);
}

static void who_waits_at_the_end_is_told_so(void **state)
{
	struct fixture *f = *state;

	add_recording(f, "race", false, 130);
	send_request(f, &f->many[0], RECORDED "index.json", NULL);
	send_request(f, &f->many[1], RECORDED "moments.json", NULL);
	lt_timelines_stop(f->timelines);
	lt_fake_settle(f->loop);

	assert_int_equal(count_status(f, 2, 404), 2);
}

/* --- refusals --- */

static void a_recording_of_before_version_1_is_named_so(void **state)
{
	struct fixture *f = *state;
	struct lt_err err = { 0 };
	char path[200];

	snprintf(path, sizeof(path), "%s/old.zip", f->recordings);
	struct lt_zip_writer *zip = lt_zip_writer_open(path, 0644, &lt_fileops_system, &err);
	assert_non_null(zip);
	assert_true(lt_zip_writer_add_text(zip, LT_STR("manifest.json"),
			LT_STR("{\"uuid\":\"old\",\"name\":\"n\",\"description\":\"d\"}"), START,
			&err));
	assert_true(lt_zip_writer_finish(zip, LT_STR(""), &err));
	lt_zip_writer_destroy(zip);

	expect_refused(f, "/timeline/recordings/old/index.json", NULL, 422, "old_format");
}

static void a_damaged_recording_is_named_so(void **state)
{
	struct fixture *f = *state;
	char path[200];

	file_write(in_dir(f->recordings, "bad.zip"), LT_STR("PK nothing of the kind"));
	expect_refused(f, "/timeline/recordings/bad/index.json", NULL, 422, "damaged");

	/* whole in its directory, broken in its frames */
	add_recording(f, "torn", false, 130);
	snprintf(path, sizeof(path), "%s/torn.zip", f->recordings);
	LT_AUTO(lt_buf_finish) struct lt_buf bytes = file_bytes(path);
	memset(bytes.p + bytes.n / 8, 'x', bytes.n / 4);
	file_write(path, lt_buf_str(&bytes));
	expect_refused(f, "/timeline/recordings/torn/moments.json", NULL, 422, "damaged");
	expect_refused(f, "/timeline/recordings/torn/analysis.json?at=1700000160", NULL, 422,
			"damaged");
}

static void what_is_not_there_or_no_address_is_refused_with_its_code(void **state)
{
	static const struct {
		const char *target;
		int status;
		const char *code;
	} wrong[] = {
		{ "/timeline/recordings/none/index.json", 404, "no_such_recording" },
		{ "/timeline/recordings/race/1700000041.json", 404, "no_such_chunk" },
		{ "/timeline/recordings/race/other.txt", 404, "no_such_document" },
		{ "/timeline/recordings/race", 404, "no_such_document" },
		{ "/timeline/", 404, "no_such_document" },
		{ "/timeline/elsewhere/race/index.json", 404, "no_such_document" },
		{ "/timeline/recordings/.race/index.json", 400, "bad_request" },
		{ "/timeline/recordings//index.json", 400, "bad_request" },
		{ "/timeline/recordings/race/-1.json", 400, "bad_request" },
		{ "/timeline/recordings/race/.json", 400, "bad_request" },
		{ "/timeline/recordings/race/analysis.json", 400, "bad_request" },
		{ "/timeline/recordings/race/analysis.json?at=1e9", 400, "bad_request" },
		{ "/timeline/recordings/race/analysis.json?at=5", 404, "out_of_range" },
		{ "/timeline/live/none/index.json", 404, "not_recorded" },
		{ "/timeline/live/live1/1700000000/1700000040.json", 404, "no_such_chunk" },
	};
	struct fixture *f = *state;

	add_recording(f, "race", false, 130);
	begin_live(f);
	for (size_t i = 0; i < LT_ARRAY_LEN(wrong); i++) {
		expect_refused(f, wrong[i].target, NULL, wrong[i].status, wrong[i].code);
	}
}

static void a_service_that_must_not_be_recorded_says_so(void **state)
{
	struct fixture *f = *state;

	f->do_not_record = true;
	expect_refused(f, LIVE "index.json", NULL, 404, "do_not_record");
}

/* --- private ones --- */

static void a_private_service_is_there_with_the_right_code_alone(void **state)
{
	struct fixture *f = *state;

	f->is_closed = true;
	begin_live(f);
	expect_refused(f, LIVE "index.json", NULL, 404, "not_recorded");
	char sentence[200];
	snprintf(sentence, sizeof(sentence), "%s", body_of(&f->one));
	assert_int_equal(get(f, LIVE "index.json", "right"), 200);
	assert_non_null(strstr(f->one.head, "Cache-Control: private, no-store"));
	expect_refused(f, LIVE "index.json", "wrong", 403, "wrong_code");

	/* what was made for who has the code is for nobody else, and looks like nothing */
	expect_refused(f, LIVE "index.json", NULL, 404, "not_recorded");
	assert_string_equal(body_of(&f->one), sentence);
	get(f, "/timeline/live/none/index.json", NULL);
	assert_string_equal(body_of(&f->one), sentence);
	expect_refused(f, LIVE "1700000040/1700000040.json", NULL, 404, "not_recorded");
	assert_int_equal(get(f, LIVE "1700000040/1700000040.json", "right"), 200);
}

static void a_private_recording_is_there_with_the_right_code_alone(void **state)
{
	struct fixture *f = *state;

	f->owned = "race.zip";
	add_recording(f, "race", true, 130);
	assert_int_equal(get(f, RECORDED "moments.json", "right"), 200);
	expect_refused(f, RECORDED "moments.json", NULL, 404, "no_such_recording");
	expect_refused(f, RECORDED "moments.json", "wrong", 403, "wrong_code");

	/* its code was lost: for nobody */
	f->owned = NULL;
	expect_refused(f, RECORDED "index.json", "right", 404, "no_such_recording");
}

int main(void)
{
	lt_alloc_init();
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_recording_has_all_documents),
		TEST(a_closed_chunk_may_be_kept_for_ever_and_an_open_one_for_a_second),
		TEST(a_live_index_is_made_again_after_a_second),
		TEST(what_takes_long_tells_its_progress_and_ends),
		TEST(what_was_made_of_a_recording_is_on_disk_until_the_archive_changes),
		TEST(a_thousand_who_ask_at_once_share_one_answer),
		TEST(more_questions_than_may_wait_are_refused_for_now),
		TEST(more_recordings_at_once_than_may_be_open_are_refused_for_now),
		TEST(more_addresses_than_are_kept_are_answered_all_the_same),
		TEST(who_goes_away_is_not_answered_and_the_others_are),
		TEST(who_waits_at_the_end_is_told_so),
		TEST(a_recording_of_before_version_1_is_named_so),
		TEST(a_damaged_recording_is_named_so),
		TEST(what_is_not_there_or_no_address_is_refused_with_its_code),
		TEST(a_service_that_must_not_be_recorded_says_so),
		TEST(a_private_service_is_there_with_the_right_code_alone),
		TEST(a_private_recording_is_there_with_the_right_code_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
