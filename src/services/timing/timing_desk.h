/*
 * Inside of a timing service: what it does at the control desk (timing_desk.c).
 * Overrides are laid over each manifest and state on its way through the
 * pipeline, before messages are made of it, so that observers, file and viewers
 * all see the same.
 */
#ifndef LT_SERVICES_TIMING_TIMING_DESK_H
#define LT_SERVICES_TIMING_TIMING_DESK_H

#include <stdbool.h>

#include "base/json.h"
#include "services/plugin/plugin_options.h"
#include "services/timing/timing.h"

struct lt_invocation;
struct lt_timing_desk;

#define LT_RPC_DESK "livetiming.service.desk."

/* Reads the overrides of the service's UUID (blocking; small), or removes old ones. */
struct lt_timing_desk *lt_timing_desk_create(
		struct lt_timing *timing, const struct lt_timing_opts *opts, const char *state_dir);
void lt_timing_desk_destroy(struct lt_timing_desk *desk);

/* The place in the realm is gone: orders that wait are not answered any more. */
void lt_timing_desk_leave(struct lt_timing_desk *desk);

bool lt_timing_desk_is_private(const struct lt_timing_desk *desk);
const cJSON *lt_timing_desk_overrides(const struct lt_timing_desk *desk); /* borrowed */

void lt_timing_desk_on_manifest(const struct lt_timing_desk *desk, cJSON *manifest);
void lt_timing_desk_on_state(struct lt_timing_desk *desk, cJSON *state);
/* The same for a state that comes with its messages. */
void lt_timing_desk_on_replaced(struct lt_timing_desk *desk, cJSON *state);
/* Options that an operator changed, before the plugin reads any. */
void lt_timing_desk_on_options(struct lt_timing_desk *desk, struct lt_option_values *values);

/* Carry out an order; what it changes is published, but not yet in the file. */
bool lt_timing_desk_order(struct lt_timing_desk *desk, const char *order, const cJSON *params,
		struct lt_err *err);

/* The procedure LT_RPC_DESK UUID; arg is the timing service. */
void lt_timing_desk_on_call(void *arg, const struct lt_invocation *invocation);

#endif
