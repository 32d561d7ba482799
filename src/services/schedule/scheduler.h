/*
 * Starts and stops services by calendars: reads them every so often
 * (schedule_source.h), decides once a minute (schedule_core.h), and tells what
 * is to come on livetiming.scheduler (class 6, retained) and by the procedure
 * livetiming.schedule.list.
 *
 * What it needs of services it has by callbacks. Events in progress and what
 * was announced survive in STATE_DIR/scheduler.json. `started` is called once
 * for each event that begins, hidden ones included, when that is on disk.
 * Without a calendar it does nothing but answer.
 */
#ifndef LT_SERVICES_SCHEDULE_SCHEDULER_H
#define LT_SERVICES_SCHEDULE_SCHEDULER_H

#include "base/json.h"
#include "base/log.h"
#include "base/loop.h"
#include "net/fetch.h"
#include "services/schedule/schedule_core.h"

struct lt_router;
struct lt_scheduler;

/* How the scheduler acts on services; as in schedule_core.h. Required but for the last. */
struct lt_scheduler_services {
	bool (*service)(void *arg, size_t i, struct lt_schedule_service *ret_service);
	bool (*start)(void *arg, const struct lt_args *command, struct lt_str *ret_uuid,
			struct lt_err *err);
	bool (*restart)(void *arg, const char *uuid, struct lt_err *err);
	bool (*stop)(void *arg, const char *uuid, struct lt_err *err);
	/* Would it start? Nothing is made. */
	bool (*check)(void *arg, const struct lt_args *command, struct lt_err *err);
	/* An event has begun. Borrowed for the call. NULL: nobody asks. */
	void (*started)(void *arg, const struct lt_schedule_event *event);
};

struct lt_scheduler_times {
	int64_t fetch_s;         /* between readings of the calendars */
	int64_t loop_s;          /* between looks at what is due */
	int64_t lead_s, trail_s; /* before the start, behind the end */
	int64_t timeout_s;       /* of a request */
};

/* Borrowed: loop, router, services. Texts are copied. */
struct lt_scheduler_env {
	struct lt_loop *loop;
	struct lt_log log;
	struct lt_router *router; /* with the realm LT_REALM and the role services */
	struct lt_requests requests;
	const char *urls; /* LIVETIMING_CALENDAR_URL; was checked. NULL: none */
	const char *state_dir;
	const char *local_zone; /* TZ; NULL: /etc/localtime */
	bool fresh;             /* forget events in progress */
	bool is_standby;        /* until lt_scheduler_set_active says otherwise */
	struct lt_scheduler_times times;
	const struct lt_scheduler_services *services;
	void *arg; /* handed to services */
};

struct lt_scheduler *lt_scheduler_create(const struct lt_scheduler_env *env);
void lt_scheduler_destroy(struct lt_scheduler *scheduler); /* stops first; NULL is fine */

/* After the services have come back: what runs is held against what was kept. */
bool lt_scheduler_start(struct lt_scheduler *scheduler, struct lt_err *err);
/* Before the services stop: leaves them as they are, for the next run. */
void lt_scheduler_stop(struct lt_scheduler *scheduler);

/*
 * Act, or stand by: another node acts. Who stands by reads the calendars and
 * answers, but starts and stops nothing and publishes nothing; what it had
 * started when that begins is stopped, for the other starts it. Who takes over
 * does not call `started` for events that have long begun: the other did.
 */
void lt_scheduler_set_active(struct lt_scheduler *scheduler, bool is_active);

/* Other calendars and times (SIGHUP); all are read now. */
void lt_scheduler_reload(struct lt_scheduler *scheduler, const char *urls,
		const struct lt_scheduler_times *times);

/*
 * Read all calendars now, and look at what is due. done is called once, with
 * the result of lt_scheduler_show, or NULL when the scheduler stops first.
 *
 * Errors     LT_E_UNAVAILABLE no calendar is set; LT_E_LIMIT too many wait already
 */
bool lt_scheduler_sync(struct lt_scheduler *scheduler, void (*done)(void *arg, cJSON *result_take),
		void *arg, struct lt_err *err);

/*
 * {"calendars": [{"from", "events", "readAt": unix ms or null, "fromCopy", "problem"?}],
 *  "events": [as lt_schedule_core_show], "mistakes": [{"from", "name", "start": unix ms or
 *  null, "problem"}], "lead_s", "trail_s"}; owned by the caller. Mistakes are those of the
 * calendars and, of the next 200 different titles, command lines that would not start.
 */
cJSON *lt_scheduler_show(struct lt_scheduler *scheduler);

struct lt_scheduler_stats {
	size_t calendars, failing; /* failing: the last reading was no success */
	int64_t age_s;             /* since the oldest was last read; -1: one never was */
	size_t mistakes;           /* of events, at the last reading */
	struct lt_schedule_stats events;
};
void lt_scheduler_report(
		const struct lt_scheduler *scheduler, struct lt_scheduler_stats *ret_stats);

/* livetiming_schedule_...; nothing without a calendar. */
void lt_scheduler_write_metrics(const struct lt_scheduler *scheduler, struct lt_buf *buf);

#endif
