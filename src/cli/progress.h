/*
 * A progress bar for work that takes over a second: on stderr, and only when
 * that is a terminal. While it is there, SIGINT and SIGTERM wait until the work
 * has stopped and cleaned up after itself.
 */
#ifndef LT_CLI_PROGRESS_H
#define LT_CLI_PROGRESS_H

#include <signal.h>
#include <stdio.h>

#include "base/clock.h"
#include "cli/cmd.h"

struct lt_cli_progress {
	FILE *err;
	const char *what; /* "analysing"; borrowed */
	struct lt_mono started, drawn;
	bool is_terminal, is_visible;
	sigset_t before; /* signals that were blocked before */
};

void lt_cli_progress_init(struct lt_cli_progress *progress, struct lt_cli *cli, const char *what);

/* Removes the bar; a signal that came meanwhile ends the program here. */
void lt_cli_progress_finish(struct lt_cli_progress *progress);

/* The callback of the work; arg is the bar. False: stop, there was a signal. total 0: unknown. */
bool lt_cli_progress_tick(void *arg, size_t done, size_t total);

/* "analysing  42% [########------------]  0:12 left" without line end; pure. */
void lt_cli_progress_text(struct lt_buf *buf, const char *what, double part, double elapsed_s);

#endif
