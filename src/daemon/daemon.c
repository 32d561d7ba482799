#include "daemon/daemon.h"

#include <unistd.h>

#include "base/alloc.h"
#include "base/fsutil.h"
#include "base/notify.h"
#include "base/random.h"
#include "daemon/priv.h"
#include "daemon/reports.h"
#include "daemon/settings.h"
#include "net/fetch.h"
#include "net/ws_client.h"
#include "router/http_call.h"
#include "router/router.h"
#include "services/analysis/analysis.h"
#include "services/control/control.h"
#include "services/delta/deltas.h"
#include "services/directory/directory.h"
#include "services/dvr/dvr.h"
#include "services/dvr/local_recording.h"
#include "services/manager/services.h"
#include "services/offload/offload.h"
#include "services/recordings/recordings.h"
#include "services/schedule/scheduler.h"
#include "services/timeline/timeline.h"
#include "services/web/metrics.h"
#include "services/web/push.h"
#include "services/web/web.h"

#define STOP_SERVICES_MS 5000 /* for states and recordings to be written */
#define STOP_ROUTER_MS   3000 /* for GOODBYE to be said and answered */

/* --- life --- */

struct lt_daemon *lt_daemon_create(const struct lt_daemon_env *env, struct lt_err *err)
{
	struct lt_daemon *daemon = lt_zalloc(sizeof(*daemon));

	daemon->env = *env;
	daemon->log = (struct lt_log){ env->log_sink, "daemon" };
	daemon->random = lt_random_create(0, err);
	if (!daemon->random) {
		goto fail;
	}
	daemon->fetcher = lt_fetcher_create(env->loop, &(struct lt_fetcher_opts){ 0 }, err);
	if (!daemon->fetcher) {
		goto fail;
	}
	daemon->ws_hub = lt_ws_hub_create(
			&(struct lt_net_env){ .loop = env->loop, .random = daemon->random }, NULL);
	if (!lt_daemon_create_modules(daemon, err)) {
		goto fail;
	}
	return daemon;
fail:
	lt_daemon_destroy(daemon);
	return NULL;
}

void lt_daemon_destroy(struct lt_daemon *daemon)
{
	if (!daemon) {
		return;
	}
	lt_timer_cancel(&daemon->stop_timer);
	lt_daemon_destroy_modules(daemon);
	lt_ws_hub_destroy(daemon->ws_hub);
	lt_fetcher_destroy(daemon->fetcher);
	lt_random_destroy(daemon->random);
	lt_settings_destroy(daemon->newer);
	lt_free(daemon);
}

/* --- start --- */

static bool make_dirs(const struct lt_daemon_conf *conf, struct lt_err *err)
{
	const struct {
		const char *name, *path;
	} dirs[] = {
		{ "LIVETIMING_STATE_DIR", conf->state_dir },
		{ "LIVETIMING_LOG_DIR", conf->log_dir },
		{ "LIVETIMING_ANALYSIS_DIR", conf->analysis_dir },
		{ "LIVETIMING_RECORDINGS_DIR", conf->recordings_dir },
		{ "LIVETIMING_RECORDINGS_TEMP_DIR", conf->recordings_temp_dir },
	};

	for (size_t i = 0; i < LT_ARRAY_LEN(dirs); i++) {
		if (!lt_dir_make(dirs[i].path, err)) {
			return lt_err_prefix(err, "%s", dirs[i].name);
		}
		if (access(dirs[i].path, W_OK | X_OK) != 0) {
			return lt_err_errno(err, "%s: %s", dirs[i].name, dirs[i].path);
		}
	}
	return true;
}

static bool listen_all(struct lt_daemon *daemon, struct lt_err *err)
{
	const struct lt_text_list *addresses = &daemon->env.conf->listen;

	for (size_t i = 0; i < addresses->n; i++) {
		if (!lt_router_listen(daemon->router, lt_str_from(addresses->at[i]), err)) {
			return lt_err_prefix(err, "LIVETIMING_LISTEN");
		}
	}
	return true;
}

/* The last thing of a start: scripts wait for these lines. */
static void say_ready(const struct lt_daemon *daemon)
{
	const char *address;

	if (!daemon->env.conf->shared_secret) {
		lt_log(&daemon->log, LT_WARN,
				"no LIVETIMING_SHARED_SECRET is set: no remote session can publish as services",
				NULL);
	}
	for (size_t i = 0; (address = lt_router_listener(daemon->router, i)); i++) {
		lt_log(&daemon->log, LT_INFO, "listening", "address=%s", address);
	}
	lt_notify_ready(daemon->notify);
}

