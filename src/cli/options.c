#include "cli/options.h"

#include <string.h>

#include "base/nearest.h"

struct parsing {
	struct lt_cli *cli;
	const struct lt_cli_cmd *cmd;
	const struct lt_cli_option *options;
	char **argv;
	int argc, at;
};

static int usage(const struct parsing *parsing)
{
	const struct lt_cli_cmd *cmd = parsing->cmd;

	return lt_cli_usage_error(parsing->cli, "usage: %s %s%s%s %s", parsing->cli->program,
			cmd->noun, cmd->verb ? " " : "", cmd->verb ? cmd->verb : "", cmd->args);
}

static bool unknown(const struct parsing *parsing, const char *word)
{
	struct lt_nearest nearest = { .wanted = { word, strcspn(word, "=") } };
	char quoted[LT_QUOTE_MAX];

	nearest.wanted = lt_str_skip(nearest.wanted, word[1] == '-' ? 2 : 1);
	lt_str_quote(lt_str_from(word), quoted);
	for (const struct lt_cli_option *option = parsing->options; option->name; option++) {
		lt_nearest_offer(&nearest, option->name);
	}
	if (nearest.best && word[1] == '-') {
		lt_cli_usage_error(parsing->cli, "%s: unknown option %s; did you mean --%s?",
				parsing->cmd->verb ? parsing->cmd->verb : parsing->cmd->noun,
				quoted, nearest.best);
	} else {
		lt_cli_usage_error(parsing->cli, "%s: unknown option %s",
				parsing->cmd->verb ? parsing->cmd->verb : parsing->cmd->noun,
				quoted);
	}
	return false;
}

/* `attached` is what stands in the same word as the option, or NULL. */
static bool take(struct parsing *parsing, const struct lt_cli_option *option, const char *attached)
{
	const char *word = parsing->argv[parsing->at];
	char quoted[LT_QUOTE_MAX];

	lt_str_quote(lt_str_from(word), quoted);
	if (option->ret_flag) {
		if (attached) {
			lt_cli_usage_error(parsing->cli, "%s: --%s takes no value", quoted,
					option->name);
			return false;
		}
		*option->ret_flag = true;
		return true;
	}
	if (!attached && parsing->at + 1 == parsing->argc) {
		lt_cli_usage_error(parsing->cli, "%s: a value is missing", quoted);
		return false;
	}
	*option->ret_value = attached ? attached : parsing->argv[++parsing->at];
	return true;
}

static bool take_long(struct parsing *parsing, const char *word)
{
	size_t n = strcspn(word + 2, "=");
	const char *attached = word[2 + n] ? word + 2 + n + 1 : NULL;

	if (strcmp(word, "--json") == 0) {
		parsing->cli->is_json = true;
		return true;
	}
	for (const struct lt_cli_option *option = parsing->options; option->name; option++) {
		if (strlen(option->name) == n && strncmp(option->name, word + 2, n) == 0) {
			return take(parsing, option, attached);
		}
	}
	return unknown(parsing, word);
}

static bool take_short(struct parsing *parsing, const char *word)
{
	if (strcmp(word, "-j") == 0) {
		parsing->cli->is_json = true;
		return true;
	}
	for (const struct lt_cli_option *option = parsing->options; option->name; option++) {
		if (option->letter && option->letter == word[1]) {
			return take(parsing, option, word[2] ? word + 2 : NULL);
		}
	}
	return unknown(parsing, word);
}

bool lt_cli_options(struct lt_cli *cli, const struct lt_cli_cmd *cmd, struct lt_cli_words *words,
		const struct lt_cli_option *options, int min, int max)
{
	struct parsing parsing = { cli, cmd, options, words->argv, words->argc, 0 };
	bool has_ended = false;
	int kept = 0;

	for (; parsing.at < parsing.argc; parsing.at++) {
		char *word = parsing.argv[parsing.at];

		if (has_ended || word[0] != '-' || !word[1]) {
			words->argv[kept++] = word;
		} else if (strcmp(word, "--") == 0) {
			has_ended = true;
		} else if (!(word[1] == '-' ? take_long(&parsing, word)
					    : take_short(&parsing, word))) {
			return false;
		}
	}
	words->argc = kept;
	if (kept < min || kept > max) {
		usage(&parsing);
		return false;
	}
	return true;
}
