#include "calendar/ical_parts.h"

#include <strings.h>

#include "base/alloc.h"

#define PARTS_MAX      20000
#define PART_MAX_BYTES (256 * 1024)
#define LINE_MAX_BYTES (128 * 1024)
#define DEPTH_MAX      8

struct reader {
	struct lt_str rest;
	struct lt_buf line; /* the line at hand, unfolded */
	bool is_too_long;   /* it was cut */
	struct lt_ical_parts *parts;
	struct lt_ical_part *part; /* the component at hand; NULL: none */
	int depth;                 /* components open, the calendar is the first */
	int part_depth;            /* depth within the component at hand */
	bool seen_calendar, is_closed;
};

/* --- lines --- */

static void add_limited(struct reader *reader, struct lt_str bytes)
{
	if (reader->line.n + bytes.n > LINE_MAX_BYTES) {
		reader->is_too_long = true;
		return;
	}
	lt_buf_add_str(&reader->line, bytes);
}

/* The next line of the text with those that continue it; false at the end. */
static bool next_line(struct reader *reader)
{
	lt_buf_clear(&reader->line);
	reader->is_too_long = false;
	if (!reader->rest.p) {
		return false;
	}
	do {
		struct lt_str line = lt_str_split(&reader->rest, '\n');

		if (line.n && line.p[line.n - 1] == '\r') {
			line.n--;
		}
		add_limited(reader, line);
		if (!reader->rest.n || (reader->rest.p[0] != ' ' && reader->rest.p[0] != '\t')) {
			break;
		}
		reader->rest = lt_str_skip(reader->rest, 1);
	} while (true);
	return true;
}

/* Does the line have this name? *ret_value is what follows the first colon outside quotes. */
static bool is_property(struct lt_str line, const char *name, struct lt_str *ret_value)
{
	size_t n = strlen(name);
	bool quoted = false;

	if (line.n <= n || strncasecmp(line.p, name, n) != 0 ||
			(line.p[n] != ':' && line.p[n] != ';')) {
		return false;
	}
	for (size_t i = n; i < line.n; i++) {
		if (line.p[i] == '"') {
			quoted = !quoted;
		} else if (line.p[i] == ':' && !quoted) {
			*ret_value = lt_str_skip(line, i + 1);
			return true;
		}
	}
	return false;
}

static bool is_word(struct lt_str value, const char *word)
{
	value = lt_str_trim(value);
	return value.n == strlen(word) && strncasecmp(value.p, word, value.n) == 0;
}

/*
 * A title typed with a lone backslash, by a program that does not escape:
 * libical would drop it, and with it what holds an argument together.
 */
static void add_summary(struct lt_buf *text, struct lt_str line, struct lt_str value)
{
	lt_buf_add(text, line.p, line.n - value.n);
	for (size_t i = 0; i < value.n; i++) {
		char next = i + 1 < value.n ? value.p[i + 1] : '\0';

		lt_buf_add_char(text, value.p[i]);
		if (value.p[i] != '\\') {
			continue;
		}
		if (next != '\0' && strchr("\\;,nN", next)) {
			lt_buf_add_char(text, next);
			i++;
		} else {
			lt_buf_add_char(text, '\\');
		}
	}
}

static void add_line(struct reader *reader, struct lt_str line)
{
	struct lt_ical_part *part = reader->part;
	struct lt_str value;

	if (reader->is_too_long || part->text.n + line.n > PART_MAX_BYTES) {
		part->flaw = "a property or the whole of it is too long";
		return;
	}
	if (is_property(line, "SUMMARY", &value)) {
		add_summary(&part->text, line, value);
	} else {
		lt_buf_add_str(&part->text, line);
		if (line.n > 1 && line.p[0] == 'x' && line.p[1] == '-') {
			part->text.p[part->text.n - line.n] = 'X'; /* libical knows no other */
		}
	}
	lt_buf_add_c(&part->text, "\r\n");
}

/* --- components --- */

static bool begin_part(struct reader *reader, bool is_zone, struct lt_err *err)
{
	struct lt_ical_parts *parts = reader->parts;

	if (parts->n == PARTS_MAX) {
		return lt_err_set(err, LT_E_LIMIT, "more than %d components", PARTS_MAX);
	}
	if (parts->n == parts->capacity) {
		parts->capacity = parts->capacity ? parts->capacity * 2 : 64;
		parts->v = lt_reallocarray(parts->v, parts->capacity, sizeof(*parts->v));
	}
	reader->part = &parts->v[parts->n++];
	*reader->part = (struct lt_ical_part){ .is_zone = is_zone };
	reader->part_depth = 1;
	lt_buf_add_c(&reader->part->text, is_zone ? "BEGIN:VTIMEZONE\r\n" : "BEGIN:VEVENT\r\n");
	return true;
}

