#include "services/manager/services.h"

#include <unistd.h>

#include "base/alloc.h"
#include "base/fsutil.h"
#include "base/table.h"
#include "services/manager/services_priv.h"
#include "services/plugin/plugin_options.h"
#include "store/saved.h"

#define RUN_LIST_NAME "services.json"

static char *dir_or_here(const char *dir)
{
	return lt_strdup(dir && *dir ? dir : ".");
}

struct lt_services *lt_services_create(const struct lt_services_env *env)
{
	struct lt_services *services = lt_zalloc(sizeof(*services));

	services->env = *env;
	services->env.log.module = "services";
	services->state_dir = dir_or_here(env->state_dir);
	services->log_dir = dir_or_here(env->log_dir);
	services->autostart = lt_strdup(env->autostart ? env->autostart : "");
	services->run_list_path = lt_path_join(services->state_dir, RUN_LIST_NAME);
	services->plugins = lt_plugins_create(env->plugin_path, services->env.log);
	services->saver = lt_saver_create(env->loop, services->env.log);
	services->guard = lt_start_guard_create(&(struct lt_start_guard_env){ .loop = env->loop,
			.log = services->env.log,
			.state_dir = services->state_dir,
			.limit = env->is_alone ? 0 : env->crash_limit,
			.settle_s = env->settle_s });
	return services;
}

static void free_entry(struct lt_services *services, struct lt_service_entry *entry)
{
	/* it is in the list, which has a head then */
	DL_DELETE(services->entries, entry); /* NOLINT(clang-analyzer-core.NullDereference) */
	lt_timing_destroy(entry->timing);
	lt_child_release(entry->child);
	lt_args_finish(&entry->args);
	lt_free(entry->service_class);
	lt_free(entry->plugin);
	lt_free(entry->reason);
	lt_free(entry);
}

void lt_services_destroy(struct lt_services *services)
{
	struct lt_service_entry *entry, *next;

	if (services == NULL) {
		return;
	}
	DL_FOREACH_SAFE(services->entries, entry, next) {
		free_entry(services, entry);
	}
	lt_deferred_cancel(&services->stopped_call);
	lt_timer_cancel(&services->careful_timer);
	lt_start_guard_destroy(services->guard);
	lt_saver_destroy(services->saver);
	lt_plugins_destroy(services->plugins);
	lt_free(services->state_dir);
	lt_free(services->log_dir);
	lt_free(services->autostart);
	lt_free(services->run_list_path);
	lt_free(services);
}

/* --- finding --- */

static struct lt_service_entry *find_uuid(struct lt_services *services, struct lt_str uuid)
{
	struct lt_service_entry *entry;

	DL_FOREACH(services->entries, entry) {
		if (lt_str_eq_c(uuid, entry->uuid)) {
			return entry;
		}
	}
	return NULL;
}

/* The name that people see counts, too: it is what `service list` shows. */
static bool is_named(const struct lt_service_entry *entry, struct lt_str name)
{
	const cJSON *manifest = lt_services_entry_manifest(entry);
	const cJSON *shown = lt_json_get(manifest, "name");

	return lt_str_eq_c(name, entry->service_class) || lt_str_eq_c(name, entry->plugin) ||
			(cJSON_IsString(shown) && lt_str_eq_c(name, shown->valuestring));
}

struct lt_service_entry *lt_services_find(
		struct lt_services *services, struct lt_str name, struct lt_err *err)
{
	struct lt_service_entry *entry, *found = find_uuid(services, name);
	char quoted[LT_QUOTE_MAX];

	if (found != NULL) {
		return found;
	}
	DL_FOREACH(services->entries, entry) {
		if (!is_named(entry, name)) {
			continue;
		}
		if (found != NULL) {
			lt_err_set(err, LT_E_INVALID,
					"several services are named %s: give a UUID (%s, %s, ...)",
					lt_str_quote(name, quoted), found->uuid, entry->uuid);
			return NULL;
		}
		found = entry;
	}
	if (found == NULL) {
		lt_err_set(err, LT_E_NOT_FOUND, "no service is named %s",
				lt_str_quote(name, quoted));
	}
	return found;
}

/* --- starting --- */

void lt_services_keep_failure(struct lt_service_entry *entry, const char *reason)
{
	lt_free(entry->reason);
	entry->reason = lt_strdup(reason);
}

static void on_failed(void *arg, struct lt_timing *timing, const char *reason)
{
	struct lt_services *services = arg;
	struct lt_service_entry *entry;

	DL_FOREACH(services->entries, entry) {
		if (entry->timing == timing) {
			lt_services_keep_failure(entry, reason);
			lt_timing_stop(timing);
			if (services->env.failed != NULL) {
				services->env.failed(services->env.arg, lt_str_from(entry->uuid),
						entry->reason);
			}
			return;
		}
	}
}

