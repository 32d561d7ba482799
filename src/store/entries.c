#include "store/entries.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "store/frame.h"

static int compare_frames(const void *a, const void *b)
{
	const struct lt_entry_frame *left = a, *right = b;

	if (left->time_s != right->time_s) {
		return left->time_s < right->time_s ? -1 : 1;
	}
	if (left->is_key != right->is_key) {
		return left->is_key ? 1 : -1;
	}
	return left->entry < right->entry ? -1 : left->entry > right->entry;
}

static void mark_hidden(struct lt_entries *entries)
{
	for (size_t i = 1; i < entries->count; i++) {
		struct lt_entry_frame *frame = &entries->frames[i - 1];

		frame->is_hidden = frame[1].time_s == frame->time_s &&
				frame[1].is_key == frame->is_key;
	}
}

static void list(struct lt_entries *entries)
{
	int64_t count = lt_zip_count(entries->zip);

	entries->manifest = -1;
	entries->frames = lt_calloc((size_t)count + 1, sizeof(*entries->frames));
	for (int64_t i = 0; i < count; i++) {
		struct lt_str name = lt_zip_name(entries->zip, i);
		struct lt_entry_frame frame = { .entry = i };

		if (lt_str_eq_c(name, LT_MANIFEST_NAME)) {
			entries->manifest = i;
		} else if (lt_frame_parse_name(name, &frame.time_s, &frame.is_key)) {
			entries->frames[entries->count++] = frame;
			entries->key_count += frame.is_key;
		}
	}
	qsort(entries->frames, entries->count, sizeof(*entries->frames), compare_frames);
	mark_hidden(entries);
}

bool lt_entries_open(const char *path, struct lt_entries *ret, struct lt_err *err)
{
	struct lt_zip *zip = lt_zip_open(path, err);

	if (!zip) {
		return false;
	}
	*ret = (struct lt_entries){ .zip = zip };
	list(ret);
	return true;
}

void lt_entries_finish(struct lt_entries *entries)
{
	lt_zip_close(entries->zip);
	lt_free(entries->frames);
	*entries = (struct lt_entries){ 0 };
}

cJSON *lt_entries_manifest(const struct lt_entries *entries, struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	LT_AUTO(cJSON_Delete) cJSON *manifest = NULL;

	if (entries->manifest < 0) {
		lt_err_set(err, LT_E_FORMAT, "no " LT_MANIFEST_NAME);
		return NULL;
	}
	if (!lt_zip_read(entries->zip, entries->manifest, &text, err)) {
		lt_err_prefix(err, LT_MANIFEST_NAME);
		return NULL;
	}
	manifest = lt_json_parse(lt_buf_str(&text), err);
	if (!manifest) {
		lt_err_prefix(err, LT_MANIFEST_NAME);
		return NULL;
	}
	if (!cJSON_IsObject(manifest)) {
		lt_err_set(err, LT_E_FORMAT, LT_MANIFEST_NAME ": not an object");
		return NULL;
	}
	return LT_STEAL(manifest);
}
