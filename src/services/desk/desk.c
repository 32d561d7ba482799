#include "services/desk/desk.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/table.h"
#include "race/envelope.h"
#include "router/local.h"
#include "router/router.h"

#define RPC_SERVICE "livetiming.service.desk."
#define CALL_MS     15000
#define JOBS_MAX    200
#define PARAMS_MAX  4
#define LOG_COUNT   50

/* An order on its way. */
struct job {
	struct lt_desk *desk;
	struct lt_audit_who who;
	const char *order; /* of the table */
	char uuid[LT_DESK_UUID_BYTES];
	char code[LT_ACCESS_CODE_TEXT]; /* of a service that was made private */
	cJSON *params;                  /* without the service */
	struct lt_saver_waiter saved;
	lt_desk_fn fn;
	void *arg;
	struct job *prev, *next;
};

struct lt_desk {
	struct lt_desk_env env;
	struct lt_local *local; /* NULL: stopped */
	struct job *jobs;
	size_t job_count;
};

/* A caller over WAMP that waits. */
struct call {
	struct lt_desk *desk;
	uint64_t invocation;
};

/* Name as procedure, and its parameters in order. */
static const struct {
	const char *order, *params[PARAMS_MAX];
} orders[] = {
	{ "show", { "service" } },
	{ "rename", { "service", "name" } },
	{ "describe", { "service", "text" } },
	{ "attribute", { "service", "text", "url" } },
	{ "hide", { "service" } },
	{ "unhide", { "service" } },
	{ "message", { "service", "text" } },
	{ "penalty", { "service", "car", "text" } },
	{ "clearPenalty", { "service", "car" } },
	{ "flag", { "service", "flag" } },
	{ "option", { "service", "name", "value" } },
	{ "endSession", { "service" } },
	{ "private", { "service" } },
	{ "public", { "service" } },
	{ "clear", { "service", "what" } },
	{ "log", { "count" } },
};

struct lt_desk *lt_desk_create(const struct lt_desk_env *env)
{
	struct lt_desk *desk = lt_zalloc(sizeof(*desk));

	desk->env = *env;
	lt_router_reserve(
			env->router, LT_STR(LT_DESK_PREFIX), LT_RESERVE_CALL | LT_RESERVE_REGISTER);
	/* services of others register their own */
	lt_router_reserve(env->router, LT_STR(RPC_SERVICE), LT_RESERVE_CALL);
	return desk;
}

static void free_job(struct job *job)
{
	/* it is in the list, which has a head then */
	DL_DELETE(job->desk->jobs, job); /* NOLINT(clang-analyzer-core.NullDereference) */
	job->desk->job_count--;
	cJSON_Delete(job->params);
	lt_free(job);
}

void lt_desk_destroy(struct lt_desk *desk)
{
	if (desk) {
		lt_desk_stop(desk);
		lt_free(desk);
	}
}

/* --- the end of an order --- */

static bool is_audited(const struct job *job)
{
	return strcmp(job->order, "show") != 0 && strcmp(job->order, "log") != 0;
}

/* result is taken; NULL: err says why. */
static void finish(struct job *job, cJSON *result, const struct lt_err *err)
{
	lt_desk_fn fn = job->fn;
	void *arg = job->arg;

	if (is_audited(job)) {
		lt_audit_add(job->desk->env.audit,
				&(struct lt_audit_entry){ .who = &job->who,
						.order = job->order,
						.uuid = job->uuid,
						.params = job->params,
						.error = result ? NULL : err->msg });
	}
	free_job(job);
	fn(arg, result, err);
}

static void finish_done(struct job *job, cJSON *overrides)
{
	cJSON *result = cJSON_CreateObject();

	lt_json_add_c(result, "uuid", job->uuid);
	if (job->code[0]) {
		lt_json_add_c(result, "code", job->code);
	}
	lt_json_set_take(result, "overrides", overrides ? overrides : cJSON_CreateObject());
	finish(job, result, NULL);
}

/* --- the service's part --- */

