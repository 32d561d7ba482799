/*
 * X: POST /2/tweets {"text"} signed with OAuth 1.0a, user context. It refuses a
 * text that the account posted shortly before (403), so that a post whose
 * result is unknown can be sent again: the refusal then means that it is there.
 */
#include "base/alloc.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/random.h"
#include "services/announce/announcer.h"
#include "services/announce/oauth1.h"
#include "services/announce/text.h"

#define TEXT_MAX    280
#define NONCE_BYTES 24

struct x {
	struct lt_announcer announcer;
	struct lt_random *random;
	char *url;
	char *consumer_key, *consumer_secret, *access_token, *access_secret;
};

static struct x *x_of(struct lt_announcer *announcer)
{
	return lt_container_of(announcer, struct x, announcer);
}

static void add_nonce(struct lt_buf *buf, struct lt_random *random)
{
	unsigned char bytes[NONCE_BYTES];

	lt_random_bytes(random, bytes, sizeof(bytes));
	lt_hex_encode(buf, bytes, sizeof(bytes));
}

static void build(struct lt_announcer *self, const struct lt_post *post,
		struct lt_announce_request *ret)
{
	struct x *x = x_of(self);
	LT_AUTO(lt_buf_finish) struct lt_buf nonce = { 0 };
	LT_AUTO(lt_buf_finish) struct lt_buf authorization = { 0 };
	const struct lt_oauth1_keys keys = {
		lt_str_from(x->consumer_key),
		lt_str_from(x->consumer_secret),
		lt_str_from(x->access_token),
		lt_str_from(x->access_secret),
	};

	add_nonce(&nonce, x->random);
	lt_oauth1_header(&authorization, &keys,
			&(struct lt_oauth1_request){
					.method = "POST",
					.url = lt_str_from(x->url),
					.nonce = lt_buf_str(&nonce),
					.timestamp = lt_wall_s(post->now),
			});
	ret->is_post = true;
	lt_announce_request_url(ret, x->url, "");
	lt_announce_request_header(ret, "Authorization", lt_buf_str(&authorization));
	lt_announce_request_header(ret, "Content-Type", LT_STR("application/json"));
	lt_buf_add_c(&ret->body, "{\"text\":");
	lt_json_write_str(&ret->body, post->text);
	lt_buf_add_char(&ret->body, '}');
}

static bool says_duplicate(struct lt_str body)
{
	return body.n && memmem(body.p, body.n, "duplicate", strlen("duplicate"));
}

static enum lt_verdict judge(struct lt_announcer *self, const struct lt_post *post,
		const struct lt_announce_request *request, const struct lt_fetch_result *result,
		struct lt_err *reason)
{
	(void)self;
	(void)request;
	if (post->is_repeat && result->status == 403 && says_duplicate(result->body)) {
		return LT_POST_DONE;
	}
	return lt_announcer_judge_json(result, "data", reason);
}

/* X says when its window ends, in unix seconds. */
static int64_t retry_after_s(const struct lt_fetch_result *result, struct lt_wall now)
{
	struct lt_str reset = lt_fetch_header(result, "x-rate-limit-reset");
	int64_t at;

	if (result->status != 429 || !lt_parse_i64(reset, 0, INT64_C(1) << 40, &at, NULL)) {
		return -1;
	}
	return LT_MAX(at - lt_wall_s(now), (int64_t)0);
}

static void destroy(struct lt_announcer *self)
{
	struct x *x = x_of(self);

	lt_free(x->url);
	lt_free(x->consumer_key);
	lt_free(x->consumer_secret);
	lt_free(x->access_token);
	lt_free(x->access_secret);
	lt_free(x);
}

static const struct lt_announcer_ops x_ops = {
	.name = "x",
	.knows_repeats = true,
	.text_max = TEXT_MAX,
	.text_length = lt_text_length_x,
	.build = build,
	.judge = judge,
	.retry_after_s = retry_after_s,
	.destroy = destroy,
};

struct lt_announcer *lt_x_create(const struct lt_x_conf *conf, struct lt_random *random)
{
	struct x *x = lt_zalloc(sizeof(*x));

	x->announcer.ops = &x_ops;
	x->random = random;
	x->url = lt_strdup(conf->url);
	x->consumer_key = lt_strdup(conf->consumer_key);
	x->consumer_secret = lt_strdup(conf->consumer_secret);
	x->access_token = lt_strdup(conf->access_token);
	x->access_secret = lt_strdup(conf->access_secret);
	return &x->announcer;
}
