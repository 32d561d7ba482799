/*
 * Options of commands that work on files, anywhere among their arguments:
 * "-o OUT", "-oOUT", "--output OUT", "--output=OUT", flags; "--" ends them. -j
 * (--json) is always known.
 */
#ifndef LT_CLI_OPTIONS_H
#define LT_CLI_OPTIONS_H

#include "cli/cmd.h"

struct lt_cli_option {
	const char *name;       /* without dashes */
	char letter;            /* '\0': none */
	bool *ret_flag;         /* set to true; or */
	const char **ret_value; /* the word that follows; borrowed from argv */
};

/* Arguments that are no options; argv is the caller's array, rearranged. */
struct lt_cli_words {
	int argc;
	char **argv;
};

/*
 * Takes the options out of words and checks that min to max words are left;
 * false: the error was printed, the status is LT_EXIT_USAGE. options ends with
 * a NULL name.
 */
bool lt_cli_options(struct lt_cli *cli, const struct lt_cli_cmd *cmd, struct lt_cli_words *words,
		const struct lt_cli_option *options, int min, int max);

#endif
