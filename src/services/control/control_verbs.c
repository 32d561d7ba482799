#include "services/control/control_verbs.h"

#include <unistd.h>

#include "router/router.h"
#include "services/control/control_desk.h"
#include "services/control/control_schedule.h"
#include "services/directory/directory.h"
#include "services/dvr/dvr.h"
#include "services/manager/services.h"
#include "services/offload/offload.h"
#include "services/recordings/recordings.h"
#include "services/web/metrics.h"

/* --- status --- */

/* {"p50", "p99"}: the bounds under which so many of 100 are; null without any. */
static cJSON *quantiles(const struct lt_histogram *histogram)
{
	static const struct {
		const char *name;
		unsigned permille;
	} asked[] = { { "p50", 500 }, { "p99", 990 } };
	cJSON *json = cJSON_CreateObject();

	for (size_t i = 0; i < LT_ARRAY_LEN(asked); i++) {
		lt_json_set_take(json, asked[i].name,
				histogram->count ? lt_json_new_int(lt_histogram_quantile(histogram,
								   lt_histogram_us,
								   asked[i].permille))
						 : cJSON_CreateNull());
	}
	return json;
}

static cJSON *router_figures(const struct lt_control_modules *modules)
{
	cJSON *json = cJSON_CreateObject();
	struct lt_router_stats stats;

	lt_router_report(modules->router, &stats);
	lt_json_add_int(json, "connections", (int64_t)stats.connections);
	lt_json_add_int(json, "sessions", (int64_t)stats.sessions);
	lt_json_add_int(json, "sessions_total", (int64_t)stats.sessions_total);
	lt_json_add_int(json, "subscriptions", (int64_t)stats.subscriptions);
	lt_json_add_int(json, "registrations", (int64_t)stats.registrations);
	lt_json_add_int(json, "retained_topics", (int64_t)stats.retained_topics);
	lt_json_add_int(json, "retained_bytes", (int64_t)stats.retained_bytes);
	lt_json_add_int(json, "events_published", (int64_t)stats.events_published);
	lt_json_add_int(json, "events_sent", (int64_t)stats.events_sent);
	lt_json_add_int(json, "events_conflated", (int64_t)stats.events_conflated);
	lt_json_add_int(json, "calls", (int64_t)stats.calls);
	lt_json_add_int(json, "bytes_sent", (int64_t)stats.bytes_sent);
	lt_json_add_int(json, "bytes_received", (int64_t)stats.bytes_received);
	lt_json_add_int(json, "slow_peers_ended", (int64_t)stats.slow_peers_ended);
	lt_json_add_int(json, "protocol_errors", (int64_t)stats.protocol_errors);
	lt_json_add_int(json, "auth_failures", (int64_t)stats.auth_failures);
	lt_json_set_take(json, "call_us", quantiles(&stats.call_us));
	lt_json_set_take(json, "fanout_us", quantiles(&stats.fanout_us));
	return json;
}

static cJSON *timing_figures(const struct lt_control_modules *modules)
{
	cJSON *json = cJSON_CreateObject();
	struct lt_services_stats stats;

	lt_services_report(modules->services, &stats);
	lt_json_add_int(json, "running", stats.running);
	lt_json_add_int(json, "failed", stats.failed);
	lt_json_add_int(json, "stale", stats.stale);
	lt_json_add_int(json, "updates", (int64_t)stats.updates);
	lt_json_add_int(json, "failed_updates", (int64_t)stats.failed_updates);
	lt_json_add_int(json, "slow_callbacks", (int64_t)stats.slow_callbacks);
	return json;
}

