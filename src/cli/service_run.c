/*
 * A service in a process of its own: `livetimingctl service run PLUGIN [options]`
 * and livetiming-service. The program for it is livetimingd, which becomes this
 * process: beside this program, else under the prefix, else as PATH has it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fsutil.h"
#include "base/service_args.h"
#include "cli/cmd.h"

#define DAEMON "livetimingd"

/* Owned; a name without a slash is for PATH. */
static char *find_daemon(void)
{
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *path;

	if (n > 0) {
		struct lt_str dir = { self, (size_t)n };

		while (dir.n > 0 && dir.p[dir.n - 1] != '/') {
			dir.n--;
		}
		LT_AUTO(lt_free) char *folder = lt_str_dup(dir);

		path = lt_path_join(folder, DAEMON);
		if (access(path, X_OK) == 0) {
			return path;
		}
		lt_free(path);
	}
	path = lt_strdup(LT_PREFIX "/bin/" DAEMON);
	if (access(path, X_OK) == 0) {
		return path;
	}
	lt_free(path);
	return lt_strdup(DAEMON);
}

int lt_cli_run_service(struct lt_cli *cli, int argc, char **argv)
{
	LT_AUTO(lt_free) char *program = find_daemon();
	struct lt_args words = { 0 };
	struct lt_service_args parsed = { 0 };
	struct lt_err err = { 0 };
	char **command;
	bool ok;

	for (int i = 0; i < argc; i++) {
		lt_args_add(&words, lt_str_from(argv[i]));
	}
	ok = lt_service_args_parse(&words, &parsed, &err);
	lt_args_finish(&words);
	if (!ok) {
		return lt_cli_usage_error(
				cli, "%s; usage: %s CLASS [OPTION...]", err.msg, cli->program);
	}
	lt_service_args_finish(&parsed);
	command = lt_calloc((size_t)argc + 3, sizeof(*command));
	command[0] = lt_strdup(cli->program);
	command[1] = lt_strdup("--service");
	memcpy(command + 2, argv, (size_t)argc * sizeof(*argv));
	fflush(cli->out);
	fflush(cli->err);
	execvpe(program, command, cli->environment);
	fprintf(cli->err, "%s: cannot run %s: %s\n", cli->program, program, strerror(errno));
	lt_free(command[0]);
	lt_free(command[1]);
	lt_free(command);
	return LT_EXIT_REFUSED;
}

int lt_cmd_service_run(struct lt_cli *cli, int argc, char **argv)
{
	return lt_cli_run_service(cli, argc, argv);
}
