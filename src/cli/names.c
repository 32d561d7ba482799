/*
 * The names under which the original's users know their commands; links to
 * livetimingctl. Command lines are taken as they are. The service manager asks
 * the daemon, which keeps no pid files; livetiming-service is a process of its own
 * (service_run.c); recordings are worked on here.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/service_args.h"
#include "cli/cmd.h"
#include "cli/text.h"

/* --- shared --- */

/* Services of this class in `list`; *ret_first is the first one, borrowed. */
static int count_class(const cJSON *list, const char *service_class, const cJSON **ret_first)
{
	const cJSON *service;
	int n = 0;

	*ret_first = NULL;
	cJSON_ArrayForEach(service, list) {
		if (lt_str_eq_c(lt_cli_member(service, "plugin"), service_class) ||
				lt_str_eq_c(lt_cli_member(service, "serviceClass"),
						service_class)) {
			*ret_first = n++ ? *ret_first : service;
		}
	}
	return n;
}

static cJSON *uuid_args(const cJSON *service)
{
	cJSON *args = cJSON_CreateObject();

	lt_json_add_str(args, "service", lt_cli_member(service, "uuid"));
	return args;
}

static void print_done(
		struct lt_cli *cli, const char *what, const char *class_name, const cJSON *service)
{
	LT_AUTO(lt_free) char *uuid = lt_cli_clean(lt_cli_member(service, "uuid"));

	fprintf(cli->out, "%s %s (%s)\n", what, class_name, uuid);
	fflush(cli->out);
}

/* --- livetiming-service-manager start|stop|restart CLASS [-p DIR] [-f] [options] --- */

struct manager_args {
	const char *action, *service_class;
	bool fresh;
	char **rest; /* options for the service; borrowed texts */
	int rest_n;
};

/* -p's folder is of no use here, but its users' scripts name it. */
static bool parse_manager(int argc, char **argv, struct manager_args *ret)
{
	for (int i = 0; i < argc; i++) {
		bool has_class = ret->service_class != NULL;

		if (strcmp(argv[i], "-p") == 0 || strcmp(argv[i], "--pid-directory") == 0) {
			i++;
		} else if (strcmp(argv[i], "-f") == 0 || strcmp(argv[i], "--fresh") == 0) {
			ret->fresh = true;
		} else if (!has_class && argv[i][0] == '-') {
			return false;
		} else if (!ret->action) {
			ret->action = argv[i];
		} else if (!has_class) {
			ret->service_class = argv[i];
			ret->rest[ret->rest_n++] = argv[i];
		} else {
			ret->rest[ret->rest_n++] = argv[i];
		}
	}
	return ret->service_class != NULL;
}

static int manager_start(struct lt_cli *cli, const struct manager_args *args, const char *word)
{
	LT_AUTO(cJSON_Delete) cJSON *service = NULL;
	int status;

	service = lt_cli_start_service(cli, args->rest_n, args->rest, &status);
	if (service) {
		print_done(cli, word, args->service_class, service);
	}
	return status;
}

static int manager_stop(
		struct lt_cli *cli, const struct manager_args *args, const cJSON *service, int n)
{
	LT_AUTO(cJSON_Delete) cJSON *stopped = NULL;
	int status;

	if (n != 1) {
		fprintf(cli->err, "%s: %s: %s\n", cli->program, args->service_class,
				n ? "several services of this class run; stop one with livetimingctl service stop UUID"
				  : "not running");
		return LT_EXIT_REFUSED;
	}
	stopped = lt_cli_ask_take(cli, "service.stop", uuid_args(service), &status);
	if (stopped) {
		print_done(cli, "stopped", args->service_class, stopped);
	}
	return status;
}

static int manager_restart(
		struct lt_cli *cli, const struct manager_args *args, const cJSON *service, int n)
{
	LT_AUTO(cJSON_Delete) cJSON *restarted = NULL;
	cJSON *question;
	int status;

	if (n == 0) {
		return manager_start(cli, args, "started"); /* as the original does */
	}
	if (n > 1 || args->rest_n > 1) {
		/* new options need a new command line: a stop and a start */
		status = manager_stop(cli, args, service, n);
		return status == LT_EXIT_DONE ? manager_start(cli, args, "restarted") : status;
	}
	question = uuid_args(service);
	lt_json_add_bool(question, "fresh", args->fresh);
	restarted = lt_cli_ask_take(cli, "service.restart", question, &status);
	if (restarted) {
		print_done(cli, "restarted", args->service_class, restarted);
	}
	return status;
}

static int run_action(struct lt_cli *cli, const struct manager_args *args)
{
	LT_AUTO(cJSON_Delete) cJSON *list = NULL;
	const cJSON *service;
	int status, n;

	list = lt_cli_ask_take(cli, "service.list", NULL, &status);
	if (!list) {
		return status;
	}
	n = count_class(list, args->service_class, &service);
	if (strcmp(args->action, "stop") == 0) {
		return manager_stop(cli, args, service, n);
	}
	if (strcmp(args->action, "restart") == 0) {
		return manager_restart(cli, args, service, n);
	}
	if (n > 0) {
		fprintf(cli->err, "%s: %s: already running\n", cli->program, args->service_class);
		return LT_EXIT_REFUSED;
	}
	return manager_start(cli, args, "started");
}