static cJSON *recording_figures(const struct lt_control_modules *modules)
{
	cJSON *json = cJSON_CreateObject();
	struct lt_dvr_stats stats = { 0 };

	if (modules->dvr) {
		lt_dvr_report(modules->dvr, &stats);
	}
	lt_json_add_bool(json, "enabled", modules->dvr != NULL);
	lt_json_add_int(json, "recording", (int64_t)stats.recording);
	lt_json_add_int(json, "finishing", (int64_t)stats.finishing);
	lt_json_add_int(json, "failing", (int64_t)stats.in_trouble);
	lt_json_add_int(json, "frames", (int64_t)stats.frames);
	lt_json_add_int(json, "lost", (int64_t)stats.lost);
	lt_json_add_int(json, "bytes", (int64_t)stats.bytes_total);
	lt_json_add_int(json, "kept", (int64_t)stats.kept);
	lt_json_add_int(json, "discarded", (int64_t)stats.discarded);
	lt_json_add_int(json, "listed", (int64_t)lt_recordings_count(modules->recordings));
	if (modules->offload) {
		struct lt_offload_stats offload;

		lt_offload_report(modules->offload, &offload);
		lt_json_add_int(json, "in_bucket", (int64_t)offload.remote);
		lt_json_add_int(json, "to_upload", (int64_t)offload.waiting);
		lt_json_add_bool(json, "bucket_trouble", offload.in_trouble);
	}
	return json;
}

/* The lag histogram, [upper bound in us or null for the rest, turns]. */
static cJSON *loop_figures(const struct lt_control_modules *modules)
{
	cJSON *json = cJSON_CreateObject();
	cJSON *buckets = cJSON_CreateArray();
	struct lt_loop_stats stats;

	lt_loop_report(modules->loop, &stats);
	lt_json_add_int(json, "turns", (int64_t)stats.turns);
	lt_json_add_int(json, "lag_max_us", stats.lag_max_us);
	lt_json_add_int(json, "lag_sum_us", stats.lag_sum_us);
	for (size_t i = 0; i < LT_LAG_BUCKETS; i++) {
		cJSON *bucket = cJSON_CreateArray();

		cJSON_AddItemToArray(bucket,
				i + 1 < LT_LAG_BUCKETS ? lt_json_new_int(lt_lag_bound_us[i])
						       : cJSON_CreateNull());
		cJSON_AddItemToArray(bucket, lt_json_new_int((int64_t)stats.lag_bucket[i]));
		cJSON_AddItemToArray(buckets, bucket);
	}
	lt_json_set_take(json, "lag", buckets);
	return json;
}

/* Memory that is really in use. */
static int64_t memory_bytes(void)
{
	uint64_t virtual_bytes, resident_bytes;

	lt_metrics_memory(&virtual_bytes, &resident_bytes);
	return (int64_t)resident_bytes;
}

static cJSON *text_list(const char *const *texts)
{
	cJSON *list = cJSON_CreateArray();

	for (; *texts; texts++) {
		cJSON_AddItemToArray(list, cJSON_CreateString(*texts));
	}
	return list;
}

static void run_status(void *arg, struct lt_control_request *request, const cJSON *args)
{
	const struct lt_control_modules *modules = arg;
	cJSON *json = cJSON_CreateObject();
	cJSON *listeners = cJSON_CreateArray();
	int64_t uptime_us = lt_loop_now(modules->loop).us - modules->started.us;
	struct lt_directory_stats directory;
	const char *trouble = modules->trouble ? modules->trouble(modules->arg) : NULL;
	const char *address;

	(void)args;
	for (size_t i = 0; (address = lt_router_listener(modules->router, i)); i++) {
		cJSON_AddItemToArray(listeners, cJSON_CreateString(address));
	}
	lt_directory_report(modules->directory, &directory);
	lt_json_add_c(json, "version", modules->version);
	lt_json_add_int(json, "pid", getpid());
	lt_json_add_int(json, "uptime_s", uptime_us / LT_US_PER_S);
	lt_json_set_take(json, "listeners", listeners);
	lt_json_set_take(json, "modules", text_list(modules->names));
	lt_json_add_bool(json, "ready", !trouble);
	if (trouble) {
		lt_json_add_c(json, "reason", trouble);
	}
	lt_json_add_int(json, "services", (int64_t)directory.services);
	lt_json_add_int(json, "hidden", (int64_t)directory.hidden);
	lt_json_add_int(json, "memory_bytes", memory_bytes());
	lt_json_set_take(json, "timing", timing_figures(modules));
	lt_json_set_take(json, "recordings", recording_figures(modules));
	lt_json_set_take(json, "schedule", lt_control_schedule_figures(modules));
	lt_json_set_take(json, "router", router_figures(modules));
	if (modules->mesh) {
		lt_json_set_take(json, "mesh", modules->mesh(modules->arg));
	}
	lt_json_set_take(json, "loop", loop_figures(modules));
	lt_control_ok_take(request, json);
}

