/*
 * What the commands that work on files share: errors of files with a hint what
 * to do about them, names of results, results that appear whole or not at all.
 */
#ifndef LT_CLI_FILES_H
#define LT_CLI_FILES_H

#include "cli/cmd.h"
#include "store/recording.h"

/* "livetimingctl: sentence" on err; returns LT_EXIT_REFUSED. */
int lt_cli_fail(struct lt_cli *cli, const struct lt_err *err);

/* Open a recording, or print why not, with the command that may help. The caller owns it. */
struct lt_recording *lt_cli_open_recording(struct lt_cli *cli, const char *path);

/* As lt_cli_fail for an error with a file that exists: an existing result has a way out. */
int lt_cli_fail_output(struct lt_cli *cli, const struct lt_err *err);

/* "DIR/NAME_clip.zip" for "DIR/NAME.zip" and "_clip.zip"; owned. */
char *lt_cli_beside(const char *path, const char *suffix);

/*
 * "90" (from the first frame) or "@1700000090" (unix time), in seconds; a
 * usage error is printed.
 */
bool lt_cli_parse_moment(struct lt_cli *cli, const char *word, int64_t first_s, int64_t *ret_s);

/* Where a command writes to: a file that is put in place at the end, or cli->out. */
struct lt_cli_output {
	FILE *file;
	char *path, *part; /* NULL: cli->out */
	bool replace;
};

/* path NULL or "-" is cli->out. On success end with commit or abandon. */
bool lt_cli_output_open(struct lt_cli *cli, const char *path, bool replace,
		struct lt_cli_output *ret, struct lt_err *err);
bool lt_cli_output_commit(struct lt_cli_output *output, struct lt_err *err);
void lt_cli_output_abandon(struct lt_cli_output *output);

#endif
