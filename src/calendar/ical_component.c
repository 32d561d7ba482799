#include <strings.h>

#include "base/alloc.h"
#include "calendar/ical_priv.h"

#define UID_MAX_BYTES 1024
#define TEXT_LIST_MAX 100
#define DAY_S         86400
#define YEAR_MIN      1900
#define YEAR_MAX      2200

void lt_ical_event_finish(struct lt_ical_event *event)
{
	lt_free(event->uid);
	lt_free(event->summary);
	lt_free(event->description);
	lt_free(event->location);
	lt_free(event->url);
	for (size_t i = 0; i < event->category_count; i++) {
		lt_free(event->categories[i]);
	}
	lt_free(event->categories);
	for (size_t i = 0; i < event->x_count; i++) {
		lt_free(event->x[i].name);
		lt_free(event->x[i].value);
	}
	lt_free(event->x);
	*event = (struct lt_ical_event){ 0 };
}

void lt_ical_component_finish(struct lt_ical_component *component)
{
	lt_ical_event_finish(&component->event);
	if (component->ical) {
		icalcomponent_free(component->ical);
	}
	*component = (struct lt_ical_component){ 0 };
}

/* --- texts --- */

/* The text of the first property of a kind, "" for none. Owned. */
static char *text_of(icalcomponent *ical, icalproperty_kind kind)
{
	icalproperty *property = icalcomponent_get_first_property(ical, kind);
	icalvalue *value = property ? icalproperty_get_value(property) : NULL;
	const char *text = NULL;

	if (value && icalvalue_isa(value) == ICAL_TEXT_VALUE) {
		text = icalvalue_get_text(value);
	} else if (value && icalvalue_isa(value) == ICAL_URI_VALUE) {
		text = icalvalue_get_uri(value);
	}
	return lt_strdup(text ? text : "");
}

static void add_category(struct lt_ical_event *event, icalproperty *property)
{
	const char *text = icalproperty_get_categories(property);

	if (!text || event->category_count == TEXT_LIST_MAX) {
		return;
	}
	if (!event->categories) {
		event->categories = lt_calloc(TEXT_LIST_MAX, sizeof(*event->categories));
	}
	event->categories[event->category_count++] = lt_str_dup(lt_str_trim(lt_str_from(text)));
}

static void add_x(struct lt_ical_event *event, icalproperty *property)
{
	const char *name = icalproperty_get_x_name(property);
	const char *value = icalproperty_get_x(property);
	struct lt_ical_x *x;

	if (!name || event->x_count == TEXT_LIST_MAX) {
		return;
	}
	if (!event->x) {
		event->x = lt_calloc(TEXT_LIST_MAX, sizeof(*event->x));
	}
	x = &event->x[event->x_count++];
	x->name = lt_strdup(name);
	x->value = lt_strdup(value ? value : "");
	for (char *c = x->name; *c; c++) {
		*c = *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
	}
}

static void read_texts(icalcomponent *ical, struct lt_ical_event *event)
{
	icalproperty *property;

	event->uid = text_of(ical, ICAL_UID_PROPERTY);
	event->summary = text_of(ical, ICAL_SUMMARY_PROPERTY);
	event->description = text_of(ical, ICAL_DESCRIPTION_PROPERTY);
	event->location = text_of(ical, ICAL_LOCATION_PROPERTY);
	event->url = text_of(ical, ICAL_URL_PROPERTY);
	for (property = icalcomponent_get_first_property(ical, ICAL_CATEGORIES_PROPERTY); property;
			property = icalcomponent_get_next_property(
					ical, ICAL_CATEGORIES_PROPERTY)) {
		add_category(event, property);
	}
	for (property = icalcomponent_get_first_property(ical, ICAL_X_PROPERTY); property;
			property = icalcomponent_get_next_property(ical, ICAL_X_PROPERTY)) {
		add_x(event, property);
	}
	property = icalcomponent_get_first_property(ical, ICAL_STATUS_PROPERTY);
	event->is_cancelled =
			property && icalproperty_get_status(property) == ICAL_STATUS_CANCELLED;
	property = icalcomponent_get_first_property(ical, ICAL_SEQUENCE_PROPERTY);
	event->sequence = property ? icalproperty_get_sequence(property) : 0;
}

