#include "daemon/service_process.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/ctl_proto.h"
#include "base/fsutil.h"
#include "base/random.h"
#include "net/fetch.h"
#include "net/ws_client.h"
#include "race/envelope.h"
#include "router/router.h"
#include "services/analysis/analysis.h"
#include "services/dvr/local_recording.h"
#include "services/manager/services.h"
#include "services/outside/portmap.h"
#include "services/outside/standalone.h"
#include "services/outside/uplink.h"
#include "services/timing/timing_observer.h"

#define REPORT_MS    1000
#define STOP_MS      5000 /* for states and recordings to be written */
#define ROUTER_MS    100
#define CHANNEL_READ 65536

struct lt_service_process {
	struct lt_service_process_env env;
	struct lt_log log;
	struct lt_log_sink *file_sink; /* the service's own log; NULL: none */
	struct lt_service_args args;
	struct lt_random *random;
	struct lt_router *router;
	struct lt_fetcher *fetcher;
	struct lt_ws_hub *ws_hub;
	struct lt_services *services;
	struct lt_analyses *analyses;
	struct lt_local_recordings *recordings;
	struct lt_timing_watcher watchers[2];
	struct lt_uplink *uplink; /* one of these two */
	struct lt_standalone *standalone;
	struct lt_portmap *portmap; /* NULL: no port is forwarded */
	char *uuid;
	cJSON *manifest; /* as the service said it before anybody listened; NULL: not yet */
	/* Of a supervised one. */
	struct lt_watch watch;
	struct lt_buf input;
	struct lt_buf last_report;
	struct lt_timer report_timer;
	char *failure;
	bool is_stopping, is_network_stopping;
	struct lt_timer stop_timer;
};

static bool is_supervised(const struct lt_service_process *process)
{
	return process->env.uuid != NULL;
}

/* --- create --- */

static void on_failed(void *arg, struct lt_str uuid, const char *reason);

static void create_modules(struct lt_service_process *process)
{
	const struct lt_service_process_env *env = &process->env;
	const struct lt_daemon_conf *conf = env->conf;

	process->router = lt_router_create(&(struct lt_router_env){
			.loop = env->loop,
			.random = process->random,
			.log = { env->log_sink, "realm" },
			.agent = "livetimingd-" LT_VERSION,
	});
	process->analyses = lt_analyses_create(&(struct lt_analyses_env){
			.loop = env->loop,
			.log = process->log,
			.router = process->router,
			.analysis_dir = conf->analysis_dir,
	});
	process->recordings = lt_local_recordings_create(&(struct lt_local_recordings_env){
			.loop = env->loop,
			.log = process->log,
			.sync_interval_s = conf->dvr_sync_s,
	});
	process->ws_hub = lt_ws_hub_create(
			&(struct lt_net_env){ .loop = env->loop, .random = process->random }, NULL);
	process->watchers[0] = lt_analyses_watcher(process->analyses);
	process->watchers[1] = lt_local_recordings_watcher(process->recordings);
	process->services = lt_services_create(&(struct lt_services_env){
			.loop = env->loop,
			.random = process->random,
			.log = process->log,
			.router = process->router,
			.fetcher = process->fetcher,
			.ws_hub = process->ws_hub,
			.state_dir = conf->state_dir,
			.log_dir = conf->log_dir,
			.plugin_path = conf->plugin_path,
			.push_token = conf->push_token,
			.is_alone = true,
			.failed = on_failed,
			.arg = process,
			.watchers = process->watchers,
			.watcher_count = LT_ARRAY_LEN(process->watchers),
	});
}

struct lt_service_process *lt_service_process_create(
		const struct lt_service_process_env *env, struct lt_err *err)
{
	struct lt_service_process *process = lt_zalloc(sizeof(*process));

	lt_ws_hub_silence();
	process->env = *env;
	process->log = (struct lt_log){ env->log_sink, "service" };
	process->random = lt_random_create(0, err);
	process->fetcher = lt_fetcher_create(env->loop, &(struct lt_fetcher_opts){ 0 }, err);
	if (process->random == NULL || process->fetcher == NULL ||
			!lt_service_args_parse(env->args, &process->args, err)) {
		lt_service_process_destroy(process);
		return NULL;
	}
	if (process->args.is_private && !is_supervised(process)) {
		lt_err_set(err, LT_E_INVALID,
				"--private is for services of the daemon: a router elsewhere cannot keep it");
		lt_service_process_destroy(process);
		return NULL;
	}
	create_modules(process);
	if (!lt_router_add_realm(process->router, LT_STR(LT_REALM), err)) {
		lt_service_process_destroy(process);
		return NULL;
	}
	return process;
}

