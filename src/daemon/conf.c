#include "daemon/conf.h"

#include <unistd.h>

#include "base/alloc.h"
#include "base/ctl_proto.h"
#include "base/fsutil.h"
#include "calendar/zone.h"
#include "daemon/conf_priv.h"

#define FILE_MAX_BYTES (4u * 1024 * 1024)

/* --- lists --- */

static void list_add(struct lt_text_list *list, struct lt_str text)
{
	list->at = lt_reallocarray(list->at, list->n + 1, sizeof(*list->at));
	list->at[list->n++] = lt_str_dup(text);
}

static void list_finish(struct lt_text_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		lt_free(list->at[i]);
	}
	lt_free(list->at);
	*list = (struct lt_text_list){ 0 };
}

/* --- places --- */

/* Folder of the running program, owned. */
static char *program_dir(void)
{
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char *slash;

	if (n <= 0) {
		return lt_strdup(".");
	}
	path[n] = '\0';
	slash = strrchr(path, '/');
	return lt_str_dup((struct lt_str){ path, (size_t)(slash - path) });
}

/*
 * A folder that comes with the program: beside it in a build tree, else under
 * the prefix: the folder above bin/, so that an installed tree may be moved.
 */
static char *bundled_dir(const char *beside, const char *installed)
{
	LT_AUTO(lt_free) char *dir = program_dir();
	char *path = lt_path_join(dir, beside);
	struct lt_str prefix = lt_str_from(dir);
	LT_AUTO(lt_free) char *root = NULL;

	if (access(path, F_OK) == 0) {
		return path;
	}
	lt_free(path);
	if (lt_str_ends(prefix, LT_STR("/bin"))) {
		prefix.n -= strlen("/bin");
	} else {
		prefix = lt_str_from(LT_PREFIX);
	}
	root = lt_str_dup(prefix);
	return lt_path_join(root, installed);
}

/* --- reading --- */

/* Settings that name a size or count, and where it goes. */
static const struct limit {
	const char *name;
	size_t offset;
	bool is_size; /* size_t, else uint32_t */
} limits[] = {
	{ "LIVETIMING_LIMIT_MESSAGE_BYTES", offsetof(struct lt_limits, message_bytes), true },
	{ "LIVETIMING_LIMIT_QUEUE_BYTES", offsetof(struct lt_limits, queue_bytes), true },
	{ "LIVETIMING_LIMIT_QUEUE_SOFT_BYTES", offsetof(struct lt_limits, queue_soft_bytes), true },
	{ "LIVETIMING_LIMIT_RETAINED_BYTES", offsetof(struct lt_limits, retained_bytes), true },
	{ "LIVETIMING_LIMIT_RETAINED_TOPICS", offsetof(struct lt_limits, retained_topics), false },
	{ "LIVETIMING_LIMIT_SUBSCRIPTIONS", offsetof(struct lt_limits, subscriptions), false },
	{ "LIVETIMING_LIMIT_REGISTRATIONS", offsetof(struct lt_limits, registrations), false },
	{ "LIVETIMING_LIMIT_CALLS", offsetof(struct lt_limits, calls), false },
	{ "LIVETIMING_LIMIT_TESTAMENTS", offsetof(struct lt_limits, testaments), false },
	{ "LIVETIMING_LIMIT_MESSAGES_PER_S", offsetof(struct lt_limits, messages_per_s), false },
	{ "LIVETIMING_LIMIT_MESSAGES_PER_S_ANONYMOUS",
			offsetof(struct lt_limits, messages_per_s_anonymous), false },
	{ "LIVETIMING_LIMIT_MESSAGE_BURST", offsetof(struct lt_limits, message_burst), false },
	{ "LIVETIMING_LIMIT_URI_BYTES", offsetof(struct lt_limits, uri_bytes), false },
	{ "LIVETIMING_LIMIT_NESTING", offsetof(struct lt_limits, nesting), false },
	{ "LIVETIMING_LIMIT_CONNECTIONS", offsetof(struct lt_limits, connections), false },
	{ "LIVETIMING_LIMIT_CONNECTIONS_PER_ADDRESS",
			offsetof(struct lt_limits, connections_per_address), false },
	{ "LIVETIMING_LIMIT_HELLO_TIMEOUT_MS", offsetof(struct lt_limits, hello_timeout_ms),
			false },
	{ "LIVETIMING_LIMIT_PING_INTERVAL_MS", offsetof(struct lt_limits, ping_interval_ms),
			false },
};