/* --- times --- */

bool lt_ical_instant(struct lt_ical_builder *builder, icalproperty *property,
		struct icaltimetype time, const struct lt_zone **ret_zone, int64_t *ret_utc_s,
		struct lt_err *err)
{
	icalparameter *parameter = icalproperty_get_first_parameter(property, ICAL_TZID_PARAMETER);
	const char *tzid = parameter ? icalparameter_get_tzid(parameter) : NULL;
	const struct lt_zone *zone = lt_ical_zones_floating(builder->zones);
	char quoted[LT_QUOTE_MAX];

	if (time.year < YEAR_MIN || time.year > YEAR_MAX) {
		return lt_err_set(err, LT_E_LIMIT, "the year %d is not from %d to %d", time.year,
				YEAR_MIN, YEAR_MAX);
	}
	if (time.is_date) {
		zone = lt_ical_zones_floating(builder->zones); /* days have no zone */
	} else if (icaltime_is_utc(time)) {
		zone = lt_ical_zones_utc(builder->zones);
	} else if (tzid) {
		zone = lt_ical_zones_find(builder->zones, lt_str_from(tzid));
		if (!zone) {
			return lt_err_set(err, LT_E_NOT_FOUND, "unknown time zone %s",
					lt_str_quote(lt_str_from(tzid), quoted));
		}
	}
	if (ret_zone) {
		*ret_zone = zone;
	}
	*ret_utc_s = lt_zone_to_utc(zone, lt_ical_local(time));
	return true;
}

static int32_t date_number(int64_t local_s)
{
	struct icaltimetype time = lt_ical_from_local(local_s);

	return time.year * 10000 + time.month * 100 + time.day;
}

static bool read_start(struct lt_ical_builder *builder, struct lt_ical_component *component,
		struct lt_err *err)
{
	icalproperty *property =
			icalcomponent_get_first_property(component->ical, ICAL_DTSTART_PROPERTY);
	struct icaltimetype time =
			property ? icalproperty_get_dtstart(property) : icaltime_null_time();

	if (icaltime_is_null_time(time)) {
		return lt_err_set(err, LT_E_FORMAT, "it has no DTSTART that can be read");
	}
	if (!lt_ical_instant(builder, property, time, &component->zone, &component->event.start_s,
			    err)) {
		return lt_err_prefix(err, "DTSTART");
	}
	component->start_local_s = lt_ical_local(time);
	if (time.is_date) {
		component->event.start_date = date_number(component->start_local_s);
	}
	component->event.recurrence_s = component->event.start_s;
	return true;
}

static bool has_error(icalcomponent *ical, const char *property)
{
	for (icalproperty *error = icalcomponent_get_first_property(ical, ICAL_XLICERROR_PROPERTY);
			error;
			error = icalcomponent_get_next_property(ical, ICAL_XLICERROR_PROPERTY)) {
		const char *text = icalproperty_get_xlicerror(error);

		if (text && strstr(text, property)) {
			return true;
		}
	}
	return false;
}

static bool read_dtend(struct lt_ical_builder *builder, struct lt_ical_component *component,
		icalproperty *property, struct lt_err *err)
{
	struct icaltimetype time = icalproperty_get_dtend(property);
	bool is_day = component->event.start_date != 0 && time.is_date;
	int64_t end_s;

	if (icaltime_is_null_time(time) ||
			!lt_ical_instant(builder, property, time, NULL, &end_s, err)) {
		return lt_err_prefix(err, "DTEND");
	}
	if (is_day) {
		component->length.days = (lt_ical_local(time) - component->start_local_s) / DAY_S;
	} else {
		component->length.seconds = end_s - component->event.start_s;
	}
	component->event.has_end = true;
	if (component->length.days < 0 || component->length.seconds < 0) {
		component->length = (struct lt_ical_length){ 0 };
		lt_ical_add_problem(builder, &component->event,
				"it ends before it begins; taken as an event without duration");
	}
	return true;
}

