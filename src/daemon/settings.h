/*
 * The settings of one reading: environment, file, and the options of the
 * command line that stand for settings. Read at the start and at each reload.
 */
#ifndef LT_DAEMON_SETTINGS_H
#define LT_DAEMON_SETTINGS_H

#include "base/conf.h"
#include "daemon/conf.h"

struct lt_settings {
	struct lt_conf *conf;
	struct lt_daemon_conf daemon;
	int warnings;
};

/* Borrowed, for the life of the process: a reload reads the same again. */
struct lt_settings_source {
	const char *config; /* NULL: livetiming.env here or above, if there is one */
	const char *log_format, *log_level; /* NULL: not given */
	bool no_file;
};

/* NULL: every error was reported, warnings as well. Free with lt_settings_destroy. */
struct lt_settings *lt_settings_load(
		const struct lt_settings_source *source, lt_conf_report_fn report, void *arg);
void lt_settings_destroy(struct lt_settings *settings); /* NULL is fine */

#endif
