/*
 * Inside of the service manager: services.c (start, stop, restart),
 * services_boot.c (what starts with the daemon),
 * services_list.c (what it tells), run_list.c (what survives).
 */
#ifndef LT_SERVICES_MANAGER_SERVICES_PRIV_H
#define LT_SERVICES_MANAGER_SERVICES_PRIV_H

#include "services/manager/services.h"
#include "services/manager/start_guard.h"
#include "services/outside/child.h"
#include "services/plugin/plugin_loader.h"
#include "services/timing/saver.h"
#include "services/timing/timing.h"

/* One service as it was ordered; stays when it fails, with the reason. */
struct lt_service_entry {
	char uuid[LT_UUID_TEXT + 32];
	char *service_class; /* masquerade or plugin name */
	char *plugin;
	struct lt_args args;
	bool from_config;         /* ordered by LIVETIMING_SERVICES */
	bool has_run;             /* of an earlier run of the daemon */
	bool is_scheduled;        /* started by the scheduler, which ends it */
	bool is_waiting;          /* for its turn in a careful start */
	struct lt_timing *timing; /* NULL: it could not even be made, or is isolated */
	struct lt_child *child;   /* isolated: its process; else NULL */
	char *reason;             /* of the failure; NULL: none */
	struct lt_wall started_at;
	struct lt_service_entry *prev, *next;
};

struct lt_services {
	struct lt_services_env env;
	char *state_dir, *log_dir, *autostart, *run_list_path;
	struct lt_plugins *plugins;
	struct lt_saver *saver;
	struct lt_service_entry *entries;
	struct lt_start_guard *guard;
	bool is_careful; /* services start one by one */
	struct lt_timer careful_timer;
	bool is_stopping;
	void (*stopped)(void *arg);
	void *stopped_arg;
	struct lt_deferred stopped_call;
};

/* By UUID, service class, plugin or shown name; the error names the UUIDs when several fit. */
struct lt_service_entry *lt_services_find(
		struct lt_services *services, struct lt_str name_or_uuid, struct lt_err *err);

/* Where a service takes its first state from. */
struct lt_service_origin {
	cJSON *state;     /* owned; NULL: none */
	bool saved_state; /* the file of its UUID in the state directory, if there */
};

struct lt_service_entry *lt_services_add_entry(
		struct lt_services *services, const struct lt_args *args);
/* Give it plugin, class and UUID by its arguments. */
bool lt_services_name_entry(
		struct lt_services *services, struct lt_service_entry *entry, struct lt_err *err);
/* Bring an entry to life; on failure it stays without a running service, reason not yet kept. */
bool lt_services_launch(struct lt_services *services, struct lt_service_entry *entry,
		struct lt_service_origin *origin, struct lt_err *err);
void lt_services_keep_failure(struct lt_service_entry *entry, const char *reason);

/* Of a service here or in a process of its own; false: it tells nothing yet, all is zero. */
bool lt_services_entry_report(
		const struct lt_service_entry *entry, struct lt_timing_report *ret_report);
const cJSON *lt_services_entry_manifest(const struct lt_service_entry *entry); /* or NULL */

/* One service of a run list. */
struct lt_run {
	struct lt_args args;
	char uuid[LT_UUID_TEXT + 32];
	bool from_config, is_scheduled;
	struct lt_run *next;
};

/* {"version": 1, "services": [{"uuid", "args": [...], "fromConfig",
 * "scheduled"}]}; a missing file is an empty
 * list. The caller frees with lt_run_list_free. */
bool lt_run_list_read(const char *path, struct lt_run **ret_list, struct lt_err *err);
void lt_run_list_free(struct lt_run *list);
/* Write the list of all entries on a worker. */
void lt_run_list_save(struct lt_services *services);
/* The same, here and now: before something that may end the daemon. */
void lt_run_list_save_now(struct lt_services *services);

#endif
