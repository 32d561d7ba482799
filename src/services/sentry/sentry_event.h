/*
 * The pure parts of error reports to Sentry: the DSN, the envelope, what may
 * not leave this machine, and the header that limits how much may be sent.
 */
#ifndef LT_SERVICES_SENTRY_SENTRY_EVENT_H
#define LT_SERVICES_SENTRY_SENTRY_EVENT_H

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/str.h"

struct lt_sentry_dsn {
	char *endpoint; /* URL that envelopes are posted to */
	char *key;
	char *text; /* as it was given */
};

/*
 * {http,https}://KEY[:SECRET]@HOST[:PORT][/PATH]/PROJECT. LT_E_INVALID says what
 * is missing, without quoting the DSN.
 */
bool lt_sentry_dsn_parse(struct lt_str text, struct lt_sentry_dsn *ret_dsn, struct lt_err *err);
void lt_sentry_dsn_finish(struct lt_sentry_dsn *dsn);

/*
 * Append the text with what must stay here replaced: URLs by [url], IP
 * addresses (with their ports) by [address], each of the secrets (a list that
 * ends with NULL; those under 4 bytes are left out) by [secret].
 */
void lt_sentry_scrub(struct lt_buf *buf, struct lt_str text, const char *const *secrets);

/* Whose reports these are. All borrowed. */
struct lt_sentry_origin {
	const char *release, *environment, *server_name;
	const char *const *secrets; /* ends with NULL */
};

/* Owned: an event of a log record. Fields that name clients are left out. */
cJSON *lt_sentry_record_event(
		const struct lt_sentry_origin *origin, const struct lt_log_record *record);

/* Owned: an event of the text that crash.h has collected. */
cJSON *lt_sentry_crash_event(const struct lt_sentry_origin *origin, struct lt_str crash);

/* Sets the event's id, and appends the envelope: three lines, each ended by LF. */
void lt_sentry_envelope(struct lt_buf *buf, const struct lt_sentry_dsn *dsn, cJSON *event,
		const char *event_id, struct lt_wall now);

/*
 * Seconds that X-Sentry-Rate-Limits says errors are not taken, a day at most; 0:
 * it does not. "60:error;default:organization, 2700::key"
 */
int64_t lt_sentry_rate_limit_s(struct lt_str header);

#endif