/* The values were checked before. */
static void read_limits(const struct lt_conf *conf, struct lt_limits *ret)
{
	for (size_t i = 0; i < LT_ARRAY_LEN(limits); i++) {
		const char *text = lt_conf_get(conf, limits[i].name);
		void *at = (char *)ret + limits[i].offset;
		uint64_t value;

		if (!text || !lt_parse_u64(lt_str_from(text), UINT64_MAX, &value, NULL)) {
			continue;
		}
		if (limits[i].is_size) {
			*(size_t *)at = (size_t)value;
		} else {
			*(uint32_t *)at = (uint32_t)value;
		}
	}
}

/* "methods", where it is there: a list of those that principals can use. */
static bool check_methods(const cJSON *entry, struct lt_err *err)
{
	const cJSON *methods = lt_json_get(entry, "methods"), *method;

	if (methods && !cJSON_IsArray(methods)) {
		return lt_err_set(err, LT_E_INVALID, "methods must be a list");
	}
	cJSON_ArrayForEach(method, methods) {
		if (!cJSON_IsString(method) ||
				(strcmp(method->valuestring, "wampcra") != 0 &&
						strcmp(method->valuestring, "ticket") != 0)) {
			return lt_err_set(err, LT_E_INVALID,
					"methods: expected \"wampcra\" or \"ticket\"");
		}
	}
	return !methods || methods->child ||
			lt_err_set(err, LT_E_INVALID, "methods must not be empty");
}

/* The principals' file: every entry has texts "secret" and "role". */
static bool check_principals(const cJSON *principals, struct lt_err *err)
{
	const cJSON *entry;

	if (!cJSON_IsObject(principals)) {
		return lt_err_set(err, LT_E_FORMAT, "not an object");
	}
	cJSON_ArrayForEach(entry, principals) {
		char quoted[LT_QUOTE_MAX];
		struct lt_str text;
		int64_t number;

		if (!lt_json_get_str(entry, "secret", &text, err) ||
				!lt_json_get_str(entry, "role", &text, err) ||
				!lt_json_opt_str(entry, "salt", &text, err) ||
				!lt_json_opt_int(entry, "iterations", 1, 10000000, &number, err) ||
				!lt_json_opt_int(entry, "keylen", 1, 64, &number, err) ||
				!lt_json_opt_str(entry, "ticket", &text, err) ||
				!check_methods(entry, err)) {
			return lt_err_prefix(err, "%s",
					lt_str_quote(lt_str_from(entry->string), quoted));
		}
	}
	return true;
}

static bool read_principals(
		const struct lt_conf *conf, struct lt_daemon_conf *ret, struct lt_err *err)
{
	const char *origin = lt_conf_origin(conf, "LIVETIMING_AUTH_FILE");

	ret->auth_file = lt_conf_get(conf, "LIVETIMING_AUTH_FILE");
	if (strcmp(origin, "default") == 0 && access(ret->auth_file, F_OK) != 0) {
		return true; /* nobody asked for one */
	}
	ret->principals = lt_json_parse_file(ret->auth_file, FILE_MAX_BYTES, err);
	if (!ret->principals) {
		return lt_err_prefix(err, "%s: LIVETIMING_AUTH_FILE", origin);
	}
	return check_principals(ret->principals, err) ||
			lt_err_prefix(err, "%s: LIVETIMING_AUTH_FILE: %s", origin, ret->auth_file);
}

/* Principals may stand beside the roles; they join those of the other file. */
static bool add_principals(cJSON *permissions, struct lt_daemon_conf *ret, struct lt_err *err)
{
	cJSON *principals = lt_json_get(permissions, "principals");

	if (!principals) {
		return true;
	}
	if (!check_principals(principals, err)) {
		return lt_err_prefix(err, "principals");
	}
	if (!ret->principals) {
		ret->principals = cJSON_CreateObject();
	}
	while (principals->child) {
		cJSON *entry = cJSON_DetachItemViaPointer(principals, principals->child);

		if (lt_json_get(ret->principals, entry->string)) {
			lt_err_set(err, LT_E_EXISTS, "principals: %s stands in %s already",
					entry->string, ret->auth_file);
			cJSON_Delete(entry);
			return false;
		}
		cJSON_AddItemToObject(ret->principals, entry->string, entry);
	}
	return true;
}

static bool load_permissions(struct lt_daemon_conf *ret, struct lt_err *err)
{
	LT_AUTO(cJSON_Delete) cJSON *permissions = NULL;

	if (!lt_file_read(ret->permissions_file, FILE_MAX_BYTES, &ret->permissions, err)) {
		return false;
	}
	permissions = lt_json_parse(lt_buf_str(&ret->permissions), err);
	return (permissions && add_principals(permissions, ret, err)) ||
			lt_err_prefix(err, "%s", ret->permissions_file);
}

