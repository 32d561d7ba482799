#include <string.h>

#include "base/alloc.h"
#include "cli/cmd.h"
#include "cli/text.h"

static void print_list(struct lt_cli *cli, const char *title, const cJSON *list, const char *none)
{
	const cJSON *text;

	cJSON_ArrayForEach(text, list) {
		LT_AUTO(lt_free)
		char *clean = lt_cli_clean(
				lt_str_from(cJSON_IsString(text) ? text->valuestring : ""));

		fprintf(cli->out, "%s%s\n", title, clean);
	}
	if (none != NULL && (list == NULL || list->child == NULL)) {
		fprintf(cli->out, "%s\n", none);
	}
}

int lt_cmd_reload(struct lt_cli *cli, int argc, char **argv)
{
	LT_AUTO(cJSON_Delete) cJSON *result = NULL;
	int status;

	if (!lt_cli_check_args(cli, lt_cli_find("reload", NULL), argc, argv, 0, 0)) {
		return LT_EXIT_USAGE;
	}
	result = lt_cli_ask_take(cli, "reload", NULL, &status);
	if (result == NULL) {
		return status;
	}
	if (cli->is_json) {
		lt_cli_print_json(cli, result);
		return LT_EXIT_DONE;
	}
	print_list(cli, "applied: ", lt_json_get(result, "applied"),
			"no setting has changed that can be applied");
	print_list(cli, "needs a restart: ", lt_json_get(result, "restart"), NULL);
	print_list(cli, "", lt_json_get(result, "notes"), NULL);
	return LT_EXIT_DONE;
}
