/* livetimingd: reads settings, makes the daemon, runs the loop. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/alloc.h"
#include "daemon/conf.h"
#include "daemon/daemon.h"
#include "daemon/main_check.h"
#include "daemon/main_service.h"
#include "daemon/settings.h"
#include "daemon/stop_guard.h"

enum exit_status { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_CONFIG = 2 };

struct options {
	struct lt_settings_source source;
	bool check_config, fresh;
	bool is_service; /* one service in this process, instead of the daemon */
	struct lt_main_service service;
	bool is_check; /* of a plugin, instead of the daemon */
};

static const char usage[] =
		"usage: livetimingd [OPTION...]\n\n"
		"  --config FILE        settings (default: livetiming.env here or in a folder above)\n"
		"  --check-config       say what the settings mean, start nothing\n"
		"  --log-format FORMAT  text or json\n"
		"  --log-level LEVEL    error, warn, info or debug\n"
		"  --fresh              forget the services that ran before\n"
		"  --service CLASS ...  no daemon: one service in a process of its own, as\n"
		"                       livetiming-service CLASS [OPTION...]\n"
		"  --check-plugin FILE  no daemon: test a plugin, as livetimingctl plugin check\n"
		"  --version, --help\n\n"
		"Settings are environment variables, which win over the file. They are described\n"
		"in conf/livetiming.env. Exit status: 0 stopped in order, 1 could not start or go\n"
		"on, 2 settings or options are wrong.\n";

/* -1: go on; else the exit status. */
static int parse_options(int argc, char **argv, struct options *ret)
{
	static const struct option long_options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "check-config", no_argument, NULL, 'k' },
		{ "log-format", required_argument, NULL, 'f' },
		{ "log-level", required_argument, NULL, 'l' },
		{ "fresh", no_argument, NULL, 'n' },
		{ "version", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ "service", no_argument, NULL, 's' },
		{ "check-plugin", no_argument, NULL, 'p' },
		{ "supervised", required_argument, NULL, 'u' }, /* of the daemon to its children */
		{ 0 },
	};
	int option;

	/* '+': options of a service behind --service are not ours */
	while (!ret->is_service && !ret->is_check &&
			(option = getopt_long(argc, argv, "+c:h", long_options, NULL)) != -1) {
		switch (option) {
		case 'u':
			ret->service.supervised = optarg;
			ret->source.no_file = true; /* given what it needs */
			ret->is_service = true;
			break;
		case 's':
			ret->is_service = true;
			break;
		case 'p':
			ret->is_check = true;
			break;
		case 'c':
			ret->source.config = optarg;
			break;
		case 'k':
			ret->check_config = true;
			break;
		case 'f':
			ret->source.log_format = optarg;
			break;
		case 'l':
			ret->source.log_level = optarg;
			break;
		case 'n':
			ret->fresh = true;
			break;
		case 'v':
			puts("livetimingd " LT_VERSION);
			return EXIT_DONE;
		case 'h':
			fputs(usage, stdout);
			return EXIT_DONE;
		default:
			fputs("livetimingd: see livetimingd --help\n", stderr);
			return EXIT_CONFIG;
		}
	}
	if (ret->is_check) {
		return lt_main_check(argv, argc - optind, argv + optind);
	}
	if (ret->is_service) {
		ret->service.program = basename(argv[0]);
		ret->service.is_fresh = ret->fresh;
		ret->service.argc = argc - optind;
		ret->service.argv = argv + optind;
	} else if (optind < argc) {
		fprintf(stderr, "livetimingd: unexpected argument \"%s\"; see livetimingd --help\n",
				argv[optind]);
		return EXIT_CONFIG;
	}
	return -1;
}

/* --- settings --- */

static void report(void *arg, bool is_error, const char *sentence)
{
	(void)arg;
	fprintf(stderr, "livetimingd: %s%s\n", is_error ? "" : "warning: ", sentence);
}

