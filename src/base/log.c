#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"

#define FIELDS_MAX 4096

struct lt_log_sink {
	enum lt_level level;
	enum lt_log_format format;
	int fd;     /* -1: none */
	char *path; /* of a file that is ours; NULL: none */
	bool is_journal;
	struct lt_log_sink *also; /* borrowed */
	void (*fn)(void *arg, enum lt_level level, struct lt_str line);
	void *arg;
	void (*tap)(void *arg, const struct lt_log_record *record);
	void *tap_arg;
};

static const char *const level_names[] = {
	[LT_ERROR] = "error",
	[LT_WARN] = "warn",
	[LT_INFO] = "info",
	[LT_DEBUG] = "debug",
};

/* syslog's numbers, as the journal reads them from "<N>" at the start of a line */
static const char journal_priority[] = {
	[LT_ERROR] = '3',
	[LT_WARN] = '4',
	[LT_INFO] = '6',
	[LT_DEBUG] = '7',
};

/* --- escaping --- */

/* Length of the printable character at the start of s; 0 when its first byte must be escaped. */
static size_t printable_bytes(struct lt_str s)
{
	unsigned char c = (unsigned char)s.p[0];
	size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

	if (n == 1) {
		return c >= 0x20 && c != 0x7f;
	}
	if (c < 0xc2 || n > s.n || !lt_utf8_valid((struct lt_str){ s.p, n })) {
		return 0;
	}
	/* C1 controls drive terminals as well, and U+2028 and U+2029 end lines */
	if (c == 0xc2 && (unsigned char)s.p[1] < 0xa0) {
		return 0;
	}
	if (n == 3 &&
			(memcmp(s.p, "\xe2\x80\xa8", 3) == 0 ||
					memcmp(s.p, "\xe2\x80\xa9", 3) == 0)) {
		return 0;
	}
	return n;
}

/* The whole line, last: no control byte gets past this, whatever the caller forgot. */
static void add_escaped(struct lt_buf *buf, struct lt_str text)
{
	while (text.n > 0) {
		size_t n = printable_bytes(text);

		if (n) {
			lt_buf_add(buf, text.p, n);
		} else {
			lt_buf_printf(buf, "\\x%02x", (unsigned char)text.p[0]);
			n = 1;
		}
		text = lt_str_skip(text, n);
	}
}

static bool needs_quotes(struct lt_str text)
{
	if (text.n == 0) {
		return true;
	}
	while (text.n > 0) {
		size_t n = printable_bytes(text);

		if (n == 0 || strchr(" \"\\=", text.p[0])) {
			return true;
		}
		text = lt_str_skip(text, n);
	}
	return false;
}

const char *lt_log_value(struct lt_str text, char buf[LT_LOG_VALUE_MAX])
{
	bool quoted = needs_quotes(text);
	size_t room = LT_LOG_VALUE_MAX - sizeof("...\"");
	size_t used = 0;

	if (quoted) {
		buf[used++] = '"';
	}
	while (text.n > 0) {
		size_t n = printable_bytes(text);
		char piece[8];
		size_t piece_n = n;

		if (n == 0) {
			piece_n = (size_t)snprintf(
					piece, sizeof(piece), "\\x%02x", (unsigned char)text.p[0]);
			n = 1;
		} else if (text.p[0] == '"' || text.p[0] == '\\') {
			piece[0] = '\\';
			piece[1] = text.p[0];
			piece_n = 2;
		} else {
			memcpy(piece, text.p, n);
		}
		if (used + piece_n > room) {
			memcpy(buf + used, "...", 3);
			used += 3;
			break;
		}
		memcpy(buf + used, piece, piece_n);
		used += piece_n;
		text = lt_str_skip(text, n);
	}
	if (quoted) {
		buf[used++] = '"';
	}
	buf[used] = '\0';
	return buf;
}

/* --- one record as a line --- */

static void format_text(struct lt_buf *line, const struct lt_log_record *record, bool with_time)
{
	if (with_time) {
		char time[LT_WALL_TEXT];

		lt_wall_format(record->time, time);
		lt_buf_printf(line, "%s ", time);
	}
	lt_buf_printf(line, "%-5s %s: ", level_names[record->level], record->module);
	add_escaped(line, lt_str_from(record->phrase));
	if (record->fields.n) {
		lt_buf_add_char(line, ' ');
		lt_buf_add_str(line, record->fields);
	}
}

/* Cut the next word off, spaces inside double quotes included. */
static struct lt_str next_word(struct lt_str *rest)
{
	struct lt_str word = { rest->p, 0 };
	bool in_quotes = false;