static bool read_length(struct lt_ical_builder *builder, struct lt_ical_component *component,
		struct lt_err *err)
{
	icalproperty *end = icalcomponent_get_first_property(component->ical, ICAL_DTEND_PROPERTY);
	icalproperty *duration =
			icalcomponent_get_first_property(component->ical, ICAL_DURATION_PROPERTY);

	if (has_error(component->ical, "DTEND") || has_error(component->ical, "DURATION")) {
		return lt_err_set(err, LT_E_FORMAT, "its DTEND or DURATION cannot be read");
	}
	if (end) {
		return read_dtend(builder, component, end, err);
	}
	if (duration) {
		struct icaldurationtype length = icalproperty_get_duration(duration);

		component->event.has_end = true;
		if (length.is_neg || length.weeks > 1000 || length.days > 10000 ||
				length.hours > 100000 || length.minutes > 10000000) {
			return lt_err_set(err, LT_E_LIMIT, "its DURATION is negative or too long");
		}
		component->length.days = (int64_t)length.weeks * 7 + length.days;
		component->length.seconds = (int64_t)length.hours * 3600 +
				(int64_t)length.minutes * 60 + length.seconds;
	} else if (component->event.start_date) {
		component->length.days = 1;
	}
	return true;
}

static bool read_recurrence(struct lt_ical_builder *builder, struct lt_ical_component *component,
		struct lt_err *err)
{
	icalproperty *property = icalcomponent_get_first_property(
			component->ical, ICAL_RECURRENCEID_PROPERTY);

	component->event.is_recurring =
			icalcomponent_get_first_property(component->ical, ICAL_RRULE_PROPERTY) ||
			icalcomponent_get_first_property(component->ical, ICAL_RDATE_PROPERTY);
	if (has_error(component->ical, "RECURRENCE-ID") || has_error(component->ical, "RRULE") ||
			has_error(component->ical, "EXDATE") ||
			has_error(component->ical, "RDATE")) {
		return lt_err_set(err, LT_E_FORMAT,
				"its RRULE, RDATE, EXDATE or RECURRENCE-ID cannot be read");
	}
	if (!property) {
		return true;
	}
	component->is_override = true;
	component->event.is_recurring = true;
	if (icalproperty_get_first_parameter(property, ICAL_RANGE_PARAMETER)) {
		lt_ical_add_problem(builder, &component->event,
				"a change of all later occurrences (RANGE) is read as one of this occurrence");
	}
	return lt_ical_instant(builder, property, icalproperty_get_recurrenceid(property), NULL,
			       &component->event.recurrence_s, err) ||
			lt_err_prefix(err, "RECURRENCE-ID");
}

bool lt_ical_component_read(
		struct lt_ical_builder *builder, icalcomponent *ical, struct lt_ical_component *ret)
{
	struct lt_err err = { 0 };

	*ret = (struct lt_ical_component){ .ical = ical };
	read_texts(ical, &ret->event);
	if (!ret->event.uid[0]) {
		lt_err_set(&err, LT_E_FORMAT, "it has no UID");
	} else if (strlen(ret->event.uid) > UID_MAX_BYTES) {
		lt_err_set(&err, LT_E_LIMIT, "its UID has more than %d bytes", UID_MAX_BYTES);
	} else if (read_start(builder, ret, &err) && read_length(builder, ret, &err) &&
			read_recurrence(builder, ret, &err)) {
		return true;
	}
	lt_ical_add_problem(builder, &ret->event, err.msg);
	return false;
}
