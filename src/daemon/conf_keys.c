#include "base/service_args.h"
#include "daemon/conf.h"
#include "daemon/conf_priv.h"
#include "services/schedule/schedule_source.h"

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
	if (lt_str_ends(rest, LT_STR(LT_LISTEN_TLS))) {
		if (is_raw) {
			return lt_err_set(err, LT_E_INVALID, "%s: RawSocket is served without TLS",
					quoted);
		}
		rest.n -= strlen(LT_LISTEN_TLS);
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

const char *lt_daemon_conf_value(const struct lt_conf *conf, const char *name)
{
	const char *value = lt_conf_get(conf, name);

	return value && *value ? value : NULL;
}

/* Words between blanks; false when there is none left. */
bool lt_daemon_conf_next_word(struct lt_str *rest, struct lt_str *ret_word)
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

	while (lt_daemon_conf_next_word(&value, &word)) {
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

bool lt_daemon_conf_parse_format(struct lt_str value, enum lt_log_format *ret, struct lt_err *err)
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

	return lt_daemon_conf_parse_format(value, &ignored, err);
}

bool lt_daemon_conf_parse_metrics(struct lt_str value, enum lt_metrics_for *ret, struct lt_err *err)
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

	return lt_daemon_conf_parse_metrics(value, &ignored, err);
}

