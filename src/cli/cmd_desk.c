/*
 * The control desk: orders to a service while it runs. All but `log` name a
 * service first; the rest are the parameters of the order, in order.
 */
#include <string.h>

#include "base/alloc.h"
#include "cli/cmd.h"
#include "cli/text.h"

#define PARAMS_MAX 3

/* A verb, the order that the daemon knows, and its parameters behind the service. */
static const struct order {
	const char *verb, *order, *params[PARAMS_MAX];
	int required; /* of the parameters */
} orders[] = {
	{ "show", "show", { NULL }, 0 },
	{ "rename", "rename", { "name" }, 1 },
	{ "describe", "describe", { "text" }, 1 },
	{ "attribute", "attribute", { "text", "url" }, 1 },
	{ "hide", "hide", { NULL }, 0 },
	{ "unhide", "unhide", { NULL }, 0 },
	{ "message", "message", { "text" }, 1 },
	{ "penalty", "penalty", { "car", "text" }, 2 },
	{ "clear-penalty", "clearPenalty", { "car" }, 1 },
	{ "flag", "flag", { "flag" }, 1 },
	{ "option", "option", { "name", "value" }, 2 },
	{ "end-session", "endSession", { NULL }, 0 },
	{ "private", "private", { NULL }, 0 },
	{ "public", "public", { NULL }, 0 },
	{ "clear", "clear", { "what" }, 0 },
};

static void print_text(struct lt_cli *cli, const char *name, struct lt_str text)
{
	LT_AUTO(lt_free) char *clean = lt_cli_clean(text);

	fprintf(cli->out, "%-14s %s\n", name, clean);
}

static void print_pairs(struct lt_cli *cli, const char *name, const cJSON *pairs, const char *key)
{
	const cJSON *pair;

	cJSON_ArrayForEach(pair, pairs) {
		LT_AUTO(lt_buf_finish) struct lt_buf line = { 0 };
		struct lt_str value =
				key ? lt_cli_member(pair, key) : lt_str_from(pair->valuestring);

		lt_buf_printf(&line, "%s: %.*s", pair->string, LT_STR_ARG(value));
		print_text(cli, name, lt_buf_str(&line));
	}
}

static void print_overrides(struct lt_cli *cli, const cJSON *overrides)
{
	static const char *const texts[] = { "name", "description", "flag" };
	static const char *const switches[] = { "hidden", "private" };
	const cJSON *source = lt_json_get(overrides, "attribution");

	for (size_t i = 0; i < LT_ARRAY_LEN(texts); i++) {
		if (lt_json_get(overrides, texts[i])) {
			print_text(cli, texts[i], lt_cli_member(overrides, texts[i]));
		}
	}
	for (size_t i = 0; i < LT_ARRAY_LEN(switches); i++) {
		const cJSON *value = lt_json_get(overrides, switches[i]);

		if (value) {
			print_text(cli, switches[i],
					cJSON_IsTrue(value) ? LT_STR("yes") : LT_STR("no"));
		}
	}
	if (cJSON_IsArray(source) && cJSON_IsString(source->child)) {
		print_text(cli, "attribution", lt_str_from(source->child->valuestring));
	}
	print_pairs(cli, "option", lt_json_get(overrides, "options"), NULL);
	print_pairs(cli, "penalty", lt_json_get(overrides, "penalties"), "text");
}

static void print_result(struct lt_cli *cli, const struct order *order, const cJSON *result)
{
	const cJSON *overrides = lt_json_get(result, "overrides");

	if (cli->is_json) {
		lt_cli_print_json(cli, result);
		return;
	}
	print_text(cli, "service", lt_cli_member(result, "uuid"));
	if (strcmp(order->verb, "private") == 0) {
		print_text(cli, "code", lt_cli_member(result, "code"));
		fputs("it is shown this once; desk private makes another\n", cli->out);
		return;
	}
	print_overrides(cli, overrides);
	if (!overrides || !overrides->child) {
		fputs("nothing is laid over the feed\n", cli->out);
	}
}

