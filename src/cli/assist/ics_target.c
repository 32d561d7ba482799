#include "cli/assist/ics_target.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "calendar/ics_writer.h"

#define MARK_NAME   "X-LIVETIMING-ASSIST"
#define SOURCE_NAME "X-LIVETIMING-SOURCE"

/* --- lines of a file --- */

/* The next line with its end. */
static struct lt_str next_line(struct lt_str *text)
{
	const char *end = memchr(text->p, '\n', text->n);
	struct lt_str line = { text->p, end ? (size_t)(end - text->p) + 1 : text->n };

	*text = lt_str_skip(*text, line.n);
	return line;
}

static bool is_line(struct lt_str line, const char *wanted)
{
	line = lt_str_trim(line);
	return line.n == strlen(wanted) && strncasecmp(line.p, wanted, line.n) == 0;
}

static bool has_name(struct lt_str line, const char *name)
{
	size_t n = strlen(name);

	return line.n > n && (line.p[n] == ':' || line.p[n] == ';') &&
			strncasecmp(line.p, name, n) == 0;
}

static bool is_begin(struct lt_str line)
{
	return has_name(line, "BEGIN");
}

/* It goes on with the line before. */
static bool is_folded(struct lt_str line)
{
	return line.p[0] == ' ' || line.p[0] == '\t';
}

/* Where the scan of a file is. */
struct shape {
	int depth;         /* of components; an event is the second */
	bool in_event;     /* the second is one */
	bool is_delimiter; /* the line before began or ended something */
};

static const char *enter(struct shape *shape, struct lt_str line)
{
	bool is_event = is_line(line, "BEGIN:VEVENT");

	if ((is_event && shape->depth != 1) ||
			is_line(line, "BEGIN:VCALENDAR") != (shape->depth == 0)) {
		return "what begins before it has no end";
	}
	shape->in_event = shape->in_event || is_event;
	shape->depth++;
	return NULL;
}

static const char *leave(struct shape *shape, struct lt_str line)
{
	bool ends_event = shape->in_event && shape->depth == 2;

	if (shape->depth == 0 || is_line(line, "END:VEVENT") != ends_event ||
			is_line(line, "END:VCALENDAR") != (shape->depth == 1)) {
		return "it ends something else than what began";
	}
	shape->in_event = shape->in_event && !ends_event;
	shape->depth--;
	return NULL;
}

/* NULL, or what makes it unwise to write the file. */
static const char *next_shape(struct shape *shape, struct lt_str line)
{
	bool begins = is_begin(line), ends = has_name(line, "END");

	if (shape->is_delimiter && is_folded(line)) {
		return "it begins or ends something over two lines";
	}
	shape->is_delimiter = begins || ends;
	return begins ? enter(shape, line) : ends ? leave(shape, line) : NULL;
}

/*
 * The last END:VCALENDAR, before which new entries go. NULL: the text is broken
 * in a way in which events of others could be lost.
 */
static const char *find_end(struct lt_str text, struct lt_err *err)
{
	struct shape shape = { 0 };
	const char *end = NULL, *flaw = NULL;
	int number = 0;

	while (text.n > 0 && !flaw) {
		struct lt_str line = next_line(&text);

		number++;
		flaw = next_shape(&shape, line);
		if (is_line(line, "END:VCALENDAR")) {
			end = line.p;
		}
	}
	if (flaw) {
		lt_err_set(err, LT_E_FORMAT, "line %d: %s", number, flaw);
		return NULL;
	}
	if (!end || shape.depth > 0) {
		lt_err_set(err, LT_E_FORMAT, "it breaks off");
		return NULL;
	}
	return end;
}

/* --- reading --- */

static void read_x(const struct lt_ical_event *event, const char *name, char text[LT_MARK_TEXT])
{
	for (size_t i = 0; i < event->x_count; i++) {
		if (strcmp(event->x[i].name, name) == 0) {
			memcpy(text, event->x[i].value,
					strnlen(event->x[i].value, LT_MARK_TEXT - 1));
		}
	}
}

static void read_event(const struct lt_ical_event *event, struct lt_assist_entries *entries)
{
	struct lt_assist_entry *entry;

	/* of one that repeats the first occurrence stands for all */
	if (!lt_assist_is_id(lt_str_from(event->uid)) || lt_assist_find(entries, event->uid)) {
		return;
	}
	entry = lt_assist_add(entries, event->uid, event->summary, event->start_s, event->end_s);
	memset(entry->mark, 0, sizeof(entry->mark));
	read_x(event, MARK_NAME, entry->mark);
	read_x(event, SOURCE_NAME, entry->source);
	entry->is_touched = event->is_recurring || event->is_cancelled;
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
	if (!find_end(text, err)) {
		lt_ical_list_finish(&list);
		return false;
	}
	for (size_t i = 0; i < list.n; i++) {
		read_event(&list.events[i], ret);
	}
	lt_ical_list_finish(&list);
	return true;
}

/* --- an entry --- */