void lt_service_process_destroy(struct lt_service_process *process)
{
	if (process == NULL) {
		return;
	}
	lt_timer_cancel(&process->stop_timer);
	lt_timer_cancel(&process->report_timer);
	lt_watch_stop(&process->watch);
	lt_portmap_destroy(process->portmap);
	lt_standalone_destroy(process->standalone);
	lt_uplink_destroy(process->uplink);
	lt_services_destroy(process->services);
	lt_analyses_destroy(process->analyses);
	lt_local_recordings_destroy(process->recordings);
	lt_router_destroy(process->router);
	lt_ws_hub_destroy(process->ws_hub);
	lt_fetcher_destroy(process->fetcher);
	lt_random_destroy(process->random);
	lt_log_sink_destroy(process->file_sink);
	lt_service_args_finish(&process->args);
	lt_buf_finish(&process->input);
	lt_buf_finish(&process->last_report);
	lt_free(process->failure);
	lt_free(process->uuid);
	cJSON_Delete(process->manifest);
	lt_free(process);
}

/* --- the end of the service by itself --- */

static void fail(struct lt_service_process *process, const char *reason)
{
	if (process->failure == NULL) {
		process->failure = lt_strdup(reason);
	}
	lt_service_process_stop(process);
}

static void on_failed(void *arg, struct lt_str uuid, const char *reason)
{
	(void)uuid;
	fail(arg, reason);
}

static void on_refused(void *arg, const char *reason)
{
	fail(arg, reason);
}

/* --- the channel to the daemon --- */

static void say_take(struct lt_service_process *process, cJSON *json)
{
	LT_AUTO(lt_buf_finish) struct lt_buf line = { 0 };

	lt_json_print(&line, json, LT_JSON_UTF8);
	cJSON_Delete(json);
	lt_buf_add_char(&line, '\n');
	/* Small, and read at once; when it is not, the daemon hangs and the next one will do. */
	for (struct lt_str rest = lt_buf_str(&line); rest.n > 0;) {
		ssize_t n = send(process->env.channel, rest.p, rest.n, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR) {
			return;
		}
		rest = lt_str_skip(rest, n > 0 ? (size_t)n : 0);
	}
}

static void report(void *arg)
{
	struct lt_service_process *process = arg;
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	cJSON *now = lt_services_show(process->services, lt_str_from(process->uuid), NULL);

	if (now == NULL) {
		return;
	}
	lt_json_print(&text, now, LT_JSON_UTF8);
	if (lt_str_eq(lt_buf_str(&text), lt_buf_str(&process->last_report))) {
		cJSON_Delete(now);
		say_take(process, cJSON_CreateObject()); /* a sign of life */
		return;
	}
	lt_buf_finish(&process->last_report);
	process->last_report = text;
	text = (struct lt_buf){ 0 };
	cJSON *json = cJSON_CreateObject();

	lt_json_set_take(json, "report", now);
	say_take(process, json);
}

static bool join_router(struct lt_service_process *process, const struct lt_uplink_env *place,
		struct lt_err *err)
{
	struct lt_uplink_env env = *place;

	env.loop = process->env.loop;
	env.random = process->random;
	env.log = process->log;
	env.ws_hub = process->ws_hub;
	env.router = process->router;
	env.uuid = process->uuid;
	env.manifest = process->manifest;
	env.refused = on_refused;
	env.arg = process;
	process->uplink = lt_uplink_create(&env, err);
	return process->uplink != NULL && lt_uplink_start(process->uplink, err);
}

