#include "base/alloc.h"
#include "calendar/ical_priv.h"

#define EVENTS_MAX      20000
#define OCCURRENCES_MAX 5000   /* of one UID */
#define STEPS_MAX       200000 /* of one rule */
#define EXDATES_MAX     10000
#define DAY_S           86400

/* --- one occurrence --- */

static char **dup_texts(char *const *texts, size_t n)
{
	char **copy = n ? lt_calloc(n, sizeof(*copy)) : NULL;

	for (size_t i = 0; i < n; i++) {
		copy[i] = lt_strdup(texts[i]);
	}
	return copy;
}

static void dup_event(const struct lt_ical_event *event, struct lt_ical_event *ret)
{
	*ret = *event;
	ret->uid = lt_strdup(event->uid);
	ret->summary = lt_strdup(event->summary);
	ret->description = lt_strdup(event->description);
	ret->location = lt_strdup(event->location);
	ret->url = lt_strdup(event->url);
	ret->categories = dup_texts(event->categories, event->category_count);
	ret->x = event->x_count ? lt_calloc(event->x_count, sizeof(*ret->x)) : NULL;
	for (size_t i = 0; i < event->x_count; i++) {
		ret->x[i] = (struct lt_ical_x){ lt_strdup(event->x[i].name),
			lt_strdup(event->x[i].value) };
	}
}

static int32_t date_number(int64_t local_s)
{
	struct icaltimetype time = lt_ical_from_local(local_s);

	return time.year * 10000 + time.month * 100 + time.day;
}

static bool in_window(const struct lt_ical_opts *opts, int64_t start_s, int64_t end_s)
{
	return start_s < opts->until_s &&
			(end_s > opts->from_s || (end_s == start_s && start_s >= opts->from_s));
}

/* When the occurrence that begins at this local time is; false: not in the window. */
static bool find_times(const struct lt_ical_opts *opts, const struct lt_ical_component *component,
		int64_t local_s, int64_t *ret_start_s, int64_t *ret_end_s)
{
	const struct lt_ical_length *length = &component->length;
	int64_t start_s = lt_zone_to_utc(component->zone, local_s);
	int64_t end_s = (length->days ? lt_zone_to_utc(component->zone,
							local_s + length->days * DAY_S)
				      : start_s) +
			length->seconds;

	*ret_start_s = start_s;
	*ret_end_s = LT_MAX(end_s, start_s);
	return in_window(opts, *ret_start_s, *ret_end_s);
}

/* Add the occurrence that begins at this local time, if it lies in the window. */
static bool add_occurrence(struct lt_ical_builder *builder,
		const struct lt_ical_component *component, int64_t local_s, int64_t recurrence_s)
{
	struct lt_ical_list *list = builder->list;
	int64_t start_s, end_s;

	if (!find_times(builder->opts, component, local_s, &start_s, &end_s)) {
		return true;
	}
	if (list->n == EVENTS_MAX) {
		return false;
	}
	if (list->n == builder->capacity) {
		builder->capacity = builder->capacity ? builder->capacity * 2 : 64;
		list->events = lt_reallocarray(
				list->events, builder->capacity, sizeof(*list->events));
	}
	struct lt_ical_event *event = &list->events[list->n++];

	dup_event(&component->event, event);
	event->start_s = start_s;
	event->end_s = end_s;
	event->recurrence_s = recurrence_s;
	if (event->start_date) {
		event->start_date = date_number(local_s);
		event->end_date = date_number(local_s + LT_MAX(component->length.days, 1) * DAY_S);
	}
	return true;
}

/* --- those of one UID --- */

struct group {
	struct lt_ical_builder *builder;
	const struct lt_ical_component *components;
	size_t n;
	const struct lt_ical_component *master; /* NULL: none */
	struct exdate {
		int64_t at_s; /* instant; or local midnight of a whole day */
		bool is_day;
	} * exdates;
	size_t exdate_count;
	int64_t *seen; /* recurrence_s of those that were added */
	size_t seen_count;
};

/* Is b a later version of the same as a? */
static bool is_newer(const struct lt_ical_component *a, const struct lt_ical_component *b)
{
	return b->event.sequence > a->event.sequence ||
			(b->event.sequence == a->event.sequence && b->index > a->index);
}

