#include "cli/assist/plan.h"

#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/crypto.h"

static void hash_text(const struct lt_buf *text, char *ret_hex, size_t digits)
{
	LT_AUTO(lt_buf_finish) struct lt_buf hex = { 0 };
	uint8_t digest[LT_SHA256_BYTES];

	lt_sha256(lt_buf_str(text), digest);
	lt_hex_encode(&hex, digest, sizeof(digest));
	memcpy(ret_hex, hex.p, digits);
	ret_hex[digits] = '\0';
}

void lt_assist_entry_id(const char *source_uid, int64_t recurrence_s, char id[LT_ENTRY_ID_TEXT])
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

	lt_buf_add_c(&text, source_uid);
	id[0] = 'l';
	id[1] = 't';
	hash_text(&text, id + 2, LT_ENTRY_ID_SERIES - 2);
	lt_buf_printf(&text, "\n%" PRId64, recurrence_s);
	hash_text(&text, id + LT_ENTRY_ID_SERIES, LT_ENTRY_ID_TEXT - 1 - LT_ENTRY_ID_SERIES);
}

bool lt_assist_is_id(struct lt_str text)
{
	if (text.n != LT_ENTRY_ID_TEXT - 1 || !lt_str_starts(text, LT_STR("lt"))) {
		return false;
	}
	for (size_t i = 2; i < text.n; i++) {
		char c = text.p[i];

		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) {
			return false;
		}
	}
	return true;
}

void lt_assist_source(const char *address, char source[LT_MARK_TEXT])
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

	lt_buf_add_c(&text, address);
	hash_text(&text, source, LT_MARK_TEXT - 1);
}

void lt_assist_mark(const char *title, int64_t start_s, int64_t end_s, char mark[LT_MARK_TEXT])
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

	lt_buf_printf(&text, "%" PRId64 " %" PRId64 " %s", start_s, end_s, title);
	hash_text(&text, mark, LT_MARK_TEXT - 1);
}

struct lt_assist_entry *lt_assist_add(struct lt_assist_entries *entries, const char *id,
		const char *title, int64_t start_s, int64_t end_s)
{
	struct lt_assist_entry *entry;

	entries->at = lt_reallocarray(entries->at, entries->n + 1, sizeof(*entries->at));
	entry = &entries->at[entries->n++];
	*entry = (struct lt_assist_entry){
		.title = lt_strdup(title), .start_s = start_s, .end_s = end_s
	};
	memcpy(entry->id, id, strnlen(id, LT_ENTRY_ID_TEXT - 1));
	lt_assist_mark(title, start_s, end_s, entry->mark);
	return entry;
}

const struct lt_assist_entry *lt_assist_find(
		const struct lt_assist_entries *entries, const char *id)
{
	for (size_t i = 0; i < entries->n; i++) {
		if (strcmp(entries->at[i].id, id) == 0) {
			return &entries->at[i];
		}
	}
	return NULL;
}

void lt_assist_entries_finish(struct lt_assist_entries *entries)
{
	for (size_t i = 0; i < entries->n; i++) {
		lt_free(entries->at[i].title);
	}
	lt_free(entries->at);
	*entries = (struct lt_assist_entries){ 0 };
}

static void add_action(struct lt_assist_plan *plan, enum lt_assist_step step,
		const struct lt_assist_entry *old, const struct lt_assist_entry *wanted)
{
	plan->at = lt_reallocarray(plan->at, plan->n + 1, sizeof(*plan->at));
	plan->at[plan->n++] = (struct lt_assist_action){ step, old, wanted };
}

static bool is_edited(const struct lt_assist_entry *entry)
{
	char mark[LT_MARK_TEXT];

	lt_assist_mark(entry->title, entry->start_s, entry->end_s, mark);
	return entry->is_touched || strcmp(mark, entry->mark) != 0;
}

static enum lt_assist_step step_for(
		const struct lt_assist_entry *old, const struct lt_assist_entry *wanted)
{
	bool is_same = old->start_s == wanted->start_s && old->end_s == wanted->end_s &&
			strcmp(old->title, wanted->title) == 0;

	if (!is_edited(old)) {
		/* one of another source is taken over, or nobody would ever miss it */
		return is_same && strcmp(old->source, wanted->source) == 0 ? LT_ASSIST_KEEP
									   : LT_ASSIST_CHANGE;
	}
	/* What was written last is what the source still says: only the edit differs. */
	return is_same || strcmp(old->mark, wanted->mark) == 0 ? LT_ASSIST_KEEP : LT_ASSIST_EDITED;
}

static bool is_held(const struct lt_args *held, const char *id)
{
	for (size_t i = 0; held && i < held->n; i++) {
		if (strncmp(id, held->v[i], strlen(held->v[i])) == 0) {
			return true;
		}
	}
	return false;
}

/* For an entry that nobody wants any more. */
static enum lt_assist_step step_without(
		const struct lt_assist_plan_opts *opts, const struct lt_assist_entry *old)
{
	if (old->start_s <= opts->now_s || is_held(opts->held, old->id)) {
		return LT_ASSIST_KEEP;
	}
	return is_edited(old) ? LT_ASSIST_EDITED : LT_ASSIST_REMOVE;
}

void lt_assist_plan(const struct lt_assist_plan_opts *opts, struct lt_assist_plan *ret_plan)
{
	*ret_plan = (struct lt_assist_plan){ 0 };
	for (size_t i = 0; i < opts->wanted->n; i++) {
		const struct lt_assist_entry *entry = &opts->wanted->at[i];
		const struct lt_assist_entry *known = lt_assist_find(opts->old, entry->id);

		add_action(ret_plan, known ? step_for(known, entry) : LT_ASSIST_ADD, known, entry);
	}
	for (size_t i = 0; i < opts->old->n; i++) {
		const struct lt_assist_entry *entry = &opts->old->at[i];

		if (strcmp(entry->source, opts->source) == 0 &&
				!lt_assist_find(opts->wanted, entry->id)) {
			add_action(ret_plan, step_without(opts, entry), entry, NULL);
		}
	}
}

void lt_assist_plan_finish(struct lt_assist_plan *plan)
{
	lt_free(plan->at);
	*plan = (struct lt_assist_plan){ 0 };
}
