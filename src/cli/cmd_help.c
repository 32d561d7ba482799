#include <string.h>

#include "cli/cmd.h"
#include "cli/text.h"

#define USAGE_WIDTH 34 /* what is longer has its help on the next line */

static void print_commands(struct lt_cli *cli, const char *noun)
{
	for (const struct lt_cli_cmd *cmd = lt_cli_cmds; cmd->noun; cmd++) {
		LT_AUTO(lt_buf_finish) struct lt_buf usage = { 0 };

		if (noun && strcmp(noun, cmd->noun) != 0) {
			continue;
		}
		lt_buf_printf(&usage, "%s%s%s%s%s", cmd->noun, cmd->verb ? " " : "",
				cmd->verb ? cmd->verb : "", *cmd->args ? " " : "", cmd->args);
		if (usage.n > USAGE_WIDTH) {
			fprintf(cli->out, "  %s\n  %*s %s\n", usage.p, USAGE_WIDTH, "", cmd->help);
		} else {
			fprintf(cli->out, "  %-*s %s\n", USAGE_WIDTH, usage.p, cmd->help);
		}
	}
}

int lt_cmd_help(struct lt_cli *cli, int argc, char **argv)
{
	char quoted[LT_QUOTE_MAX];
	bool is_known = false;

	if (argc > 0) {
		const char *noun = lt_cli_noun(argv[0]);

		for (const struct lt_cli_cmd *cmd = lt_cli_cmds; cmd->noun; cmd++) {
			is_known = is_known || strcmp(cmd->noun, noun) == 0;
		}
		if (!is_known) {
			return lt_cli_usage_error(cli, "help: unknown command %s",
					lt_str_quote(lt_str_from(argv[0]), quoted));
		}
		print_commands(cli, noun);
		return LT_EXIT_DONE;
	}
	fprintf(cli->out,
			"usage: %s [-j] [-s SOCKET] NOUN [VERB] [ARGUMENT...]\n\n"
			"  -j, --json           print one JSON document\n"
			"  -s, --socket SOCKET  control socket of the daemon (LIVETIMING_CONTROL_SOCKET)\n"
			"  -h, --help           this list\n"
			"  --version            version of this program\n\n",
			cli->program);
	print_commands(cli, NULL);
	fprintf(cli->out,
			"\nOptions of services: plugin show NAME. rectool, analysis and recordings index\n"
			"work on files and need no daemon. Exit status: 0 done, 1 refused, 2 usage,\n"
			"3 cannot connect.\n");
	return LT_EXIT_DONE;
}