static bool is_order(const struct job *job, const char *order)
{
	return strcmp(job->order, order) == 0;
}

/* May the order be done although the service itself does not take it? */
static bool is_of_daemon(const struct job *job)
{
	return is_order(job, "private") || is_order(job, "public") || is_order(job, "endSession");
}

static enum lt_errc code_of(const char *uri)
{
	return strcmp(uri, "wamp.error.invalid_argument") == 0           ? LT_E_INVALID
			: strcmp(uri, "livetiming.error.not_found") == 0 ? LT_E_NOT_FOUND
									 : LT_E_UNAVAILABLE;
}

static void fail_by(struct job *job, const struct lt_result *result)
{
	LT_AUTO(cJSON_Delete) cJSON *args = lt_json_parse(result->args, NULL);
	const cJSON *text = cJSON_GetArrayItem(args, 0);
	struct lt_err err;

	lt_err_set(&err, code_of(result->error), "%s",
			cJSON_IsString(text) ? text->valuestring : result->error);
	finish(job, NULL, &err);
}

static void on_answer(void *arg, const struct lt_result *result)
{
	struct job *job = arg;
	bool is_absent = !result->ok && strcmp(result->error, "wamp.error.no_such_procedure") == 0;
	struct lt_err err;

	if (is_absent && !is_of_daemon(job)) {
		lt_err_set(&err, LT_E_UNAVAILABLE,
				"service %.60s takes no orders: it does not run, or a program runs it "
				"that knows no control desk",
				job->uuid);
		finish(job, NULL, &err);
		return;
	}
	if (!result->ok && !is_absent) {
		fail_by(job, result);
		return;
	}
	if (is_order(job, "endSession")) {
		job->desk->env.split(job->desk->env.arg, lt_str_from(job->uuid));
	}
	LT_AUTO(cJSON_Delete) cJSON *args = result->ok ? lt_json_parse(result->args, NULL) : NULL;

	finish_done(job, cJSON_Duplicate(cJSON_GetArrayItem(args, 0), true));
}

static void ask_service(struct job *job)
{
	LT_AUTO(lt_buf_finish) struct lt_buf procedure = { 0 }, args = { 0 };
	struct lt_err err = { 0 };

	lt_buf_printf(&procedure, "%s%s", RPC_SERVICE, job->uuid);
	lt_buf_printf(&args, "[\"%s\",", job->order);
	lt_json_print(&args, job->params, LT_JSON_UTF8);
	lt_buf_add_char(&args, ']');
	if (lt_local_call(job->desk->local, lt_buf_str(&procedure), lt_buf_str(&args), CALL_MS,
			    on_answer, job, &err)) {
		return;
	}
	/* a procedure that is not there is told at once */
	if (err.code == LT_E_NOT_FOUND) {
		const struct lt_result absent = { .error = "wamp.error.no_such_procedure" };

		on_answer(job, &absent);
	} else {
		finish(job, NULL, &err);
	}
}

/* --- private services --- */

static void on_saved(void *arg, bool ok)
{
	struct job *job = arg;
	struct lt_err err;

	if (ok) {
		ask_service(job);
		return;
	}
	lt_err_set(&err, LT_E_IO, "done, but it could not be written: a restart forgets it");
	finish(job, NULL, &err);
}

static void change_privacy(struct job *job)
{
	struct lt_private *private_ = job->desk->env.private_;
	struct lt_str uuid = lt_str_from(job->uuid);
	struct lt_err err = { 0 };
	bool ok;

	job->saved = (struct lt_saver_waiter){ .saved = on_saved, .arg = job };
	ok = is_order(job, "private")
			? lt_private_close(private_, uuid, job->code, &job->saved, &err)
			: lt_private_open(private_, uuid, &job->saved, &err);
	if (ok) {
		job->desk->env.review(job->desk->env.arg, uuid);
	} else {
		finish(job, NULL, &err);
	}
}

/* --- the log --- */

static void on_lines(void *arg, cJSON *lines)
{
	finish(arg, lines, NULL);
}

