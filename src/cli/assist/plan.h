/*
 * Correlation of `schedule assist`: entries that should be in the schedule
 * against those that an earlier run put there. Pure.
 *
 * An entry belongs to one occurrence of a source event: its id is made of the
 * source's UID and where its rule puts it, so a second run finds it again
 * whatever was renamed or moved. What was written is remembered in a mark with
 * the entry; when title or times no longer fit the mark, somebody edited it by
 * hand: it is left alone and named. Entries also say which source they are
 * from: those of another are not missed.
 */
#ifndef LT_CLI_ASSIST_PLAN_H
#define LT_CLI_ASSIST_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/service_args.h"
#include "base/str.h"

/* "lt", 16 hexadecimal digits of the source's UID, 16 of the occurrence, terminator. */
#define LT_ENTRY_ID_TEXT   35
#define LT_ENTRY_ID_SERIES 18 /* bytes that all occurrences of a UID share */
#define LT_MARK_TEXT       17

/* Texts are owned. */
struct lt_assist_entry {
	char id[LT_ENTRY_ID_TEXT];
	char *title;               /* "Name [service, arguments]" */
	int64_t start_s, end_s;    /* unix time */
	char mark[LT_MARK_TEXT];   /* of what was written; "" when nobody knows */
	char source[LT_MARK_TEXT]; /* lt_assist_source; "" when nobody knows */
	bool is_touched;           /* by hand, in a way that title and times do not show */
};

struct lt_assist_entries {
	struct lt_assist_entry *at;
	size_t n;
};

void lt_assist_entry_id(const char *source_uid, int64_t recurrence_s, char id[LT_ENTRY_ID_TEXT]);
/* Has the text the form of our ids? Whatever else is somebody else's event. */
bool lt_assist_is_id(struct lt_str text);
void lt_assist_mark(const char *title, int64_t start_s, int64_t end_s, char mark[LT_MARK_TEXT]);
/* Short form of a source's address, which may be secret. */
void lt_assist_source(const char *address, char source[LT_MARK_TEXT]);

/* A new entry at the end, with its mark, of no source; title is copied. */
struct lt_assist_entry *lt_assist_add(struct lt_assist_entries *entries, const char *id,
		const char *title, int64_t start_s, int64_t end_s);
const struct lt_assist_entry *lt_assist_find(
		const struct lt_assist_entries *entries, const char *id);
void lt_assist_entries_finish(struct lt_assist_entries *entries);

enum lt_assist_step {
	LT_ASSIST_ADD,
	LT_ASSIST_CHANGE,
	LT_ASSIST_REMOVE, /* its source has gone, before it began */
	LT_ASSIST_KEEP,
	LT_ASSIST_EDITED, /* by hand: what the source says now is not written */
};

/* Entries are borrowed from the two lists. */
struct lt_assist_action {
	enum lt_assist_step step;
	const struct lt_assist_entry *old, *wanted; /* NULL: none */
};

struct lt_assist_plan {
	struct lt_assist_action *at;
	size_t n;
};

struct lt_assist_plan_opts {
	const struct lt_assist_entries *old, *wanted;
	/* Source events of which nothing is known this time: their entries stay. Ids, or the
	 * beginnings of ids that all occurrences of one share. */
	const struct lt_args *held;
	const char *source; /* of this run; entries of others are not missed */
	int64_t now_s;      /* what has begun is not removed */
};

void lt_assist_plan(const struct lt_assist_plan_opts *opts, struct lt_assist_plan *ret_plan);
void lt_assist_plan_finish(struct lt_assist_plan *plan);

#endif
