#include "services/schedule/scheduler.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fsutil.h"
#include "base/table.h"
#include "race/envelope.h"
#include "router/router.h"
#include "services/schedule/scheduler_priv.h"

#define STATE_NAME      "scheduler.json"
#define STATE_MAX_BYTES (16 * 1024 * 1024)
#define WAITERS_MAX     100
#define TAKE_OVER_S     30 /* longer than it takes to notice that nobody acts */

int64_t lt_scheduler_now_s(const struct lt_scheduler *scheduler)
{
	return lt_wall_s(lt_loop_wall(scheduler->env.loop));
}

/* --- listing --- */

static void publish(struct lt_scheduler *scheduler)
{
	LT_AUTO(cJSON_Delete)
	cJSON *listing = lt_schedule_core_listing(scheduler->core, lt_scheduler_now_s(scheduler));
	LT_AUTO(lt_buf_finish) struct lt_buf payload = { 0 };
	LT_AUTO(lt_buf_finish) struct lt_buf args = { 0 };
	struct lt_err err = { 0 };

	lt_json_print(&payload, listing, LT_JSON_UTF8);
	lt_envelope_write(&args, LT_MSG_SCHEDULE_LISTING, lt_loop_wall(scheduler->env.loop), true,
			lt_buf_str(&payload));
	if (!lt_local_publish(scheduler->local, LT_STR(LT_TOPIC_SCHEDULE), true, lt_buf_str(&args),
			    &err)) {
		lt_log(&scheduler->env.log, LT_ERROR,
				"cannot publish the schedule; viewers see an old one",
				"reason=\"%s\"", err.msg);
	}
}

static void on_list(void *arg, const struct lt_invocation *invocation)
{
	struct lt_scheduler *scheduler = arg;
	LT_AUTO(cJSON_Delete)
	cJSON *listing = lt_schedule_core_listing(scheduler->core, lt_scheduler_now_s(scheduler));
	LT_AUTO(lt_buf_finish) struct lt_buf result = { 0 };

	lt_buf_add_char(&result, '[');
	lt_json_print(&result, listing, LT_JSON_UTF8);
	lt_buf_add_char(&result, ']');
	lt_local_yield(scheduler->local, invocation->id, lt_buf_str(&result));
}

/* --- keeping, and telling what was kept --- */

/* One write of the state, on a worker. */
struct lt_scheduler_save {
	struct lt_scheduler *scheduler; /* NULL: destroyed meanwhile */
	char *path;
	struct lt_buf text;
	bool ok;
	struct lt_err err;
};

static void free_begun(struct lt_scheduler *scheduler, struct lt_scheduler_begun *begun)
{
	DL_DELETE(scheduler->begun, begun);
	lt_schedule_event_finish(&begun->event);
	lt_free(begun);
}

static void write_state(void *arg)
{
	struct lt_scheduler_save *save = arg;

	save->ok = lt_file_replace(save->path, lt_buf_str(&save->text), 0600, &save->err);
}

static void start_save(struct lt_scheduler *scheduler);

static void state_written(void *arg)
{
	struct lt_scheduler_save *save = arg;
	struct lt_scheduler *scheduler = save->scheduler;
	bool ok = save->ok;

	if (scheduler && !ok && !scheduler->is_save_failing) {
		lt_log(&scheduler->env.log, LT_ERROR,
				"state not written; after a crash events may be announced twice",
				"reason=\"%s\"", save->err.msg);
	}
	lt_buf_finish(&save->text);
	lt_free(save->path);
	lt_free(save);
	if (!scheduler) {
		return;
	}
	scheduler->save = NULL;
	scheduler->is_save_failing = !ok;
	while (scheduler->begun && scheduler->begun->is_saved) {
		struct lt_scheduler_begun *begun = scheduler->begun;

		DL_DELETE(scheduler->begun, begun);
		if (scheduler->env.services->started) {
			scheduler->env.services->started(scheduler->env.arg, &begun->event);
		}
		lt_schedule_event_finish(&begun->event);
		lt_free(begun);
	}
	if (scheduler->is_save_due) {
		start_save(scheduler);
	}
}

