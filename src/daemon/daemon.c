#include "daemon/daemon.h"

#include <inttypes.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/exposition.h"
#include "base/fsutil.h"
#include "base/notify.h"
#include "base/random.h"
#include "daemon/isolation.h"
#include "daemon/priv.h"
#include "daemon/reports.h"
#include "daemon/settings.h"
#include "net/fetch.h"
#include "net/ws_client.h"
#include "race/envelope.h"
#include "router/http_call.h"
#include "router/router.h"
#include "services/analysis/analysis.h"
#include "services/control/control.h"
#include "services/control/control_verbs.h"
#include "services/delta/deltas.h"
#include "services/directory/directory.h"
#include "services/dvr/dvr.h"
#include "services/dvr/local_recording.h"
#include "services/manager/services.h"
#include "services/recordings/recordings.h"
#include "services/schedule/scheduler.h"
#include "services/timeline/timeline.h"
#include "services/timing/timing_observer.h"
#include "services/web/metrics.h"
#include "services/web/push.h"
#include "services/web/web.h"

#define STOP_SERVICES_MS 5000 /* for states and recordings to be written */
#define STOP_ROUTER_MS   3000 /* for GOODBYE to be said and answered */

static const char *const module_names[] = { "router", "directory", "services", "analysis", "dvr",
	"recordings", "scheduler", "web", "control", NULL };
static const char *const module_names_without_dvr[] = { "router", "directory", "services",
	"analysis", "recordings", "scheduler", "web", "control", NULL };

/* --- create --- */

static bool create_router(struct lt_daemon *daemon, struct lt_err *err)
{
	const struct lt_daemon_conf *conf = daemon->env.conf;

	daemon->router = lt_router_create(&(struct lt_router_env){
			.loop = daemon->env.loop,
			.random = daemon->random,
			.log = { daemon->env.log_sink, "router" },
			.agent = "livetimingd-" LT_VERSION,
			.limits = conf->limits,
			.switches = conf->switches,
			.tls_cert = conf->tls_cert,
			.tls_key = conf->tls_key,
	});
	return lt_router_add_realm(daemon->router, LT_STR(LT_REALM), err) &&
			lt_daemon_set_access(daemon, conf, err);
}

static void create_recording(struct lt_daemon *daemon)
{
	const struct lt_daemon_env *env = &daemon->env;
	const struct lt_daemon_conf *conf = env->conf;
	LT_AUTO(lt_free) char *cache_dir = lt_path_join(conf->state_dir, "timeline");

	daemon->analyses = lt_analyses_create(&(struct lt_analyses_env){
			.loop = env->loop,
			.log = { env->log_sink, "analysis" },
			.router = daemon->router,
			.analysis_dir = conf->analysis_dir,
	});
	daemon->local_recordings = lt_local_recordings_create(&(struct lt_local_recordings_env){
			.loop = env->loop,
			.log = { env->log_sink, "recording" },
			.sync_interval_s = conf->dvr_sync_s,
	});
	daemon->watchers[0] = lt_analyses_watcher(daemon->analyses);
	daemon->watchers[1] = lt_local_recordings_watcher(daemon->local_recordings);
	daemon->deltas = lt_deltas_create(&(struct lt_deltas_env){
			.loop = env->loop,
			.log = { env->log_sink, "deltas" },
			.random = daemon->random,
			.router = daemon->router,
	});
	daemon->watchers[2] = lt_deltas_watcher(daemon->deltas);
	if (conf->dvr) {
		daemon->dvr = lt_dvr_create(&(struct lt_dvr_env){
				.loop = env->loop,
				.log = { env->log_sink, "dvr" },
				.router = daemon->router,
				.temp_dir = conf->recordings_temp_dir,
				.done_dir = conf->recordings_dir,
				.thresholds = { conf->dvr_min_duration_s, conf->dvr_idle_s,
						conf->dvr_scan_s, conf->dvr_resume_s,
						conf->dvr_sync_s },
				.is_closed = lt_daemon_desk_is_closed,
				.arg = &daemon->desk,
		});
	}
	daemon->timelines = lt_timelines_create(&(struct lt_timelines_env){
			.loop = env->loop,
			.log = { env->log_sink, "timeline" },
			.router = daemon->router,
			.recordings_dir = conf->recordings_dir,
			.cache_dir = cache_dir,
			.live = conf->dvr ? lt_dvr_live : NULL,
			.arg = daemon->dvr,
			.is_closed = lt_daemon_desk_is_closed,
			.owner = lt_daemon_desk_owner,
			.gate = lt_daemon_desk_gate,
			.private_arg = &daemon->desk,
	});
	daemon->recordings = lt_recordings_create(&(struct lt_recordings_env){
			.loop = env->loop,
			.log = { env->log_sink, "recordings" },
			.router = daemon->router,
			.directory = conf->recordings_dir,
			.authcode = conf->admin_authcode,
			.reindex = conf->reindex,
			.generate_analysis = conf->generate_analysis,
			.owner = lt_daemon_desk_owner,
			.gate = lt_daemon_desk_gate,
			.owner_arg = &daemon->desk,
	});
}

