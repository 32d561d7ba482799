/*
 * Inside of a timing service: timing.c (life, and what the plugin says of
 * itself), timing_update.c (from a new state to observers, file and realm),
 * timing_publish.c (what the realm sees of it).
 */
#ifndef LT_SERVICES_TIMING_TIMING_PRIV_H
#define LT_SERVICES_TIMING_TIMING_PRIV_H

#include "base/random.h"
#include "services/plugin/plugin_host.h"
#include "services/timing/timing.h"
#include "services/timing/timing_desk.h"

struct lt_local;

#define LT_REPUBLISH_MS 60000
#define LT_DUE_MS       1000
#define LT_MANIFEST_MS  1000

struct lt_timing_load; /* reading of a state file, in flight on a worker */

struct lt_timing {
	struct lt_timing_env env;
	struct lt_log log;
	struct lt_log_sink *sink; /* file of its own; NULL: none */
	char uuid[LT_UUID_TEXT + 32];
	char *service_class, *description; /* description: the operator's, or NULL */
	bool hidden, do_not_record, has_analysis;
	char *state_path; /* state_path NULL: not saved */
	char *load_path;
	bool load_required;
	struct lt_timing_load *load;
	enum lt_timing_status status;

	struct lt_raw_recorder *raw_recorder; /* of the input; both NULL: neither */
	struct lt_raw_player *raw_player;
	struct lt_host *host;
	uint32_t generators;  /* LT_GENERATE_... */
	cJSON *manifest;      /* NULL until the plugin described itself */
	cJSON *feed_manifest; /* the same without what the desk lays over it */
	struct lt_timing_desk *desk;
	cJSON *state;
	bool begins_session; /* the next update has nothing before it */
	cJSON *messages;     /* of the plugin, for the next update */
	cJSON *race_control; /* texts, oldest first */
	cJSON *due_state;    /* waits for its turn */
	struct lt_timer due, republish;
	struct lt_timing_observer observers[LT_TIMING_OBSERVERS_MAX];
	size_t observer_count;

	struct lt_local *local;
	uint64_t is_alive, request_state, desk_orders; /* registrations */
	struct lt_timer manifest_timer;
	struct lt_text *published; /* NULL before the first publication */
	char etag[48];
	int64_t last_published_us; /* monotonic; 0: never */

	bool stale;
	char stale_reason[200];
	uint64_t updates, failed_updates, publications;
	int64_t last_update_ms;
};

/* The plugin's new states, as lt_host_owner has them; arg is the timing service. */
bool lt_timing_update_take(void *arg, cJSON *state, struct lt_err *err);
bool lt_timing_replace_take(void *arg, cJSON *state, struct lt_err *err);
void lt_timing_update_due_take(void *arg, cJSON *state);
void lt_timing_drop_due(struct lt_timing *timing);
/* A state that is not of the plugin: the one of now, changed; these messages go with it. */
void lt_timing_relay_take(struct lt_timing *timing, cJSON *state, cJSON *messages);

/* A new session begins, whoever says so. */
void lt_timing_new_session(struct lt_timing *timing);
/* Make the manifest anew from the feed's, and tell observers. */
void lt_timing_renew_manifest(struct lt_timing *timing);

/* Write the state to its file, where it has one; borrows the text. */
void lt_timing_save(struct lt_timing *timing, struct lt_text *text);

/* Join the realm, register the procedures, listen to the control channel. */
bool lt_timing_join(struct lt_timing *timing, struct lt_err *err);
void lt_timing_leave(struct lt_timing *timing);

/* Publish the state; `plain` is its text without what only viewers get, or NULL to print it. */
void lt_timing_publish(struct lt_timing *timing, struct lt_str plain);

/* Ask for the manifest to go out on the control channel: once for all that ask in a second. */
void lt_timing_announce(struct lt_timing *timing);
void lt_timing_announce_now(struct lt_timing *timing);

#endif
