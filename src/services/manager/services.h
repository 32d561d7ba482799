/*
 * The timing services of this daemon: starts, stops, restarts and lists them,
 * keeps the reasons of those that failed, and a run list on disk, so that they
 * come back with the same UUID and state after a crash or a restart.
 *
 * Services are named by UUID, by service class, or by plugin; a name that fits
 * several is refused, naming their UUIDs. Everything returned as cJSON * is
 * owned by the caller. Runs on the loop; files are written on workers.
 */
#ifndef LT_SERVICES_MANAGER_SERVICES_H
#define LT_SERVICES_MANAGER_SERVICES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/random.h"
#include "base/service_args.h"

struct lt_router;
struct lt_fetcher;
struct lt_children;
struct lt_timing_watcher;
struct lt_ws_hub;
struct lt_services;

/* All borrowed; must outlive the services. Texts are copied. */
struct lt_services_env {
	struct lt_loop *loop;
	struct lt_random *random;
	struct lt_log log;
	struct lt_router *router;   /* realm "timing" and role "services" exist */
	struct lt_fetcher *fetcher; /* HTTP of plugins; NULL: they have none */
	struct lt_ws_hub *ws_hub;   /* WebSockets of plugins; NULL: they have none */
	const char *state_dir;      /* LIVETIMING_STATE_DIR; exists. NULL or empty: "." */
	const char *log_dir;        /* LIVETIMING_LOG_DIR; exists. NULL or empty: "." */
	const char *plugin_path;    /* folders, separated by colons, searched in order */
	const char *push_token;     /* LIVETIMING_PUSH_TOKEN; borrowed; NULL: none */
	const char *autostart;      /* LIVETIMING_SERVICES: command lines, separated by ';' */
	bool fresh;                 /* forget the run list */
	/* For --isolated; NULL: such services run here like the others. */
	struct lt_children *children;
	const char *refusal;  /* why no service may run here, static; NULL: they may */
	bool is_alone;        /* of a process for one service: there is no run list */
	unsigned crash_limit; /* start_guard.h; 0: no crash loop is noticed */
	int64_t settle_s;
	/* A service ended by itself, with its reason; NULL: nobody asks. At the end of a turn. */
	void (*failed)(void *arg, struct lt_str uuid, const char *reason);
	void *arg;
	/* Asked, in this order, before each service starts; borrowed. NULL: none. */
	const struct lt_timing_watcher *watchers;
	size_t watcher_count;
	/* A private service starts: close its UUID to all without a code. NULL: nobody does. */
	bool (*close)(void *arg, struct lt_str uuid, struct lt_str service_class,
			struct lt_err *err);
	void *close_arg;
};

struct lt_services *lt_services_create(const struct lt_services_env *env);
/* Ends what still runs, without waiting for files: call lt_services_stop before. */
void lt_services_destroy(struct lt_services *services);

/*
 * Scan the plugin folders, then start what the run list names and the
 * autostart lines that are not in it. A service that does not start is kept
 * as failed, with its reason; a broken run list is set aside and reported.
 *
 * Errors     an autostart text with an open quote; nothing was started then
 */
bool lt_services_start(struct lt_services *services, struct lt_err *err);

/* Stop all, write their states; `done` is called once, later. The run list stays. */
void lt_services_stop(struct lt_services *services, void (*done)(void *arg), void *arg);

/*
 * Start a service from the original's command line, without a program name.
 *
 * ret_uuid   set on success; borrowed until the service is stopped or restarted
 * Errors     LT_E_INVALID, LT_E_NOT_FOUND no such plugin; LT_E_EXISTS the UUID runs already;
 *            what the plugin said when it refused
 */
bool lt_services_start_service(struct lt_services *services, const struct lt_args *args,
		struct lt_str *ret_uuid, struct lt_err *err);

/* The same for an event of the schedule: marked as such in the run list, too, so that it is
 * known after a crash whose it is. */
bool lt_services_start_scheduled(struct lt_services *services, const struct lt_args *args,
		struct lt_str *ret_uuid, struct lt_err *err);

/*
 * Would a service start with this command line? Nothing is made of it: its
 * words are held against what the service and the plugin declare.
 *
 * Errors     as lt_services_start_service, but for what a plugin itself refuses
 */
