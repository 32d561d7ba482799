#include "daemon_conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/ctl_proto.h"
#include "base/fsutil.h"
#include "base/service_args.h"

#define FILE_MAX_BYTES (4u * 1024 * 1024)
#define TLS_SUFFIX     ",tls"

/* --- checks of single values --- */

/* ADDRESS:PORT[,tls], unix:PATH, and both without TLS as rs:... for RawSocket. */
static bool check_address(struct lt_str word, struct lt_err *err)
{
	char quoted[LT_QUOTE_MAX];
	struct lt_str port = { 0 }, rest = word;
	uint64_t number;
	bool is_raw = lt_str_starts(word, LT_STR("rs:"));

	lt_str_quote(word, quoted);
	if (is_raw) {
		rest = lt_str_skip(rest, strlen("rs:"));
	}
	if (lt_str_starts(rest, LT_STR("unix:"))) {
		return rest.n > strlen("unix:") ||
				lt_err_set(err, LT_E_INVALID, "%s: the path is missing", quoted);
	}
	if (lt_str_ends(rest, LT_STR(TLS_SUFFIX))) {
		if (is_raw) {
			return lt_err_set(err, LT_E_INVALID, "%s: RawSocket is served without TLS",
					quoted);
		}
		rest.n -= strlen(TLS_SUFFIX);
	}
	for (size_t i = rest.n; i > 0 && !port.p; i--) {
		if (rest.p[i - 1] == ':' && i > 1) {
			port = lt_str_skip(rest, i);
		}
	}
	if (!port.p) {
		return lt_err_set(err, LT_E_INVALID, "%s: expected ADDRESS:PORT or unix:PATH",
				quoted);
	}
	if (!lt_parse_u64(port, 65535, &number, err)) {
		return lt_err_prefix(err, "%s: port", quoted);
	}
	return true;
}

/* Words between blanks; false when there is none left. */
static bool next_word(struct lt_str *rest, struct lt_str *ret_word)
{
	struct lt_str s = lt_str_trim(*rest);
	size_t n = 0;

	while (n < s.n && s.p[n] != ' ' && s.p[n] != '\t' && s.p[n] != '\n') {
		n++;
	}
	*ret_word = (struct lt_str){ s.p, n };
	*rest = lt_str_skip(s, n);
	return n > 0;
}

static bool check_listen(struct lt_str value, struct lt_err *err)
{
	struct lt_str word;
	bool any = false;

	while (next_word(&value, &word)) {
		if (!check_address(word, err)) {
			return false;
		}
		any = true;
	}
	return any || lt_err_set(err, LT_E_INVALID, "no address");
}

static bool check_services(struct lt_str value, struct lt_err *err)
{
	struct lt_args args = { 0 };
	bool ok = lt_args_split(&args, value, err);

	lt_args_finish(&args);
	return ok;
}

static bool check_bool(struct lt_str value, struct lt_err *err)
{
	bool ignored;

	return lt_parse_bool(value, &ignored, err);
}

static bool check_level(struct lt_str value, struct lt_err *err)
{
	enum lt_level ignored;

	return lt_level_parse(value, &ignored, err);
}

static bool parse_format(struct lt_str value, enum lt_log_format *ret, struct lt_err *err)
{
	char quoted[LT_QUOTE_MAX];

	if (!lt_str_eq_c(value, "text") && !lt_str_eq_c(value, "json")) {
		return lt_err_set(err, LT_E_INVALID, "%s: expected text or json",
				lt_str_quote(value, quoted));
	}
	*ret = lt_str_eq_c(value, "json") ? LT_LOG_JSON : LT_LOG_TEXT;
	return true;
}

static bool check_format(struct lt_str value, struct lt_err *err)
{
	enum lt_log_format ignored;

	return parse_format(value, &ignored, err);
}

static bool parse_metrics(struct lt_str value, enum lt_metrics_for *ret, struct lt_err *err)
{
	char quoted[LT_QUOTE_MAX];
	bool some;

	if (lt_str_eq_c(value, "local")) {
		*ret = LT_METRICS_LOCAL;
	} else if (lt_str_eq_c(value, "all")) {
		*ret = LT_METRICS_ALL;
	} else if (lt_parse_bool(value, &some, NULL)) {
		*ret = some ? LT_METRICS_LOCAL : LT_METRICS_NOBODY;
	} else {
		return lt_err_set(err, LT_E_INVALID, "%s: expected local, all or no",
				lt_str_quote(value, quoted));
	}
	return true;
}

