/*
 * Occurrences to iCalendar text: one VCALENDAR, a VEVENT for each, lines
 * folded at 75 bytes (never within a character), texts escaped, times in UTC
 * or as whole days. lt_ical_read of it gives the same events back. An event
 * with is_recurring is written with its RECURRENCE-ID. Pure.
 */
#ifndef LT_CALENDAR_ICS_WRITER_H
#define LT_CALENDAR_ICS_WRITER_H

#include "calendar/ical.h"

struct lt_ics_opts {
	const char *name; /* X-WR-CALNAME; NULL: none */
	int64_t stamp_s;  /* DTSTAMP of every event, unix seconds */
};

/* Append the text. Texts of an event may be NULL here; uid may not be NULL or empty. */
void lt_ics_write(struct lt_buf *buf, const struct lt_ical_event *events, size_t n,
		const struct lt_ics_opts *opts);

#endif
