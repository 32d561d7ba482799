/*
 * Inside of the scheduler: scheduler.c acts, scheduler_show.c tells.
 */
#ifndef LT_SERVICES_SCHEDULE_SCHEDULER_PRIV_H
#define LT_SERVICES_SCHEDULE_SCHEDULER_PRIV_H

#include "router/local.h"
#include "services/schedule/schedule_source.h"
#include "services/schedule/scheduler.h"

#define LT_SCHEDULER_SOURCES_MAX 50

/* An event that has begun and is not told of yet. */
struct lt_scheduler_begun {
	struct lt_schedule_event event;
	bool is_saved; /* a write that has it is under way */
	struct lt_scheduler_begun *prev, *next;
};

/* Somebody who waits for a reading. */
struct lt_scheduler_waiter {
	void (*done)(void *arg, cJSON *result_take);
	void *arg;
	struct lt_scheduler_waiter *prev, *next;
};

struct lt_scheduler_save;

struct lt_scheduler {
	struct lt_scheduler_env env;
	char *state_dir, *state_path, *local_zone;
	struct lt_schedule_core *core;
	struct lt_schedule_source **sources;
	size_t n;
	struct lt_local *local; /* NULL: stopped */
	struct lt_timer fetch_timer, loop_timer;
	struct lt_deferred merge;
	struct lt_scheduler_save *save; /* the write under way; NULL: none */
	bool is_save_due;               /* something changed meanwhile */
	bool is_save_failing;
	struct lt_scheduler_begun *begun;
	struct lt_scheduler_waiter *waiters;
	int waiter_count;
	size_t mistakes;      /* of command lines, at the last reading */
	bool is_told;         /* the first reading was logged */
	bool is_standby;      /* another node acts */
	int64_t told_until_s; /* that node has told of events which began before this; 0: there was
				 none */
};

int64_t lt_scheduler_now_s(const struct lt_scheduler *scheduler);

/* Command lines of the next events that would not start: fn for each, how many there are. */
size_t lt_scheduler_check_events(struct lt_scheduler *scheduler,
		void (*fn)(void *arg, const struct lt_schedule_event *event, const char *sentence),
		void *arg);

#endif
