/*
 * Mastodon: POST /api/v1/statuses in form encoding. Idempotency-Key, kept there
 * for an hour, makes a second sending of the same announcement harmless.
 */
#include "base/alloc.h"
#include "base/crypto.h"
#include "net/percent.h"
#include "services/announce/announcer.h"
#include "services/announce/text.h"

#define TEXT_MAX 500

struct mastodon {
	struct lt_announcer announcer;
	char *url, *token, *visibility;
};

static struct mastodon *mastodon_of(struct lt_announcer *announcer)
{
	return lt_container_of(announcer, struct mastodon, announcer);
}

/* The key of the announcement as a header can carry it, whatever the event's UID holds. */
static void add_key(struct lt_announce_request *request, struct lt_str key)
{
	LT_AUTO(lt_buf_finish) struct lt_buf hex = { 0 };
	uint8_t digest[LT_SHA256_BYTES];

	lt_sha256(key, digest);
	lt_hex_encode(&hex, digest, sizeof(digest));
	lt_announce_request_header(request, "Idempotency-Key", lt_buf_str(&hex));
}

static void build(struct lt_announcer *self, const struct lt_post *post,
		struct lt_announce_request *ret)
{
	const struct mastodon *mastodon = mastodon_of(self);
	LT_AUTO(lt_buf_finish) struct lt_buf authorization = { 0 };

	ret->is_post = true;
	lt_announce_request_url(ret, mastodon->url, "/api/v1/statuses");
	lt_buf_printf(&authorization, "Bearer %s", mastodon->token);
	lt_announce_request_header(ret, "Authorization", lt_buf_str(&authorization));
	lt_announce_request_header(
			ret, "Content-Type", LT_STR("application/x-www-form-urlencoded"));
	add_key(ret, post->key);
	lt_buf_add_c(&ret->body, "status=");
	lt_percent_encode(&ret->body, post->text);
	lt_buf_add_c(&ret->body, "&visibility=");
	lt_percent_encode(&ret->body, lt_str_from(mastodon->visibility));
}

static enum lt_verdict judge(struct lt_announcer *self, const struct lt_post *post,
		const struct lt_announce_request *request, const struct lt_fetch_result *result,
		struct lt_err *reason)
{
	(void)self;
	(void)post;
	(void)request;
	return lt_announcer_judge_json(result, "id", reason);
}

static void destroy(struct lt_announcer *self)
{
	struct mastodon *mastodon = mastodon_of(self);

	lt_free(mastodon->url);
	lt_free(mastodon->token);
	lt_free(mastodon->visibility);
	lt_free(mastodon);
}

static const struct lt_announcer_ops mastodon_ops = {
	.name = "mastodon",
	.knows_repeats = true,
	.text_max = TEXT_MAX,
	.text_length = lt_text_length_mastodon,
	.build = build,
	.judge = judge,
	.destroy = destroy,
};

struct lt_announcer *lt_mastodon_create(const struct lt_mastodon_conf *conf)
{
	struct mastodon *mastodon = lt_zalloc(sizeof(*mastodon));

	mastodon->announcer.ops = &mastodon_ops;
	mastodon->url = lt_strdup(conf->url);
	mastodon->token = lt_strdup(conf->token);
	mastodon->visibility = lt_strdup(conf->visibility);
	return &mastodon->announcer;
}
