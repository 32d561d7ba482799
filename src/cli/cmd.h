/*
 * Commands of livetimingctl: a table of noun and verb. A command asks the
 * daemon, or works on files without one, and prints the answer through one of
 * two printers: text for people, or JSON.
 */
#ifndef LT_CLI_CMD_H
#define LT_CLI_CMD_H

#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"
#include "base/json.h"

/* Exit statuses, the same for every command. */
enum lt_exit {
	LT_EXIT_DONE = 0,
	LT_EXIT_REFUSED = 1, /* the daemon said no, or a file is not in order */
	LT_EXIT_USAGE = 2,
	LT_EXIT_CONNECT = 3, /* no daemon, or the connection broke */
};

struct lt_client;
struct lt_conf;
struct lt_conf_key;

/* One run of the program. */
struct lt_cli {
	FILE *out, *err;
	const char *program;     /* for messages */
	const char *socket_path; /* borrowed */
	char *const *environment;
	bool is_json;
	int patience_s;           /* how long an answer of the daemon may take */
	struct lt_client *client; /* NULL until something is asked */
};

struct lt_cli_cmd {
	const char *noun, *verb; /* verb NULL: the noun stands alone */
	const char *args;        /* as the usage line shows them */
	const char *help;        /* one line */
	/* argv[0] is the first argument after the verb. */
	int (*run)(struct lt_cli *cli, int argc, char **argv);
};

/* Settings as the daemon finds them here: environment, livetiming.env, default. Owned. */
struct lt_conf *lt_cli_settings(const struct lt_conf_key *keys, char *const *environment);

/* The table; ends with a NULL noun. */
extern const struct lt_cli_cmd lt_cli_cmds[];

/* Runs of the table (cmd_*.c). */
int lt_cmd_top(struct lt_cli *cli, int argc, char **argv);
int lt_cmd_status(struct lt_cli *cli, int argc, char **argv);
int lt_cmd_reload(struct lt_cli *cli, int argc, char **argv);
int lt_cmd_service_run(struct lt_cli *cli, int argc, char **argv);
int lt_cmd_service_start(struct lt_cli *cli, int argc, char **argv);
int lt_cmd_service_stop(struct lt_cli *cli, int argc, char **argv);
int lt_cmd_service_restart(struct lt_cli *cli, int argc, char **argv);
int lt_cmd_service_list(struct lt_cli *cli, int argc, char **argv);
int lt_cmd_service_show(struct lt_cli *cli, int argc, char **argv);
int lt_cmd_desk_show(struct lt_cli *cli, int argc, char **argv);
int lt_cmd_desk_rename(struct lt_cli *cli, int argc, char **argv);
int lt_cmd_desk_describe(struct lt_cli *cli, int argc, char **argv);
int lt_cmd_desk_attribute(struct lt_cli *cli, int argc, char **argv);
int lt_cmd_desk_hide(struct lt_cli *cli, int argc, char **argv);
int lt_cmd_desk_unhide(struct lt_cli *cli, int argc, char **argv);
int lt_cmd_desk_message(struct lt_cli *cli, int argc, char **argv);
int lt_cmd_desk_penalty(struct lt_cli *cli, int argc, char **argv);
int lt_cmd_desk_clear_penalty(struct lt_cli *cli, int argc, char **argv);
int lt_cmd_desk_flag(struct lt_cli *cli, int argc, char **argv);
int lt_cmd_desk_option(struct lt_cli *cli, int argc, char **argv);
int lt_cmd_desk_end_session(struct lt_cli *cli, int argc, char **argv);
int lt_cmd_desk_private(struct lt_cli *cli, int argc, char **argv);
int lt_cmd_desk_public(struct lt_cli *cli, int argc, char **argv);
int lt_cmd_desk_clear(struct lt_cli *cli, int argc, char **argv);
int lt_cmd_desk_log(struct lt_cli *cli, int argc, char **argv);
int lt_cmd_plugins_list(struct lt_cli *cli, int argc, char **argv);
int lt_cmd_plugins_show(struct lt_cli *cli, int argc, char **argv);
int lt_cmd_plugin_new(struct lt_cli *cli, int argc, char **argv);
int lt_cmd_plugin_check(struct lt_cli *cli, int argc, char **argv);
int lt_cmd_rectool_inspect(struct lt_cli *cli, int argc, char **argv);
int lt_cmd_rectool_show(struct lt_cli *cli, int argc, char **argv);
int lt_cmd_rectool_scan(struct lt_cli *cli, int argc, char **argv);
int lt_cmd_rectool_set(struct lt_cli *cli, int argc, char **argv);
int lt_cmd_rectool_clip(struct lt_cli *cli, int argc, char **argv);
int lt_cmd_rectool_convert(struct lt_cli *cli, int argc, char **argv);
int lt_cmd_rectool_verify(struct lt_cli *cli, int argc, char **argv);
int lt_cmd_rectool_repair(struct lt_cli *cli, int argc, char **argv);
int lt_cmd_rectool_export(struct lt_cli *cli, int argc, char **argv);
int lt_cmd_raw_inspect(struct lt_cli *cli, int argc, char **argv);
int lt_cmd_raw_cut(struct lt_cli *cli, int argc, char **argv);
int lt_cmd_raw_scrub(struct lt_cli *cli, int argc, char **argv);
int lt_cmd_analysis(struct lt_cli *cli, int argc, char **argv);
int lt_cmd_recordings_list(struct lt_cli *cli, int argc, char **argv);
int lt_cmd_recordings_show(struct lt_cli *cli, int argc, char **argv);
int lt_cmd_recordings_index(struct lt_cli *cli, int argc, char **argv);
int lt_cmd_announce_list(struct lt_cli *cli, int argc, char **argv);
int lt_cmd_announce_test(struct lt_cli *cli, int argc, char **argv);
int lt_cmd_schedule_list(struct lt_cli *cli, int argc, char **argv);
int lt_cmd_schedule_check(struct lt_cli *cli, int argc, char **argv);
int lt_cmd_schedule_assist(struct lt_cli *cli, int argc, char **argv);
int lt_cmd_schedule_sync(struct lt_cli *cli, int argc, char **argv);
int lt_cmd_help(struct lt_cli *cli, int argc, char **argv);
int lt_cmd_complete(struct lt_cli *cli, int argc, char **argv);