static void start_save(struct lt_scheduler *scheduler)
{
	struct lt_scheduler_save *save;
	struct lt_scheduler_begun *begun;
	LT_AUTO(cJSON_Delete) cJSON *state = NULL;

	scheduler->is_save_due = scheduler->save != NULL;
	if (scheduler->save) {
		return;
	}
	state = lt_schedule_core_save(scheduler->core);
	save = lt_zalloc(sizeof(*save));
	save->scheduler = scheduler;
	save->path = lt_strdup(scheduler->state_path);
	lt_json_print(&save->text, state, LT_JSON_INDENTED);
	lt_buf_add_char(&save->text, '\n');
	DL_FOREACH(scheduler->begun, begun) {
		begun->is_saved = true;
	}
	scheduler->save = save;
	lt_loop_work(scheduler->env.loop, write_state, state_written, save);
}

/* A file that cannot be read is set aside; what runs is then known by the services alone. */
static void load_state(struct lt_scheduler *scheduler)
{
	LT_AUTO(cJSON_Delete) cJSON *saved = NULL;
	LT_AUTO(lt_buf_finish) struct lt_buf aside = { 0 };
	struct lt_err err = { 0 };

	if (access(scheduler->state_path, F_OK) != 0) {
		return;
	}
	saved = lt_json_parse_file(scheduler->state_path, STATE_MAX_BYTES, &err);
	if (saved && lt_schedule_core_load(scheduler->core, saved, scheduler->env.fresh, &err)) {
		return;
	}
	lt_buf_printf(&aside, "%s.broken", scheduler->state_path);
	lt_log(&scheduler->env.log, LT_ERROR,
			rename(scheduler->state_path, aside.p) == 0
					? "state of the schedule not used, set aside"
					: "state of the schedule not used",
			"path=%s reason=\"%s\"", scheduler->state_path, err.msg);
}

/* --- acting --- */

static void tick(struct lt_scheduler *scheduler, bool must_publish)
{
	bool changed;

	if (scheduler->is_standby) {
		return;
	}
	changed = lt_schedule_core_tick(scheduler->core, lt_scheduler_now_s(scheduler));

	if (lt_schedule_core_is_dirty(scheduler->core) || scheduler->is_save_failing) {
		start_save(scheduler);
	}
	if (changed || must_publish) {
		publish(scheduler);
	}
}

static void on_loop(void *arg)
{
	struct lt_scheduler *scheduler = arg;

	/* nothing is known before the first reading has ended */
	if (scheduler->is_told) {
		tick(scheduler, false);
	}
}

static void on_begun(void *arg, const struct lt_schedule_event *event)
{
	struct lt_scheduler *scheduler = arg;
	struct lt_scheduler_begun *begun;

	if (event->start_s < scheduler->told_until_s) {
		return;
	}
	begun = lt_zalloc(sizeof(*begun));

	lt_schedule_event_dup(event, &begun->event);
	DL_APPEND(scheduler->begun, begun);
}

static bool op_service(void *arg, size_t i, struct lt_schedule_service *ret_service)
{
	const struct lt_scheduler *scheduler = arg;

	return scheduler->env.services->service(scheduler->env.arg, i, ret_service);
}

static bool op_start(void *arg, const struct lt_args *command, struct lt_str *ret_uuid,
		struct lt_err *err)
{
	const struct lt_scheduler *scheduler = arg;

	return scheduler->env.services->start(scheduler->env.arg, command, ret_uuid, err);
}

static bool op_restart(void *arg, const char *uuid, struct lt_err *err)
{
	const struct lt_scheduler *scheduler = arg;

	return scheduler->env.services->restart(scheduler->env.arg, uuid, err);
}

static bool op_stop(void *arg, const char *uuid, struct lt_err *err)
{
	const struct lt_scheduler *scheduler = arg;

	return scheduler->env.services->stop(scheduler->env.arg, uuid, err);
}

static const struct lt_schedule_ops core_ops = {
	.service = op_service,
	.start = op_start,
	.restart = op_restart,
	.stop = op_stop,
	.begun = on_begun,
};

/* --- reading --- */

static bool is_any_reading(const struct lt_scheduler *scheduler)
{
	for (size_t i = 0; i < scheduler->n; i++) {
		struct lt_schedule_source_state state;

		lt_schedule_source_report(scheduler->sources[i], &state);
		if (state.is_reading) {
			return true;
		}
	}
	return false;
}

