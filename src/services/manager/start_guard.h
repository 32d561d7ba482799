/*
 * Notices that the daemon dies again and again soon after its start, and finds
 * the service that does it.
 *
 * A file in the state directory says that the daemon runs. A start that finds
 * it so was preceded by a death; one that has lasted settle_s has succeeded,
 * and the deaths before it are forgotten. After `limit` deaths in a row a start
 * is careful: services are started one by one, each after the last has lasted
 * a step, and the file names the one that is being started. When the daemon
 * dies then, that one is left out of the following starts, until an operator
 * restarts or stops it, or starts the daemon with --fresh.
 *
 * The file is written while the daemon waits: it is small, and must be there
 * before what may end the daemon is begun. A file that cannot be read counts as
 * none; one that cannot be written is reported, and the daemon goes on.
 */
#ifndef LT_SERVICES_MANAGER_START_GUARD_H
#define LT_SERVICES_MANAGER_START_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"
#include "base/loop.h"
#include "base/str.h"

struct lt_start_guard;

struct lt_start_guard_env {
	struct lt_loop *loop;
	struct lt_log log;
	const char *state_dir; /* copied */
	unsigned limit;        /* deaths; 0: never careful, nothing is written */
	int64_t settle_s;      /* a sixth of it is the step */
};

struct lt_start_guard *lt_start_guard_create(const struct lt_start_guard_env *env);
void lt_start_guard_destroy(struct lt_start_guard *guard); /* NULL is fine */

/* The daemon starts; forget: as if it had never died. True: be careful. */
bool lt_start_guard_begin(struct lt_start_guard *guard, bool forget);
/* A careful start is about to start this service; empty: no more. */
void lt_start_guard_mark(struct lt_start_guard *guard, struct lt_str uuid);
int64_t lt_start_guard_step_ms(const struct lt_start_guard *guard);
/* All services are started: it has succeeded when this lasts. */
void lt_start_guard_all_started(struct lt_start_guard *guard);
/* The daemon ends in order. */
void lt_start_guard_end(struct lt_start_guard *guard);

unsigned lt_start_guard_deaths(const struct lt_start_guard *guard);
bool lt_start_guard_is_left_out(const struct lt_start_guard *guard, struct lt_str uuid);
/* An operator wants it again, or no more. */
void lt_start_guard_forgive(struct lt_start_guard *guard, struct lt_str uuid);

#endif