static void end_part(struct reader *reader)
{
	struct lt_ical_part *part = reader->part;

	lt_buf_add_c(&part->text, part->is_zone ? "END:VTIMEZONE\r\n" : "END:VEVENT\r\n");
	reader->part = NULL;
	reader->part_depth = 0;
}

static bool on_begin(struct reader *reader, struct lt_str value, struct lt_err *err)
{
	bool is_event = is_word(value, "VEVENT");

	if (is_word(value, "VCALENDAR")) {
		reader->seen_calendar = true;
		reader->is_closed = false;
		reader->depth = 1;
		return true;
	}
	if (reader->part && is_event) { /* the one before was never closed */
		reader->part->flaw = "it has no END";
		end_part(reader);
		reader->depth = 1;
	}
	if (++reader->depth > DEPTH_MAX) {
		return lt_err_set(err, LT_E_FORMAT, "components are nested more than %d deep",
				DEPTH_MAX);
	}
	if (reader->part) {
		reader->part_depth++;
		if (reader->part->is_zone) {
			add_line(reader, lt_buf_str(&reader->line));
		}
		return true;
	}
	return reader->depth != 2 || (!is_event && !is_word(value, "VTIMEZONE")) ||
			begin_part(reader, !is_event, err);
}

static void on_end(struct reader *reader, struct lt_str value)
{
	if (is_word(value, "VCALENDAR")) {
		if (reader->part) {
			reader->part->flaw = "it has no END";
			end_part(reader);
		}
		reader->depth = 0;
		reader->is_closed = true;
		return;
	}
	if (reader->depth > 0) {
		reader->depth--;
	}
	if (!reader->part) {
		return;
	}
	if (reader->part_depth > 1 && reader->part->is_zone) {
		add_line(reader, lt_buf_str(&reader->line));
	}
	if (--reader->part_depth == 0) {
		if (!is_word(value, reader->part->is_zone ? "VTIMEZONE" : "VEVENT")) {
			reader->part->flaw = "its END is that of another component";
		}
		end_part(reader);
	}
}

static void keep_text(char **slot, struct lt_str value)
{
	value = lt_str_trim(value);
	if (!*slot && value.n) {
		*slot = lt_str_dup(value);
	}
}

static bool on_line(struct reader *reader, struct lt_err *err)
{
	struct lt_str line = lt_buf_str(&reader->line), value;

	if (is_property(line, "BEGIN", &value)) {
		return on_begin(reader, value, err);
	}
	if (is_property(line, "END", &value)) {
		on_end(reader, value);
	} else if (reader->part) {
		/* alarms and the like in an event are left out */
		if (line.n && (reader->part->is_zone || reader->part_depth == 1)) {
			add_line(reader, line);
		}
	} else if (reader->depth == 1 && is_property(line, "X-WR-TIMEZONE", &value)) {
		keep_text(&reader->parts->zone, value);
	} else if (reader->depth == 1 && is_property(line, "X-WR-CALNAME", &value)) {
		keep_text(&reader->parts->name, value);
	}
	return true;
}

bool lt_ical_parts_read(struct lt_str text, struct lt_ical_parts *ret_parts, struct lt_err *err)
{
	struct lt_ical_parts parts = { 0 };
	struct reader reader = { .rest = text, .parts = &parts };
	bool ok = true;

	if (lt_str_starts(text, LT_STR("\xEF\xBB\xBF"))) {
		reader.rest = lt_str_skip(text, 3);
	}
	while (ok && next_line(&reader)) {
		ok = on_line(&reader, err);
	}
	lt_buf_finish(&reader.line);
	if (ok && !reader.seen_calendar) {
		ok = lt_err_set(err, LT_E_FORMAT, "no BEGIN:VCALENDAR: not an iCalendar text");
	} else if (ok && !reader.is_closed) {
		ok = lt_err_set(err, LT_E_FORMAT, "no END:VCALENDAR: the text breaks off");
	}
	if (!ok) {
		lt_ical_parts_finish(&parts);
		return false;
	}
	*ret_parts = parts;
	return true;
}

void lt_ical_parts_finish(struct lt_ical_parts *parts)
{
	for (size_t i = 0; i < parts->n; i++) {
		lt_buf_finish(&parts->v[i].text);
	}
	lt_free(parts->v);
	lt_free(parts->name);
	lt_free(parts->zone);
	*parts = (struct lt_ical_parts){ 0 };
}
