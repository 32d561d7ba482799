/* What each network is asked, and what its answers mean. */
#include "base/alloc.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/random.h"
#include "services/announce/announcer.h"
#include "support/test.h"

static const struct lt_post post = {
	.key = { "uid-1 1778936400000000", 22 },
	.text = { "Starting now: Spa \xe2\x80\x93 24h. Follow live at https://t.example/s/wec",
			65 },
	.link = { "https://t.example/s/wec", 23 },
	.name = { "Spa \xe2\x80\x93 24h", 11 },
	.uid = { "uid-1", 5 },
	.service = { "wec", 3 },
	.start = { INT64_C(1778936400) * LT_US_PER_S },
	.created = { INT64_C(1778936100) * LT_US_PER_S },
	.now = { INT64_C(1778936101) * LT_US_PER_S },
};

static const char *header_of(const struct lt_announce_request *request, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; request->headers[i]; i++) {
		if (strncmp(request->headers[i], name, n) == 0 && request->headers[i][n] == ':') {
			return request->headers[i] + n + 2;
		}
	}
	return "";
}

static struct lt_fetch_result answer(long status, const char *body)
{
	return (struct lt_fetch_result){
		.status = status, .body = lt_str_from(body), .was_sent = true
	};
}

static enum lt_verdict judge(struct lt_announcer *announcer, const struct lt_post *of,
		struct lt_fetch_result result, struct lt_err *reason)
{
	struct lt_announce_request request = { 0 };
	enum lt_verdict verdict;

	announcer->ops->build(announcer, of, &request);
	verdict = announcer->ops->judge(announcer, of, &request, &result, reason);
	lt_announce_request_finish(&request);
	return verdict;
}

/* --- X --- */

static struct lt_announcer *x_announcer(struct lt_random *random)
{
	return lt_x_create(&(struct lt_x_conf){ "https://api.x.example/2/tweets", "ck", "cs", "at",
					   "as" },
			random);
}

static void x_is_sent_signed_json(void **state)
{
	struct lt_random *random = lt_random_create(1, NULL);
	struct lt_announcer *x = x_announcer(random);
	struct lt_announce_request request = { 0 }, second = { 0 };
	(void)state;

	x->ops->build(x, &post, &request);
	x->ops->build(x, &post, &second);

	assert_string_equal(request.url, "https://api.x.example/2/tweets");
	assert_str_equal(lt_buf_str(&request.where), "api.x.example");
	assert_string_equal(header_of(&request, "Content-Type"), "application/json");
	assert_str_equal(lt_buf_str(&request.body),
			"{\"text\":\"Starting now: Spa \xe2\x80\x93 24h. Follow live at "
			"https://t.example/s/wec\"}");
	assert_non_null(strstr(
			header_of(&request, "Authorization"), "OAuth oauth_consumer_key=\"ck\""));
	assert_non_null(strstr(
			header_of(&request, "Authorization"), "oauth_timestamp=\"1778936101\""));
	/* another nonce, another signature */
	assert_string_not_equal(
			header_of(&request, "Authorization"), header_of(&second, "Authorization"));
	lt_announce_request_finish(&request);
	lt_announce_request_finish(&second);
	lt_announcer_destroy(x);
	lt_random_destroy(random);
}

static void x_refuses_a_duplicate_which_is_success_only_for_a_repeat(void **state)
{
	static const char body[] =
			"{\"detail\":\"You are not allowed to create a Tweet with duplicate "
			"content.\",\"status\":403}";
	struct lt_random *random = lt_random_create(1, NULL);
	struct lt_announcer *x = x_announcer(random);
	struct lt_post repeat = post;
	struct lt_err reason = { 0 };
	(void)state;

	repeat.is_repeat = true;

	assert_int_equal(judge(x, &post, answer(403, body), &reason), LT_POST_REFUSED);
	assert_int_equal(judge(x, &repeat, answer(403, body), &reason), LT_POST_DONE);
	assert_int_equal(judge(x, &repeat, answer(403, "{\"detail\":\"suspended\"}"), &reason),
			LT_POST_REFUSED);
	lt_announcer_destroy(x);
	lt_random_destroy(random);
}

