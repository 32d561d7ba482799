/*
 * Wiring of the control desk and of private services: their modules, and what
 * they ask of services, directory and recorder.
 */
#ifndef LT_DAEMON_DESK_H
#define LT_DAEMON_DESK_H

#include "base/log.h"
#include "base/loop.h"
#include "base/random.h"
#include "daemon/conf.h"
#include "services/desk/desk.h"

struct lt_directory;
struct lt_dvr;
struct lt_http_req;
struct lt_router;
struct lt_services;

struct lt_daemon_desk_env {
	struct lt_loop *loop;
	struct lt_random *random;
	struct lt_log_sink *log_sink;
	struct lt_router *router;
	const struct lt_daemon_conf *conf;
};

/* Filled in by create; then the three that are made later, before start. */
struct lt_daemon_desk {
	struct lt_audit *audit;
	struct lt_private *private_;
	struct lt_desk *desk;
	struct lt_services *services;
	struct lt_directory *directory;
	struct lt_dvr *dvr; /* NULL: nothing is recorded */
};

void lt_daemon_desk_create(struct lt_daemon_desk *desk, const struct lt_daemon_desk_env *env);
void lt_daemon_desk_destroy(struct lt_daemon_desk *desk);
bool lt_daemon_desk_start(struct lt_daemon_desk *desk, struct lt_err *err);
void lt_daemon_desk_stop(struct lt_daemon_desk *desk);

/* For the envs of services, directory, web and recordings, with the struct as their arg. */
bool lt_daemon_desk_adopt(
		void *arg, struct lt_str uuid, struct lt_str service_class, struct lt_err *err);
bool lt_daemon_desk_is_closed(void *arg, struct lt_str uuid);
bool lt_daemon_desk_may_see(void *arg, struct lt_str uuid, uint64_t session);
int lt_daemon_desk_gate(void *arg, struct lt_str uuid, struct lt_http_req *req);
struct lt_str lt_daemon_desk_owner(void *arg, struct lt_str file_name);

#endif
