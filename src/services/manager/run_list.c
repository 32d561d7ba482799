#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fsutil.h"
#include "base/table.h"
#include "services/manager/services_priv.h"

#define RUN_LIST_MAX_BYTES (1024u * 1024)

void lt_run_list_free(struct lt_run *list)
{
	struct lt_run *run, *next;

	LL_FOREACH_SAFE(list, run, next) {
		lt_args_finish(&run->args);
		lt_free(run);
	}
}

static bool read_run(const cJSON *item, struct lt_run **list, struct lt_err *err)
{
	struct lt_run *run = lt_zalloc(sizeof(*run));
	struct lt_str uuid;
	const cJSON *arg;

	LL_APPEND(*list, run);
	if (!lt_json_get_str(item, "uuid", &uuid, err) ||
			!lt_json_opt_bool(item, "fromConfig", &run->from_config, err) ||
			!lt_json_opt_bool(item, "scheduled", &run->is_scheduled, err)) {
		return false;
	}
	if (!lt_name_is_safe(uuid) || uuid.n >= sizeof(run->uuid)) {
		return lt_err_set(err, LT_E_FORMAT, "a uuid that cannot be a file name");
	}
	memcpy(run->uuid, uuid.p, uuid.n);
	cJSON_ArrayForEach(arg, lt_json_get(item, "args")) {
		if (!cJSON_IsString(arg)) {
			return lt_err_set(err, LT_E_FORMAT, "an argument that is not text");
		}
		lt_args_add(&run->args, lt_str_from(arg->valuestring));
	}
	return run->args.n > 0 || lt_err_set(err, LT_E_FORMAT, "a service without arguments");
}

bool lt_run_list_read(const char *path, struct lt_run **ret_list, struct lt_err *err)
{
	struct lt_run *list = NULL;
	const cJSON *item;

	if (access(path, F_OK) != 0) {
		*ret_list = NULL;
		return true;
	}
	LT_AUTO(cJSON_Delete) cJSON *document = lt_json_parse_file(path, RUN_LIST_MAX_BYTES, err);

	if (document == NULL) {
		return false;
	}
	const cJSON *services = lt_json_get(document, "services");

	if (!cJSON_IsArray(services)) {
		return lt_err_set(err, LT_E_FORMAT, "services: not a list");
	}
	cJSON_ArrayForEach(item, services) {
		if (!read_run(item, &list, err)) {
			lt_run_list_free(list);
			return false;
		}
	}
	*ret_list = list;
	return true;
}

static void write_list(const struct lt_services *services, struct lt_buf *buf)
{
	LT_AUTO(cJSON_Delete) cJSON *document = cJSON_CreateObject();
	const struct lt_service_entry *entry;

	lt_json_add_int(document, "version", 1);
	cJSON *list = cJSON_AddArrayToObject(document, "services");

	DL_FOREACH(services->entries, entry) {
		cJSON *item = cJSON_CreateObject(), *args = cJSON_CreateArray();

		lt_json_add_c(item, "uuid", entry->uuid);
		for (size_t i = 0; i < entry->args.n; i++) {
			cJSON_AddItemToArray(args, lt_json_new_str(lt_str_from(entry->args.v[i])));
		}
		lt_json_set_take(item, "args", args);
		lt_json_add_bool(item, "fromConfig", entry->from_config);
		lt_json_add_bool(item, "scheduled", entry->is_scheduled);
		cJSON_AddItemToArray(list, item);
	}
	lt_json_print(buf, document, LT_JSON_INDENTED);
	lt_buf_add_char(buf, '\n');
}

void lt_run_list_save(struct lt_services *services)
{
	struct lt_buf buf = { 0 };

	if (services->env.is_alone) {
		return;
	}
	write_list(services, &buf);
	struct lt_text *text = lt_text_take(&buf);

	lt_saver_write(services->saver, services->run_list_path, text);
	lt_text_unref(text);
}

void lt_run_list_save_now(struct lt_services *services)
{
	LT_AUTO(lt_buf_finish) struct lt_buf buf = { 0 };
	struct lt_err err;

	write_list(services, &buf);
	if (!lt_file_replace(services->run_list_path, lt_buf_str(&buf), 0600, &err)) {
		lt_log(&services->env.log, LT_ERROR, "run list not written", "reason=\"%s\"",
				err.msg);
	}
}
