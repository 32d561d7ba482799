/*
 * A time zone as a sorted list of changes of its offset, from a compiled file
 * of the system (TZif, RFC 8536), from a text in the form of $TZ
 * ("CET-1CEST,M3.5.0,M10.5.0/3"), or filled in by hand (VTIMEZONE). Rules
 * without end are followed to the year 2100.
 *
 * Pure, but for the two that read a file.
 */
#ifndef LT_CALENDAR_ZONE_H
#define LT_CALENDAR_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct lt_zone_change {
	int64_t at_s;     /* unix seconds */
	int32_t offset_s; /* local time less UTC, from then on */
};

/* Owned; zero-initialised is UTC. */
struct lt_zone {
	int32_t first_offset_s; /* before the first change */
	struct lt_zone_change *changes;
	size_t n;
};

/*
 * By name ("Europe/Paris"), else as a text in the form of $TZ. A name with
 * folders in front ("/vendor/20260101/Europe/Paris") is found, too.
 *
 * dir        NULL: /usr/share/zoneinfo
 * Errors     LT_E_NOT_FOUND, LT_E_FORMAT
 */
bool lt_zone_load(
		const char *dir, struct lt_str name, struct lt_zone *ret_zone, struct lt_err *err);

/* The zone of this machine: /etc/localtime, else UTC. */
void lt_zone_load_local(struct lt_zone *ret_zone);

bool lt_zone_parse_tzif(struct lt_str bytes, struct lt_zone *ret_zone, struct lt_err *err);
bool lt_zone_parse_posix(struct lt_str text, struct lt_zone *ret_zone, struct lt_err *err);

/* Changes may be added in any order; sort once behind the last. At most 20,000 are kept. */
void lt_zone_add(struct lt_zone *zone, int64_t at_s, int32_t offset_s);
void lt_zone_sort(struct lt_zone *zone);
void lt_zone_finish(struct lt_zone *zone);

int32_t lt_zone_offset(const struct lt_zone *zone, int64_t utc_s);

/*
 * Local seconds (a date and time counted as if it were UTC) to UTC. A time
 * that occurs twice is the first of the two; one that is skipped is counted
 * with the offset before the gap (RFC 5545, 3.3.5).
 */
int64_t lt_zone_to_utc(const struct lt_zone *zone, int64_t local_s);

/* Days since 1970-01-01 of a date in the Gregorian calendar, and back. month and day from 1. */
int64_t lt_days_from_date(int64_t year, int month, int day);
void lt_date_from_days(int64_t days, int64_t *ret_year, int *ret_month, int *ret_day);

#endif
