#include <inttypes.h>

#include "base/alloc.h"
#include "services/schedule/scheduler_priv.h"

#define SHOWN_MAX   500  /* mistakes */
#define CHECKED_MAX 200  /* different titles, the next ones: it is done on the loop */
#define LOOKED_MAX  2000 /* events */

/* --- command lines --- */

static bool was_checked(const struct lt_schedule_event *const *checked, size_t n,
		const struct lt_schedule_event *event)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(checked[i]->service, event->service) == 0 &&
				lt_args_equal(&checked[i]->args, &event->args)) {
			return true;
		}
	}
	return false;
}

static bool check_event(const struct lt_scheduler *scheduler, const struct lt_schedule_event *event,
		struct lt_err *err)
{
	struct lt_args command = { 0 };
	bool ok;

	lt_args_add(&command, lt_str_from(event->service));
	for (size_t i = 0; i < event->args.n; i++) {
		lt_args_add(&command, lt_str_from(event->args.v[i]));
	}
	ok = scheduler->env.services->check(scheduler->env.arg, &command, err);
	lt_args_finish(&command);
	return ok;
}

size_t lt_scheduler_check_events(struct lt_scheduler *scheduler,
		void (*fn)(void *arg, const struct lt_schedule_event *event, const char *sentence),
		void *arg)
{
	const struct lt_schedule_event *checked[CHECKED_MAX], *event;
	size_t n = 0, mistakes = 0;
	int64_t now_s = lt_scheduler_now_s(scheduler);

	for (size_t i = 0; n < CHECKED_MAX && i < LOOKED_MAX &&
			(event = lt_schedule_core_event(scheduler->core, i)) != NULL;
			i++) {
		struct lt_err err = { 0 };

		if (event->end_s < now_s || was_checked(checked, n, event)) {
			continue;
		}
		checked[n++] = event;
		if (!check_event(scheduler, event, &err)) {
			mistakes++;
			if (fn) {
				fn(arg, event, err.msg);
			}
		}
	}
	return mistakes;
}

/* --- for people --- */

static void add_time(cJSON *item, const char *key, int64_t time_s)
{
	lt_json_set_take(item, key, time_s ? lt_json_new_int(time_s * 1000) : cJSON_CreateNull());
}

static void add_mistake(cJSON *list, const char *from, const char *name, int64_t start_s,
		const char *sentence)
{
	cJSON *item;

	if (cJSON_GetArraySize(list) >= SHOWN_MAX) {
		return;
	}
	item = cJSON_CreateObject();
	lt_json_add_c(item, "from", from);
	lt_json_add_c(item, "name", name);
	add_time(item, "start", start_s);
	lt_json_add_c(item, "problem", sentence);
	cJSON_AddItemToArray(list, item);
}

static void add_command_mistake(
		void *arg, const struct lt_schedule_event *event, const char *sentence)
{
	add_mistake(arg, "", event->name, event->start_s, sentence);
}

static void show_source(const struct lt_schedule_source *source, cJSON *calendars, cJSON *mistakes)
{
	struct lt_schedule_source_state state;
	cJSON *item = cJSON_CreateObject();

	lt_schedule_source_report(source, &state);
	lt_json_add_c(item, "from", state.shown);
	lt_json_add_int(item, "events", (int64_t)state.calendar->n);
	add_time(item, "readAt", state.read_s);
	lt_json_add_bool(item, "fromCopy", state.is_from_copy);
	if (state.problem) {
		lt_json_add_c(item, "problem", state.problem);
	}
	cJSON_AddItemToArray(calendars, item);
	for (size_t i = 0; i < state.calendar->problem_count; i++) {
		const struct lt_schedule_problem *problem = &state.calendar->problems[i];

		add_mistake(mistakes, state.shown, problem->name, problem->start_s,
				problem->sentence);
	}
}