static void x_is_done_with_data_alone_and_tells_when_its_window_ends(void **state)
{
	struct lt_random *random = lt_random_create(1, NULL);
	struct lt_announcer *x = x_announcer(random);
	struct lt_fetch_result limited = answer(429, "{}");
	struct lt_err reason = { 0 };
	(void)state;

	limited.headers = LT_STR("HTTP/1.1 429 x\r\nX-Rate-Limit-Reset: 1778936161\r\n");

	assert_int_equal(judge(x, &post, answer(201, "{\"data\":{\"id\":\"1\"}}"), &reason),
			LT_POST_DONE);
	assert_int_equal(judge(x, &post, answer(200, "<html>log in</html>"), &reason),
			LT_POST_UNKNOWN);
	assert_string_equal(reason.msg,
			"not an answer of this network: status 200, \"<html>log in</html>\"");
	assert_int_equal(lt_announcer_retry_after_s(x, &limited, post.now), 60);
	limited.headers = LT_STR("HTTP/1.1 429 x\r\nRetry-After: 7\r\nX-Rate-Limit-Reset: 1\r\n");
	assert_int_equal(lt_announcer_retry_after_s(x, &limited, post.now), 7);
	lt_announcer_destroy(x);
	lt_random_destroy(random);
}

/* --- Mastodon --- */

static void mastodon_is_sent_a_form_with_a_key_of_the_announcement(void **state)
{
	struct lt_announcer *mastodon = lt_mastodon_create(
			&(struct lt_mastodon_conf){ "https://m.example/", "tok", "unlisted" });
	struct lt_announce_request request = { 0 }, again = { 0 }, other = { 0 };
	struct lt_post another = post;
	(void)state;

	another.key = LT_STR("uid-2 1778936400000000");
	mastodon->ops->build(mastodon, &post, &request);
	mastodon->ops->build(mastodon, &post, &again);
	mastodon->ops->build(mastodon, &another, &other);

	assert_string_equal(request.url, "https://m.example/api/v1/statuses");
	assert_string_equal(header_of(&request, "Authorization"), "Bearer tok");
	assert_string_equal(
			header_of(&request, "Content-Type"), "application/x-www-form-urlencoded");
	assert_str_equal(lt_buf_str(&request.body),
			"status=Starting%20now%3A%20Spa%20%E2%80%93%2024h.%20Follow%20live%20at%20"
			"https%3A%2F%2Ft.example%2Fs%2Fwec&visibility=unlisted");
	assert_string_equal(header_of(&request, "Idempotency-Key"),
			header_of(&again, "Idempotency-Key"));
	assert_string_not_equal(header_of(&request, "Idempotency-Key"),
			header_of(&other, "Idempotency-Key"));
	lt_announce_request_finish(&request);
	lt_announce_request_finish(&again);
	lt_announce_request_finish(&other);
	lt_announcer_destroy(mastodon);
}

/* --- Bluesky --- */

static struct lt_announcer *bluesky_announcer(void)
{
	return lt_bluesky_create(
			&(struct lt_bluesky_conf){ "https://b.example", "me.example", "app\"pw" });
}

static void log_in(struct lt_announcer *bluesky)
{
	struct lt_err reason = { 0 };

	assert_int_equal(
			judge(bluesky, &post,
					answer(200, "{\"accessJwt\":\"jwt\",\"did\":\"did:plc:1\"}"),
					&reason),
			LT_POST_NEXT);
}

static void bluesky_takes_a_session_first(void **state)
{
	struct lt_announcer *bluesky = bluesky_announcer();
	struct lt_announce_request request = { 0 };
	(void)state;

	bluesky->ops->build(bluesky, &post, &request);

	assert_string_equal(request.url, "https://b.example/xrpc/com.atproto.server.createSession");
	assert_str_equal(lt_buf_str(&request.body),
			"{\"identifier\":\"me.example\",\"password\":\"app\\\"pw\"}");
	lt_announce_request_finish(&request);
	lt_announcer_destroy(bluesky);
}

static void bluesky_gets_facets_with_offsets_in_bytes(void **state)
{
	struct lt_announcer *bluesky = bluesky_announcer();
	struct lt_announce_request request = { 0 };
	(void)state;

	log_in(bluesky);
	bluesky->ops->build(bluesky, &post, &request);

	assert_string_equal(request.url, "https://b.example/xrpc/com.atproto.repo.createRecord");
	assert_string_equal(header_of(&request, "Authorization"), "Bearer jwt");
	cJSON *body = lt_json_parse(lt_buf_str(&request.body), NULL);
	const cJSON *record = lt_json_get(body, "record");
	const cJSON *facet = cJSON_GetArrayItem(lt_json_get(record, "facets"), 0);
	int64_t start, end;
	struct lt_str uri, text, created, key;

	assert_true(lt_json_get_int(
			lt_json_get(facet, "index"), "byteStart", 0, 1000, &start, NULL));
	assert_true(lt_json_get_int(lt_json_get(facet, "index"), "byteEnd", 0, 1000, &end, NULL));
	assert_true(lt_json_get_str(
			cJSON_GetArrayItem(lt_json_get(facet, "features"), 0), "uri", &uri, NULL));
	assert_true(lt_json_get_str(record, "text", &text, NULL));
	assert_true(lt_json_get_str(record, "createdAt", &created, NULL));
	assert_true(lt_json_get_str(body, "rkey", &key, NULL));
	/* the dash before it takes three bytes */
	assert_int_equal(start, 42);
	assert_str_equal(((struct lt_str){ text.p + start, (size_t)(end - start) }),
			"https://t.example/s/wec");
	assert_str_equal(uri, "https://t.example/s/wec");
	assert_str_equal(created, "2026-05-16T12:55:00.000Z");
	assert_int_equal(key.n, 13);
	assert_int_equal(strspn(key.p, "234567abcdefghijklmnopqrstuvwxyz"), 13);
	cJSON_Delete(body);
	lt_announce_request_finish(&request);
	lt_announcer_destroy(bluesky);
}

