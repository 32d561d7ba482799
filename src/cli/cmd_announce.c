#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "cli/cmd.h"
#include "cli/options.h"
#include "cli/text.h"

/* --- list --- */

static void print_networks(struct lt_cli *cli, const cJSON *networks)
{
	static const char *const titles[] = { "NETWORK", ">POSTED", ">FAILURES", ">WAITING" };
	struct lt_cli_table *table = lt_cli_table_create(titles, LT_ARRAY_LEN(titles));
	const cJSON *network;

	cJSON_ArrayForEach(network, networks) {
		lt_cli_table_add(table, lt_cli_member(network, "network"));
		lt_cli_table_add_int(table, lt_cli_number(network, "posted"));
		lt_cli_table_add_int(table, lt_cli_number(network, "failures"));
		lt_cli_table_add_int(table, lt_cli_number(network, "waiting"));
	}
	lt_cli_table_print(table, cli->out);
	lt_cli_table_destroy(table);
	if (!networks || !networks->child) {
		fputs("no network is configured; see conf/livetiming.env\n", cli->out);
	}
}

/* "2026-05-16 13:00" */
static void add_time(struct lt_cli_table *table, int64_t ms)
{
	char text[LT_WALL_TEXT];

	lt_wall_format((struct lt_wall){ ms * LT_US_PER_MS }, text);
	text[10] = ' ';
	lt_cli_table_add(table, (struct lt_str){ text, 16 });
}

static void print_announcements(struct lt_cli *cli, const cJSON *list)
{
	static const char *const titles[] = { "CREATED (UTC)", "NETWORK", "STATE", ">TRIES",
		"EVENT", "REASON" };
	struct lt_cli_table *table = lt_cli_table_create(titles, LT_ARRAY_LEN(titles));
	const cJSON *item;

	cJSON_ArrayForEach(item, list) {
		add_time(table, lt_cli_number(item, "created"));
		lt_cli_table_add(table, lt_cli_member(item, "network"));
		lt_cli_table_add(table, lt_cli_member(item, "state"));
		lt_cli_table_add_int(table, lt_cli_number(item, "attempts"));
		lt_cli_table_add(table, lt_cli_member(item, "name"));
		lt_cli_table_add(table, lt_cli_member(item, "reason"));
	}
	if (list && list->child) {
		fputc('\n', cli->out);
	}
	lt_cli_table_print(table, cli->out);
	lt_cli_table_destroy(table);
}

int lt_cmd_announce_list(struct lt_cli *cli, int argc, char **argv)
{
	LT_AUTO(cJSON_Delete) cJSON *result = NULL;
	int status;

	if (!lt_cli_check_args(cli, lt_cli_find("announce", "list"), argc, argv, 0, 0)) {
		return LT_EXIT_USAGE;
	}
	result = lt_cli_ask_take(cli, "announce.list", NULL, &status);
	if (!result) {
		return status;
	}
	if (cli->is_json) {
		lt_cli_print_json(cli, result);
	} else {
		print_networks(cli, lt_json_get(result, "networks"));
		print_announcements(cli, lt_json_get(result, "announcements"));
	}
	return LT_EXIT_DONE;
}

/* --- test --- */

static void print_result(struct lt_cli *cli, const cJSON *result)
{
	LT_AUTO(lt_buf_finish) struct lt_buf length = { 0 };
	cJSON *shown = cJSON_CreateObject();
	struct lt_str reason = lt_cli_member(result, "reason");

	lt_buf_printf(&length, "%" PRId64, lt_cli_number(result, "length"));
	if (lt_cli_number(result, "limit") > 0) {
		lt_buf_printf(&length, " of %" PRId64, lt_cli_number(result, "limit"));
	}
	lt_json_add_str(shown, "network", lt_cli_member(result, "network"));
	lt_json_add_str(shown, "host", lt_cli_member(result, "host"));
	lt_json_add_str(shown, "text", lt_cli_member(result, "text"));
	lt_json_add_str(shown, "length", lt_buf_str(&length));
	lt_json_add_str(shown, "result", lt_cli_member(result, "result"));
	if (reason.n) {
		lt_json_add_str(shown, "reason", reason);
	}
	lt_cli_print_members(cli, shown);
	cJSON_Delete(shown);
	if (result->next) {
		fputc('\n', cli->out);
	}
}

int lt_cmd_announce_test(struct lt_cli *cli, int argc, char **argv)
{
	LT_AUTO(cJSON_Delete) cJSON *results = NULL;
	bool is_dry = false;
	const struct lt_cli_option options[] = { { "dry-run", 'n', &is_dry, NULL }, { 0 } };
	struct lt_cli_words words = { argc, argv };
	cJSON *args, *result;
	int status;

	if (!lt_cli_options(cli, lt_cli_find("announce", "test"), &words, options, 0, 1)) {
		return LT_EXIT_USAGE;
	}
	args = cJSON_CreateObject();
	lt_json_add_bool(args, "dryRun", is_dry);
	if (words.argc > 0) {
		lt_json_add_c(args, "network", words.argv[0]);
	}
	results = lt_cli_ask_take(cli, "announce.test", args, &status);
	if (cli->is_json && results) {
		lt_cli_print_json(cli, results);
	}
	cJSON_ArrayForEach(result, results) {
		struct lt_str outcome = lt_cli_member(result, "result");

		if (!lt_str_eq_c(outcome, "posted") && !lt_str_eq_c(outcome, "not sent")) {
			status = LT_EXIT_REFUSED;
		}
		if (!cli->is_json) {
			print_result(cli, result);
		}
	}
	return status;
}
