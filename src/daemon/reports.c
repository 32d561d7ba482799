#include "daemon/reports.h"

#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/crash.h"
#include "net/fetch.h"
#include "services/announce/announce.h"
#include "services/manager/services.h"
#include "services/schedule/schedule_core.h"
#include "services/sentry/sentry.h"

#define PROGRAM "livetimingd " LT_VERSION

struct lt_reports {
	struct lt_reports_env env;
	struct lt_announce *announce;
	struct lt_sentry *sentry; /* NULL: off */
};

static void name_service(void *arg, struct lt_str uuid, struct lt_buf *ret_name)
{
	const struct lt_reports *reports = arg;
	struct lt_service_ref service;

	for (size_t i = 0; lt_services_at(reports->env.services, i, &service); i++) {
		if (lt_str_eq_c(uuid, service.uuid)) {
			lt_buf_add_c(ret_name, service.service_class);
			return;
		}
	}
}

static bool create_sentry(
		struct lt_reports *reports, const struct lt_daemon_conf *conf, struct lt_err *err)
{
	const struct lt_reports_env *env = &reports->env;
	char host[256] = "";

	if (!conf->sentry_dsn) {
		return true;
	}
	if (gethostname(host, sizeof(host) - 1) != 0) {
		snprintf(host, sizeof(host), "unknown");
	}
	reports->sentry = lt_sentry_create(
			&(struct lt_sentry_env){
					.loop = env->loop,
					.random = env->random,
					.log = { env->log_sink, "sentry" },
					.requests = lt_fetcher_requests(env->fetcher),
					.dsn = conf->sentry_dsn,
					.release = "livetimingd@" LT_VERSION,
					.environment = conf->environment,
					.server_name = host,
					.secrets = conf->secrets,
					.name_service = name_service,
					.arg = reports,
			},
			err);
	if (!reports->sentry) {
		return lt_err_prefix(err, "SENTRY_DSN");
	}
	lt_log_sink_tap(env->log_sink, lt_sentry_on_record, reports->sentry);
	return true;
}

static void destroy_sentry(struct lt_reports *reports)
{
	lt_log_sink_tap(reports->env.log_sink, NULL, NULL);
	lt_sentry_destroy(LT_STEAL(reports->sentry));
}

struct lt_reports *lt_reports_create(const struct lt_reports_env *env, struct lt_err *err)
{
	struct lt_reports *reports = lt_zalloc(sizeof(*reports));

	reports->env = *env;
	if (!create_sentry(reports, env->conf, err)) {
		lt_free(reports);
		return NULL;
	}
	reports->announce = lt_announce_create(&(struct lt_announce_env){
			.loop = env->loop,
			.random = env->random,
			.log = { env->log_sink, "announce" },
			.requests = lt_fetcher_requests(env->fetcher),
			.state_dir = env->conf->state_dir,
			.conf = &env->conf->announce,
	});
	return reports;
}

void lt_reports_destroy(struct lt_reports *reports)
{
	if (!reports) {
		return;
	}
	lt_announce_destroy(reports->announce);
	destroy_sentry(reports);
	lt_crash_uninstall();
	lt_free(reports);
}

/* The record of level error is not reported by itself: the whole file is. */
static void tell_of_crash(struct lt_reports *reports)
{
	struct lt_log log = { reports->env.log_sink, "crash" };
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	LT_AUTO(lt_free) char *path = NULL;
	char signal[LT_LOG_VALUE_MAX], file[LT_LOG_VALUE_MAX];
	struct lt_err err = { 0 };

	if (lt_crash_collect(reports->env.conf->state_dir, lt_loop_wall(reports->env.loop), &text,
			    &path, &err)) {
		lt_log(&log, LT_ERROR, "the last run ended by a fatal signal", "signal=%s file=%s",
				lt_log_value(lt_crash_field(lt_buf_str(&text), "signal"), signal),
				lt_log_value(lt_str_from(path), file));
		if (reports->sentry) {
			lt_sentry_crash(reports->sentry, lt_buf_str(&text));
		}
	} else if (err.code != LT_E_NONE) {
		lt_log(&log, LT_WARN, "what a crash left cannot be read, left where it is",
				"reason=\"%s\"", err.msg);
	}
}

void lt_reports_start(struct lt_reports *reports)
{
	struct lt_log log = { reports->env.log_sink, "crash" };
	struct lt_err err = { 0 };

	tell_of_crash(reports);
	if (!lt_crash_install(reports->env.conf->state_dir, PROGRAM, &err)) {
		lt_log(&log, LT_WARN, "a crash will leave no file", "reason=\"%s\"", err.msg);
	}
	lt_announce_start(reports->announce);
}

void lt_reports_on_event(void *arg, const struct lt_schedule_event *event)
{
	const struct lt_reports *reports = arg;

	lt_announce_event(reports->announce,
			&(struct lt_announcement){
					.uid = lt_str_from(event->uid),
					.start = { event->start_s * LT_US_PER_S },
					.name = lt_str_from(event->name),
					.service = lt_str_from(event->link),
					.hidden = event->is_hidden,
			});
}

void lt_reports_set_conf(
		struct lt_reports *reports, const struct lt_daemon_conf *conf, unsigned changed)
{
	struct lt_log log = { reports->env.log_sink, "sentry" };
	struct lt_err err = { 0 };

	if (changed & LT_REPORTS_ANNOUNCE) {
		lt_announce_set_conf(reports->announce, &conf->announce);
	}
	if (changed & LT_REPORTS_SENTRY) {
		destroy_sentry(reports);
		if (!create_sentry(reports, conf, &err)) {
			lt_log(&log, LT_ERROR, "errors are not reported", "reason=\"%s\"", err.msg);
		}
	}
}

struct lt_announce *lt_reports_announce(const struct lt_reports *reports)
{
	return reports->announce;
}

void lt_reports_write_metrics(const struct lt_reports *reports, struct lt_buf *buf)
{
	lt_announce_write_metrics(reports->announce, buf);
	if (reports->sentry) {
		lt_sentry_write_metrics(reports->sentry, buf);
	}
}