static void write_more_metrics(void *arg, struct lt_buf *buf)
{
	const struct lt_daemon *daemon = arg;

	lt_deltas_write_metrics(daemon->deltas, buf);
	const struct lt_expo_figure recordings = { "livetiming_recordings", "gauge",
		"recordings in the catalogue", lt_recordings_count(daemon->recordings) };

	lt_services_write_metrics(daemon->services, buf);
	lt_directory_write_metrics(daemon->directory, buf);
	lt_scheduler_write_metrics(daemon->scheduler, buf);
	lt_expo_figures(buf, &recordings, 1);
	if (daemon->dvr) {
		lt_dvr_write_metrics(daemon->dvr, buf);
	}
	lt_reports_write_metrics(daemon->reports, buf);
}

/* What makes the daemon a bad choice for new viewers; NULL: nothing does. */
static const char *find_trouble(void *arg)
{
	const struct lt_daemon *daemon = arg;
	struct lt_dvr_stats stats = { 0 };

	if (daemon->dvr) {
		lt_dvr_report(daemon->dvr, &stats);
	}
	return stats.in_trouble > 0 ? "recordings cannot be written" : NULL;
}

/* For `systemctl status`. */
static void describe(void *arg, struct lt_buf *buf)
{
	const struct lt_daemon *daemon = arg;
	struct lt_router_stats router;
	struct lt_services_stats services;
	const char *trouble = find_trouble(arg);

	lt_router_report(daemon->router, &router);
	lt_services_report(daemon->services, &services);
	lt_buf_printf(buf, "%" PRIu32 " services run, %" PRIu64 " sessions", services.running,
			router.sessions);
	if (services.failed > 0) {
		lt_buf_printf(buf, ", %" PRIu32 " services failed", services.failed);
	}
	if (services.stale > 0) {
		lt_buf_printf(buf, ", %" PRIu32 " feeds are silent", services.stale);
	}
	if (trouble) {
		lt_buf_printf(buf, "; %s", trouble);
	}
}

static bool find_service(void *arg, struct lt_str name, struct lt_str *ret_uuid, struct lt_err *err)
{
	return lt_services_uuid(arg, name, ret_uuid, err);
}

static cJSON *reload(void *arg, struct lt_err *err)
{
	return lt_daemon_reload(arg, err);
}

static void create_monitoring(struct lt_daemon *daemon)
{
	const struct lt_daemon_env *env = &daemon->env;

	daemon->metrics = lt_metrics_create(&(struct lt_metrics_env){
			.loop = env->loop,
			.router = daemon->router,
			.version = LT_VERSION,
			.for_whom = env->conf->metrics_for,
			.write_more = write_more_metrics,
			.arg = daemon,
	});
	daemon->notify = lt_notify_create(&(struct lt_notify_env){
			.loop = env->loop,
			.log = { env->log_sink, "daemon" },
			.socket = env->conf->notify_socket,
			.watchdog_us = env->conf->watchdog_us,
			.describe = describe,
			.arg = daemon,
	});
}

static void create_scheduler(struct lt_daemon *daemon)
{
	const struct lt_daemon_conf *conf = daemon->env.conf;

	daemon->schedule = (struct lt_daemon_schedule){ .services = daemon->services };
	daemon->scheduler = lt_scheduler_create(&(struct lt_scheduler_env){
			.loop = daemon->env.loop,
			.log = { daemon->env.log_sink, "scheduler" },
			.router = daemon->router,
			.requests = lt_fetcher_requests(daemon->fetcher),
			.urls = conf->calendar_urls,
			.state_dir = conf->state_dir,
			.local_zone = conf->local_zone,
			.fresh = daemon->env.fresh,
			.times = conf->schedule,
			.services = &lt_daemon_schedule_services,
			.arg = &daemon->schedule,
	});
}