static bool check_args(const struct lt_services *services, const struct lt_service_args *args,
		struct lt_err *err)
{
	if ((args->standalone || args->upnp) && !services->env.is_alone) {
		lt_log(&services->env.log, LT_WARN,
				"--standalone and --upnp change nothing: the daemon is the server",
				NULL);
	}
	if (args->initial_state != NULL && access(args->initial_state, R_OK) != 0) {
		return lt_err_errno(err, "--initial-state: %.120s", args->initial_state);
	}
	return true;
}

/* The base name of the initial-state file wins over --uuid, as in the original. */
static bool choose_uuid(struct lt_services *services, const struct lt_service_args *args,
		struct lt_service_entry *entry, struct lt_err *err)
{
	char *from_file = args->initial_state ? lt_saved_uuid(args->initial_state) : NULL;
	const char *uuid = from_file ? from_file : args->uuid;
	size_t n = uuid ? strlen(uuid) : 0;
	bool ok = n < sizeof(entry->uuid);

	if (entry->uuid[0] != '\0') {
		ok = true; /* comes back with the one that it had */
	} else if (uuid == NULL) {
		lt_random_uuid(services->env.random, entry->uuid);
	} else if (ok) {
		memcpy(entry->uuid, uuid, n + 1);
	}
	lt_free(from_file);
	if (!ok || !lt_name_is_safe(lt_str_from(entry->uuid))) {
		return lt_err_set(err, LT_E_INVALID, "a UUID has 1 to %zu characters and no slash",
				sizeof(entry->uuid) - 1);
	}
	const struct lt_service_entry *other = find_uuid(services, lt_str_from(entry->uuid));

	if (other != NULL && other != entry) {
		return lt_err_set(err, LT_E_EXISTS, "service %s exists already", entry->uuid);
	}
	return true;
}

static bool attach_watchers(struct lt_services *services, struct lt_service_entry *entry,
		const struct lt_service_args *args, bool continues, struct lt_err *err)
{
	struct lt_timing_about about = { .uuid = lt_str_from(entry->uuid),
		.has_analysis = !args->disable_analysis,
		.continues = continues,
		.keeps_files = !args->no_write_state,
		.recording_file = args->recording_file };

	for (size_t i = 0; i < services->env.watcher_count; i++) {
		const struct lt_timing_watcher *watcher = &services->env.watchers[i];
		struct lt_timing_observer observer = { 0 };

		if (!watcher->attach(watcher->arg, &about, &observer, err)) {
			return false;
		}
		lt_timing_observe(entry->timing, &observer);
	}
	return true;
}

/* Before anything of it is published. */
static bool close_private(struct lt_services *services, const struct lt_service_entry *entry,
		bool is_private, struct lt_err *err)
{
	return !is_private || services->env.close == NULL ||
			services->env.close(services->env.close_arg, lt_str_from(entry->uuid),
					lt_str_from(entry->service_class), err);
}

static bool make_timing(struct lt_services *services, struct lt_service_entry *entry,
		const struct lt_service_args *args, struct lt_service_origin *origin,
		struct lt_err *err)
{
	const struct lt_plugin *plugin =
			lt_plugins_find(services->plugins, lt_str_from(args->service_class), err);
	LT_AUTO(lt_free) char *saved = NULL;
	struct lt_timing_env env = { .loop = services->env.loop,
		.log = services->env.log,
		.router = services->env.router,
		.random = services->env.random,
		.fetcher = services->env.fetcher,
		.ws_hub = services->env.ws_hub,
		.saver = services->saver,
		.state_dir = services->state_dir,
		.log_dir = services->log_dir,
		.push_token = services->env.push_token,
		.failed = on_failed,
		.arg = services };
	struct lt_timing_opts opts = {
		.plugin = plugin, .args = args, .uuid = lt_str_from(entry->uuid)
	};

	if (plugin == NULL) {
		return false;
	}
	if (origin->saved_state) {
		saved = lt_saved_path(services->state_dir, opts.uuid, NULL);
	}
	if (origin->state != NULL) {
		opts.state = LT_STEAL(origin->state);
	} else if (saved != NULL && access(saved, R_OK) == 0) {
		opts.state_file = saved;
	} else if (args->initial_state != NULL) {
		opts.state_file = args->initial_state;
		opts.state_file_required = true;
	}
	opts.keeps_overrides = origin->saved_state || opts.state != NULL;
	bool continues = opts.state != NULL || opts.state_file != NULL;

