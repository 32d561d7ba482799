/*
 * A scheduler in a real router, with services, an HTTP server and the time by
 * hand: for scheduler_fake_test.c and scheduler_season_fake_test.c.
 */
#ifndef LT_TESTS_UNIT_SERVICES_SCHEDULER_FIXTURE_H
#define LT_TESTS_UNIT_SERVICES_SCHEDULER_FIXTURE_H

#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fsutil.h"
#include "base/random.h"
#include "base/table.h"
#include "calendar/ics_writer.h"
#include "calendar/summary.h"
#include "calendar/zone.h"
#include "race/envelope.h"
#include "router/local.h"
#include "router/router.h"
#include "services/schedule/scheduler.h"
#include "support/golden.h"
#include "support/test.h"
#include "support/tmpdir.h"
#include "support_fake/loop_fake.h"

#define URL      "https://user:pass@calendar.example/private-0123456789abcdef/basic.ics?key=SECRET"
#define SEED     UINT64_C(20260301)
#define HOUR     INT64_C(3600)
#define DAY      (24 * HOUR)
#define FAKE_MAX 64

/* A service as the service manager would have it. */
struct fake_service {
	char uuid[40], link[64];
	struct lt_args args;
	bool is_scheduled, is_failed;
};

/* A request that waits for its answer. */
struct request {
	bool is_open;
	char etag[64];
	struct lt_fetch_opts opts;
};

/* A scheduler in a real router; services, HTTP and time by hand. */
struct fixture {
	struct lt_loop *loop;
	struct lt_random *random;
	struct lt_router *router;
	struct lt_local *viewer;
	struct lt_scheduler *scheduler;
	struct lt_log_sink *sink;
	struct lt_buf log;
	char dir[TMPDIR_MAX];
	const char *urls;
	bool fresh;
	struct lt_scheduler_times times;
	struct fake_service services[FAKE_MAX];
	size_t service_count;
	unsigned next_uuid;
	bool refuses; /* services do not start */
	int restarts;
	const char *mistake; /* what `check` says of "broken" */
	struct request request;
	struct lt_buf calendar; /* what the server has; empty: it is down */
	long status;
	bool is_silent; /* requests are left open */
	int requests, listings;
	struct lt_buf listing; /* args of the last one */
	cJSON *actions;
	bool no_actions;
	int64_t zero;          /* of the times in actions */
	struct lt_buf started; /* "uid@start\n" of each */
	int shown;
	cJSON *show;
};

/* --- the services --- */

static inline void note(struct fixture *f, cJSON *action_take)
{
	if (f->no_actions) {
		cJSON_Delete(action_take);
		return;
	}
	lt_json_add_int(action_take, "at", lt_wall_s(lt_loop_wall(f->loop)) - f->zero);
	cJSON_AddItemToArray(f->actions, action_take);
}

static inline bool fake_at(void *arg, size_t i, struct lt_schedule_service *ret)
{
	struct fixture *f = arg;

	if (i >= f->service_count) {
		return false;
	}
	*ret = (struct lt_schedule_service){ .uuid = f->services[i].uuid,
		.link = f->services[i].link,
		.args = &f->services[i].args,
		.is_scheduled = f->services[i].is_scheduled,
		.is_failed = f->services[i].is_failed };
	return true;
}

static inline struct fake_service *add_service(
		struct fixture *f, const struct lt_args *command, bool scheduled)
{
	struct lt_service_args parsed;
	struct fake_service *service = &f->services[f->service_count++];

	assert_true(f->service_count < FAKE_MAX);
	assert_true(lt_service_args_parse(command, &parsed, NULL));
	memset(service, 0, sizeof(*service));
	snprintf(service->uuid, sizeof(service->uuid), "uuid%u", ++f->next_uuid);
	snprintf(service->link, sizeof(service->link), "%s",
			parsed.masquerade ? parsed.masquerade : parsed.service_class);
	lt_args_dup(&service->args, command);
	service->is_scheduled = scheduled;
	lt_service_args_finish(&parsed);
	return service;
}

static inline bool fake_start(void *arg, const struct lt_args *command, struct lt_str *ret_uuid,
		struct lt_err *err)
{
	struct fixture *f = arg;
	cJSON *action = cJSON_CreateObject(), *args = cJSON_CreateArray();

	if (f->refuses) {
		cJSON_Delete(action);
		cJSON_Delete(args);
		return lt_err_set(err, LT_E_NOT_FOUND, "no plugin is named so");
	}
	lt_json_add_c(action, "start", command->v[0]);
	for (size_t i = 1; i < command->n; i++) {
		cJSON_AddItemToArray(args, cJSON_CreateString(command->v[i]));
	}
	lt_json_set_take(action, "args", args);
	note(f, action);
	*ret_uuid = lt_str_from(add_service(f, command, true)->uuid);
	return true;
}

