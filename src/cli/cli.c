#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/ctl_proto.h"
#include "base/nearest.h"
#include "cli/client.h"
#include "cli/cmd.h"
#include "cli/text.h"

#define ANSWER_TIMEOUT_S 60
#define SYSTEM_SOCKET    "/run/livetimingd/control.sock"

const struct lt_cli_cmd lt_cli_cmds[] = {
	{ "status", NULL, "", "how the daemon is", lt_cmd_status },
	{ "top", NULL, "[--interval SECONDS]", "what it does, live", lt_cmd_top },
	{ "reload", NULL, "", "have the daemon read its settings again", lt_cmd_reload },
	{ "service", "list", "", "services that run", lt_cmd_service_list },
	{ "service", "show", "NAME|UUID", "one service in detail", lt_cmd_service_show },
	{ "service", "start", "PLUGIN [OPTION...]", "start a service", lt_cmd_service_start },
	{ "service", "run", "PLUGIN [OPTION...]",
			"run a service in this process, for LIVETIMING_ROUTER or standalone",
			lt_cmd_service_run },
	{ "service", "stop", "NAME|UUID", "stop a service", lt_cmd_service_stop },
	{ "service", "restart", "[-f] NAME|UUID",
			"start a service anew, with its state; -f: without",
			lt_cmd_service_restart },
	{ "desk", "show", "SERVICE", "what is laid over a service at the control desk",
			lt_cmd_desk_show },
	{ "desk", "rename", "SERVICE NAME", "show another name", lt_cmd_desk_rename },
	{ "desk", "describe", "SERVICE TEXT", "show another description", lt_cmd_desk_describe },
	{ "desk", "attribute", "SERVICE TEXT [URL]", "show another source of the data",
			lt_cmd_desk_attribute },
	{ "desk", "hide", "SERVICE", "leave it out of public listings", lt_cmd_desk_hide },
	{ "desk", "unhide", "SERVICE", "list it, even if it was started hidden",
			lt_cmd_desk_unhide },
	{ "desk", "message", "SERVICE TEXT", "a message of race control", lt_cmd_desk_message },
	{ "desk", "penalty", "SERVICE CAR TEXT", "a message, and a mark on the car",
			lt_cmd_desk_penalty },
	{ "desk", "clear-penalty", "SERVICE CAR", "take the mark away", lt_cmd_desk_clear_penalty },
	{ "desk", "flag", "SERVICE FLAG",
			"show this flag whatever the feed says; desk clear SERVICE flag ends it",
			lt_cmd_desk_flag },
	{ "desk", "option", "SERVICE NAME VALUE", "change an option of its plugin",
			lt_cmd_desk_option },
	{ "desk", "end-session", "SERVICE", "new session, analysis and recording",
			lt_cmd_desk_end_session },
	{ "desk", "private", "SERVICE", "only with the access code that this prints",
			lt_cmd_desk_private },
	{ "desk", "public", "SERVICE", "for everybody again", lt_cmd_desk_public },
	{ "desk", "clear", "SERVICE [WHAT]",
			"as the feed says again: name, description, attribution, hidden, flag, penalties, options, or all",
			lt_cmd_desk_clear },
	{ "desk", "log", "[N]", "who gave which orders, the last 50", lt_cmd_desk_log },
	{ "plugin", "list", "", "plugins that services can be made of", lt_cmd_plugins_list },
	{ "plugin", "show", "NAME", "a plugin and its options", lt_cmd_plugins_show },
	{ "plugin", "new", "NAME [--dir DIR]", "begin a plugin of your own, in a folder NAME",
			lt_cmd_plugin_new },
	{ "plugin", "check", "[--fixture FILE] FILE.so [OPTION...]",
			"the conformance test of a plugin", lt_cmd_plugin_check },
	{ "rectool", "inspect", "FILE", "what a recording is", lt_cmd_rectool_inspect },
	{ "rectool", "show", "FILE N|@T", "state N seconds after the start, or at a unix time",
			lt_cmd_rectool_show },
	{ "rectool", "scan", "FILE", "when something first happens", lt_cmd_rectool_scan },
	{ "rectool", "set", "[--json-value] FILE KEY VALUE", "change its manifest",
			lt_cmd_rectool_set },
	{ "rectool", "clip", "FILE [N|@T [N|@T]] [-o OUT] [--force]",
			"a part of it, to FILE_clip.zip", lt_cmd_rectool_clip },
	{ "rectool", "convert", "FILE [--start T] [-o OUT] [--force]",
			"one of before version 1, to FILE_conv.zip", lt_cmd_rectool_convert },
	{ "rectool", "verify", "FILE...", "check every frame", lt_cmd_rectool_verify },
	{ "rectool", "repair", "FILE [--manifest FILE] [-o OUT] [--force]",
			"save what is whole in it, to FILE_repaired.zip", lt_cmd_rectool_repair },
	{ "rectool", "export",
			"FILE [--what laps|stints|states] [--format csv|jsonl] [-o OUT] [--force]",
			"as a table", lt_cmd_rectool_export },
	{ "raw", "inspect", "FILE [--records]", "what a raw capture holds", lt_cmd_raw_inspect },
	{ "raw", "cut", "FILE [--from S] [--to S] [-o OUT] [--force]",
			"a part of one, to FILE_cut.raw", lt_cmd_raw_cut },
	{ "raw", "scrub", "FILE FILTER [-o OUT] [--force]",
			"one without private things, to FILE_scrubbed.raw", lt_cmd_raw_scrub },
	{ "analysis", NULL, "FILE [-o OUT] [--force]", "analysis of a recording, as JSON",
			lt_cmd_analysis },
	{ "recordings", "list", "[TEXT] [--page N] [--hidden]",
			"recordings in progress, and those kept", lt_cmd_recordings_list },
	{ "recordings", "show", "UUID", "one of those kept", lt_cmd_recordings_show },
	{ "recordings", "index", "[DIR] [--reindex] [--generate-analysis]",
			"bring index.json of a directory up to date", lt_cmd_recordings_index },
	{ "schedule", "list", "", "events to come and in progress", lt_cmd_schedule_list },
	{ "schedule", "check", "[-q] [FILE.ics...]", "what is wrong with them",
			lt_cmd_schedule_check },
	{ "schedule", "assist",
			"[SOURCE] [-r RULES] [-a ANSWERS] [-o OUT.ics | --google-key FILE] [--calendar ID] [-n|--dry-run] [--non-interactive]",
			"entries from another calendar, by rules", lt_cmd_schedule_assist },
	{ "schedule", "sync", "", "read the calendars now", lt_cmd_schedule_sync },
	{ "announce", "list", "", "networks, and what was posted there", lt_cmd_announce_list },
	{ "announce", "test", "[NETWORK] [--dry-run]",
			"post a test message, or say what it would be", lt_cmd_announce_test },
	{ "complete", NULL, "[WORD...]", "candidates for the last word (for shells)",
			lt_cmd_complete },
	{ "help", NULL, "[NOUN]", "this list", lt_cmd_help },
	{ 0 },
};

