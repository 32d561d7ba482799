#include "cli/assist/http.h"

#include <string.h>

#include "base/alloc.h"
#include "base/loop.h"
#include "net/fetch.h"

#define TRIES      4
#define WAIT_MS    1000
#define WAIT_MAX_S 60

struct lt_cli_http {
	struct lt_loop *loop;
	struct lt_fetcher *fetcher;
	struct lt_timer pause;
	/* Of the request under way. */
	const struct lt_cli_request *request;
	int tries;
	long status;
	struct lt_buf body;
	struct lt_err err;
	bool has_failed;
};

struct lt_cli_http *lt_cli_http_create(struct lt_err *err)
{
	struct lt_cli_http *http = lt_zalloc(sizeof(*http));

	http->loop = lt_loop_create(err);
	if (http->loop) {
		http->fetcher = lt_fetcher_create(
				http->loop, &(struct lt_fetcher_opts){ .allow_file = true }, err);
	}
	if (!http->fetcher) {
		lt_cli_http_destroy(http);
		return NULL;
	}
	return http;
}

void lt_cli_http_destroy(struct lt_cli_http *http)
{
	if (http) {
		lt_fetcher_destroy(http->fetcher);
		if (http->loop) {
			lt_loop_destroy(http->loop);
		}
		lt_buf_finish(&http->body);
		lt_free(http);
	}
}

static void ask(void *arg);

static bool is_busy(const struct lt_fetch_result *result)
{
	static const char quota[] = "ateLimitExceeded"; /* Google's reasons for 403 end so */

	return result->status == 429 || result->status == 500 ||
			(result->status >= 502 && result->status <= 504) ||
			(result->status == 403 && result->body.n > 0 &&
					memmem(result->body.p, result->body.n, quota,
							sizeof(quota) - 1));
}

static void on_result(void *arg, const struct lt_fetch_result *result)
{
	struct lt_cli_http *http = arg;
	int64_t wait_s = lt_fetch_retry_after_s(result, lt_loop_wall(http->loop));

	if (is_busy(result) && http->tries < TRIES) {
		int64_t wait_ms = wait_s >= 0 ? LT_MIN(wait_s, WAIT_MAX_S) * 1000
					      : (int64_t)WAIT_MS << (http->tries - 1);

		lt_timer_once(&http->pause, http->loop, wait_ms, ask, http);
		return;
	}
	http->status = result->status;
	lt_buf_clear(&http->body);
	lt_buf_add_str(&http->body, result->body);
	if (result->status == 0) {
		http->has_failed = true;
		lt_err_set(&http->err, result->code, "%.*s", LT_STR_ARG(result->error));
	}
	lt_loop_stop(http->loop);
}

static void ask(void *arg)
{
	struct lt_cli_http *http = arg;

	http->tries++;
	if (!lt_fetch_start(http->fetcher,
			    &(struct lt_fetch_opts){ .url = http->request->url,
					    .method = http->request->method,
					    .headers = http->request->headers,
					    .body = http->request->body,
					    .body_max = http->request->body_max,
					    .timeout_ms = 30000,
					    .once = http->request->body.p != NULL,
					    .result = on_result,
					    .arg = http },
			    &http->err)) {
		http->has_failed = true;
		lt_loop_stop(http->loop);
	}
}

bool lt_cli_http_ask(struct lt_cli_http *http, const struct lt_cli_request *request,
		long *ret_status, struct lt_buf *ret_body, struct lt_err *err)
{
	http->request = request;
	http->tries = 0;
	http->has_failed = false;
	lt_timer_once(&http->pause, http->loop, 0, ask, http);
	lt_loop_run(http->loop);
	if (http->has_failed) {
		*err = http->err;
		return false;
	}
	*ret_status = http->status;
	lt_buf_clear(ret_body);
	lt_buf_add_str(ret_body, lt_buf_str(&http->body));
	return true;
}