static inline void remove_service(struct fixture *f, size_t i)
{
	lt_args_finish(&f->services[i].args);
	memmove(&f->services[i], &f->services[i + 1],
			(f->service_count - i - 1) * sizeof(f->services[0]));
	f->service_count--;
}

static inline bool fake_stop(void *arg, const char *uuid, struct lt_err *err)
{
	struct fixture *f = arg;

	for (size_t i = 0; i < f->service_count; i++) {
		if (strcmp(f->services[i].uuid, uuid) == 0) {
			cJSON *action = cJSON_CreateObject();

			assert_true(f->services[i].is_scheduled);
			lt_json_add_c(action, "stop", f->services[i].args.v[0]);
			note(f, action);
			remove_service(f, i);
			return true;
		}
	}
	return lt_err_set(err, LT_E_NOT_FOUND, "no such service");
}

static inline bool fake_restart(void *arg, const char *uuid, struct lt_err *err)
{
	struct fixture *f = arg;

	(void)err;
	f->restarts++;
	for (size_t i = 0; i < f->service_count; i++) {
		if (strcmp(f->services[i].uuid, uuid) == 0) {
			f->services[i].is_failed = false;
		}
	}
	return true;
}

static inline bool fake_check(void *arg, const struct lt_args *command, struct lt_err *err)
{
	(void)arg;
	return strcmp(command->v[0], "broken") != 0 ||
			lt_err_set(err, LT_E_NOT_FOUND, "no plugin is named \"broken\"");
}

static inline void fake_started(void *arg, const struct lt_schedule_event *event)
{
	struct fixture *f = arg;

	lt_buf_printf(&f->started, "%s@%lld\n", event->uid, (long long)event->start_s);
	if (!event->is_hidden) {
		cJSON *action = cJSON_CreateObject();

		lt_json_add_c(action, "tweet", event->name);
		note(f, action);
	}
}

static const struct lt_scheduler_services fake_services = { fake_at, fake_start, fake_restart,
	fake_stop, fake_check, fake_started };

/* --- the server --- */

static inline void answer(struct fixture *f)
{
	struct lt_fetch_result result = { .status = f->status, .body = lt_buf_str(&f->calendar) };
	char etag[64];

	assert_true(f->request.is_open);
	f->request.is_open = false;
	if (f->status == 200) {
		snprintf(etag, sizeof(etag), "\"%08x\"",
				lt_table_hash(f->calendar.p, f->calendar.n));
		result.etag = lt_str_from(etag);
		if (strcmp(etag, f->request.etag) == 0) {
			result.status = 304;
			result.body = (struct lt_str){ 0 };
		}
	} else if (f->status == 0) {
		result.error = LT_STR("cannot connect to " URL);
		result.code = LT_E_UNAVAILABLE;
	}
	f->request.opts.result(f->request.opts.arg, &result);
}

static inline void answer_later(void *arg)
{
	answer(arg);
}

static inline struct lt_fetch *fake_request(
		void *arg, const struct lt_fetch_opts *opts, struct lt_err *err)
{
	struct fixture *f = arg;
	static struct lt_deferred defer;

	(void)err;
	assert_false(f->request.is_open);
	assert_string_equal(opts->url, URL);
	f->requests++;
	f->request.is_open = true;
	f->request.opts = *opts;
	snprintf(f->request.etag, sizeof(f->request.etag), "%.*s", (int)opts->etag.n,
			opts->etag.p ? opts->etag.p : "");
	if (!f->is_silent) {
		lt_loop_defer(f->loop, &defer, answer_later, f);
	}
	return (struct lt_fetch *)&f->request;
}

static inline void fake_cancel(void *arg, struct lt_fetch *fetch)
{
	struct fixture *f = arg;

	(void)fetch;
	f->request.is_open = false;
}

/* --- life --- */

static inline void on_log(void *arg, enum lt_level level, struct lt_str line)
{
	struct fixture *f = arg;

	(void)level;
	lt_buf_add_str(&f->log, line);
	lt_buf_add_char(&f->log, '\n');
}

static inline void on_listing(void *arg, const struct lt_event *event)
{
	struct fixture *f = arg;
	LT_AUTO(cJSON_Delete) cJSON *args = lt_json_parse(event->args, NULL);
	cJSON *action = cJSON_CreateObject(), *ids = cJSON_CreateArray();
	const cJSON *item;

	cJSON_ArrayForEach(item, lt_json_get(args->child, "payload")) {
		cJSON_AddItemToArray(ids, cJSON_CreateString(lt_json_get(item, "id")->valuestring));
	}
	lt_json_add_c(action, "publish", "livetiming.scheduler");
	lt_json_set_take(action, "events", ids);
	note(f, action);
	f->listings++;
	lt_buf_clear(&f->listing);
	lt_buf_add_str(&f->listing, event->args);
}

