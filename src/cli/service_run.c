/*
 * What livetimingd does without being a daemon: a service in a process of its
 * own (`livetimingctl service run PLUGIN [options]`, livetiming-service), the
 * check of a plugin. That program becomes this process: it is beside this one,
 * else under the prefix, else as PATH has it.
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

int lt_cli_become_daemon(struct lt_cli *cli, const char *const *options, int argc, char **argv)
{
	LT_AUTO(lt_free) char *program = find_daemon();
	LT_AUTO(lt_free) char *name = lt_strdup(cli->program);
	struct lt_args words = { 0 };
	char **command;

	for (; *options != NULL; options++) {
		lt_args_add(&words, lt_str_from(*options));
	}
	for (int i = 0; i < argc; i++) {
		lt_args_add(&words, lt_str_from(argv[i]));
	}
	command = lt_calloc(words.n + 2, sizeof(*command));
	command[0] = name;
	memcpy(command + 1, words.v, words.n * sizeof(*command));
	fflush(cli->out);
	fflush(cli->err);
	execvpe(program, command, cli->environment);
	fprintf(cli->err, "%s: cannot run %s: %s\n", cli->program, program, strerror(errno));
	lt_free(command);
	lt_args_finish(&words);
	return LT_EXIT_REFUSED;
}

int lt_cli_run_service(struct lt_cli *cli, int argc, char **argv)
{
	struct lt_args words = { 0 };
	struct lt_service_args parsed = { 0 };
	struct lt_err err = { 0 };
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
	return lt_cli_become_daemon(cli, (const char *const[]){ "--service", NULL }, argc, argv);
}

int lt_cmd_service_run(struct lt_cli *cli, int argc, char **argv)
{
	return lt_cli_run_service(cli, argc, argv);
}