/* The override for an occurrence, the newest one; NULL: none. */
static const struct lt_ical_component *find_override(
		const struct group *group, int64_t recurrence_s)
{
	const struct lt_ical_component *found = NULL;

	for (size_t i = 0; i < group->n; i++) {
		const struct lt_ical_component *component = &group->components[i];

		if (component->is_override && component->event.recurrence_s == recurrence_s &&
				(!found || is_newer(found, component))) {
			found = component;
		}
	}
	return found;
}

static bool is_excluded(const struct group *group, int64_t recurrence_s, int64_t local_s)
{
	int64_t midnight_s = local_s - ((local_s % DAY_S) + DAY_S) % DAY_S;

	for (size_t i = 0; i < group->exdate_count; i++) {
		const struct exdate *exdate = &group->exdates[i];

		if (exdate->is_day ? exdate->at_s == midnight_s : exdate->at_s == recurrence_s) {
			return true;
		}
	}
	return false;
}

static bool was_seen(const struct group *group, int64_t recurrence_s)
{
	for (size_t i = group->seen_count; i > 0; i--) {
		if (group->seen[i - 1] == recurrence_s) {
			return true;
		}
	}
	return false;
}

/* An occurrence of the master, unless it is excluded or stands in the text itself. */
static bool add_regular(struct group *group, int64_t local_s)
{
	int64_t recurrence_s, end_s;

	if (!find_times(group->builder->opts, group->master, local_s, &recurrence_s, &end_s) ||
			is_excluded(group, recurrence_s, local_s) ||
			find_override(group, recurrence_s) || was_seen(group, recurrence_s)) {
		return true;
	}
	if (group->seen_count == OCCURRENCES_MAX) {
		return false;
	}
	group->seen[group->seen_count++] = recurrence_s;
	return add_occurrence(group->builder, group->master, local_s, recurrence_s);
}

static bool read_exdates(struct group *group, struct lt_err *err)
{
	icalcomponent *ical = group->master->ical;

	for (icalproperty *property = icalcomponent_get_first_property(ical, ICAL_EXDATE_PROPERTY);
			property;
			property = icalcomponent_get_next_property(ical, ICAL_EXDATE_PROPERTY)) {
		struct icaltimetype time = icalproperty_get_exdate(property);
		struct exdate exdate = { .is_day = time.is_date };

		if (!lt_ical_instant(group->builder, property, time, NULL, &exdate.at_s, err)) {
			return lt_err_prefix(err, "EXDATE");
		}
		if (exdate.is_day) {
			exdate.at_s = lt_ical_local(time);
		}
		if (group->exdate_count == EXDATES_MAX) {
			return lt_err_set(err, LT_E_LIMIT, "more than %d EXDATE", EXDATES_MAX);
		}
		if (!group->exdates) {
			group->exdates = lt_calloc(EXDATES_MAX, sizeof(*group->exdates));
		}
		group->exdates[group->exdate_count++] = exdate;
	}
	return true;
}

/*
 * The rule ends with the window at the latest: libical looks for a date that
 * never comes for as long as the rule lasts.
 */
static void bound_rule(const struct group *group, struct icalrecurrencetype *rule)
{
	const struct lt_zone *zone = group->master->zone;
	int64_t window_s = group->builder->opts->until_s;
	int64_t until = window_s + lt_zone_offset(zone, window_s);

	if (!icaltime_is_null_time(rule->until)) {
		int64_t own = lt_ical_local(rule->until);

		if (rule->until.is_date) {
			own += DAY_S - 1; /* that day still counts */
		} else if (icaltime_is_utc(rule->until)) {
			own += lt_zone_offset(zone, own);
		}
		until = LT_MIN(until, own);
	}
	rule->until = lt_ical_from_local(until);
}

static int64_t count_of(const short *parts, int size)
{
	int n = 0;

	while (n < size && parts[n] != ICAL_RECURRENCE_ARRAY_MAX) {
		n++;
	}
	return LT_MAX(n, 1);
}

/* How much libical may have to look at: every time of every day up to the end of the rule. */
static int64_t rule_steps(const struct group *group, const struct icalrecurrencetype *rule)
{
	int64_t days = (lt_ical_local(rule->until) - group->master->start_local_s) / DAY_S;

	return (LT_MAX(days, 0) + 1) * count_of(rule->by_hour, ICAL_BY_HOUR_SIZE) *
			count_of(rule->by_minute, ICAL_BY_MINUTE_SIZE) *
			count_of(rule->by_second, ICAL_BY_SECOND_SIZE);
}

