/* The settings of announcements: the networks that they switch on, and other settings while posts
 * wait. */
#include "base/alloc.h"
#include "base/table.h"
#include "services/announce/announce_priv.h"

static void add_network(struct lt_announce *announce, struct lt_announcer *announcer)
{
	announce->networks[announce->n++] = (struct lt_announce_network){ .announce = announce,
		.announcer = announcer };
}

static void add_networks(struct lt_announce *announce)
{
	const struct lt_announce_conf *conf = &announce->conf;

	if (conf->x.consumer_key) {
		add_network(announce, lt_x_create(&conf->x, announce->env.random));
	}
	if (conf->mastodon.token) {
		add_network(announce, lt_mastodon_create(&conf->mastodon));
	}
	if (conf->bluesky.password) {
		add_network(announce, lt_bluesky_create(&conf->bluesky));
	}
	if (conf->discord.url) {
		add_network(announce, lt_discord_create(&conf->discord));
	}
	if (conf->webhook.url) {
		add_network(announce, lt_webhook_create(&conf->webhook));
	}
}

void lt_announce_use_conf(struct lt_announce *announce, const struct lt_announce_conf *conf)
{
	announce->conf = *conf; /* of the networks' settings each has its copy */
	announce->conf.site = announce->site = lt_strdup(conf->site);
	announce->conf.text = announce->text = lt_strdup(conf->text);
	announce->conf.link = announce->link = lt_strdup(conf->link);
	add_networks(announce);
}

void lt_announce_drop_conf(struct lt_announce *announce)
{
	for (size_t i = 0; i < announce->n; i++) {
		lt_announcer_destroy(announce->networks[i].announcer);
	}
	announce->n = 0;
	lt_free(announce->site);
	lt_free(announce->text);
	lt_free(announce->link);
}

void lt_announce_log_networks(const struct lt_announce *announce)
{
	LT_AUTO(lt_buf_finish) struct lt_buf names = { 0 };

	for (size_t i = 0; i < announce->n; i++) {
		lt_buf_printf(&names, "%s%s", i ? "," : "",
				announce->networks[i].announcer->ops->name);
	}
	if (announce->n) {
		lt_log(&announce->env.log, LT_INFO, "events are announced", "networks=%s", names.p);
	}
}

/* Other settings; the networks that are still there keep their counts. */
static void replace_conf(struct lt_announce *announce, const struct lt_announce_conf *conf)
{
	struct {
		const char *name; /* static */
		uint64_t posted, failures;
	} before[LT_ANNOUNCE_NETWORKS];
	size_t n = announce->n;

	for (size_t i = 0; i < n; i++) {
		before[i].name = announce->networks[i].announcer->ops->name;
		before[i].posted = announce->networks[i].posted;
		before[i].failures = announce->networks[i].failures;
	}
	lt_announce_drop_conf(announce);
	lt_announce_use_conf(announce, conf);
	for (size_t i = 0; i < n; i++) {
		struct lt_announce_network *network =
				lt_announce_find_network(announce, lt_str_from(before[i].name));

		if (network) {
			network->posted = before[i].posted;
			network->failures = before[i].failures;
		}
	}
}

void lt_announce_set_conf(struct lt_announce *announce, const struct lt_announce_conf *conf)
{
	struct lt_queued *queued;

	lt_announce_end_trials(announce, "the settings have changed");
	DL_FOREACH2(announce->queue, queued, next_queued)
	{
		if (queued->delivery) {
			lt_delivery_cancel(LT_STEAL(queued->delivery));
		} else if (queued->state == LT_SENDING) { /* not yet: its attempt is being saved */
			queued->state = LT_WAITING;
			queued->attempts--;
		}
	}
	replace_conf(announce, conf);
	lt_announce_go_on(announce);
}
