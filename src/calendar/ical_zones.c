#include "calendar/ical_zones.h"

#include "base/alloc.h"

#define ZONES_MAX   500  /* names of zones in one text */
#define CHANGES_MAX 1000 /* of one rule of a VTIMEZONE */
#define RULES_MAX   2000 /* of all of them */
#define DAY_S       86400

struct named {
	char *tzid;
	struct lt_zone zone;
	bool is_known;     /* false: looked up, and there is none */
	bool is_described; /* by the file; not yet looked up in the system */
};

struct lt_ical_zones {
	const char *dir;
	struct named *v;
	size_t n;
	struct lt_zone floating, utc;
	int rules;
};

int64_t lt_ical_local(struct icaltimetype time)
{
	return lt_days_from_date(time.year, time.month, time.day) * DAY_S +
			(time.is_date ? 0 : time.hour * 3600 + time.minute * 60 + time.second);
}

struct icaltimetype lt_ical_from_local(int64_t local_s)
{
	struct icaltimetype time = icaltime_null_time();
	int64_t days = local_s / DAY_S - (local_s % DAY_S < 0);
	int64_t rest = local_s - days * DAY_S, year;

	lt_date_from_days(days, &year, &time.month, &time.day);
	time.year = (int)year;
	time.hour = (int)(rest / 3600);
	time.minute = (int)(rest / 60 % 60);
	time.second = (int)(rest % 60);
	return time;
}

struct lt_ical_zones *lt_ical_zones_create(
		const char *dir, const char *local, const char *calendar_zone)
{
	struct lt_ical_zones *zones = lt_zalloc(sizeof(*zones));
	struct lt_err ignored = { 0 };

	zones->dir = dir;
	zones->v = lt_calloc(ZONES_MAX, sizeof(*zones->v));
	if ((!calendar_zone ||
			    !lt_zone_load(dir, lt_str_from(calendar_zone), &zones->floating,
					    &ignored)) &&
			(!local ||
					!lt_zone_load(dir, lt_str_from(local), &zones->floating,
							&ignored))) {
		lt_zone_load_local(&zones->floating);
	}
	return zones;
}

void lt_ical_zones_destroy(struct lt_ical_zones *zones)
{
	if (!zones) {
		return;
	}
	for (size_t i = 0; i < zones->n; i++) {
		lt_free(zones->v[i].tzid);
		lt_zone_finish(&zones->v[i].zone);
	}
	lt_zone_finish(&zones->floating);
	lt_free(zones->v);
	lt_free(zones);
}

const struct lt_zone *lt_ical_zones_floating(const struct lt_ical_zones *zones)
{
	return &zones->floating;
}

const struct lt_zone *lt_ical_zones_utc(const struct lt_ical_zones *zones)
{
	return &zones->utc;
}

static struct named *find_named(struct lt_ical_zones *zones, struct lt_str tzid)
{
	for (size_t i = 0; i < zones->n; i++) {
		if (lt_str_eq_c(tzid, zones->v[i].tzid)) {
			return &zones->v[i];
		}
	}
	return NULL;
}

const struct lt_zone *lt_ical_zones_find(struct lt_ical_zones *zones, struct lt_str tzid)
{
	struct named *named = find_named(zones, tzid);
	struct lt_err ignored = { 0 };
	struct lt_zone system;

	if (named && !named->is_described) {
		return named->is_known ? &named->zone : NULL;
	}
	if (!named) {
		if (zones->n == ZONES_MAX) {
			return NULL;
		}
		named = &zones->v[zones->n++];
		named->tzid = lt_str_dup(tzid);
	}
	named->is_described = false;
	if (lt_zone_load(zones->dir, tzid, &system, &ignored)) {
		lt_zone_finish(&named->zone);
		named->zone = system;
		named->is_known = true;
	}
	return named->is_known ? &named->zone : NULL;
}

/* --- VTIMEZONE --- */

/* One STANDARD or DAYLIGHT: from when on which offset holds. */
struct observance {
	struct icaltimetype start;
	int from_s, to_s;
	int64_t until_s;
	int *rules; /* how many were followed */
};