/* --- running --- */

/* Each viewer is a descriptor; the hard limit is the system's own bound. */
static void raise_descriptor_limit(const struct lt_log *log)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
		return;
	}
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
		lt_log(log, LT_WARN, "the limit of open files stays low; so does that of viewers",
				NULL);
	}
}

static void on_signal(void *arg, int signum)
{
	(void)signum;
	lt_daemon_stop(arg);
}

static void on_hangup(void *arg, int signum)
{
	(void)signum;
	cJSON_Delete(lt_daemon_reload(
			arg, &(struct lt_err){ 0 })); /* which logs what comes of it */
}

static void on_rotated(void *arg, int signum)
{
	(void)signum;
	lt_daemon_reopen_logs(arg);
}

static bool run(const struct lt_daemon_env *env, bool check_config, struct lt_err *err)
{
	struct lt_log log = { env->log_sink, "daemon" };
	struct lt_daemon *daemon = lt_daemon_create(env, err);
	bool ok = daemon != NULL;

	if (ok && !check_config) {
		signal(SIGPIPE, SIG_IGN);
		raise_descriptor_limit(&log);
		lt_stop_guard_install(env->loop, on_signal, daemon);
		lt_loop_on_signal(env->loop, SIGHUP, on_hangup, daemon);
		lt_loop_on_signal(env->loop, SIGUSR1, on_rotated, daemon);
		lt_log(&log, LT_INFO, "starting", "version=%s", LT_VERSION);
		ok = lt_daemon_start(daemon, err);
		if (ok) {
			lt_loop_run(env->loop);
		}
	}
	lt_daemon_destroy(daemon);
	return ok;
}

/* NULL with err. A check of the settings writes no file. */
static struct lt_log_sink *open_log(const struct lt_daemon_conf *settings,
		const struct options *options, struct lt_err *err)
{
	struct lt_log_sink *sink;

	if (!settings->log_file || options->check_config) {
		return lt_log_sink_stderr(settings->log_level, settings->log_format);
	}
	sink = lt_log_sink_file(
			settings->log_file, settings->log_level, settings->log_format, NULL, err);
	if (!sink) {
		lt_err_prefix(err, "LIVETIMING_LOG_FILE");
	}
	return sink;
}

static int run_settings(const struct lt_settings *settings, const struct options *options)
{
	struct lt_err err = { 0 };
	struct lt_loop *loop = lt_loop_create(&err);
	struct lt_log_sink *sink = open_log(&settings->daemon, options, &err);
	bool ok = loop && sink &&
			run(&(struct lt_daemon_env){ .loop = loop,
					    .log_sink = sink,
					    .conf = &settings->daemon,
					    .settings = settings,
					    .source = &options->source,
					    .fresh = options->fresh },
					options->check_config, &err);

	lt_loop_destroy(loop);
	lt_log_sink_destroy(sink);
	if (!ok) {
		fprintf(stderr, "livetimingd: %s\n", err.msg);
		return options->check_config ? EXIT_CONFIG : EXIT_FAILED;
	}
	return EXIT_DONE;
}

static int run_options(const struct options *options)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	struct lt_settings *settings = lt_settings_load(&options->source, report, NULL);
	int status = EXIT_CONFIG;

	if (settings) {
		status = options->is_service ? lt_main_service(&settings->daemon, &options->service)
					     : run_settings(settings, options);
		if (options->check_config && status == EXIT_DONE) {
			lt_daemon_conf_describe(settings->conf, &text);
			printf("%s%s\n", text.p,
					settings->warnings
							? "the settings can be used, see the warnings"
							: "the settings are fine");
		}
	}
	lt_settings_destroy(settings);
	return status;
}

int main(int argc, char **argv)
{
	struct options options = { 0 };
	int status;

	lt_alloc_init();
	status = parse_options(argc, argv, &options);
	return status >= 0 ? status : run_options(&options);
}