static bool read_permissions(
		const struct lt_conf *conf, struct lt_daemon_conf *ret, struct lt_err *err)
{
	ret->permissions_file = lt_conf_get(conf, "LIVETIMING_PERMISSIONS");
	return !ret->permissions_file || load_permissions(ret, err) ||
			lt_err_prefix(err, "%s: LIVETIMING_PERMISSIONS",
					lt_conf_origin(conf, "LIVETIMING_PERMISSIONS"));
}

static bool is_on(const struct lt_conf *conf, const char *name)
{
	bool on = false;

	lt_parse_bool(lt_str_from(lt_conf_get(conf, name)), &on, NULL);
	return on;
}

static void read_switches(const struct lt_conf *conf, struct lt_daemon_conf *ret)
{
	ret->switches = (struct lt_switches){
		.no_ticket = !is_on(conf, "LIVETIMING_AUTH_TICKET"),
		.strict_uris = is_on(conf, "LIVETIMING_STRICT_URIS"),
		.anonymous_count = is_on(conf, "LIVETIMING_ANONYMOUS_COUNT"),
	};
	lt_daemon_conf_parse_metrics(lt_str_from(lt_conf_get(conf, "LIVETIMING_METRICS")),
			&ret->metrics_for, NULL);
}

static int64_t seconds_of(const struct lt_conf *conf, const char *name)
{
	int64_t value = 0;

	lt_parse_i64(lt_str_from(lt_conf_get(conf, name)), 0, INT64_MAX, &value, NULL);
	return value;
}

static void read_recording(const struct lt_conf *conf, struct lt_daemon_conf *ret)
{
	ret->recordings_dir = lt_conf_get(conf, "LIVETIMING_RECORDINGS_DIR");
	ret->recordings_temp_dir = lt_conf_get(conf, "LIVETIMING_RECORDINGS_TEMP_DIR");
	lt_parse_bool(lt_str_from(lt_conf_get(conf, "LIVETIMING_DVR")), &ret->dvr, NULL);
	ret->dvr_min_duration_s = seconds_of(conf, "LIVETIMING_DVR_MIN_DURATION_S");
	ret->dvr_idle_s = seconds_of(conf, "LIVETIMING_DVR_IDLE_S");
	ret->dvr_scan_s = seconds_of(conf, "LIVETIMING_DVR_SCAN_S");
	ret->dvr_resume_s = seconds_of(conf, "LIVETIMING_DVR_RESUME_S");
	ret->dvr_sync_s = seconds_of(conf, "LIVETIMING_DVR_SYNC_S");
	ret->admin_authcode = lt_conf_get(conf, "LIVETIMING_ADMIN_AUTHCODE");
	ret->push_token = lt_conf_get(conf, "LIVETIMING_PUSH_TOKEN");
	ret->reindex = lt_conf_get(conf, "REINDEX") != NULL;
	ret->generate_analysis = lt_conf_get(conf, "GENERATE_ANALYSIS") != NULL;
}

/* $WATCHDOG_PID names the process that is meant: a child of that one inherits the variables. */
static int64_t watchdog_us(const struct lt_conf *conf)
{
	uint64_t us = 0, pid = (uint64_t)getpid();

	lt_parse_u64(lt_str_from(lt_conf_get(conf, "WATCHDOG_PID")), UINT32_MAX, &pid, NULL);
	lt_parse_u64(lt_str_from(lt_conf_get(conf, "WATCHDOG_USEC")), INT64_MAX, &us, NULL);
	return pid == (uint64_t)getpid() ? (int64_t)us : 0;
}

static void read_schedule(const struct lt_conf *conf, struct lt_daemon_conf *ret)
{
	ret->calendar_urls = lt_conf_get(conf, "LIVETIMING_CALENDAR_URL");
	ret->local_zone = lt_conf_get(conf, "TZ");
	ret->schedule = (struct lt_scheduler_times){
		.fetch_s = seconds_of(conf, "LIVETIMING_SCHEDULE_FETCH_S"),
		.loop_s = seconds_of(conf, "LIVETIMING_SCHEDULE_LOOP_S"),
		.lead_s = seconds_of(conf, "LIVETIMING_SCHEDULE_LEAD_S"),
		.trail_s = seconds_of(conf, "LIVETIMING_SCHEDULE_TRAIL_S"),
		.timeout_s = seconds_of(conf, "LIVETIMING_SCHEDULE_TIMEOUT_S"),
	};
}

