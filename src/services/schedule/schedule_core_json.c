#include <stdlib.h>

#include "base/alloc.h"
#include "base/table.h"
#include "services/schedule/schedule_core_priv.h"

#define LISTED_MAX   500
#define LISTED_BYTES (512 * 1024) /* a line of the control socket holds twice as much */
#define SAVED_MAX    10000
#define TIME_MAX     (INT64_C(1) << 40)

static const char *const status_names[] = { "coming", "running", "held", "failed", "stopped" };

/* About how much an event takes in a list. */
static size_t size_of(const struct lt_schedule_event *event)
{
	size_t n = 250 + strlen(event->uid) + strlen(event->name) + 2 * strlen(event->link);

	for (size_t i = 0; i < event->args.n; i++) {
		n += strlen(event->args.v[i]) + 3;
	}
	return n;
}

/* Of a private service; nobody is told that it will be. */
static bool is_private(const struct lt_schedule_event *event)
{
	for (size_t i = 0; i < event->args.n; i++) {
		if (strcmp(event->args.v[i], "--private") == 0) {
			return true;
		}
	}
	return false;
}

static cJSON *args_json(const struct lt_args *args)
{
	cJSON *list = cJSON_CreateArray();

	for (size_t i = 0; i < args->n; i++) {
		cJSON_AddItemToArray(list, lt_json_new_str(lt_str_from(args->v[i])));
	}
	return list;
}

/* --- telling --- */

cJSON *lt_schedule_core_listing(const struct lt_schedule_core *core, int64_t now_s)
{
	cJSON *list = cJSON_CreateArray();
	size_t bytes = 0;
	int listed = 0;

	for (size_t i = 0; i < core->n && listed < LISTED_MAX && bytes < LISTED_BYTES; i++) {
		const struct lt_schedule_event *event = &core->items[i].event;
		cJSON *item;

		if (event->start_s <= now_s || is_private(event) ||
				lt_schedule_find_active(core, event->uid, event->start_s)) {
			continue;
		}
		item = cJSON_CreateObject();
		lt_json_add_c(item, "id", event->uid);
		lt_json_add_c(item, "name", event->name);
		lt_json_add_c(item, "service", event->link);
		lt_json_add_float(item, "startTime", (double)event->start_s);
		lt_json_add_bool(item, "hidden", event->is_hidden);
		cJSON_AddItemToArray(list, item);
		bytes += size_of(event);
		listed++;
	}
	return list;
}

static cJSON *show_event(const struct lt_schedule_event *event, enum lt_schedule_status status,
		const char *reason, const char *uuid)
{
	cJSON *item = cJSON_CreateObject();

	lt_json_add_c(item, "uid", event->uid);
	lt_json_add_c(item, "name", event->name);
	lt_json_add_c(item, "service", event->service);
	lt_json_add_c(item, "link", event->link);
	lt_json_set_take(item, "args", args_json(&event->args));
	lt_json_add_int(item, "start", event->start_s * 1000);
	lt_json_add_int(item, "end", event->end_s * 1000);
	lt_json_add_bool(item, "hidden", event->is_hidden);
	lt_json_add_c(item, "status", status_names[status]);
	if (reason) {
		lt_json_add_c(item, "reason", reason);
	}
	if (uuid) {
		lt_json_add_c(item, "uuid", uuid);
	}
	return item;
}

cJSON *lt_schedule_core_show(const struct lt_schedule_core *core, int64_t now_s)
{
	cJSON *list = cJSON_CreateArray();
	const struct lt_schedule_active *active;
	size_t bytes = 0;
	int listed = 0;

	DL_FOREACH(core->actives, active) {
		cJSON_AddItemToArray(list,
				show_event(&active->event, LT_SCHEDULE_RUNNING, NULL,
						active->uuid));
		listed++;
	}
	for (size_t i = 0; i < core->n && listed < LISTED_MAX && bytes < LISTED_BYTES; i++) {
		const struct lt_schedule_item *item = &core->items[i];

		if (item->event.end_s > now_s &&
				!lt_schedule_find_active(
						core, item->event.uid, item->event.start_s)) {
			cJSON_AddItemToArray(list,
					show_event(&item->event, item->status, item->reason, NULL));
			bytes += size_of(&item->event);
			listed++;
		}
	}
	return list;
}

