/* The table of functions that every plugin gets: struct lt_host_api. */
#include "base/alloc.h"
#include "race/column.h"
#include "race/feed_json.h"
#include "race/feed_text.h"
#include "race/field/field.h"
#include "services/plugin/plugin_host_priv.h"
#include "services/plugin/plugin_state.h"

#define CARS_MAX 2000

static void api_log(struct lt_host *host, uint32_t level, struct lt_str text)
{
	enum lt_level ours = level == LT_LOG_ERROR ? LT_ERROR
			: level == LT_LOG_WARNING  ? LT_WARN
			: level == LT_LOG_DEBUG    ? LT_DEBUG
						   : LT_INFO;
	char value[LT_LOG_VALUE_MAX];

	lt_log(&host->env.log, ours, "plugin says", "plugin=%s text=%s", host->plugin->desc.name,
			lt_log_value(text, value));
}

static int64_t api_mono_us(struct lt_host *host)
{
	return lt_host_mono_us(host);
}

static int64_t api_wall_us(struct lt_host *host)
{
	return lt_host_wall_us(host);
}

/* A name that the plugin does not declare is a mistake of the plugin: it reads as not given. */
static const struct lt_option_value *option(struct lt_host *host, const char *name)
{
	static const struct lt_option_value none;
	const struct lt_option_value *value = lt_option_values_get(host->options, name);

	if (value == NULL) {
		lt_log(&host->env.log, LT_WARN, "plugin reads an option that it does not declare",
				"plugin=%s option=%s", host->plugin->desc.name, name);
	}
	return value ? value : &none;
}

static int32_t api_option_has(struct lt_host *host, const char *name)
{
	return option(host, name)->given;
}

static struct lt_str api_option_text(struct lt_host *host, const char *name)
{
	const char *text = option(host, name)->text;

	return lt_str_from(text ? text : "");
}

static int64_t api_option_int(struct lt_host *host, const char *name)
{
	return option(host, name)->i;
}

static double api_option_number(struct lt_host *host, const char *name)
{
	return option(host, name)->d;
}

static int32_t api_option_flag(struct lt_host *host, const char *name)
{
	return option(host, name)->flag;
}

static int32_t api_describe(struct lt_host *host, const struct lt_service_info *info)
{
	struct lt_err err = { 0 };
	cJSON *description = lt_plugin_description(info, &err);

	if (description == NULL || !lt_col_spec_check(lt_json_get(description, "colSpec"), &err)) {
		cJSON_Delete(description);
		lt_err_prefix(&err, "description of the service");
		lt_host_fail_err(host, &err);
		return -1;
	}
	lt_host_set_description_take(host, description);
	return 0;
}

static void api_set_generators(struct lt_host *host, uint32_t generators)
{
	host->env.owner->generators(host->env.owner_arg, generators);
}

static void discard_state(struct lt_host *host)
{
	cJSON_Delete(host->cars);
	cJSON_Delete(host->session);
	host->cars = NULL;
	host->session = NULL;
}

static void api_state_begin(struct lt_host *host)
{
	discard_state(host);
	host->cars = cJSON_CreateArray();
	host->session = cJSON_CreateObject();
}

/* Log a cell that does not suit its column, once for each column and description. */
static void check_cells(struct lt_host *host, const struct lt_cell *cells, size_t count)
{
	const cJSON *column = lt_json_get(host->description, "colSpec");

	column = column ? column->child : NULL;
	for (size_t i = 0; i < count && i < 64 && column != NULL; i++, column = column->next) {
		const cJSON *title = cJSON_GetArrayItem(column, 0);
		const cJSON *type = cJSON_GetArrayItem(column, 1);

		if ((host->misfit_columns >> i & 1) ||
				lt_plugin_cell_fits(&cells[i], type->valuestring)) {
			continue;
		}
		host->misfit_columns |= UINT64_C(1) << i;
		lt_log(&host->env.log, LT_WARN, "cell does not fit its column, sent as it is",
				"plugin=%s column=%s type=%s kind=%u", host->plugin->desc.name,
				title->valuestring, type->valuestring, cells[i].kind);
	}
}

static int32_t refuse(struct lt_host *host, const char *what, const struct lt_err *err)
{
	lt_log(&host->env.log, LT_WARN, "plugin gave something that cannot be used, left out",
			"plugin=%s what=%s reason=\"%s\"", host->plugin->desc.name, what, err->msg);
	return -1;
}

static int32_t api_state_row(struct lt_host *host, const struct lt_cell *cells, size_t count)
{
	struct lt_err err = { 0 };

	if (host->cars == NULL) {
		lt_err_set(&err, LT_E_INVALID, "no state was begun");
		return refuse(host, "row", &err);
	}
	if (cJSON_GetArraySize(host->cars) >= CARS_MAX) {
		lt_err_set(&err, LT_E_LIMIT, "more than %d cars", CARS_MAX);
		return refuse(host, "row", &err);
	}
	cJSON *row = lt_plugin_row(cells, count, &err);

	if (row == NULL) {
		return refuse(host, "row", &err);
	}
	check_cells(host, cells, count);
	cJSON_AddItemToArray(host->cars, row);
	return 0;
}

