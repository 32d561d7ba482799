/*
 * Inside of live analysis: analysis.c (updates, work, life), analysis_calls.c
 * (what is answered).
 */
#ifndef LT_SERVICES_ANALYSIS_ANALYSIS_PRIV_H
#define LT_SERVICES_ANALYSIS_ANALYSIS_PRIV_H

#include "base/table.h"
#include "race/analysis/publisher.h"
#include "services/analysis/analysis.h"

struct lt_local;

#define LT_LIVE_QUESTIONS_MAX 64

/* An update that waits while a worker has the analysis. */
struct lt_live_pending {
	cJSON *state, *messages; /* state NULL: a new session begins */
	struct lt_wall now;
	struct lt_live_pending *prev, *next;
};

/* A retained topic, to be forgotten with the service. */
struct lt_live_topic {
	UT_hash_handle hh;
	char *name;
};

enum lt_live_procedure { LT_LIVE_WHOLE, LT_LIVE_MANIFEST, LT_LIVE_CAR_LIST, LT_LIVE_PROCEDURES };

/* What a worker is to do with the analysis of one service; several at once. */
struct lt_live_job {
	bool loads, saves, answers;
	cJSON *reshape; /* column specification to go on with; NULL: none */
	struct lt_buf answer;
	struct lt_err load_err, save_err;
	uint64_t questions[LT_LIVE_QUESTIONS_MAX]; /* invocations that get the answer */
	size_t question_count;
};

struct lt_live {
	struct lt_analyses *analyses; /* NULL: gone, while a worker is busy */
	char *uuid, *path;            /* path NULL: not saved */
	bool has_analysis, continues;
	bool has_gone; /* the service; freed when all is saved */
	cJSON *col_spec;
	double poll_interval_s;
	struct lt_analysis *analysis; /* the worker's while is_busy; NULL: not described yet */
	struct lt_analysis_publisher *publisher;
	bool is_busy, is_dirty, save_failed;
	bool is_publishing; /* begins with the first update: empty data would only delay it */
	struct lt_live_job job;
	struct lt_live_job next; /* what the worker is to do after that */
	struct lt_live_pending *pending;
	size_t pending_count;
	struct lt_live_topic *topics;
	uint64_t registrations[LT_LIVE_PROCEDURES];
	int64_t saved_at_s; /* monotonic */
	struct lt_live *prev, *nxt;
};

struct lt_analyses {
	struct lt_analyses_env env;
	char *dir;
	struct lt_local *local; /* NULL: not started */
	struct lt_live *entries;
	struct lt_timer tick;
	void (*stopped)(void *arg);
	void *stopped_arg;
	struct lt_deferred stopped_call;
};

/* Hand the analysis to a worker, when `next` has something to do and none has it. */
void lt_live_work(struct lt_live *entry);

/* Register the procedures of a service; withdraw those that are registered. */
bool lt_live_offer(struct lt_live *entry, struct lt_err *err);
void lt_live_withdraw(struct lt_live *entry);

#endif