static bool check_metrics(struct lt_str value, struct lt_err *err)
{
	enum lt_metrics_for ignored;

	return parse_metrics(value, &ignored, err);
}

static bool check_bytes(struct lt_str value, struct lt_err *err)
{
	uint64_t ignored;

	return lt_parse_u64(value, UINT64_C(1) << 40, &ignored, err);
}

static bool check_count(struct lt_str value, struct lt_err *err)
{
	uint64_t ignored;

	return lt_parse_u64(value, 1000 * 1000 * 1000, &ignored, err);
}

/* The scanner's own bound on nesting is 1024. */
static bool check_nesting(struct lt_str value, struct lt_err *err)
{
	uint64_t ignored;

	return lt_parse_u64(value, 1024, &ignored, err);
}

/* A day, a month: whatever an operator means by it. */
static bool check_seconds(struct lt_str value, struct lt_err *err)
{
	uint64_t ignored;

	return lt_parse_u64(value, 10 * 365 * 86400, &ignored, err);
}

static bool check_period(struct lt_str value, struct lt_err *err)
{
	int64_t ignored;

	return lt_parse_i64(value, 1, 86400, &ignored, err);
}

/* --- the table --- */

#define SETTING(name, value, help)                                                                 \
	{                                                                                          \
		name, value, help, false, NULL                                                     \
	}
#define CHECKED(name, value, check, help)                                                          \
	{                                                                                          \
		name, value, help, false, check                                                    \
	}
#define SECRET(name, help)                                                                         \
	{                                                                                          \
		name, NULL, help, true, NULL                                                       \
	}

