#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/json_scan.h"
#include "race/state.h"
#include "store/salvage.h"
#include "store/timeline_priv.h"

LT_DEFINE_AUTO(struct lt_timeline, lt_timeline_close);

void lt_timeline_close(struct lt_timeline *timeline)
{
	if (!timeline) {
		return;
	}
	lt_timeline_walker_finish(&timeline->walker);
	lt_timeline_run_finish(&timeline->run);
	if (timeline->entries.zip) {
		lt_entries_finish(&timeline->entries);
	}
	lt_journal_reader_close(timeline->reader);
	cJSON_Delete(timeline->manifest);
	lt_free(timeline->frames);
	lt_free(timeline->starts);
	lt_free(timeline);
}

/* --- frames --- */

static int64_t minute_of(int64_t time_s)
{
	return time_s / LT_TIMELINE_CHUNK_S;
}

static void find_chunks(struct lt_timeline *timeline)
{
	int64_t minute = -1;

	lt_free(timeline->starts);
	timeline->starts = lt_calloc(timeline->count + 1, sizeof(*timeline->starts));
	timeline->start_count = 0;
	for (size_t i = 0; i < LT_MAX(timeline->settled, (size_t)1) && i < timeline->count; i++) {
		const struct lt_timeline_frame *frame = &timeline->frames[i];

		if (frame->is_key && minute_of(frame->time_s) > minute) {
			minute = minute_of(frame->time_s);
			timeline->starts[timeline->start_count++] = frame->time_s;
		}
	}
}

/* One frame a time, and none before the first key frame: nobody could use it. */
static void add_frame(struct lt_timeline *timeline, struct lt_timeline_frame frame)
{
	if (timeline->count == 0 && !frame.is_key) {
		return;
	}
	if (timeline->count > 0 && timeline->frames[timeline->count - 1].time_s == frame.time_s) {
		timeline->count--; /* a key frame, or a later one of the same name */
	}
	timeline->frames[timeline->count++] = frame;
}

static void list_entries(struct lt_timeline *timeline)
{
	const struct lt_entries *entries = &timeline->entries;

	timeline->frames = lt_calloc(entries->count + 1, sizeof(*timeline->frames));
	for (size_t i = 0; i < entries->count; i++) {
		const struct lt_entry_frame *frame = &entries->frames[i];

		add_frame(timeline,
				(struct lt_timeline_frame){ frame->time_s, (size_t)frame->entry,
						frame->is_key });
	}
	timeline->settled = timeline->count;
	find_chunks(timeline);
}

static void list_journal(struct lt_timeline *timeline)
{
	size_t count;
	const struct lt_record *records = lt_journal_reader_frames(timeline->reader, &count);
	struct lt_journal_report report;

	lt_free(timeline->frames);
	timeline->frames = lt_calloc(count + 1, sizeof(*timeline->frames));
	timeline->count = 0;
	for (size_t i = 0; i < count; i++) {
		add_frame(timeline,
				(struct lt_timeline_frame){ records[i].time_s, i,
						records[i].kind == LT_RECORD_KEY });
	}
	lt_journal_reader_report(timeline->reader, &report);
	timeline->settled = report.ended || count == 0 ? timeline->count : timeline->count - 1;
	find_chunks(timeline);
}

/* --- opening --- */

static bool check_version(const cJSON *manifest, struct lt_err *err)
{
	int64_t version;

	if (!lt_json_get(manifest, "version")) {
		return lt_err_set(err, LT_E_INVALID,
				"the recording is of before version 1; rectool convert makes a new one "
				"of it");
	}
	if (!lt_json_get_int(manifest, "version", 0, INT32_MAX, &version, err)) {
		return false;
	}
	return version == LT_RECORDING_VERSION ||
			lt_err_set(err, LT_E_FORMAT, "version %lld is not known",
					(long long)version);
}

struct lt_timeline *lt_timeline_open_recording(const char *path, struct lt_err *err)
{
	LT_AUTO(lt_timeline_close) struct lt_timeline *timeline = lt_zalloc(sizeof(*timeline));

	if (access(path, F_OK) != 0 && errno == ENOENT) {
		lt_err_set(err, LT_E_NOT_FOUND, "no such recording");
		return NULL;
	}
	if (!lt_entries_open(path, &timeline->entries, err)) {
		timeline->entries = (struct lt_entries){ 0 };
		err->code = LT_E_FORMAT;
		return NULL;
	}
	timeline->manifest = lt_entries_manifest(&timeline->entries, err);
	if (!timeline->manifest || !check_version(timeline->manifest, err)) {
		return NULL;
	}
	list_entries(timeline);
	if (timeline->count == 0) {
		lt_err_set(err, LT_E_FORMAT, "the recording has no key frame");
		return NULL;
	}
	return LT_STEAL(timeline);
}

struct lt_timeline *lt_timeline_open_journal(const char *path, struct lt_err *err)
{
	LT_AUTO(lt_timeline_close) struct lt_timeline *timeline = lt_zalloc(sizeof(*timeline));

	timeline->reader = lt_journal_reader_open(path, err);
	if (!timeline->reader) {
		return NULL;
	}
	list_journal(timeline);
	return LT_STEAL(timeline);
}

bool lt_timeline_refresh(struct lt_timeline *timeline, struct lt_err *err)
{
	if (!timeline->reader) {
		return true;
	}
	if (!lt_journal_reader_refresh(timeline->reader, err)) {
		return false;
	}
	list_journal(timeline);
	return true;
}

/* --- what there is --- */

struct lt_timeline_span lt_timeline_span(const struct lt_timeline *timeline)
{
	size_t count = timeline->count;

