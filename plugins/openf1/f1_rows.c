/* Rows of answers. Each collection is a list of objects; unknown members are left aside. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "f1_int.h"

#define DATE_MIN_MS INT64_C(0)             /* 1970 */
#define DATE_MAX_MS INT64_C(4102444800000) /* 2100 */
#define MESSAGE_MAX 400

struct row {
	const struct lt_json_ext *json;
	const struct lt_value *value;
};

static const char *const names[F1_COLLECTIONS] = {
	[F1_SESSIONS] = "sessions",
	[F1_DRIVERS] = "drivers",
	[F1_LAPS] = "laps",
	[F1_POSITION] = "position",
	[F1_INTERVALS] = "intervals",
	[F1_PIT] = "pit",
	[F1_STINTS] = "stints",
	[F1_RACE_CONTROL] = "race_control",
	[F1_WEATHER] = "weather",
};

const char *f1_name(enum f1_collection collection)
{
	return names[collection];
}

/* --- values --- */

static const struct lt_value *member(const struct row *row, const char *name)
{
	return row->json->member(row->value, name);
}

static struct lt_str text(const struct row *row, const char *name)
{
	return row->json->text(member(row, name));
}

/* At most so many bytes, in whole characters. */
static struct lt_str cut(struct lt_str from, size_t max)
{
	size_t n = from.n <= max ? from.n : max;

	while (n < from.n && n > 0 && ((unsigned char)from.p[n] & 0xc0) == 0x80) {
		n--;
	}
	return lt_text_n(from.p, n);
}

static void copy(char *to, size_t size, struct lt_str from)
{
	from = cut(from, size - 1);
	memcpy(to, from.p, from.n);
	to[from.n] = '\0';
}

/* A whole number in bounds; F1_NONE: null, absent, or another thing. */
static int32_t whole(const struct row *row, const char *name, int32_t min, int32_t max)
{
	const struct lt_value *value = member(row, name);
	double number = row->json->number(value);

	return row->json->kind(value) == LT_VALUE_NUMBER && number >= min && number <= max &&
					number == floor(number)
			? (int32_t)number
			: F1_NONE;
}

/* Seconds as milliseconds, or any number in other units; F1_NONE as above. */
static int32_t scaled(const struct row *row, const char *name, double scale, double max)
{
	const struct lt_value *value = member(row, name);
	double number = row->json->number(value);

	return row->json->kind(value) == LT_VALUE_NUMBER && fabs(number) <= max
			? (int32_t)floor(number * scale + 0.5)
			: F1_NONE;
}

static int32_t duration(const struct row *row, const char *name)
{
	int32_t ms = scaled(row, name, 1000, 36000);

	return ms > 0 ? ms : F1_NONE;
}

static int32_t driver_of(const struct row *row)
{
	return whole(row, "driver_number", 1, 9999);
}

static bool digits(struct lt_str text, size_t at, size_t n, int *ret)
{
	*ret = 0;
	if (at + n > text.n) {
		return false;
	}
	for (size_t i = at; i < at + n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9') {
			return false;
		}
		*ret = *ret * 10 + (text.p[i] - '0');
	}
	return true;
}

