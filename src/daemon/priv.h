/*
 * Inside of the daemon: daemon.c (start, stop), modules.c (what there is),
 * access.c (who may do what), reload.c (settings read again).
 */
#ifndef LT_DAEMON_PRIV_H
#define LT_DAEMON_PRIV_H

#include "daemon/daemon.h"
#include "daemon/desk.h"
#include "daemon/mesh.h"
#include "daemon/schedule.h"
#include "services/control/control_verbs.h"
#include "services/timing/timing_observer.h"

struct lt_daemon {
	struct lt_daemon_env env;
	struct lt_log log;
	struct lt_random *random;
	struct lt_router *router;
	struct lt_fetcher *fetcher;
	struct lt_ws_hub *ws_hub;
	struct lt_daemon_mesh *mesh; /* NULL: this is the only node */
	struct lt_daemon_desk desk;
	struct lt_services *services;
	struct lt_isolation *isolation; /* of services in processes of their own */
	struct lt_analyses *analyses;
	struct lt_local_recordings *local_recordings;
	struct lt_deltas *deltas;
	struct lt_timing_watcher watchers[3]; /* the three above, for the services */
	struct lt_dvr *dvr;                   /* NULL: switched off */
	struct lt_recordings *recordings;
	struct lt_daemon_schedule schedule; /* what the scheduler works on */
	struct lt_scheduler *scheduler;
	struct lt_directory *directory;
	struct lt_reports *reports; /* announcements, errors, crashes */
	struct lt_timelines *timelines;
	struct lt_offload *offload;     /* recordings in a bucket; NULL: there is none */
	struct lt_elsewhere *elsewhere; /* recordings of an edge; NULL: they are here */
	struct lt_web *web;
	struct lt_push *push; /* messages for services, over HTTP */
	struct lt_metrics *metrics;
	struct lt_notify *notify;
	struct lt_http_call *http_call; /* NULL: switched off */
	struct lt_control *control;
	struct lt_control_modules modules; /* what control's verbs work on */
	struct lt_timer stop_timer;        /* services that do not end */
	struct lt_settings *newer; /* of the last reload; NULL: those of the start are in force */
	bool is_stopping;
	bool is_router_stopping;
};

/* Router and modules, not started; what fails is destroyed by the other. */
bool lt_daemon_create_modules(struct lt_daemon *daemon, struct lt_err *err);
void lt_daemon_destroy_modules(struct lt_daemon *daemon);

/* The roles, permissions and principals of these settings, instead of any before. */
bool lt_daemon_set_access(
		struct lt_daemon *daemon, const struct lt_daemon_conf *conf, struct lt_err *err);

#endif
