/*
 * One timing service: a plugin instance, its state, and its place in the realm.
 *
 * Pipeline of an update, in order: cars and session from the plugin; messages
 * (race/message.h) and highlight; the new state replaces the old one; observers
 * (analysis, recording); saved to STATE_DIR/UUID.json on a worker; published on
 * livetiming.service.UUID, retained, as class 8. When an update fails the old
 * state is published again, so that viewers and recorders see a live service.
 *
 * The published state is the state and two members that are nowhere else:
 * "lastUpdated" (unix ms of the update, which clients measure delays against),
 * and, while the feed is silent, "stale": true in "session". What is saved,
 * compared for messages, and handed to observers does not have them.
 *
 * Each service has a session of its own (role "services"), so that the
 * directory learns of its end from the router.
 */
#ifndef LT_SERVICES_TIMING_TIMING_H
#define LT_SERVICES_TIMING_TIMING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/random.h"
#include "base/service_args.h"
#include "services/plugin/plugin_loader.h"
#include "services/timing/saver.h"
#include "services/timing/timing_observer.h"

struct lt_timing;
struct lt_router;
struct lt_fetcher;
struct lt_ws_hub;

struct lt_timing_env {
	struct lt_loop *loop;
	struct lt_log log; /* its sink also gets what the service logs to its file */
	struct lt_router *router;
	struct lt_random *random;
	struct lt_fetcher *fetcher;
	struct lt_ws_hub *ws_hub;
	struct lt_saver *saver;
	const char *state_dir, *log_dir; /* copied; NULL or empty: "." */
	const char *push_token;          /* of services that take messages; NULL: none */
	/* The service ended by itself: stop it, keep the reason. Called at the end of a turn. */
	void (*failed)(void *arg, struct lt_timing *timing, const char *reason);
	void *arg;
};

struct lt_timing_opts {
	const struct lt_plugin *plugin;
	const struct lt_service_args *args; /* borrowed for the call */
	struct lt_str uuid;
	/* Whole state to start with, or NULL; owned by the service from the call on. */
	cJSON *state;
	/* State file to start with, read on a worker; NULL: none. */
	const char *state_file;
	bool state_file_required; /* false: a bad file is reported and left aside */
	bool keeps_overrides;     /* goes on with what the control desk laid over this UUID */
};

/* Makes the instance of the plugin. opts->state is taken, also on failure. */
struct lt_timing *lt_timing_create(const struct lt_timing_env *env,
		const struct lt_timing_opts *opts, struct lt_err *err);
void lt_timing_destroy(struct lt_timing *timing); /* stops first when needed */

/* Join the realm, register, start the plugin. With a state file all this follows its reading. */
bool lt_timing_start(struct lt_timing *timing, struct lt_err *err);

/* End the plugin and the session, hand the last state to the saver. The state stays readable. */
void lt_timing_stop(struct lt_timing *timing);

enum lt_timing_status {
	LT_TIMING_CREATED,
	LT_TIMING_LOADING,
	LT_TIMING_RUNNING,
	LT_TIMING_STOPPED,
};

struct lt_timing_report {
	enum lt_timing_status status;
	const char *service_class, *plugin;
	bool stale, hidden;
	const char *stale_reason; /* empty when not stale */
	uint64_t updates, failed_updates, slow_callbacks;
	int64_t slowest_us;
	int64_t last_update_ms; /* 0: none yet */
	size_t cars;
	const char *flag; /* of the session; "" when it has none */
};
void lt_timing_report(const struct lt_timing *timing, struct lt_timing_report *ret_report);

/* Open the service's log file anew (log rotation). True as well when it has none. */
bool lt_timing_reopen_log(struct lt_timing *timing, struct lt_err *err);

/* Borrowed until the next turn. The manifest is NULL until the plugin described itself. */
struct lt_str lt_timing_uuid(const struct lt_timing *timing);
const cJSON *lt_timing_manifest(const struct lt_timing *timing);
const cJSON *lt_timing_state(const struct lt_timing *timing);
/* What the control desk laid over it (overrides.h), and whether that makes it private. */
const cJSON *lt_timing_overrides(const struct lt_timing *timing);
bool lt_timing_is_private(const struct lt_timing *timing);
cJSON *lt_timing_counters(const struct lt_timing *timing); /* owned by the caller */
cJSON *lt_timing_options(const struct lt_timing *timing);  /* owned by the caller */

/* The published text, or an empty one before the first publication; etag with its quotes. */
struct lt_str lt_timing_published(const struct lt_timing *timing, const char **ret_etag);

/* Observers run in the order in which they were added, between state and saving. Before start. */
#define LT_TIMING_OBSERVERS_MAX 4
void lt_timing_observe(struct lt_timing *timing, const struct lt_timing_observer *observer);

#endif
