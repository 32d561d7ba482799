#include "services/desk/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fsutil.h"
#include "base/table.h"

#define FILE_NAME      "audit.log"
#define WAITING_MAX    1000
#define READ_BYTES_MAX (1024 * 1024) /* from the end */
#define USER_BUFFER    4096

/* Lines on their way to the file. */
struct writing {
	struct lt_audit *audit; /* NULL: gone */
	char *path;
	cJSON *lines;
	struct lt_err err;
	bool ok;
};

/* A question about the file; outlives the module as well. */
struct reading {
	struct lt_audit *audit; /* NULL: gone, nobody wants the answer */
	char *path;
	int64_t count;
	cJSON *lines;
	void (*fn)(void *arg, cJSON *lines);
	void *arg;
	struct reading *prev, *next;
};

struct lt_audit {
	struct lt_loop *loop;
	struct lt_log log;
	char *path;
	cJSON *waiting; /* lines that no worker has yet */
	struct writing *writing;
	struct reading *readings;
	bool is_failing;
};

struct lt_audit *lt_audit_create(struct lt_loop *loop, struct lt_log log, const char *log_dir)
{
	struct lt_audit *audit = lt_zalloc(sizeof(*audit));

	audit->loop = loop;
	audit->log = log;
	audit->log.module = "desk";
	audit->path = lt_path_join(log_dir && *log_dir ? log_dir : ".", FILE_NAME);
	audit->waiting = cJSON_CreateArray();
	return audit;
}

/* --- writing (on a worker) --- */

static void add_user(cJSON *line)
{
	cJSON *by = lt_json_get(line, "by");
	const cJSON *uid = lt_json_get(by, "uid");
	char buffer[USER_BUFFER];
	struct passwd entry, *found = NULL;

	if (cJSON_IsNumber(uid) && uid->valuedouble >= 0 &&
			getpwuid_r((uid_t)uid->valuedouble, &entry, buffer, sizeof(buffer),
					&found) == 0 &&
			found) {
		lt_json_add_c(by, "user", found->pw_name);
	}
}

static bool write_all(int fd, struct lt_str text)
{
	while (text.n > 0) {
		ssize_t n = write(fd, text.p, text.n);

		if (n < 0 && errno != EINTR) {
			return false;
		}
		text = lt_str_skip(text, n > 0 ? (size_t)n : 0);
	}
	return true;
}

static bool append(const char *path, struct lt_str text, struct lt_err *err)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	bool ok;

	if (fd < 0) {
		return lt_err_errno(err, "%s", path);
	}
	ok = (write_all(fd, text) && fsync(fd) == 0) || lt_err_errno(err, "%s", path);
	close(fd);
	return ok;
}

static void write_lines(struct writing *writing)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	cJSON *line;

	cJSON_ArrayForEach(line, writing->lines) {
		add_user(line);
		lt_json_print(&text, line, LT_JSON_UTF8);
		lt_buf_add_char(&text, '\n');
	}
	writing->ok = append(writing->path, lt_buf_str(&text), &writing->err);
}

static void write_work(void *arg)
{
	write_lines(arg);
}

static void free_writing(struct writing *writing)
{
	cJSON_Delete(writing->lines);
	lt_free(writing->path);
	lt_free(writing);
}

static void begin_writing(struct lt_audit *audit);

static void write_done(void *arg)
{
	struct writing *writing = arg;
	struct lt_audit *audit = writing->audit;

	if (audit) {
		audit->writing = NULL;
		if (!writing->ok && !audit->is_failing) {
			lt_log(&audit->log, LT_ERROR,
					"the audit file is not written; the log has the orders",
					"reason=\"%s\"", writing->err.msg);
		}
		audit->is_failing = !writing->ok;
		begin_writing(audit);
	}
	free_writing(writing);
}

static struct writing *take_waiting(struct lt_audit *audit)
{
	struct writing *writing = lt_zalloc(sizeof(*writing));

	writing->audit = audit;
	writing->path = lt_strdup(audit->path);
	writing->lines = LT_STEAL(audit->waiting);
	audit->waiting = cJSON_CreateArray();
	return writing;
}

static void begin_writing(struct lt_audit *audit)
{
	if (!audit->writing && audit->waiting->child) {
		audit->writing = take_waiting(audit);
		lt_loop_work(audit->loop, write_work, write_done, audit->writing);
	}
}

void lt_audit_destroy(struct lt_audit *audit)
{
	struct reading *reading;

	if (!audit) {
		return;
	}
	if (audit->writing) {
		audit->writing->audit = NULL;
	}
	if (audit->waiting->child) {
		struct writing *writing = take_waiting(audit);

		write_lines(writing);
		free_writing(writing);
	}
	DL_FOREACH(audit->readings, reading) {
		reading->audit = NULL;
	}
	cJSON_Delete(audit->waiting);
	lt_free(audit->path);
	lt_free(audit);
}

/* --- adding --- */

static void add_time(cJSON *line, struct lt_wall now)
{
	time_t seconds = (time_t)lt_wall_s(now);
	char date[40], text[60];
	struct tm parts;

	gmtime_r(&seconds, &parts);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &parts);
	snprintf(text, sizeof(text), "%s.%03dZ", date, (int)(lt_wall_ms(now) % 1000));
	lt_json_add_c(line, "time", text);
}

