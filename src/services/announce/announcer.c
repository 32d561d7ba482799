#include "services/announce/announcer.h"

#include <assert.h>

#include "base/alloc.h"
#include "base/json.h"

/* --- requests --- */

void lt_announce_request_finish(struct lt_announce_request *request)
{
	lt_free(request->url);
	lt_buf_finish(&request->where);
	for (size_t i = 0; request->headers[i]; i++) {
		lt_free(request->headers[i]);
	}
	lt_buf_finish(&request->body);
	*request = (struct lt_announce_request){ 0 };
}

void lt_announce_request_header(
		struct lt_announce_request *request, const char *name, struct lt_str value)
{
	struct lt_buf line = { 0 };
	size_t n = 0;

	while (request->headers[n]) {
		n++;
	}
	assert(n < LT_ANNOUNCE_HEADERS_MAX);
	lt_buf_printf(&line, "%s: ", name);
	lt_buf_add_str(&line, value);
	request->headers[n] = lt_buf_steal(&line);
}

/* Host and port of a URL, without credentials, path and query. */
static void add_host(struct lt_buf *buf, struct lt_str url)
{
	const char *at = memmem(url.p, url.n, "://", 3);
	struct lt_str host = at ? lt_str_skip(url, (size_t)(at - url.p) + 3) : url;
	const char *sign;

	for (size_t i = 0; i < host.n; i++) {
		if (strchr("/?#", host.p[i])) {
			host.n = i;
		}
	}
	sign = host.n ? memrchr(host.p, '@', host.n) : NULL;
	if (sign) {
		host = lt_str_skip(host, (size_t)(sign - host.p) + 1);
	}
	lt_buf_add_str(buf, host);
}

void lt_announce_request_url(struct lt_announce_request *request, const char *url, const char *path)
{
	struct lt_buf whole = { 0 };
	struct lt_str base = lt_str_from(url);

	while (*path && lt_str_ends(base, LT_STR("/"))) {
		base.n--;
	}
	lt_buf_add_str(&whole, base);
	lt_buf_add_c(&whole, path);
	add_host(&request->where, lt_buf_str(&whole));
	request->url = lt_buf_steal(&whole);
}

/* --- the wrappers of the table --- */

void lt_announcer_destroy(struct lt_announcer *announcer)
{
	if (announcer) {
		announcer->ops->destroy(announcer);
	}
}

int64_t lt_announcer_retry_after_s(const struct lt_announcer *announcer,
		const struct lt_fetch_result *result, struct lt_wall now)
{
	int64_t seconds = lt_fetch_retry_after_s(result, now);

	if (seconds < 0 && announcer->ops->retry_after_s) {
		seconds = announcer->ops->retry_after_s(result, now);
	}
	return seconds;
}

/* --- answers --- */

static void describe(const struct lt_fetch_result *result, struct lt_err *reason)
{
	char quoted[LT_QUOTE_MAX];

	if (result->status == 0) {
		lt_err_set(reason, result->code, "%.*s", LT_STR_ARG(result->error));
	} else if (result->body.n) {
		lt_err_set(reason, LT_E_UNAVAILABLE, "status %ld, %s", result->status,
				lt_str_quote(result->body, quoted));
	} else {
		lt_err_set(reason, LT_E_UNAVAILABLE, "status %ld", result->status);
	}
}

static bool is_passing(long status)
{
	return status == 408 || status == 425 || status == 429 || status >= 500;
}

enum lt_verdict lt_announcer_judge(const struct lt_fetch_result *result, struct lt_err *reason)
{
	long status = result->status;

	if (status >= 200 && status < 300) {
		return LT_POST_DONE;
	}
	describe(result, reason);
	if (status == 0) {
		return result->was_sent ? LT_POST_UNKNOWN : LT_POST_RETRY;
	}
	if (status == 502 || status == 504) {
		return LT_POST_UNKNOWN; /* a proxy that did not hear the end of it */
	}
	return is_passing(status) ? LT_POST_RETRY : LT_POST_REFUSED;
}

enum lt_verdict lt_announcer_judge_json(
		const struct lt_fetch_result *result, const char *member, struct lt_err *reason)
{
	enum lt_verdict verdict = lt_announcer_judge(result, reason);

	if (verdict == LT_POST_DONE) {
		LT_AUTO(cJSON_Delete) cJSON *answer = lt_json_parse(result->body, NULL);

		if (!lt_json_get(answer, member)) {
			describe(result, reason);
			lt_err_prefix(reason, "not an answer of this network");
			return LT_POST_UNKNOWN;
		}
	}
	return verdict;
}