static int run_order(struct lt_cli *cli, const char *verb, int argc, char **argv)
{
	LT_AUTO(cJSON_Delete) cJSON *result = NULL;
	LT_AUTO(lt_buf_finish) struct lt_buf name = { 0 };
	const struct order *order = orders;
	cJSON *args;
	int status, most = 0;

	while (strcmp(order->verb, verb) != 0) {
		order++; /* the table has all verbs that are handed on */
	}
	while (most < PARAMS_MAX && order->params[most]) {
		most++;
	}
	if (argc > 0 && argc - 1 >= order->required && argc - 1 <= most && argv[0][0] != '-') {
		args = cJSON_CreateObject();
		lt_json_add_c(args, "service", argv[0]);
		for (int i = 1; i < argc; i++) {
			lt_json_add_c(args, order->params[i - 1], argv[i]);
		}
	} else {
		/* says how it is used; texts may begin with '-', so they are not looked at */
		lt_cli_check_args(cli, lt_cli_find("desk", verb), argc, argv, -1, -1);
		return LT_EXIT_USAGE;
	}
	lt_buf_printf(&name, "desk.%s", order->order);
	result = lt_cli_ask_take(cli, name.p, args, &status);
	if (result) {
		print_result(cli, order, result);
	}
	return status;
}

#define COMMAND(function, verb)                                                                    \
	int function(struct lt_cli *cli, int argc, char **argv)                                    \
	{                                                                                          \
		return run_order(cli, verb, argc, argv);                                           \
	}

COMMAND(lt_cmd_desk_show, "show")
COMMAND(lt_cmd_desk_rename, "rename")
COMMAND(lt_cmd_desk_describe, "describe")
COMMAND(lt_cmd_desk_attribute, "attribute")
COMMAND(lt_cmd_desk_hide, "hide")
COMMAND(lt_cmd_desk_unhide, "unhide")
COMMAND(lt_cmd_desk_message, "message")
COMMAND(lt_cmd_desk_penalty, "penalty")
COMMAND(lt_cmd_desk_clear_penalty, "clear-penalty")
COMMAND(lt_cmd_desk_flag, "flag")
COMMAND(lt_cmd_desk_option, "option")
COMMAND(lt_cmd_desk_end_session, "end-session")
COMMAND(lt_cmd_desk_private, "private")
COMMAND(lt_cmd_desk_public, "public")
COMMAND(lt_cmd_desk_clear, "clear")

/* --- the log --- */

static void add_who(struct lt_buf *buf, const cJSON *by)
{
	struct lt_str user = lt_cli_member(by, "user");

	if (lt_str_eq_c(lt_cli_member(by, "via"), "wamp")) {
		lt_buf_printf(buf, "%.*s session %lld", LT_STR_ARG(lt_cli_member(by, "authid")),
				(long long)lt_cli_number(by, "session"));
	} else if (user.n > 0) {
		lt_buf_add_str(buf, user);
	} else {
		lt_buf_printf(buf, "uid %lld", (long long)lt_cli_number(by, "uid"));
	}
}

static void add_line(struct lt_cli_table *table, const cJSON *line)
{
	LT_AUTO(lt_buf_finish) struct lt_buf who = { 0 }, params = { 0 };
	const cJSON *param;

	add_who(&who, lt_json_get(line, "by"));
	cJSON_ArrayForEach(param, lt_json_get(line, "params")) {
		if (cJSON_IsString(param)) {
			lt_buf_printf(&params, "%s%s", params.n ? ", " : "", param->valuestring);
		}
	}
	if (lt_json_get(line, "error")) {
		lt_buf_printf(&params, "%srefused: %.*s", params.n ? "; " : "",
				LT_STR_ARG(lt_cli_member(line, "error")));
	}
	lt_cli_table_add(table, lt_cli_member(line, "time"));
	lt_cli_table_add(table, lt_buf_str(&who));
	lt_cli_table_add(table, lt_cli_member(line, "order"));
	lt_cli_table_add(table, lt_cli_member(line, "uuid"));
	lt_cli_table_add(table, lt_buf_str(&params));
}

int lt_cmd_desk_log(struct lt_cli *cli, int argc, char **argv)
{
	static const char *const titles[] = { "TIME", "WHO", "ORDER", "SERVICE", "WHAT" };
	LT_AUTO(cJSON_Delete) cJSON *lines = NULL;
	struct lt_cli_table *table;
	const cJSON *line;
	cJSON *args;
	int status;

	if (!lt_cli_check_args(cli, lt_cli_find("desk", "log"), argc, argv, 0, 1)) {
		return LT_EXIT_USAGE;
	}
	args = cJSON_CreateObject();
	if (argc > 0) {
		lt_json_add_c(args, "count", argv[0]);
	}
	lines = lt_cli_ask_take(cli, "desk.log", args, &status);
	if (!lines) {
		return status;
	}
	if (cli->is_json) {
		lt_cli_print_json(cli, lines);
		return status;
	}
	table = lt_cli_table_create(titles, LT_ARRAY_LEN(titles));
	cJSON_ArrayForEach(line, lines) {
		add_line(table, line);
	}
	lt_cli_table_print(table, cli->out);
	lt_cli_table_destroy(table);
	return status;
}