	return count == 0 ? (struct lt_timeline_span){ 0 }
			  : (struct lt_timeline_span){ count, timeline->frames[0].time_s,
				    timeline->frames[count - 1].time_s };
}

const cJSON *lt_timeline_manifest(const struct lt_timeline *timeline)
{
	return timeline->reader ? lt_journal_reader_manifest(timeline->reader) : timeline->manifest;
}

const int64_t *lt_timeline_starts(const struct lt_timeline *timeline, size_t *ret_count)
{
	*ret_count = timeline->start_count;
	return timeline->starts;
}

/* --- reading --- */

/* What is handed on must not break the document that it becomes a part of. */
static bool check_json(struct lt_str text, struct lt_err *err)
{
	struct lt_json_scan scan;
	struct lt_json_slice slice;

	return lt_json_scan_init(&scan, text, LT_JSON_DEPTH_MAX, err) &&
			lt_json_scan_value(&scan, &slice, err) && lt_json_scan_end(&scan, err);
}

bool lt_timeline_read(const struct lt_timeline *timeline, size_t index, struct lt_buf *buf,
		struct lt_err *err)
{
	const struct lt_timeline_frame *frame = &timeline->frames[index];
	size_t count;
	bool ok = timeline->reader
			? lt_journal_read_frame(timeline->reader,
					  &lt_journal_reader_frames(
							  timeline->reader, &count)[frame->place],
					  buf, err)
			: lt_zip_read(timeline->entries.zip, (int64_t)frame->place, buf, err);

	return ok || lt_err_prefix(err, "frame of %lld", (long long)frame->time_s);
}

void lt_timeline_cursor_finish(struct lt_timeline_cursor *cursor)
{
	cJSON_Delete(cursor->state);
	*cursor = (struct lt_timeline_cursor){ 0 };
}

static bool has_messages(const cJSON *difference)
{
	const cJSON *messages = lt_json_get(difference, "messages");

	return messages && messages->child;
}

bool lt_timeline_step(const struct lt_timeline *timeline, struct lt_timeline_cursor *cursor,
		struct lt_err *err)
{
	const struct lt_timeline_frame *frame = &timeline->frames[cursor->next];
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	LT_AUTO(cJSON_Delete) cJSON *value = NULL;
	bool ok;

	if (!lt_timeline_read(timeline, cursor->next, &text, err)) {
		return false;
	}
	value = lt_json_parse(lt_buf_str(&text), err);
	if (!value) {
		return lt_err_prefix(err, "frame of %lld", (long long)frame->time_s);
	}
	cursor->may_have_messages = frame->is_key || has_messages(value);
	if (frame->is_key) {
		ok = lt_state_check(value, err);
		cJSON_Delete(cursor->state);
		cursor->state = LT_STEAL(value);
	} else {
		ok = cursor->state && lt_state_apply(cursor->state, value, err);
	}
	cursor->next++;
	return ok || lt_err_prefix(err, "frame of %lld", (long long)frame->time_s);
}

/* --- chunks --- */

static bool find_start(const struct lt_timeline *timeline, int64_t start_s, size_t *ret_chunk)
{
	size_t low = 0, high = timeline->start_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (timeline->starts[middle] < start_s) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	*ret_chunk = low;
	return low < timeline->start_count && timeline->starts[low] == start_s;
}

static size_t find_frame(const struct lt_timeline *timeline, int64_t time_s)
{
	size_t low = 0, high = timeline->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (timeline->frames[middle].time_s < time_s) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

static bool append_checked(const struct lt_timeline *timeline, size_t index, struct lt_buf *buf,
		struct lt_err *err)
{
	size_t before = buf->n;

	return lt_timeline_read(timeline, index, buf, err) &&
			(check_json((struct lt_str){ buf->p + before, buf->n - before }, err) ||
					lt_err_prefix(err, "frame of %lld",
							(long long)timeline->frames[index].time_s));
}

static bool write_frames(const struct lt_timeline *timeline, int64_t start_s, int64_t end_s,
		struct lt_buf *buf, struct lt_err *err)
{
	size_t begin = buf->n;

	for (size_t i = find_frame(timeline, start_s);
			i < timeline->count && timeline->frames[i].time_s < end_s; i++) {
		const struct lt_timeline_frame *frame = &timeline->frames[i];

		lt_buf_printf(buf, "%s\n{\"t\":%" PRId64 ",\"%s\":",
				frame->time_s == start_s ? "" : ",", frame->time_s,
				frame->is_key ? "key" : "diff");
		if (!append_checked(timeline, i, buf, err)) {
			return false;
		}
		lt_buf_add_char(buf, '}');
		if (buf->n - begin > LT_TIMELINE_CHUNK_BYTES_MAX) {
			return lt_err_set(err, LT_E_LIMIT, "the frames of a minute are too large");
		}
	}
	return true;
}

bool lt_timeline_write_chunk(const struct lt_timeline *timeline, int64_t start_s, bool *ret_closed,
		struct lt_buf *buf, struct lt_err *err)
{
	size_t chunk;
	bool is_last;

	if (!find_start(timeline, start_s, &chunk)) {
		return lt_err_set(
				err, LT_E_NOT_FOUND, "no chunk begins at %lld", (long long)start_s);
	}
	is_last = chunk + 1 == timeline->start_count;
	*ret_closed = !is_last || timeline->settled == timeline->count;
	lt_buf_printf(buf, "{\"start\":%" PRId64 ",\"closed\":%s,\"frames\":[", start_s,
			*ret_closed ? "true" : "false");
	if (!write_frames(timeline, start_s, is_last ? INT64_MAX : timeline->starts[chunk + 1], buf,
			    err)) {
		return false;
	}
	lt_buf_add_c(buf, "]}\n");
	return true;
}