/* The events of all calendars; false: one of them was never read. */
static bool merge_events(const struct lt_scheduler *scheduler,
		struct lt_schedule_event **ret_events, size_t *ret_n)
{
	struct lt_schedule_source_state states[LT_SCHEDULER_SOURCES_MAX];
	struct lt_schedule_event *events;
	size_t n = 0, at = 0;
	bool complete = true;

	for (size_t i = 0; i < scheduler->n; i++) {
		lt_schedule_source_report(scheduler->sources[i], &states[i]);
		complete = complete && states[i].is_known;
		n += states[i].calendar->n;
	}
	events = lt_calloc(n + 1, sizeof(*events));
	for (size_t i = 0; i < scheduler->n; i++) {
		for (size_t k = 0; k < states[i].calendar->n; k++) {
			lt_schedule_event_dup(&states[i].calendar->events[k], &events[at++]);
		}
	}
	*ret_events = events;
	*ret_n = n;
	return complete;
}

static void log_mistake(void *arg, const struct lt_schedule_event *event, const char *sentence)
{
	const struct lt_scheduler *scheduler = arg;
	char name[LT_LOG_VALUE_MAX], text[LT_LOG_VALUE_MAX];

	lt_log(&scheduler->env.log, LT_WARN, "event would not start", "name=%s reason=%s",
			lt_log_value(lt_str_from(event->name), name),
			lt_log_value(lt_str_from(sentence), text));
}

/* Told at the first reading and when their number changes: before the race, not during it. */
static void check_mistakes(struct lt_scheduler *scheduler)
{
	size_t mistakes = lt_scheduler_check_events(scheduler, NULL, NULL);

	if (mistakes && (mistakes != scheduler->mistakes || !scheduler->is_told)) {
		lt_scheduler_check_events(scheduler, log_mistake, scheduler);
	}
	scheduler->mistakes = mistakes;
}

static void answer_waiters(struct lt_scheduler *scheduler, bool with_result)
{
	while (scheduler->waiters) {
		struct lt_scheduler_waiter *waiter = scheduler->waiters;

		DL_DELETE(scheduler->waiters, waiter);
		scheduler->waiter_count--;
		waiter->done(waiter->arg, with_result ? lt_scheduler_show(scheduler) : NULL);
		lt_free(waiter);
	}
}

static void on_merge(void *arg)
{
	struct lt_scheduler *scheduler = arg;
	struct lt_schedule_event *events;
	bool was_told = scheduler->is_told;
	size_t n;
	bool complete = merge_events(scheduler, &events, &n);

	lt_schedule_core_set_events_take(scheduler->core, events, n, complete);
	check_mistakes(scheduler);
	scheduler->is_told = true;
	if (!was_told) {
		lt_log(&scheduler->env.log, LT_INFO, "calendars read", "calendars=%zu events=%zu",
				scheduler->n, n);
	}
	tick(scheduler, true);
	if (!is_any_reading(scheduler)) {
		answer_waiters(scheduler, true);
	}
}

static void on_source_done(void *arg, struct lt_schedule_source *source)
{
	struct lt_scheduler *scheduler = arg;

	(void)source;
	if (scheduler->local) {
		/* at the end of the turn: several that end together are one change */
		lt_loop_defer(scheduler->env.loop, &scheduler->merge, on_merge, scheduler);
	}
}

static void read_all(void *arg)
{
	struct lt_scheduler *scheduler = arg;

	for (size_t i = 0; i < scheduler->n; i++) {
		lt_schedule_source_read(scheduler->sources[i]);
	}
}

static void add_source(void *arg, struct lt_str url)
{
	struct lt_scheduler *scheduler = arg;

	for (size_t i = 0; i < scheduler->n; i++) {
		if (lt_schedule_source_has_url(scheduler->sources[i], url)) {
			return;
		}
	}
	if (scheduler->n == LT_SCHEDULER_SOURCES_MAX) {
		lt_log(&scheduler->env.log, LT_ERROR, "too many calendars, the rest is not read",
				"read=%d", LT_SCHEDULER_SOURCES_MAX);
		return;
	}
	scheduler->sources[scheduler->n++] = lt_schedule_source_create(
			&(struct lt_schedule_source_env){
					.loop = scheduler->env.loop,
					.log = scheduler->env.log,
					.requests = scheduler->env.requests,
					.state_dir = scheduler->state_dir,
					.local_zone = scheduler->local_zone,
					.timeout_ms = (uint32_t)(scheduler->env.times.timeout_s *
							1000),
					.done = on_source_done,
					.arg = scheduler,
			},
			url);
}