static void read_values(const struct lt_conf *conf, struct lt_daemon_conf *ret)
{
	const char *plugin_path = lt_conf_get(conf, "LIVETIMING_PLUGIN_PATH");
	const char *web_dir = lt_conf_get(conf, "LIVETIMING_WEB_DIR");
	struct lt_str rest = lt_str_from(lt_conf_get(conf, "LIVETIMING_LISTEN"));
	LT_AUTO(lt_free) char *bundled = bundled_dir("plugins", "lib/livetiming/plugins");
	struct lt_buf path = { 0 };
	struct lt_str word;

	while (lt_daemon_conf_next_word(&rest, &word)) {
		list_add(&ret->listen, word);
	}
	lt_buf_printf(&path, "%s%s%s", plugin_path ? plugin_path : "", plugin_path ? ":" : "",
			bundled);
	ret->plugin_path = lt_buf_steal(&path);
	ret->services = lt_conf_get(conf, "LIVETIMING_SERVICES");
	ret->frame_ancestors = lt_conf_get(conf, "LIVETIMING_EMBED");
	if (strcmp(ret->frame_ancestors, "no") == 0) {
		ret->frame_ancestors = "'none'";
	}
	ret->web_dir = web_dir ? lt_strdup(web_dir) : bundled_dir("www", "share/livetiming/www");
	ret->control_socket =
			lt_ctl_socket_path(NULL, lt_conf_get(conf, "LIVETIMING_CONTROL_SOCKET"),
					lt_conf_get(conf, "XDG_RUNTIME_DIR"));
	ret->state_dir = lt_conf_get(conf, "LIVETIMING_STATE_DIR");
	ret->log_dir = lt_conf_get(conf, "LIVETIMING_LOG_DIR");
	ret->analysis_dir = lt_conf_get(conf, "LIVETIMING_ANALYSIS_DIR");
	read_recording(conf, ret);
	read_schedule(conf, ret);
	ret->auth_id = lt_conf_get(conf, "LIVETIMING_AUTH_ID");
	ret->shared_secret = lt_conf_get(conf, "LIVETIMING_SHARED_SECRET");
	ret->private_codes = lt_conf_get(conf, "LIVETIMING_PRIVATE_CODES");
	ret->router = lt_conf_get(conf, "LIVETIMING_ROUTER");
	ret->standalone_port = (uint16_t)seconds_of(conf, "LIVETIMING_STANDALONE_PORT");
	ret->use_upnp = lt_conf_get(conf, "LIVETIMING_USE_UPNP");
	ret->crash_limit = (unsigned)seconds_of(conf, "LIVETIMING_CRASH_LIMIT");
	ret->hang_s = seconds_of(conf, "LIVETIMING_HANG_S");
	ret->settle_s = seconds_of(conf, "LIVETIMING_SETTLE_S");
	ret->notify_socket = lt_conf_get(conf, "NOTIFY_SOCKET");
	ret->watchdog_us = watchdog_us(conf);
	ret->log_file = lt_conf_get(conf, "LIVETIMING_LOG_FILE");
	lt_level_parse(lt_str_from(lt_conf_get(conf, "LIVETIMING_LOG_LEVEL")), &ret->log_level,
			NULL);
	lt_daemon_conf_parse_format(lt_str_from(lt_conf_get(conf, "LIVETIMING_LOG_FORMAT")),
			&ret->log_format, NULL);
	lt_parse_bool(lt_str_from(lt_conf_get(conf, "LIVETIMING_TRUST_PROXY")), &ret->trust_proxy,
			NULL);
	lt_parse_bool(lt_str_from(lt_conf_get(conf, "LIVETIMING_HTTP_CALL")), &ret->http_call,
			NULL);
	ret->tls_cert = lt_conf_get(conf, "LIVETIMING_TLS_CERT");
	ret->tls_key = lt_conf_get(conf, "LIVETIMING_TLS_KEY");
	read_limits(conf, &ret->limits);
	read_switches(conf, ret);
}

/* A tls listener needs both files; that they can be used is found when it opens. */
static bool check_tls(const struct lt_daemon_conf *conf, const char *origin, struct lt_err *err)
{
	for (size_t i = 0; i < conf->listen.n; i++) {
		struct lt_str address = lt_str_from(conf->listen.at[i]);

		if (lt_str_ends(address, LT_STR(LT_LISTEN_TLS)) &&
				!lt_str_starts(address, LT_STR("unix:")) &&
				(!conf->tls_cert || !conf->tls_key)) {
			return lt_err_set(err, LT_E_INVALID,
					"%s: LIVETIMING_LISTEN: %s: set LIVETIMING_TLS_CERT and LIVETIMING_TLS_KEY",
					origin, conf->listen.at[i]);
		}
	}
	return true;
}

