#include "store/recording.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "race/state.h"
#include "store/frame.h"
#include "store/recording_zip.h"

#define MANIFEST_NAME  "manifest.json"
#define DIGITS_MAX     11
#define NOWHERE        SIZE_MAX
#define FORMAT_VERSION 1
#define IS_KEY         (1u << 31)

static_assert(LT_ZIP_ENTRIES_MAX < IS_KEY, "an index and a mark fit into a place");

struct lt_recording {
	struct lt_zip *zip;
	cJSON *manifest;
	/* Frames by time, one a time. Two arrays of little: a day has 86,400. */
	int64_t *times;
	uint32_t *places; /* index in the archive, and IS_KEY */
	size_t count;
	size_t first_key;
	cJSON *state; /* of the frame `at`, kept so that reading on is cheap */
	size_t at;    /* NOWHERE: no state */
};

LT_DEFINE_AUTO(struct lt_recording, lt_recording_close);

static bool is_key(const struct lt_recording *recording, size_t index)
{
	return recording->places[index] & IS_KEY;
}

static int64_t entry_of(const struct lt_recording *recording, size_t index)
{
	return recording->places[index] & ~IS_KEY;
}

/* --- order --- */

struct frame {
	int64_t time_s;
	uint32_t place;
};

/*
 * By time; of equal times the frame that counts comes last: a key frame (its
 * mark is the highest bit of a place), the last written.
 */
static int compare_frames(const void *a, const void *b)
{
	const struct frame *left = a, *right = b;

	if (left->time_s != right->time_s) {
		return left->time_s < right->time_s ? -1 : 1;
	}
	return left->place < right->place ? -1 : left->place > right->place;
}

/* Ours are, and then there is nothing to do. */
static bool is_in_order(const struct lt_recording *recording)
{
	for (size_t i = 1; i < recording->count; i++) {
		if (recording->times[i - 1] >= recording->times[i]) {
			return false;
		}
	}
	return true;
}

static void sort_frames(struct lt_recording *recording)
{
	size_t count = recording->count, kept = 0;

	if (is_in_order(recording)) {
		return;
	}
	LT_AUTO(lt_free) struct frame *frames = lt_calloc(count, sizeof(*frames));
	for (size_t i = 0; i < count; i++) {
		frames[i] = (struct frame){ recording->times[i], recording->places[i] };
	}
	qsort(frames, count, sizeof(*frames), compare_frames);
	for (size_t i = 0; i < count; i++) {
		if (i + 1 == count || frames[i + 1].time_s != frames[i].time_s) {
			recording->times[kept] = frames[i].time_s;
			recording->places[kept++] = frames[i].place;
		}
	}
	recording->count = kept;
}

/* --- opening --- */

static cJSON *read_json(const struct lt_recording *recording, int64_t entry, struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

	return lt_zip_read(recording->zip, entry, &text, err)
			? lt_json_parse(lt_buf_str(&text), err)
			: NULL;
}

static bool check_version(const cJSON *manifest, struct lt_err *err)
{
	const cJSON *version = lt_json_get(manifest, "version");

	if (!cJSON_IsObject(manifest)) {
		return lt_err_set(err, LT_E_FORMAT, "not an object");
	}
	if (!version) {
		return lt_err_set(err, LT_E_FORMAT,
				"no version: recordings made before version 1 have to be converted");
	}
	if (!cJSON_IsNumber(version)) {
		return lt_err_set(err, LT_E_FORMAT, "the version is not a number");
	}
	return version->valuedouble == FORMAT_VERSION ||
			lt_err_set(err, LT_E_FORMAT, "version %.15g is not supported, only %d is",
					version->valuedouble, FORMAT_VERSION);
}

static bool read_manifest(struct lt_recording *recording, int64_t entry, struct lt_err *err)
{
	if (entry < 0) {
		return lt_err_set(err, LT_E_FORMAT, "no " MANIFEST_NAME);
	}
	recording->manifest = read_json(recording, entry, err);
	return (recording->manifest && check_version(recording->manifest, err)) ||
			lt_err_prefix(err, MANIFEST_NAME);
}

/* Find manifest and frames; entries of other names are none of our business. */
static bool list_entries(struct lt_recording *recording, int64_t *ret_manifest, struct lt_err *err)
{
	int64_t entries = lt_zip_count(recording->zip);
	size_t room = (size_t)entries + 1;

	*ret_manifest = -1;
	recording->times = lt_reallocarray(NULL, room, sizeof(*recording->times));
	recording->places = lt_reallocarray(NULL, room, sizeof(*recording->places));
	for (int64_t i = 0; i < entries; i++) {
		struct lt_str name = lt_zip_name(recording->zip, i);
		size_t next = recording->count;
		bool key;

		if (lt_frame_parse_name(name, &recording->times[next], &key)) {
			recording->places[next] = (uint32_t)i | (key ? IS_KEY : 0);
			recording->count++;
		} else if (lt_str_eq_c(name, MANIFEST_NAME)) {
			*ret_manifest = i;
		} else {
			continue;
		}
		if (!lt_zip_check_size(recording->zip, i, err)) {
			return lt_err_prefix(err, "%.*s", LT_STR_ARG(name));
		}
	}
	return true;
}

