/*
 * Inside of the service manager: services.c (start, stop, restart),
 * services_list.c (what it tells), run_list.c (what survives).
 */
#ifndef LT_SERVICES_SERVICES_PRIV_H
#define LT_SERVICES_SERVICES_PRIV_H

#include "services/plugin_loader.h"
#include "services/saver.h"
#include "services/services.h"
#include "services/timing.h"

/* One service as it was ordered; stays when it fails, with the reason. */
struct lt_service_entry {
	char uuid[LT_UUID_TEXT + 32];
	char *service_class; /* masquerade or plugin name */
	char *plugin;
	struct lt_args args;
	bool from_config;         /* ordered by LIVETIMING_SERVICES */
	struct lt_timing *timing; /* NULL: it could not even be made */
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
	bool is_stopping;
	void (*stopped)(void *arg);
	void *stopped_arg;
	struct lt_deferred stopped_call;
};

/* By UUID, service class, plugin or shown name; the error names the UUIDs when several fit. */
struct lt_service_entry *lt_services_find(
		struct lt_services *services, struct lt_str name_or_uuid, struct lt_err *err);

/* One service of a run list. */
struct lt_run {
	struct lt_args args;
	char uuid[LT_UUID_TEXT + 32];
	bool from_config;
	struct lt_run *next;
};

/* {"version": 1, "services": [{"uuid", "args": [...], "fromConfig"}]}; a missing file is an empty
 * list. The caller frees with lt_run_list_free. */
bool lt_run_list_read(const char *path, struct lt_run **ret_list, struct lt_err *err);
void lt_run_list_free(struct lt_run *list);
/* Write the list of all entries on a worker. */
void lt_run_list_save(struct lt_services *services);

#endif
