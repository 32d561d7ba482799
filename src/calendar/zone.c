#include "calendar/zone.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/fsutil.h"

#define ZONE_DIR       "/usr/share/zoneinfo"
#define LOCAL_ZONE     "/etc/localtime"
#define FILE_MAX_BYTES (256 * 1024)
#define CHANGES_MAX    20000
#define NAME_MAX_BYTES 128
#define DAY_S          86400
#define OFFSET_MAX_S   (26 * 3600)
#define FIRST_YEAR     1970
#define LAST_YEAR      2100

/* --- dates --- */

int64_t lt_days_from_date(int64_t year, int month, int day)
{
	/* years begin in March, so that the leap day is the last of one */
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
			day_of_year - 719468;
}

void lt_date_from_days(int64_t days, int64_t *ret_year, int *ret_month, int *ret_day)
{
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t day_of_era = z - era * 146097;
	int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 -
					      day_of_era / 146096) /
			365;
	int64_t day_of_year =
			day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t month = (5 * day_of_year + 2) / 153;

	*ret_day = (int)(day_of_year - (153 * month + 2) / 5 + 1);
	*ret_month = (int)(month < 10 ? month + 3 : month - 9);
	*ret_year = year_of_era + era * 400 + (*ret_month <= 2);
}

/* --- changes --- */

void lt_zone_add(struct lt_zone *zone, int64_t at_s, int32_t offset_s)
{
	if (zone->n == CHANGES_MAX) {
		return;
	}
	if ((zone->n & (zone->n - 1)) == 0) { /* full at each power of two */
		size_t capacity = zone->n ? zone->n * 2 : 1;

		zone->changes = lt_reallocarray(zone->changes, capacity, sizeof(*zone->changes));
	}
	zone->changes[zone->n++] = (struct lt_zone_change){ at_s, offset_s };
}

static int by_time(const void *a, const void *b)
{
	const struct lt_zone_change *x = a, *y = b;

	return x->at_s < y->at_s ? -1 : x->at_s > y->at_s;
}

void lt_zone_sort(struct lt_zone *zone)
{
	if (zone->n) {
		qsort(zone->changes, zone->n, sizeof(*zone->changes), by_time);
	}
}

void lt_zone_finish(struct lt_zone *zone)
{
	lt_free(zone->changes);
	*zone = (struct lt_zone){ 0 };
}

int32_t lt_zone_offset(const struct lt_zone *zone, int64_t utc_s)
{
	size_t low = 0, high = zone->n; /* changes before low are not later than utc_s */

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (zone->changes[middle].at_s <= utc_s) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low ? zone->changes[low - 1].offset_s : zone->first_offset_s;
}

int64_t lt_zone_to_utc(const struct lt_zone *zone, int64_t local_s)
{
	int32_t before = lt_zone_offset(zone, local_s - DAY_S);
	int32_t after = lt_zone_offset(zone, local_s + DAY_S);

	if (lt_zone_offset(zone, local_s - before) != before &&
			lt_zone_offset(zone, local_s - after) == after) {
		return local_s - after;
	}
	return local_s - before;
}

/* --- the form of $TZ (POSIX): std offset [dst [offset] [,start[/time],end[/time]]] --- */

struct rule {
	char kind; /* 'M' month.week.day, 'J' day without leap days, 'n' day from 0 */
	int month, week, day;
	int32_t time_s;
};

static bool read_number(struct lt_str *rest, int max, int *ret)
{
	int value = 0;
	size_t n = 0;

	while (n < rest->n && n < 4 && rest->p[n] >= '0' && rest->p[n] <= '9') {
		value = value * 10 + (rest->p[n++] - '0');
	}
	*rest = lt_str_skip(*rest, n);
	*ret = value;
	return n > 0 && value <= max;
}

static bool take(struct lt_str *rest, char c)
{
	if (!rest->n || rest->p[0] != c) {
		return false;
	}
	*rest = lt_str_skip(*rest, 1);
	return true;
}

/* [+-]hh[:mm[:ss]] */
static bool read_time(struct lt_str *rest, int32_t *ret_s)
{
	bool is_negative = take(rest, '-');
	int hours = 0, minutes = 0, seconds = 0;

	if (!is_negative) {
		take(rest, '+');
	}
	if (!read_number(rest, 167, &hours) ||
			(take(rest, ':') &&
					(!read_number(rest, 59, &minutes) ||
							(take(rest, ':') &&
									!read_number(rest, 59,
											&seconds))))) {
		return false;
	}
	*ret_s = (is_negative ? -1 : 1) * (hours * 3600 + minutes * 60 + seconds);
	return true;
}

static bool read_name(struct lt_str *rest)
{
	size_t n = 0;

	if (take(rest, '<')) {
		while (n < rest->n && rest->p[n] != '>') {
			n++;
		}
		*rest = lt_str_skip(*rest, n);
		return n > 0 && take(rest, '>');
	}
	while (n < rest->n && ((rest->p[n] | 32) >= 'a' && (rest->p[n] | 32) <= 'z')) {
		n++;
	}
	*rest = lt_str_skip(*rest, n);
	return n >= 3;
}

