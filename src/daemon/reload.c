/* Settings read again while the daemon runs (SIGHUP, livetimingctl reload). */
#include "base/alloc.h"
#include "base/notify.h"
#include "daemon/priv.h"
#include "daemon/reports.h"
#include "daemon/settings.h"
#include "net/fetch.h"
#include "router/router.h"
#include "services/directory/directory.h"
#include "services/manager/services.h"
#include "services/schedule/scheduler.h"

/* What takes effect at once; a '*' at the end stands for anything. What is in none of
 * these lists needs a restart. */
static const char *const live_names[] = { "LIVETIMING_LOG_LEVEL", "LIVETIMING_PERMISSIONS",
	"LIVETIMING_AUTH_FILE", "LIVETIMING_SHARED_SECRET", "LIVETIMING_AUTH_ID",
	"LIVETIMING_AUTH_TICKET", "LIVETIMING_STRICT_URIS", "LIVETIMING_ANONYMOUS_COUNT",
	"LIVETIMING_TLS_CERT", "LIVETIMING_TLS_KEY", "LIVETIMING_PLUGIN_PATH",
	"LIVETIMING_SERVICES", "LIVETIMING_CALENDAR_URL", "LIVETIMING_SCHEDULE_*",
	"LIVETIMING_LIMIT_*" };

/* So do these, for whoever announces, and whoever reports errors. */
static const char *const announce_names[] = { "LIVETIMING_ANNOUNCE_*", "LIVETIMING_SITE_URL",
	"TWITTER_*" };
static const char *const sentry_names[] = { "SENTRY_DSN", "LIVETIMING_ENVIRONMENT" };

/* Memory is set aside for these at the start. */
static const char *const fixed_names[] = { "LIVETIMING_LIMIT_CONNECTIONS",
	"LIVETIMING_LIMIT_MESSAGE_BYTES", "LIVETIMING_LIMIT_RETAINED_BYTES",
	"LIVETIMING_LIMIT_RETAINED_TOPICS" };

static bool is_in(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		struct lt_str pattern = lt_str_from(names[i]);

		if (lt_str_ends(pattern, LT_STR("*"))) {
			pattern.n--;
			if (lt_str_starts(lt_str_from(name), pattern)) {
				return true;
			}
		} else if (lt_str_eq_c(pattern, name)) {
			return true;
		}
	}
	return false;
}

static bool is_live(const struct lt_daemon *daemon, const char *name)
{
	if (strncmp(name, "LIVETIMING_TLS_", strlen("LIVETIMING_TLS_")) == 0 &&
			daemon->env.conf->tls_cert == NULL) {
		return false; /* there are no listeners for it */
	}
	return (is_in(live_names, LT_ARRAY_LEN(live_names), name) ||
			       is_in(announce_names, LT_ARRAY_LEN(announce_names), name) ||
			       is_in(sentry_names, LT_ARRAY_LEN(sentry_names), name)) &&
			!is_in(fixed_names, LT_ARRAY_LEN(fixed_names), name);
}

static bool is_same(const struct lt_settings *a, const struct lt_settings *b, const char *name)
{
	const char *x = lt_conf_get(a->conf, name), *y = lt_conf_get(b->conf, name);

	return x == y || (x != NULL && y != NULL && strcmp(x, y) == 0);
}

/* What is new is held against what is in force: of fixed settings that is the start's. */
static void compare(const struct lt_daemon *daemon, const struct lt_settings *now,
		const struct lt_settings *fresh, cJSON *result)
{
	cJSON *applied = cJSON_AddArrayToObject(result, "applied");
	cJSON *restart = cJSON_AddArrayToObject(result, "restart");

	for (const struct lt_conf_key *key = lt_daemon_conf_keys; key->name; key++) {
		bool live = is_live(daemon, key->name);

		if (!is_same(live ? now : daemon->env.settings, fresh, key->name)) {
			cJSON_AddItemToArray(
					live ? applied : restart, cJSON_CreateString(key->name));
		}
	}
}

/* Whoever reports errors knows all secrets, so as not to tell them. */
static unsigned changed_reports(const struct lt_settings *now, const struct lt_settings *fresh)
{
	unsigned changed = 0;

	for (const struct lt_conf_key *key = lt_daemon_conf_keys; key->name; key++) {
		if (is_same(now, fresh, key->name)) {
			continue;
		}
		if (is_in(announce_names, LT_ARRAY_LEN(announce_names), key->name)) {
			changed |= LT_REPORTS_ANNOUNCE;
		}
		if (key->secret || is_in(sentry_names, LT_ARRAY_LEN(sentry_names), key->name)) {
			changed |= LT_REPORTS_SENTRY;
		}
	}
	return changed;
}

