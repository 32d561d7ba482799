/*
 * Inside of ical.c: iCalendar text into its components, each with its lines
 * unfolded, so that one that is broken spoils no other and none is larger or
 * deeper than libical can take. Pure.
 */
#ifndef LT_CALENDAR_ICAL_PARTS_H
#define LT_CALENDAR_ICAL_PARTS_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

struct lt_ical_part {
	bool is_zone;       /* VTIMEZONE; else VEVENT */
	struct lt_buf text; /* BEGIN to END, without alarms and the like in events */
	const char *flaw;   /* static sentence; NULL: none */
};

struct lt_ical_parts {
	struct lt_ical_part *v; /* in the order of the text */
	size_t n, capacity;
	char *name, *zone; /* X-WR-CALNAME, X-WR-TIMEZONE; NULL: none */
};

/* Owned, to be freed by finish. Errors as lt_ical_read. */
bool lt_ical_parts_read(struct lt_str text, struct lt_ical_parts *ret_parts, struct lt_err *err);
void lt_ical_parts_finish(struct lt_ical_parts *parts);

#endif
