#include "daemon/schedule.h"

static bool find_service(void *arg, size_t i, struct lt_schedule_service *ret_service)
{
	const struct lt_daemon_schedule *schedule = arg;
	struct lt_service_ref ref;

	if (!lt_services_at(schedule->services, i, &ref)) {
		return false;
	}
	*ret_service = (struct lt_schedule_service){
		.uuid = ref.uuid,
		.link = ref.service_class,
		.args = ref.args,
		.is_scheduled = ref.is_scheduled,
		.is_failed = ref.is_failed,
		.is_left_out = ref.is_left_out,
	};
	return true;
}

static bool start(void *arg, const struct lt_args *command, struct lt_str *ret_uuid,
		struct lt_err *err)
{
	const struct lt_daemon_schedule *schedule = arg;

	return lt_services_start_scheduled(schedule->services, command, ret_uuid, err);
}

static bool restart(void *arg, const char *uuid, struct lt_err *err)
{
	const struct lt_daemon_schedule *schedule = arg;
	struct lt_str ignored;

	return lt_services_restart_service(
			schedule->services, lt_str_from(uuid), false, &ignored, err);
}

static bool stop(void *arg, const char *uuid, struct lt_err *err)
{
	const struct lt_daemon_schedule *schedule = arg;

	return lt_services_stop_service(schedule->services, lt_str_from(uuid), err);
}

static bool check(void *arg, const struct lt_args *command, struct lt_err *err)
{
	const struct lt_daemon_schedule *schedule = arg;

	return lt_services_check(schedule->services, command, err);
}

static void started(void *arg, const struct lt_schedule_event *event)
{
	const struct lt_daemon_schedule *schedule = arg;

	if (schedule->started) {
		schedule->started(schedule->arg, event);
	}
}

const struct lt_scheduler_services lt_daemon_schedule_services = {
	.service = find_service,
	.start = start,
	.restart = restart,
	.stop = stop,
	.check = check,
	.started = started,
};
