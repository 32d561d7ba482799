/*
 * Inside of ical.c: ical_component.c reads one VEVENT, ical_expand.c makes
 * occurrences of those that share a UID.
 */
#ifndef LT_CALENDAR_ICAL_PRIV_H
#define LT_CALENDAR_ICAL_PRIV_H

#include <libical/ical.h>

#include "calendar/ical.h"
#include "calendar/ical_zones.h"

/* From the start to the end: days by the calendar, then seconds by the clock. */
struct lt_ical_length {
	int64_t days, seconds;
};

/* One VEVENT as it stands in the text. */
struct lt_ical_component {
	struct lt_ical_event event; /* texts, dates and flags; times without recurrence */
	icalcomponent *ical;        /* owned; rules are read from it */
	const struct lt_zone *zone; /* of DTSTART */
	int64_t start_local_s;
	struct lt_ical_length length;
	bool is_override; /* has a RECURRENCE-ID */
	size_t index;     /* place in the text */
};

/* The list under construction. */
struct lt_ical_builder {
	const struct lt_ical_opts *opts;
	struct lt_ical_list *list;
	size_t capacity;
	struct lt_ical_zones *zones;
	int64_t steps_left; /* of all rules: times of days that libical may look at */
};

/* Append a problem; the texts are copied. */
void lt_ical_add_problem(struct lt_ical_builder *builder, const struct lt_ical_event *event,
		const char *sentence);

/*
 * Read what ical, which is taken, holds; false: left out, the problem was added.
 * In both cases finish.
 */
bool lt_ical_component_read(struct lt_ical_builder *builder, icalcomponent *ical,
		struct lt_ical_component *ret);
void lt_ical_component_finish(struct lt_ical_component *component);
void lt_ical_event_finish(struct lt_ical_event *event);

/* Instant of a date or time property; a TZID that nobody knows is an error. */
bool lt_ical_instant(struct lt_ical_builder *builder, icalproperty *property,
		struct icaltimetype time, const struct lt_zone **ret_zone, int64_t *ret_utc_s,
		struct lt_err *err);

/* Add the occurrences of components that have one UID; they are n, masters and overrides. */
void lt_ical_expand(struct lt_ical_builder *builder, const struct lt_ical_component *components,
		size_t n);

#endif
