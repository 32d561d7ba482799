/*
 * Inside of the schedule core: schedule_core.c acts, schedule_core_json.c
 * tells and keeps.
 */
#ifndef LT_SERVICES_SCHEDULE_SCHEDULE_CORE_PRIV_H
#define LT_SERVICES_SCHEDULE_SCHEDULE_CORE_PRIV_H

#include "services/schedule/schedule_core.h"

enum lt_schedule_status {
	LT_SCHEDULE_COMING,
	LT_SCHEDULE_RUNNING,
	LT_SCHEDULE_HELD,
	LT_SCHEDULE_FAILED,
	LT_SCHEDULE_STOPPED, /* by hand */
};

/* An event of the calendars. */
struct lt_schedule_item {
	struct lt_schedule_event event;
	enum lt_schedule_status status;
	char *reason; /* of held and failed; NULL: none */
};

/* An event in progress, with the service that serves it. */
struct lt_schedule_active {
	struct lt_schedule_event event; /* as it is now; its start is the one it is known by */
	char *uuid;
	bool is_own;    /* the service was started by the scheduler */
	bool is_ending; /* for the tick at hand */
	struct lt_schedule_active *prev, *next;
};

/* What is remembered of an event until long after its end. */
struct lt_schedule_mark {
	char *uid;
	int64_t start_s, end_s;
	bool is_begun;   /* `begun` was called */
	bool is_stopped; /* by hand: not to be started again */
	struct lt_schedule_mark *prev, *next;
};

struct lt_schedule_core {
	struct lt_schedule_core_env env;
	struct lt_schedule_item *items; /* sorted by start, then UID */
	size_t n;
	bool is_complete;
	struct lt_schedule_active *actives; /* in the order in which they began */
	struct lt_schedule_mark *marks;
	size_t mark_count;
	bool is_dirty;
	uint64_t started, stopped, start_failures;
};

/* NULL: none. */
struct lt_schedule_item *lt_schedule_find_item(
		const struct lt_schedule_core *core, const char *uid, int64_t start_s);
struct lt_schedule_active *lt_schedule_find_active(
		const struct lt_schedule_core *core, const char *uid, int64_t start_s);
struct lt_schedule_mark *lt_schedule_find_mark(
		const struct lt_schedule_core *core, const char *uid, int64_t start_s);

/* Added when it is not there. */
struct lt_schedule_mark *lt_schedule_mark(
		struct lt_schedule_core *core, const struct lt_schedule_event *event);

#endif