/* --- asking --- */

static bool connect_once(struct lt_cli *cli, struct lt_err *err)
{
	if (!cli->client) {
		cli->client = lt_client_connect(cli->socket_path, cli->patience_s, err);
	}
	return cli->client != NULL;
}

static void print_error(struct lt_cli *cli, const struct lt_err *err)
{
	LT_AUTO(lt_free) char *clean = lt_cli_clean(lt_str_from(err->msg));

	fprintf(cli->err, "%s: %s\n", cli->program, clean);
}

cJSON *lt_cli_ask_take(struct lt_cli *cli, const char *verb, cJSON *args, int *ret_status)
{
	struct lt_err err = { 0 };
	bool is_broken;
	cJSON *result;

	*ret_status = LT_EXIT_CONNECT;
	if (!connect_once(cli, &err)) {
		cJSON_Delete(args);
		print_error(cli, &err);
		return NULL;
	}
	result = lt_client_call_take(cli->client, verb, args, &is_broken, &err);
	if (!result) {
		print_error(cli, &err);
		*ret_status = is_broken ? LT_EXIT_CONNECT : LT_EXIT_REFUSED;
		return NULL;
	}
	*ret_status = LT_EXIT_DONE;
	return result;
}

cJSON *lt_cli_try_take(struct lt_cli *cli, const char *verb, cJSON *args, struct lt_err *err)
{
	bool is_broken;
	cJSON *result;

	if (!connect_once(cli, err)) {
		cJSON_Delete(args);
		return NULL;
	}
	result = lt_client_call_take(cli->client, verb, args, &is_broken, err);
	if (!result && is_broken) {
		lt_client_close(LT_STEAL(cli->client));
	}
	return result;
}

