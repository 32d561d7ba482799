#include "services/manager/start_guard.h"

#include <unistd.h>

#include "base/alloc.h"
#include "base/fsutil.h"
#include "base/json.h"

#define FILE_NAME "starts.json"
#define BYTES_MAX 65536

struct lt_start_guard {
	struct lt_start_guard_env env;
	char *path;
	bool is_running;
	unsigned deaths; /* in a row, each soon after a start */
	char *starting;  /* UUID; NULL: none */
	cJSON *left_out; /* UUIDs */
	bool is_failing; /* the file cannot be written, which was reported */
	struct lt_timer settle;
};

struct lt_start_guard *lt_start_guard_create(const struct lt_start_guard_env *env)
{
	struct lt_start_guard *guard = lt_zalloc(sizeof(*guard));

	guard->env = *env;
	guard->path = lt_path_join(env->state_dir, FILE_NAME);
	guard->left_out = cJSON_CreateArray();
	return guard;
}

void lt_start_guard_destroy(struct lt_start_guard *guard)
{
	if (guard != NULL) {
		lt_timer_cancel(&guard->settle);
		cJSON_Delete(guard->left_out);
		lt_free(guard->starting);
		lt_free(guard->path);
		lt_free(guard);
	}
}

/* --- the file --- */

static void read_file(struct lt_start_guard *guard)
{
	LT_AUTO(cJSON_Delete) cJSON *json = NULL;
	const cJSON *uuid;
	struct lt_str starting = { NULL, 0 };
	int64_t deaths = 0;
	bool was_running = false;

	if (access(guard->path, F_OK) != 0) {
		return;
	}
	json = lt_json_parse_file(guard->path, BYTES_MAX, NULL);
	lt_json_opt_bool(json, "running", &was_running, NULL);
	lt_json_opt_int(json, "deaths", 0, 1000000, &deaths, NULL);
	lt_json_opt_str(json, "starting", &starting, NULL);
	cJSON_ArrayForEach(uuid, lt_json_get(json, "leftOut")) {
		if (cJSON_IsString(uuid)) {
			cJSON_AddItemToArray(
					guard->left_out, cJSON_CreateString(uuid->valuestring));
		}
	}
	if (!was_running) {
		return;
	}
	guard->deaths = (unsigned)deaths + 1;
	if (starting.n > 0) {
		cJSON_AddItemToArray(guard->left_out, lt_json_new_str(starting));
	}
}

static void write_file(struct lt_start_guard *guard)
{
	LT_AUTO(cJSON_Delete) cJSON *json = cJSON_CreateObject();
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	struct lt_err err;
	bool ok;

	lt_json_add_int(json, "version", 1);
	lt_json_add_bool(json, "running", guard->is_running);
	lt_json_add_int(json, "deaths", guard->deaths);
	if (guard->starting != NULL) {
		lt_json_add_c(json, "starting", guard->starting);
	}
	lt_json_set_take(json, "leftOut", cJSON_Duplicate(guard->left_out, true));
	lt_json_print(&text, json, LT_JSON_INDENTED);
	lt_buf_add_char(&text, '\n');
	ok = lt_file_replace(guard->path, lt_buf_str(&text), 0600, &err);
	if (!ok && !guard->is_failing) {
		lt_log(&guard->env.log, LT_ERROR, "crash loops cannot be noticed", "reason=\"%s\"",
				err.msg);
	}
	guard->is_failing = !ok;
}

/* --- starting --- */

bool lt_start_guard_begin(struct lt_start_guard *guard, bool forget)
{
	if (guard->env.limit == 0) {
		return false;
	}
	if (!forget) {
		read_file(guard);
	}
	guard->is_running = true;
	write_file(guard);
	if (guard->deaths >= guard->env.limit) {
		lt_log(&guard->env.log, LT_ERROR,
				"the daemon died again and again soon after its start: services are started one by one",
				"deaths=%u", guard->deaths);
		return true;
	}
	if (guard->deaths > 0) {
		lt_log(&guard->env.log, LT_WARN, "the daemon did not end in order last time",
				"deaths=%u", guard->deaths);
	}
	return false;
}

void lt_start_guard_mark(struct lt_start_guard *guard, struct lt_str uuid)
{
	lt_free(guard->starting);
	guard->starting = uuid.n > 0 ? lt_str_dup(uuid) : NULL;
	write_file(guard);
}

int64_t lt_start_guard_step_ms(const struct lt_start_guard *guard)
{
	return guard->env.settle_s * 1000 / 6;
}

static void on_settled(void *arg)
{
	struct lt_start_guard *guard = arg;

	if (guard->deaths > 0) {
		lt_log(&guard->env.log, LT_INFO, "this start has succeeded", "deaths_before=%u",
				guard->deaths);
		guard->deaths = 0;
		write_file(guard);
	}
}

void lt_start_guard_all_started(struct lt_start_guard *guard)
{
	if (guard->env.limit > 0) {
		lt_timer_once(&guard->settle, guard->env.loop, guard->env.settle_s * 1000,
				on_settled, guard);
	}
}

void lt_start_guard_end(struct lt_start_guard *guard)
{
	lt_timer_cancel(&guard->settle);
	if (!guard->is_running) {
		return;
	}
	guard->is_running = false;
	guard->deaths = 0;
	lt_free(guard->starting);
	guard->starting = NULL;
	if (guard->left_out->child == NULL) {
		unlink(guard->path);
	} else {
		write_file(guard);
	}
}

/* --- who is left out --- */

unsigned lt_start_guard_deaths(const struct lt_start_guard *guard)
{
	return guard->deaths;
}

static cJSON *find_left_out(const struct lt_start_guard *guard, struct lt_str uuid)
{
	cJSON *entry;

	cJSON_ArrayForEach(entry, guard->left_out) {
		if (lt_str_eq_c(uuid, entry->valuestring)) {
			return entry;
		}
	}
	return NULL;
}

bool lt_start_guard_is_left_out(const struct lt_start_guard *guard, struct lt_str uuid)
{
	return find_left_out(guard, uuid) != NULL;
}

void lt_start_guard_forgive(struct lt_start_guard *guard, struct lt_str uuid)
{
	cJSON *entry = find_left_out(guard, uuid);

	if (entry != NULL) {
		cJSON_Delete(cJSON_DetachItemViaPointer(guard->left_out, entry));
		write_file(guard);
	}
}