cJSON *lt_scheduler_show(struct lt_scheduler *scheduler)
{
	cJSON *result = cJSON_CreateObject();
	cJSON *calendars = cJSON_AddArrayToObject(result, "calendars");
	cJSON *mistakes = cJSON_CreateArray();

	for (size_t i = 0; i < scheduler->n; i++) {
		show_source(scheduler->sources[i], calendars, mistakes);
	}
	lt_scheduler_check_events(scheduler, add_command_mistake, mistakes);
	lt_json_set_take(result, "events",
			lt_schedule_core_show(scheduler->core, lt_scheduler_now_s(scheduler)));
	lt_json_set_take(result, "mistakes", mistakes);
	lt_json_add_int(result, "lead_s", scheduler->env.times.lead_s);
	lt_json_add_int(result, "trail_s", scheduler->env.times.trail_s);
	return result;
}

/* --- figures --- */

void lt_scheduler_report(const struct lt_scheduler *scheduler, struct lt_scheduler_stats *ret_stats)
{
	struct lt_scheduler_stats stats = { .calendars = scheduler->n };
	int64_t now_s = lt_scheduler_now_s(scheduler);

	stats.mistakes = scheduler->mistakes;
	for (size_t i = 0; i < scheduler->n; i++) {
		struct lt_schedule_source_state state;

		lt_schedule_source_report(scheduler->sources[i], &state);
		stats.failing += state.problem != NULL;
		stats.mistakes += state.calendar->problem_count;
		if (!state.read_s) {
			stats.age_s = -1;
		} else if (stats.age_s >= 0) {
			stats.age_s = LT_MAX(stats.age_s, now_s - state.read_s);
		}
	}
	lt_schedule_core_report(scheduler->core, now_s, &stats.events);
	*ret_stats = stats;
}

static void write_one(struct lt_buf *buf, const char *name, const char *type, const char *help,
		int64_t value)
{
	lt_buf_printf(buf,
			"# HELP livetiming_schedule_%s %s\n# TYPE livetiming_schedule_%s %s\n"
			"livetiming_schedule_%s %" PRId64 "\n",
			name, help, name, type, name, value);
}

void lt_scheduler_write_metrics(const struct lt_scheduler *scheduler, struct lt_buf *buf)
{
	struct lt_scheduler_stats stats;

	if (scheduler->n == 0) {
		return;
	}
	lt_scheduler_report(scheduler, &stats);
	write_one(buf, "calendars", "gauge", "Calendars that are read.", (int64_t)stats.calendars);
	write_one(buf, "calendars_failing", "gauge", "Calendars whose last reading failed.",
			(int64_t)stats.failing);
	if (stats.age_s >= 0) {
		write_one(buf, "age_seconds", "gauge",
				"Seconds since the oldest calendar was last read.", stats.age_s);
	}
	if (stats.events.next_start_s) {
		write_one(buf, "next_start_seconds", "gauge",
				"Seconds until the next event starts.",
				stats.events.next_start_s - lt_scheduler_now_s(scheduler));
	}
	write_one(buf, "events", "gauge", "Events known, over ones of the last day included.",
			(int64_t)stats.events.events);
	write_one(buf, "events_coming", "gauge", "Events whose start is to come.",
			(int64_t)stats.events.coming);
	write_one(buf, "events_running", "gauge", "Events in progress.",
			(int64_t)stats.events.running);
	write_one(buf, "events_held", "gauge", "Events held out by others.",
			(int64_t)stats.events.held);
	write_one(buf, "events_failed", "gauge", "Events whose service does not start.",
			(int64_t)stats.events.failed);
	write_one(buf, "mistakes", "gauge", "Mistakes in calendars and titles.",
			(int64_t)stats.mistakes);
	write_one(buf, "starts_total", "counter", "Services started by the schedule.",
			(int64_t)stats.events.started);
	write_one(buf, "stops_total", "counter", "Services ended by the schedule.",
			(int64_t)stats.events.stopped);
	write_one(buf, "start_failures_total", "counter", "Attempts to start one that failed.",
			(int64_t)stats.events.start_failures);
}
