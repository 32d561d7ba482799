/*
 * Inside of ical.c: the zones of one text by their TZID, each looked up once.
 * The system's come first, since the rules in a file may be old; those that
 * the file describes (VTIMEZONE) stand in for the rest.
 */
#ifndef LT_CALENDAR_ICAL_ZONES_H
#define LT_CALENDAR_ICAL_ZONES_H

#include <libical/ical.h>

#include "calendar/zone.h"

struct lt_ical_zones;

/* dir and local as in lt_ical_opts, borrowed; calendar_zone: X-WR-TIMEZONE, NULL for none. */
struct lt_ical_zones *lt_ical_zones_create(
		const char *dir, const char *local, const char *calendar_zone);
void lt_ical_zones_destroy(struct lt_ical_zones *zones);

/* Take a VTIMEZONE in; its changes are followed until until_s. */
void lt_ical_zones_add(struct lt_ical_zones *zones, icalcomponent *component, int64_t until_s);

/* NULL: there is no such zone. */
const struct lt_zone *lt_ical_zones_find(struct lt_ical_zones *zones, struct lt_str tzid);

/* Of times without a zone. */
const struct lt_zone *lt_ical_zones_floating(const struct lt_ical_zones *zones);
const struct lt_zone *lt_ical_zones_utc(const struct lt_ical_zones *zones);

/* Date and time counted as if it were UTC; the zone of `time` is not looked at. And back. */
int64_t lt_ical_local(struct icaltimetype time);
struct icaltimetype lt_ical_from_local(int64_t local_s);

#endif
