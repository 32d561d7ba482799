/*
 * What the scheduler does when, apart from calendars, clocks and files: events
 * and the services that run in, starts and stops out. Pure but for the calls
 * of struct lt_schedule_ops; time is an argument, unix seconds, UTC.
 *
 * An event is known by its UID and start. It begins lead + loop seconds before
 * its start at the latest and ends when it is over for more than `trail`, or
 * has gone from the calendar, or has another service or other arguments now.
 * One that was moved while it runs goes on. A service serves all events of its
 * class (or masquerade) with the same arguments; those with others are held
 * out until it is free, and so are those whose class somebody started by hand.
 * What was started by hand is never stopped, and what the scheduler started
 * and somebody stopped by hand is not started again for the events it served.
 *
 * Whose a service is stands at the service itself (is_scheduled), and comes
 * back with it; so do the events in progress, by lt_schedule_core_save and
 * _load. `begun` is called once for each event, restarts included.
 */
#ifndef LT_SERVICES_SCHEDULE_SCHEDULE_CORE_H
#define LT_SERVICES_SCHEDULE_SCHEDULE_CORE_H

#include "base/json.h"
#include "base/log.h"
#include "base/service_args.h"

/* Texts are owned. */
struct lt_schedule_event {
	char *uid;
	int64_t start_s, end_s;
	int64_t recurrence_s; /* where its rule puts it, also when it was moved; 0: it has no rule
			       */
	char *name;
	char *service;       /* class: the plugin */
	char *link;          /* masquerade, else the class: as what it is seen */
	struct lt_args args; /* without the class */
	bool is_hidden;
};
void lt_schedule_event_finish(struct lt_schedule_event *event);
void lt_schedule_event_dup(const struct lt_schedule_event *event, struct lt_schedule_event *ret);

/* A service that is there. Borrowed until one is started or stopped. */
struct lt_schedule_service {
	const char *uuid, *link;
	const struct lt_args *args; /* with the class in front */
	bool is_scheduled;          /* started by `start` below, in this or an earlier run */
	bool is_failed;             /* it has ended by itself */
	bool is_left_out;           /* and must not be tried again */
};

/* All required. */
struct lt_schedule_ops {
	/* The i-th service; false behind the last. */
	bool (*service)(void *arg, size_t i, struct lt_schedule_service *ret_service);
	/* Start from a command line; *ret_uuid is borrowed until the next call. */
	bool (*start)(void *arg, const struct lt_args *command, struct lt_str *ret_uuid,
			struct lt_err *err);
	bool (*restart)(void *arg, const char *uuid, struct lt_err *err);
	bool (*stop)(void *arg, const char *uuid, struct lt_err *err);
	/* An event has begun: its service runs. Borrowed for the call. */
	void (*begun)(void *arg, const struct lt_schedule_event *event);
};

struct lt_schedule_times {
	int64_t lead_s, trail_s, loop_s;
};

struct lt_schedule_core_env {
	struct lt_log log;
	const struct lt_schedule_ops *ops; /* borrowed */
	void *arg;
	struct lt_schedule_times times;
};

struct lt_schedule_core;
struct lt_schedule_core *lt_schedule_core_create(const struct lt_schedule_core_env *env);
void lt_schedule_core_destroy(struct lt_schedule_core *core); /* NULL is fine */

void lt_schedule_core_set_times(
		struct lt_schedule_core *core, const struct lt_schedule_times *times);

/*
 * What the calendars hold now. Owns the array and what is in it; of events
 * with one UID and start the first counts. complete: they were all read, so
 * what is missing was deleted.
 */
void lt_schedule_core_set_events_take(struct lt_schedule_core *core,
		struct lt_schedule_event *events, size_t n, bool complete);

/* Stop and start what is due. True: something was started or stopped. */
bool lt_schedule_core_tick(struct lt_schedule_core *core, int64_t now_s);

/* Has what must survive changed since it was saved? */
bool lt_schedule_core_is_dirty(const struct lt_schedule_core *core);
/* {"version": 1, "events": [...], "marks": [...]}; owned by the caller. */
cJSON *lt_schedule_core_save(struct lt_schedule_core *core);
/*
 * fresh: events in progress are forgotten, what was announced is not.
 *
 * Errors     LT_E_FORMAT; nothing was taken over then
 */
bool lt_schedule_core_load(
		struct lt_schedule_core *core, const cJSON *saved, bool fresh, struct lt_err *err);

/*
 * The events that are still to come, as the network lists them; at most 500:
 * [{"id": uid, "name", "service": masquerade or class, "startTime": unix seconds, "hidden"}]
 */
cJSON *lt_schedule_core_listing(const struct lt_schedule_core *core, int64_t now_s);

/*
 * All that are not over, for people; at most 500: [{"uid", "name", "service", "link", "args",
 * "start": unix ms, "end": unix ms, "hidden", "status", "reason"?, "uuid"?}]
 * status: "coming", "running", "held", "failed", "stopped" (by hand).
 */
cJSON *lt_schedule_core_show(const struct lt_schedule_core *core, int64_t now_s);

struct lt_schedule_stats {
	size_t events, running, held, failed, coming;
	int64_t next_start_s; /* 0: none is to come */
	uint64_t started, stopped, start_failures;
};
void lt_schedule_core_report(
		const struct lt_schedule_core *core, int64_t now_s, struct lt_schedule_stats *ret);

/* Borrowed, in the order of their starts. */
const struct lt_schedule_event *lt_schedule_core_event(
		const struct lt_schedule_core *core, size_t i);

#endif
