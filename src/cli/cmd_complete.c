/*
 * Candidates for a shell that completes a command line: given the words after
 * the program's name, the last one unfinished (maybe empty), prints what it may
 * become, one a line. Without a daemon, what needs none is still completed.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/service_args.h"
#include "cli/cmd.h"
#include "cli/text.h"

static void offer(struct lt_cli *cli, const char *candidate, const char *typed)
{
	if (strncmp(candidate, typed, strlen(typed)) == 0) {
		LT_AUTO(lt_free) char *clean = lt_cli_clean(lt_str_from(candidate));

		fprintf(cli->out, "%s\n", clean);
	}
}

static void offer_members(struct lt_cli *cli, const char *verb, const char *key, const char *typed)
{
	LT_AUTO(cJSON_Delete) cJSON *result = lt_cli_ask_quietly_take(cli, verb, NULL);
	const cJSON *list = cJSON_IsArray(result) ? result : lt_json_get(result, "plugins");
	const cJSON *item;

	cJSON_ArrayForEach(item, list) {
		const cJSON *value = lt_json_get(item, key);

		if (cJSON_IsString(value)) {
			offer(cli, value->valuestring, typed);
		}
	}
}

static void offer_service_options(struct lt_cli *cli, const char *plugin, const char *typed)
{
	cJSON *args = cJSON_CreateObject();
	LT_AUTO(cJSON_Delete) cJSON *description = NULL;
	const struct lt_service_option *own;
	const cJSON *option;

	lt_json_add_c(args, "plugin", plugin);
	description = lt_cli_ask_quietly_take(cli, "plugins.show", args);
	cJSON_ArrayForEach(option, lt_json_get(description, "options")) {
		LT_AUTO(lt_buf_finish) struct lt_buf name = { 0 };

		lt_buf_printf(&name, "--%.*s", LT_STR_ARG(lt_cli_member(option, "name")));
		offer(cli, name.p, typed);
	}
	for (size_t i = 0; (own = lt_service_option_at(i)); i++) {
		LT_AUTO(lt_buf_finish) struct lt_buf name = { 0 };

		lt_buf_printf(&name, "--%s", own->name);
		offer(cli, name.p, typed);
	}
}

static void offer_commands(struct lt_cli *cli, const char *noun, const char *typed)
{
	const char *before = "";

	for (const struct lt_cli_cmd *cmd = lt_cli_cmds; cmd->noun; cmd++) {
		if (!noun && strcmp(before, cmd->noun) != 0) {
			offer(cli, cmd->noun, typed);
		} else if (noun && cmd->verb && strcmp(lt_cli_noun(noun), cmd->noun) == 0) {
			offer(cli, cmd->verb, typed);
		}
		before = cmd->noun;
	}
}

/* Options of the commands that work on files; the files are the shell's own business. */
static void offer_file_options(struct lt_cli *cli, int argc, char **argv, const char *typed)
{
	static const struct {
		const char *before, *candidates[8];
	} values[] = {
		{ "--what", { "laps", "stints", "states" } },
		{ "--format", { "csv", "jsonl" } },
	};
	static const struct {
		const char *verb, *options[8];
	} verbs[] = {
		{ "set", { "--json-value" } },
		{ "index", { "--reindex", "--generate-analysis" } },
		{ "check", { "--quiet" } },
		{ "clip", { "--output", "--force" } },
		{ "convert", { "--output", "--force", "--start" } },
		{ "repair", { "--output", "--force", "--manifest" } },
		{ "export", { "--output", "--force", "--what", "--format" } },
		{ "analysis", { "--output", "--force" } },
		{ "assist",
				{ "--rules", "--answers", "--output", "--google-key", "--calendar",
						"--dry-run", "--non-interactive" } },
		{ "cut", { "--from", "--to", "--output", "--force" } },
		{ "scrub", { "--output", "--force" } },
	};
	const char *verb = strcmp(argv[0], "analysis") == 0 ? argv[0] : argv[1];

	for (size_t i = 0; i < LT_ARRAY_LEN(values); i++) {
		const char *const *word = values[i].candidates;

		for (; strcmp(argv[argc - 1], values[i].before) == 0 && *word; word++) {
			offer(cli, *word, typed);
		}
	}
	for (size_t i = 0; typed[0] == '-' && i < LT_ARRAY_LEN(verbs); i++) {
		const char *const *word = verbs[i].options;

		for (; strcmp(verb, verbs[i].verb) == 0 && *word; word++) {
			offer(cli, *word, typed);
		}
	}
}

