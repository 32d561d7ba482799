/*
 * This daemon as one of several: the bus, the bridge of the realm over it, and
 * the roles of which the mesh has one. Without LIVETIMING_BACKPLANE there is
 * none of it.
 */
#ifndef LT_DAEMON_MESH_H
#define LT_DAEMON_MESH_H

#include "base/json.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/random.h"
#include "daemon/conf.h"

struct lt_daemon_mesh;
struct lt_router;

/* All borrowed. */
struct lt_daemon_mesh_env {
	struct lt_loop *loop;
	struct lt_random *random;
	struct lt_log_sink *log_sink;
	struct lt_router *router;
	const struct lt_mesh_conf *conf;
	/* Record, and act by the calendars, or leave it to another node. */
	void (*record)(void *arg, bool is_ours);
	void (*schedule)(void *arg, bool is_ours);
	/* Other nodes may hear from now on, and did not before. */
	void (*joined)(void *arg);
	/* Another node has closed this name. */
	void (*closed)(void *arg, struct lt_str name);
	void *arg;
};

/* Errors: what lt_bus_nats_create says. */
struct lt_daemon_mesh *lt_daemon_mesh_create(
		const struct lt_daemon_mesh_env *env, struct lt_err *err);
void lt_daemon_mesh_destroy(struct lt_daemon_mesh *mesh); /* NULL is fine */

/* Before modules register anything; a server that is not there is waited for. */
bool lt_daemon_mesh_start(struct lt_daemon_mesh *mesh, struct lt_err *err);
/* Modules can act by now: try to get the roles. */
void lt_daemon_mesh_take_roles(struct lt_daemon_mesh *mesh);
/* Give the roles up, say goodbye; `done` is called once, later. */
void lt_daemon_mesh_stop(struct lt_daemon_mesh *mesh, void (*done)(void *arg), void *arg);

/* What is wrong with it, one sentence, static; NULL: nothing. */
const char *lt_daemon_mesh_trouble(const struct lt_daemon_mesh *mesh);

/*
 * Owned by the caller: {"node", "role", "connected", "server", "current", "nodes": [{"node",
 * "role", "linked", "silent_ms"}], "roles": {"record": "ours" | node or "", ...}, figures}
 */
cJSON *lt_daemon_mesh_status(const struct lt_daemon_mesh *mesh);
void lt_daemon_mesh_write_metrics(const struct lt_daemon_mesh *mesh, struct lt_buf *buf);

#endif