cJSON *lt_cli_ask_quietly_take(struct lt_cli *cli, const char *verb, cJSON *args)
{
	struct lt_err err;

	return lt_cli_try_take(cli, verb, args, &err);
}

/* --- printing --- */

void lt_cli_print_json(struct lt_cli *cli, const cJSON *result)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

	lt_json_print(&text, result, LT_JSON_INDENTED);
	fprintf(cli->out, "%s\n", text.p);
}

int lt_cli_usage_error(struct lt_cli *cli, const char *fmt, ...)
{
	va_list ap;

	fprintf(cli->err, "%s: ", cli->program);
	va_start(ap, fmt);
	vfprintf(cli->err, fmt, ap);
	va_end(ap);
	fputc('\n', cli->err);
	return LT_EXIT_USAGE;
}

bool lt_cli_check_args(struct lt_cli *cli, const struct lt_cli_cmd *cmd, int argc, char **argv,
		int min, int max)
{
	char quoted[LT_QUOTE_MAX];

	for (int i = 0; i < argc; i++) {
		if (argv[i][0] == '-' && argv[i][1]) {
			lt_cli_usage_error(cli, "%s%s%s: unknown option %s", cmd->noun,
					cmd->verb ? " " : "", cmd->verb ? cmd->verb : "",
					lt_str_quote(lt_str_from(argv[i]), quoted));
			return false;
		}
	}
	if (argc < min || argc > max) {
		lt_cli_usage_error(cli, "usage: %s [-j] [-s SOCKET] %s%s%s%s%s", cli->program,
				cmd->noun, cmd->verb ? " " : "", cmd->verb ? cmd->verb : "",
				*cmd->args ? " " : "", cmd->args);
		return false;
	}
	return true;
}

struct lt_str lt_cli_member(const cJSON *object, const char *key)
{
	const cJSON *value = lt_json_get(object, key);

	return cJSON_IsString(value) ? lt_str_from(value->valuestring) : LT_STR("");
}

int64_t lt_cli_number(const cJSON *object, const char *key)
{
	const cJSON *value = lt_json_get(object, key);

	return cJSON_IsNumber(value) ? (int64_t)value->valuedouble : 0;
}

/* Members in unix milliseconds. */
static bool is_time(const char *key)
{
	return strcmp(key, "startedAt") == 0 || strcmp(key, "lastUpdated") == 0;
}

static void print_member(struct lt_cli *cli, const cJSON *member, int width)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	LT_AUTO(lt_free) char *clean = NULL;
	LT_AUTO(lt_free) char *key = lt_cli_clean(lt_str_from(member->string));

	if (cJSON_IsString(member)) {
		lt_buf_add_c(&text, member->valuestring);
	} else if (cJSON_IsBool(member)) {
		lt_buf_add_c(&text, cJSON_IsTrue(member) ? "yes" : "no");
	} else if (cJSON_IsNumber(member) && is_time(key)) {
		char when[LT_WALL_TEXT];

		lt_wall_format((struct lt_wall){ (int64_t)member->valuedouble * LT_US_PER_MS },
				when);
		lt_buf_add_c(&text, when);
	} else if (lt_str_ends(lt_str_from(key), LT_STR("_s")) && cJSON_IsNumber(member)) {
		key[strlen(key) - 2] = '\0';
		lt_cli_duration(&text, (int64_t)member->valuedouble);
	} else if (lt_str_ends(lt_str_from(key), LT_STR("bytes")) && cJSON_IsNumber(member)) {
		lt_cli_bytes(&text, (int64_t)member->valuedouble);
	} else {
		lt_json_print(&text, member, LT_JSON_UTF8);
	}
	for (char *p = key; *p; p++) {
		*p = *p == '_' ? ' ' : *p;
	}
	clean = lt_cli_clean(lt_buf_str(&text));
	fprintf(cli->out, "%-*s  %s\n", width, key, clean);
}