bool lt_daemon_start(struct lt_daemon *daemon, struct lt_err *err)
{
	/*
	 * The control socket first: it tells that another daemon runs with these
	 * settings, before its files are touched. The directory before services, so
	 * that it hears them; listeners last, so that nobody finds half of it.
	 */
	lt_metrics_start(daemon->metrics);
	if (!make_dirs(daemon->env.conf, err) || !lt_control_start(daemon->control, err)) {
		return false;
	}
	if (daemon->mesh && !lt_daemon_mesh_start(daemon->mesh, err)) {
		return false;
	}
	lt_reports_start(daemon->reports);
	if (daemon->offload) {
		lt_offload_start(daemon->offload);
	}
	if (!daemon->elsewhere) {
		lt_timelines_start(daemon->timelines);
	}
	/* Before the directory: what is closed is closed before anything is listed. */
	if (!lt_daemon_desk_start(&daemon->desk, err) ||
			!lt_directory_start(daemon->directory, err) ||
			!lt_web_start(daemon->web, err) || !lt_push_start(daemon->push, err) ||
			(daemon->http_call && !lt_http_call_start(daemon->http_call, err)) ||
			!lt_analyses_start(daemon->analyses, err) ||
			!lt_deltas_start(daemon->deltas, err) ||
			(daemon->dvr && !lt_dvr_start(daemon->dvr, err)) ||
			(!daemon->elsewhere && !lt_recordings_start(daemon->recordings, err)) ||
			!listen_all(daemon, err) || !lt_services_start(daemon->services, err) ||
			!lt_scheduler_start(daemon->scheduler, err)) {
		return false;
	}
	if (daemon->mesh) {
		lt_daemon_mesh_take_roles(daemon->mesh);
	}
	say_ready(daemon);
	return true;
}

/* --- stop --- */

static void on_router_stopped(void *arg)
{
	struct lt_daemon *daemon = arg;

	lt_log(&daemon->log, LT_INFO, "stopped", NULL);
	lt_loop_stop(daemon->env.loop);
}

static void on_mesh_stopped(void *arg)
{
	struct lt_daemon *daemon = arg;

	lt_router_stop(daemon->router, STOP_ROUTER_MS, on_router_stopped, daemon);
}

static void stop_router(void *arg)
{
	struct lt_daemon *daemon = arg;

	if (daemon->is_router_stopping) {
		return;
	}
	daemon->is_router_stopping = true;
	lt_timer_cancel(&daemon->stop_timer);
	lt_directory_stop(daemon->directory);
	if (daemon->http_call) {
		lt_http_call_stop(daemon->http_call);
	}
	lt_push_stop(daemon->push);
	lt_daemon_desk_stop(&daemon->desk);
	if (daemon->offload) {
		lt_offload_stop(daemon->offload);
	}
	lt_recordings_stop(daemon->recordings);
	lt_timelines_stop(daemon->timelines);
	lt_deltas_stop(daemon->deltas);
	lt_web_stop(daemon->web);
	lt_metrics_stop(daemon->metrics);
	if (daemon->mesh) {
		lt_daemon_mesh_stop(daemon->mesh, on_mesh_stopped, daemon);
	} else {
		on_mesh_stopped(daemon);
	}
}

/* After the services, each in its turn: what they said last is still written. */
static void stop_dvr(void *arg)
{
	struct lt_daemon *daemon = arg;

	if (daemon->dvr) {
		lt_dvr_stop(daemon->dvr, stop_router, daemon);
	} else {
		stop_router(daemon);
	}
}

static void stop_local_recordings(void *arg)
{
	struct lt_daemon *daemon = arg;

	lt_local_recordings_stop(daemon->local_recordings, stop_dvr, daemon);
}

static void stop_analyses(void *arg)
{
	struct lt_daemon *daemon = arg;

	lt_analyses_stop(daemon->analyses, stop_local_recordings, daemon);
}

static void on_services_late(void *arg)
{
	struct lt_daemon *daemon = arg;

	lt_log(&daemon->log, LT_WARN,
			"services take too long to end; their last states may be lost", NULL);
	stop_router(daemon);
}

void lt_daemon_stop(struct lt_daemon *daemon)
{
	if (daemon->is_stopping) {
		return;
	}
	daemon->is_stopping = true;
	lt_log(&daemon->log, LT_INFO, "stopping", NULL);
	lt_notify_stopping(daemon->notify);
	lt_web_drain(daemon->web);
	lt_control_stop(daemon->control);
	lt_timer_once(&daemon->stop_timer, daemon->env.loop, STOP_SERVICES_MS, on_services_late,
			daemon);
	lt_local_recordings_drain(daemon->local_recordings);
	lt_scheduler_stop(daemon->scheduler); /* nothing is started from now on */
	lt_services_stop(daemon->services, stop_analyses, daemon);
}

void lt_daemon_reopen_logs(struct lt_daemon *daemon)
{
	struct lt_err err = { 0 };

	lt_services_reopen_logs(daemon->services);
	if (!lt_log_sink_reopen(daemon->env.log_sink, &err)) {
		lt_log(&daemon->log, LT_ERROR, "the log stays as it is", "reason=\"%s\"", err.msg);
	}
	lt_log(&daemon->log, LT_INFO, "log files opened anew", NULL);
}