	while (word.n < rest->n && (in_quotes || word.p[word.n] != ' ')) {
		if (in_quotes && word.p[word.n] == '\\' && word.n + 1 < rest->n) {
			word.n++;
		} else if (word.p[word.n] == '"') {
			in_quotes = !in_quotes;
		}
		word.n++;
	}
	*rest = lt_str_skip(*rest, word.n);
	while (rest->n > 0 && rest->p[0] == ' ') {
		*rest = lt_str_skip(*rest, 1);
	}
	return word;
}

/* What lt_log_value made, made plain: the quotes and the backslashes before \ and ". */
static void add_unquoted(struct lt_buf *buf, struct lt_str value)
{
	if (value.n < 2 || value.p[0] != '"' || value.p[value.n - 1] != '"') {
		lt_buf_add_str(buf, value);
		return;
	}
	for (size_t i = 1; i < value.n - 1; i++) {
		if (value.p[i] == '\\' && i + 1 < value.n - 1 &&
				(value.p[i + 1] == '"' || value.p[i + 1] == '\\')) {
			i++;
		}
		lt_buf_add_char(buf, value.p[i]);
	}
}

static bool is_field(struct lt_str word)
{
	const char *eq = word.n ? memchr(word.p, '=', word.n) : NULL;

	return eq && eq > word.p && !memchr(word.p, '"', (size_t)(eq - word.p));
}

static void add_json_member(struct lt_buf *line, struct lt_str key, const struct lt_buf *value)
{
	if (line->p[line->n - 1] != '{') {
		lt_buf_add_c(line, ", ");
	}
	lt_json_write_str(line, key);
	lt_buf_add_c(line, ": ");
	lt_json_write_str(line, lt_buf_str(value));
}

bool lt_log_next_field(struct lt_str *fields, struct lt_str *ret_key, struct lt_buf *ret_value)
{
	struct lt_str rest = *fields, word;

	lt_buf_clear(ret_value);
	if (!rest.n) {
		return false;
	}
	word = next_word(&rest);
	*ret_key = LT_STR("text");
	if (is_field(word)) {
		*ret_key = (struct lt_str){ word.p, 0 };
		ret_key->n = (size_t)((const char *)memchr(word.p, '=', word.n) - word.p);
		word = lt_str_skip(word, ret_key->n + 1);
	}
	add_unquoted(ret_value, word);
	while (rest.n) {
		*fields = rest;
		word = next_word(&rest);
		if (is_field(word)) {
			return true;
		}
		lt_buf_add_char(ret_value, ' ');
		add_unquoted(ret_value, word);
	}
	*fields = rest;
	return true;
}

static void add_json_fields(struct lt_buf *line, struct lt_str fields)
{
	LT_AUTO(lt_buf_finish) struct lt_buf value = { 0 };
	struct lt_str key;

	lt_buf_add_c(line, ", \"fields\": {");
	while (lt_log_next_field(&fields, &key, &value)) {
		add_json_member(line, key, &value);
	}
	lt_buf_add_char(line, '}');
}

static void format_json(struct lt_buf *line, const struct lt_log_record *record)
{
	char time[LT_WALL_TEXT];

	lt_wall_format(record->time, time);
	lt_buf_printf(line, "{\"time\": \"%s\", \"level\": \"%s\", \"module\": ", time,
			level_names[record->level]);
	lt_json_write_str(line, lt_str_from(record->module));
	lt_buf_add_c(line, ", \"message\": ");
	lt_json_write_str(line, lt_str_from(record->phrase));
	if (record->fields.n) {
		add_json_fields(line, record->fields);
	}
	lt_buf_add_char(line, '}');
}

/* --- sinks --- */

/* One write a line, so that lines of several processes do not mix in a file. */
static void write_line(int fd, struct lt_str line)
{
	while (line.n > 0) {
		ssize_t n = write(fd, line.p, line.n);

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			return; /* nowhere left to report it */
		}
		line = lt_str_skip(line, (size_t)n);
	}
}

static void emit(struct lt_log_sink *sink, const struct lt_log_record *record)
{
	LT_AUTO(lt_buf_finish) struct lt_buf line = { 0 };

	if (sink->also) {
		emit(sink->also, record);
	}
	if (record->level > sink->level) {
		return;
	}
	if (sink->tap) {
		sink->tap(sink->tap_arg, record);
	}
	if (sink->is_journal) {
		lt_buf_printf(&line, "<%c>", journal_priority[record->level]);
	}
	if (sink->format == LT_LOG_JSON) {
		format_json(&line, record);
	} else {
		format_text(&line, record, !sink->is_journal);
	}
	if (sink->fn) {
		sink->fn(sink->arg, record->level, lt_buf_str(&line));
	}
	if (sink->fd >= 0) {
		lt_buf_add_char(&line, '\n');
		write_line(sink->fd, lt_buf_str(&line));
	}
}