/* What may stand in a header as a list of sources: *, no, or origins such as https://a.example. */
static bool check_embed(struct lt_str value, struct lt_err *err)
{
	char quoted[LT_QUOTE_MAX];
	struct lt_str rest = value, word;

	if (value.n > 512) {
		return lt_err_set(err, LT_E_LIMIT, "more than 512 bytes");
	}
	if (lt_str_eq_c(value, "*") || lt_str_eq_c(value, "no")) {
		return true;
	}
	while (lt_daemon_conf_next_word(&rest, &word)) {
		static const char legal[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					    "0123456789.:/*-_[]";
		bool ok = lt_str_starts(word, LT_STR("https://")) ||
				lt_str_starts(word, LT_STR("http://"));

		for (size_t i = 0; ok && i < word.n; i++) {
			ok = word.p[i] != '\0' && strchr(legal, word.p[i]) != NULL;
		}
		if (!ok) {
			lt_str_quote(word, quoted);
			return lt_err_set(err, LT_E_INVALID,
					"%s: expected *, no, or origins such as "
					"https://timing.example",
					quoted);
		}
	}
	return true;
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

static bool check_microseconds(struct lt_str value, struct lt_err *err)
{
	uint64_t ignored;

	return lt_parse_u64(value, INT64_MAX, &ignored, err);
}

static bool check_period(struct lt_str value, struct lt_err *err)
{
	int64_t ignored;

	return lt_parse_i64(value, 1, 86400, &ignored, err);
}

static bool check_calendars(struct lt_str value, struct lt_err *err)
{
	return lt_schedule_urls(value, NULL, NULL, err);
}

static bool check_port(struct lt_str value, struct lt_err *err)
{
	uint64_t ignored;

	return lt_parse_u64(value, UINT16_MAX, &ignored, err);
}

static bool check_crash_limit(struct lt_str value, struct lt_err *err)
{
	uint64_t ignored;

	return lt_parse_u64(value, 1000, &ignored, err);
}

static bool check_replicas(struct lt_str value, struct lt_err *err)
{
	uint64_t n;

	return lt_parse_u64(value, 5, &n, err) &&
			(n % 2 == 1 || lt_err_set(err, LT_E_INVALID, "expected 1, 3 or 5"));
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
	SECRET("LIVETIMING_PUSH_TOKEN", "token of those who send to services by POST /push/"),
	SETTING("LIVETIMING_WEB_DIR", NULL, "folder of the viewer page"),
	CHECKED("LIVETIMING_EMBED", "*", check_embed,
			"sites that may show /embed/ and /overlay/ in a frame: *, no, or origins"),
	CHECKED("LIVETIMING_TRUST_PROXY", "no", check_bool,
			"believe X-Forwarded-Proto: a proxy in front sets it"),
	SECRET("LIVETIMING_SHARED_SECRET", "secret of remote services"),
	SETTING("LIVETIMING_AUTH_ID", "services", "authid that goes with the shared secret"),
	SETTING("LIVETIMING_AUTH_FILE", "external_auth.json", "JSON file of further principals"),
	SETTING("LIVETIMING_PRIVATE_CODES", NULL,
			"file of access codes for services with --private"),
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
	CHECKED("LIVETIMING_S3_URL", NULL, lt_daemon_conf_check_url,
			"S3 bucket that recordings are uploaded to: https://host/bucket"),
	CHECKED("LIVETIMING_S3_REGION", "us-east-1", lt_daemon_conf_check_region, "its region"),
	SECRET("LIVETIMING_S3_ACCESS_KEY", "key for it"),
	SECRET("LIVETIMING_S3_SECRET_KEY", "and the secret of the key"),
	CHECKED("LIVETIMING_S3_PREFIX", NULL, lt_daemon_conf_check_prefix,
			"what stands in front of all names there: races/"),
	CHECKED("LIVETIMING_S3_KEEP_MIB", "0", check_count,
			"MiB of local copies that are kept of what is there; 0 is all"),
	CHECKED("LIVETIMING_S3_REFRESH_S", "60", check_period,
			"seconds between readings of what others have uploaded"),
	SECRET("LIVETIMING_ADMIN_AUTHCODE", "code for changes to the recordings' manifests"),
	SETTING("REINDEX", NULL, "rebuild the index of recordings at the start"),
	SETTING("GENERATE_ANALYSIS", NULL, "make missing analysis files of recordings"),
	{ "LIVETIMING_CALENDAR_URL", NULL, "calendars of the scheduler, separated by commas", true,
			check_calendars },
	CHECKED("LIVETIMING_SCHEDULE_FETCH_S", "600", check_period,
			"seconds between readings of the calendars"),
	CHECKED("LIVETIMING_SCHEDULE_LOOP_S", "60", check_period,
			"seconds between looks at what is due"),
	CHECKED("LIVETIMING_SCHEDULE_LEAD_S", "300", check_seconds,
			"a service starts so long before its event"),
	CHECKED("LIVETIMING_SCHEDULE_TRAIL_S", "600", check_seconds, "and ends so long behind it"),
	CHECKED("LIVETIMING_SCHEDULE_TIMEOUT_S", "20", check_period,
			"patience with the server of a calendar"),
	CHECKED("LIVETIMING_LOG_LEVEL", "info", check_level, "error, warn, info or debug"),
	SETTING("LIVETIMING_LOG_FILE", NULL, "log of the daemon; default: standard error"),
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
	CHECKED("LIVETIMING_CRASH_LIMIT", "4", check_crash_limit,
			"deaths in a row after which a service, or starting at once, is given up"),
	CHECKED("LIVETIMING_HANG_S", "30", check_seconds,
			"silence after which the process of an isolated service is ended; 0 is never"),
	CHECKED("LIVETIMING_SETTLE_S", "60", check_period,
			"a start that lasts so long has succeeded"),
	/* Of services in processes of their own (docs/services.md). */
	SETTING("LIVETIMING_ROUTER", NULL,
			"ws://, wss:// or rs:// URL that such a service joins; unset: standalone"),
	CHECKED("LIVETIMING_STANDALONE_PORT", "0", check_port,
			"port of a standalone service; 0 is any"),
	SETTING("LIVETIMING_USE_UPNP", NULL, "forward that port at the router of the house"),
	/* Of one daemon of several (docs/mesh.md). */
	SECRET("LIVETIMING_BACKPLANE",
			"NATS servers that join this daemon to others: nats://host:port, separated by commas"),
	SETTING("LIVETIMING_BACKPLANE_USER", NULL, "login there: user"),
	SECRET("LIVETIMING_BACKPLANE_PASSWORD", "and password"),
	SECRET("LIVETIMING_BACKPLANE_TOKEN", "or a token"),
	SETTING("LIVETIMING_BACKPLANE_NKEY", NULL, "or a file with the seed of an nkey"),
	SETTING("LIVETIMING_BACKPLANE_CREDS", NULL, "or a credentials file"),
	SETTING("LIVETIMING_BACKPLANE_CA", NULL, "PEM file: CA of the servers; asks for TLS"),
	SETTING("LIVETIMING_BACKPLANE_CERT", NULL, "PEM file: certificate shown to them"),
	SETTING("LIVETIMING_BACKPLANE_KEY", NULL, "PEM file: its key"),
	CHECKED("LIVETIMING_BACKPLANE_PREFIX", "livetiming", lt_daemon_conf_check_node,
			"first part of all subjects: one mesh has one"),
	CHECKED("LIVETIMING_BACKPLANE_REPLICAS", "1", check_replicas,
			"servers that store retained events: 1, 3 or 5"),
	CHECKED("LIVETIMING_NODE", NULL, lt_daemon_conf_check_node,
			"name of this daemon among them; default: that of the host"),
	CHECKED("LIVETIMING_ROLE", "origin", lt_daemon_conf_check_role,
			"origin: services, recordings, schedule; edge: viewers alone"),
	CHECKED("LIVETIMING_ORIGIN_URL", NULL, lt_daemon_conf_check_url,
			"address where an edge sends who wants recordings"),
	SETTING("LIVETIMING_ENVIRONMENT", "development", "environment named in error reports"),
	SECRET("SENTRY_DSN", "where error reports go"),
	CHECKED("LIVETIMING_SITE_URL", NULL, lt_daemon_conf_check_url,
			"address of the site, for links in announcements"),
	CHECKED("LIVETIMING_ANNOUNCE_TEXT", "Starting now: {name}. Follow live at {link}",
			lt_daemon_conf_check_text_template, "message of announcements"),
	CHECKED("LIVETIMING_ANNOUNCE_LINK", "{site}/s/{service}",
			lt_daemon_conf_check_link_template, "link in them"),
	CHECKED("LIVETIMING_ANNOUNCE_RETRY_S", "5", check_period,
			"pause before the second attempt, doubled for each further one"),
	CHECKED("LIVETIMING_ANNOUNCE_GIVE_UP_S", "1800", check_period,
			"age at which an announcement is given up"),
	SECRET("TWITTER_CONSUMER_KEY", "X: key of the app"),
	SECRET("TWITTER_CONSUMER_SECRET", "X: its secret"),
	SECRET("TWITTER_ACCESS_TOKEN", "X: token of the account"),
	SECRET("TWITTER_ACCESS_SECRET", "X: its secret"),
	CHECKED("LIVETIMING_ANNOUNCE_X_URL", "https://api.x.com/2/tweets", lt_daemon_conf_check_url,
			"X: where posts go"),
	CHECKED("LIVETIMING_ANNOUNCE_MASTODON_URL", NULL, lt_daemon_conf_check_url,
			"Mastodon: address of the server"),
	SECRET("LIVETIMING_ANNOUNCE_MASTODON_TOKEN", "Mastodon: token with write:statuses"),
	CHECKED("LIVETIMING_ANNOUNCE_MASTODON_VISIBILITY", "public",
			lt_daemon_conf_check_visibility,
			"Mastodon: public, unlisted, private or direct"),
	CHECKED("LIVETIMING_ANNOUNCE_BLUESKY_URL", "https://bsky.social", lt_daemon_conf_check_url,
			"Bluesky: address of the account's server"),
	SETTING("LIVETIMING_ANNOUNCE_BLUESKY_HANDLE", NULL, "Bluesky: handle of the account"),
	SECRET("LIVETIMING_ANNOUNCE_BLUESKY_PASSWORD", "Bluesky: an app password"),
	SECRET("LIVETIMING_ANNOUNCE_DISCORD_URL", "Discord: URL of a channel's webhook"),
	SECRET("LIVETIMING_ANNOUNCE_WEBHOOK_URL", "webhook: URL"),
	SECRET("LIVETIMING_ANNOUNCE_WEBHOOK_SECRET", "webhook: what requests are signed with"),
	/* Given by whoever started the process. */
	SETTING("TZ", NULL, "time zone of calendars that name none"),
	SETTING("XDG_RUNTIME_DIR", NULL, "folder of the default control socket"),
	SETTING("NOTIFY_SOCKET", NULL, "where READY=1 goes"),
	CHECKED("WATCHDOG_USEC", NULL, check_microseconds, "period of the watchdog"),
	CHECKED("WATCHDOG_PID", NULL, check_count, "process that the watchdog watches"),
	/* Of `livetimingctl schedule assist`, which reads the same file's names. */
	SETTING("LIVETIMING_CALENDAR_ID", NULL, "Google calendar of schedule assist"),
	SECRET("CALENDAR_SOURCE_URL", "source calendar of schedule assist"),
	SETTING("LIVETIMING_GOOGLE_KEY", NULL,
			"key file of the service account of schedule assist"),
	SETTING("LIVETIMING_GOOGLE_URL", NULL, "address of Google's calendar interface"),
	/* Names of the original that a livetiming.env may hold; see inert_names. */
	SETTING("LIVETIMING_PID_DIR", NULL, "pid files of the original's service manager"),
	{ 0 },
};
