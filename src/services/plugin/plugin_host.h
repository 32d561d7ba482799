/*
 * One instance of a plugin: gives it the tables of livetiming_plugin.h, calls
 * it on the loop, times each call, and ends everything that it opened.
 *
 * What the plugin says is handed on to an owner (the timing service) as JSON
 * trees. After a failure, or after lt_host_stop, the plugin is not called any
 * more, but for its destroy; the owner's `failed` is called once, at the end of
 * the turn, never from inside a call of the plugin.
 */
#ifndef LT_SERVICES_PLUGIN_PLUGIN_HOST_H
#define LT_SERVICES_PLUGIN_PLUGIN_HOST_H

#include <stdbool.h>

#include "base/json.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/random.h"
#include "services/plugin/plugin_loader.h"
#include "services/plugin/plugin_options.h"

struct lt_host;
struct lt_fetcher;
struct lt_local;
struct lt_raw_player;
struct lt_raw_recorder;
struct lt_ws_hub;

/* What the owner does with what the plugin says. All required. */
struct lt_host_owner {
	/* {"name", "description", "colSpec", "trackDataSpec", "pollInterval", "source"?} */
	void (*described_take)(void *arg, cJSON *description);
	void (*generators)(void *arg, uint32_t generators); /* LT_GENERATE_... */
	/* {"cars", "session"}: run the pipeline now, or when it is due. */
	bool (*update_take)(void *arg, cJSON *state, struct lt_err *err);
	void (*update_due_take)(void *arg, cJSON *state);
	/* A whole state with messages and highlight, to be published as it is. */
	bool (*replace_take)(void *arg, cJSON *state, struct lt_err *err);
	void (*message_take)(void *arg, cJSON *message);
	void (*race_control)(void *arg, struct lt_str text);
	void (*new_session)(void *arg);
	void (*stale)(void *arg, bool stale, struct lt_str reason);
	void (*failed)(void *arg, const char *reason);
};

/* Told of every call into the plugin. */
struct lt_host_watcher {
	void (*begun)(void *arg, const char *what); /* "update", "line" ... */
	void (*ended)(void *arg);
};

struct lt_host_env {
	struct lt_loop *loop;
	struct lt_log log; /* of the service */
	struct lt_random *random;
	struct lt_fetcher *fetcher; /* NULL: "lt.http/1" fails */
	struct lt_ws_hub *ws_hub;   /* NULL: "lt.ws/1" fails */
	/*
	 * Records what comes in by links, or plays a capture in place of the network;
	 * the plugin's clock and timers are those of the capture then. NULL: neither.
	 */
	struct lt_raw_recorder *raw_recorder;
	struct lt_raw_player *raw_player;
	const struct lt_host_owner *owner;
	void *owner_arg;
	/*
	 * For "lt.inbox/1", which fails when `session` is NULL: the service's session while it
	 * has one, its UUID, and the token of those who send without their own; NULL: none.
	 */
	struct lt_local *(*session)(void *owner_arg);
	const char *uuid, *push_token;
	/* Real time, to measure callbacks; NULL: lt_clock_mono. */
	struct lt_mono (*clock)(void);
	const struct lt_host_watcher *watcher; /* NULL: nobody watches */
	void *watcher_arg;
};

/* Callbacks that took longer are logged and counted. */
#define LT_HOST_BUDGET_US 5000

/*
 * Call the plugin's create.
 *
 * options    owned by the host from the call on, also on failure
 * Errors     what the plugin gave to fail, with its name in front
 */
struct lt_host *lt_host_create_take(const struct lt_host_env *env, const struct lt_plugin *plugin,
		struct lt_option_values *options, struct lt_err *err);

/* Stops first when needed. NULL is fine. */
void lt_host_destroy(struct lt_host *host);

/* Call the plugin's start, then its update, now and every poll interval. */
bool lt_host_start(struct lt_host *host, struct lt_err *err);
/* End the instance: the plugin's stop and destroy, and all that it opened. Its figures stay. */
void lt_host_stop(struct lt_host *host);

const struct lt_plugin *lt_host_plugin(const struct lt_host *host);
const struct lt_option_values *lt_host_options(const struct lt_host *host);

/*
 * Change an option of a running plugin.
 *
 * Errors     LT_E_INVALID no such option, a bad value, or one that the plugin does not take while
 *            it runs; LT_E_DENIED the plugin said no; the old value stays
 */
bool lt_host_change_option(
		struct lt_host *host, struct lt_str name, struct lt_str text, struct lt_err *err);

struct lt_host_stats {
	uint64_t callbacks, slow_callbacks;
	int64_t slowest_us;
};
void lt_host_report(const struct lt_host *host, struct lt_host_stats *ret_stats);
/* {"records": 12, ...}: what the plugin counted; owned by the caller. */
cJSON *lt_host_counters(const struct lt_host *host);

#endif