	entry->timing = lt_timing_create(&env, &opts, err);
	return entry->timing != NULL &&
			close_private(services, entry, lt_timing_is_private(entry->timing), err) &&
			attach_watchers(services, entry, args, continues, err) &&
			lt_timing_start(entry->timing, err);
}

/* --- in a process of its own --- */

static void on_child_failed(void *arg, struct lt_child *child, const char *reason)
{
	struct lt_services *services = arg;
	struct lt_service_entry *entry;

	DL_FOREACH(services->entries, entry) {
		if (entry->child == child) {
			lt_services_keep_failure(entry, reason);
			lt_child_release(LT_STEAL(entry->child));
			return;
		}
	}
}

/* Plugin and options are checked here, where whoever starts it gets the answer. */
static bool make_child(struct lt_services *services, struct lt_service_entry *entry,
		const struct lt_service_args *args, bool continues, struct lt_err *err)
{
	const struct lt_plugin *plugin =
			lt_plugins_find(services->plugins, lt_str_from(args->service_class), err);
	struct lt_option_values *values =
			plugin ? lt_option_values_parse(plugin, &args->extra, err) : NULL;
	struct lt_child_opts opts = { .uuid = lt_str_from(entry->uuid),
		.args = &entry->args,
		.continues = continues,
		.failed = on_child_failed,
		.arg = services };

	if (values == NULL) {
		return false;
	}
	lt_option_values_destroy(values);
	if (!close_private(services, entry, args->is_private, err)) {
		return false;
	}
	entry->child = lt_child_start(services->env.children, &opts, err);
	return entry->child != NULL;
}

static bool make(struct lt_services *services, struct lt_service_entry *entry,
		const struct lt_service_args *args, struct lt_service_origin *origin,
		struct lt_err *err)
{
	if (args->isolated && services->env.children != NULL) {
		return make_child(services, entry, args, origin->saved_state, err);
	}
	return make_timing(services, entry, args, origin, err);
}

/* Plugin and class as the arguments name them. */
static bool parse_entry(struct lt_service_entry *entry, struct lt_service_args *ret_args,
		struct lt_err *err)
{
	if (!lt_service_args_parse(&entry->args, ret_args, err)) {
		return false;
	}
	lt_free(entry->plugin);
	lt_free(entry->service_class);
	entry->plugin = lt_strdup(ret_args->service_class);
	entry->service_class = lt_strdup(
			ret_args->masquerade ? ret_args->masquerade : ret_args->service_class);
	return true;
}

bool lt_services_name_entry(
		struct lt_services *services, struct lt_service_entry *entry, struct lt_err *err)
{
	struct lt_service_args args = { 0 };
	bool ok = parse_entry(entry, &args, err) && choose_uuid(services, &args, entry, err);

	lt_service_args_finish(&args);
	return ok;
}

bool lt_services_launch(struct lt_services *services, struct lt_service_entry *entry,
		struct lt_service_origin *origin, struct lt_err *err)
{
	struct lt_service_args args = { 0 };
	bool ok = parse_entry(entry, &args, err) && check_args(services, &args, err) &&
			choose_uuid(services, &args, entry, err) &&
			make(services, entry, &args, origin, err);

	if (ok) {
		entry->started_at = lt_loop_wall(services->env.loop);
		lt_log(&services->env.log, LT_INFO, "service started", "uuid=%s plugin=%s",
				entry->uuid, entry->plugin);
	} else if (entry->timing != NULL) {
		lt_timing_destroy(entry->timing);
		entry->timing = NULL;
	}
	cJSON_Delete(LT_STEAL(origin->state));
	lt_service_args_finish(&args);
	return ok;
}

struct lt_service_entry *lt_services_add_entry(
		struct lt_services *services, const struct lt_args *args)
{
	struct lt_service_entry *entry = lt_zalloc(sizeof(*entry));

	lt_args_dup(&entry->args, args);
	entry->plugin = lt_strdup(args->n > 0 ? args->v[0] : "");
	entry->service_class = lt_strdup(entry->plugin);
	DL_APPEND(services->entries, entry);
	return entry;
}

static bool start_service(struct lt_services *services, const struct lt_args *args,
		bool is_scheduled, struct lt_str *ret_uuid, struct lt_err *err)
{
	struct lt_service_origin origin = { 0 };

	if (services->is_stopping) {
		return lt_err_set(err, LT_E_UNAVAILABLE, "the daemon is stopping");
	}
	if (services->env.refusal) {
		return lt_err_set(err, LT_E_DENIED, "%s", services->env.refusal);
	}
	struct lt_service_entry *entry = lt_services_add_entry(services, args);

	entry->is_scheduled = is_scheduled;
	if (!lt_services_launch(services, entry, &origin, err)) {
		free_entry(services, entry);
		return false;
	}
	lt_run_list_save(services);
	*ret_uuid = lt_str_from(entry->uuid);
	return true;
}

