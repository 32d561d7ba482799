#include <string.h>

#include "base/alloc.h"
#include "cli/cmd.h"
#include "cli/text.h"

static void print_list(struct lt_cli *cli, const cJSON *result)
{
	static const char *const titles[] = { "NAME", "VERSION", "SUMMARY" };
	static const char *const broken_titles[] = { "BROKEN FILE", "REASON" };
	struct lt_cli_table *table = lt_cli_table_create(titles, LT_ARRAY_LEN(titles));
	struct lt_cli_table *broken =
			lt_cli_table_create(broken_titles, LT_ARRAY_LEN(broken_titles));
	const cJSON *plugins = lt_json_get(result, "plugins");
	const cJSON *item;

	cJSON_ArrayForEach(item, plugins) {
		lt_cli_table_add(table, lt_cli_member(item, "name"));
		lt_cli_table_add(table, lt_cli_member(item, "version"));
		lt_cli_table_add(table, lt_cli_member(item, "summary"));
	}
	cJSON_ArrayForEach(item, lt_json_get(result, "broken")) {
		lt_cli_table_add(broken, lt_cli_member(item, "path"));
		lt_cli_table_add(broken, lt_cli_member(item, "error"));
	}
	lt_cli_table_print(table, cli->out);
	if (!plugins || !plugins->child) {
		fputs("no plugins were found; see LIVETIMING_PLUGIN_PATH\n", cli->out);
	}
	if (lt_json_get(result, "broken") && lt_json_get(result, "broken")->child) {
		fputc('\n', cli->out);
	}
	lt_cli_table_print(broken, cli->out);
	lt_cli_table_destroy(table);
	lt_cli_table_destroy(broken);
}

int lt_cmd_plugins_list(struct lt_cli *cli, int argc, char **argv)
{
	LT_AUTO(cJSON_Delete) cJSON *plugins = NULL;
	int status;

	if (!lt_cli_check_args(cli, lt_cli_find("plugin", "list"), argc, argv, 0, 0)) {
		return LT_EXIT_USAGE;
	}
	plugins = lt_cli_ask_take(cli, "plugins.list", NULL, &status);
	if (!plugins) {
		return status;
	}
	if (cli->is_json) {
		lt_cli_print_json(cli, plugins);
	} else {
		print_list(cli, plugins);
	}
	return LT_EXIT_DONE;
}

/* "--speed NUMBER", and what may be said about its value. */
static void print_option(struct lt_cli_table *table, const cJSON *option)
{
	LT_AUTO(lt_buf_finish) struct lt_buf usage = { 0 };
	LT_AUTO(lt_buf_finish) struct lt_buf help = { 0 };
	struct lt_str type = lt_cli_member(option, "type");
	struct lt_str choices = lt_cli_member(option, "choices");
	const cJSON *value = lt_json_get(option, "default");

	lt_buf_printf(&usage, "--%.*s", LT_STR_ARG(lt_cli_member(option, "name")));
	if (choices.n) {
		lt_buf_printf(&usage, " %.*s", LT_STR_ARG(choices));
	} else if (!lt_str_eq_c(type, "flag")) {
		lt_buf_add_char(&usage, ' ');
		for (size_t i = 0; i < type.n; i++) {
			char c = type.p[i];

			lt_buf_add_char(&usage, c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c);
		}
	}
	lt_buf_add_str(&help, lt_cli_member(option, "help"));
	if (cJSON_IsTrue(lt_json_get(option, "required"))) {
		lt_buf_add_c(&help, " (required)");
	} else if (cJSON_IsString(value)) {
		lt_buf_printf(&help, " (default: %s)", value->valuestring);
	}
	lt_cli_table_add(table, lt_buf_str(&usage));
	lt_cli_table_add(table, lt_buf_str(&help));
}

static void print_plugin(struct lt_cli *cli, const cJSON *plugin)
{
	static const char *const titles[] = { "OPTION", "MEANING" };
	struct lt_cli_table *table = lt_cli_table_create(titles, LT_ARRAY_LEN(titles));
	const cJSON *options = lt_json_get(plugin, "options");
	const cJSON *option;

	lt_cli_print_members(cli, plugin);
	cJSON_ArrayForEach(option, options) {
		print_option(table, option);
	}
	if (options && options->child) {
		fputc('\n', cli->out);
	}
	lt_cli_table_print(table, cli->out);
	lt_cli_table_destroy(table);
}

int lt_cmd_plugins_show(struct lt_cli *cli, int argc, char **argv)
{
	LT_AUTO(cJSON_Delete) cJSON *plugin = NULL;
	cJSON *args;
	int status;

	if (!lt_cli_check_args(cli, lt_cli_find("plugin", "show"), argc, argv, 1, 1)) {
		return LT_EXIT_USAGE;
	}
	args = cJSON_CreateObject();
	lt_json_add_c(args, "plugin", argv[0]);
	plugin = lt_cli_ask_take(cli, "plugins.show", args, &status);
	if (!plugin) {
		return status;
	}
	if (cli->is_json) {
		lt_cli_print_json(cli, plugin);
	} else {
		print_plugin(cli, plugin);
	}
	return LT_EXIT_DONE;
}