static void create_services(struct lt_daemon *daemon)
{
	const struct lt_daemon_env *env = &daemon->env;

	daemon->isolation = lt_isolation_create(&(struct lt_isolation_env){
			.loop = env->loop,
			.random = daemon->random,
			.log = { env->log_sink, "children" },
			.router = daemon->router,
			.conf = env->conf,
	});
	daemon->services = lt_services_create(&(struct lt_services_env){
			.loop = env->loop,
			.random = daemon->random,
			.log = { env->log_sink, "services" },
			.router = daemon->router,
			.fetcher = daemon->fetcher,
			.ws_hub = daemon->ws_hub,
			.state_dir = env->conf->state_dir,
			.log_dir = env->conf->log_dir,
			.plugin_path = env->conf->plugin_path,
			.push_token = env->conf->push_token,
			.autostart = env->conf->services,
			.fresh = env->fresh,
			.children = lt_isolation_children(daemon->isolation),
			.crash_limit = env->conf->crash_limit,
			.settle_s = env->conf->settle_s,
			.watchers = daemon->watchers,
			.watcher_count = LT_ARRAY_LEN(daemon->watchers),
			.close = lt_daemon_desk_adopt,
			.close_arg = &daemon->desk,
	});
}

static void create_directory(struct lt_daemon *daemon)
{
	const struct lt_daemon_env *env = &daemon->env;

	daemon->directory = lt_directory_create(&(struct lt_directory_env){
			.loop = env->loop,
			.log = { env->log_sink, "directory" },
			.router = daemon->router,
			.principals = env->conf->principals,
			.is_closed = lt_daemon_desk_is_closed,
			.may_see = lt_daemon_desk_may_see,
			.adopt = lt_daemon_desk_adopt,
			.arg = &daemon->desk,
	});
	daemon->desk.services = daemon->services;
	daemon->desk.directory = daemon->directory;
	daemon->desk.dvr = daemon->dvr;
}

static void create_web(struct lt_daemon *daemon)
{
	const struct lt_daemon_env *env = &daemon->env;

	daemon->web = lt_web_create(&(struct lt_web_env){
			.loop = env->loop,
			.log = { env->log_sink, "web" },
			.router = daemon->router,
			.dir = env->conf->web_dir,
			.version = LT_VERSION,
			.trust_proxy = env->conf->trust_proxy,
			.is_closed = lt_daemon_desk_is_closed,
			.gate = lt_daemon_desk_gate,
			.private_arg = &daemon->desk,
			.frame_ancestors = env->conf->frame_ancestors,
			.trouble = find_trouble,
			.arg = daemon,
	});
	daemon->push = lt_push_create(&(struct lt_push_env){
			.router = daemon->router,
			.find = find_service,
			.arg = daemon->services,
	});
	if (env->conf->http_call) {
		daemon->http_call = lt_http_call_create(&(struct lt_http_call_opts){
				.router = daemon->router,
				.realm = LT_REALM,
				.body_bytes = LT_MIN(
						lt_router_limits(daemon->router)->message_bytes,
						(size_t)1 << 20),
		});
	}
}

static void create_control(struct lt_daemon *daemon)
{
	const struct lt_daemon_env *env = &daemon->env;

	daemon->modules = (struct lt_control_modules){
		.loop = env->loop,
		.router = daemon->router,
		.services = daemon->services,
		.directory = daemon->directory,
		.dvr = daemon->dvr,
		.recordings = daemon->recordings,
		.scheduler = daemon->scheduler,
		.announce = lt_reports_announce(daemon->reports),
		.desk = daemon->desk.desk,
		.version = LT_VERSION,
		.started = lt_loop_now(env->loop),
		.names = daemon->dvr ? module_names : module_names_without_dvr,
		.trouble = find_trouble,
		.reload = reload,
		.arg = daemon,
	};
	daemon->control = lt_control_create(&(struct lt_control_env){
			.loop = env->loop,
			.log = { env->log_sink, "control" },
			.path = env->conf->control_socket,
			.version = LT_VERSION,
			.verbs = lt_control_verbs,
			.verbs_arg = &daemon->modules,
	});
}

