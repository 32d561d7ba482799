#include "services/announce/announce.h"
#include "services/control/control_verbs.h"

void lt_control_announce_list(void *arg, struct lt_control_request *request, const cJSON *args)
{
	const struct lt_control_modules *modules = arg;

	(void)args;
	lt_control_ok_take(request, lt_announce_list(modules->announce));
}

static void on_tested(void *arg, cJSON *result_take, const struct lt_err *err)
{
	if (result_take) {
		lt_control_ok_take(arg, result_take);
	} else {
		lt_control_fail(arg, err);
	}
}

void lt_control_announce_test(void *arg, struct lt_control_request *request, const cJSON *args)
{
	const struct lt_control_modules *modules = arg;
	const cJSON *network = lt_json_get(args, "network");

	lt_announce_test(modules->announce, lt_str_from(network ? network->valuestring : ""),
			cJSON_IsTrue(lt_json_get(args, "dryRun")), on_tested, request);
}

const struct lt_control_arg lt_control_announce_test_args[] = {
	{ "network", LT_ARG_TEXT, false },
	{ "dryRun", LT_ARG_BOOL, false },
	{ 0 },
};