static int32_t api_state_session(struct lt_host *host, const struct lt_session_info *info)
{
	struct lt_err err = { 0 };

	if (host->session == NULL) {
		lt_err_set(&err, LT_E_INVALID, "no state was begun");
		return refuse(host, "session", &err);
	}
	cJSON *session = lt_plugin_session(info, &err);

	if (session == NULL) {
		return refuse(host, "session", &err);
	}
	cJSON_Delete(host->session);
	host->session = session;
	return 0;
}

static cJSON *finish_state(struct lt_host *host)
{
	struct lt_err err = { 0 };

	if (host->cars == NULL) {
		lt_err_set(&err, LT_E_INVALID, "no state was begun");
		refuse(host, "publication", &err);
		return NULL;
	}
	cJSON *state = cJSON_CreateObject();

	lt_json_set_take(state, "cars", LT_STEAL(host->cars));
	lt_json_set_take(state, "session", LT_STEAL(host->session));
	return state;
}

static int32_t api_publish_now(struct lt_host *host)
{
	struct lt_err err = { 0 };
	cJSON *state = finish_state(host);

	if (state == NULL) {
		return -1;
	}
	if (!host->env.owner->update_take(host->env.owner_arg, state, &err)) {
		return refuse(host, "state", &err);
	}
	return 0;
}

static int32_t api_publish_due(struct lt_host *host)
{
	cJSON *state = finish_state(host);

	if (state == NULL) {
		return -1;
	}
	host->env.owner->update_due_take(host->env.owner_arg, state);
	return 0;
}

static void api_message(struct lt_host *host, const struct lt_message_info *message)
{
	host->env.owner->message_take(host->env.owner_arg,
			lt_plugin_message(message, lt_wall_s(lt_loop_wall(host->env.loop))));
}

static void api_race_control(struct lt_host *host, struct lt_str text)
{
	LT_AUTO(cJSON_Delete) cJSON *clean = lt_plugin_text(text);

	host->env.owner->race_control(host->env.owner_arg, lt_str_from(clean->valuestring));
}

static void api_new_session(struct lt_host *host)
{
	host->env.owner->new_session(host->env.owner_arg);
}

static void api_set_stale(struct lt_host *host, uint32_t stale, struct lt_str reason)
{
	host->env.owner->stale(host->env.owner_arg, stale != 0, reason);
}

static const void *api_extension(struct lt_host *host, const char *id)
{
	static const struct {
		const char *id;
		const void *table;
	} extensions[] = {
		{ LT_EXT_LINES, &lt_host_lines_ext },
		{ LT_EXT_FILE, &lt_host_file_ext },
		{ LT_EXT_TCP, &lt_host_tcp_ext },
		{ LT_EXT_UDP, &lt_host_udp_ext },
		{ LT_EXT_HTTP, &lt_host_http_ext },
		{ LT_EXT_WS, &lt_host_ws_ext },
		{ LT_EXT_WORK, &lt_host_work_ext },
		{ LT_EXT_RECORDING, &lt_host_recording_ext },
		{ LT_EXT_FIELD, &lt_field_table },
		{ LT_EXT_TEXT, &lt_text_table },
		{ LT_EXT_JSON, &lt_json_table },
		{ LT_EXT_INBOX, &lt_host_inbox_ext },
	};

	(void)host;
	for (size_t i = 0; i < LT_ARRAY_LEN(extensions); i++) {
		if (strcmp(extensions[i].id, id) == 0) {
			return extensions[i].table;
		}
	}
	return NULL;
}

const struct lt_host_api lt_host_api_table = {
	.size = sizeof(struct lt_host_api),
	.abi_minor = LT_PLUGIN_ABI_MINOR,
	.log = api_log,
	.mono_us = api_mono_us,
	.wall_us = api_wall_us,
	.option_has = api_option_has,
	.option_text = api_option_text,
	.option_int = api_option_int,
	.option_number = api_option_number,
	.option_flag = api_option_flag,
	.describe = api_describe,
	.set_generators = api_set_generators,
	.state_begin = api_state_begin,
	.state_row = api_state_row,
	.state_session = api_state_session,
	.publish_now = api_publish_now,
	.publish_due = api_publish_due,
	.message = api_message,
	.race_control = api_race_control,
	.new_session = api_new_session,
	.set_stale = api_set_stale,
	.count = lt_host_count,
	.fail = lt_host_fail,
	.timer = lt_host_timer,
	.timer_cancel = lt_host_timer_cancel,
	.extension = api_extension,
};