static void run_directory_list(void *arg, struct lt_control_request *request, const cJSON *args)
{
	const struct lt_control_modules *modules = arg;

	(void)args;
	lt_control_ok_take(request, lt_directory_list(modules->directory));
}

/* --- services --- */

static struct lt_str text_of(const cJSON *args, const char *name)
{
	return lt_str_from(lt_json_get(args, name)->valuestring); /* checked by the table */
}

static void answer_take(struct lt_control_request *request, cJSON *result, const struct lt_err *err)
{
	if (result) {
		lt_control_ok_take(request, result);
	} else {
		lt_control_fail(request, err);
	}
}

static void run_service_start(void *arg, struct lt_control_request *request, const cJSON *args)
{
	const struct lt_control_modules *modules = arg;
	struct lt_args command = { 0 };
	struct lt_err err = { 0 };
	struct lt_str uuid;
	const cJSON *word;
	cJSON *result = NULL;

	cJSON_ArrayForEach(word, lt_json_get(args, "command")) {
		lt_args_add(&command, lt_str_from(word->valuestring));
	}
	if (lt_services_start_service(modules->services, &command, &uuid, &err)) {
		result = lt_services_show(modules->services, uuid, &err);
	}
	lt_args_finish(&command);
	answer_take(request, result, &err);
}

static void run_service_stop(void *arg, struct lt_control_request *request, const cJSON *args)
{
	const struct lt_control_modules *modules = arg;
	struct lt_str name = text_of(args, "service");
	struct lt_err err = { 0 };
	cJSON *result = lt_services_show(modules->services, name, &err); /* as it was at the end */

	if (result && !lt_services_stop_service(modules->services, name, &err)) {
		cJSON_Delete(LT_STEAL(result));
	}
	answer_take(request, result, &err);
}

static void run_service_restart(void *arg, struct lt_control_request *request, const cJSON *args)
{
	const struct lt_control_modules *modules = arg;
	bool fresh = cJSON_IsTrue(lt_json_get(args, "fresh"));
	struct lt_err err = { 0 };
	struct lt_str uuid;
	cJSON *result = NULL;

	if (lt_services_restart_service(
			    modules->services, text_of(args, "service"), fresh, &uuid, &err)) {
		result = lt_services_show(modules->services, uuid, &err);
	}
	answer_take(request, result, &err);
}

static void run_service_list(void *arg, struct lt_control_request *request, const cJSON *args)
{
	const struct lt_control_modules *modules = arg;

	(void)args;
	lt_control_ok_take(request, lt_services_list(modules->services));
}

static void run_service_show(void *arg, struct lt_control_request *request, const cJSON *args)
{
	const struct lt_control_modules *modules = arg;
	struct lt_err err = { 0 };

	answer_take(request, lt_services_show(modules->services, text_of(args, "service"), &err),
			&err);
}

static void run_reload(void *arg, struct lt_control_request *request, const cJSON *args)
{
	const struct lt_control_modules *modules = arg;
	struct lt_err err = { 0 };

	(void)args;
	answer_take(request, modules->reload(modules->arg, &err), &err);
}

/* --- plugins --- */

static void run_plugins_list(void *arg, struct lt_control_request *request, const cJSON *args)
{
	const struct lt_control_modules *modules = arg;

	(void)args;
	lt_control_ok_take(request, lt_services_plugins(modules->services));
}

static void run_plugins_show(void *arg, struct lt_control_request *request, const cJSON *args)
{
	const struct lt_control_modules *modules = arg;
	struct lt_err err = { 0 };

	answer_take(request, lt_services_plugin(modules->services, text_of(args, "plugin"), &err),
			&err);
}

/* --- recordings --- */

