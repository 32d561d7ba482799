#include "services/schedule/schedule_core.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/table.h"
#include "services/schedule/schedule_core_priv.h"

#define MARKS_MAX    2000
#define MARK_KEEP_S  (7 * 86400)
#define REASON_BYTES 240

/* --- events --- */

void lt_schedule_event_finish(struct lt_schedule_event *event)
{
	lt_free(event->uid);
	lt_free(event->name);
	lt_free(event->service);
	lt_free(event->link);
	lt_args_finish(&event->args);
	*event = (struct lt_schedule_event){ 0 };
}

void lt_schedule_event_dup(const struct lt_schedule_event *event, struct lt_schedule_event *ret)
{
	*ret = *event;
	ret->uid = lt_strdup(event->uid);
	ret->name = lt_strdup(event->name);
	ret->service = lt_strdup(event->service);
	ret->link = lt_strdup(event->link);
	ret->args = (struct lt_args){ 0 };
	lt_args_dup(&ret->args, &event->args);
}

/* Do both want the same service? */
static bool wants_same(const struct lt_schedule_event *a, const struct lt_schedule_event *b)
{
	return strcmp(a->link, b->link) == 0 && strcmp(a->service, b->service) == 0 &&
			lt_args_equal(&a->args, &b->args);
}

static int by_start(const void *a, const void *b)
{
	const struct lt_schedule_event *x = a, *y = b;

	return x->start_s != y->start_s ? (x->start_s < y->start_s ? -1 : 1)
					: strcmp(x->uid, y->uid);
}

struct lt_schedule_item *lt_schedule_find_item(
		const struct lt_schedule_core *core, const char *uid, int64_t start_s)
{
	size_t low = 0, high = core->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct lt_schedule_event *event = &core->items[middle].event;
		int order = event->start_s != start_s ? (event->start_s < start_s ? -1 : 1)
						      : strcmp(event->uid, uid);

		if (order == 0) {
			return &core->items[middle];
		}
		if (order < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return NULL;
}

struct lt_schedule_active *lt_schedule_find_active(
		const struct lt_schedule_core *core, const char *uid, int64_t start_s)
{
	struct lt_schedule_active *active;

	DL_FOREACH(core->actives, active) {
		if (active->event.start_s == start_s && strcmp(active->event.uid, uid) == 0) {
			return active;
		}
	}
	return NULL;
}

struct lt_schedule_mark *lt_schedule_find_mark(
		const struct lt_schedule_core *core, const char *uid, int64_t start_s)
{
	struct lt_schedule_mark *mark;

	DL_FOREACH(core->marks, mark) {
		if (mark->start_s == start_s && strcmp(mark->uid, uid) == 0) {
			return mark;
		}
	}
	return NULL;
}

static void free_mark(struct lt_schedule_core *core, struct lt_schedule_mark *mark)
{
	DL_DELETE(core->marks, mark);
	core->mark_count--;
	lt_free(mark->uid);
	lt_free(mark);
}

struct lt_schedule_mark *lt_schedule_mark(
		struct lt_schedule_core *core, const struct lt_schedule_event *event)
{
	struct lt_schedule_mark *mark = lt_schedule_find_mark(core, event->uid, event->start_s);

	if (!mark) {
		if (core->mark_count == MARKS_MAX) {
			free_mark(core, core->marks); /* the oldest */
		}
		mark = lt_zalloc(sizeof(*mark));
		mark->uid = lt_strdup(event->uid);
		mark->start_s = event->start_s;
		DL_APPEND(core->marks, mark);
		core->mark_count++;
		core->is_dirty = true;
	}
	mark->end_s = event->end_s;
	return mark;
}

static void free_active(struct lt_schedule_core *core, struct lt_schedule_active *active)
{
	DL_DELETE(core->actives, active);
	lt_schedule_event_finish(&active->event);
	lt_free(active->uuid);
	lt_free(active);
	core->is_dirty = true;
}

/* --- life --- */

struct lt_schedule_core *lt_schedule_core_create(const struct lt_schedule_core_env *env)
{
	struct lt_schedule_core *core = lt_zalloc(sizeof(*core));

	core->env = *env;
	return core;
}

static void free_items(struct lt_schedule_item *items, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		lt_schedule_event_finish(&items[i].event);
		lt_free(items[i].reason);
	}
	lt_free(items);
}

void lt_schedule_core_destroy(struct lt_schedule_core *core)
{
	if (!core) {
		return;
	}
	while (core->actives) {
		free_active(core, core->actives);
	}
	while (core->marks) {
		free_mark(core, core->marks);
	}
	free_items(core->items, core->n);
	lt_free(core);
}

void lt_schedule_core_set_times(
		struct lt_schedule_core *core, const struct lt_schedule_times *times)
{
	core->env.times = *times;
}