static bool create_modules(struct lt_daemon *daemon, struct lt_err *err)
{
	const struct lt_daemon_env *env = &daemon->env;

	lt_daemon_desk_create(&daemon->desk,
			&(struct lt_daemon_desk_env){
					.loop = env->loop,
					.random = daemon->random,
					.log_sink = env->log_sink,
					.router = daemon->router,
					.conf = env->conf,
			});
	create_recording(daemon);
	create_services(daemon);
	create_scheduler(daemon);
	daemon->reports = lt_reports_create(
			&(struct lt_reports_env){
					.loop = env->loop,
					.random = daemon->random,
					.log_sink = env->log_sink,
					.fetcher = daemon->fetcher,
					.services = daemon->services,
					.conf = env->conf,
			},
			err);
	if (!daemon->reports) {
		return false;
	}
	daemon->schedule.started = lt_reports_on_event;
	daemon->schedule.arg = daemon->reports;
	create_directory(daemon);
	create_web(daemon);
	create_monitoring(daemon);
	create_control(daemon);
	return true;
}

struct lt_daemon *lt_daemon_create(const struct lt_daemon_env *env, struct lt_err *err)
{
	struct lt_daemon *daemon = lt_zalloc(sizeof(*daemon));

	daemon->env = *env;
	daemon->log = (struct lt_log){ env->log_sink, "daemon" };
	daemon->random = lt_random_create(0, err);
	if (!daemon->random || !create_router(daemon, err)) {
		goto fail;
	}
	daemon->fetcher = lt_fetcher_create(env->loop, &(struct lt_fetcher_opts){ 0 }, err);
	if (!daemon->fetcher) {
		goto fail;
	}
	daemon->ws_hub = lt_ws_hub_create(
			&(struct lt_net_env){ .loop = env->loop, .random = daemon->random }, NULL);
	if (!create_modules(daemon, err)) {
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
	lt_control_destroy(daemon->control);
	lt_reports_destroy(daemon->reports);
	lt_http_call_destroy(daemon->http_call);
	lt_push_destroy(daemon->push);
	lt_metrics_destroy(daemon->metrics);
	lt_notify_destroy(daemon->notify);
	lt_web_destroy(daemon->web);
	lt_scheduler_destroy(daemon->scheduler);
	lt_services_destroy(daemon->services);
	lt_isolation_destroy(daemon->isolation);
	lt_analyses_destroy(daemon->analyses);
	lt_deltas_destroy(daemon->deltas);
	lt_local_recordings_destroy(daemon->local_recordings);
	lt_daemon_desk_destroy(&daemon->desk);
	lt_dvr_destroy(daemon->dvr);
	lt_timelines_destroy(daemon->timelines);
	lt_recordings_destroy(daemon->recordings);
	lt_directory_destroy(daemon->directory);
	lt_router_destroy(daemon->router);
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
	lt_reports_start(daemon->reports);
	lt_timelines_start(daemon->timelines);
	/* Before the directory: what is closed is closed before anything is listed. */
	if (!lt_daemon_desk_start(&daemon->desk, err) ||
			!lt_directory_start(daemon->directory, err) ||
			!lt_web_start(daemon->web, err) || !lt_push_start(daemon->push, err) ||
			(daemon->http_call && !lt_http_call_start(daemon->http_call, err)) ||
			!lt_analyses_start(daemon->analyses, err) ||
			!lt_deltas_start(daemon->deltas, err) ||
			(daemon->dvr && !lt_dvr_start(daemon->dvr, err)) ||
			!lt_recordings_start(daemon->recordings, err) || !listen_all(daemon, err) ||
			!lt_services_start(daemon->services, err) ||
			!lt_scheduler_start(daemon->scheduler, err)) {
		return false;
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
	lt_recordings_stop(daemon->recordings);
	lt_timelines_stop(daemon->timelines);
	lt_deltas_stop(daemon->deltas);
	lt_web_stop(daemon->web);
	lt_metrics_stop(daemon->metrics);
	lt_router_stop(daemon->router, STOP_ROUTER_MS, on_router_stopped, daemon);
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