static cJSON *describe(const struct lt_audit_who *who)
{
	cJSON *by = cJSON_CreateObject();

	lt_json_add_c(by, "via", who->is_wamp ? "wamp" : "control");
	if (who->is_wamp) {
		lt_json_add_c(by, "authid", who->authid);
		lt_json_add_c(by, "role", who->role);
		lt_json_add_int(by, "session", (int64_t)who->session);
		lt_json_add_c(by, "address", who->address);
	} else {
		lt_json_add_int(by, "uid", who->uid);
		lt_json_add_int(by, "pid", who->pid);
	}
	return by;
}

static void log_entry(const struct lt_audit *audit, const struct lt_audit_entry *entry)
{
	const struct lt_audit_who *who = entry->who;
	LT_AUTO(lt_buf_finish) struct lt_buf params = { 0 };
	char by[LT_LOG_VALUE_MAX], what[LT_LOG_VALUE_MAX], uuid[LT_LOG_VALUE_MAX];
	char result[LT_LOG_VALUE_MAX], text[300];

	if (who->is_wamp) {
		snprintf(text, sizeof(text), "%s session %" PRIu64, who->authid, who->session);
	} else {
		snprintf(text, sizeof(text), "uid %" PRId64 " pid %" PRId64, who->uid, who->pid);
	}
	if (entry->params) {
		lt_json_print(&params, entry->params, LT_JSON_UTF8);
	}
	lt_log(&audit->log, LT_INFO, "desk order", "order=%s uuid=%s by=%s params=%s result=%s",
			entry->order, lt_log_value(lt_str_from(entry->uuid), uuid),
			lt_log_value(lt_str_from(text), by),
			lt_log_value(lt_buf_str(&params), what),
			lt_log_value(lt_str_from(entry->error ? entry->error : "done"), result));
}

void lt_audit_add(struct lt_audit *audit, const struct lt_audit_entry *entry)
{
	cJSON *line = cJSON_CreateObject();

	log_entry(audit, entry);
	add_time(line, lt_loop_wall(audit->loop));
	lt_json_add_c(line, "order", entry->order);
	lt_json_add_c(line, "uuid", entry->uuid);
	lt_json_set_take(line, "params",
			entry->params ? cJSON_Duplicate(entry->params, true)
				      : cJSON_CreateObject());
	lt_json_set_take(line, "by", describe(entry->who));
	if (entry->error) {
		lt_json_add_c(line, "error", entry->error);
	}
	if (cJSON_GetArraySize(audit->waiting) >= WAITING_MAX) {
		cJSON_DeleteItemFromArray(audit->waiting, 0); /* the disk hangs; the log has it */
	}
	cJSON_AddItemToArray(audit->waiting, line);
	begin_writing(audit);
}

/* --- reading --- */

/* The end of the file from the beginning of a line; false: there is none. */
static bool read_end(const char *path, struct lt_buf *text)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	off_t size = fd >= 0 ? lseek(fd, 0, SEEK_END) : -1;
	off_t from = size > READ_BYTES_MAX ? size - READ_BYTES_MAX : 0;
	ssize_t n = -1;

	if (size > 0) {
		lt_buf_reserve(text, (size_t)(size - from));
		n = pread(fd, text->p, (size_t)(size - from), from);
	}
	if (fd >= 0) {
		close(fd);
	}
	if (n <= 0) {
		return false;
	}
	text->n = (size_t)n;
	if (from > 0) {
		const char *end = memchr(text->p, '\n', text->n);

		lt_buf_remove_front(text, end ? (size_t)(end - text->p) + 1 : text->n);
	}
	return true;
}

static void read_work(void *arg)
{
	struct reading *reading = arg;
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	struct lt_str rest;

	reading->lines = cJSON_CreateArray();
	if (!read_end(reading->path, &text)) {
		return;
	}
	rest = lt_buf_str(&text);
	while (rest.n > 0 && reading->count > 0) {
		const char *before = memrchr(rest.p, '\n', rest.n - 1);
		size_t start = before ? (size_t)(before - rest.p) + 1 : 0;
		struct lt_str line = lt_str_trim(lt_str_skip(rest, start));
		cJSON *json = lt_json_parse(line, NULL);

		if (cJSON_IsObject(json)) {
			cJSON_InsertItemInArray(reading->lines, 0, json);
			reading->count--;
		} else {
			cJSON_Delete(json);
		}
		rest.n = start;
	}
}

static void read_done(void *arg)
{
	struct reading *reading = arg;

	if (reading->audit) {
		DL_DELETE(reading->audit->readings, reading);
		reading->fn(reading->arg, LT_STEAL(reading->lines));
	}
	cJSON_Delete(reading->lines);
	lt_free(reading->path);
	lt_free(reading);
}

void lt_audit_read(struct lt_audit *audit, int64_t count, void (*fn)(void *arg, cJSON *lines),
		void *arg)
{
	struct reading *reading = lt_zalloc(sizeof(*reading));

	reading->audit = audit;
	reading->path = lt_strdup(audit->path);
	reading->count = LT_MIN(count, (int64_t)LT_AUDIT_READ_MAX);
	reading->fn = fn;
	reading->arg = arg;
	DL_APPEND(audit->readings, reading);
	lt_loop_work(audit->loop, read_work, read_done, reading);
}

void lt_audit_forget(struct lt_audit *audit, const void *arg)
{
	struct reading *reading, *next;

	DL_FOREACH_SAFE(audit->readings, reading, next) {
		if (reading->arg == arg) {
			DL_DELETE(audit->readings, reading);
			reading->audit = NULL;
		}
	}
}