void lt_schedule_core_set_events_take(struct lt_schedule_core *core,
		struct lt_schedule_event *events, size_t n, bool complete)
{
	struct lt_schedule_item *items = lt_calloc(n + 1, sizeof(*items));
	size_t kept = 0;

	if (n) {
		qsort(events, n, sizeof(*events), by_start);
	}
	for (size_t i = 0; i < n; i++) {
		struct lt_schedule_item *before;

		if (kept && by_start(&items[kept - 1].event, &events[i]) == 0) {
			lt_schedule_event_finish(&events[i]); /* in two calendars */
			continue;
		}
		before = lt_schedule_find_item(core, events[i].uid, events[i].start_s);
		items[kept].event = events[i];
		if (before) {
			items[kept].status = before->status;
			items[kept].reason = LT_STEAL(before->reason);
		}
		kept++;
	}
	lt_free(events);
	free_items(core->items, core->n);
	core->items = items;
	core->n = kept;
	core->is_complete = complete;
}

/* --- logging --- */

static void log_event(const struct lt_schedule_core *core, enum lt_level level, const char *phrase,
		const struct lt_schedule_event *event, const char *reason)
{
	char name[LT_LOG_VALUE_MAX], link[LT_LOG_VALUE_MAX], text[LT_LOG_VALUE_MAX];

	lt_log(&core->env.log, level, phrase, "name=%s service=%s start=%" PRId64 "%s%s",
			lt_log_value(lt_str_from(event->name), name),
			lt_log_value(lt_str_from(event->link), link), event->start_s,
			reason ? " reason=" : "",
			reason ? lt_log_value(lt_str_from(reason), text) : "");
}

/* Told once for each reason, not every minute. */
static void set_status(const struct lt_schedule_core *core, struct lt_schedule_item *item,
		enum lt_schedule_status status, const char *reason)
{
	bool is_new = item->status != status ||
			(reason && (!item->reason || strcmp(item->reason, reason) != 0));

	if (is_new && status == LT_SCHEDULE_HELD) {
		log_event(core, LT_WARN, "event held out", &item->event, reason);
	} else if (is_new && status == LT_SCHEDULE_FAILED) {
		log_event(core, LT_ERROR, "event not started, tried again", &item->event, reason);
	}
	if (is_new) {
		lt_free(item->reason);
		item->reason = reason ? lt_strdup(reason) : NULL;
	}
	item->status = status;
}

/* --- events in progress --- */

/* An event with the same place in its rule that is not in progress itself: it was moved. */
static struct lt_schedule_item *find_moved(const struct lt_schedule_core *core,
		const struct lt_schedule_event *event, int64_t now_s)
{
	const struct lt_schedule_times *times = &core->env.times;

	for (size_t i = 0; i < core->n; i++) {
		const struct lt_schedule_event *other = &core->items[i].event;

		if (other->start_s >= now_s + times->lead_s + times->loop_s) {
			break;
		}
		if (other->recurrence_s == event->recurrence_s &&
				strcmp(other->uid, event->uid) == 0 &&
				other->end_s >= now_s - times->trail_s &&
				!lt_schedule_find_active(core, other->uid, other->start_s)) {
			return &core->items[i];
		}
	}
	return NULL;
}

static void take_over(struct lt_schedule_core *core, struct lt_schedule_active *active,
		const struct lt_schedule_event *event)
{
	if (active->event.start_s != event->start_s) {
		log_event(core, LT_INFO, "event moved while it runs", event, NULL);
		lt_schedule_mark(core, event)->is_begun = true;
	}
	if (active->event.start_s != event->start_s || active->event.end_s != event->end_s ||
			active->event.is_hidden != event->is_hidden ||
			strcmp(active->event.name, event->name) != 0) {
		core->is_dirty = true;
		lt_schedule_event_finish(&active->event);
		lt_schedule_event_dup(event, &active->event);
	}
}

/* Follow the calendar; a reason when the event has to end. */
static const char *update_active(
		struct lt_schedule_core *core, struct lt_schedule_active *active, int64_t now_s)
{
	struct lt_schedule_item *item =
			lt_schedule_find_item(core, active->event.uid, active->event.start_s);

	if (!item) {
		item = find_moved(core, &active->event, now_s);
	}
	if (item && !wants_same(&item->event, &active->event)) {
		return "its service or arguments were changed";
	}
	if (item) {
		take_over(core, active, &item->event);
	}
	if (active->event.end_s < now_s - core->env.times.trail_s) {
		return "it is over";
	}
	return !item && core->is_complete ? "it is no longer in the calendar" : NULL;
}