static bool add_rule(struct group *group, icalproperty *property, struct lt_err *err)
{
	struct icalrecurrencetype rule = icalproperty_get_rrule(property);
	struct icaltimetype start = lt_ical_from_local(group->master->start_local_s), next;
	icalrecur_iterator *iterator;
	bool ok = true;

	if (rule.freq < ICAL_DAILY_RECURRENCE || rule.freq > ICAL_YEARLY_RECURRENCE) {
		return lt_err_set(err, LT_E_LIMIT,
				"RRULE: more often than once a day is not supported");
	}
	bound_rule(group, &rule);
	int64_t cost = rule_steps(group, &rule);

	if (cost > STEPS_MAX || cost > group->builder->steps_left) {
		return lt_err_set(err, LT_E_LIMIT,
				cost > STEPS_MAX
						? "RRULE: it is followed for too long"
						: "RRULE: the rules of this calendar are too long together");
	}
	group->builder->steps_left -= cost;
	iterator = icalrecur_iterator_new(rule, start);
	if (!iterator) {
		return lt_err_set(err, LT_E_FORMAT, "RRULE: it never comes true");
	}
	while (ok && !icaltime_is_null_time(next = icalrecur_iterator_next(iterator))) {
		ok = add_regular(group, lt_ical_local(next));
	}
	icalrecur_iterator_free(iterator);
	return ok || lt_err_set(err, LT_E_LIMIT, "it occurs too often; the rest is left out");
}

static bool add_rdate(struct group *group, icalproperty *property, struct lt_err *err)
{
	struct icaldatetimeperiodtype date = icalproperty_get_rdate(property);
	bool is_period = icaltime_is_null_time(date.time);
	const struct lt_zone *zone;
	int64_t at_s;

	if (!lt_ical_instant(group->builder, property, is_period ? date.period.start : date.time,
			    &zone, &at_s, err)) {
		return lt_err_prefix(err, "RDATE");
	}
	/* in the zone of the event, whose days its length counts; a period's own end is not read */
	return add_regular(group, at_s + lt_zone_offset(group->master->zone, at_s)) ||
			lt_err_set(err, LT_E_LIMIT, "it occurs too often; the rest is left out");
}

static bool add_all_regular(struct group *group, struct lt_err *err)
{
	icalcomponent *ical = group->master->ical;
	icalproperty *property;

	/* DTSTART is the first occurrence, whether the rule meets it or not */
	if (!read_exdates(group, err) || !add_regular(group, group->master->start_local_s)) {
		return false;
	}
	for (property = icalcomponent_get_first_property(ical, ICAL_RRULE_PROPERTY); property;
			property = icalcomponent_get_next_property(ical, ICAL_RRULE_PROPERTY)) {
		if (!add_rule(group, property, err)) {
			return false;
		}
	}
	for (property = icalcomponent_get_first_property(ical, ICAL_RDATE_PROPERTY); property;
			property = icalcomponent_get_next_property(ical, ICAL_RDATE_PROPERTY)) {
		if (!add_rdate(group, property, err)) {
			return false;
		}
	}
	return true;
}

void lt_ical_expand(struct lt_ical_builder *builder, const struct lt_ical_component *components,
		size_t n)
{
	struct group group = { .builder = builder, .components = components, .n = n };
	struct lt_err err = { 0 };

	for (size_t i = 0; i < n; i++) {
		const struct lt_ical_component *component = &components[i];

		if (!component->is_override &&
				(!group.master || is_newer(group.master, component))) {
			group.master = component;
		}
	}
	if (group.master) {
		group.seen = lt_calloc(OCCURRENCES_MAX, sizeof(*group.seen));
		if (!add_all_regular(&group, &err)) {
			lt_ical_add_problem(builder, &group.master->event,
					err.code ? err.msg : "there are too many events");
		}
	}
	for (size_t i = 0; i < n; i++) {
		const struct lt_ical_component *component = &components[i];

		if (component->is_override &&
				find_override(&group, component->event.recurrence_s) == component &&
				!add_occurrence(builder, component, component->start_local_s,
						component->event.recurrence_s)) {
			lt_ical_add_problem(
					builder, &component->event, "there are too many events");
		}
	}
	lt_free(group.seen);
	lt_free(group.exdates);
}
