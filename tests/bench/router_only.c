/*
 * The router alone with open permissions, for measuring it without the rest
 * of the daemon: router_only ADDRESS PERMISSIONS.json. Prints the address it
 * listens on; ends by SIGTERM or SIGINT.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

#include "base/alloc.h"
#include "base/fsutil.h"
#include "router/router.h"

struct bench {
	struct lt_router_env env;
	struct lt_router *router;
};

static void on_signal(void *arg, int signum)
{
	struct bench *bench = arg;

	(void)signum;
	lt_loop_stop(bench->env.loop);
}

static bool start(struct bench *bench, const char *address, const char *path, struct lt_err *err)
{
	struct lt_buf permissions = { 0 };

	bench->env.loop = lt_loop_create(err);
	bench->env.random = bench->env.loop ? lt_random_create(0, err) : NULL;
	if (!bench->env.random) {
		return false;
	}
	bench->env.agent = "router_only";
	bench->router = lt_router_create(&bench->env);
	bool ok = lt_router_add_realm(bench->router, LT_STR("timing"), err) &&
			lt_file_read(path, 1 << 20, &permissions, err) &&
			lt_router_set_permissions(bench->router, lt_buf_str(&permissions), err) &&
			lt_router_listen(bench->router, lt_str_from(address), err);
	lt_buf_finish(&permissions);
	return ok;
}

int main(int argc, char **argv)
{
	struct bench bench = { 0 };
	struct lt_err err = { 0 };
	struct rlimit files;

	if (argc != 3) {
		fprintf(stderr, "usage: router_only ADDRESS PERMISSIONS.json\n");
		return 2;
	}
	lt_alloc_init();
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	bool ok = start(&bench, argv[1], argv[2], &err);
	if (ok) {
		lt_loop_on_signal(bench.env.loop, SIGTERM, on_signal, &bench);
		lt_loop_on_signal(bench.env.loop, SIGINT, on_signal, &bench);
		printf("%s\n", lt_router_listener(bench.router, 0));
		fflush(stdout);
		lt_loop_run(bench.env.loop);
	} else {
		fprintf(stderr, "router_only: %s\n", err.msg);
	}
	lt_router_destroy(bench.router);
	lt_random_destroy(bench.env.random);
	lt_loop_destroy(bench.env.loop);
	return ok ? 0 : 1;
}