static void run_recordings_list(void *arg, struct lt_control_request *request, const cJSON *args)
{
	const struct lt_control_modules *modules = arg;
	const cJSON *text = lt_json_get(args, "text"), *page = lt_json_get(args, "page");
	struct lt_err err = { 0 };
	int64_t number = 1;

	if (page && !lt_parse_i64(lt_str_from(page->valuestring), 1, 1000000, &number, &err)) {
		lt_err_prefix(&err, "page");
		lt_control_fail(request, &err);
		return;
	}
	cJSON *result = lt_recordings_list(modules->recordings,
			lt_str_from(text ? text->valuestring : NULL), number,
			cJSON_IsTrue(lt_json_get(args, "hidden")));

	lt_json_set_take(result, "inProgress",
			modules->dvr ? lt_dvr_list(modules->dvr) : cJSON_CreateArray());
	lt_control_ok_take(request, result);
}

static void run_recordings_show(void *arg, struct lt_control_request *request, const cJSON *args)
{
	const struct lt_control_modules *modules = arg;
	struct lt_err err = { 0 };

	answer_take(request,
			lt_recordings_show(modules->recordings, text_of(args, "recording"), &err),
			&err);
}

/* --- the table --- */

static const struct lt_control_arg command_args[] = { { "command", LT_ARG_TEXTS, true }, { 0 } };
static const struct lt_control_arg service_args[] = { { "service", LT_ARG_TEXT, true }, { 0 } };
static const struct lt_control_arg plugin_args[] = { { "plugin", LT_ARG_TEXT, true }, { 0 } };
static const struct lt_control_arg recording_args[] = { { "recording", LT_ARG_TEXT, true }, { 0 } };
static const struct lt_control_arg recordings_args[] = {
	{ "text", LT_ARG_TEXT, false },
	{ "page", LT_ARG_TEXT, false },
	{ "hidden", LT_ARG_BOOL, false },
	{ 0 },
};
static const struct lt_control_arg restart_args[] = {
	{ "service", LT_ARG_TEXT, true },
	{ "fresh", LT_ARG_BOOL, false },
	{ 0 },
};

const struct lt_control_verb lt_control_verbs[] = {
	{ "status", NULL, run_status },
	{ "reload", NULL, run_reload },
	{ "directory.list", NULL, run_directory_list },
	{ "service.start", command_args, run_service_start },
	{ "service.stop", service_args, run_service_stop },
	{ "service.restart", restart_args, run_service_restart },
	{ "service.list", NULL, run_service_list },
	{ "service.show", service_args, run_service_show },
	{ "plugins.list", NULL, run_plugins_list },
	{ "plugins.show", plugin_args, run_plugins_show },
	{ "recordings.list", recordings_args, run_recordings_list },
	{ "recordings.show", recording_args, run_recordings_show },
	{ "schedule.list", NULL, lt_control_schedule_list },
	{ "schedule.check", command_args, lt_control_schedule_check },
	{ "schedule.sync", NULL, lt_control_schedule_sync },
	{ "announce.list", NULL, lt_control_announce_list },
	{ "announce.test", lt_control_announce_test_args, lt_control_announce_test },
	{ "desk.show", service_args, lt_control_run_desk },
	{ "desk.rename", lt_control_desk_name_args, lt_control_run_desk },
	{ "desk.describe", lt_control_desk_text_args, lt_control_run_desk },
	{ "desk.attribute", lt_control_desk_attribute_args, lt_control_run_desk },
	{ "desk.hide", service_args, lt_control_run_desk },
	{ "desk.unhide", service_args, lt_control_run_desk },
	{ "desk.message", lt_control_desk_text_args, lt_control_run_desk },
	{ "desk.penalty", lt_control_desk_penalty_args, lt_control_run_desk },
	{ "desk.clearPenalty", lt_control_desk_car_args, lt_control_run_desk },
	{ "desk.flag", lt_control_desk_flag_args, lt_control_run_desk },
	{ "desk.option", lt_control_desk_option_args, lt_control_run_desk },
	{ "desk.endSession", service_args, lt_control_run_desk },
	{ "desk.private", service_args, lt_control_run_desk },
	{ "desk.public", service_args, lt_control_run_desk },
	{ "desk.clear", lt_control_desk_clear_args, lt_control_run_desk },
	{ "desk.log", lt_control_desk_log_args, lt_control_run_desk },
	{ 0 },
};