void lt_schedule_core_report(
		const struct lt_schedule_core *core, int64_t now_s, struct lt_schedule_stats *ret)
{
	struct lt_schedule_stats stats = { .events = core->n,
		.started = core->started,
		.stopped = core->stopped,
		.start_failures = core->start_failures };
	const struct lt_schedule_active *active;

	DL_FOREACH(core->actives, active) {
		stats.running++;
	}
	for (size_t i = 0; i < core->n; i++) {
		const struct lt_schedule_item *item = &core->items[i];

		if (item->event.end_s <= now_s ||
				lt_schedule_find_active(
						core, item->event.uid, item->event.start_s)) {
			continue;
		}
		stats.held += item->status == LT_SCHEDULE_HELD;
		stats.failed += item->status == LT_SCHEDULE_FAILED;
		if (item->event.start_s > now_s) {
			stats.coming++;
			if (!stats.next_start_s) {
				stats.next_start_s = item->event.start_s;
			}
		}
	}
	*ret = stats;
}

/* --- keeping --- */

bool lt_schedule_core_is_dirty(const struct lt_schedule_core *core)
{
	return core->is_dirty;
}

cJSON *lt_schedule_core_save(struct lt_schedule_core *core)
{
	cJSON *saved = cJSON_CreateObject();
	const struct lt_schedule_active *active;
	const struct lt_schedule_mark *mark;

	lt_json_add_int(saved, "version", 1);
	cJSON *events = cJSON_AddArrayToObject(saved, "events");
	cJSON *marks = cJSON_AddArrayToObject(saved, "marks");

	DL_FOREACH(core->actives, active) {
		cJSON *item = cJSON_CreateObject();

		lt_json_add_c(item, "uid", active->event.uid);
		lt_json_add_int(item, "start", active->event.start_s);
		lt_json_add_int(item, "end", active->event.end_s);
		lt_json_add_int(item, "recurrence", active->event.recurrence_s);
		lt_json_add_c(item, "name", active->event.name);
		lt_json_add_c(item, "service", active->event.service);
		lt_json_add_c(item, "link", active->event.link);
		lt_json_set_take(item, "args", args_json(&active->event.args));
		lt_json_add_bool(item, "hidden", active->event.is_hidden);
		lt_json_add_c(item, "uuid", active->uuid);
		lt_json_add_bool(item, "own", active->is_own);
		cJSON_AddItemToArray(events, item);
	}
	DL_FOREACH(core->marks, mark) {
		cJSON *item = cJSON_CreateObject();

		lt_json_add_c(item, "uid", mark->uid);
		lt_json_add_int(item, "start", mark->start_s);
		lt_json_add_int(item, "end", mark->end_s);
		lt_json_add_bool(item, "begun", mark->is_begun);
		lt_json_add_bool(item, "stopped", mark->is_stopped);
		cJSON_AddItemToArray(marks, item);
	}
	core->is_dirty = false;
	return saved;
}

/* A text that must be there, into an owned slot. */
static bool load_text(const cJSON *item, const char *key, char **ret, struct lt_err *err)
{
	struct lt_str text;

	if (!lt_json_get_str(item, key, &text, err)) {
		return false;
	}
	*ret = lt_str_dup(text);
	return true;
}

static bool load_time(const cJSON *item, const char *key, int64_t *ret, struct lt_err *err)
{
	return lt_json_get_int(item, key, -TIME_MAX, TIME_MAX, ret, err);
}