bool lt_services_start_service(struct lt_services *services, const struct lt_args *args,
		struct lt_str *ret_uuid, struct lt_err *err)
{
	return start_service(services, args, false, ret_uuid, err);
}

bool lt_services_start_scheduled(struct lt_services *services, const struct lt_args *args,
		struct lt_str *ret_uuid, struct lt_err *err)
{
	return start_service(services, args, true, ret_uuid, err);
}

bool lt_services_resume_service(struct lt_services *services, const struct lt_args *args,
		struct lt_str uuid, bool continues, struct lt_err *err)
{
	struct lt_service_origin origin = { .saved_state = continues };
	struct lt_service_entry *entry;

	if (!lt_name_is_safe(uuid) || uuid.n >= sizeof(entry->uuid)) {
		return lt_err_set(err, LT_E_INVALID, "a UUID has 1 to %zu characters and no slash",
				sizeof(entry->uuid) - 1);
	}
	entry = lt_services_add_entry(services, args);
	memcpy(entry->uuid, uuid.p, uuid.n);
	if (!lt_services_launch(services, entry, &origin, err)) {
		free_entry(services, entry);
		return false;
	}
	return true;
}

bool lt_services_stop_service(
		struct lt_services *services, struct lt_str name_or_uuid, struct lt_err *err)
{
	struct lt_service_entry *entry = lt_services_find(services, name_or_uuid, err);

	if (entry == NULL) {
		return false;
	}
	lt_log(&services->env.log, LT_INFO, "service stopped", "uuid=%s plugin=%s", entry->uuid,
			entry->plugin);
	lt_start_guard_forgive(services->guard, lt_str_from(entry->uuid));
	free_entry(services, entry);
	lt_run_list_save(services);
	return true;
}

bool lt_services_restart_service(struct lt_services *services, struct lt_str name_or_uuid,
		bool fresh, struct lt_str *ret_uuid, struct lt_err *err)
{
	struct lt_service_entry *entry = lt_services_find(services, name_or_uuid, err);
	struct lt_service_origin origin = { .saved_state = !fresh };

	if (entry == NULL) {
		return false;
	}
	entry->is_waiting = false;
	lt_child_release(LT_STEAL(entry->child)); /* its state waits on the disk */
	if (entry->timing != NULL) {
		struct lt_timing_report report;

		lt_timing_report(entry->timing, &report);
		/* Its file may still be on its way to the disk: the state goes on in memory. */
		if (!fresh && report.updates > 0) {
			origin.state = cJSON_Duplicate(lt_timing_state(entry->timing), true);
		}
		lt_timing_destroy(entry->timing);
		entry->timing = NULL;
	}
	lt_start_guard_forgive(services->guard, lt_str_from(entry->uuid));
	lt_free(entry->reason);
	entry->reason = NULL;
	if (fresh) {
		entry->uuid[0] = '\0';
	}
	if (!lt_services_launch(services, entry, &origin, err)) {
		if (entry->uuid[0] == '\0') {
			lt_random_uuid(services->env.random, entry->uuid);
		}
		lt_services_keep_failure(entry, err->msg);
		lt_run_list_save(services);
		return false;
	}
	lt_run_list_save(services);
	*ret_uuid = lt_str_from(entry->uuid);
	return true;
}

/* --- life --- */

void lt_services_set_plugin_path(struct lt_services *services, const char *plugin_path)
{
	lt_plugins_set_path(services->plugins, plugin_path);
	lt_plugins_scan(services->plugins);
}

static void stopped(void *arg)
{
	struct lt_services *services = arg;

	lt_start_guard_end(services->guard);
	services->stopped(services->stopped_arg);
}

static void flush_files(void *arg)
{
	struct lt_services *services = arg;

	lt_saver_flush(services->saver, stopped, services);
}

static void stop_children(void *arg)
{
	struct lt_services *services = arg;

	if (services->env.children != NULL) {
		lt_children_stop(services->env.children, flush_files, services);
	} else {
		flush_files(services);
	}
}

void lt_services_stop(struct lt_services *services, void (*done)(void *arg), void *arg)
{
	struct lt_service_entry *entry;

	services->is_stopping = true;
	lt_timer_cancel(&services->careful_timer);
	services->stopped = done;
	services->stopped_arg = arg;
	DL_FOREACH(services->entries, entry) {
		if (entry->timing != NULL && entry->reason == NULL) {
			lt_timing_stop(entry->timing);
		}
	}
	lt_loop_defer(services->env.loop, &services->stopped_call, stop_children, services);
}
