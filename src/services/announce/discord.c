/*
 * Discord: POST {"content"} to the URL of a channel's webhook, which is the
 * secret. It has no means to recognise a repeat: a post whose result is unknown
 * is not sent again. Nobody is mentioned, whatever an event is called.
 */
#include "base/alloc.h"
#include "base/json.h"
#include "services/announce/announcer.h"
#include "services/announce/text.h"

#define TEXT_MAX 2000

struct discord {
	struct lt_announcer announcer;
	char *url;
};

static struct discord *discord_of(struct lt_announcer *announcer)
{
	return lt_container_of(announcer, struct discord, announcer);
}

static void build(struct lt_announcer *self, const struct lt_post *post,
		struct lt_announce_request *ret)
{
	ret->is_post = true;
	lt_announce_request_url(ret, discord_of(self)->url, "");
	lt_announce_request_header(ret, "Content-Type", LT_STR("application/json"));
	lt_buf_add_c(&ret->body, "{\"content\":");
	lt_json_write_str(&ret->body, post->text);
	lt_buf_add_c(&ret->body, ",\"allowed_mentions\":{\"parse\":[]}}");
}

static enum lt_verdict judge(struct lt_announcer *self, const struct lt_post *post,
		const struct lt_announce_request *request, const struct lt_fetch_result *result,
		struct lt_err *reason)
{
	(void)self;
	(void)post;
	(void)request;
	return lt_announcer_judge(result, reason);
}

static void destroy(struct lt_announcer *self)
{
	struct discord *discord = discord_of(self);

	lt_free(discord->url);
	lt_free(discord);
}

static const struct lt_announcer_ops discord_ops = {
	.name = "discord",
	.text_max = TEXT_MAX,
	.text_length = lt_text_length_utf16,
	.build = build,
	.judge = judge,
	.destroy = destroy,
};

struct lt_announcer *lt_discord_create(const struct lt_discord_conf *conf)
{
	struct discord *discord = lt_zalloc(sizeof(*discord));

	discord->announcer.ops = &discord_ops;
	discord->url = lt_strdup(conf->url);
	return &discord->announcer;
}
