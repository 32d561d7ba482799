/*
 * The daemon: makes the modules, connects them, starts and stops them in
 * order. Wiring alone; what a module does is its own affair.
 *
 * create opens nothing (a mistake in the settings shows here); start opens the
 * sockets; stop ends everything within its grace time and then stops the loop;
 * destroy frees.
 */
#ifndef LT_DAEMON_DAEMON_H
#define LT_DAEMON_DAEMON_H

#include <stdbool.h>

#include "base/log.h"
#include "base/loop.h"
#include "daemon/conf.h"

struct lt_daemon;
struct lt_settings;
struct lt_settings_source;

/* All borrowed; they outlive the daemon. */
struct lt_daemon_env {
	struct lt_loop *loop;
	struct lt_log_sink *log_sink;
	const struct lt_daemon_conf *conf;
	const struct lt_settings *settings;      /* which conf is of */
	const struct lt_settings_source *source; /* to read them again */
	bool fresh;                              /* forget the services that ran before */
};

struct lt_daemon *lt_daemon_create(const struct lt_daemon_env *env, struct lt_err *err);
void lt_daemon_destroy(struct lt_daemon *daemon); /* NULL is fine */

/* Listens and runs its services when it returns true. After false: destroy. */
bool lt_daemon_start(struct lt_daemon *daemon, struct lt_err *err);

/*
 * Read all settings again, certificates, permissions and principals with them
 * (SIGHUP, livetimingctl reload); sessions stay. The caller owns the result:
 * {"applied": [names], "restart": [names that need one], "notes": [sentences]}.
 * NULL: a setting is wrong, err says which, and everything is as it was.
 */
cJSON *lt_daemon_reload(struct lt_daemon *daemon, struct lt_err *err);

/* Open all log files anew (SIGUSR1), after log rotation has moved them. */
void lt_daemon_reopen_logs(struct lt_daemon *daemon);

/* Ends within 10 s, with lt_loop_stop. A second call is harmless. */
void lt_daemon_stop(struct lt_daemon *daemon);

#endif
