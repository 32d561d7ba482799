/* Settings of announcements and error reports: checks of their values, and the values. */
#include "base/alloc.h"
#include "daemon/conf_priv.h"
#include "services/announce/template.h"
#include "services/sentry/sentry_event.h"

#define DEFAULT_SITE "https://www.timing71.org"

/* --- checks of single values --- */

/* Never quotes the value: it may hold a secret. */
bool lt_daemon_conf_check_url(struct lt_str value, struct lt_err *err)
{
	bool is_http = lt_str_starts(value, LT_STR("https://")) ||
			lt_str_starts(value, LT_STR("http://"));

	for (size_t i = 0; i < value.n; i++) {
		if ((unsigned char)value.p[i] <= ' ' || value.p[i] == 0x7f) {
			return lt_err_set(err, LT_E_INVALID, "a URL has no blanks");
		}
	}
	return (is_http && value.n > strlen("https://")) ||
			lt_err_set(err, LT_E_INVALID, "expected a URL, https://...");
}

bool lt_daemon_conf_check_text_template(struct lt_str value, struct lt_err *err)
{
	return lt_template_check(value, false, err);
}

bool lt_daemon_conf_check_link_template(struct lt_str value, struct lt_err *err)
{
	return lt_template_check(value, true, err);
}

bool lt_daemon_conf_check_visibility(struct lt_str value, struct lt_err *err)
{
	static const char *const known[] = { "public", "unlisted", "private", "direct" };
	char quoted[LT_QUOTE_MAX];

	for (size_t i = 0; i < LT_ARRAY_LEN(known); i++) {
		if (lt_str_eq_c(value, known[i])) {
			return true;
		}
	}
	return lt_err_set(err, LT_E_INVALID, "%s: expected public, unlisted, private or direct",
			lt_str_quote(value, quoted));
}

static bool check_dsn(struct lt_str value, struct lt_err *err)
{
	struct lt_sentry_dsn dsn = { 0 };
	bool ok = lt_sentry_dsn_parse(value, &dsn, err);

	lt_sentry_dsn_finish(&dsn);
	return ok;
}

/*
 * Values that are secret: the table's check would hide its sentence with the
 * value, but these sentences never quote it.
 */
static bool check_secrets(const struct lt_conf *conf, struct lt_err *err)
{
	static const struct {
		const char *name;
		bool (*check)(struct lt_str value, struct lt_err *err);
	} checks[] = {
		{ "SENTRY_DSN", check_dsn },
		{ "LIVETIMING_ANNOUNCE_DISCORD_URL", lt_daemon_conf_check_url },
		{ "LIVETIMING_ANNOUNCE_WEBHOOK_URL", lt_daemon_conf_check_url },
	};

	for (size_t i = 0; i < LT_ARRAY_LEN(checks); i++) {
		const char *value = lt_conf_get(conf, checks[i].name);

		if (value && !checks[i].check(lt_str_from(value), err)) {
			return lt_err_prefix(err, "%s: %s", lt_conf_origin(conf, checks[i].name),
					checks[i].name);
		}
	}
	return true;
}

/* --- what belongs together --- */

/* All of the names or none: a network with half of its secrets would be silently off. */
static bool check_together(const struct lt_conf *conf, const char *const *names, struct lt_err *err)
{
	const char *set = NULL, *unset = NULL;

	for (; *names; names++) {
		if (lt_conf_get(conf, *names)) {
			set = set ? set : *names;
		} else {
			unset = unset ? unset : *names;
		}
	}
	return !set || !unset ||
			lt_err_set(err, LT_E_INVALID, "%s: %s: set %s as well, or neither",
					lt_conf_origin(conf, set), set, unset);
}

static bool check_networks(const struct lt_conf *conf, struct lt_err *err)
{
	static const char *const x[] = { "TWITTER_CONSUMER_KEY", "TWITTER_CONSUMER_SECRET",
		"TWITTER_ACCESS_TOKEN", "TWITTER_ACCESS_SECRET", NULL };
	static const char *const mastodon[] = { "LIVETIMING_ANNOUNCE_MASTODON_URL",
		"LIVETIMING_ANNOUNCE_MASTODON_TOKEN", NULL };
	static const char *const bluesky[] = { "LIVETIMING_ANNOUNCE_BLUESKY_HANDLE",
		"LIVETIMING_ANNOUNCE_BLUESKY_PASSWORD", NULL };

	if (lt_conf_get(conf, "LIVETIMING_ANNOUNCE_WEBHOOK_SECRET") &&
			!lt_conf_get(conf, "LIVETIMING_ANNOUNCE_WEBHOOK_URL")) {
		return lt_err_set(err, LT_E_INVALID,
				"%s: LIVETIMING_ANNOUNCE_WEBHOOK_SECRET: set LIVETIMING_ANNOUNCE_WEBHOOK_URL as well",
				lt_conf_origin(conf, "LIVETIMING_ANNOUNCE_WEBHOOK_SECRET"));
	}
	return check_together(conf, x, err) && check_together(conf, mastodon, err) &&
			check_together(conf, bluesky, err);
}

