/*
 * Error reports to Sentry (or what speaks its protocol): records of level error
 * from the log, and what a crash has left. Off when SENTRY_DSN is unset: then
 * nobody creates it.
 *
 * A report never holds anything up: it is queued (a few; the rest is counted)
 * and sent from the loop, one at a time. The same record goes out once in ten
 * seconds, all of them together twenty at once and six a minute. What the server
 * refuses or cannot take is dropped, without a queue of retries; a crash alone
 * is tried again a few times, since the network may come up after the daemon.
 * Secrets, URLs and addresses are replaced before anything is kept
 * (sentry_event.h). docs/error-reports.md is the operator's view.
 */
#ifndef LT_SERVICES_SENTRY_SENTRY_H
#define LT_SERVICES_SENTRY_SENTRY_H

#include "base/log.h"
#include "base/loop.h"
#include "base/random.h"
#include "net/fetch.h"

struct lt_sentry;

/* Texts are copied, the rest is borrowed and outlives the object. */
struct lt_sentry_env {
	struct lt_loop *loop;
	struct lt_random *random;
	struct lt_log log;
	struct lt_requests requests;
	const char *dsn, *release, *environment, *server_name;
	const char *const *secrets; /* ends with NULL; never part of a report */
	/* Appends the name of the service with this uuid, if there is one. NULL: nobody knows. */
	void (*name_service)(void *arg, struct lt_str uuid, struct lt_buf *ret_name);
	void *arg;
};

/* NULL: the DSN is malformed. */
struct lt_sentry *lt_sentry_create(const struct lt_sentry_env *env, struct lt_err *err);
void lt_sentry_destroy(struct lt_sentry *sentry); /* NULL is fine */

/* A tap for lt_log_sink_tap; arg is the object. Records below error are passed over. */
void lt_sentry_on_record(void *arg, const struct lt_log_record *record);

/* Report a crash of an earlier run, as crash.h has collected it. */
void lt_sentry_crash(struct lt_sentry *sentry, struct lt_str text);

/* livetiming_error_reports_total{result="sent", "failed", "dropped"}. */
void lt_sentry_write_metrics(const struct lt_sentry *sentry, struct lt_buf *buf);

#endif
