#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "base/alloc.h"
#include "services/plugin/raw_input.h"

#define FLUSH_MS     500
#define FLUSH_BYTES  (256u << 10)
#define PENDING_MAX  (8u << 20)
#define FILES_MAX    1000
#define CAPTURE_MODE 0600 /* a feed may hold what is nobody else's business */

struct lt_raw_recorder {
	struct lt_loop *loop;
	struct lt_log log;
	struct lt_buf pending;
	struct lt_timer flush;
	int64_t started_us; /* 0: nothing recorded yet */
	uint32_t streams;
	uint64_t lost;
	bool is_writing, is_failed, is_closing;
	/* The worker's while is_writing. */
	struct lt_buf writing;
	char *path;
	int fd;
	struct lt_err err;
};

struct lt_raw_recorder *lt_raw_recorder_create_take(
		struct lt_loop *loop, struct lt_log log, const char *path, cJSON *header)
{
	struct lt_raw_recorder *recorder = lt_zalloc(sizeof(*recorder));

	recorder->loop = loop;
	recorder->log = log;
	recorder->path = lt_strdup(path);
	recorder->fd = -1;
	lt_json_add_int(header, "startedAt", lt_loop_wall(loop).us / 1000);
	lt_raw_write_header(&recorder->pending, header);
	cJSON_Delete(header);
	return recorder;
}

/* --- the worker --- */

static bool open_file(struct lt_raw_recorder *recorder)
{
	LT_AUTO(lt_buf_finish) struct lt_buf path = { 0 };

	lt_buf_add_c(&path, recorder->path);
	for (int i = 1; i < FILES_MAX; i++) {
		recorder->fd = open(path.p, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC,
				CAPTURE_MODE);
		if (recorder->fd >= 0) {
			lt_free(recorder->path);
			recorder->path = lt_buf_steal(&path);
			return true;
		}
		if (errno != EEXIST) {
			break;
		}
		lt_buf_clear(&path);
		lt_buf_printf(&path, "%s.%d", recorder->path, i);
	}
	return lt_err_errno(&recorder->err, "cannot create %s", path.p);
}

static void write_out(void *arg)
{
	struct lt_raw_recorder *recorder = arg;
	struct lt_str rest = lt_buf_str(&recorder->writing);

	if (recorder->fd < 0 && !open_file(recorder)) {
		return;
	}
	while (rest.n > 0) {
		ssize_t n = write(recorder->fd, rest.p, rest.n);

		if (n < 0 && errno != EINTR) {
			lt_err_errno(&recorder->err, "cannot write %s", recorder->path);
			return;
		}
		rest = lt_str_skip(rest, n > 0 ? (size_t)n : 0);
	}
}

static void close_file(void *arg)
{
	struct lt_raw_recorder *recorder = arg;

	if (recorder->fd >= 0) {
		fsync(recorder->fd);
		close(recorder->fd);
	}
}

/* --- the loop --- */

static void free_recorder(void *arg)
{
	struct lt_raw_recorder *recorder = arg;

	lt_buf_finish(&recorder->pending);
	lt_buf_finish(&recorder->writing);
	lt_free(recorder->path);
	lt_free(recorder);
}

static void flush(void *arg);

static void written(void *arg)
{
	struct lt_raw_recorder *recorder = arg;

	recorder->is_writing = false;
	lt_buf_clear(&recorder->writing);
	if (recorder->err.msg[0] != '\0' && !recorder->is_failed) {
		recorder->is_failed = true;
		lt_buf_clear(&recorder->pending);
		lt_log(&recorder->log, LT_ERROR, "the input is not recorded any more",
				"reason=\"%s\"", recorder->err.msg);
	}
	if (recorder->pending.n > 0 &&
			(recorder->is_closing || recorder->pending.n >= FLUSH_BYTES)) {
		flush(recorder);
	} else if (recorder->is_closing) {
		lt_loop_work(recorder->loop, close_file, free_recorder, recorder);
	}
}

static void flush(void *arg)
{
	struct lt_raw_recorder *recorder = arg;
	struct lt_buf swap = recorder->writing;

	if (recorder->is_writing || recorder->pending.n == 0) {
		return;
	}
	recorder->writing = recorder->pending;
	recorder->pending = swap;
	recorder->is_writing = true;
	lt_loop_work(recorder->loop, write_out, written, recorder);
}

void lt_raw_recorder_destroy(struct lt_raw_recorder *recorder)
{
	if (!recorder) {
		return;
	}
	lt_timer_cancel(&recorder->flush);
	recorder->is_closing = true;
	if (recorder->lost > 0) {
		lt_log(&recorder->log, LT_WARN, "the disk was too slow for all of the input",
				"records_lost=%" PRIu64, recorder->lost);
	}
	if (recorder->is_writing) {
		return; /* goes on in written */
	}
	if (recorder->pending.n > 0 && !recorder->is_failed && recorder->started_us > 0) {
		flush(recorder);
	} else {
		lt_loop_work(recorder->loop, close_file, free_recorder, recorder);
	}
}

static void add_record(struct lt_raw_recorder *recorder, struct lt_raw_record record)
{
	int64_t now_us = lt_loop_now(recorder->loop).us;

	if (recorder->is_failed) {
		return;
	}
	if (recorder->pending.n + record.bytes.n > PENDING_MAX) {
		recorder->lost++;
		return;
	}
	if (recorder->started_us == 0) {
		recorder->started_us = now_us;
	}
	record.at_us = now_us - recorder->started_us;
	record.bytes.n = LT_MIN(record.bytes.n, (size_t)LT_RAW_BYTES_MAX);
	lt_raw_write_record(&recorder->pending, &record);
	if (recorder->pending.n >= FLUSH_BYTES) {
		flush(recorder);
	} else if (!lt_timer_is_armed(&recorder->flush)) {
		lt_timer_once(&recorder->flush, recorder->loop, FLUSH_MS, flush, recorder);
	}
}

uint32_t lt_raw_recorder_open(struct lt_raw_recorder *recorder, const char *type, struct lt_str to)
{
	LT_AUTO(cJSON_Delete) cJSON *what = cJSON_CreateObject();
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

	if (recorder->streams == LT_RAW_STREAMS_MAX) {
		return 0;
	}
	lt_json_add_c(what, "type", type);
	lt_json_add_str(what, "to", to);
	lt_json_print(&text, what, LT_JSON_UTF8);
	add_record(recorder,
			(struct lt_raw_record){ .stream = ++recorder->streams,
					.kind = LT_RAW_OPEN,
					.bytes = lt_buf_str(&text) });
	return recorder->streams;
}

void lt_raw_recorder_add(struct lt_raw_recorder *recorder, uint32_t stream, enum lt_raw_kind kind,
		struct lt_str attribute, struct lt_str bytes)
{
	add_record(recorder,
			(struct lt_raw_record){ .stream = stream,
					.kind = kind,
					.attribute = attribute,
					.bytes = bytes });
}
