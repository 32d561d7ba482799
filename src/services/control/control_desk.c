/* Verbs of the control desk: desk.ORDER, with the parameters of livetiming.desk.ORDER. */
#include "services/control/control_desk.h"

#include "services/control/control_verbs.h"
#include "services/desk/desk.h"

static void answer(void *arg, cJSON *result, const struct lt_err *err)
{
	struct lt_control_request *request = arg;

	if (result) {
		lt_control_ok_take(request, result);
	} else {
		lt_control_fail(request, err);
	}
}

void lt_control_run_desk(void *arg, struct lt_control_request *request, const cJSON *args)
{
	const struct lt_control_modules *modules = arg;
	struct lt_audit_who who = { 0 };

	lt_control_peer(request, &who.uid, &who.pid);
	lt_desk_run(modules->desk, &who, lt_control_verb_name(request) + strlen("desk."), args,
			answer, request);
}

const struct lt_control_arg lt_control_desk_name_args[] = {
	{ "service", LT_ARG_TEXT, true },
	{ "name", LT_ARG_TEXT, true },
	{ 0 },
};

const struct lt_control_arg lt_control_desk_text_args[] = {
	{ "service", LT_ARG_TEXT, true },
	{ "text", LT_ARG_TEXT, true },
	{ 0 },
};

const struct lt_control_arg lt_control_desk_attribute_args[] = {
	{ "service", LT_ARG_TEXT, true },
	{ "text", LT_ARG_TEXT, true },
	{ "url", LT_ARG_TEXT, false },
	{ 0 },
};

const struct lt_control_arg lt_control_desk_penalty_args[] = {
	{ "service", LT_ARG_TEXT, true },
	{ "car", LT_ARG_TEXT, true },
	{ "text", LT_ARG_TEXT, true },
	{ 0 },
};

const struct lt_control_arg lt_control_desk_car_args[] = {
	{ "service", LT_ARG_TEXT, true },
	{ "car", LT_ARG_TEXT, true },
	{ 0 },
};

const struct lt_control_arg lt_control_desk_flag_args[] = {
	{ "service", LT_ARG_TEXT, true },
	{ "flag", LT_ARG_TEXT, true },
	{ 0 },
};

const struct lt_control_arg lt_control_desk_option_args[] = {
	{ "service", LT_ARG_TEXT, true },
	{ "name", LT_ARG_TEXT, true },
	{ "value", LT_ARG_TEXT, true },
	{ 0 },
};

const struct lt_control_arg lt_control_desk_clear_args[] = {
	{ "service", LT_ARG_TEXT, true },
	{ "what", LT_ARG_TEXT, false },
	{ 0 },
};

const struct lt_control_arg lt_control_desk_log_args[] = {
	{ "count", LT_ARG_TEXT, false },
	{ 0 },
};
