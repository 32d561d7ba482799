/*
 * Text of a calendar to events of the schedule, with a sentence for each that
 * is none. Cancelled ones are left out in silence. Blocks, for workers.
 */
#ifndef LT_SERVICES_SCHEDULE_SCHEDULE_CALENDAR_H
#define LT_SERVICES_SCHEDULE_SCHEDULE_CALENDAR_H

#include "services/schedule/schedule_core.h"

/* Events that ended earlier than this ago, or begin later than this, are not read. */
#define LT_SCHEDULE_PAST_S   86400
#define LT_SCHEDULE_FUTURE_S (400 * INT64_C(86400))

struct lt_schedule_problem {
	char *name;      /* title; "" for none */
	int64_t start_s; /* 0: not known */
	char *sentence;
};

/* Owned; zero-initialised is empty. */
struct lt_schedule_calendar {
	struct lt_schedule_event *events;
	size_t n;
	struct lt_schedule_problem *problems;
	size_t problem_count;
};

/* Errors as lt_ical_read. local_zone as in lt_ical_opts. */
bool lt_schedule_calendar_read(struct lt_str text, int64_t now_s, const char *local_zone,
		struct lt_schedule_calendar *ret_calendar, struct lt_err *err);
void lt_schedule_calendar_finish(struct lt_schedule_calendar *calendar);

#endif