static void read_log(struct job *job)
{
	const cJSON *count = lt_json_get(job->params, "count");
	int64_t lines = LOG_COUNT;
	struct lt_err err = { 0 };

	if (count &&
			!lt_parse_i64(lt_str_from(count->valuestring), 1, LT_AUDIT_READ_MAX, &lines,
					&err)) {
		lt_err_prefix(&err, "count");
		finish(job, NULL, &err);
		return;
	}
	lt_audit_read(job->desk->env.audit, lines, on_lines, job);
}

/* --- an order --- */

static const char *find_order(const char *name)
{
	for (size_t i = 0; i < LT_ARRAY_LEN(orders); i++) {
		if (strcmp(orders[i].order, name) == 0) {
			return orders[i].order;
		}
	}
	return NULL;
}

static bool find_service(struct job *job, const cJSON *params, struct lt_err *err)
{
	const cJSON *service = lt_json_get(params, "service");

	if (!cJSON_IsString(service) || !service->valuestring[0]) {
		return lt_err_set(err, LT_E_INVALID, "service: a name or UUID is missing");
	}
	if (job->desk->env.find(job->desk->env.arg, lt_str_from(service->valuestring), job->uuid,
			    err)) {
		return true;
	}
	snprintf(job->uuid, sizeof(job->uuid), "%s", service->valuestring); /* for the audit */
	return false;
}

static void start_job(struct job *job, const cJSON *params)
{
	struct lt_err err = { 0 };

	if (is_order(job, "log")) {
		read_log(job);
	} else if (!find_service(job, params, &err)) {
		finish(job, NULL, &err);
	} else if (is_order(job, "private") || is_order(job, "public")) {
		change_privacy(job);
	} else {
		ask_service(job);
	}
}

void lt_desk_run(struct lt_desk *desk, const struct lt_audit_who *who, const char *order,
		const cJSON *params, lt_desk_fn fn, void *arg)
{
	const char *known = find_order(order);
	struct lt_err err = { 0 };
	struct job *job;

	if (!known || !desk->local || desk->job_count >= JOBS_MAX) {
		lt_err_set(&err, known ? LT_E_UNAVAILABLE : LT_E_NOT_FOUND,
				known ? "the control desk is busy" : "there is no such order");
		fn(arg, NULL, &err);
		return;
	}
	job = lt_zalloc(sizeof(*job));
	job->desk = desk;
	job->who = *who;
	job->order = known;
	job->fn = fn;
	job->arg = arg;
	job->params = cJSON_Duplicate(params, true);
	if (lt_json_get(job->params, "service")) {
		cJSON_DeleteItemFromObjectCaseSensitive(job->params, "service");
	}
	DL_APPEND(desk->jobs, job);
	desk->job_count++;
	start_job(job, params);
}

/* --- over WAMP --- */

static void answer_call(void *arg, cJSON *result, const struct lt_err *err)
{
	struct call *call = arg;
	LT_AUTO(cJSON_Delete) cJSON *owned = result;
	LT_AUTO(lt_buf_finish) struct lt_buf args = { 0 };

	if (call->desk->local && owned) {
		lt_buf_add_char(&args, '[');
		lt_json_print(&args, owned, LT_JSON_UTF8);
		lt_buf_add_char(&args, ']');
		lt_local_yield(call->desk->local, call->invocation, lt_buf_str(&args));
	} else if (call->desk->local) {
		lt_local_error(call->desk->local, call->invocation,
				err->code == LT_E_INVALID ? "wamp.error.invalid_argument"
						: err->code == LT_E_NOT_FOUND
						? "livetiming.error.not_found"
						: "livetiming.error.refused",
				err->msg);
	}
	lt_free(call);
}

/* Numbers and booleans count as the texts that they are. */
static bool add_param(cJSON *params, const char *name, const cJSON *value, struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

	if (value && cJSON_IsString(value)) {
		lt_json_add_c(params, name, value->valuestring);
	} else if (cJSON_IsNumber(value) || cJSON_IsBool(value)) {
		lt_json_print(&text, value, LT_JSON_COMPACT);
		lt_json_add_str(params, name, lt_buf_str(&text));
	} else if (value && !cJSON_IsNull(value)) {
		return lt_err_set(err, LT_E_INVALID, "%s: expected a text", name);
	}
	return true;
}

