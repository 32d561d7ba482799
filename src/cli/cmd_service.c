#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/service_args.h"
#include "cli/cmd.h"
#include "cli/text.h"

/* --- starting --- */

/* Is this the name of an option (of the service or the plugin) whose value is a file? */
static bool takes_file(const cJSON *plugin, struct lt_str name)
{
	const cJSON *option;

	if (lt_str_eq_c(name, "-s") || lt_str_eq_c(name, "-r") ||
			lt_str_eq_c(name, "--initial-state") ||
			lt_str_eq_c(name, "--recording-file")) {
		return true;
	}
	cJSON_ArrayForEach(option, lt_json_get(plugin, "options")) {
		if (name.n > 2 && lt_str_eq_c(lt_cli_member(option, "type"), "file") &&
				lt_str_eq(lt_cli_member(option, "name"), lt_str_skip(name, 2))) {
			return true;
		}
	}
	return false;
}

static void add_path(struct lt_buf *buf, const char *cwd, struct lt_str path)
{
	if (path.n && path.p[0] != '/') {
		lt_buf_printf(buf, "%s/", cwd);
	}
	lt_buf_add_str(buf, path);
}

/* The words with relative paths of files made absolute: the daemon works in another folder. */
static cJSON *command_words(const cJSON *plugin, int argc, char **argv)
{
	cJSON *words = cJSON_CreateArray();
	char *cwd = getcwd(NULL, 0); /* from the C library: free, not lt_free */
	bool is_value = false;

	for (int i = 0; i < argc; i++) {
		LT_AUTO(lt_buf_finish) struct lt_buf word = { 0 };
		struct lt_str rest = lt_str_from(argv[i]);
		struct lt_str name = lt_str_split(&rest, '=');

		if (is_value && cwd && argv[i][0] != '-') {
			add_path(&word, cwd, lt_str_from(argv[i]));
		} else if (rest.p && cwd && argv[i][0] == '-' && takes_file(plugin, name)) {
			lt_buf_printf(&word, "%.*s=", LT_STR_ARG(name));
			add_path(&word, cwd, rest);
		} else {
			lt_buf_add_c(&word, argv[i]);
		}
		is_value = !rest.p && takes_file(plugin, name);
		cJSON_AddItemToArray(words, lt_json_new_str(lt_buf_str(&word)));
	}
	free(cwd);
	return words;
}

cJSON *lt_cli_start_service(struct lt_cli *cli, int argc, char **argv, int *ret_status)
{
	LT_AUTO(cJSON_Delete) cJSON *plugin = NULL;
	cJSON *question = cJSON_CreateObject();
	cJSON *args;

	lt_json_add_c(question, "plugin", argv[0]);
	/* an unknown plugin is refused by the start itself, with a better sentence */
	plugin = lt_cli_ask_quietly_take(cli, "plugins.show", question);
	args = cJSON_CreateObject();
	lt_json_set_take(args, "command", command_words(plugin, argc, argv));
	return lt_cli_ask_take(cli, "service.start", args, ret_status);
}

static void print_started(struct lt_cli *cli, const char *what, const cJSON *service)
{
	LT_AUTO(lt_free) char *name = lt_cli_clean(lt_cli_member(service, "name"));
	LT_AUTO(lt_free) char *uuid = lt_cli_clean(lt_cli_member(service, "uuid"));

	if (cli->is_json) {
		lt_cli_print_json(cli, service);
	} else {
		fprintf(cli->out, "%s %s %s\n", what, uuid, name);
	}
}

int lt_cmd_service_start(struct lt_cli *cli, int argc, char **argv)
{
	LT_AUTO(cJSON_Delete) cJSON *service = NULL;
	int status;

	if (argc == 0 || argv[0][0] == '-') {
		return lt_cli_usage_error(cli,
				"usage: %s [-j] [-s SOCKET] service start PLUGIN [OPTION...]; the plugin comes first",
				cli->program);
	}
	service = lt_cli_start_service(cli, argc, argv, &status);
	if (service) {
		print_started(cli, "started", service);
	}
	return status;
}

/* --- stopping --- */

int lt_cmd_service_stop(struct lt_cli *cli, int argc, char **argv)
{
	LT_AUTO(cJSON_Delete) cJSON *service = NULL;
	cJSON *args;
	int status;

	if (!lt_cli_check_args(cli, lt_cli_find("service", "stop"), argc, argv, 1, 1)) {
		return LT_EXIT_USAGE;
	}
	args = cJSON_CreateObject();
	lt_json_add_c(args, "service", argv[0]);
	service = lt_cli_ask_take(cli, "service.stop", args, &status);
	if (service) {
		print_started(cli, "stopped", service);
	}
	return status;
}