const struct lt_conf_key lt_daemon_conf_keys[] = {
	CHECKED("LIVETIMING_LISTEN", "127.0.0.1:8080", check_listen,
			"addresses to listen on, separated by spaces"),
	SETTING("LIVETIMING_TLS_CERT", NULL,
			"PEM file: certificate of the tls listeners, with its chain"),
	SETTING("LIVETIMING_TLS_KEY", NULL, "PEM file: its key"),
	CHECKED("LIVETIMING_HTTP_CALL", "yes", check_bool, "answer calls over HTTP at /call"),
	SETTING("LIVETIMING_CONTROL_SOCKET", NULL, "unix socket for livetimingctl"),
	SETTING("LIVETIMING_PLUGIN_PATH", NULL, "folders with plugins, separated by colons"),
	CHECKED("LIVETIMING_SERVICES", NULL, check_services,
			"services started with the daemon, separated by ;"),
	SETTING("LIVETIMING_WEB_DIR", NULL, "folder of the viewer page"),
	CHECKED("LIVETIMING_TRUST_PROXY", "no", check_bool,
			"believe X-Forwarded-Proto: a proxy in front sets it"),
	SECRET("LIVETIMING_SHARED_SECRET", "secret of remote services"),
	SETTING("LIVETIMING_AUTH_ID", "services", "authid that goes with the shared secret"),
	SETTING("LIVETIMING_AUTH_FILE", "external_auth.json", "JSON file of further principals"),
	SETTING("LIVETIMING_PERMISSIONS", NULL, "JSON file of roles and their permissions"),
	CHECKED("LIVETIMING_AUTH_TICKET", "yes", check_bool,
			"principals may send their secret as a ticket"),
	CHECKED("LIVETIMING_STRICT_URIS", "no", check_bool,
			"URIs of remote sessions: [0-9a-z_] alone"),
	CHECKED("LIVETIMING_ANONYMOUS_COUNT", "no", check_bool,
			"anonymous sessions may call wamp.session.count"),
	CHECKED("LIVETIMING_METRICS", "local", check_metrics,
			"who may read /metrics: local, all or no"),
	SETTING("LIVETIMING_STATE_DIR", ".", "saved states and the list of running services"),
	SETTING("LIVETIMING_LOG_DIR", ".", "one log file for each service"),
	SETTING("LIVETIMING_ANALYSIS_DIR", ".", "analysis data"),
	SETTING("LIVETIMING_RECORDINGS_DIR", "./recordings", "finished recordings"),
	SETTING("LIVETIMING_RECORDINGS_TEMP_DIR", "./recordings-temp", "recordings in progress"),
	CHECKED("LIVETIMING_DVR", "yes", check_bool, "record every service"),
	CHECKED("LIVETIMING_DVR_MIN_DURATION_S", "600", check_seconds,
			"shorter recordings are thrown away"),
	CHECKED("LIVETIMING_DVR_IDLE_S", "60", check_seconds,
			"silence after which a recording is finished"),
	CHECKED("LIVETIMING_DVR_SCAN_S", "60", check_period, "how often silence is looked for"),
	CHECKED("LIVETIMING_DVR_RESUME_S", "3600", check_seconds,
			"age up to which a restart goes on with a recording"),
	CHECKED("LIVETIMING_DVR_SYNC_S", "10", check_seconds, "what a power cut may cost"),
	SECRET("LIVETIMING_ADMIN_AUTHCODE", "code for changes to the recordings' manifests"),
	SETTING("REINDEX", NULL, "rebuild the index of recordings at the start"),
	SETTING("GENERATE_ANALYSIS", NULL, "make missing analysis files of recordings"),
	CHECKED("LIVETIMING_LOG_LEVEL", "info", check_level, "error, warn, info or debug"),
	CHECKED("LIVETIMING_LOG_FORMAT", "text", check_format, "text or json"),
	CHECKED("LIVETIMING_LIMIT_MESSAGE_BYTES", NULL, check_bytes, "one message"),
	CHECKED("LIVETIMING_LIMIT_QUEUE_BYTES", NULL, check_bytes, "queued for one connection"),
	CHECKED("LIVETIMING_LIMIT_QUEUE_SOFT_BYTES", NULL, check_bytes,
			"queued before old states are skipped"),
	CHECKED("LIVETIMING_LIMIT_RETAINED_BYTES", NULL, check_bytes, "all retained events"),
	CHECKED("LIVETIMING_LIMIT_RETAINED_TOPICS", NULL, check_count, "topics with one"),
	CHECKED("LIVETIMING_LIMIT_SUBSCRIPTIONS", NULL, check_count, "of one session"),
	CHECKED("LIVETIMING_LIMIT_REGISTRATIONS", NULL, check_count, "of one session"),
	CHECKED("LIVETIMING_LIMIT_CALLS", NULL, check_count, "outstanding in one session"),
	CHECKED("LIVETIMING_LIMIT_TESTAMENTS", NULL, check_count, "of one session"),
	CHECKED("LIVETIMING_LIMIT_MESSAGES_PER_S", NULL, check_count,
			"of one session; 0 is no bound"),
	CHECKED("LIVETIMING_LIMIT_MESSAGES_PER_S_ANONYMOUS", NULL, check_count,
			"of one anonymous session; 0 is as the others"),
	CHECKED("LIVETIMING_LIMIT_MESSAGE_BURST", NULL, check_count,
			"messages at once before the rate counts"),
	CHECKED("LIVETIMING_LIMIT_URI_BYTES", NULL, check_count, "a topic or procedure"),
	CHECKED("LIVETIMING_LIMIT_NESTING", NULL, check_nesting, "depth of JSON"),
	CHECKED("LIVETIMING_LIMIT_CONNECTIONS", NULL, check_count, "of all listeners"),
	CHECKED("LIVETIMING_LIMIT_CONNECTIONS_PER_ADDRESS", NULL, check_count,
			"from one address; 0 is no bound"),
	CHECKED("LIVETIMING_LIMIT_HELLO_TIMEOUT_MS", NULL, check_count, "until HELLO comes"),
	CHECKED("LIVETIMING_LIMIT_PING_INTERVAL_MS", NULL, check_count, "between pings"),
	/* Given by whoever started the process. */
	SETTING("XDG_RUNTIME_DIR", NULL, "folder of the default control socket"),
	SETTING("NOTIFY_SOCKET", NULL, "where READY=1 goes"),
	/* Names of the original that a livetiming.env may hold; see inert_names. */
	SETTING("LIVETIMING_ROUTER", NULL, "router of the original's programs"),
	SETTING("LIVETIMING_PID_DIR", NULL, "pid files of the original's service manager"),
	SETTING("LIVETIMING_STANDALONE_PORT", NULL, "port of a standalone service"),
	SETTING("LIVETIMING_USE_UPNP", NULL, "forward that port"),
	SECRET("LIVETIMING_CALENDAR_URL", "calendar of the scheduler"),
	SETTING("LIVETIMING_CALENDAR_ID", NULL, "calendar of the schedule tools"),
	SECRET("CALENDAR_SOURCE_URL", "calendar of the schedule tools"),
	SECRET("TWITTER_CONSUMER_KEY", "announcements of the scheduler"),
	SECRET("TWITTER_CONSUMER_SECRET", "announcements of the scheduler"),
	SECRET("TWITTER_ACCESS_TOKEN", "announcements of the scheduler"),
	SECRET("TWITTER_ACCESS_SECRET", "announcements of the scheduler"),
	SETTING("LIVETIMING_ENVIRONMENT", "development", "environment named in error reports"),
	SECRET("SENTRY_DSN", "error reports"),
	{ 0 },
};