bool lt_services_check(
		struct lt_services *services, const struct lt_args *args, struct lt_err *err);

/* The i-th service; false behind the last. Borrowed until one is started or stopped. */
struct lt_service_ref {
	const char *uuid, *service_class;
	const struct lt_args *args; /* with the plugin in front */
	bool is_scheduled, is_failed, is_left_out;
};
bool lt_services_at(
		const struct lt_services *services, size_t i, struct lt_service_ref *ret_service);

/*
 * As above with a UUID that it had before; continues: with the state that is
 * saved for it, if there is one.
 */
bool lt_services_resume_service(struct lt_services *services, const struct lt_args *args,
		struct lt_str uuid, bool continues, struct lt_err *err);

/*
 * LIVETIMING_SERVICES has changed: start the lines that do not run yet. Those
 * that are no longer there go on until they are stopped or the daemon ends.
 *
 * ret_started  how many lines are new
 * Errors       an open quote; nothing has changed then
 */
bool lt_services_set_autostart(struct lt_services *services, const char *autostart,
		unsigned *ret_started, struct lt_err *err);
/* Folders of plugins, separated by colons; scanned at once. */
void lt_services_set_plugin_path(struct lt_services *services, const char *plugin_path);

/* Stop and forget, also a failed one. The name is borrowed for the call. */
bool lt_services_stop_service(
		struct lt_services *services, struct lt_str name_or_uuid, struct lt_err *err);

/*
 * Stop and start again with the same arguments, UUID and state. fresh: with a
 * new state, and a new UUID unless the command line names one.
 */
bool lt_services_restart_service(struct lt_services *services, struct lt_str name_or_uuid,
		bool fresh, struct lt_str *ret_uuid, struct lt_err *err);

/*
 * [{"uuid", "name", "description", "serviceClass", "plugin", "status", "reason"?, "stale",
 *   "staleReason"?, "hidden", "args": [text, ...], "startedAt": unix ms, "lastUpdated": unix ms
 *   or null, "updates", "cars", "flag", "scheduled"}]
 * status: "starting", "running", "failed", "stopping". Of an isolated one
 * also "isolated": true, "pid" (null while it is down), "deaths".
 */
cJSON *lt_services_list(struct lt_services *services);

/* The UUID of the service of this name; borrowed until it stops. */
bool lt_services_uuid(struct lt_services *services, struct lt_str name_or_uuid,
		struct lt_str *ret_uuid, struct lt_err *err);

/* As an entry of the list, and {"manifest", "overrides", "options", "counters", "slowCallbacks",
 * "slowestMs", "failedUpdates"}. */
cJSON *lt_services_show(
		struct lt_services *services, struct lt_str name_or_uuid, struct lt_err *err);

/*
 * {"plugins": [{"name", "version", "summary", "path"}], "broken": [{"path", "error"}]}; the
 * folders are scanned again for new ones.
 */
cJSON *lt_services_plugins(struct lt_services *services);

/* {"name", "version", "summary", "attribution", "path", "options": [{"name", "type",
 * "required", "default", "help", "choices"?, "min"?, "max"?}]} */
cJSON *lt_services_plugin(struct lt_services *services, struct lt_str name, struct lt_err *err);

/*
 * The published state of a service as JSON text, for HTTP. Borrowed until the
 * next turn of the loop. etag has its quotes; it changes with every publication
 * and does not repeat after a restart. False: no such service, or no state yet.
 */
struct lt_state_json {
	struct lt_str json;
	const char *etag;
};
bool lt_services_state_json(
		struct lt_services *services, struct lt_str uuid, struct lt_state_json *ret_state);

/* Figures for metrics and `livetimingctl status`. */
struct lt_services_stats {
	uint32_t running, failed, stale;
	uint64_t updates, failed_updates, slow_callbacks;
};
void lt_services_report(const struct lt_services *services, struct lt_services_stats *ret_stats);
void lt_services_write_metrics(const struct lt_services *services, struct lt_buf *buf);

/*
 * The log files of all services anew, after somebody has moved them away. One
 * that cannot be opened is told in the daemon's log, and the old one goes on.
 */
void lt_services_reopen_logs(struct lt_services *services);

#endif