static bool find_first_key(struct lt_recording *recording, struct lt_err *err)
{
	if (recording->count == 0) {
		return lt_err_set(err, LT_E_FORMAT, "no frames");
	}
	for (size_t i = 0; i < recording->count; i++) {
		if (is_key(recording, i)) {
			recording->first_key = i;
			return true;
		}
	}
	return lt_err_set(err, LT_E_FORMAT, "no key frame");
}

static bool load(struct lt_recording *recording, const char *path, struct lt_err *err)
{
	int64_t manifest;

	recording->zip = lt_zip_open(path, err);
	if (!recording->zip || !list_entries(recording, &manifest, err) ||
			!read_manifest(recording, manifest, err)) {
		return false;
	}
	sort_frames(recording);
	return find_first_key(recording, err);
}

struct lt_recording *lt_recording_open(const char *path, struct lt_err *err)
{
	LT_AUTO(lt_recording_close) struct lt_recording *recording = lt_zalloc(sizeof(*recording));

	recording->at = NOWHERE;
	if (!load(recording, path, err)) {
		lt_err_prefix(err, "recording %s", path);
		return NULL;
	}
	return LT_STEAL(recording);
}

void lt_recording_close(struct lt_recording *recording)
{
	if (!recording) {
		return;
	}
	lt_zip_close(recording->zip);
	cJSON_Delete(recording->manifest);
	cJSON_Delete(recording->state);
	lt_free(recording->times);
	lt_free(recording->places);
	lt_free(recording);
}

const cJSON *lt_recording_manifest(const struct lt_recording *recording)
{
	return recording->manifest;
}

int64_t lt_recording_first(const struct lt_recording *recording)
{
	return recording->times[0];
}

int64_t lt_recording_last(const struct lt_recording *recording)
{
	return recording->times[recording->count - 1];
}

const int64_t *lt_recording_times(const struct lt_recording *recording, size_t *ret_count)
{
	*ret_count = recording->count;
	return recording->times;
}

/* --- states --- */

static void forget_state(struct lt_recording *recording)
{
	cJSON_Delete(recording->state);
	recording->state = NULL;
	recording->at = NOWHERE;
}

static bool prefix_frame(const struct lt_recording *recording, size_t index, struct lt_err *err)
{
	return lt_err_prefix(err, "frame %0*lld%s.json", DIGITS_MAX,
			(long long)recording->times[index], is_key(recording, index) ? "" : "i");
}

/* Put the state of the frame `index` in place: the one before is there unless it is a key frame. */
static bool enter_frame(struct lt_recording *recording, size_t index, struct lt_err *err)
{
	LT_AUTO(cJSON_Delete)
	cJSON *content = read_json(recording, entry_of(recording, index), err);

	if (!content) {
		return prefix_frame(recording, index, err);
	}
	if (is_key(recording, index)) {
		if (!lt_state_check(content, err)) {
			return prefix_frame(recording, index, err);
		}
		cJSON_Delete(recording->state);
		recording->state = LT_STEAL(content);
	} else if (!lt_state_apply(recording->state, content, err)) {
		return prefix_frame(recording, index, err);
	}
	recording->at = index;
	return true;
}

/* Index of the last frame at or before a time; the first key frame for times before it. */
static size_t frame_at(const struct lt_recording *recording, int64_t time_s)
{
	size_t low = 0, high = recording->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (recording->times[middle] <= time_s) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low > recording->first_key ? low - 1 : recording->first_key;
}

/* Make recording->state that of the frame `target`: from its key frame on, or from where we are. */
static bool reach(struct lt_recording *recording, size_t target, struct lt_err *err)
{
	size_t next = target;

	while (!is_key(recording, next)) {
		assert(next > 0);
		next--;
	}
	if (recording->at != NOWHERE && recording->at >= next && recording->at <= target) {
		next = recording->at + 1;
	}
	for (; next <= target; next++) {
		if (!enter_frame(recording, next, err)) {
			forget_state(recording);
			return false;
		}
	}
	return true;
}

cJSON *lt_recording_state_at(struct lt_recording *recording, int64_t time_s, struct lt_err *err)
{
	return reach(recording, frame_at(recording, time_s), err)
			? cJSON_Duplicate(recording->state, true)
			: NULL;
}

const cJSON *lt_recording_frame(struct lt_recording *recording, size_t index, struct lt_err *err)
{
	assert(index < recording->count);
	return reach(recording, LT_MAX(index, recording->first_key), err) ? recording->state : NULL;
}
