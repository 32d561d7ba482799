/* The modules of the daemon and what they have of each other: made here, and ended. */
#include <inttypes.h>

#include "base/alloc.h"
#include "base/exposition.h"
#include "base/fsutil.h"
#include "base/notify.h"
#include "daemon/isolation.h"
#include "daemon/priv.h"
#include "daemon/reports.h"
#include "net/fetch.h"
#include "race/envelope.h"
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
#include "services/web/elsewhere.h"
#include "services/web/metrics.h"
#include "services/web/push.h"
#include "services/web/web.h"

static const char *const module_names[] = { "router", "directory", "services", "analysis", "dvr",
	"recordings", "scheduler", "web", "control", NULL };
static const char *const module_names_without_dvr[] = { "router", "directory", "services",
	"analysis", "recordings", "scheduler", "web", "control", NULL };

static bool create_router(struct lt_daemon *daemon, struct lt_err *err)
{
	const struct lt_daemon_conf *conf = daemon->env.conf;

	daemon->router = lt_router_create(&(struct lt_router_env){
			.loop = daemon->env.loop,
			.random = daemon->random,
			.log = { daemon->env.log_sink, "router" },
			.agent = "livetimingd-" LT_VERSION,
			.node = conf->mesh.bus.urls ? conf->mesh.node : NULL,
			.limits = conf->limits,
			.switches = conf->switches,
			.tls_cert = conf->tls_cert,
			.tls_key = conf->tls_key,
	});
	return lt_router_add_realm(daemon->router, LT_STR(LT_REALM), err) &&
			lt_daemon_set_access(daemon, conf, err);
}

/* --- one node of several --- */

static void on_record(void *arg, bool is_ours)
{
	const struct lt_daemon *daemon = arg;

	if (daemon->dvr) {
		lt_dvr_set_active(daemon->dvr, is_ours);
	}
}

static void on_schedule(void *arg, bool is_ours)
{
	lt_scheduler_set_active(((struct lt_daemon *)arg)->scheduler, is_ours);
}

/* Services here are told to the directories there, and theirs to the one here. */
static void on_joined(void *arg)
{
	lt_directory_ask(((struct lt_daemon *)arg)->directory);
}

/* Its code, if it has one, comes from that node as well (private.h). */
static void on_closed(void *arg, struct lt_str name)
{
	struct lt_daemon *daemon = arg;
	struct lt_err err = { 0 };

	if (!lt_daemon_desk_is_closed(&daemon->desk, name) &&
			!lt_daemon_desk_adopt(&daemon->desk, name, LT_STR(""), &err)) {
		lt_log(&daemon->log, LT_ERROR, "a private service of another node cannot be closed",
				"reason=\"%s\"", err.msg);
	}
}

static bool create_mesh(struct lt_daemon *daemon, struct lt_err *err)
{
	const struct lt_mesh_conf *conf = &daemon->env.conf->mesh;

	if (!conf->bus.urls) {
		return true;
	}
	daemon->mesh = lt_daemon_mesh_create(
			&(struct lt_daemon_mesh_env){
					.loop = daemon->env.loop,
					.random = daemon->random,
					.log_sink = daemon->env.log_sink,
					.router = daemon->router,
					.conf = conf,
					.record = on_record,
					.schedule = on_schedule,
					.joined = on_joined,
					.closed = on_closed,
					.arg = daemon,
			},
			err);
	return daemon->mesh != NULL || lt_err_prefix(err, "LIVETIMING_BACKPLANE");
}

/* --- modules --- */

static bool hold(void *arg, struct lt_http_req *req, struct lt_str name, bool is_admitted,
		void (*again)(void *again_arg, struct lt_http_req *req), void *again_arg)
{
	return lt_offload_hold(((struct lt_daemon *)arg)->offload, req, name, is_admitted, again,
			again_arg);
}

/* What an edge leaves to an origin. */
static const char *const elsewhere_paths[] = { "/recordings/", "/timeline/", NULL };

static void create_dvr(struct lt_daemon *daemon)
{
	const struct lt_daemon_env *env = &daemon->env;
	const struct lt_daemon_conf *conf = env->conf;

	if (conf->dvr && !conf->mesh.is_edge) {
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
				.is_standby = conf->mesh.bus.urls != NULL,
		});
	}
}

static void create_offload(struct lt_daemon *daemon)
{
	const struct lt_daemon_env *env = &daemon->env;
	const struct lt_daemon_conf *conf = env->conf;

	if (conf->s3.url) {
		daemon->offload = lt_offload_create(&(struct lt_offload_env){
				.loop = env->loop,
				.log = { env->log_sink, "offload" },
				.random = daemon->random,
				.requests = lt_fetcher_requests(daemon->fetcher),
				.directory = conf->recordings_dir,
				.state_dir = conf->state_dir,
				.conf = conf->s3,
				.uploads = !conf->mesh.is_edge,
		});
	}
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
	create_dvr(daemon);
	create_offload(daemon);
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
			.hold = daemon->offload ? hold : NULL,
			.hold_arg = daemon,
	});
	if (conf->mesh.is_edge && conf->mesh.origin_url) {
		daemon->elsewhere = lt_elsewhere_create(
				daemon->router, conf->mesh.origin_url, elsewhere_paths);
	}
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
			.hold = daemon->offload ? hold : NULL,
			.hold_arg = daemon,
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
	if (daemon->offload) {
		lt_offload_write_metrics(daemon->offload, buf);
	}
	if (daemon->mesh) {
		lt_daemon_mesh_write_metrics(daemon->mesh, buf);
	}
}

/* What makes the daemon a bad choice for new viewers; NULL: nothing does. */
static const char *find_trouble(void *arg)
{
	const struct lt_daemon *daemon = arg;
	struct lt_dvr_stats stats = { 0 };

	if (daemon->dvr) {
		lt_dvr_report(daemon->dvr, &stats);
	}
	if (stats.in_trouble > 0) {
		return "recordings cannot be written";
	}
	return daemon->mesh ? lt_daemon_mesh_trouble(daemon->mesh) : NULL;
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
			.is_standby = conf->mesh.bus.urls != NULL,
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
			.refusal = env->conf->mesh.is_edge
					? "an edge runs no services: an origin does"
					: NULL,
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
			.connect_to = daemon->elsewhere ? env->conf->mesh.origin_url : NULL,
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

static cJSON *mesh_status(void *arg)
{
	return lt_daemon_mesh_status(((struct lt_daemon *)arg)->mesh);
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
		.mesh = daemon->mesh ? mesh_status : NULL,
		.offload = daemon->offload,
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

bool lt_daemon_create_modules(struct lt_daemon *daemon, struct lt_err *err)
{
	const struct lt_daemon_env *env = &daemon->env;

	if (!create_router(daemon, err) || !create_mesh(daemon, err)) {
		return false;
	}
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

void lt_daemon_destroy_modules(struct lt_daemon *daemon)
{
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
	lt_offload_destroy(daemon->offload);
	lt_timelines_destroy(daemon->timelines);
	lt_elsewhere_destroy(daemon->elsewhere);
	lt_recordings_destroy(daemon->recordings);
	lt_directory_destroy(daemon->directory);
	lt_daemon_mesh_destroy(daemon->mesh);
	lt_router_destroy(daemon->router);
}
