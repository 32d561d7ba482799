/*
 * One line a record: time, level, module, a fixed phrase, then key=value.
 *
 *   lt_log(log, LT_INFO, "session joined", "realm=%s session=%" PRIu64, realm, id);
 *
 * Untrusted text in it is escaped (control bytes, quotes, invalid UTF-8), so a
 * peer cannot forge a line. Never log secrets. A sink is shared by the loggers
 * made from it; each carries a module name. Levels: error, an operator must
 * act; warn, degraded, and what we do instead; info, life cycle; debug, free.
 */
#ifndef LT_BASE_LOG_H
#define LT_BASE_LOG_H

#include <stdbool.h>

#include "base/base.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"

enum lt_level { LT_ERROR, LT_WARN, LT_INFO, LT_DEBUG };
enum lt_log_format { LT_LOG_TEXT, LT_LOG_JSON };

struct lt_log_sink;

struct lt_log {
	struct lt_log_sink *sink; /* NULL swallows everything */
	const char *module;       /* static text */
};

/* To stderr; journal priority prefixes when stderr is the journal ($JOURNAL_STREAM). */
struct lt_log_sink *lt_log_sink_stderr(enum lt_level level, enum lt_log_format format);
/* Appends to a file (0644), and passes records on to `also` if that is not NULL. */
struct lt_log_sink *lt_log_sink_file(const char *path, enum lt_level level,
		enum lt_log_format format, struct lt_log_sink *also, struct lt_err *err);
/* For tests: calls fn with each finished line. */
struct lt_log_sink *lt_log_sink_fn(enum lt_level level,
		void (*fn)(void *arg, enum lt_level level, struct lt_str line), void *arg);
/*
 * Open the file anew under its name, after log rotation has moved it; on
 * failure the old one goes on. Sinks without a file: true.
 */
bool lt_log_sink_reopen(struct lt_log_sink *sink, struct lt_err *err);
void lt_log_sink_destroy(struct lt_log_sink *sink);

/* A record before it is a line. Borrowed for the call. */
struct lt_log_record {
	enum lt_level level;
	const char *module;
	const char *phrase;
	struct lt_str fields; /* "key=value key=value", escaped; may be empty */
	struct lt_wall time;
};

/*
 * Also call fn with every record that passes this sink's level, those of file
 * sinks in front of it included. One fn a sink; NULL: none. fn may log.
 */
void lt_log_sink_tap(struct lt_log_sink *sink,
		void (*fn)(void *arg, const struct lt_log_record *record), void *arg);

/*
 * Cut the next field off a record's: the value as it was before lt_log_value. A
 * word without '=' belongs to the value before it. False: there is none left.
 */
bool lt_log_next_field(struct lt_str *fields, struct lt_str *ret_key, struct lt_buf *ret_value);
void lt_log_sink_set_level(struct lt_log_sink *sink, enum lt_level level);

bool lt_level_parse(struct lt_str text, enum lt_level *ret_level, struct lt_err *err);

/* fields_fmt may be NULL. */
void lt_log(const struct lt_log *log, enum lt_level level, const char *phrase,
		const char *fields_fmt, ...) LT_PRINTF(4, 5);

/* Escapes untrusted text into buf for use as a value in lt_log: quoted when it has spaces. */
#define LT_LOG_VALUE_MAX 256
const char *lt_log_value(struct lt_str text, char buf[LT_LOG_VALUE_MAX]);

#endif
