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

	lt_buf_printf(&text, "%" PRId64 "\n%s", recurrence_s, source_uid);
	memcpy(id, "lt", 2);
	hash_text(&text, id + 2, LT_ENTRY_ID_TEXT - 3);
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
	return strcmp(mark, entry->mark) != 0;
}

static enum lt_assist_step step_for(
		const struct lt_assist_entry *old, const struct lt_assist_entry *wanted)
{
	if (old->start_s == wanted->start_s && old->end_s == wanted->end_s &&
			strcmp(old->title, wanted->title) == 0) {
		return LT_ASSIST_KEEP;
	}
	if (!is_edited(old)) {
		return LT_ASSIST_CHANGE;
	}
	/* What was written last is what the source still says: only the edit differs. */
	return strcmp(old->mark, wanted->mark) == 0 ? LT_ASSIST_KEEP : LT_ASSIST_EDITED;
}

void lt_assist_plan(const struct lt_assist_entries *old, const struct lt_assist_entries *wanted,
		int64_t now_s, struct lt_assist_plan *ret_plan)
{
	*ret_plan = (struct lt_assist_plan){ 0 };
	for (size_t i = 0; i < wanted->n; i++) {
		const struct lt_assist_entry *entry = &wanted->at[i];
		const struct lt_assist_entry *known = lt_assist_find(old, entry->id);

		add_action(ret_plan, known ? step_for(known, entry) : LT_ASSIST_ADD, known, entry);
	}
	for (size_t i = 0; i < old->n; i++) {
		const struct lt_assist_entry *entry = &old->at[i];

		if (lt_assist_find(wanted, entry->id)) {
			continue;
		}
		add_action(ret_plan,
				entry->start_s <= now_s            ? LT_ASSIST_KEEP
						: is_edited(entry) ? LT_ASSIST_EDITED
								   : LT_ASSIST_REMOVE,
				entry, NULL);
	}
}

void lt_assist_plan_finish(struct lt_assist_plan *plan)
{
	lt_free(plan->at);
	*plan = (struct lt_assist_plan){ 0 };
}