static bool read_rule(struct lt_str *rest, struct rule *ret)
{
	bool ok;

	*ret = (struct rule){ .kind = 'n', .time_s = 2 * 3600 };
	if (take(rest, 'M')) {
		ret->kind = 'M';
		ok = read_number(rest, 12, &ret->month) && ret->month >= 1 && take(rest, '.') &&
				read_number(rest, 5, &ret->week) && ret->week >= 1 &&
				take(rest, '.') && read_number(rest, 6, &ret->day);
	} else {
		if (take(rest, 'J')) {
			ret->kind = 'J';
		}
		ok = read_number(rest, 366, &ret->day);
	}
	return ok && (!take(rest, '/') || read_time(rest, &ret->time_s));
}

static bool is_leap(int64_t year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Local seconds at which a rule acts in a year. */
static int64_t rule_local(const struct rule *rule, int64_t year)
{
	int64_t first = lt_days_from_date(year, 1, 1), days;

	if (rule->kind == 'J') {
		days = first + rule->day - 1 + (is_leap(year) && rule->day >= 60);
	} else if (rule->kind == 'n') {
		days = first + rule->day;
	} else {
		int64_t next = rule->month == 12 ? lt_days_from_date(year + 1, 1, 1)
						 : lt_days_from_date(year, rule->month + 1, 1);

		first = lt_days_from_date(year, rule->month, 1);
		/* 1970-01-01 was a Thursday */
		days = first + (rule->day - (first % 7 + 11) % 7 + 7) % 7 + 7 * (rule->week - 1);
		while (days >= next) {
			days -= 7;
		}
	}
	return days * DAY_S + rule->time_s;
}

/* Add the changes of the rules that lie behind after_s. */
static bool add_posix(struct lt_zone *zone, struct lt_str text, int64_t after_s, bool is_alone)
{
	struct lt_str rest = text;
	struct rule start, end;
	int32_t standard, summer;

	if (!read_name(&rest) || !read_time(&rest, &standard) || abs(standard) > OFFSET_MAX_S) {
		return false;
	}
	standard = -standard; /* west is positive in it */
	if (is_alone) {
		zone->first_offset_s = standard;
	}
	if (!rest.n) {
		return true;
	}
	summer = standard + 3600;
	if (!read_name(&rest)) {
		return false;
	}
	if (rest.n && rest.p[0] != ',') {
		if (!read_time(&rest, &summer) || abs(summer) > OFFSET_MAX_S) {
			return false;
		}
		summer = -summer;
	}
	if (!rest.n) {
		rest = LT_STR(",M3.2.0,M11.1.0"); /* what systems assume */
	}
	if (!take(&rest, ',') || !read_rule(&rest, &start) || !take(&rest, ',') ||
			!read_rule(&rest, &end) || rest.n) {
		return false;
	}
	for (int64_t year = FIRST_YEAR; year <= LAST_YEAR; year++) {
		int64_t begins = rule_local(&start, year) - standard;
		int64_t ends = rule_local(&end, year) - summer;

		if (begins > after_s) {
			lt_zone_add(zone, begins, summer);
		}
		if (ends > after_s) {
			lt_zone_add(zone, ends, standard);
		}
	}
	lt_zone_sort(zone);
	return true;
}

bool lt_zone_parse_posix(struct lt_str text, struct lt_zone *ret_zone, struct lt_err *err)
{
	struct lt_zone zone = { 0 };
	char quoted[LT_QUOTE_MAX];

	if (!add_posix(&zone, text, INT64_MIN, true)) {
		lt_zone_finish(&zone);
		return lt_err_set(err, LT_E_FORMAT, "no time zone: %s", lt_str_quote(text, quoted));
	}
	*ret_zone = zone;
	return true;
}

/* --- compiled files --- */

static int64_t big_endian(const char *p, size_t bytes)
{
	uint64_t value = (p[0] & 0x80) ? UINT64_MAX : 0;

	for (size_t i = 0; i < bytes; i++) {
		value = value << 8 | (uint8_t)p[i];
	}
	return (int64_t)value;
}

struct counts {
	size_t utc, standard, leap, time, type, chars;
};

#define HEADER_BYTES 44

static bool read_header(struct lt_str bytes, struct counts *ret)
{
	size_t v[6];

	if (bytes.n < HEADER_BYTES || memcmp(bytes.p, "TZif", 4) != 0) {
		return false;
	}
	for (size_t i = 0; i < 6; i++) {
		int64_t value = big_endian(bytes.p + 20 + 4 * i, 4);

		if (value < 0 || value > FILE_MAX_BYTES) {
			return false;
		}
		v[i] = (size_t)value;
	}
	*ret = (struct counts){ v[0], v[1], v[2], v[3], v[4], v[5] };
	return ret->type > 0 && ret->time <= CHANGES_MAX;
}

static size_t block_bytes(const struct counts *counts, size_t time_bytes)
{
	return counts->time * (time_bytes + 1) + counts->type * 6 + counts->chars +
			counts->leap * (time_bytes + 4) + counts->standard + counts->utc;
}

/* One block of times, of 4 or 8 bytes each, behind its header. */
static bool read_block(const struct counts *counts, struct lt_str block, size_t time_bytes,
		struct lt_zone *zone)
{
	const char *indexes = block.p + counts->time * time_bytes;
	const char *types = indexes + counts->time;

	zone->first_offset_s = (int32_t)big_endian(types, 4);
	for (size_t i = 0; i < counts->time; i++) {
		size_t type = (uint8_t)indexes[i];
		int64_t offset;

		if (type >= counts->type) {
			return false;
		}
		offset = big_endian(types + 6 * type, 4);
		if (offset > OFFSET_MAX_S || offset < -OFFSET_MAX_S) {
			return false;
		}
		lt_zone_add(zone, big_endian(block.p + i * time_bytes, time_bytes),
				(int32_t)offset);
	}
	lt_zone_sort(zone);
	return true;
}

static bool read_tzif(struct lt_str bytes, struct lt_zone *zone)
{
	struct counts counts;
	size_t size, time_bytes = 4;

	if (!read_header(bytes, &counts)) {
		return false;
	}
	size = block_bytes(&counts, 4);
	if (bytes.p[4] >= '2') { /* the same once more in 8 bytes */
		if (bytes.n < HEADER_BYTES + size) {
			return false;
		}
		bytes = lt_str_skip(bytes, HEADER_BYTES + size);
		if (!read_header(bytes, &counts)) {
			return false;
		}
		time_bytes = 8;
		size = block_bytes(&counts, 8);
	}
	if (bytes.n < HEADER_BYTES + size ||
			!read_block(&counts, lt_str_skip(bytes, HEADER_BYTES), time_bytes, zone)) {
		return false;
	}
	struct lt_str footer = lt_str_trim(lt_str_skip(bytes, HEADER_BYTES + size));

	return time_bytes == 4 || !footer.n ||
			add_posix(zone, footer,
					zone->n ? zone->changes[zone->n - 1].at_s : INT64_MIN,
					zone->n == 0);
}

bool lt_zone_parse_tzif(struct lt_str bytes, struct lt_zone *ret_zone, struct lt_err *err)
{
	struct lt_zone zone = { 0 };

	if (!read_tzif(bytes, &zone)) {
		lt_zone_finish(&zone);
		return lt_err_set(err, LT_E_FORMAT, "no compiled time zone");
	}
	*ret_zone = zone;
	return true;
}

/* --- by name --- */

/* "Area/Place" that stays within its folder. */
static bool is_name(struct lt_str name)
{
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];

		if (!((c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '_' ||
				    c == '+' || c == '-' || c == '/')) {
			return false;
		}
	}
	return name.n > 0 && name.n <= NAME_MAX_BYTES && name.p[0] != '/' &&
			name.p[name.n - 1] != '/';
}