static void drop_source(struct lt_scheduler *scheduler, size_t i)
{
	lt_schedule_source_destroy(scheduler->sources[i]);
	scheduler->sources[i] = scheduler->sources[--scheduler->n];
}

/* Calendars that are set, gathered to see which are no longer. */
struct wanted {
	struct lt_args urls;
};

static void add_wanted(void *arg, struct lt_str url)
{
	lt_args_add(&((struct wanted *)arg)->urls, url);
}

static void set_sources(struct lt_scheduler *scheduler, const char *urls)
{
	struct wanted wanted = { 0 };
	struct lt_err err = { 0 };

	if (!lt_schedule_urls(lt_str_from(urls), add_wanted, &wanted, &err)) {
		lt_log(&scheduler->env.log, LT_ERROR, "calendars stay as they were",
				"reason=\"%s\"", err.msg);
		lt_args_finish(&wanted.urls);
		return;
	}
	for (size_t i = scheduler->n; i > 0; i--) {
		bool is_wanted = false;

		for (size_t k = 0; k < wanted.urls.n; k++) {
			is_wanted = is_wanted ||
					lt_schedule_source_has_url(scheduler->sources[i - 1],
							lt_str_from(wanted.urls.v[k]));
		}
		if (!is_wanted) {
			drop_source(scheduler, i - 1);
		}
	}
	for (size_t k = 0; k < wanted.urls.n; k++) {
		add_source(scheduler, lt_str_from(wanted.urls.v[k]));
	}
	lt_args_finish(&wanted.urls);
}

/* Copies of calendars that are set no longer: they may be private. */
static void remove_old_copies(const struct lt_scheduler *scheduler)
{
	DIR *dir = opendir(scheduler->state_dir);
	const struct dirent *entry;

	while (dir && (entry = readdir(dir)) != NULL) {
		struct lt_str name = lt_str_from(entry->d_name);
		bool is_used = false;

		if (!lt_str_starts(name, LT_STR("calendar-")) ||
				!lt_str_ends(name, LT_STR(".ics"))) {
			continue;
		}
		for (size_t i = 0; i < scheduler->n; i++) {
			is_used = is_used ||
					lt_str_eq_c(name,
							lt_schedule_source_copy(
									scheduler->sources[i]));
		}
		if (!is_used && unlinkat(dirfd(dir), entry->d_name, 0) != 0) {
			lt_log(&scheduler->env.log, LT_WARN, "old copy of a calendar stays",
					"file=%s reason=\"%s\"", entry->d_name, strerror(errno));
		}
	}
	if (dir) {
		closedir(dir);
	}
}

/* --- life --- */

struct lt_scheduler *lt_scheduler_create(const struct lt_scheduler_env *env)
{
	struct lt_scheduler *scheduler = lt_zalloc(sizeof(*scheduler));

	scheduler->env = *env;
	scheduler->env.log.module = "scheduler";
	scheduler->is_standby = env->is_standby;
	scheduler->state_dir = lt_strdup(env->state_dir && *env->state_dir ? env->state_dir : ".");
	scheduler->state_path = lt_path_join(scheduler->state_dir, STATE_NAME);
	scheduler->local_zone = env->local_zone ? lt_strdup(env->local_zone) : NULL;
	scheduler->sources = lt_calloc(LT_SCHEDULER_SOURCES_MAX, sizeof(*scheduler->sources));
	scheduler->core = lt_schedule_core_create(&(struct lt_schedule_core_env){
			.log = scheduler->env.log,
			.ops = &core_ops,
			.arg = scheduler,
			.times = { env->times.lead_s, env->times.trail_s, env->times.loop_s },
	});
	set_sources(scheduler, env->urls);
	return scheduler;
}

void lt_scheduler_destroy(struct lt_scheduler *scheduler)
{
	if (!scheduler) {
		return;
	}
	lt_scheduler_stop(scheduler);
	if (scheduler->save) {
		scheduler->save->scheduler = NULL;
	}
	while (scheduler->n) {
		drop_source(scheduler, scheduler->n - 1);
	}
	while (scheduler->begun) {
		free_begun(scheduler, scheduler->begun);
	}
	lt_schedule_core_destroy(scheduler->core);
	lt_free(scheduler->sources);
	lt_free(scheduler->state_dir);
	lt_free(scheduler->state_path);
	lt_free(scheduler->local_zone);
	lt_free(scheduler);
}

