#include "calendar/ics_writer.h"

#include <inttypes.h>
#include <stdio.h>

#include "calendar/zone.h"

#define LINE_BYTES 75
#define DAY_S      86400
#define TIME_TEXT  48

/* Append a content line, folded, never within a character. */
static void add_line(struct lt_buf *buf, struct lt_str line)
{
	size_t room = LINE_BYTES, length;
	uint32_t ignored;

	while (line.n) {
		length = lt_utf8_next(line, &ignored);
		if (length > room) {
			lt_buf_add_c(buf, "\r\n ");
			room = LINE_BYTES - 1;
		}
		lt_buf_add(buf, line.p, length);
		line = lt_str_skip(line, length);
		room -= length;
	}
	lt_buf_add_c(buf, "\r\n");
}

static void add_escaped(struct lt_buf *buf, struct lt_str text)
{
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (c == '\n') {
			lt_buf_add_c(buf, "\\n");
		} else if (c == '\\' || c == ';' || c == ',') {
			lt_buf_add_char(buf, '\\');
			lt_buf_add_char(buf, c);
		} else if ((unsigned char)c >= ' ' || c == '\t') { /* no other control bytes */
			lt_buf_add_char(buf, c);
		}
	}
}

/* A property of text; nothing for a missing one. */
static void add_text(struct lt_buf *buf, const char *name, const char *text)
{
	LT_AUTO(lt_buf_finish) struct lt_buf line = { 0 };

	if (text && *text) {
		lt_buf_printf(&line, "%s:", name);
		add_escaped(&line, lt_str_from(text));
		add_line(buf, lt_buf_str(&line));
	}
}

static const char *format_time(int64_t time_s, char text[TIME_TEXT])
{
	int64_t days = time_s / DAY_S - (time_s % DAY_S < 0);
	int rest = (int)(time_s - days * DAY_S), month, day;
	int64_t year;

	lt_date_from_days(days, &year, &month, &day);
	snprintf(text, TIME_TEXT, "%04" PRId64 "%02d%02dT%02d%02d%02dZ", year, month, day,
			rest / 3600, rest / 60 % 60, rest % 60);
	return text;
}

static void add_time(struct lt_buf *buf, const char *name, int64_t time_s)
{
	char text[TIME_TEXT];

	lt_buf_printf(buf, "%s:%s\r\n", name, format_time(time_s, text));
}

static void add_times(struct lt_buf *buf, const struct lt_ical_event *event)
{
	if (event->is_recurring && event->start_date) {
		/* a whole day that was moved keeps its own date: its rule's is not known here */
		lt_buf_printf(buf, "RECURRENCE-ID;VALUE=DATE:%08d\r\n", (int)event->start_date);
	} else if (event->is_recurring) {
		add_time(buf, "RECURRENCE-ID", event->recurrence_s);
	}
	if (event->start_date) {
		lt_buf_printf(buf, "DTSTART;VALUE=DATE:%08d\r\nDTEND;VALUE=DATE:%08d\r\n",
				(int)event->start_date, (int)event->end_date);
		return;
	}
	add_time(buf, "DTSTART", event->start_s);
	if (event->end_s > event->start_s) { /* else the event has no duration */
		add_time(buf, "DTEND", event->end_s);
	}
}

static void add_categories(struct lt_buf *buf, const struct lt_ical_event *event)
{
	LT_AUTO(lt_buf_finish) struct lt_buf line = { 0 };

	for (size_t i = 0; i < event->category_count; i++) {
		lt_buf_add_c(&line, i == 0 ? "CATEGORIES:" : ",");
		add_escaped(&line, lt_str_from(event->categories[i]));
	}
	if (line.n) {
		add_line(buf, lt_buf_str(&line));
	}
}

/* "X-" and letters, digits and dashes: nothing else is a name. */
static bool is_x_name(const char *name)
{
	if (!lt_str_starts(lt_str_from(name), LT_STR("X-")) || strlen(name) > 60) {
		return false;
	}
	for (; *name; name++) {
		if (!((*name | 32) >= 'a' && (*name | 32) <= 'z') &&
				!(*name >= '0' && *name <= '9') && *name != '-') {
			return false;
		}
	}
	return true;
}

static void add_event(struct lt_buf *buf, const struct lt_ical_event *event, int64_t stamp_s)
{
	lt_buf_add_c(buf, "BEGIN:VEVENT\r\n");
	add_text(buf, "UID", event->uid);
	add_time(buf, "DTSTAMP", stamp_s);
	add_times(buf, event);
	if (event->sequence > 0) {
		lt_buf_printf(buf, "SEQUENCE:%" PRId64 "\r\n", event->sequence);
	}
	if (event->is_cancelled) {
		lt_buf_add_c(buf, "STATUS:CANCELLED\r\n");
	}
	add_text(buf, "SUMMARY", event->summary);
	add_text(buf, "DESCRIPTION", event->description);
	add_text(buf, "LOCATION", event->location);
	if (event->url && *event->url && !strpbrk(event->url, "\r\n")) {
		LT_AUTO(lt_buf_finish) struct lt_buf line = { 0 };

		lt_buf_printf(&line, "URL:%s", event->url); /* a URI is not escaped */
		add_line(buf, lt_buf_str(&line));
	}
	add_categories(buf, event);
	for (size_t i = 0; i < event->x_count; i++) {
		if (is_x_name(event->x[i].name)) {
			add_text(buf, event->x[i].name, event->x[i].value);
		}
	}
	lt_buf_add_c(buf, "END:VEVENT\r\n");
}

void lt_ics_write(struct lt_buf *buf, const struct lt_ical_event *events, size_t n,
		const struct lt_ics_opts *opts)
{
	lt_buf_add_c(buf,
			"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//livetimingd//" LT_VERSION
			"//EN\r\nCALSCALE:GREGORIAN\r\n");
	add_text(buf, "X-WR-CALNAME", opts->name);
	for (size_t i = 0; i < n; i++) {
		add_event(buf, &events[i], opts->stamp_s);
	}
	lt_buf_add_c(buf, "END:VCALENDAR\r\n");
}