/* Known, so that the original's settings file can be used as it is, but without effect here. */
static const char *const inert_names[] = {
	"LIVETIMING_ROUTER",
	"LIVETIMING_PID_DIR",
	"LIVETIMING_STANDALONE_PORT",
	"LIVETIMING_USE_UPNP",
	"LIVETIMING_CALENDAR_URL",
	"LIVETIMING_CALENDAR_ID",
	"CALENDAR_SOURCE_URL",
	"TWITTER_CONSUMER_KEY",
	"TWITTER_CONSUMER_SECRET",
	"TWITTER_ACCESS_TOKEN",
	"TWITTER_ACCESS_SECRET",
	"LIVETIMING_ENVIRONMENT",
	"SENTRY_DSN",
};

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
	parse_metrics(lt_str_from(lt_conf_get(conf, "LIVETIMING_METRICS")), &ret->metrics_for,
			NULL);
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
	ret->reindex = lt_conf_get(conf, "REINDEX") != NULL;
	ret->generate_analysis = lt_conf_get(conf, "GENERATE_ANALYSIS") != NULL;
}

static void read_values(const struct lt_conf *conf, struct lt_daemon_conf *ret)
{
	const char *plugin_path = lt_conf_get(conf, "LIVETIMING_PLUGIN_PATH");
	const char *web_dir = lt_conf_get(conf, "LIVETIMING_WEB_DIR");
	struct lt_str rest = lt_str_from(lt_conf_get(conf, "LIVETIMING_LISTEN"));
	LT_AUTO(lt_free) char *bundled = bundled_dir("plugins", "lib/livetiming/plugins");
	struct lt_buf path = { 0 };
	struct lt_str word;

	while (next_word(&rest, &word)) {
		list_add(&ret->listen, word);
	}
	lt_buf_printf(&path, "%s%s%s", plugin_path ? plugin_path : "", plugin_path ? ":" : "",
			bundled);
	ret->plugin_path = lt_buf_steal(&path);
	ret->services = lt_conf_get(conf, "LIVETIMING_SERVICES");
	ret->web_dir = web_dir ? lt_strdup(web_dir) : bundled_dir("www", "share/livetiming/www");
	ret->control_socket =
			lt_ctl_socket_path(NULL, lt_conf_get(conf, "LIVETIMING_CONTROL_SOCKET"),
					lt_conf_get(conf, "XDG_RUNTIME_DIR"));
	ret->state_dir = lt_conf_get(conf, "LIVETIMING_STATE_DIR");
	ret->log_dir = lt_conf_get(conf, "LIVETIMING_LOG_DIR");
	ret->analysis_dir = lt_conf_get(conf, "LIVETIMING_ANALYSIS_DIR");
	read_recording(conf, ret);
	ret->auth_id = lt_conf_get(conf, "LIVETIMING_AUTH_ID");
	ret->shared_secret = lt_conf_get(conf, "LIVETIMING_SHARED_SECRET");
	ret->notify_socket = lt_conf_get(conf, "NOTIFY_SOCKET");
	lt_level_parse(lt_str_from(lt_conf_get(conf, "LIVETIMING_LOG_LEVEL")), &ret->log_level,
			NULL);
	parse_format(lt_str_from(lt_conf_get(conf, "LIVETIMING_LOG_FORMAT")), &ret->log_format,
			NULL);
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

		if (lt_str_ends(address, LT_STR(TLS_SUFFIX)) &&
				!lt_str_starts(address, LT_STR("unix:")) &&
				(!conf->tls_cert || !conf->tls_key)) {
			return lt_err_set(err, LT_E_INVALID,
					"%s: LIVETIMING_LISTEN: %s: set LIVETIMING_TLS_CERT and LIVETIMING_TLS_KEY",
					origin, conf->listen.at[i]);
		}
	}
	return true;
}

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

bool lt_daemon_conf_read(const struct lt_conf *conf, struct lt_daemon_conf *ret,
		lt_conf_report_fn report, void *arg)
{
	struct lt_err err = { 0 };
	int errors = lt_conf_check(conf, report, arg);

	*ret = (struct lt_daemon_conf){ 0 };
	report_inert(conf, report, arg);
	if (errors == 0) {
		read_values(conf, ret);
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
	cJSON_Delete(conf->principals);
	lt_buf_finish(&conf->permissions);
	*conf = (struct lt_daemon_conf){ 0 };
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
}