void lt_cli_print_members(struct lt_cli *cli, const cJSON *object)
{
	const cJSON *member;
	size_t width = 0;

	cJSON_ArrayForEach(member, object) {
		width = LT_MAX(width, lt_cli_width(lt_str_from(member->string)));
	}
	cJSON_ArrayForEach(member, object) {
		if (!cJSON_IsArray(member) && !cJSON_IsObject(member) && !cJSON_IsNull(member)) {
			print_member(cli, member, (int)LT_MIN(width, (size_t)40));
		}
	}
}

/* --- finding the command --- */

const char *lt_cli_noun(const char *word)
{
	return strcmp(word, "plugins") == 0 ? "plugin" : word;
}

const struct lt_cli_cmd *lt_cli_find(const char *noun, const char *verb)
{
	noun = lt_cli_noun(noun);
	for (const struct lt_cli_cmd *cmd = lt_cli_cmds; cmd->noun; cmd++) {
		if (strcmp(cmd->noun, noun) == 0 &&
				(!cmd->verb || (verb && strcmp(cmd->verb, verb) == 0))) {
			return cmd;
		}
	}
	return NULL;
}

static int unknown_command(struct lt_cli *cli, const char *noun, const char *verb)
{
	LT_AUTO(lt_buf_finish) struct lt_buf verbs = { 0 };
	struct lt_nearest nearest = { .wanted = lt_str_from(noun) };
	char quoted[LT_QUOTE_MAX];

	noun = lt_cli_noun(noun);
	for (const struct lt_cli_cmd *cmd = lt_cli_cmds; cmd->noun; cmd++) {
		if (strcmp(cmd->noun, noun) == 0) {
			lt_buf_printf(&verbs, "%s%s", verbs.n ? ", " : "", cmd->verb);
		}
	}
	if (verbs.n) {
		return verb ? lt_cli_usage_error(cli, "%s: unknown verb %s; there are: %s", noun,
					      lt_str_quote(lt_str_from(verb), quoted), verbs.p)
			    : lt_cli_usage_error(cli, "%s: a verb is missing; there are: %s", noun,
					      verbs.p);
	}
	lt_str_quote(lt_str_from(noun), quoted);
	for (const struct lt_cli_cmd *cmd = lt_cli_cmds; cmd->noun; cmd++) {
		if (cmd->verb && strcmp(noun, cmd->verb) == 0) {
			return lt_cli_usage_error(cli, "unknown command %s; did you mean %s %s?",
					quoted, cmd->noun, cmd->verb);
		}
		lt_nearest_offer(&nearest, cmd->noun);
	}
	if (nearest.best) {
		return lt_cli_usage_error(
				cli, "unknown command %s; did you mean %s?", quoted, nearest.best);
	}
	return lt_cli_usage_error(
			cli, "unknown command %s; %s help lists them", quoted, cli->program);
}

static int dispatch(struct lt_cli *cli, int argc, char **argv)
{
	const struct lt_cli_cmd *cmd;
	int used;

	if (argc == 0) {
		lt_cmd_help(cli, 0, argv);
		return LT_EXIT_USAGE;
	}
	cmd = lt_cli_find(argv[0], argc > 1 ? argv[1] : NULL);
	if (!cmd) {
		return unknown_command(cli, argv[0], argc > 1 ? argv[1] : NULL);
	}
	used = cmd->verb ? 2 : 1;
	return cmd->run(cli, argc - used, argv + used);
}

