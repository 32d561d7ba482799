/*
 * `livetimingd --service CLASS [options]`: one service in a process of its own,
 * as the original's livetiming-service; `--supervised UUID CLASS [options]` is
 * the same as a child of the daemon, which alone uses it.
 */
#ifndef LT_DAEMON_MAIN_SERVICE_H
#define LT_DAEMON_MAIN_SERVICE_H

#include "daemon/conf.h"

struct lt_main_service {
	const char *program;    /* for messages */
	const char *supervised; /* UUID; NULL: it is not */
	bool is_fresh;          /* supervised: without the saved state */
	int argc;               /* CLASS [options] */
	char **argv;
};

/* Exit status: 0 ended in order, 1 the service failed, 2 the options are wrong. */
int lt_main_service(const struct lt_daemon_conf *conf, const struct lt_main_service *service);

#endif