/* --- values --- */

static int64_t number_of(const struct lt_conf *conf, const char *name)
{
	int64_t value = 0;

	lt_parse_i64(lt_str_from(lt_conf_get(conf, name)), 0, INT64_MAX, &value, NULL);
	return value;
}

static void read_networks(const struct lt_conf *conf, struct lt_announce_conf *ret)
{
	ret->x = (struct lt_x_conf){
		.url = lt_conf_get(conf, "LIVETIMING_ANNOUNCE_X_URL"),
		.consumer_key = lt_conf_get(conf, "TWITTER_CONSUMER_KEY"),
		.consumer_secret = lt_conf_get(conf, "TWITTER_CONSUMER_SECRET"),
		.access_token = lt_conf_get(conf, "TWITTER_ACCESS_TOKEN"),
		.access_secret = lt_conf_get(conf, "TWITTER_ACCESS_SECRET"),
	};
	ret->mastodon = (struct lt_mastodon_conf){
		.url = lt_conf_get(conf, "LIVETIMING_ANNOUNCE_MASTODON_URL"),
		.token = lt_conf_get(conf, "LIVETIMING_ANNOUNCE_MASTODON_TOKEN"),
		.visibility = lt_conf_get(conf, "LIVETIMING_ANNOUNCE_MASTODON_VISIBILITY"),
	};
	ret->bluesky = (struct lt_bluesky_conf){
		.url = lt_conf_get(conf, "LIVETIMING_ANNOUNCE_BLUESKY_URL"),
		.handle = lt_conf_get(conf, "LIVETIMING_ANNOUNCE_BLUESKY_HANDLE"),
		.password = lt_conf_get(conf, "LIVETIMING_ANNOUNCE_BLUESKY_PASSWORD"),
	};
	ret->discord.url = lt_conf_get(conf, "LIVETIMING_ANNOUNCE_DISCORD_URL");
	ret->webhook = (struct lt_webhook_conf){
		.url = lt_conf_get(conf, "LIVETIMING_ANNOUNCE_WEBHOOK_URL"),
		.secret = lt_conf_get(conf, "LIVETIMING_ANNOUNCE_WEBHOOK_SECRET"),
	};
}

static bool is_announcing(const struct lt_announce_conf *conf)
{
	return conf->x.consumer_key || conf->mastodon.token || conf->bluesky.password ||
			conf->discord.url || conf->webhook.url;
}

/* Values of all settings that are secret, for those who must not tell them. */
static const char **secrets_of(const struct lt_conf *conf)
{
	const char **list = NULL;
	size_t n = 0;

	for (const struct lt_conf_key *key = lt_daemon_conf_keys; key->name; key++) {
		const char *value = key->secret ? lt_conf_get(conf, key->name) : NULL;

		if (value) {
			list = lt_reallocarray(list, n + 1, sizeof(*list));
			list[n++] = value;
		}
	}
	list = lt_reallocarray(list, n + 1, sizeof(*list));
	list[n] = NULL;
	return list;
}

bool lt_daemon_conf_read_reports(const struct lt_conf *conf, struct lt_daemon_conf *ret,
		lt_conf_report_fn report, void *arg)
{
	struct lt_announce_conf *announce = &ret->announce;
	struct lt_err err = { 0 };

	announce->site = lt_conf_get(conf, "LIVETIMING_SITE_URL");
	announce->text = lt_conf_get(conf, "LIVETIMING_ANNOUNCE_TEXT");
	announce->link = lt_conf_get(conf, "LIVETIMING_ANNOUNCE_LINK");
	announce->retry_s = number_of(conf, "LIVETIMING_ANNOUNCE_RETRY_S");
	announce->give_up_s = number_of(conf, "LIVETIMING_ANNOUNCE_GIVE_UP_S");
	read_networks(conf, announce);
	ret->sentry_dsn = lt_conf_get(conf, "SENTRY_DSN");
	ret->environment = lt_conf_get(conf, "LIVETIMING_ENVIRONMENT");
	ret->secrets = secrets_of(conf);
	if (!check_secrets(conf, &err) || !check_networks(conf, &err)) {
		report(arg, true, err.msg);
		return false;
	}
	if (is_announcing(announce) && !announce->site) {
		report(arg, false,
				"LIVETIMING_SITE_URL is not set: announcements link to " DEFAULT_SITE
				", the original's");
	}
	if (!announce->site) {
		announce->site = DEFAULT_SITE;
	}
	return true;
}