static bool load_active(const cJSON *item, struct lt_schedule_active *active, struct lt_err *err)
{
	struct lt_schedule_event *event = &active->event;
	const cJSON *arg;

	cJSON_ArrayForEach(arg, lt_json_get(item, "args")) {
		if (!cJSON_IsString(arg)) {
			return lt_err_set(err, LT_E_FORMAT, "an argument that is not text");
		}
		lt_args_add(&event->args, lt_str_from(arg->valuestring));
	}
	return load_text(item, "uid", &event->uid, err) &&
			load_time(item, "start", &event->start_s, err) &&
			load_time(item, "end", &event->end_s, err) &&
			load_time(item, "recurrence", &event->recurrence_s, err) &&
			load_text(item, "name", &event->name, err) &&
			load_text(item, "service", &event->service, err) &&
			load_text(item, "link", &event->link, err) &&
			load_text(item, "uuid", &active->uuid, err) &&
			lt_json_get_bool(item, "hidden", &event->is_hidden, err) &&
			lt_json_get_bool(item, "own", &active->is_own, err);
}

static bool load_mark(const cJSON *item, struct lt_schedule_mark *mark, struct lt_err *err)
{
	return load_text(item, "uid", &mark->uid, err) &&
			load_time(item, "start", &mark->start_s, err) &&
			load_time(item, "end", &mark->end_s, err) &&
			lt_json_get_bool(item, "begun", &mark->is_begun, err) &&
			lt_json_get_bool(item, "stopped", &mark->is_stopped, err);
}

/* What is read, before it is known that all of it can be. */
struct loaded {
	struct lt_schedule_active *actives;
	struct lt_schedule_mark *marks;
	size_t n, mark_count;
};

static bool load_all(const cJSON *saved, struct loaded *loaded, struct lt_err *err)
{
	const cJSON *item;
	int64_t version;

	if (!lt_json_get_int(saved, "version", 1, 1, &version, err)) {
		return false;
	}
	cJSON_ArrayForEach(item, lt_json_get(saved, "events")) {
		struct lt_schedule_active *active = lt_zalloc(sizeof(*active));

		DL_APPEND(loaded->actives, active);
		if (++loaded->n > SAVED_MAX || !load_active(item, active, err)) {
			return lt_err_prefix(err, "events");
		}
	}
	cJSON_ArrayForEach(item, lt_json_get(saved, "marks")) {
		struct lt_schedule_mark *mark = lt_zalloc(sizeof(*mark));

		DL_APPEND(loaded->marks, mark);
		if (++loaded->mark_count > SAVED_MAX || !load_mark(item, mark, err)) {
			return lt_err_prefix(err, "marks");
		}
	}
	return true;
}

static void free_loaded(struct loaded *loaded)
{
	struct lt_schedule_active *active, *next_active;
	struct lt_schedule_mark *mark, *next_mark;

	DL_FOREACH_SAFE(loaded->actives, active, next_active) {
		lt_schedule_event_finish(&active->event);
		lt_free(active->uuid);
		lt_free(active);
	}
	DL_FOREACH_SAFE(loaded->marks, mark, next_mark) {
		lt_free(mark->uid);
		lt_free(mark);
	}
	*loaded = (struct loaded){ 0 };
}

/*
 * An event whose service did not come back, as after --fresh, is no longer in
 * progress: it is started anew. That is not an end by hand.
 */
static bool has_service(const struct lt_schedule_core *core, const char *uuid)
{
	struct lt_schedule_service service;

	for (size_t i = 0; core->env.ops->service(core->env.arg, i, &service); i++) {
		if (strcmp(service.uuid, uuid) == 0) {
			return true;
		}
	}
	return false;
}

bool lt_schedule_core_load(
		struct lt_schedule_core *core, const cJSON *saved, bool fresh, struct lt_err *err)
{
	struct loaded loaded = { 0 };
	struct lt_schedule_active *active, *next;

	if (!load_all(saved, &loaded, err)) {
		free_loaded(&loaded);
		return false;
	}
	DL_FOREACH_SAFE(loaded.actives, active, next) {
		if (!fresh && has_service(core, active->uuid)) {
			DL_DELETE(loaded.actives, active);
			DL_APPEND(core->actives, active);
		}
	}
	core->marks = LT_STEAL(loaded.marks);
	core->mark_count = loaded.mark_count;
	free_loaded(&loaded);
	return true;
}
