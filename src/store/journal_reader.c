#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "race/state.h"
#include "store/journal_record.h"

#define NOWHERE   SIZE_MAX
#define SEEK_STEP 65536 /* bytes looked through at once for the next whole record */

struct lt_journal_reader {
	char *path;
	int fd;
	struct lt_record *frames;
	size_t count, capacity;
	cJSON *manifest;
	struct lt_journal_report report;
	bool chain_is_broken; /* differences have no base until the next key frame */
	cJSON *state;         /* of the frame `at`, kept so that reading on is cheap */
	size_t at;            /* NOWHERE: no state */
};

LT_DEFINE_AUTO(struct lt_journal_reader, lt_journal_reader_close);

static void forget_state(struct lt_journal_reader *reader)
{
	cJSON_Delete(reader->state);
	reader->state = NULL;
	reader->at = NOWHERE;
}

void lt_journal_reader_close(struct lt_journal_reader *reader)
{
	if (!reader) {
		return;
	}
	if (reader->fd >= 0) {
		close(reader->fd);
	}
	forget_state(reader);
	cJSON_Delete(reader->manifest);
	lt_free(reader->frames);
	lt_free(reader->path);
	lt_free(reader);
}

/* --- bytes --- */

/* How many of `n` bytes there are at an offset; -1 with errno. */
static ssize_t read_at(const struct lt_journal_reader *reader, int64_t offset, void *ret, size_t n)
{
	size_t got = 0;

	while (got < n) {
		ssize_t part = pread(reader->fd, (char *)ret + got, n - got, offset + (int64_t)got);

		if (part < 0 && errno == EINTR) {
			continue;
		}
		if (part < 0) {
			return -1;
		}
		if (part == 0) {
			break;
		}
		got += (size_t)part;
	}
	return (ssize_t)got;
}

bool lt_journal_reader_packed(const struct lt_journal_reader *reader, const struct lt_record *frame,
		struct lt_buf *buf, struct lt_err *err)
{
	lt_buf_reserve(buf, frame->packed_bytes);
	ssize_t got = read_at(reader, frame->offset, buf->p + buf->n, frame->packed_bytes);

	if (got < 0) {
		return lt_err_errno(err, "cannot read %s", reader->path);
	}
	struct lt_str bytes = { buf->p + buf->n, (size_t)got };
	if (bytes.n != frame->packed_bytes || lt_crc32(bytes) != frame->packed_crc) {
		return lt_err_set(err, LT_E_FORMAT, "%s: byte %lld: damaged", reader->path,
				(long long)frame->offset);
	}
	buf->n += bytes.n;
	return true;
}

static cJSON *read_json(const struct lt_journal_reader *reader, const struct lt_record *record,
		struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf packed = { 0 }, text = { 0 };

	if (!lt_journal_reader_packed(reader, record, &packed, err) ||
			!lt_frame_unpack(lt_buf_str(&packed), record->raw_bytes, record->raw_crc,
					&text, err)) {
		return NULL;
	}
	return lt_json_parse(lt_buf_str(&text), err);
}

/* --- records --- */

static void drop_frame(struct lt_journal_reader *reader)
{
	reader->report.dropped_frames++;
	reader->chain_is_broken = true;
}

/* Is there a frame of an earlier time? */
static bool has_base(const struct lt_journal_reader *reader, const struct lt_record *record)
{
	return reader->count > 0 && reader->frames[0].time_s < record->time_s;
}

/* The last record of a time counts; it was made from the frame before that time. */
static void add_frame(struct lt_journal_reader *reader, const struct lt_record *record)
{
	const struct lt_record *last = reader->count ? &reader->frames[reader->count - 1] : NULL;

	assert(reader->frames || (reader->count == 0 && reader->capacity == 0));
	if (last && record->time_s < last->time_s) {
		drop_frame(reader);
		return;
	}
	if (record->kind == LT_RECORD_DIFFERENCE &&
			(reader->chain_is_broken || !has_base(reader, record))) {
		drop_frame(reader);
		return;
	}
	reader->chain_is_broken = false;
	forget_state(reader);
	if (last && record->time_s == last->time_s) {
		reader->frames[reader->count - 1] = *record;
		return;
	}
	if (reader->count == reader->capacity) {
		reader->capacity = LT_MAX(reader->capacity * 2, (size_t)256);
		reader->frames = lt_reallocarray(
				reader->frames, reader->capacity, sizeof(*reader->frames));
	}
	reader->frames[reader->count++] = *record;
}

static void add_record(struct lt_journal_reader *reader, const struct lt_record *record)
{
	switch (record->kind) {
	case LT_RECORD_KEY:
	case LT_RECORD_DIFFERENCE:
		add_frame(reader, record);
		return;
	case LT_RECORD_MANIFEST: {
		cJSON *manifest = read_json(reader, record, NULL);

		/* An older manifest is better than none. */
		if (cJSON_IsObject(manifest)) {
			cJSON_Delete(reader->manifest);
			reader->manifest = manifest;
		} else {
			cJSON_Delete(manifest);
		}
		return;
	}
	case LT_RECORD_END:
		reader->report.ended = true;
		return;
	}
}

/* A whole record at an offset, its packed bytes verified with `scratch`. */
static bool record_at(const struct lt_journal_reader *reader, int64_t offset,
		struct lt_record *ret_record, struct lt_buf *scratch)
{
	uint8_t header[LT_RECORD_HEADER];

	if (read_at(reader, offset, header, sizeof(header)) != sizeof(header) ||
			!lt_record_decode(header, ret_record)) {
		return false;
	}
	ret_record->offset = offset + LT_RECORD_HEADER;
	lt_buf_clear(scratch);
	return lt_journal_reader_packed(reader, ret_record, scratch, NULL);
}