/* {"url", "authid", "secret"}: where to join; {"do": "stop" | "park"}: end. */
static void take_line(struct lt_service_process *process, struct lt_str line)
{
	LT_AUTO(cJSON_Delete) cJSON *json = lt_json_parse(line, NULL);
	struct lt_str url = { NULL, 0 }, authid = { NULL, 0 }, secret = { NULL, 0 };
	struct lt_str order = { NULL, 0 };
	struct lt_err err;

	lt_json_opt_str(json, "do", &order, NULL);
	if (order.n > 0) {
		if (lt_str_eq_c(order, "park")) {
			lt_local_recordings_drain(process->recordings);
		}
		lt_service_process_stop(process);
		return;
	}
	if (process->uplink != NULL || process->is_stopping ||
			!lt_json_get_str(json, "url", &url, &err) ||
			!lt_json_get_str(json, "authid", &authid, &err) ||
			!lt_json_get_str(json, "secret", &secret, &err)) {
		return;
	}
	/* the daemon is on this machine: it is back in moments, or we are gone with it */
	static const int64_t waits_ms[] = { 200, 500, 1000 };
	struct lt_uplink_env place = { .url = url.p,
		.authid = authid.p,
		.secret = secret,
		.waits_ms = waits_ms,
		.waits_n = LT_ARRAY_LEN(waits_ms) };

	if (!join_router(process, &place, &err)) {
		fail(process, err.msg);
	}
}

static void on_channel(void *arg, int events)
{
	struct lt_service_process *process = arg;
	struct lt_str line;
	size_t used;
	struct lt_err err = { 0 };
	ssize_t n;

	(void)events;
	lt_buf_reserve(&process->input, CHANNEL_READ);
	n = recv(process->env.channel, process->input.p + process->input.n, CHANNEL_READ,
			MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		return;
	}
	if (n <= 0) {
		/* The daemon is no more. It, or the next one, starts the service again. */
		lt_watch_stop(&process->watch);
		lt_local_recordings_drain(process->recordings);
		lt_service_process_stop(process);
		return;
	}
	process->input.n += (size_t)n;
	while (lt_ctl_next_line(&process->input, &line, &used, &err)) {
		take_line(process, line);
		lt_buf_remove_front(&process->input, used);
	}
}

/* --- start --- */

/* What the modules say about the service stands in its log file, as the original has it. */
static void open_file_log(struct lt_service_process *process)
{
	const struct lt_service_args *args = &process->args;
	LT_AUTO(lt_buf_finish) struct lt_buf name = { 0 };
	struct lt_err err;

	if (args->verbose || args->no_write_state) {
		return;
	}
	lt_buf_printf(&name, "%s.log", process->uuid);
	LT_AUTO(lt_free) char *path = lt_path_join(process->env.conf->log_dir, name.p);

	process->file_sink = lt_log_sink_file(path, args->debug ? LT_DEBUG : LT_INFO, LT_LOG_TEXT,
			process->env.log_sink, &err);
	if (process->file_sink != NULL) {
		process->log.sink = process->file_sink;
	}
}

static bool start_service(struct lt_service_process *process, struct lt_err *err)
{
	struct lt_str uuid;

	if (is_supervised(process)) {
		process->uuid = lt_strdup(process->env.uuid);
		return lt_services_resume_service(process->services, process->env.args,
				lt_str_from(process->uuid), process->env.continues, err);
	}
	if (!lt_services_start_service(process->services, process->env.args, &uuid, err)) {
		return false;
	}
	process->uuid = lt_str_dup(uuid);
	return true;
}

static void forward_port(struct lt_service_process *process)
{
	const char *upnp = process->env.conf->use_upnp;

	if (process->args.upnp || upnp != NULL) {
		process->portmap = lt_portmap_create(
				&(struct lt_portmap_env){ .loop = process->env.loop,
						.log = process->log,
						.port = lt_standalone_port(process->standalone),
						.device_url = upnp });
		lt_portmap_start(process->portmap);
	}
}

static bool start_standalone(struct lt_service_process *process, struct lt_err *err)
{
	process->standalone =
			lt_standalone_create(&(struct lt_standalone_env){ .loop = process->env.loop,
					.log = process->log,
					.router = process->router,
					.uuid = process->uuid,
					.port = process->env.conf->standalone_port });
	if (!lt_standalone_start(process->standalone, err)) {
		return false;
	}
	/* The very line of the original, which scripts look for. */
	fprintf(stderr, "Standalone server for uuid:%s listening on port:%u\n", process->uuid,
			lt_standalone_port(process->standalone));
	forward_port(process);
	return true;
}

static bool start_network(struct lt_service_process *process, struct lt_err *err)
{
	const struct lt_daemon_conf *conf = process->env.conf;

	if (is_supervised(process)) {
		lt_timer_every(&process->report_timer, process->env.loop, REPORT_MS, report,
				process);
		report(process);
		return true; /* the daemon says where */
	}
	if (process->args.standalone || conf->router == NULL) {
		return start_standalone(process, err);
	}
	struct lt_uplink_env place = { .url = conf->router,
		.authid = conf->auth_id,
		.secret = lt_str_from(conf->shared_secret) };

	return join_router(process, &place, err) || lt_err_prefix(err, "LIVETIMING_ROUTER");
}

