/*
 * Bluesky: a session from handle and app password (kept while it is good), then
 * the post as a record of app.bsky.feed.post. Links need a facet with offsets
 * in UTF-8 bytes. The record's key is made of the announcement, so that one
 * whose result is unknown is put a second time in the same place: the same
 * record, not another post.
 */
#include "base/alloc.h"
#include "base/crypto.h"
#include "base/json.h"
#include "services/announce/announcer.h"
#include "services/announce/text.h"

#define TEXT_MAX  300
#define TID_CHARS 13

enum step { STEP_SESSION, STEP_RECORD };

struct bluesky {
	struct lt_announcer announcer;
	char *url, *handle, *password;
	struct lt_buf token, did; /* empty: no session */
};

static struct bluesky *bluesky_of(struct lt_announcer *announcer)
{
	return lt_container_of(announcer, struct bluesky, announcer);
}

/* --- requests --- */

static void build_session(const struct bluesky *bluesky, struct lt_announce_request *ret)
{
	lt_announce_request_url(ret, bluesky->url, "/xrpc/com.atproto.server.createSession");
	lt_buf_add_c(&ret->body, "{\"identifier\":");
	lt_json_write_str(&ret->body, lt_str_from(bluesky->handle));
	lt_buf_add_c(&ret->body, ",\"password\":");
	lt_json_write_str(&ret->body, lt_str_from(bluesky->password));
	lt_buf_add_char(&ret->body, '}');
}

/* A TID: 53 bits of microseconds and 10 of a clock's id, here of the announcement's key. */
static void add_record_key(struct lt_buf *buf, const struct lt_post *post)
{
	static const char digits[] = "234567abcdefghijklmnopqrstuvwxyz";
	uint8_t digest[LT_SHA256_BYTES];
	uint64_t number;

	lt_sha256(post->key, digest);
	number = ((uint64_t)post->created.us & ((UINT64_C(1) << 53) - 1)) << 10 |
			(uint64_t)(digest[0] & 3) << 8 | digest[1];
	for (int i = TID_CHARS - 1; i >= 0; i--) {
		lt_buf_add_char(buf, digits[number >> (5 * i) & 31]);
	}
}

/* [{"index": {"byteStart", "byteEnd"}, "features": [...]}] for every link; NULL: there is none. */
static cJSON *facets_of(struct lt_str text)
{
	struct lt_str rest = text, link;
	cJSON *facets = NULL;

	while (lt_text_next_link(&rest, &link)) {
		cJSON *facet = cJSON_CreateObject(), *index = cJSON_CreateObject();
		cJSON *features = cJSON_CreateArray(), *feature = cJSON_CreateObject();
		int64_t start = link.p - text.p;

		lt_json_add_int(index, "byteStart", start);
		lt_json_add_int(index, "byteEnd", start + (int64_t)link.n);
		lt_json_add_c(feature, "$type", "app.bsky.richtext.facet#link");
		lt_json_add_str(feature, "uri", link);
		cJSON_AddItemToArray(features, feature);
		lt_json_set_take(facet, "index", index);
		lt_json_set_take(facet, "features", features);
		facets = facets ? facets : cJSON_CreateArray();
		cJSON_AddItemToArray(facets, facet);
	}
	return facets;
}

static void build_record(const struct bluesky *bluesky, const struct lt_post *post,
		struct lt_announce_request *ret)
{
	LT_AUTO(cJSON_Delete) cJSON *body = cJSON_CreateObject();
	LT_AUTO(lt_buf_finish) struct lt_buf authorization = { 0 };
	LT_AUTO(lt_buf_finish) struct lt_buf key = { 0 };
	cJSON *record = cJSON_CreateObject(), *facets = facets_of(post->text);
	char created[LT_WALL_TEXT];

	ret->is_post = true;
	lt_announce_request_url(ret, bluesky->url,
			post->is_repeat ? "/xrpc/com.atproto.repo.putRecord"
					: "/xrpc/com.atproto.repo.createRecord");
	lt_buf_printf(&authorization, "Bearer %.*s", LT_STR_ARG(lt_buf_str(&bluesky->token)));
	lt_announce_request_header(ret, "Authorization", lt_buf_str(&authorization));
	lt_wall_format(post->created, created);
	add_record_key(&key, post);
	lt_json_add_c(record, "$type", "app.bsky.feed.post");
	lt_json_add_str(record, "text", post->text);
	lt_json_add_c(record, "createdAt", created);
	if (facets) {
		lt_json_set_take(record, "facets", facets);
	}
	lt_json_add_str(body, "repo", lt_buf_str(&bluesky->did));
	lt_json_add_c(body, "collection", "app.bsky.feed.post");
	lt_json_add_str(body, "rkey", lt_buf_str(&key));
	lt_json_set_take(body, "record", record);
	lt_json_print(&ret->body, body, LT_JSON_UTF8);
}

