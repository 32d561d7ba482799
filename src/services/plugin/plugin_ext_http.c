/* "lt.http/1": fetch a URL once, or at an interval with exponential backoff on errors. */
#include <stdio.h>

#include "base/alloc.h"
#include "net/fetch.h"
#include "services/plugin/plugin_host_priv.h"
#include "services/plugin/plugin_state.h"

#define BACKOFF_MAX_MS 60000

struct http {
	struct lt_resource resource;
	struct lt_fetch *fetch; /* NULL between two of them */
	struct lt_host_stream stream;
	struct lt_timer timer;
	struct lt_http_opts opts; /* its texts are the copies below */
	char *url, *method, *body;
	char **headers;
	char *etag, *last_modified; /* of the last good answer; NULL: none */
	unsigned failures;          /* in a row */
};

static void close_http(struct lt_resource *resource)
{
	struct http *http = lt_container_of(resource, struct http, resource);

	lt_timer_cancel(&http->timer);
	lt_fetch_cancel(http->fetch);
	http->fetch = NULL;
	lt_host_stream_close(&http->stream);
}

static void free_http(struct lt_resource *resource)
{
	struct http *http = lt_container_of(resource, struct http, resource);

	for (size_t i = 0; http->headers != NULL && http->headers[i] != NULL; i++) {
		lt_free(http->headers[i]);
	}
	lt_free(http->headers);
	lt_free(http->url);
	lt_free(http->method);
	lt_free(http->body);
	lt_free(http->etag);
	lt_free(http->last_modified);
	lt_free(http);
}

static void copy_headers(struct http *http, const char *const *headers)
{
	size_t n = 0;

	while (headers != NULL && headers[n] != NULL) {
		n++;
	}
	http->headers = lt_calloc(n + 1, sizeof(*http->headers));
	for (size_t i = 0; i < n; i++) {
		http->headers[i] = lt_strdup(headers[i]);
	}
}

static void start_fetch(struct http *http);

static void on_timer(void *arg)
{
	start_fetch(arg);
}

static int64_t next_delay_ms(const struct http *http)
{
	int64_t delay = http->opts.interval_ms;
	int64_t longest = LT_MAX(delay, BACKOFF_MAX_MS);

	for (unsigned i = 0; i < http->failures && delay < longest; i++) {
		delay *= 2;
	}
	return LT_MIN(delay, longest);
}

static void remember(char **slot, struct lt_str value)
{
	lt_free(*slot);
	*slot = value.n > 0 ? lt_str_dup(value) : NULL;
}

static void give(struct http *http, const struct lt_http_result *result)
{
	struct lt_host_call call;

	if (lt_host_enter(http->resource.host, "result", &call)) {
		http->opts.result(http->opts.arg, result);
		lt_host_leave(&call);
	}
}

static void record(const struct http *http, const struct lt_http_result *result)
{
	char status[16];

	snprintf(status, sizeof(status), "%d", (int)result->status);
	lt_host_stream_record(&http->stream, LT_RAW_HTTP, lt_str_from(status),
			result->status == 0 ? result->error : result->body);
}

static void on_played(void *arg, const struct lt_raw_record *record)
{
	struct lt_http_result result = { .size = sizeof(result), .retry_after_s = -1 };
	int64_t status = 0;

	if (record->kind != LT_RAW_HTTP ||
			!lt_parse_i64(record->attribute, 0, 999, &status, NULL)) {
		return;
	}
	result.status = (int32_t)status;
	*(status == 0 ? &result.error : &result.body) = record->bytes;
	give(arg, &result);
}

static void on_result(void *arg, const struct lt_fetch_result *result)
{
	struct http *http = arg;
	bool is_good = result->status >= 200 && result->status < 300;
	bool is_unchanged = result->status == 304 ||
			(is_good && http->opts.interval_ms > 0 && http->etag != NULL &&
					lt_str_eq_c(result->etag, http->etag));
	struct lt_http_result given = { .size = sizeof(given),
		.status = (int32_t)result->status,
		.body = result->body,
		.error = result->error,
		.retry_after_s = (int32_t)lt_fetch_retry_after_s(
				result, lt_loop_wall(http->resource.host->env.loop)) };

	http->fetch = NULL;
	http->failures = is_good || is_unchanged ? 0 : http->failures + 1;
	if (is_good) {
		remember(&http->etag, result->etag);
		remember(&http->last_modified, result->last_modified);
	}
	if (http->opts.interval_ms > 0) {
		lt_timer_once(&http->timer, http->resource.host->env.loop, next_delay_ms(http),
				on_timer, http);
	}
	if (!is_unchanged) {
		record(http, &given);
		give(http, &given);
	}
}

static void start_fetch(struct http *http)
{
	struct lt_host *host = http->resource.host;
	bool repeats = http->opts.interval_ms > 0;
	struct lt_err err = { 0 };
	struct lt_fetch_opts opts = { .url = http->url,
		.method = http->method,
		.headers = (const char *const *)http->headers,
		.body = http->opts.body,
		.timeout_ms = http->opts.timeout_ms,
		.body_max = http->opts.body_max,
		.etag = lt_str_from(repeats ? http->etag : NULL),
		.last_modified = lt_str_from(repeats ? http->last_modified : NULL),
		.result = on_result,
		.arg = http };

	if (host->env.fetcher == NULL) {
		lt_err_set(&err, LT_E_UNAVAILABLE, "this host has no HTTP client");
	} else {
		http->fetch = lt_fetch_start(host->env.fetcher, &opts, &err);
	}
	if (http->fetch == NULL) {
		lt_host_fail_err(host, &err);
	}
}

static void *http_fetch(struct lt_host *host, const struct lt_http_opts *theirs)
{
	struct http *http = lt_zalloc(sizeof(*http));

	lt_copy_sized(&http->opts, sizeof(http->opts), theirs);
	http->url = lt_strdup(http->opts.url ? http->opts.url : "");
	http->method = http->opts.method ? lt_strdup(http->opts.method) : NULL;
	if (http->opts.body.p != NULL) {
		http->body = lt_str_dup(http->opts.body);
		http->opts.body.p = http->body;
	}
	copy_headers(http, http->opts.headers);
	http->resource.close = close_http;
	http->resource.free = free_http;
	lt_resource_add(host, &http->resource);
	/* Addresses may hold what is secret: they are not in a capture. */
	if (lt_host_stream_open(&http->stream, host, "http", LT_STR(""), on_played, http)) {
		return http;
	}
	start_fetch(http);
	if (http->fetch == NULL) {
		lt_resource_close(&http->resource);
		return NULL;
	}
	return http;
}

static void http_cancel(void *handle)
{
	struct http *http = lt_resource_check(handle, close_http);

	if (http != NULL) {
		lt_resource_close(&http->resource);
	}
}

const struct lt_http_ext lt_host_http_ext = {
	.size = sizeof(lt_host_http_ext), .fetch = http_fetch, .cancel = http_cancel
};
