/*
 * One calendar of the scheduler: its URL (http, https or file), what was read
 * from it last, and a copy of that on disk (STATE_DIR/calendar-HASH.ics), which
 * stands in while the source is down and at the start.
 *
 * A reading is a request with the ETag of the last one, of bounded size and
 * time; then the text is understood and stored by a worker. Whatever fails,
 * the events that are known stay, read once more from the copy, so that rules
 * go on. The URL may be a secret: only `shown` may be told.
 */
#ifndef LT_SERVICES_SCHEDULE_SCHEDULE_SOURCE_H
#define LT_SERVICES_SCHEDULE_SCHEDULE_SOURCE_H

#include "base/log.h"
#include "base/loop.h"
#include "net/fetch.h"
#include "services/schedule/schedule_calendar.h"

struct lt_schedule_source;

/* All borrowed; they outlive the source. */
struct lt_schedule_source_env {
	struct lt_loop *loop;
	struct lt_log log;
	struct lt_requests requests;
	const char *state_dir;
	const char *local_zone; /* as in lt_ical_opts */
	uint32_t timeout_ms;    /* of a request */
	/* A reading has ended, well or not; or, before the first, the copy was read. */
	void (*done)(void *arg, struct lt_schedule_source *source);
	void *arg;
};

/*
 * The URLs of a setting, separated by commas (a comma that no scheme follows
 * belongs to the URL). fn is called for each; borrowed for the call.
 *
 * Errors     LT_E_INVALID another scheme, no host; names no URL
 */
bool lt_schedule_urls(struct lt_str setting, void (*fn)(void *arg, struct lt_str url), void *arg,
		struct lt_err *err);

struct lt_schedule_source *lt_schedule_source_create(
		const struct lt_schedule_source_env *env, struct lt_str url);
/* What is under way ends without a word. NULL is fine. */
void lt_schedule_source_destroy(struct lt_schedule_source *source);

/* Read it now; nothing when a reading is under way. `done` follows, never at once. */
void lt_schedule_source_read(struct lt_schedule_source *source);

struct lt_schedule_source_state {
	const char *shown; /* scheme and host, or the name of the file */
	bool is_reading;
	bool is_known;       /* there are events, from the source or the copy */
	bool is_from_copy;   /* the source itself was not read yet */
	const char *problem; /* why the last reading failed; NULL: it did not */
	int64_t read_s; /* unix time at which the source was last read or unchanged; 0: never */
	const struct lt_schedule_calendar *calendar; /* borrowed until the next `done` */
};
void lt_schedule_source_report(
		const struct lt_schedule_source *source, struct lt_schedule_source_state *ret);
bool lt_schedule_source_has_url(const struct lt_schedule_source *source, struct lt_str url);
/* Name of its copy in the state directory. Borrowed. */
const char *lt_schedule_source_copy(const struct lt_schedule_source *source);

#endif
