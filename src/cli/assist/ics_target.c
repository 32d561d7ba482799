#include "cli/assist/ics_target.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "calendar/ics_writer.h"

#define MARK_NAME "X-LIVETIMING-ASSIST"

static const char *mark_of(const struct lt_ical_event *event)
{
	for (size_t i = 0; i < event->x_count; i++) {
		if (strcmp(event->x[i].name, MARK_NAME) == 0) {
			return event->x[i].value;
		}
	}
	return NULL;
}

bool lt_ics_target_read(struct lt_str text, struct lt_assist_entries *ret, struct lt_err *err)
{
	struct lt_ical_list list = { 0 };
	const struct lt_ical_opts opts = { .from_s = 0, .until_s = INT32_MAX * INT64_C(2) };

	*ret = (struct lt_assist_entries){ 0 };
	if (text.n == 0) {
		return true;
	}
	if (!lt_ical_read(text, &opts, &list, err)) {
		return false;
	}
	for (size_t i = 0; i < list.n; i++) {
		const struct lt_ical_event *event = &list.events[i];
		const char *mark = mark_of(event);

		if (mark && !event->is_recurring) {
			struct lt_assist_entry *entry = lt_assist_add(ret, event->uid,
					event->summary, event->start_s, event->end_s);

			memset(entry->mark, 0, sizeof(entry->mark));
			memcpy(entry->mark, mark, strnlen(mark, LT_MARK_TEXT - 1));
		}
	}
	lt_ical_list_finish(&list);
	return true;
}

/* --- writing --- */

static bool is_line(struct lt_str line, const char *wanted)
{
	if (line.n > 0 && line.p[line.n - 1] == '\r') {
		line.n--;
	}
	return line.n == strlen(wanted) && strncasecmp(line.p, wanted, line.n) == 0;
}

/* Is this VEVENT of ours to be written anew, or to go? Our ids are never folded, being short. */
static bool is_outdated(struct lt_str block, const struct lt_assist_plan *plan)
{
	for (size_t i = 0; i < plan->n; i++) {
		const struct lt_assist_action *action = &plan->at[i];
		char uid[LT_ENTRY_ID_TEXT + 8];

		if (action->step != LT_ASSIST_CHANGE && action->step != LT_ASSIST_REMOVE) {
			continue;
		}
		snprintf(uid, sizeof(uid), "\nUID:%s", action->old->id);
		if (memmem(block.p, block.n, uid, strlen(uid))) {
			return true;
		}
	}
	return false;
}

/* Copy what stays, up to the end of the calendar; the rest is returned. */
static struct lt_str copy_rest(
		struct lt_buf *buf, struct lt_str text, const struct lt_assist_plan *plan)
{
	const char *event = NULL;

	while (text.n > 0) {
		const char *end = memchr(text.p, '\n', text.n);
		size_t n = end ? (size_t)(end - text.p) + 1 : text.n;
		struct lt_str line = { text.p, end ? n - 1 : n };

		if (!event && is_line(line, "END:VCALENDAR")) {
			break;
		}
		if (!event && is_line(line, "BEGIN:VEVENT")) {
			event = text.p;
		}
		if (!event) {
			lt_buf_add(buf, text.p, n);
		} else if (is_line(line, "END:VEVENT")) {
			struct lt_str block = { event, (size_t)(text.p + n - event) };

			if (!is_outdated(block, plan)) {
				lt_buf_add_str(buf, block);
			}
			event = NULL;
		}
		text = lt_str_skip(text, n);
	}
	return text;
}

/* The events of the writer alone, without the calendar around them. */
static void add_events(struct lt_buf *buf, const struct lt_buf *calendar)
{
	const char *from = strstr(calendar->p, "BEGIN:VEVENT"),
		   *to = strstr(calendar->p, "END:VCALENDAR");

	if (from && to) {
		lt_buf_add(buf, from, (size_t)(to - from));
	}
}

static void add_entry(struct lt_buf *buf, const struct lt_assist_entry *entry, int64_t now_s)
{
	char id[LT_ENTRY_ID_TEXT], mark[LT_MARK_TEXT], mark_name[] = MARK_NAME;
	LT_AUTO(lt_buf_finish) struct lt_buf calendar = { 0 };
	struct lt_ical_x x = { .name = mark_name, .value = mark };
	const struct lt_ical_event event = { .uid = id,
		.summary = entry->title,
		.start_s = entry->start_s,
		.end_s = entry->end_s,
		.has_end = true,
		.x = &x,
		.x_count = 1 };

	memcpy(id, entry->id, sizeof(id));
	memcpy(mark, entry->mark, sizeof(mark));
	lt_ics_write(&calendar, &event, 1, &(struct lt_ics_opts){ .stamp_s = now_s });
	add_events(buf, &calendar);
}

void lt_ics_target_write(struct lt_buf *buf, struct lt_str text, const struct lt_assist_plan *plan,
		int64_t now_s)
{
	struct lt_str rest = { 0 };

	if (text.n == 0) {
		lt_buf_add_c(buf,
				"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n"
				"PRODID:-//livetimingd//schedule assist//EN\r\n"
				"X-WR-CALNAME:Live timing schedule\r\n");
	} else {
		rest = copy_rest(buf, text, plan);
	}
	for (size_t i = 0; i < plan->n; i++) {
		if (plan->at[i].step == LT_ASSIST_ADD || plan->at[i].step == LT_ASSIST_CHANGE) {
			add_entry(buf, plan->at[i].wanted, now_s);
		}
	}
	if (rest.n > 0) {
		lt_buf_add_str(buf, rest);
	} else {
		lt_buf_add_c(buf, "END:VCALENDAR\r\n");
	}
}