static void bluesky_puts_a_repeat_in_the_place_of_the_first(void **state)
{
	struct lt_announcer *bluesky = bluesky_announcer();
	struct lt_announce_request first = { 0 }, second = { 0 };
	struct lt_post repeat = post;
	(void)state;

	repeat.is_repeat = true;
	repeat.now.us += 60 * LT_US_PER_S;
	log_in(bluesky);
	bluesky->ops->build(bluesky, &post, &first);
	bluesky->ops->build(bluesky, &repeat, &second);

	assert_string_equal(second.url, "https://b.example/xrpc/com.atproto.repo.putRecord");
	assert_string_equal(first.body.p, second.body.p);
	lt_announce_request_finish(&first);
	lt_announce_request_finish(&second);
	lt_announcer_destroy(bluesky);
}

static void bluesky_logs_in_again_when_its_session_has_ended(void **state)
{
	struct lt_announcer *bluesky = bluesky_announcer();
	struct lt_announce_request request = { 0 };
	struct lt_err reason = { 0 };
	(void)state;

	log_in(bluesky);
	assert_int_equal(
			judge(bluesky, &post, answer(400, "{\"error\":\"ExpiredToken\"}"), &reason),
			LT_POST_NEXT);
	bluesky->ops->build(bluesky, &post, &request);

	assert_non_null(strstr(request.url, "createSession"));
	assert_false(request.is_post);
	lt_announce_request_finish(&request);
	lt_announcer_destroy(bluesky);
}

static void bluesky_sessions_that_fail_have_posted_nothing(void **state)
{
	static const struct {
		long status;
		const char *body;
		enum lt_verdict verdict;
	} cases[] = {
		{ 401, "{\"error\":\"AuthenticationRequired\"}", LT_POST_REFUSED },
		{ 0, "", LT_POST_RETRY },
		{ 504, "", LT_POST_RETRY },
		{ 200, "<html>", LT_POST_RETRY },
		{ 200, "{\"did\":\"x\"}", LT_POST_RETRY },
	};
	(void)state;

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		struct lt_announcer *bluesky = bluesky_announcer();
		struct lt_err reason = { 0 };

		assert_int_equal(judge(bluesky, &post, answer(cases[i].status, cases[i].body),
						 &reason),
				cases[i].verdict);
		assert_memory_equal(reason.msg, "session: ", 9);
		lt_announcer_destroy(bluesky);
	}
}

/* --- Discord --- */

static void discord_mentions_nobody(void **state)
{
	struct lt_announcer *discord = lt_discord_create(
			&(struct lt_discord_conf){ "https://d.example/api/webhooks/1/secret" });
	struct lt_announce_request request = { 0 };
	struct lt_post everyone = post;
	(void)state;

	everyone.text = LT_STR("@everyone \"now\"");
	discord->ops->build(discord, &everyone, &request);

	assert_string_equal(request.url, "https://d.example/api/webhooks/1/secret");
	assert_str_equal(lt_buf_str(&request.where), "d.example");
	assert_str_equal(lt_buf_str(&request.body),
			"{\"content\":\"@everyone \\\"now\\\"\",\"allowed_mentions\":{\"parse\":[]}}");
	assert_false(discord->ops->knows_repeats);
	lt_announce_request_finish(&request);
	lt_announcer_destroy(discord);
}

/* --- webhook --- */