static void add_rule(struct lt_zone *zone, const struct observance *seen, icalproperty *property)
{
	struct icalrecurrencetype rule = icalproperty_get_rrule(property);
	int64_t until_s = seen->until_s + seen->from_s; /* local */
	icalrecur_iterator *iterator;
	struct icaltimetype next;

	if (rule.freq != ICAL_YEARLY_RECURRENCE && rule.freq != ICAL_MONTHLY_RECURRENCE) {
		return; /* nobody changes clocks more often */
	}
	if (++*seen->rules > RULES_MAX) {
		return;
	}
	if (!icaltime_is_null_time(rule.until)) {
		until_s = LT_MIN(until_s,
				lt_ical_local(rule.until) +
						(icaltime_is_utc(rule.until) ? seen->from_s : 0));
	}
	/* libical looks for what never comes for as long as the rule lasts */
	rule.until = lt_ical_from_local(until_s);
	iterator = icalrecur_iterator_new(rule, seen->start);
	for (int i = 0; iterator && i < CHANGES_MAX; i++) {
		next = icalrecur_iterator_next(iterator);
		if (icaltime_is_null_time(next) ||
				lt_ical_local(next) - seen->from_s > seen->until_s) {
			break;
		}
		lt_zone_add(zone, lt_ical_local(next) - seen->from_s, seen->to_s);
	}
	if (iterator) {
		icalrecur_iterator_free(iterator);
	}
}

static bool read_observance(icalcomponent *component, struct observance *ret)
{
	icalproperty *start = icalcomponent_get_first_property(component, ICAL_DTSTART_PROPERTY);
	icalproperty *from =
			icalcomponent_get_first_property(component, ICAL_TZOFFSETFROM_PROPERTY);
	icalproperty *to = icalcomponent_get_first_property(component, ICAL_TZOFFSETTO_PROPERTY);

	if (!start || !from || !to) {
		return false;
	}
	ret->start = icalproperty_get_dtstart(start);
	ret->from_s = icalproperty_get_tzoffsetfrom(from);
	ret->to_s = icalproperty_get_tzoffsetto(to);
	return !icaltime_is_null_time(ret->start);
}

static void add_observance(
		struct lt_zone *zone, icalcomponent *component, const struct observance *seen)
{
	icalproperty *property;

	lt_zone_add(zone, lt_ical_local(seen->start) - seen->from_s, seen->to_s);
	for (property = icalcomponent_get_first_property(component, ICAL_RRULE_PROPERTY); property;
			property = icalcomponent_get_next_property(
					component, ICAL_RRULE_PROPERTY)) {
		add_rule(zone, seen, property);
	}
	for (property = icalcomponent_get_first_property(component, ICAL_RDATE_PROPERTY); property;
			property = icalcomponent_get_next_property(
					component, ICAL_RDATE_PROPERTY)) {
		struct icaldatetimeperiodtype date = icalproperty_get_rdate(property);

		if (!icaltime_is_null_time(date.time)) {
			lt_zone_add(zone, lt_ical_local(date.time) - seen->from_s, seen->to_s);
		}
	}
}

void lt_ical_zones_add(struct lt_ical_zones *zones, icalcomponent *component, int64_t until_s)
{
	icalproperty *tzid = icalcomponent_get_first_property(component, ICAL_TZID_PROPERTY);
	const char *name = tzid ? icalproperty_get_tzid(tzid) : NULL;
	struct lt_zone zone = { 0 };
	int64_t first = INT64_MAX;

	if (!name || zones->n == ZONES_MAX || find_named(zones, lt_str_from(name))) {
		return;
	}
	for (icalcomponent *child = icalcomponent_get_first_component(
			     component, ICAL_ANY_COMPONENT);
			child;
			child = icalcomponent_get_next_component(component, ICAL_ANY_COMPONENT)) {
		struct observance seen = { .until_s = until_s, .rules = &zones->rules };

		if (!read_observance(child, &seen)) {
			continue;
		}
		if (lt_ical_local(seen.start) < first) {
			first = lt_ical_local(seen.start);
			zone.first_offset_s = seen.from_s;
		}
		add_observance(&zone, child, &seen);
	}
	lt_zone_sort(&zone);
	zones->v[zones->n++] = (struct named){ lt_strdup(name), zone, zone.n > 0, true };
}