static bool load_file(const char *path, struct lt_zone *ret_zone, struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf bytes = { 0 };

	return lt_file_read(path, FILE_MAX_BYTES, &bytes, err) &&
			lt_zone_parse_tzif(lt_buf_str(&bytes), ret_zone, err);
}

static bool load_named(const char *dir, struct lt_str name, struct lt_zone *ret_zone)
{
	LT_AUTO(lt_buf_finish) struct lt_buf path = { 0 };
	struct lt_err ignored = { 0 };

	if (!is_name(name)) {
		return false;
	}
	lt_buf_printf(&path, "%s/%.*s", dir ? dir : ZONE_DIR, LT_STR_ARG(name));
	return load_file(path.p, ret_zone, &ignored);
}

bool lt_zone_load(const char *dir, struct lt_str name, struct lt_zone *ret_zone, struct lt_err *err)
{
	struct lt_str rest = name;
	char quoted[LT_QUOTE_MAX];

	if (rest.n && rest.p[0] == ':') {
		rest = lt_str_skip(rest, 1);
	}
	while (rest.p && rest.n <= 2 * NAME_MAX_BYTES) {
		if (load_named(dir, rest, ret_zone)) {
			return true;
		}
		lt_str_split(&rest, '/'); /* the next try is without the first folder */
	}
	return lt_zone_parse_posix(name, ret_zone, NULL) ||
			lt_err_set(err, LT_E_NOT_FOUND, "there is no time zone %s",
					lt_str_quote(name, quoted));
}

void lt_zone_load_local(struct lt_zone *ret_zone)
{
	struct lt_err ignored = { 0 };

	if (!load_file(LOCAL_ZONE, ret_zone, &ignored)) {
		*ret_zone = (struct lt_zone){ 0 };
	}
}