/* `desk VERB SERVICE ...`: services, then what the verb takes of a closed list. */
static void offer_desk(struct lt_cli *cli, int argc, char **argv, const char *typed)
{
	static const char *const flags[] = { "none", "green", "white", "chequered", "yellow", "fcy",
		"code_60", "vsc", "sc", "caution", "red", "slow_zone", "code_60_zone", NULL };
	static const char *const whats[] = { "name", "description", "attribution", "hidden", "flag",
		"penalties", "options", NULL };
	const char *const *words = strcmp(argv[1], "flag") == 0 ? flags
			: strcmp(argv[1], "clear") == 0         ? whats
								: NULL;

	if (argc == 2 && strcmp(argv[1], "log") != 0) {
		offer_members(cli, "service.list", "serviceClass", typed);
		offer_members(cli, "service.list", "uuid", typed);
	}
	for (; argc == 3 && words && *words; words++) {
		offer(cli, *words, typed);
	}
}

static void offer_plugin(struct lt_cli *cli, int argc, char **argv, const char *typed)
{
	if (strcmp(argv[1], "show") == 0 && argc == 2) {
		offer_members(cli, "plugins.list", "name", typed);
	} else if (typed[0] == '-' && strcmp(argv[1], "new") == 0) {
		offer(cli, "--dir", typed);
	} else if (typed[0] == '-' && strcmp(argv[1], "check") == 0 && argc == 2) {
		offer(cli, "--fixture", typed);
	}
}

static void offer_arguments(struct lt_cli *cli, int argc, char **argv, const char *typed)
{
	bool is_service = strcmp(argv[0], "service") == 0;

	if (strcmp(argv[0], "rectool") == 0 || strcmp(argv[0], "raw") == 0 ||
			strcmp(argv[0], "recordings") == 0 || strcmp(argv[0], "schedule") == 0) {
		offer_file_options(cli, argc, argv, typed);
	} else if (strcmp(argv[0], "desk") == 0) {
		offer_desk(cli, argc, argv, typed);
	} else if (is_service && (strcmp(argv[1], "start") == 0 || strcmp(argv[1], "run") == 0)) {
		if (argc == 2) {
			offer_members(cli, "plugins.list", "name", typed);
		} else if (typed[0] == '-') {
			offer_service_options(cli, argv[2], typed);
		}
	} else if (is_service && strcmp(argv[1], "list") != 0) {
		if (typed[0] == '-' && strcmp(argv[1], "restart") == 0) {
			offer(cli, "-f", typed);
		} else {
			offer_members(cli, "service.list", "uuid", typed);
			offer_members(cli, "service.list", "serviceClass", typed);
		}
	} else if (strcmp(lt_cli_noun(argv[0]), "plugin") == 0) {
		offer_plugin(cli, argc, argv, typed);
	}
}

int lt_cmd_complete(struct lt_cli *cli, int argc, char **argv)
{
	const char *typed = argc > 0 ? argv[argc - 1] : "";
	int done = LT_MAX(argc - 1, 0); /* whole words before it */

	/* options before the noun; -s takes a word, and says whom to ask */
	while (done > 0 && argv[0][0] == '-') {
		bool is_socket = strcmp(argv[0], "-s") == 0 || strcmp(argv[0], "--socket") == 0;

		if (is_socket && done == 1) {
			return LT_EXIT_DONE; /* a path: the shell's own business */
		}
		if (is_socket) {
			cli->socket_path = argv[1];
		}
		argv += is_socket ? 2 : 1;
		done -= is_socket ? 2 : 1;
	}
	if (done == 0 && typed[0] == '-') {
		static const char *const options[] = { "--json", "--socket", "--help",
			"--version" };

		for (size_t i = 0; i < LT_ARRAY_LEN(options); i++) {
			offer(cli, options[i], typed);
		}
	} else if (done >= 1 && strcmp(argv[0], "analysis") == 0) {
		offer_file_options(cli, done, argv, typed);
	} else if (done <= 1) {
		offer_commands(cli, done ? argv[0] : NULL, typed);
	} else {
		offer_arguments(cli, done, argv, typed);
	}
	return LT_EXIT_DONE;
}