static inline void start_scheduler(struct fixture *f)
{
	struct lt_err err = { 0 };

	f->scheduler = lt_scheduler_create(&(struct lt_scheduler_env){
			.loop = f->loop,
			.log = { f->sink, "scheduler" },
			.router = f->router,
			.requests = { f, fake_request, fake_cancel },
			.urls = f->urls,
			.state_dir = f->dir,
			.local_zone = "UTC0",
			.fresh = f->fresh,
			.times = f->times,
			.services = &fake_services,
			.arg = f,
	});
	assert_true(lt_scheduler_start(f->scheduler, &err));
	lt_fake_settle(f->loop);
}

/* The daemon goes and comes back; its services come back with it. */
static inline void restart_daemon(struct fixture *f)
{
	lt_scheduler_destroy(f->scheduler);
	lt_fake_settle(f->loop);
	f->request.is_open = false;
	start_scheduler(f);
}

#define ALLOW "{\"call\":true,\"register\":true,\"publish\":true,\"subscribe\":true}"

static inline int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct lt_err err = { 0 };

	f->loop = lt_loop_create(&err);
	f->random = lt_random_create(7, &err);
	f->sink = lt_log_sink_fn(LT_INFO, on_log, f);
	f->router = lt_router_create(&(struct lt_router_env){
			.loop = f->loop, .random = f->random, .agent = "test" });
	assert_true(lt_router_add_realm(f->router, LT_STR("timing"), &err));
	assert_true(lt_router_set_permissions(f->router,
			LT_STR("{\"roles\":{\"services\":{\"permissions\":["
			       "{\"uri\":\"\",\"match\":\"prefix\",\"allow\":" ALLOW "}]}}}"),
			&err));
	f->viewer = lt_local_join(f->router, LT_STR("timing"), "viewer", "services", &err);
	assert_true(lt_local_subscribe(f->viewer, LT_STR("livetiming.scheduler"), LT_MATCH_EXACT,
			false, on_listing, f, &err));
	tmpdir_make(f->dir);
	f->urls = URL;
	f->status = 200;
	f->times = (struct lt_scheduler_times){ 600, 60, 300, 600, 20 };
	f->actions = cJSON_CreateArray();
	f->zero = LT_FAKE_START_S;
	*state = f;
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	lt_scheduler_destroy(f->scheduler);
	lt_fake_settle(f->loop);
	lt_local_leave(f->viewer);
	lt_router_destroy(f->router);
	lt_fake_settle(f->loop);
	while (f->service_count) {
		remove_service(f, 0);
	}
	lt_random_destroy(f->random);
	lt_loop_destroy(f->loop);
	lt_log_sink_destroy(f->sink);
	tmpdir_remove(f->dir);
	lt_buf_finish(&f->log);
	lt_buf_finish(&f->calendar);
	lt_buf_finish(&f->listing);
	lt_buf_finish(&f->started);
	cJSON_Delete(f->actions);
	cJSON_Delete(f->show);
	free(f);
	return 0;
}

/* --- calendars --- */

/* An event in minutes from the start of the clock. */
struct row {
	const char *uid, *title;
	int64_t start, end;
};

static inline void set_calendar(struct fixture *f, const struct row *rows, size_t n)
{
	struct lt_ical_event events[16] = { 0 };

	assert_true(n <= LT_ARRAY_LEN(events));
	for (size_t i = 0; i < n; i++) {
		events[i].uid = lt_strdup(rows[i].uid);
		events[i].summary = lt_strdup(rows[i].title);
		events[i].start_s = LT_FAKE_START_S + rows[i].start * 60;
		events[i].end_s = LT_FAKE_START_S + rows[i].end * 60;
	}
	lt_buf_clear(&f->calendar);
	lt_ics_write(&f->calendar, events, n, &(struct lt_ics_opts){ .stamp_s = 0 });
	for (size_t i = 0; i < n; i++) {
		lt_free(events[i].uid);
		lt_free(events[i].summary);
	}
}

#define SET(f, ...)                                                                                \
	set_calendar(f, (const struct row[]){ __VA_ARGS__ },                                       \
			LT_ARRAY_LEN(((const struct row[]){ __VA_ARGS__ })))

static inline void minutes(struct fixture *f, int64_t n)
{
	lt_fake_advance(f->loop, n * 60000);
}

static inline void assert_running(const struct fixture *f, const char *expected)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

	for (size_t i = 0; i < f->service_count; i++) {
		lt_buf_add_c(&text, i ? "; " : "");
		lt_args_join(&text, &f->services[i].args);
	}
	assert_string_equal(text.p ? text.p : "", expected);
}

static inline bool is_logged(const struct fixture *f, const char *text)
{
	return f->log.p && strstr(f->log.p, text);
}

static inline const char *status_of(struct fixture *f, const char *uid)
{
	const cJSON *event;

	cJSON_Delete(f->show);
	f->show = lt_scheduler_show(f->scheduler);
	cJSON_ArrayForEach(event, lt_json_get(f->show, "events")) {
		if (strcmp(lt_json_get(event, "uid")->valuestring, uid) == 0) {
			return lt_json_get(event, "status")->valuestring;
		}
	}
	return "unknown";
}

#endif