static void a_webhook_is_signed_over_timestamp_and_body(void **state)
{
	struct lt_announcer *webhook = lt_webhook_create(
			&(struct lt_webhook_conf){ "https://u:p@w.example:8443/hook?k=v", "hush" });
	struct lt_announce_request request = { 0 };
	LT_AUTO(lt_buf_finish) struct lt_buf signed_text = { 0 };
	LT_AUTO(lt_buf_finish) struct lt_buf expected = { 0 };
	uint8_t mac[LT_SHA256_BYTES];
	(void)state;

	webhook->ops->build(webhook, &post, &request);

	lt_buf_printf(&signed_text, "1778936101.%.*s", LT_STR_ARG(lt_buf_str(&request.body)));
	lt_hmac_sha256(LT_STR("hush"), lt_buf_str(&signed_text), mac);
	lt_buf_add_c(&expected, "sha256=");
	lt_hex_encode(&expected, mac, sizeof(mac));
	assert_string_equal(header_of(&request, "X-Livetiming-Signature"), expected.p);
	assert_string_equal(header_of(&request, "X-Livetiming-Timestamp"), "1778936101");
	assert_str_equal(lt_buf_str(&request.where), "w.example:8443");
	cJSON *body = lt_json_parse(lt_buf_str(&request.body), NULL);
	struct lt_str event, start, id;

	assert_true(lt_json_get_str(body, "event", &event, NULL));
	assert_true(lt_json_get_str(body, "start", &start, NULL));
	assert_true(lt_json_get_str(body, "id", &id, NULL));
	assert_str_equal(event, "started");
	assert_str_equal(start, "2026-05-16T13:00:00.000Z");
	assert_str_equal(id, header_of(&request, "Idempotency-Key"));
	cJSON_Delete(body);
	lt_announce_request_finish(&request);
	lt_announcer_destroy(webhook);
}

static void a_webhook_without_a_secret_is_not_signed(void **state)
{
	struct lt_announcer *webhook =
			lt_webhook_create(&(struct lt_webhook_conf){ "https://w.example/", NULL });
	struct lt_announce_request request = { 0 };
	(void)state;

	webhook->ops->build(webhook, &post, &request);

	assert_string_equal(header_of(&request, "X-Livetiming-Signature"), "");
	lt_announce_request_finish(&request);
	lt_announcer_destroy(webhook);
}

/* --- answers in general --- */

static void answers_are_done_tried_again_unknown_or_refused(void **state)
{
	static const struct {
		long status;
		bool was_sent;
		enum lt_verdict verdict;
	} cases[] = {
		{ 200, true, LT_POST_DONE },
		{ 204, true, LT_POST_DONE },
		{ 301, true, LT_POST_REFUSED },
		{ 400, true, LT_POST_REFUSED },
		{ 401, true, LT_POST_REFUSED },
		{ 403, true, LT_POST_REFUSED },
		{ 404, true, LT_POST_REFUSED },
		{ 408, true, LT_POST_RETRY },
		{ 425, true, LT_POST_RETRY },
		{ 429, true, LT_POST_RETRY },
		{ 500, true, LT_POST_RETRY },
		{ 503, true, LT_POST_RETRY },
		{ 502, true, LT_POST_UNKNOWN },
		{ 504, true, LT_POST_UNKNOWN },
		{ 0, false, LT_POST_RETRY },
		{ 0, true, LT_POST_UNKNOWN },
	};
	(void)state;

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		struct lt_err reason = { 0 };
		struct lt_fetch_result result = { .status = cases[i].status,
			.was_sent = cases[i].was_sent,
			.error = LT_STR("gone"),
			.code = LT_E_UNAVAILABLE };

		assert_int_equal(lt_announcer_judge(&result, &reason), cases[i].verdict);
		assert_int_equal(reason.msg[0] != '\0', cases[i].verdict != LT_POST_DONE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(x_is_sent_signed_json),
		cmocka_unit_test(x_refuses_a_duplicate_which_is_success_only_for_a_repeat),
		cmocka_unit_test(x_is_done_with_data_alone_and_tells_when_its_window_ends),
		cmocka_unit_test(mastodon_is_sent_a_form_with_a_key_of_the_announcement),
		cmocka_unit_test(bluesky_takes_a_session_first),
		cmocka_unit_test(bluesky_gets_facets_with_offsets_in_bytes),
		cmocka_unit_test(bluesky_puts_a_repeat_in_the_place_of_the_first),
		cmocka_unit_test(bluesky_logs_in_again_when_its_session_has_ended),
		cmocka_unit_test(bluesky_sessions_that_fail_have_posted_nothing),
		cmocka_unit_test(discord_mentions_nobody),
		cmocka_unit_test(a_webhook_is_signed_over_timestamp_and_body),
		cmocka_unit_test(a_webhook_without_a_secret_is_not_signed),
		cmocka_unit_test(answers_are_done_tried_again_unknown_or_refused),
	};

	return cmocka_run_group_tests_name("services/announcer", tests, NULL, NULL);
}
