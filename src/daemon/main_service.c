#include "daemon/main_service.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/service_args.h"
#include "daemon/service_process.h"
#include "daemon/stop_guard.h"
#include "services/outside/child.h"

enum exit_status { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

static void on_stop(void *arg, int signum)
{
	(void)signum;
	lt_service_process_stop(arg);
}

static void on_rotated(void *arg, int signum)
{
	(void)signum;
	lt_service_process_reopen_logs(arg);
}

static void print_line(void *arg, enum lt_level level, struct lt_str line)
{
	(void)level;
	fprintf(arg, "%.*s\n", LT_STR_ARG(line));
	fflush(arg);
}

/*
 * -v: everything on standard output. Else the service's log file has it, and
 * standard error what an operator must know. A child's goes to its daemon.
 */
static struct lt_log_sink *open_log(const struct lt_daemon_conf *conf,
		const struct lt_service_args *args, bool is_supervised)
{
	enum lt_level level = args->debug ? LT_DEBUG : conf->log_level;

	if (is_supervised) {
		return lt_log_sink_stderr(level, LT_LOG_TEXT);
	}
	if (args->verbose) {
		return lt_log_sink_fn(level, print_line, stdout);
	}
	return lt_log_sink_stderr(LT_WARN, conf->log_format);
}

/* A child does not outlive its daemon: there is one instance of a service at any time. */
static void bind_to_daemon(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	fcntl(LT_CHILD_CHANNEL, F_SETFD, FD_CLOEXEC);
}

static int run(const struct lt_service_process_env *env, const char *program)
{
	struct lt_err err = { 0 };
	struct lt_service_process *process = lt_service_process_create(env, &err);
	int status = EXIT_DONE;

	if (process != NULL) {
		signal(SIGPIPE, SIG_IGN);
		signal(SIGHUP, SIG_IGN);
		lt_stop_guard_install(env->loop, on_stop, process);
		lt_loop_on_signal(env->loop, SIGUSR1, on_rotated, process);
	}
	if (process == NULL || !lt_service_process_start(process, &err)) {
		fprintf(stderr, "%s: %s\n", program, err.msg);
		status = EXIT_FAILED;
	} else {
		lt_loop_run(env->loop);
		if (lt_service_process_failure(process) != NULL) {
			fprintf(stderr, "%s: %s\n", program, lt_service_process_failure(process));
			status = EXIT_FAILED;
		}
	}
	lt_service_process_destroy(process);
	return status;
}

int lt_main_service(const struct lt_daemon_conf *conf, const struct lt_main_service *service)
{
	struct lt_args words = { 0 };
	struct lt_service_args args = { 0 };
	struct lt_err err = { 0 };
	struct lt_loop *loop = NULL;
	struct lt_log_sink *sink = NULL;
	int status = EXIT_USAGE;

	if (service->supervised != NULL) {
		bind_to_daemon();
	}
	for (int i = 0; i < service->argc; i++) {
		lt_args_add(&words, lt_str_from(service->argv[i]));
	}
	if (!lt_service_args_parse(&words, &args, &err)) {
		fprintf(stderr, "%s: %s; usage: livetiming-service CLASS [OPTION...]\n",
				service->program, err.msg);
	} else if ((loop = lt_loop_create(&err)) == NULL) {
		fprintf(stderr, "%s: %s\n", service->program, err.msg);
		status = EXIT_FAILED;
	} else {
		sink = open_log(conf, &args, service->supervised != NULL);
		status = run(&(struct lt_service_process_env){ .loop = loop,
					     .log_sink = sink,
					     .conf = conf,
					     .args = &words,
					     .uuid = service->supervised,
					     .continues = !service->is_fresh,
					     .channel = LT_CHILD_CHANNEL },
				service->program);
	}
	lt_loop_destroy(loop);
	lt_log_sink_destroy(sink);
	lt_service_args_finish(&args);
	lt_args_finish(&words);
	return status;
}
