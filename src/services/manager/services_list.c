#include <inttypes.h>

#include "base/table.h"
#include "services/manager/services_priv.h"

/* --- of a service in a process of its own: what it said last --- */

static const char *text_of(const cJSON *said, const char *key)
{
	const cJSON *text = lt_json_get(said, key);

	return cJSON_IsString(text) ? text->valuestring : "";
}

static int64_t number_of(const cJSON *said, const char *key)
{
	const cJSON *number = lt_json_get(said, key);

	return cJSON_IsNumber(number) && number->valuedouble >= 0 && number->valuedouble < 1e15
			? (int64_t)number->valuedouble
			: 0;
}

static void read_report(const cJSON *said, struct lt_timing_report *ret_report)
{
	*ret_report = (struct lt_timing_report){
		.status = strcmp(text_of(said, "status"), "running") == 0 ? LT_TIMING_RUNNING
									  : LT_TIMING_LOADING,
		.stale = cJSON_IsTrue(lt_json_get(said, "stale")),
		.hidden = cJSON_IsTrue(lt_json_get(said, "hidden")),
		.stale_reason = text_of(said, "staleReason"),
		.updates = (uint64_t)number_of(said, "updates"),
		.failed_updates = (uint64_t)number_of(said, "failedUpdates"),
		.slow_callbacks = (uint64_t)number_of(said, "slowCallbacks"),
		.slowest_us = number_of(said, "slowestMs") * LT_US_PER_MS,
		.last_update_ms = number_of(said, "lastUpdated"),
		.cars = (size_t)number_of(said, "cars"),
		.flag = text_of(said, "flag"),
	};
}

bool lt_services_entry_report(
		const struct lt_service_entry *entry, struct lt_timing_report *ret_report)
{
	*ret_report = (struct lt_timing_report){ 0 };
	if (entry->timing != NULL) {
		lt_timing_report(entry->timing, ret_report);
		return true;
	}
	if (entry->child != NULL && lt_child_report(entry->child) != NULL) {
		read_report(lt_child_report(entry->child), ret_report);
		return true;
	}
	return false;
}

const cJSON *lt_services_entry_manifest(const struct lt_service_entry *entry)
{
	if (entry->timing != NULL) {
		return lt_timing_manifest(entry->timing);
	}
	return entry->child != NULL ? lt_json_get(lt_child_report(entry->child), "manifest") : NULL;
}

/* --- lists --- */

static const char *status_of(const struct lt_service_entry *entry)
{
	struct lt_timing_report report;

	if (entry->is_waiting) {
		return "starting";
	}
	if (entry->reason != NULL || (entry->timing == NULL && entry->child == NULL)) {
		return "failed";
	}
	lt_services_entry_report(entry, &report);
	switch (report.status) {
	case LT_TIMING_CREATED:
	case LT_TIMING_LOADING:
		return "starting";
	case LT_TIMING_RUNNING:
		return "running";
	case LT_TIMING_STOPPED:
		break;
	}
	return "stopping";
}

static void add_manifest_text(cJSON *item, const struct lt_service_entry *entry, const char *key)
{
	const cJSON *text = lt_json_get(lt_services_entry_manifest(entry), key);

	lt_json_add_c(item, key, cJSON_IsString(text) ? text->valuestring : "");
}

static void add_report(cJSON *item, const struct lt_timing_report *report)
{
	lt_json_add_bool(item, "stale", report->stale);
	if (report->stale) {
		lt_json_add_c(item, "staleReason", report->stale_reason);
	}
	lt_json_add_bool(item, "hidden", report->hidden);
	if (report->last_update_ms != 0) {
		lt_json_add_int(item, "lastUpdated", report->last_update_ms);
	} else {
		lt_json_set_take(item, "lastUpdated", cJSON_CreateNull());
	}
	lt_json_add_int(item, "updates", (int64_t)report->updates);
	lt_json_add_int(item, "cars", (int64_t)report->cars);
	lt_json_add_c(item, "flag", report->flag ? report->flag : "");
}

static cJSON *list_entry(const struct lt_service_entry *entry)
{
	cJSON *item = cJSON_CreateObject(), *args = cJSON_CreateArray();
	struct lt_timing_report report;

	lt_services_entry_report(entry, &report);
	lt_json_add_c(item, "uuid", entry->uuid);
	add_manifest_text(item, entry, "name");
	add_manifest_text(item, entry, "description");
	lt_json_add_c(item, "serviceClass", entry->service_class);
	lt_json_add_c(item, "plugin", entry->plugin);
	lt_json_add_c(item, "status", status_of(entry));
	if (entry->reason != NULL) {
		lt_json_add_c(item, "reason", entry->reason);
	}
	for (size_t i = 0; i < entry->args.n; i++) {
		cJSON_AddItemToArray(args, lt_json_new_str(lt_str_from(entry->args.v[i])));
	}
	lt_json_set_take(item, "args", args);
	lt_json_add_bool(item, "scheduled", entry->is_scheduled);
	lt_json_add_int(item, "startedAt", lt_wall_ms(entry->started_at));
	add_report(item, &report);
	if (entry->timing != NULL && lt_timing_is_private(entry->timing)) {
		lt_json_add_bool(item, "private", true);
	}
	if (entry->child != NULL) {
		int pid = lt_child_pid(entry->child);

		lt_json_add_bool(item, "isolated", true);
		lt_json_set_take(item, "pid", pid ? lt_json_new_int(pid) : cJSON_CreateNull());
		lt_json_add_int(item, "deaths", lt_child_deaths(entry->child));
	}
	return item;
}