static bool read_params(const struct lt_invocation *invocation, const char *const *names,
		cJSON *params, struct lt_err *err)
{
	LT_AUTO(cJSON_Delete) cJSON *args = NULL;
	LT_AUTO(cJSON_Delete) cJSON *kwargs = NULL;
	int n = 0;

	if ((invocation->args.n && !(args = lt_json_parse(invocation->args, err))) ||
			(invocation->kwargs.n &&
					!(kwargs = lt_json_parse(invocation->kwargs, err)))) {
		return false;
	}
	for (; n < PARAMS_MAX && names[n]; n++) {
		const cJSON *value = cJSON_GetArrayItem(args, n);

		/* the original's clients say "uuid" */
		value = value ? value : lt_json_get(kwargs, names[n]);
		value = value || n > 0 ? value : lt_json_get(kwargs, "uuid");
		if (!add_param(params, names[n], value, err)) {
			return false;
		}
	}
	return cJSON_GetArraySize(args) <= n ||
			lt_err_set(err, LT_E_INVALID, "at most %d arguments", n);
}

static void copy_text(char *ret, size_t size, struct lt_str text)
{
	snprintf(ret, size, "%.*s", LT_STR_ARG(text));
}

static void on_call(void *arg, const struct lt_invocation *invocation)
{
	struct lt_desk *desk = arg;
	struct lt_str name = lt_str_skip(invocation->procedure, strlen(LT_DESK_PREFIX));
	LT_AUTO(cJSON_Delete) cJSON *params = cJSON_CreateObject();
	struct lt_audit_who who = { .is_wamp = true, .session = invocation->origin.session };
	struct lt_err err = { 0 };

	copy_text(who.authid, sizeof(who.authid), invocation->origin.authid);
	copy_text(who.role, sizeof(who.role), invocation->caller_role);
	copy_text(who.address, sizeof(who.address), invocation->origin.address);
	for (size_t i = 0; i < LT_ARRAY_LEN(orders); i++) {
		struct call *call;

		if (!lt_str_eq_c(name, orders[i].order)) {
			continue;
		}
		if (!read_params(invocation, orders[i].params, params, &err)) {
			lt_local_error(desk->local, invocation->id, "wamp.error.invalid_argument",
					err.msg);
			return;
		}
		call = lt_zalloc(sizeof(*call));
		call->desk = desk;
		call->invocation = invocation->id;
		lt_desk_run(desk, &who, orders[i].order, params, answer_call, call);
		return;
	}
}

/* --- life --- */

bool lt_desk_start(struct lt_desk *desk, struct lt_err *err)
{
	uint64_t id;

	desk->local = lt_local_join(desk->env.router, LT_STR(LT_REALM), "desk", "services", err);
	if (!desk->local) {
		return false;
	}
	for (size_t i = 0; i < LT_ARRAY_LEN(orders); i++) {
		LT_AUTO(lt_buf_finish) struct lt_buf procedure = { 0 };

		lt_buf_printf(&procedure, "%s%s", LT_DESK_PREFIX, orders[i].order);
		if (!lt_local_register(desk->local, lt_buf_str(&procedure), true, on_call, desk,
				    &id, err)) {
			return lt_err_prefix(err, "desk");
		}
	}
	return true;
}

void lt_desk_stop(struct lt_desk *desk)
{
	struct lt_err err;

	lt_local_leave(LT_STEAL(desk->local));
	lt_err_set(&err, LT_E_UNAVAILABLE, "the daemon is stopping");
	while (desk->jobs) {
		struct job *job = desk->jobs;

		lt_private_forget(desk->env.private_, &job->saved);
		lt_audit_forget(desk->env.audit, job);
		finish(job, NULL, &err);
	}
}