static bool find_service(const struct lt_schedule_core *core, const char *uuid,
		struct lt_schedule_service *ret)
{
	for (size_t i = 0; core->env.ops->service(core->env.arg, i, ret); i++) {
		if (strcmp(ret->uuid, uuid) == 0) {
			return true;
		}
	}
	return false;
}

/* The service of an event that goes on: brought back when it failed. False: somebody ended it. */
static bool keep_alive(struct lt_schedule_core *core, struct lt_schedule_active *active)
{
	struct lt_schedule_service service;
	struct lt_err err = { 0 };

	if (!find_service(core, active->uuid, &service)) {
		log_event(core, LT_INFO, "service of an event was ended by hand", &active->event,
				NULL);
		if (active->is_own) {
			lt_schedule_mark(core, &active->event)->is_stopped = true;
			core->is_dirty = true;
		}
		return false;
	}
	if (service.is_failed && active->is_own && !service.is_left_out &&
			!core->env.ops->restart(core->env.arg, active->uuid, &err)) {
		log_event(core, LT_ERROR, "service of an event has failed, tried again",
				&active->event, err.msg);
	}
	return true;
}

static bool is_in_use(const struct lt_schedule_core *core, const char *uuid)
{
	const struct lt_schedule_active *active;

	DL_FOREACH(core->actives, active) {
		if (strcmp(active->uuid, uuid) == 0) {
			return true;
		}
	}
	return false;
}

/* --- starting --- */

static bool has_args(
		const struct lt_schedule_service *service, const struct lt_schedule_event *event)
{
	if (service->args->n != event->args.n + 1 ||
			strcmp(service->args->v[0], event->service) != 0) {
		return false;
	}
	for (size_t i = 0; i < event->args.n; i++) {
		if (strcmp(service->args->v[i + 1], event->args.v[i]) != 0) {
			return false;
		}
	}
	return true;
}

/* The service seen under this class: one of the schedule, else one that was started by hand. */
static bool find_link(const struct lt_schedule_core *core, const char *link,
		struct lt_schedule_service *ret)
{
	struct lt_schedule_service service;
	bool found = false;

	for (size_t i = 0; core->env.ops->service(core->env.arg, i, &service); i++) {
		if (strcmp(service.link, link) == 0 && (!found || service.is_scheduled)) {
			*ret = service;
			found = true;
			if (service.is_scheduled) {
				break;
			}
		}
	}
	return found;
}

static void begin(struct lt_schedule_core *core, struct lt_schedule_item *item, const char *uuid,
		bool is_own)
{
	struct lt_schedule_active *active = lt_zalloc(sizeof(*active));
	struct lt_schedule_mark *mark = lt_schedule_mark(core, &item->event);

	lt_schedule_event_dup(&item->event, &active->event);
	active->uuid = lt_strdup(uuid);
	active->is_own = is_own;
	DL_APPEND(core->actives, active);
	set_status(core, item, LT_SCHEDULE_RUNNING, NULL);
	core->is_dirty = true;
	if (!mark->is_begun) {
		mark->is_begun = true;
		core->env.ops->begun(core->env.arg, &active->event);
	}
}

static bool start_service(struct lt_schedule_core *core, struct lt_schedule_item *item)
{
	struct lt_args command = { 0 };
	struct lt_err err = { 0 };
	struct lt_str uuid;
	bool ok;

	lt_args_add(&command, lt_str_from(item->event.service));
	for (size_t i = 0; i < item->event.args.n; i++) {
		lt_args_add(&command, lt_str_from(item->event.args.v[i]));
	}
	ok = core->env.ops->start(core->env.arg, &command, &uuid, &err);
	lt_args_finish(&command);
	if (!ok) {
		core->start_failures++;
		set_status(core, item, LT_SCHEDULE_FAILED, err.msg);
		return false;
	}
	LT_AUTO(lt_free) char *copy = lt_str_dup(uuid);

	core->started++;
	log_event(core, LT_INFO, "event starts", &item->event, NULL);
	begin(core, item, copy, true);
	return true;
}

static bool stop_service(struct lt_schedule_core *core, const char *uuid)
{
	LT_AUTO(lt_free) char *copy = lt_strdup(uuid); /* it goes with the service */
	struct lt_err err = { 0 };

	if (!core->env.ops->stop(core->env.arg, copy, &err)) {
		lt_log(&core->env.log, LT_WARN, "service not stopped, tried again",
				"uuid=%s reason=\"%s\"", copy, err.msg);
		return false;
	}
	core->stopped++;
	lt_log(&core->env.log, LT_INFO, "service of the schedule ends", "uuid=%s", copy);
	return true;
}

