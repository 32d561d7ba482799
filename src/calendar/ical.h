/*
 * iCalendar (RFC 5545) text to a plain list of occurrences: recurrence is
 * expanded, zones are resolved, what is cancelled says so. The only module
 * that knows libical.
 *
 * Understood: RRULE, RDATE, EXDATE and changed occurrences (RECURRENCE-ID);
 * times in UTC, with TZID (the system's zones, else the VTIMEZONE of the
 * text) and without a zone (X-WR-TIMEZONE, else the zone of this machine);
 * whole days; DTEND, DURATION, or neither (an event without duration, a day
 * for a whole-day one); STATUS:CANCELLED. Of a UID that occurs twice the
 * higher SEQUENCE counts. A component that cannot be understood is left out
 * and named among the problems; the rest is kept. To-dos and the like are
 * passed over in silence.
 *
 * Times are unix seconds, UTC. Texts are UTF-8 (ill-formed bytes become
 * U+FFFD), unescaped, terminated, owned by the list.
 *
 * Bounds: 16 MiB of text, 20,000 components, 256 KiB in one of them, 20,000
 * occurrences altogether, 5,000 of one event, and a budget of steps for
 * the rules of a text, those that never come true included.
 *
 * Threads: blocks (it reads files of zones) and takes tens of milliseconds
 * for a large text, so call lt_ical_read on a worker (lt_loop_work). Several
 * may run at the same time: nothing is shared between calls.
 */
#ifndef LT_CALENDAR_ICAL_H
#define LT_CALENDAR_ICAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

/* A property whose name begins with X-, in upper case. */
struct lt_ical_x {
	char *name, *value;
};

/* One occurrence. Texts are never NULL; a missing one is "". */
struct lt_ical_event {
	char *uid, *summary, *description, *location, *url;
	char **categories;
	size_t category_count;
	struct lt_ical_x *x;
	size_t x_count;
	int64_t start_s, end_s; /* end_s >= start_s */
	/* Where its rule puts it, also after it was moved; start_s when it does not recur. */
	int64_t recurrence_s;
	/* Of a whole-day event as 20260516, the end behind the last day; else 0. start_s is then
	 * the beginning of that day in the zone of the calendar. */
	int32_t start_date, end_date;
	int64_t sequence;
	bool is_recurring; /* others have the same UID */
	bool is_cancelled;
	bool has_end; /* by DTEND or DURATION */
};

/* Something that was left out or changed. */
struct lt_ical_problem {
	char *uid;      /* "" when it has none */
	char *name;     /* the summary; "" when it has none */
	char *sentence; /* "DTSTART: cannot be read" */
};

/* Owned; zero-initialised is empty. Sorted by start_s, then uid. */
struct lt_ical_list {
	struct lt_ical_event *events;
	size_t n;
	struct lt_ical_problem *problems; /* at most 1,000 */
	size_t problem_count;
	char *name; /* X-WR-CALNAME, "" for none */
	char *zone; /* X-WR-TIMEZONE, "" for none */
};

struct lt_ical_opts {
	/* Occurrences that end after from_s and start before until_s. */
	int64_t from_s, until_s;
	/* Of times without one: "Europe/Paris" or in the form of $TZ. NULL: /etc/localtime. */
	const char *local_zone;
	const char *zone_dir; /* NULL: /usr/share/zoneinfo */
};

/*
 * Errors     LT_E_FORMAT not a calendar, or one that breaks off; LT_E_LIMIT too large
 */
bool lt_ical_read(struct lt_str text, const struct lt_ical_opts *opts,
		struct lt_ical_list *ret_list, struct lt_err *err);
void lt_ical_list_finish(struct lt_ical_list *list);

#endif