static void arm_timers(struct lt_scheduler *scheduler)
{
	lt_timer_every(&scheduler->fetch_timer, scheduler->env.loop,
			scheduler->env.times.fetch_s * 1000, read_all, scheduler);
	lt_timer_every(&scheduler->loop_timer, scheduler->env.loop,
			scheduler->env.times.loop_s * 1000, on_loop, scheduler);
}

bool lt_scheduler_start(struct lt_scheduler *scheduler, struct lt_err *err)
{
	uint64_t id;

	scheduler->local = lt_local_join(
			scheduler->env.router, LT_STR(LT_REALM), "scheduler", "services", err);
	if (!scheduler->local ||
			!lt_local_register(scheduler->local, LT_STR(LT_RPC_LIST_SCHEDULE), true,
					on_list, scheduler, &id, err)) {
		lt_scheduler_stop(scheduler);
		return lt_err_prefix(err, "scheduler");
	}
	load_state(scheduler);
	remove_old_copies(scheduler);
	arm_timers(scheduler);
	read_all(scheduler);
	if (scheduler->n == 0) { /* what an earlier run started by a calendar ends */
		lt_loop_defer(scheduler->env.loop, &scheduler->merge, on_merge, scheduler);
	}
	return true;
}

void lt_scheduler_stop(struct lt_scheduler *scheduler)
{
	lt_timer_cancel(&scheduler->fetch_timer);
	lt_timer_cancel(&scheduler->loop_timer);
	lt_deferred_cancel(&scheduler->merge);
	answer_waiters(scheduler, false);
	lt_local_leave(scheduler->local);
	scheduler->local = NULL;
}

void lt_scheduler_set_active(struct lt_scheduler *scheduler, bool is_active)
{
	bool acts = scheduler->local && scheduler->is_told;

	if (scheduler->is_standby == !is_active) {
		return;
	}
	if (!is_active &&
			acts) { /* as if all had been taken from the calendars; told by the other */
		lt_schedule_core_set_events_take(scheduler->core,
				lt_calloc(1, sizeof(struct lt_schedule_event)), 0, true);
		lt_schedule_core_tick(scheduler->core, lt_scheduler_now_s(scheduler));
		start_save(scheduler);
	}
	scheduler->is_standby = !is_active;
	if (is_active && acts) {
		scheduler->told_until_s = lt_scheduler_now_s(scheduler) - TAKE_OVER_S;
	}
	if (acts) {
		lt_loop_defer(scheduler->env.loop, &scheduler->merge, on_merge, scheduler);
	}
}

void lt_scheduler_reload(struct lt_scheduler *scheduler, const char *urls,
		const struct lt_scheduler_times *times)
{
	scheduler->env.times = *times;
	lt_schedule_core_set_times(scheduler->core,
			&(struct lt_schedule_times){
					times->lead_s, times->trail_s, times->loop_s });
	set_sources(scheduler, urls);
	if (scheduler->local) {
		remove_old_copies(scheduler);
		arm_timers(scheduler);
		read_all(scheduler);
		lt_loop_defer(scheduler->env.loop, &scheduler->merge, on_merge, scheduler);
	}
}

bool lt_scheduler_sync(struct lt_scheduler *scheduler, void (*done)(void *arg, cJSON *result_take),
		void *arg, struct lt_err *err)
{
	struct lt_scheduler_waiter *waiter;

	if (!scheduler->local || scheduler->n == 0) {
		return lt_err_set(err, LT_E_UNAVAILABLE,
				"no calendar is set: LIVETIMING_CALENDAR_URL");
	}
	if (scheduler->waiter_count == WAITERS_MAX) {
		return lt_err_set(err, LT_E_LIMIT, "too many wait for a reading already");
	}
	waiter = lt_zalloc(sizeof(*waiter));
	waiter->done = done;
	waiter->arg = arg;
	DL_APPEND(scheduler->waiters, waiter);
	scheduler->waiter_count++;
	read_all(scheduler);
	return true;
}