/* By the service that has the event's class, which others use or somebody started. */
static void hold_out(struct lt_schedule_core *core, struct lt_schedule_item *item,
		const struct lt_schedule_service *service)
{
	const struct lt_schedule_active *active;
	char reason[REASON_BYTES], quoted[LT_QUOTE_MAX];

	snprintf(reason, sizeof(reason),
			"a service of this class that was started by hand runs with other arguments");
	DL_FOREACH(core->actives, active) {
		if (strcmp(active->uuid, service->uuid) == 0) {
			snprintf(reason, sizeof(reason), "%s uses the service with other arguments",
					lt_str_quote(lt_str_from(active->event.name), quoted));
			break;
		}
	}
	set_status(core, item, LT_SCHEDULE_HELD, reason);
}

/* True: it has begun. */
static bool try_start(struct lt_schedule_core *core, struct lt_schedule_item *item)
{
	struct lt_schedule_service service;

	if (!find_link(core, item->event.link, &service)) {
		return start_service(core, item);
	}
	if (has_args(&service, &item->event)) {
		log_event(core, LT_INFO, "event joins a service that runs", &item->event, NULL);
		begin(core, item, service.uuid, service.is_scheduled);
		return true;
	}
	if (!service.is_scheduled || is_in_use(core, service.uuid)) {
		hold_out(core, item, &service);
		return false;
	}
	/* of an event that has just ended */
	return stop_service(core, service.uuid) && start_service(core, item);
}

static bool start_due(struct lt_schedule_core *core, int64_t now_s)
{
	const struct lt_schedule_times *times = &core->env.times;
	bool changed = false;

	for (size_t i = 0; i < core->n; i++) {
		struct lt_schedule_item *item = &core->items[i];
		const struct lt_schedule_event *event = &item->event;
		const struct lt_schedule_mark *mark;

		if (event->start_s >= now_s + times->lead_s + times->loop_s) {
			break;
		}
		if (event->end_s <= now_s ||
				lt_schedule_find_active(core, event->uid, event->start_s)) {
			continue;
		}
		mark = lt_schedule_find_mark(core, event->uid, event->start_s);
		if (mark && mark->is_stopped) {
			set_status(core, item, LT_SCHEDULE_STOPPED, NULL);
			continue;
		}
		changed = try_start(core, item) || changed;
	}
	return changed;
}

/* --- ending --- */

/* Services of the schedule that nobody needs: those of `ended`, or all once it is known. */
static void stop_unused(struct lt_schedule_core *core, const struct lt_args *ended)
{
	struct lt_args unused = { 0 };
	struct lt_schedule_service service;

	for (size_t i = 0; core->env.ops->service(core->env.arg, i, &service); i++) {
		bool is_known = core->is_complete;

		for (size_t k = 0; k < ended->n; k++) {
			is_known = is_known || strcmp(ended->v[k], service.uuid) == 0;
		}
		if (service.is_scheduled && is_known && !is_in_use(core, service.uuid)) {
			lt_args_add(&unused, lt_str_from(service.uuid));
		}
	}
	for (size_t i = 0; i < unused.n; i++) {
		stop_service(core, unused.v[i]);
	}
	lt_args_finish(&unused);
}

/* True: one has ended. Services that have none left are not stopped yet. */
static bool end_due(struct lt_schedule_core *core, int64_t now_s, struct lt_args *ended)
{
	struct lt_schedule_active *active, *next;
	bool changed = false;

	DL_FOREACH_SAFE(core->actives, active, next) {
		const char *reason = update_active(core, active, now_s);

		if (reason) {
			log_event(core, LT_INFO, "event ends", &active->event, reason);
			if (active->is_own) {
				lt_args_add(ended, lt_str_from(active->uuid));
			}
		}
		if (reason || !keep_alive(core, active)) {
			struct lt_schedule_item *item = lt_schedule_find_item(
					core, active->event.uid, active->event.start_s);

			if (item) {
				set_status(core, item, LT_SCHEDULE_COMING, NULL);
			}
			free_active(core, active);
			changed = true;
		}
	}
	return changed;
}

static void forget_marks(struct lt_schedule_core *core, int64_t now_s)
{
	struct lt_schedule_mark *mark, *next;

	DL_FOREACH_SAFE(core->marks, mark, next) {
		if (mark->end_s < now_s - MARK_KEEP_S) {
			free_mark(core, mark);
			core->is_dirty = true;
		}
	}
}

bool lt_schedule_core_tick(struct lt_schedule_core *core, int64_t now_s)
{
	struct lt_args ended = { 0 };
	bool changed = end_due(core, now_s, &ended);
	uint64_t stopped = core->stopped;

	changed = start_due(core, now_s) || changed;
	stop_unused(core, &ended);
	forget_marks(core, now_s);
	lt_args_finish(&ended);
	return changed || core->stopped != stopped;
}

const struct lt_schedule_event *lt_schedule_core_event(
		const struct lt_schedule_core *core, size_t i)
{
	return i < core->n ? &core->items[i].event : NULL;
}