/* Days since 1970 of the Gregorian calendar. */
static int64_t days_of(int year, int month, int day)
{
	int64_t y = year - (month <= 2);
	int64_t era = y / 400, of_era = y - era * 400;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* Behind the seconds: a fraction, a zone, or nothing. */
static bool parse_rest(struct lt_str date, size_t at, int64_t *ret_ms)
{
	int hours, minutes, sign;
	int64_t scale = 100;

	*ret_ms = 0;
	if (at < date.n && date.p[at] == '.') {
		for (at++; at < date.n && date.p[at] >= '0' && date.p[at] <= '9'; at++) {
			*ret_ms += (date.p[at] - '0') * scale;
			scale /= 10;
		}
	}
	if (at == date.n || (at + 1 == date.n && date.p[at] == 'Z')) {
		return true;
	}
	sign = date.p[at] == '+' ? 1 : date.p[at] == '-' ? -1 : 0;
	if (sign == 0 || at + 6 != date.n || !digits(date, at + 1, 2, &hours) ||
			date.p[at + 3] != ':' || !digits(date, at + 4, 2, &minutes) || hours > 14 ||
			minutes > 59) {
		return false;
	}
	*ret_ms -= sign * ((int64_t)hours * 60 + minutes) * 60000;
	return true;
}

int64_t f1_date(struct lt_str date)
{
	int year, month, day, hour, minute, second;
	int64_t rest_ms, ms;

	if (!digits(date, 0, 4, &year) || !digits(date, 5, 2, &month) ||
			!digits(date, 8, 2, &day) || !digits(date, 11, 2, &hour) ||
			!digits(date, 14, 2, &minute) || !digits(date, 17, 2, &second) ||
			date.p[4] != '-' || date.p[7] != '-' ||
			(date.p[10] != 'T' && date.p[10] != ' ') || date.p[13] != ':' ||
			date.p[16] != ':' || month < 1 || month > 12 || day < 1 || day > 31 ||
			hour > 23 || minute > 59 || second > 60 ||
			!parse_rest(date, 19, &rest_ms)) {
		return F1_NO_DATE;
	}
	ms = ((days_of(year, month, day) * 24 + hour) * 60 + minute) * 60000 +
			(int64_t)second * 1000 + rest_ms;
	return ms >= DATE_MIN_MS && ms <= DATE_MAX_MS ? ms : F1_NO_DATE;
}

static int64_t date_of(const struct row *row, const char *name)
{
	struct lt_str date = text(row, name);

	return date.n > 0 ? f1_date(date) : F1_NO_DATE;
}

/* --- collections: each row true when it could be used --- */

static bool is_text(struct lt_str a, const char *b)
{
	return a.n == strlen(b) && memcmp(a.p, b, a.n) == 0;
}

static bool read_session(struct f1_data *data, const struct row *row)
{
	struct f1_session *session = &data->session;
	int32_t key = whole(row, "session_key", 1, INT32_MAX);
	int64_t start_ms = date_of(row, "date_start"), end_ms = date_of(row, "date_end");

	/* of several the latest counts */
	if (key == F1_NONE || start_ms == F1_NO_DATE ||
			(session->key != 0 && start_ms < session->start_ms)) {
		return key != F1_NONE && start_ms != F1_NO_DATE;
	}
	session->key = key;
	session->start_ms = start_ms;
	session->end_ms = end_ms != F1_NO_DATE && end_ms >= start_ms ? end_ms : start_ms + 7200000;
	copy(session->name, sizeof(session->name), text(row, "session_name"));
	copy(session->place, sizeof(session->place), text(row, "circuit_short_name"));
	copy(session->country, sizeof(session->country), text(row, "country_name"));
	session->year = whole(row, "year", 1950, 2100);
	session->is_race = is_text(text(row, "session_type"), "Race");
	session->is_cancelled = row->json->is_true(member(row, "is_cancelled")) != 0;
	return true;
}

static bool read_driver(struct f1_data *data, const struct row *row)
{
	int32_t number = driver_of(row);
	struct lt_str name = text(row, "full_name");
	struct f1_driver *driver = data->drivers;

	while (driver < data->drivers + data->driver_count && driver->number != number) {
		driver++;
	}
	if (number == F1_NONE || driver == data->drivers + F1_DRIVERS_MAX) {
		return false;
	}
	if (driver == data->drivers + data->driver_count) {
		memset(driver, 0, sizeof(*driver));
		driver->number = number;
		data->driver_count++;
	} else {
		data->counts.repeated++;
	}
	name = name.n > 0 ? name : text(row, "name_acronym");
	if (name.n > 0) {
		copy(driver->name, sizeof(driver->name), name);
	}
	if (text(row, "team_name").n > 0) {
		copy(driver->team, sizeof(driver->team), text(row, "team_name"));
	}
	return true;
}

static bool read_lap(struct f1_data *data, const struct row *row)
{
	struct f1_lap lap = { .driver = driver_of(row),
		.number = whole(row, "lap_number", 1, F1_LAP_MAX),
		.start_ms = date_of(row, "date_start"),
		.ms = duration(row, "lap_duration"),
		.sector = { duration(row, "duration_sector_1"), duration(row, "duration_sector_2"),
				duration(row, "duration_sector_3") },
		.end_ms = F1_NO_DATE };

	return lap.driver != F1_NONE && lap.number != F1_NONE && f1_add_lap(data, &lap);
}

static bool read_position(struct f1_data *data, const struct row *row)
{
	struct f1_event event = { .at_ms = date_of(row, "date"),
		.kind = F1_EV_POSITION,
		.driver = driver_of(row),
		.n = whole(row, "position", 1, F1_DRIVERS_MAX) };

	return event.at_ms != F1_NO_DATE && event.driver != F1_NONE && event.n != F1_NONE &&
			f1_add_event(data, &event);
}

/* Seconds, "+1 LAP", or null: then both stay F1_NONE. */
static void read_gap(const struct row *row, const char *name, int32_t to[2])
{
	struct lt_str laps = text(row, name);
	int n = 0;

	to[0] = scaled(row, name, 1000, 36000);
	to[1] = F1_NONE;
	for (size_t i = 1; i < laps.n && i < 4 && laps.p[0] == '+' && laps.p[i] >= '0' &&
			laps.p[i] <= '9';
			i++) {
		n = n * 10 + (laps.p[i] - '0');
	}
	if (n > 0) {
		to[1] = n;
	}
}

static bool read_interval(struct f1_data *data, const struct row *row)
{
	struct f1_event event = {
		.at_ms = date_of(row, "date"), .kind = F1_EV_GAP, .driver = driver_of(row)
	};

	read_gap(row, "gap_to_leader", event.v);
	read_gap(row, "interval", event.v + 2);
	return event.at_ms != F1_NO_DATE && event.driver != F1_NONE && f1_add_event(data, &event);
}

static bool read_pit(struct f1_data *data, const struct row *row)
{
	int32_t lane_ms = duration(row, "lane_duration");
	struct f1_event event = {
		.at_ms = date_of(row, "date"), .kind = F1_EV_PIT_IN, .driver = driver_of(row)
	};

	lane_ms = lane_ms != F1_NONE ? lane_ms : duration(row, "pit_duration");
	if (event.at_ms == F1_NO_DATE || event.driver == F1_NONE || !f1_add_event(data, &event)) {
		return false;
	}
	event.kind = F1_EV_PIT_OUT;
	/* a moment later at least, so that it comes behind */
	event.at_ms += lane_ms != F1_NONE ? lane_ms : 1;
	return f1_add_event(data, &event);
}

static bool read_stint(struct f1_data *data, const struct row *row)
{
	struct f1_stint stint = { .driver = driver_of(row),
		.number = whole(row, "stint_number", 1, F1_LAP_MAX),
		.lap_start = whole(row, "lap_start", 0, F1_LAP_MAX),
		.age = whole(row, "tyre_age_at_start", 0, F1_LAP_MAX) };

	copy(stint.compound, sizeof(stint.compound), text(row, "compound"));
	if (stint.driver == F1_NONE || stint.lap_start == F1_NONE) {
		return false;
	}
	for (size_t i = 0; i < data->stint_count; i++) {
		if (data->stints[i].driver == stint.driver && stint.number != F1_NONE &&
				data->stints[i].number == stint.number) {
			data->stints[i] = stint;
			data->counts.repeated++;
			return true;
		}
	}
	return f1_add_stint(data, &stint);
}

static bool read_control(struct f1_data *data, const struct row *row)
{
	struct lt_str message = text(row, "message"), scope = text(row, "scope");
	struct f1_event event = { .at_ms = date_of(row, "date"), .kind = F1_EV_CONTROL };
	int32_t driver = driver_of(row);

	event.driver = driver != F1_NONE ? driver : 0;
	event.v[0] = scope.n == 0 || is_text(scope, "Track");
	event.v[1] = is_text(text(row, "category"), "SafetyCar");
	if (event.at_ms == F1_NO_DATE || message.n == 0) {
		return false;
	}
	event.text = f1_add_text(data, cut(message, MESSAGE_MAX));
	return event.text != 0 && f1_add_event(data, &event);
}

static bool read_weather(struct f1_data *data, const struct row *row)
{
	struct f1_event event = { .at_ms = date_of(row, "date"),
		.kind = F1_EV_WEATHER,
		.v = { scaled(row, "air_temperature", 10, 100),
				scaled(row, "track_temperature", 10, 200),
				scaled(row, "humidity", 10, 100),
				scaled(row, "wind_speed", 10, 200),
				scaled(row, "rainfall", 10, 1000) } };

	return event.at_ms != F1_NO_DATE && f1_add_event(data, &event);
}

bool f1_read(struct f1_data *data, const struct lt_json_ext *json, enum f1_collection collection,
		struct lt_str body, char error[F1_ERROR_LEN])
{
	static bool (*const readers[F1_COLLECTIONS])(struct f1_data *, const struct row *) = {
		[F1_SESSIONS] = read_session,
		[F1_DRIVERS] = read_driver,
		[F1_LAPS] = read_lap,
		[F1_POSITION] = read_position,
		[F1_INTERVALS] = read_interval,
		[F1_PIT] = read_pit,
		[F1_STINTS] = read_stint,
		[F1_RACE_CONTROL] = read_control,
		[F1_WEATHER] = read_weather,
	};
	char reason[120] = "";
	struct lt_value *document = json->parse(body, reason, sizeof(reason));
	const struct lt_value *value = json->first(document);

	if (document == NULL || json->kind(document) != LT_VALUE_LIST) {
		snprintf(error, F1_ERROR_LEN, "%s: %s", f1_name(collection),
				document == NULL ? reason : "the answer is not a list");
		json->free(document);
		return false;
	}
	for (; value != NULL; value = json->next(value)) {
		struct row row = { json, value };

		if (json->kind(value) == LT_VALUE_OBJECT && readers[collection](data, &row)) {
			data->counts.rows++;
		} else {
			data->counts.damaged++;
		}
	}
	json->free(document);
	return true;
}
