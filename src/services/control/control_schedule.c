#include "services/control/control_schedule.h"

#include "services/control/control_verbs.h"
#include "services/manager/services.h"
#include "services/schedule/scheduler.h"

void lt_control_schedule_list(void *arg, struct lt_control_request *request, const cJSON *args)
{
	const struct lt_control_modules *modules = arg;

	(void)args;
	lt_control_ok_take(request, lt_scheduler_show(modules->scheduler));
}

void lt_control_schedule_check(void *arg, struct lt_control_request *request, const cJSON *args)
{
	const struct lt_control_modules *modules = arg;
	struct lt_args command = { 0 };
	struct lt_err err = { 0 };
	cJSON *result = cJSON_CreateObject();
	const cJSON *word;

	cJSON_ArrayForEach(word, lt_json_get(args, "command")) {
		lt_args_add(&command, lt_str_from(word->valuestring));
	}
	if (lt_services_check(modules->services, &command, &err)) {
		lt_json_set_take(result, "problem", cJSON_CreateNull());
	} else {
		lt_json_add_c(result, "problem", err.msg);
	}
	lt_args_finish(&command);
	lt_control_ok_take(request, result);
}

static void on_synced(void *arg, cJSON *result_take)
{
	struct lt_control_request *request = arg;
	struct lt_err err = { 0 };

	if (result_take) {
		lt_control_ok_take(request, result_take);
		return;
	}
	lt_err_set(&err, LT_E_UNAVAILABLE, "the daemon is stopping");
	lt_control_fail(request, &err);
}

void lt_control_schedule_sync(void *arg, struct lt_control_request *request, const cJSON *args)
{
	const struct lt_control_modules *modules = arg;
	struct lt_err err = { 0 };

	(void)args;
	if (!lt_scheduler_sync(modules->scheduler, on_synced, request, &err)) {
		lt_control_fail(request, &err);
	}
}

cJSON *lt_control_schedule_figures(const struct lt_control_modules *modules)
{
	cJSON *json = cJSON_CreateObject();
	struct lt_scheduler_stats stats;

	lt_scheduler_report(modules->scheduler, &stats);
	lt_json_add_int(json, "calendars", (int64_t)stats.calendars);
	lt_json_add_int(json, "failing", (int64_t)stats.failing);
	lt_json_add_int(json, "age_s", stats.age_s);
	lt_json_add_int(json, "mistakes", (int64_t)stats.mistakes);
	lt_json_add_int(json, "coming", (int64_t)stats.events.coming);
	lt_json_add_int(json, "running", (int64_t)stats.events.running);
	lt_json_add_int(json, "held", (int64_t)stats.events.held);
	lt_json_add_int(json, "failed", (int64_t)stats.events.failed);
	lt_json_add_int(json, "next_start", stats.events.next_start_s);
	return json;
}