static struct lt_log_sink *create_sink(enum lt_level level, enum lt_log_format format, int fd)
{
	struct lt_log_sink *sink = lt_zalloc(sizeof(*sink));

	sink->level = level;
	sink->format = format;
	sink->fd = fd;
	return sink;
}

/* systemd names the device and inode of the stream it reads: stderr may be redirected since. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char ours[64];
	struct stat st;

	if (!stream || fstat(STDERR_FILENO, &st) < 0) {
		return false;
	}
	snprintf(ours, sizeof(ours), "%llu:%llu", (unsigned long long)st.st_dev,
			(unsigned long long)st.st_ino);
	return strcmp(stream, ours) == 0;
}

struct lt_log_sink *lt_log_sink_stderr(enum lt_level level, enum lt_log_format format)
{
	struct lt_log_sink *sink = create_sink(level, format, STDERR_FILENO);

	sink->is_journal = stderr_is_journal();
	return sink;
}

static int open_file(const char *path, struct lt_err *err)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0644);

	if (fd < 0) {
		lt_err_errno(err, "cannot open log file %s", path);
	}
	return fd;
}

struct lt_log_sink *lt_log_sink_file(const char *path, enum lt_level level,
		enum lt_log_format format, struct lt_log_sink *also, struct lt_err *err)
{
	struct lt_log_sink *sink;
	int fd = open_file(path, err);

	if (fd < 0) {
		return NULL;
	}
	sink = create_sink(level, format, fd);
	sink->path = lt_strdup(path);
	sink->also = also;
	return sink;
}

struct lt_log_sink *lt_log_sink_fn(enum lt_level level,
		void (*fn)(void *arg, enum lt_level level, struct lt_str line), void *arg)
{
	struct lt_log_sink *sink = create_sink(level, LT_LOG_TEXT, -1);

	sink->fn = fn;
	sink->arg = arg;
	return sink;
}

bool lt_log_sink_reopen(struct lt_log_sink *sink, struct lt_err *err)
{
	int fd = sink->path ? open_file(sink->path, err) : -1;

	if (fd < 0) {
		return sink->path == NULL;
	}
	close(sink->fd);
	sink->fd = fd;
	return true;
}

void lt_log_sink_destroy(struct lt_log_sink *sink)
{
	if (sink && sink->path) {
		close(sink->fd);
		lt_free(sink->path);
	}
	lt_free(sink);
}

void lt_log_sink_tap(struct lt_log_sink *sink,
		void (*fn)(void *arg, const struct lt_log_record *record), void *arg)
{
	sink->tap = fn;
	sink->tap_arg = arg;
}

void lt_log_sink_set_level(struct lt_log_sink *sink, enum lt_level level)
{
	sink->level = level;
}

bool lt_level_parse(struct lt_str text, enum lt_level *ret_level, struct lt_err *err)
{
	char shown[LT_LOG_VALUE_MAX];

	for (size_t i = 0; i < LT_ARRAY_LEN(level_names); i++) {
		if (lt_str_eq_c(text, level_names[i])) {
			*ret_level = (enum lt_level)i;
			return true;
		}
	}
	return lt_err_set(err, LT_E_INVALID,
			"unknown log level %.100s: one of error, warn, info, debug",
			lt_log_value(text, shown));
}

static bool is_wanted(const struct lt_log_sink *sink, enum lt_level level)
{
	return sink && (level <= sink->level || is_wanted(sink->also, level));
}

void lt_log(const struct lt_log *log, enum lt_level level, const char *phrase,
		const char *fields_fmt, ...)
{
	LT_AUTO(lt_buf_finish) struct lt_buf fields = { 0 };
	struct lt_log_record record = { .level = level, .phrase = phrase };

	if (!log || !is_wanted(log->sink, level)) {
		return;
	}
	if (fields_fmt) {
		char text[FIELDS_MAX];
		va_list args;

		va_start(args, fields_fmt);
		vsnprintf(text, sizeof(text), fields_fmt, args);
		va_end(args);
		add_escaped(&fields, lt_str_from(text));
	}
	record.module = log->module ? log->module : "main";
	record.fields = lt_buf_str(&fields);
	record.time = lt_clock_wall();
	emit(log->sink, &record);
}