int lt_cmd_service_restart(struct lt_cli *cli, int argc, char **argv)
{
	LT_AUTO(cJSON_Delete) cJSON *service = NULL;
	bool fresh = argc > 0 && (strcmp(argv[0], "-f") == 0 || strcmp(argv[0], "--fresh") == 0);
	cJSON *args;
	int status;

	argc -= fresh;
	argv += fresh;
	if (!lt_cli_check_args(cli, lt_cli_find("service", "restart"), argc, argv, 1, 1)) {
		return LT_EXIT_USAGE;
	}
	args = cJSON_CreateObject();
	lt_json_add_c(args, "service", argv[0]);
	lt_json_add_bool(args, "fresh", fresh);
	service = lt_cli_ask_take(cli, "service.restart", args, &status);
	if (service) {
		print_started(cli, "restarted", service);
	}
	return status;
}

/* --- looking --- */

/* How long ago a time in unix milliseconds was; "" for none. */
static void add_age(struct lt_buf *buf, const cJSON *time_ms)
{
	int64_t age_ms;

	if (cJSON_IsNumber(time_ms)) {
		age_ms = lt_wall_ms(lt_clock_wall()) - (int64_t)time_ms->valuedouble;
		lt_cli_duration(buf, age_ms / 1000);
	}
}

static void add_row(struct lt_cli_table *table, const cJSON *service)
{
	LT_AUTO(lt_buf_finish) struct lt_buf age = { 0 };
	LT_AUTO(lt_buf_finish) struct lt_buf status = { 0 };
	const cJSON *cars = lt_json_get(service, "cars");

	add_age(&age, lt_json_get(service, "lastUpdated"));
	lt_buf_add_str(&status, lt_cli_member(service, "status"));
	if (cJSON_IsTrue(lt_json_get(service, "stale"))) {
		lt_buf_add_c(&status, ", silent");
	}
	lt_cli_table_add(table, lt_cli_member(service, "serviceClass"));
	lt_cli_table_add(table, lt_buf_str(&status));
	lt_cli_table_add_int(table, cJSON_IsNumber(cars) ? (int64_t)cars->valuedouble : 0);
	lt_cli_table_add(table, lt_cli_member(service, "flag"));
	lt_cli_table_add(table, lt_buf_str(&age));
	lt_cli_table_add(table, lt_cli_member(service, "name"));
	lt_cli_table_add(table, lt_cli_member(service, "uuid"));
	lt_cli_table_add(table,
			lt_cli_member(service,
					lt_cli_member(service, "reason").n ? "reason"
									   : "description"));
}

int lt_cmd_service_list(struct lt_cli *cli, int argc, char **argv)
{
	/* what matters fits 80 columns; the rest may wrap */
	static const char *const titles[] = { "CLASS", "STATUS", ">CARS", "FLAG", "UPDATED", "NAME",
		"UUID", "DESCRIPTION" };
	LT_AUTO(cJSON_Delete) cJSON *services = NULL;
	struct lt_cli_table *table;
	const cJSON *service;
	int status;

	if (!lt_cli_check_args(cli, lt_cli_find("service", "list"), argc, argv, 0, 0)) {
		return LT_EXIT_USAGE;
	}
	services = lt_cli_ask_take(cli, "service.list", NULL, &status);
	if (!services) {
		return status;
	}
	if (cli->is_json) {
		lt_cli_print_json(cli, services);
		return status;
	}
	table = lt_cli_table_create(titles, LT_ARRAY_LEN(titles));
	cJSON_ArrayForEach(service, services) {
		add_row(table, service);
	}
	lt_cli_table_print(table, cli->out);
	lt_cli_table_destroy(table);
	if (!services->child) {
		fputs("no services are running; service start PLUGIN starts one\n", cli->out);
	}
	return status;
}

static void print_service(struct lt_cli *cli, const cJSON *service)
{
	LT_AUTO(lt_buf_finish) struct lt_buf words = { 0 };
	LT_AUTO(lt_free) char *clean = NULL;
	struct lt_args args = { 0 };
	const cJSON *word;

	lt_cli_print_members(cli, service);
	cJSON_ArrayForEach(word, lt_json_get(service, "args")) {
		if (cJSON_IsString(word)) {
			lt_args_add(&args, lt_str_from(word->valuestring));
		}
	}
	lt_args_join(&words, &args);
	lt_args_finish(&args);
	clean = lt_cli_clean(lt_buf_str(&words));
	fprintf(cli->out, "command        %s\n", clean);
	lt_cli_print_members(cli, lt_json_get(service, "counters"));
}

int lt_cmd_service_show(struct lt_cli *cli, int argc, char **argv)
{
	LT_AUTO(cJSON_Delete) cJSON *service = NULL;
	cJSON *args;
	int status;

	if (!lt_cli_check_args(cli, lt_cli_find("service", "show"), argc, argv, 1, 1)) {
		return LT_EXIT_USAGE;
	}
	args = cJSON_CreateObject();
	lt_json_add_c(args, "service", argv[0]);
	service = lt_cli_ask_take(cli, "service.show", args, &status);
	if (!service) {
		return status;
	}
	if (cli->is_json) {
		lt_cli_print_json(cli, service);
	} else {
		print_service(cli, service);
	}
	return status;
}