static void keep_first_error(void *arg, bool is_error, const char *sentence)
{
	struct lt_err *err = arg;

	if (is_error && err->code == LT_E_NONE) {
		lt_err_set(err, LT_E_INVALID, "%s", sentence);
	}
}

/* All that can still fail; afterwards everything of it is in force, or nothing. */
static bool apply_access(struct lt_daemon *daemon, const struct lt_daemon_conf *now,
		const struct lt_daemon_conf *fresh, struct lt_err *err)
{
	struct lt_err ignored;

	if (!lt_daemon_set_access(daemon, fresh, err)) {
		return false;
	}
	if (daemon->env.conf->tls_cert != NULL &&
			!lt_router_set_tls(daemon->router, fresh->tls_cert, fresh->tls_key, err)) {
		lt_daemon_set_access(daemon, now, &ignored);
		return lt_err_prefix(err, "LIVETIMING_TLS_CERT");
	}
	return true;
}

static void note(cJSON *result, const char *sentence)
{
	cJSON_AddItemToArray(lt_json_get(result, "notes"), cJSON_CreateString(sentence));
}

static void start_services(struct lt_daemon *daemon, const char *lines, cJSON *result)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	struct lt_err err;
	unsigned started = 0;

	if (!lt_services_set_autostart(daemon->services, lines, &started, &err)) {
		note(result, err.msg);
	} else if (started > 0) {
		lt_buf_printf(&text, "LIVETIMING_SERVICES: %u started", started);
		note(result, text.p);
	}
}

static void apply(struct lt_daemon *daemon, const struct lt_settings *fresh, cJSON *result)
{
	const struct lt_daemon_conf *conf = &fresh->daemon;

	cJSON_AddArrayToObject(result, "notes");
	lt_log_sink_set_level(daemon->env.log_sink, conf->log_level);
	lt_router_set_limits(daemon->router, &conf->limits, &conf->switches);
	lt_directory_set_principals(daemon->directory, conf->principals);
	lt_services_set_plugin_path(daemon->services, conf->plugin_path);
	lt_scheduler_reload(daemon->scheduler, conf->calendar_urls, &conf->schedule);
	start_services(daemon, conf->services, result);
	if (conf->permissions_file != NULL) {
		note(result, "permissions were read again");
	}
	if (conf->principals != NULL) {
		note(result, "principals were read again");
	}
	if (daemon->env.conf->tls_cert != NULL) {
		note(result, "the certificate was read again");
		lt_log(&daemon->log, LT_INFO, "certificate read again", "file=%s", conf->tls_cert);
	}
}

static void join(struct lt_buf *buf, const cJSON *list)
{
	const cJSON *text;

	cJSON_ArrayForEach(text, list) {
		lt_buf_printf(buf, "%s%s", buf->n > 0 ? " " : "", text->valuestring);
	}
	lt_buf_add_c(buf, buf->n > 0 ? "" : "-");
}

static cJSON *reload(struct lt_daemon *daemon, struct lt_err *err)
{
	const struct lt_settings *now = daemon->newer ? daemon->newer : daemon->env.settings;
	struct lt_err first = { 0 };
	struct lt_settings *fresh = lt_settings_load(daemon->env.source, keep_first_error, &first);
	cJSON *result;

	if (fresh == NULL) {
		*err = first;
		return NULL;
	}
	if (!apply_access(daemon, &now->daemon, &fresh->daemon, err)) {
		lt_settings_destroy(fresh);
		return NULL;
	}
	result = cJSON_CreateObject();
	compare(daemon, now, fresh, result);
	lt_reports_set_conf(daemon->reports, &fresh->daemon, changed_reports(now, fresh));
	apply(daemon, fresh, result);
	/* what was made at the start borrows from the start's; nothing from those between */
	lt_settings_destroy(daemon->newer);
	daemon->newer = fresh;
	return result;
}

cJSON *lt_daemon_reload(struct lt_daemon *daemon, struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf applied = { 0 }, restart = { 0 };
	cJSON *result;

	if (daemon->is_stopping) {
		lt_err_set(err, LT_E_UNAVAILABLE, "the daemon is stopping");
		return NULL;
	}
	lt_notify_reloading(daemon->notify);
	result = reload(daemon, err);
	if (result == NULL) {
		lt_err_prefix(err, "nothing changed");
		lt_log(&daemon->log, LT_ERROR, "settings not applied", "reason=\"%s\"", err->msg);
	} else {
		join(&applied, lt_json_get(result, "applied"));
		join(&restart, lt_json_get(result, "restart"));
		lt_log(&daemon->log, LT_INFO, "settings read again",
				"applied=\"%s\" need_restart=\"%s\"", applied.p, restart.p);
	}
	lt_notify_ready(daemon->notify);
	return result;
}
