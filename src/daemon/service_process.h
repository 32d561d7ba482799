/*
 * A process for one timing service: what `livetimingd --service` runs. Wiring
 * alone, as daemon.h is for the daemon: a router without listeners, the service
 * with its analysis and local recording in it, and beside them either the
 * uplink to a router elsewhere or the server of a standalone service.
 *
 * A supervised one is the child of a daemon (services/outside/child.h), with
 * which it talks over a channel: the daemon says where to join and when to
 * stop, the process how its service is. It ends with the channel.
 */
#ifndef LT_DAEMON_SERVICE_PROCESS_H
#define LT_DAEMON_SERVICE_PROCESS_H

#include <stdbool.h>

#include "base/log.h"
#include "base/loop.h"
#include "base/service_args.h"
#include "daemon/conf.h"

struct lt_service_process;

/* All borrowed; they outlive the process. */
struct lt_service_process_env {
	struct lt_loop *loop;
	struct lt_log_sink *log_sink;
	const struct lt_daemon_conf *conf;
	const struct lt_args *args; /* CLASS [options], as the original's program takes them */
	const char *uuid;           /* of a supervised service; NULL: chosen, and no channel */
	bool continues;             /* a supervised one: with its saved state */
	int channel;                /* descriptor; of a supervised service */
};

struct lt_service_process *lt_service_process_create(
		const struct lt_service_process_env *env, struct lt_err *err);
void lt_service_process_destroy(struct lt_service_process *process); /* NULL is fine */

/* The service runs when it returns true. After false: destroy. */
bool lt_service_process_start(struct lt_service_process *process, struct lt_err *err);

/* Ends within 8 s, with lt_loop_stop. A second call is harmless. */
void lt_service_process_stop(struct lt_service_process *process);
void lt_service_process_reopen_logs(struct lt_service_process *process);

/* Why it ended by itself; NULL: it did not. */
const char *lt_service_process_failure(const struct lt_service_process *process);

#endif