static bool make_dirs(const struct lt_service_process *process, struct lt_err *err)
{
	const struct lt_daemon_conf *conf = process->env.conf;

	return process->args.no_write_state ||
			(lt_dir_make(conf->state_dir, err) && lt_dir_make(conf->log_dir, err) &&
					lt_dir_make(conf->analysis_dir, err));
}

/* Said when the service began, unless it reads its state first. */
static void keep_manifest(struct lt_service_process *process)
{
	LT_AUTO(cJSON_Delete)
	cJSON *shown = lt_services_show(process->services, lt_str_from(process->uuid), NULL);
	const cJSON *status = lt_json_get(shown, "status");
	cJSON *manifest = lt_json_get(shown, "manifest");

	if (cJSON_IsString(status) && strcmp(status->valuestring, "running") == 0 &&
			cJSON_IsObject(manifest)) {
		process->manifest = cJSON_DetachItemViaPointer(shown, manifest);
	}
}

bool lt_service_process_start(struct lt_service_process *process, struct lt_err *err)
{
	if (is_supervised(process) &&
			!lt_watch_start(&process->watch, process->env.loop, process->env.channel,
					LT_READABLE, on_channel, process, err)) {
		return false;
	}
	if (!make_dirs(process, err) || !lt_analyses_start(process->analyses, err) ||
			!lt_services_start(process->services, err) ||
			!start_service(process, err)) {
		if (is_supervised(process)) {
			cJSON *json = cJSON_CreateObject();

			lt_json_add_c(json, "failed", err->msg);
			say_take(process, json);
		}
		return false;
	}
	open_file_log(process);
	keep_manifest(process);
	return start_network(process, err);
}

/* --- stop --- */

static void on_router_stopped(void *arg)
{
	struct lt_service_process *process = arg;

	if (is_supervised(process) && process->failure != NULL) {
		cJSON *json = cJSON_CreateObject();

		lt_json_add_c(json, "failed", process->failure);
		say_take(process, json);
	}
	lt_loop_stop(process->env.loop);
}

static void stop_router(void *arg)
{
	struct lt_service_process *process = arg;

	lt_router_stop(process->router, ROUTER_MS, on_router_stopped, process);
}

static void stop_portmap(void *arg)
{
	struct lt_service_process *process = arg;

	if (process->portmap != NULL) {
		lt_portmap_stop(process->portmap, stop_router, process);
	} else {
		stop_router(process);
	}
}

static void stop_network(void *arg)
{
	struct lt_service_process *process = arg;

	if (process->is_network_stopping) {
		return;
	}
	process->is_network_stopping = true;
	lt_timer_cancel(&process->stop_timer);
	if (process->uplink != NULL) {
		lt_uplink_stop(process->uplink, stop_portmap, process);
	} else {
		stop_portmap(process);
	}
}

static void stop_recordings(void *arg)
{
	struct lt_service_process *process = arg;

	lt_local_recordings_stop(process->recordings, stop_network, process);
}

static void stop_analyses(void *arg)
{
	struct lt_service_process *process = arg;

	lt_analyses_stop(process->analyses, stop_recordings, process);
}

static void on_late(void *arg)
{
	struct lt_service_process *process = arg;

	lt_log(&process->log, LT_WARN, "files take too long to be written; the last may be lost",
			NULL);
	stop_network(process);
}

void lt_service_process_stop(struct lt_service_process *process)
{
	if (process->is_stopping) {
		return;
	}
	process->is_stopping = true;
	lt_timer_cancel(&process->report_timer);
	lt_timer_once(&process->stop_timer, process->env.loop, STOP_MS, on_late, process);
	lt_services_stop(process->services, stop_analyses, process);
}

void lt_service_process_reopen_logs(struct lt_service_process *process)
{
	struct lt_err err;

	lt_services_reopen_logs(process->services);
	if (process->file_sink != NULL && !lt_log_sink_reopen(process->file_sink, &err)) {
		lt_log(&process->log, LT_ERROR, "the log stays as it is", "reason=\"%s\"", err.msg);
	}
}

const char *lt_service_process_failure(const struct lt_service_process *process)
{
	return process->failure;
}