/* --- shared by commands (cli.c) --- */

/*
 * Ask the daemon, connecting first. Owns args. NULL: the error was printed and
 * *ret_status is the exit status. The caller owns the result.
 */
cJSON *lt_cli_ask_take(struct lt_cli *cli, const char *verb, cJSON *args, int *ret_status);

/*
 * As above, but prints nothing: NULL with err. A connection that broke is made
 * anew with the next question.
 */
cJSON *lt_cli_try_take(struct lt_cli *cli, const char *verb, cJSON *args, struct lt_err *err);

/* As above, for questions whose failure does not matter. */
cJSON *lt_cli_ask_quietly_take(struct lt_cli *cli, const char *verb, cJSON *args);

/* -j: the whole result as one JSON document. */
void lt_cli_print_json(struct lt_cli *cli, const cJSON *result);

/* "livetimingctl: sentence" on err; returns LT_EXIT_USAGE. */
int lt_cli_usage_error(struct lt_cli *cli, const char *fmt, ...) LT_PRINTF(2, 3);

/* Usage error unless there are min to max arguments, none of which looks like an option. */
bool lt_cli_check_args(struct lt_cli *cli, const struct lt_cli_cmd *cmd, int argc, char **argv,
		int min, int max);

/* The noun that a word means: some have a second name. */
const char *lt_cli_noun(const char *word);

/* The command of this noun and verb, or NULL. */
const struct lt_cli_cmd *lt_cli_find(const char *noun, const char *verb);

/* Text member of an object, "" when it is not there or no text. Borrowed. */
struct lt_str lt_cli_member(const cJSON *object, const char *key);

/* Number member of an object, 0 when it is not there or no number. */
int64_t lt_cli_number(const cJSON *object, const char *key);

/* "key  value" for each member that is not a list or object, keys aligned. */
void lt_cli_print_members(struct lt_cli *cli, const cJSON *object);

/*
 * Start a service from a command line of the original's form, PLUGIN [options];
 * files named in it are made absolute, since the daemon works elsewhere. NULL
 * as lt_cli_ask_take.
 */
cJSON *lt_cli_start_service(struct lt_cli *cli, int argc, char **argv, int *ret_status);

/* --- a service in a process of its own (service_run.c) --- */

/* Become livetimingd with these options (ends with NULL), then argv; returns only when that fails.
 */
int lt_cli_become_daemon(struct lt_cli *cli, const char *const *options, int argc, char **argv);

/* Become that process; returns only when that fails. argv: PLUGIN [options]. */
int lt_cli_run_service(struct lt_cli *cli, int argc, char **argv);

/* --- other names of the program (names.c) --- */

/*
 * Run as the original's command of that name; false: it is not one, argv is
 * livetimingctl's own. *ret_status is the exit status.
 */
bool lt_cli_run_by_name(
		struct lt_cli *cli, const char *name, int argc, char **argv, int *ret_status);

/* --- the program --- */

struct lt_cli_streams {
	FILE *out, *err;
	char *const *environment;
};
int lt_cli_main(const struct lt_cli_streams *streams, int argc, char **argv);

#endif