cJSON *lt_services_list(struct lt_services *services)
{
	cJSON *list = cJSON_CreateArray();
	const struct lt_service_entry *entry;

	DL_FOREACH(services->entries, entry) {
		cJSON_AddItemToArray(list, list_entry(entry));
	}
	return list;
}

bool lt_services_uuid(struct lt_services *services, struct lt_str name_or_uuid,
		struct lt_str *ret_uuid, struct lt_err *err)
{
	const struct lt_service_entry *entry = lt_services_find(services, name_or_uuid, err);

	if (entry == NULL) {
		return false;
	}
	*ret_uuid = lt_str_from(entry->uuid);
	return true;
}

/* What `show` has more than the list, as the service itself says it. */
static void add_said(cJSON *item, const cJSON *said)
{
	static const char *const keys[] = { "manifest", "options", "counters", "slowCallbacks",
		"slowestMs", "failedUpdates" };

	for (size_t i = 0; i < LT_ARRAY_LEN(keys); i++) {
		const cJSON *value = lt_json_get(said, keys[i]);

		if (value != NULL) {
			lt_json_set_take(item, keys[i], cJSON_Duplicate(value, true));
		}
	}
}

cJSON *lt_services_show(
		struct lt_services *services, struct lt_str name_or_uuid, struct lt_err *err)
{
	const struct lt_service_entry *entry = lt_services_find(services, name_or_uuid, err);

	if (entry == NULL) {
		return NULL;
	}
	cJSON *item = list_entry(entry);

	if (entry->child != NULL) {
		add_said(item, lt_child_report(entry->child));
	}
	if (entry->timing != NULL) {
		struct lt_timing_report report;
		const cJSON *manifest = lt_timing_manifest(entry->timing);

		lt_timing_report(entry->timing, &report);
		lt_json_set_take(item, "manifest",
				manifest ? cJSON_Duplicate(manifest, true) : cJSON_CreateNull());
		lt_json_set_take(item, "overrides",
				cJSON_Duplicate(lt_timing_overrides(entry->timing), true));
		lt_json_set_take(item, "options", lt_timing_options(entry->timing));
		lt_json_set_take(item, "counters", lt_timing_counters(entry->timing));
		lt_json_add_int(item, "slowCallbacks", (int64_t)report.slow_callbacks);
		lt_json_add_float(item, "slowestMs", (double)report.slowest_us / LT_US_PER_MS);
		lt_json_add_int(item, "failedUpdates", (int64_t)report.failed_updates);
	}
	return item;
}

cJSON *lt_services_plugins(struct lt_services *services)
{
	lt_plugins_scan(services->plugins);
	return lt_plugins_list(services->plugins);
}

cJSON *lt_services_plugin(struct lt_services *services, struct lt_str name, struct lt_err *err)
{
	const struct lt_plugin *plugin = lt_plugins_find(services->plugins, name, err);

	return plugin ? lt_plugin_show(plugin) : NULL;
}

bool lt_services_state_json(
		struct lt_services *services, struct lt_str uuid, struct lt_state_json *ret_state)
{
	const struct lt_service_entry *entry;

	DL_FOREACH(services->entries, entry) {
		if (entry->timing == NULL || entry->reason != NULL ||
				!lt_str_eq_c(uuid, entry->uuid)) {
			continue;
		}
		ret_state->json = lt_timing_published(entry->timing, &ret_state->etag);
		return ret_state->json.p != NULL;
	}
	return false;
}

void lt_services_report(const struct lt_services *services, struct lt_services_stats *ret_stats)
{
	struct lt_services_stats stats = { 0 };
	const struct lt_service_entry *entry;

	DL_FOREACH(services->entries, entry) {
		struct lt_timing_report report;
		bool is_told = lt_services_entry_report(entry, &report);

		if (entry->reason != NULL ||
				(!is_told && entry->child == NULL && !entry->is_waiting)) {
			stats.failed++;
		} else if (is_told && report.status == LT_TIMING_RUNNING) {
			stats.running++;
			stats.stale += report.stale;
		}
		stats.updates += report.updates;
		stats.failed_updates += report.failed_updates;
		stats.slow_callbacks += report.slow_callbacks;
	}
	*ret_stats = stats;
}

void lt_services_reopen_logs(struct lt_services *services)
{
	const struct lt_service_entry *entry;

	DL_FOREACH(services->entries, entry) {
		struct lt_err err = { 0 };

		if (entry->child != NULL) {
			lt_child_reopen_logs(entry->child);
		}
		if (entry->timing != NULL && !lt_timing_reopen_log(entry->timing, &err)) {
			lt_log(&services->env.log, LT_ERROR, "the log of a service stays as it is",
					"uuid=%s reason=\"%s\"", entry->uuid, err.msg);
		}
	}
}
