/*
 * What the daemon tells the world of its own accord: events that start
 * (announcements), errors (Sentry), and how its last run ended (crash files).
 * Wiring alone, a part of daemon.c.
 */
#ifndef LT_DAEMON_REPORTS_H
#define LT_DAEMON_REPORTS_H

#include "base/log.h"
#include "base/loop.h"
#include "daemon/conf.h"

struct lt_announce;
struct lt_fetcher;
struct lt_random;
struct lt_reports;
struct lt_schedule_event;
struct lt_services;

/* All borrowed; they outlive the object. */
struct lt_reports_env {
	struct lt_loop *loop;
	struct lt_random *random;
	struct lt_log_sink *log_sink; /* tapped while the object lives */
	struct lt_fetcher *fetcher;
	struct lt_services *services; /* their names, for error reports */
	const struct lt_daemon_conf *conf;
};

/* NULL: SENTRY_DSN cannot be used. */
struct lt_reports *lt_reports_create(const struct lt_reports_env *env, struct lt_err *err);
void lt_reports_destroy(struct lt_reports *reports); /* NULL is fine */

/* An event of the schedule has begun (for lt_daemon_schedule; arg is the object): announce it. */
void lt_reports_on_event(void *arg, const struct lt_schedule_event *event);

/* The state directory exists, and is ours: tell of the last run, and go on announcing. */
void lt_reports_start(struct lt_reports *reports);

/*
 * Other settings, which were checked, for what `changed` names. Error reports that wait to be sent
 * are lost with the old ones.
 */
#define LT_REPORTS_ANNOUNCE 1u
#define LT_REPORTS_SENTRY   2u
void lt_reports_set_conf(
		struct lt_reports *reports, const struct lt_daemon_conf *conf, unsigned changed);

struct lt_announce *lt_reports_announce(const struct lt_reports *reports);
void lt_reports_write_metrics(const struct lt_reports *reports, struct lt_buf *buf);

#endif
