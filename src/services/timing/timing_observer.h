/*
 * What a timing service tells those who follow it (analysis, recordings), and
 * how they get to do so: the daemon hands watchers to the manager of services,
 * which asks each of them whenever a service is about to start. So neither side
 * includes the other.
 *
 * Calls are made on the loop, in the order in which the watchers were given.
 * Everything handed over is borrowed for the call.
 */
#ifndef LT_SERVICES_TIMING_TIMING_OBSERVER_H
#define LT_SERVICES_TIMING_TIMING_OBSERVER_H

#include <stdbool.h>

#include "base/clock.h"
#include "base/json.h"

/* What an update was. */
struct lt_timing_update {
	const cJSON *old_state, *new_state, *col_spec;
	const cJSON *messages; /* new ones, in their order */
	struct lt_wall now;
};

/* Each function may be NULL. */
struct lt_timing_observer {
	/* The manifest is there, or has changed. */
	void (*described)(void *arg, const cJSON *manifest);
	void (*update)(void *arg, const struct lt_timing_update *update);
	void (*new_session)(void *arg);
	/* A state went out: its JSON text as viewers get it, and the date of the event, unix ms. */
	void (*published)(void *arg, struct lt_str state, int64_t date_ms);
	/* The service has ended: the last call. */
	void (*stopped)(void *arg);
	void *arg;
};

/* A service that is about to start. */
struct lt_timing_about {
	struct lt_str uuid;
	bool has_analysis;          /* no --disable-analysis */
	bool continues;             /* starts with a state, so it goes on with what it was */
	bool keeps_files;           /* no --no-write-state */
	const char *recording_file; /* --recording-file; NULL: none */
};

struct lt_timing_watcher {
	/*
	 * Fill *ret_observer, which is zeroed, or leave it alone. False refuses the
	 * service: it does not start, and err is the reason.
	 */
	bool (*attach)(void *arg, const struct lt_timing_about *about,
			struct lt_timing_observer *ret_observer, struct lt_err *err);
	void *arg;
};

#endif