/* The entry as the writer has it, from BEGIN:VEVENT up to, not with, END:VEVENT. */
static void add_written(struct lt_buf *buf, const struct lt_assist_entry *entry, int64_t now_s)
{
	char id[LT_ENTRY_ID_TEXT], mark[LT_MARK_TEXT], source[LT_MARK_TEXT];
	char mark_name[] = MARK_NAME, source_name[] = SOURCE_NAME;
	LT_AUTO(lt_buf_finish) struct lt_buf calendar = { 0 };
	struct lt_ical_x x[] = { { mark_name, mark }, { source_name, source } };
	const struct lt_ical_event event = { .uid = id,
		.summary = entry->title,
		.start_s = entry->start_s,
		.end_s = entry->end_s,
		.has_end = true,
		.x = x,
		.x_count = LT_ARRAY_LEN(x) };

	memcpy(id, entry->id, sizeof(id));
	memcpy(mark, entry->mark, sizeof(mark));
	memcpy(source, entry->source, sizeof(source));
	lt_ics_write(&calendar, &event, 1, &(struct lt_ics_opts){ .stamp_s = now_s });
	const char *from = strstr(calendar.p, "BEGIN:VEVENT"),
		   *to = strstr(calendar.p, "END:VEVENT\r\n");

	if (from && to) {
		lt_buf_add(buf, from, (size_t)(to - from));
	}
}

static void add_entry(struct lt_buf *buf, const struct lt_assist_entry *entry, int64_t now_s)
{
	add_written(buf, entry, now_s);
	lt_buf_add_c(buf, "END:VEVENT\r\n");
}

/* --- what stands in a file --- */

/* Properties that are written anew. */
static bool is_ours(struct lt_str line)
{
	static const char *const names[] = { "UID", "DTSTAMP", "DTSTART", "DTEND", "DURATION",
		"SUMMARY", "STATUS", MARK_NAME, SOURCE_NAME };

	for (size_t i = 0; i < LT_ARRAY_LEN(names); i++) {
		if (has_name(line, names[i])) {
			return true;
		}
	}
	return false;
}

/* What stands in a VEVENT besides what is written anew; alarms whole. */
static void copy_additions(struct lt_buf *buf, struct lt_str block)
{
	int depth = 0;
	bool keeps = false;

	while (block.n > 0) {
		struct lt_str line = next_line(&block);

		if (is_begin(line)) {
			depth++;
			keeps = depth > 1;
		} else if (has_name(line, "END")) {
			keeps = depth > 1;
			depth--;
		} else if (!is_folded(line)) {
			keeps = depth > 1 || !is_ours(line);
		}
		if (keeps) {
			lt_buf_add_str(buf, line);
		}
	}
}

/* UID of a VEVENT, not of an alarm in it. Our ids are never folded, being short. */
static struct lt_str uid_of(struct lt_str block)
{
	int depth = 0;

	while (block.n > 0) {
		struct lt_str line = next_line(&block);

		if (is_begin(line)) {
			depth++;
		} else if (has_name(line, "END")) {
			depth--;
		} else if (depth == 1 && has_name(line, "UID")) {
			const char *colon = memchr(line.p, ':', line.n);

			return colon ? lt_str_trim(lt_str_skip(line, (size_t)(colon + 1 - line.p)))
				     : LT_STR("");
		}
	}
	return LT_STR("");
}

/* --- the file --- */

struct writing {
	struct lt_buf *buf;
	const struct lt_assist_plan *plan;
	int64_t now_s;
	bool *is_done; /* of each action */
};

/* Write a VEVENT anew, leave it out, or copy it. */
static void write_block(const struct writing *writing, struct lt_str block)
{
	const struct lt_assist_plan *plan = writing->plan;
	struct lt_str uid = uid_of(block);

	for (size_t i = 0; lt_assist_is_id(uid) && i < plan->n; i++) {
		const struct lt_assist_action *action = &plan->at[i];
		const struct lt_assist_entry *entry = action->wanted ? action->wanted : action->old;

		if (action->step > LT_ASSIST_REMOVE || !lt_str_eq_c(uid, entry->id)) {
			continue;
		}
		if (action->step != LT_ASSIST_REMOVE && !writing->is_done[i]) {
			add_written(writing->buf, entry, writing->now_s);
			copy_additions(writing->buf, block);
			lt_buf_add_c(writing->buf, "END:VEVENT\r\n");
		}
		writing->is_done[i] = true;
		return;
	}
	lt_buf_add_str(writing->buf, block);
}

static void write_known(const struct writing *writing, struct lt_str text)
{
	const char *event = NULL;

	while (text.n > 0) {
		struct lt_str line = next_line(&text);

		if (!event && is_line(line, "BEGIN:VEVENT")) {
			event = line.p;
		}
		if (!event) {
			lt_buf_add_str(writing->buf, line);
		} else if (is_line(line, "END:VEVENT")) {
			write_block(writing, (struct lt_str){ event, (size_t)(text.p - event) });
			event = NULL;
		}
	}
}

void lt_ics_target_write(struct lt_buf *buf, struct lt_str text, const struct lt_assist_plan *plan,
		int64_t now_s)
{
	const char *end = find_end(text, NULL);
	const struct writing writing = { buf, plan, now_s,
		lt_calloc(plan->n + 1, sizeof(*writing.is_done)) };

	if (!end) {
		lt_buf_add_c(buf,
				"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n"
				"PRODID:-//livetimingd//schedule assist//EN\r\n"
				"X-WR-CALNAME:Live timing schedule\r\n");
	} else {
		write_known(&writing, (struct lt_str){ text.p, (size_t)(end - text.p) });
	}
	for (size_t i = 0; i < plan->n; i++) {
		if (plan->at[i].step <= LT_ASSIST_CHANGE && !writing.is_done[i]) {
			add_entry(buf, plan->at[i].wanted, now_s);
		}
	}
	if (end) {
		lt_buf_add_str(buf, lt_str_skip(text, (size_t)(end - text.p)));
	} else {
		lt_buf_add_c(buf, "END:VCALENDAR\r\n");
	}
	lt_free(writing.is_done);
}