/* --- options before the noun --- */

static int run_own(struct lt_cli *cli, int argc, char **argv)
{
	char quoted[LT_QUOTE_MAX];
	int i = 1;

	for (; i < argc && argv[i][0] == '-'; i++) {
		const char *option = argv[i];

		if (strcmp(option, "-j") == 0 || strcmp(option, "--json") == 0) {
			cli->is_json = true;
		} else if (strcmp(option, "-s") == 0 || strcmp(option, "--socket") == 0) {
			if (++i == argc) {
				return lt_cli_usage_error(cli, "%s: a path is missing", option);
			}
			cli->socket_path = argv[i];
		} else if (strncmp(option, "--socket=", strlen("--socket=")) == 0) {
			cli->socket_path = option + strlen("--socket=");
		} else if (strcmp(option, "--version") == 0) {
			fprintf(cli->out, "livetimingctl %s\n", LT_VERSION);
			return LT_EXIT_DONE;
		} else if (strcmp(option, "-h") == 0 || strcmp(option, "--help") == 0) {
			return lt_cmd_help(cli, 0, argv);
		} else {
			return lt_cli_usage_error(cli, "unknown option %s; %s help lists them",
					lt_str_quote(lt_str_from(option), quoted), cli->program);
		}
	}
	return dispatch(cli, argc - i, argv + i);
}

struct lt_conf *lt_cli_settings(const struct lt_conf_key *keys, char *const *environment)
{
	struct lt_conf *conf = lt_conf_create(keys);
	LT_AUTO(lt_free) char *file = lt_conf_find_file(".");

	if (file) {
		/* a broken file is the daemon's to complain of */
		lt_conf_load_file(conf, file, NULL);
	}
	lt_conf_load_environment(conf, environment);
	return conf;
}

/* Where the daemon listens, as it finds it itself. Owned. */
static char *default_socket(char *const *environment)
{
	static const struct lt_conf_key keys[] = {
		{ "LIVETIMING_CONTROL_SOCKET", NULL, "unix socket of the daemon", false, NULL },
		{ "XDG_RUNTIME_DIR", NULL, "folder of the default socket", false, NULL },
		{ 0 },
	};
	struct lt_conf *conf = lt_cli_settings(keys, environment);
	char *path;

	path = lt_ctl_socket_path(NULL, lt_conf_get(conf, "LIVETIMING_CONTROL_SOCKET"),
			lt_conf_get(conf, "XDG_RUNTIME_DIR"));
	/* somebody who is logged in, and a daemon that the system runs */
	if (!lt_conf_get(conf, "LIVETIMING_CONTROL_SOCKET") && access(path, F_OK) != 0 &&
			access(SYSTEM_SOCKET, F_OK) == 0) {
		lt_free(path);
		path = lt_strdup(SYSTEM_SOCKET);
	}
	lt_conf_destroy(conf);
	return path;
}

int lt_cli_main(const struct lt_cli_streams *streams, int argc, char **argv)
{
	LT_AUTO(lt_free) char *socket_path = default_socket(streams->environment);
	const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
	const char *name = argc > 0 ? (slash ? slash + 1 : argv[0]) : "livetimingctl";
	struct lt_cli cli = {
		.out = streams->out,
		.err = streams->err,
		.program = name,
		.socket_path = socket_path,
		.environment = streams->environment,
		.patience_s = ANSWER_TIMEOUT_S,
	};
	int status;

	if (!lt_cli_run_by_name(&cli, name, argc - 1, argv + 1, &status)) {
		cli.program = "livetimingctl";
		status = run_own(&cli, argc, argv);
	}
	lt_client_close(cli.client);
	if (fflush(cli.out) != 0 && status == LT_EXIT_DONE) {
		fprintf(cli.err, "%s: cannot write the output\n", cli.program);
		status = LT_EXIT_REFUSED;
	}
	return status;
}