static void build(struct lt_announcer *self, const struct lt_post *post,
		struct lt_announce_request *ret)
{
	const struct bluesky *bluesky = bluesky_of(self);

	ret->step = bluesky->token.n ? STEP_RECORD : STEP_SESSION;
	lt_announce_request_header(ret, "Content-Type", LT_STR("application/json"));
	if (ret->step == STEP_RECORD) {
		build_record(bluesky, post, ret);
	} else {
		build_session(bluesky, ret);
	}
}

/* --- answers --- */

static enum lt_verdict judge_session(struct bluesky *bluesky, const struct lt_fetch_result *result,
		struct lt_err *reason)
{
	enum lt_verdict verdict = lt_announcer_judge(result, reason);
	LT_AUTO(cJSON_Delete) cJSON *answer = NULL;
	struct lt_str token, did;

	if (verdict == LT_POST_DONE) {
		answer = lt_json_parse(result->body, reason);
		if (!answer || !lt_json_get_str(answer, "accessJwt", &token, reason) ||
				!lt_json_get_str(answer, "did", &did, reason) || !token.n) {
			lt_err_prefix(reason, "session");
			return LT_POST_RETRY;
		}
		lt_buf_clear(&bluesky->token);
		lt_buf_add_str(&bluesky->token, token);
		lt_buf_clear(&bluesky->did);
		lt_buf_add_str(&bluesky->did, did);
		return LT_POST_NEXT;
	}
	lt_err_prefix(reason, "session");
	/* nothing was posted by this */
	return verdict == LT_POST_UNKNOWN ? LT_POST_RETRY : verdict;
}

static bool is_token_refused(const struct lt_fetch_result *result)
{
	LT_AUTO(cJSON_Delete) cJSON *answer = NULL;
	struct lt_str error = { 0 };

	if (result->status != 400 && result->status != 401) {
		return false;
	}
	answer = lt_json_parse(result->body, NULL);
	if (!cJSON_IsObject(answer) || !lt_json_opt_str(answer, "error", &error, NULL)) {
		return result->status == 401;
	}
	return result->status == 401 || lt_str_eq_c(error, "ExpiredToken") ||
			lt_str_eq_c(error, "InvalidToken");
}

static enum lt_verdict judge(struct lt_announcer *self, const struct lt_post *post,
		const struct lt_announce_request *request, const struct lt_fetch_result *result,
		struct lt_err *reason)
{
	struct bluesky *bluesky = bluesky_of(self);

	(void)post;
	if (request->step == STEP_SESSION) {
		return judge_session(bluesky, result, reason);
	}
	if (is_token_refused(result)) {
		lt_buf_clear(&bluesky->token);
		lt_err_set(reason, LT_E_DENIED, "the session has ended");
		return LT_POST_NEXT;
	}
	return lt_announcer_judge_json(result, "uri", reason);
}

static void destroy(struct lt_announcer *self)
{
	struct bluesky *bluesky = bluesky_of(self);

	lt_free(bluesky->url);
	lt_free(bluesky->handle);
	lt_free(bluesky->password);
	lt_buf_finish(&bluesky->token);
	lt_buf_finish(&bluesky->did);
	lt_free(bluesky);
}

static const struct lt_announcer_ops bluesky_ops = {
	.name = "bluesky",
	.knows_repeats = true,
	.text_max = TEXT_MAX,
	.text_length = lt_text_length_bluesky,
	.build = build,
	.judge = judge,
	.destroy = destroy,
};

struct lt_announcer *lt_bluesky_create(const struct lt_bluesky_conf *conf)
{
	struct bluesky *bluesky = lt_zalloc(sizeof(*bluesky));

	bluesky->announcer.ops = &bluesky_ops;
	bluesky->url = lt_strdup(conf->url);
	bluesky->handle = lt_strdup(conf->handle);
	bluesky->password = lt_strdup(conf->password);
	return &bluesky->announcer;
}