/* Known, so that the original's settings file can be used as it is, but without effect here. */
static const char *const inert_names[] = {
	"LIVETIMING_PID_DIR",
};

static void report_inert(const struct lt_conf *conf, lt_conf_report_fn report, void *arg)
{
	LT_AUTO(lt_buf_finish) struct lt_buf sentence = { 0 };

	for (size_t i = 0; i < LT_ARRAY_LEN(inert_names); i++) {
		const char *origin = lt_conf_origin(conf, inert_names[i]);

		/* what the whole machine's environment holds is not meant for us alone */
		if (strcmp(origin, "default") != 0 && strcmp(origin, "environment") != 0) {
			lt_buf_clear(&sentence);
			lt_buf_printf(&sentence, "%s: %s: has no effect in this version", origin,
					inert_names[i]);
			report(arg, false, sentence.p);
		}
	}
}

/* The zone of floating times. A wrong one must not pass for UTC without a word. */
static void check_zone(const char *name, lt_conf_report_fn report, void *arg)
{
	LT_AUTO(lt_buf_finish) struct lt_buf sentence = { 0 };
	struct lt_zone zone = { 0 };
	char quoted[LT_QUOTE_MAX];
	struct lt_err err;

	if (name && name[0] && !lt_zone_load(NULL, lt_str_from(name), &zone, &err)) {
		lt_buf_printf(&sentence,
				"TZ: %s is no time zone; times without one in calendars count as "
				"UTC",
				lt_str_quote(lt_str_from(name), quoted));
		report(arg, false, sentence.p);
	}
	lt_zone_finish(&zone);
}

bool lt_daemon_conf_read(const struct lt_conf *conf, struct lt_daemon_conf *ret,
		lt_conf_report_fn report, void *arg)
{
	struct lt_err err = { 0 };
	int errors = lt_conf_check(conf, report, arg);

	*ret = (struct lt_daemon_conf){ 0 };
	report_inert(conf, report, arg);
	if (errors == 0) {
		read_values(conf, ret);
		check_zone(ret->local_zone, report, arg);
		if (!check_tls(ret, lt_conf_origin(conf, "LIVETIMING_LISTEN"), &err)) {
			report(arg, true, err.msg);
			errors++;
		}
		if (!read_principals(conf, ret, &err)) {
			report(arg, true, err.msg);
			errors++;
		}
		if (!read_permissions(conf, ret, &err)) {
			report(arg, true, err.msg);
			errors++;
		}
		errors += !lt_daemon_conf_read_reports(conf, ret, report, arg);
		errors += !lt_daemon_conf_read_mesh(conf, ret, report, arg);
		errors += !lt_daemon_conf_read_s3(conf, ret, report, arg);
	}
	if (errors) {
		lt_daemon_conf_finish(ret);
	}
	return errors == 0;
}

void lt_daemon_conf_finish(struct lt_daemon_conf *conf)
{
	list_finish(&conf->listen);
	lt_free(conf->plugin_path);
	lt_free(conf->control_socket);
	lt_free(conf->web_dir);
	lt_free(conf->mesh.node);
	cJSON_Delete(conf->principals);
	lt_buf_finish(&conf->permissions);
	lt_free(conf->secrets);
	*conf = (struct lt_daemon_conf){ 0 };
}

/* Limits that nobody has set: what the router takes for them. */
static void describe_limits(const struct lt_conf *conf, struct lt_buf *buf)
{
	struct lt_limits values = { 0 };

	lt_limits_fill(&values);
	for (size_t i = 0; i < LT_ARRAY_LEN(limits); i++) {
		const void *at = (const char *)&values + limits[i].offset;
		uint64_t value = limits[i].is_size ? *(const size_t *)at : *(const uint32_t *)at;

		if (!lt_conf_get(conf, limits[i].name)) {
			lt_buf_printf(buf, "%s=%llu (default)\n", limits[i].name,
					(unsigned long long)value);
		}
	}
}

void lt_daemon_conf_describe(const struct lt_conf *conf, struct lt_buf *buf)
{
	for (const struct lt_conf_key *key = lt_daemon_conf_keys; key->name; key++) {
		const char *value = lt_conf_get(conf, key->name);

		if (value) {
			lt_buf_printf(buf, "%s=%s (%s)\n", key->name, key->secret ? "***" : value,
					lt_conf_origin(conf, key->name));
		}
	}
	describe_limits(conf, buf);
}