/* Behind damage: the offset of the next whole record, or -1. */
static int64_t find_record(const struct lt_journal_reader *reader, int64_t offset,
		struct lt_record *ret_record, struct lt_buf *scratch)
{
	LT_AUTO(lt_buf_finish) struct lt_buf window = { 0 };

	lt_buf_reserve(&window, SEEK_STEP);
	for (;;) {
		ssize_t got = read_at(reader, offset, window.p, SEEK_STEP);

		if (got < LT_RECORD_HEADER) {
			return -1;
		}
		for (ssize_t i = 0; i + 4 <= got; i++) {
			const char *found =
					memmem(window.p + i, (size_t)(got - i), LT_RECORD_MAGIC, 4);

			if (!found) {
				break;
			}
			i = found - window.p;
			if (record_at(reader, offset + i, ret_record, scratch)) {
				return offset + i;
			}
		}
		offset += got - 3; /* the magic may lie across the border */
	}
}

static bool check_magic(struct lt_journal_reader *reader, struct lt_err *err)
{
	char magic[LT_JOURNAL_MAGIC_BYTES];
	ssize_t got = read_at(reader, 0, magic, sizeof(magic));

	if (got < 0) {
		return lt_err_errno(err, "cannot read %s", reader->path);
	}
	if (memcmp(magic, LT_JOURNAL_MAGIC, (size_t)got) != 0) {
		return lt_err_set(err, LT_E_FORMAT, "%s is not a journal", reader->path);
	}
	/* A shorter file is what a crash left of a new journal. */
	reader->report.good_bytes = got == sizeof(magic) ? got : 0;
	return true;
}

bool lt_journal_reader_refresh(struct lt_journal_reader *reader, struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf scratch = { 0 };
	struct lt_record record;

	if (reader->report.good_bytes == 0 && !check_magic(reader, err)) {
		return false;
	}
	while (reader->report.good_bytes > 0) {
		int64_t offset = reader->report.good_bytes;

		if (!record_at(reader, offset, &record, &scratch)) {
			int64_t next = find_record(reader, offset, &record, &scratch);

			if (next < 0) {
				break;
			}
			reader->report.damaged_bytes += next - offset;
			reader->chain_is_broken = true;
		}
		add_record(reader, &record);
		reader->report.good_bytes = record.offset + record.packed_bytes;
	}
	return true;
}

struct lt_journal_reader *lt_journal_reader_open(const char *path, struct lt_err *err)
{
	LT_AUTO(lt_journal_reader_close)
	struct lt_journal_reader *reader = lt_zalloc(sizeof(*reader));
	struct stat st;

	reader->path = lt_strdup(path);
	reader->at = NOWHERE;
	/* Without O_NONBLOCK, opening a FIFO would wait for its other side. */
	reader->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (reader->fd < 0 || fstat(reader->fd, &st) < 0) {
		lt_err_errno(err, "cannot open %s", path);
		return NULL;
	}
	if (!S_ISREG(st.st_mode)) {
		lt_err_set(err, LT_E_INVALID, "%s is not a regular file", path);
		return NULL;
	}
	return lt_journal_reader_refresh(reader, err) ? LT_STEAL(reader) : NULL;
}

const struct lt_record *lt_journal_reader_frames(
		const struct lt_journal_reader *reader, size_t *ret_count)
{
	*ret_count = reader->count;
	return reader->frames;
}

const cJSON *lt_journal_reader_manifest(const struct lt_journal_reader *reader)
{
	return reader->manifest;
}

void lt_journal_reader_report(const struct lt_journal_reader *reader, struct lt_journal_report *ret)
{
	*ret = reader->report;
}

/* --- states --- */

static bool enter_frame(struct lt_journal_reader *reader, size_t index, struct lt_err *err)
{
	const struct lt_record *frame = &reader->frames[index];
	LT_AUTO(cJSON_Delete) cJSON *content = read_json(reader, frame, err);

	if (!content) {
		return false;
	}
	if (frame->kind == LT_RECORD_DIFFERENCE) {
		if (!lt_state_apply(reader->state, content, err)) {
			return false;
		}
	} else {
		if (!lt_state_check(content, err)) {
			return false;
		}
		cJSON_Delete(reader->state);
		reader->state = LT_STEAL(content);
	}
	reader->at = index;
	return true;
}

static size_t frame_at(const struct lt_journal_reader *reader, int64_t time_s)
{
	size_t low = 0, high = reader->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (reader->frames[middle].time_s <= time_s) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low ? low - 1 : 0;
}

cJSON *lt_journal_reader_state_at(
		struct lt_journal_reader *reader, int64_t time_s, struct lt_err *err)
{
	if (reader->count == 0) {
		lt_err_set(err, LT_E_NOT_FOUND, "%s has no frames", reader->path);
		return NULL;
	}
	size_t target = frame_at(reader, time_s);
	size_t next = target;
	/* The first frame is a key frame: a difference without base was dropped. */
	while (reader->frames[next].kind != LT_RECORD_KEY) {
		next--;
	}
	if (reader->at != NOWHERE && reader->at >= next && reader->at <= target) {
		next = reader->at + 1;
	}
	for (; next <= target; next++) {
		if (!enter_frame(reader, next, err)) {
			lt_err_prefix(err, "%s: frame at %lld", reader->path,
					(long long)reader->frames[next].time_s);
			forget_state(reader);
			return NULL;
		}
	}
	return cJSON_Duplicate(reader->state, true);
}
