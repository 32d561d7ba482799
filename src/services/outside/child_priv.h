/*
 * Inside of child.h: child.c (life and death), child_spawn.c (a process with
 * its channel), child_output.c (what it prints).
 */
#ifndef LT_SERVICES_OUTSIDE_CHILD_PRIV_H
#define LT_SERVICES_OUTSIDE_CHILD_PRIV_H

#include <sys/types.h>

#include "net/backoff.h"
#include "services/outside/child.h"

#define LT_CHILD_DEATHS_MAX 64

enum lt_child_state {
	LT_CHILD_WAITING, /* for its time, or for the one before to go */
	LT_CHILD_RUNNING,
	LT_CHILD_ENDED, /* for good */
};

struct lt_child {
	struct lt_children *children;
	struct lt_child_opts opts;
	char *uuid;
	struct lt_args args;
	enum lt_child_state state;
	bool is_released, is_stopping;
	pid_t pid;           /* 0: none */
	int channel, output; /* -1: closed */
	struct lt_watch channel_watch, output_watch;
	struct lt_buf input, line;
	struct lt_timer timer;  /* next start; then how long a stop may take */
	struct lt_timer reaper; /* the channel has ended, the process not yet */
	int64_t ending_since_us;
	struct lt_timer silence; /* how long it may say nothing */
	bool is_hung;
	struct lt_backoff backoff;
	int64_t started_us;
	int64_t died_us[LT_CHILD_DEATHS_MAX]; /* the newest first */
	unsigned deaths;
	cJSON *report;
	char *failure; /* what it said itself */
	struct lt_deferred failed_call;
	struct lt_child *prev, *next;
};

struct lt_children {
	struct lt_children_env env;
	char *program;
	char **settings;
	struct lt_child *list;
	bool is_stopping;
	void (*done)(void *arg);
	void *done_arg;
	struct lt_deferred done_call;
};

/* A new process; sets pid, channel and output. */
bool lt_child_spawn(struct lt_child *child, bool continues, struct lt_err *err);

/* Lines of the child into the daemon's log; `last`: also what has no end yet. */
void lt_child_take_output(struct lt_child *child, struct lt_str bytes, bool last);

#endif
