/*
 * Generic webhook: JSON to any URL, signed like this when there is a secret:
 *
 *   X-Livetiming-Timestamp: 1778936400
 *   X-Livetiming-Signature: sha256=HEX, HMAC-SHA256 of "TIMESTAMP.BODY"
 *   Idempotency-Key: HEX, the same for every sending of the same announcement
 *
 *   {"event": "started" or "test", "id": HEX, "text", "name", "service", "link",
 *    "uid", "start": "2026-05-16T13:00:00.000Z"}
 *
 * The receiver recognises repeats by the key, so an announcement whose result
 * is unknown is sent again.
 */
#include "base/alloc.h"
#include "base/crypto.h"
#include "base/json.h"
#include "services/announce/announcer.h"
#include "services/announce/text.h"

struct webhook {
	struct lt_announcer announcer;
	char *url, *secret; /* secret NULL: not signed */
};

static struct webhook *webhook_of(struct lt_announcer *announcer)
{
	return lt_container_of(announcer, struct webhook, announcer);
}

static void sign(const struct webhook *webhook, const struct lt_post *post,
		struct lt_announce_request *request)
{
	LT_AUTO(lt_buf_finish) struct lt_buf timestamp = { 0 };
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	LT_AUTO(lt_buf_finish) struct lt_buf signature = { 0 };
	uint8_t mac[LT_SHA256_BYTES];

	lt_buf_printf(&timestamp, "%lld", (long long)lt_wall_s(post->now));
	lt_buf_add_str(&text, lt_buf_str(&timestamp));
	lt_buf_add_char(&text, '.');
	lt_buf_add_str(&text, lt_buf_str(&request->body));
	lt_hmac_sha256(lt_str_from(webhook->secret), lt_buf_str(&text), mac);
	lt_buf_add_c(&signature, "sha256=");
	lt_hex_encode(&signature, mac, sizeof(mac));
	lt_announce_request_header(request, "X-Livetiming-Timestamp", lt_buf_str(&timestamp));
	lt_announce_request_header(request, "X-Livetiming-Signature", lt_buf_str(&signature));
}

static void build(struct lt_announcer *self, const struct lt_post *post,
		struct lt_announce_request *ret)
{
	const struct webhook *webhook = webhook_of(self);
	LT_AUTO(cJSON_Delete) cJSON *body = cJSON_CreateObject();
	LT_AUTO(lt_buf_finish) struct lt_buf key = { 0 };
	uint8_t digest[LT_SHA256_BYTES];
	char start[LT_WALL_TEXT];

	ret->is_post = true;
	lt_announce_request_url(ret, webhook->url, "");
	lt_announce_request_header(ret, "Content-Type", LT_STR("application/json"));
	lt_sha256(post->key, digest);
	lt_hex_encode(&key, digest, sizeof(digest));
	lt_announce_request_header(ret, "Idempotency-Key", lt_buf_str(&key));
	lt_wall_format(post->start, start);
	lt_json_add_c(body, "event", post->is_test ? "test" : "started");
	lt_json_add_str(body, "id", lt_buf_str(&key));
	lt_json_add_str(body, "text", post->text);
	lt_json_add_str(body, "name", post->name);
	lt_json_add_str(body, "service", post->service);
	lt_json_add_str(body, "link", post->link);
	lt_json_add_str(body, "uid", post->uid);
	lt_json_add_c(body, "start", start);
	lt_json_print(&ret->body, body, LT_JSON_UTF8);
	if (webhook->secret) {
		sign(webhook, post, ret);
	}
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
	struct webhook *webhook = webhook_of(self);

	lt_free(webhook->url);
	lt_free(webhook->secret);
	lt_free(webhook);
}

static const struct lt_announcer_ops webhook_ops = {
	.name = "webhook",
	.knows_repeats = true,
	.text_max = 0,
	.text_length = lt_text_length_utf16,
	.build = build,
	.judge = judge,
	.destroy = destroy,
};

struct lt_announcer *lt_webhook_create(const struct lt_webhook_conf *conf)
{
	struct webhook *webhook = lt_zalloc(sizeof(*webhook));

	webhook->announcer.ops = &webhook_ops;
	webhook->url = lt_strdup(conf->url);
	webhook->secret = conf->secret ? lt_strdup(conf->secret) : NULL;
	return &webhook->announcer;
}