static int run_manager(struct lt_cli *cli, int argc, char **argv)
{
	struct manager_args args = { .rest = lt_calloc((size_t)argc + 1, sizeof(*args.rest)) };
	int status;

	if (!parse_manager(argc, argv, &args) ||
			(strcmp(args.action, "start") != 0 && strcmp(args.action, "stop") != 0 &&
					strcmp(args.action, "restart") != 0)) {
		status = lt_cli_usage_error(cli,
				"usage: %s start|stop|restart CLASS [-p DIR] [-f] [OPTION...]",
				cli->program);
	} else {
		status = run_action(cli, &args);
	}
	lt_free(args.rest);
	return status;
}

/* --- programs of the original that are parts of the daemon --- */

static int run_part(struct lt_cli *cli, const char *part)
{
	LT_AUTO(cJSON_Delete) cJSON *status = NULL;
	const cJSON *module;
	int ignored;

	fprintf(cli->out, "%s is a part of livetimingd, which needs no program of that name\n",
			cli->program);
	status = lt_cli_ask_take(cli, "status", NULL, &ignored);
	if (!status) {
		return LT_EXIT_REFUSED;
	}
	cJSON_ArrayForEach(module, lt_json_get(status, "modules")) {
		if (cJSON_IsString(module) && strcmp(module->valuestring, part) == 0) {
			fprintf(cli->out, "livetimingd is running, and its %s with it\n", part);
			return LT_EXIT_DONE;
		}
	}
	fprintf(cli->err, "%s: the livetimingd that is running has no %s\n", cli->program, part);
	return LT_EXIT_REFUSED;
}

/* --- livetiming-rectool ACTION FILE, livetiming-analysis FILE, livetiming-recordings-index [DIR],
 * livetiming-schedule --- */

/* livetiming-schedule [VERB ...]: the schedule, or a verb of that noun. */
static int run_schedule(struct lt_cli *cli, int argc, char **argv)
{
	const struct lt_cli_cmd *cmd = lt_cli_find("schedule", argc > 0 ? argv[0] : "list");

	if (cmd) {
		return cmd->run(cli, LT_MAX(argc - 1, 0), argv + (argc > 0));
	}
	return lt_cli_usage_error(cli,
			"usage: %s [list|check|sync|...]; livetimingctl help schedule lists them",
			cli->program);
}

/* Commands that need no daemon; argv follows the program's name. */
static int run_on_files(struct lt_cli *cli, const char *noun, int argc, char **argv)
{
	const struct lt_cli_cmd *cmd;
	char quoted[LT_QUOTE_MAX];

	for (; argc > 0 && (strcmp(argv[0], "-j") == 0 || strcmp(argv[0], "--json") == 0); argc--) {
		cli->is_json = true;
		argv++;
	}
	if (strcmp(noun, "schedule") == 0) {
		return run_schedule(cli, argc, argv);
	}
	if (strcmp(noun, "rectool") != 0) {
		cmd = lt_cli_find(noun, "index");
		return cmd->run(cli, argc, argv);
	}
	cmd = argc > 0 ? lt_cli_find(noun, argv[0]) : NULL;
	if (cmd) {
		return cmd->run(cli, argc - 1, argv + 1);
	}
	if (argc > 0 && argv[0][0] != '-') {
		return lt_cli_usage_error(cli,
				"unknown action %s; livetimingctl help rectool lists them",
				lt_str_quote(lt_str_from(argv[0]), quoted));
	}
	return lt_cli_usage_error(cli,
			"usage: %s inspect|show|scan|set|clip|convert|verify|repair|export FILE [ARGUMENT...]",
			cli->program);
}

bool lt_cli_run_by_name(
		struct lt_cli *cli, const char *name, int argc, char **argv, int *ret_status)
{
	static const struct {
		const char *name, *part;
	} parts[] = {
		{ "livetiming-directory", "directory" },
		{ "livetiming-dvr", "dvr" },
		{ "livetiming-recordings", "recordings" },
		{ "livetiming-scheduler", "scheduler" },
	};
	static const struct {
		const char *name, *noun;
	} on_files[] = {
		{ "livetiming-rectool", "rectool" },
		{ "livetiming-analysis", "analysis" },
		{ "livetiming-recordings-index", "recordings" },
		{ "livetiming-schedule", "schedule" },
	};

	if (strcmp(name, "livetiming-service-manager") == 0) {
		*ret_status = run_manager(cli, argc, argv);
		return true;
	}
	if (strcmp(name, "livetiming-service") == 0) {
		*ret_status = lt_cli_run_service(cli, argc, argv);
		return true;
	}
	for (size_t i = 0; i < LT_ARRAY_LEN(on_files); i++) {
		if (strcmp(name, on_files[i].name) == 0) {
			*ret_status = run_on_files(cli, on_files[i].noun, argc, argv);
			return true;
		}
	}
	for (size_t i = 0; i < LT_ARRAY_LEN(parts); i++) {
		if (strcmp(name, parts[i].name) == 0) {
			*ret_status = run_part(cli, parts[i].part);
			return true;
		}
	}
	return false;
}
