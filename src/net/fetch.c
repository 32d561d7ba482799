#include "net/fetch.h"

#include <math.h>

#include <curl/curl.h>

#include "base/alloc.h"
#include "base/loop.h"
#include "base/table.h"

#define TIMEOUT_MS         10000
#define BODY_MAX           ((size_t)8 * 1024 * 1024)
#define REDIRECTS_MAX      5
#define HEADERS_MAX        64
#define ANSWER_HEADERS_MAX ((size_t)16 * 1024)
#define RETRY_AFTER_MAX_S  86400
#define IDLE_MAX           16
#define PER_HOST_MAX       6
#define USER_AGENT         "livetimingd/" LT_VERSION

struct lt_fetcher {
	struct lt_loop *loop;
	bool allow_file;
	bool is_closing;
	CURLM *multi;
	struct lt_timer timer;
	struct lt_fetch *fetches;
	struct lt_deferred free_later;
};

struct lt_fetch {
	struct lt_fetcher *fetcher;
	CURL *easy;
	struct curl_slist *headers;
	struct lt_buf body;
	size_t body_max;
	bool is_too_big;
	bool is_delivering; /* in its result callback */
	struct lt_buf etag, last_modified, answer_headers;
	char error[CURL_ERROR_SIZE];
	void (*result)(void *arg, const struct lt_fetch_result *result);
	void *arg;
	struct lt_fetch *prev, *next;
};

/* A descriptor of curl's, while curl waits for it. */
struct watched {
	struct lt_fetcher *fetcher;
	curl_socket_t fd;
	struct lt_watch watch;
};

static void free_fetch(struct lt_fetch *fetch)
{
	if (fetch->easy) {
		curl_multi_remove_handle(fetch->fetcher->multi, fetch->easy);
		curl_easy_cleanup(fetch->easy);
	}
	curl_slist_free_all(fetch->headers);
	lt_buf_finish(&fetch->body);
	lt_buf_finish(&fetch->etag);
	lt_buf_finish(&fetch->last_modified);
	lt_buf_finish(&fetch->answer_headers);
	lt_free(fetch);
}

/* --- results --- */

static enum lt_errc class_of(const struct lt_fetch *fetch, CURLcode code)
{
	if (fetch->is_too_big) {
		return LT_E_LIMIT;
	}
	switch ((int)code) {
	case CURLE_OPERATION_TIMEDOUT:
		return LT_E_TIMEOUT;
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_URL_MALFORMAT:
		return LT_E_INVALID;
	case CURLE_TOO_MANY_REDIRECTS:
		return LT_E_LIMIT;
	case CURLE_FILE_COULDNT_READ_FILE:
		return LT_E_NOT_FOUND;
	default:
		return LT_E_UNAVAILABLE;
	}
}

static void describe_error(struct lt_fetch *fetch, CURLcode code, struct lt_fetch_result *result)
{
	result->code = class_of(fetch, code);
	if (fetch->is_too_big) {
		snprintf(fetch->error, sizeof(fetch->error), "the answer is over %zu bytes",
				fetch->body_max);
	} else if (!fetch->error[0]) {
		snprintf(fetch->error, sizeof(fetch->error), "%s", curl_easy_strerror(code));
	}
	/* curl begins its sentences with a capital; ours are continued from a prefix */
	if (fetch->error[0] >= 'A' && fetch->error[0] <= 'Z' && fetch->error[1] >= 'a') {
		fetch->error[0] = (char)(fetch->error[0] + ('a' - 'A'));
	}
	result->error = lt_str_from(fetch->error);
}

static void deliver(struct lt_fetch *fetch, CURLcode code)
{
	struct lt_fetch_result result = { 0 };
	char *content_type = NULL;
	long sent_bytes = 0;

	curl_easy_getinfo(fetch->easy, CURLINFO_REQUEST_SIZE, &sent_bytes);
	result.was_sent = sent_bytes > 0;
	DL_DELETE(fetch->fetcher->fetches, fetch);
	if (code == CURLE_OK) {
		curl_easy_getinfo(fetch->easy, CURLINFO_RESPONSE_CODE, &result.status);
		curl_easy_getinfo(fetch->easy, CURLINFO_CONTENT_TYPE, &content_type);
		if (result.status == 0) {
			result.status = 200; /* a file */
		}
		result.body = lt_buf_str(&fetch->body);
		result.etag = lt_buf_str(&fetch->etag);
		result.last_modified = lt_buf_str(&fetch->last_modified);
		result.headers = lt_buf_str(&fetch->answer_headers);
		result.content_type = lt_str_from(content_type);
	} else {
		describe_error(fetch, code, &result);
	}
	fetch->is_delivering = true;
	fetch->result(fetch->arg, &result);
	free_fetch(fetch);
}

/* Callbacks may start and cancel requests, and destroy the fetcher. */
static void deliver_finished(struct lt_fetcher *fetcher)
{
	int left;
	CURLMsg *message;

	while (!fetcher->is_closing && (message = curl_multi_info_read(fetcher->multi, &left))) {
		struct lt_fetch *fetch = NULL;

		if (message->msg == CURLMSG_DONE) {
			curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &fetch);
			deliver(fetch, message->data.result);
		}
	}
}

/* --- curl on our loop --- */

static void on_watched(void *arg, int events)
{
	struct watched *watched = arg;
	struct lt_fetcher *fetcher = watched->fetcher;
	int running;
	int mask = (events & LT_READABLE ? CURL_CSELECT_IN : 0) |
			(events & LT_WRITABLE ? CURL_CSELECT_OUT : 0);

	curl_multi_socket_action(fetcher->multi, watched->fd, mask, &running);
	deliver_finished(fetcher);
}

static int on_curl_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
	struct lt_fetcher *fetcher = arg;
	struct watched *watched = socket_arg;
	int events = (what & CURL_POLL_IN ? LT_READABLE : 0) |
			(what & CURL_POLL_OUT ? LT_WRITABLE : 0);

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (watched) {
			lt_watch_stop(&watched->watch);
			lt_free(watched);
			curl_multi_assign(fetcher->multi, fd, NULL);
		}
		return 0;
	}
	if (watched) {
		lt_watch_set(&watched->watch, events);
		return 0;
	}
	watched = lt_zalloc(sizeof(*watched));
	watched->fetcher = fetcher;
	watched->fd = fd;
	if (!lt_watch_start(&watched->watch, fetcher->loop, fd, events, on_watched, watched,
			    NULL)) {
		lt_free(watched);
		return -1; /* curl ends the transfer */
	}
	curl_multi_assign(fetcher->multi, fd, watched);
	return 0;
}

static void on_timer(void *arg)
{
	struct lt_fetcher *fetcher = arg;
	int running;

	curl_multi_socket_action(fetcher->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	deliver_finished(fetcher);
}

static int on_curl_timer(CURLM *multi, long timeout_ms, void *arg)
{
	struct lt_fetcher *fetcher = arg;

	(void)multi;
	if (timeout_ms < 0) {
		lt_timer_cancel(&fetcher->timer);
	} else {
		lt_timer_once(&fetcher->timer, fetcher->loop, timeout_ms, on_timer, fetcher);
	}
	return 0;
}

static size_t on_body(char *bytes, size_t size, size_t n, void *arg)
{
	struct lt_fetch *fetch = arg;

	n *= size;
	if (n > fetch->body_max - fetch->body.n) {
		fetch->is_too_big = true;
		return 0;
	}
	lt_buf_add(&fetch->body, bytes, n);
	return n;
}

static bool take_header(struct lt_str line, const char *name, struct lt_buf *value)
{
	size_t n = strlen(name);

	if (line.n <= n || line.p[n] != ':' || strncasecmp(line.p, name, n) != 0) {
		return false;
	}
	lt_buf_clear(value);
	lt_buf_add_str(value, lt_str_trim(lt_str_skip(line, n + 1)));
	return true;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the type that libcurl calls */
static size_t on_header(char *bytes, size_t size, size_t n, void *arg)
{
	struct lt_fetch *fetch = arg;
	struct lt_str line = { bytes, n * size };

	if (lt_str_starts(line, LT_STR("HTTP/"))) {
		/* another answer begins: what a redirect said about itself is not ours */
		lt_buf_clear(&fetch->etag);
		lt_buf_clear(&fetch->last_modified);
		lt_buf_clear(&fetch->answer_headers);
	} else if (line.n <= ANSWER_HEADERS_MAX - fetch->answer_headers.n) {
		lt_buf_add_str(&fetch->answer_headers, line);
	}
	if (!take_header(line, "etag", &fetch->etag)) {
		take_header(line, "last-modified", &fetch->last_modified);
	}
	return line.n;
}

/* --- requests --- */

static bool has_control_bytes(struct lt_str text)
{
	for (size_t i = 0; i < text.n; i++) {
		if ((unsigned char)text.p[i] < 0x20 || text.p[i] == 0x7f) {
			return true;
		}
	}
	return false;
}

static bool add_header(
		struct lt_fetch *fetch, const char *name, struct lt_str value, struct lt_err *err)
{
	struct lt_buf line = { 0 };

	if (has_control_bytes(value)) {
		return lt_err_set(err, LT_E_INVALID, "a header contains control characters");
	}
	lt_buf_add_c(&line, name);
	lt_buf_add_str(&line, value);
	fetch->headers = curl_slist_append(fetch->headers, line.p);
	lt_buf_finish(&line);
	if (!fetch->headers) {
		lt_oom();
	}
	return true;
}

static bool add_headers(
		struct lt_fetch *fetch, const struct lt_fetch_opts *opts, struct lt_err *err)
{
	int n = 0;

	for (const char *const *header = opts->headers; header && *header; header++) {
		if (n++ == HEADERS_MAX || !strchr(*header, ':')) {
			return lt_err_set(err, LT_E_INVALID,
					"a header must be \"Name: value\", %d at most",
					HEADERS_MAX);
		}
		if (!add_header(fetch, "", lt_str_from(*header), err)) {
			return false;
		}
	}
	return (!opts->etag.n || add_header(fetch, "If-None-Match: ", opts->etag, err)) &&
			(!opts->last_modified.n ||
					add_header(fetch, "If-Modified-Since: ",
							opts->last_modified, err));
}

static bool set_method(struct lt_fetch *fetch, const struct lt_fetch_opts *opts, struct lt_err *err)
{
	static const char *const with_body[] = { "POST", "PUT", "PATCH", "DELETE" };
	bool has_body = opts->body.p != NULL;
	const char *method = opts->method ? opts->method : has_body ? "POST" : "GET";
	bool is_known = false;

	if (strcmp(method, "GET") == 0 && !has_body) {
		return true;
	}
	if (strcmp(method, "HEAD") == 0 && !has_body) {
		curl_easy_setopt(fetch->easy, CURLOPT_NOBODY, 1L);
		return true;
	}
	for (size_t i = 0; i < LT_ARRAY_LEN(with_body); i++) {
		is_known = is_known || strcmp(method, with_body[i]) == 0;
	}
	if (!is_known) {
		return lt_err_set(err, LT_E_INVALID,
				"the method must be GET or HEAD without a body, POST, PUT, PATCH or DELETE");
	}
	if (has_body || strcmp(method, "DELETE") != 0) {
		curl_easy_setopt(fetch->easy, CURLOPT_POST, 1L);
		curl_easy_setopt(
				fetch->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)opts->body.n);
		curl_easy_setopt(fetch->easy, CURLOPT_COPYPOSTFIELDS, has_body ? opts->body.p : "");
	}
	if (strcmp(method, "POST") != 0) {
		curl_easy_setopt(fetch->easy, CURLOPT_CUSTOMREQUEST, method);
	}
	return true;
}

static void set_options(struct lt_fetch *fetch, const struct lt_fetch_opts *opts)
{
	CURL *easy = fetch->easy;

	curl_easy_setopt(easy, CURLOPT_URL, opts->url);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR,
			fetch->fetcher->allow_file ? "http,https,file" : "http,https");
	curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, opts->once ? 0L : 1L);
	curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, opts->once ? 1L : 0L);
	curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, opts->once ? 1L : 0L);
	curl_easy_setopt(easy, CURLOPT_MAXREDIRS, (long)REDIRECTS_MAX);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS,
			opts->timeout_ms ? (long)opts->timeout_ms : TIMEOUT_MS);
	curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
	curl_easy_setopt(easy, CURLOPT_USERAGENT, USER_AGENT);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, fetch->headers);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, fetch);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, fetch);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, fetch->error);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, fetch);
	if (opts->sigv4) {
		curl_easy_setopt(easy, CURLOPT_AWS_SIGV4, opts->sigv4);
		curl_easy_setopt(easy, CURLOPT_USERPWD, opts->sigv4_login);
	}
	/* names are resolved on a thread of curl's: no signals, and cancelling does not wait */
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
}

struct lt_fetch *lt_fetch_start(
		struct lt_fetcher *fetcher, const struct lt_fetch_opts *opts, struct lt_err *err)
{
	struct lt_fetch *fetch = lt_zalloc(sizeof(*fetch));

	fetch->fetcher = fetcher;
	fetch->body_max = opts->body_max ? opts->body_max : BODY_MAX;
	fetch->result = opts->result;
	fetch->arg = opts->arg;
	fetch->easy = curl_easy_init();
	if (!fetch->easy) {
		lt_oom();
	}
	if (!set_method(fetch, opts, err) || !add_headers(fetch, opts, err)) {
		free_fetch(fetch);
		return NULL;
	}
	set_options(fetch, opts);
	DL_APPEND(fetcher->fetches, fetch);
	/* only asks for a timer, so even a request that fails at once answers later */
	curl_multi_add_handle(fetcher->multi, fetch->easy);
	return fetch;
}

void lt_fetch_cancel(struct lt_fetch *fetch)
{
	if (fetch && !fetch->is_delivering) {
		DL_DELETE(fetch->fetcher->fetches, fetch);
		free_fetch(fetch);
	}
}

/* --- what an answer says --- */

struct lt_str lt_fetch_header(const struct lt_fetch_result *result, const char *name)
{
	struct lt_str rest = result->headers;
	size_t n = strlen(name);

	while (rest.p) {
		struct lt_str line = lt_str_split(&rest, '\n');

		if (line.n > n && line.p[n] == ':' && strncasecmp(line.p, name, n) == 0) {
			return lt_str_trim(lt_str_skip(line, n + 1));
		}
	}
	return LT_STR("");
}

int64_t lt_fetch_retry_after_s(const struct lt_fetch_result *result, struct lt_wall now)
{
	struct lt_str value = lt_fetch_header(result, "retry-after");
	LT_AUTO(lt_free) char *text = lt_str_dup(value);
	double seconds;
	time_t when;

	/* Discord and others send fractions */
	if (value.n && lt_parse_double(value, &seconds, NULL)) {
		seconds = LT_MIN(seconds, (double)RETRY_AFTER_MAX_S);
		return seconds < 0 ? -1 : (int64_t)ceil(seconds);
	}
	when = value.n ? curl_getdate(text, NULL) : -1;
	if (when == -1) {
		return -1;
	}
	return LT_MIN(LT_MAX((int64_t)when - lt_wall_s(now), (int64_t)0),
			(int64_t)RETRY_AFTER_MAX_S);
}

/* --- the fetcher --- */

struct lt_fetcher *lt_fetcher_create(
		struct lt_loop *loop, const struct lt_fetcher_opts *opts, struct lt_err *err)
{
	struct lt_fetcher *fetcher;

	/* counted by curl: each create has its cleanup */
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		lt_err_set(err, LT_E_IO, "libcurl cannot be started");
		return NULL;
	}
	fetcher = lt_zalloc(sizeof(*fetcher));
	fetcher->loop = loop;
	fetcher->allow_file = opts && opts->allow_file;
	fetcher->multi = curl_multi_init();
	if (!fetcher->multi) {
		lt_oom();
	}
	curl_multi_setopt(fetcher->multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket);
	curl_multi_setopt(fetcher->multi, CURLMOPT_SOCKETDATA, fetcher);
	curl_multi_setopt(fetcher->multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
	curl_multi_setopt(fetcher->multi, CURLMOPT_TIMERDATA, fetcher);
	curl_multi_setopt(fetcher->multi, CURLMOPT_MAXCONNECTS, (long)IDLE_MAX);
	curl_multi_setopt(fetcher->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)PER_HOST_MAX);
	return fetcher;
}

static void free_fetcher(void *arg)
{
	struct lt_fetcher *fetcher = arg;

	curl_multi_cleanup(fetcher->multi);
	lt_timer_cancel(&fetcher->timer); /* curl may have armed it while it cleaned up */
	curl_global_cleanup();
	lt_free(fetcher);
}

void lt_fetcher_destroy(struct lt_fetcher *fetcher)
{
	struct lt_fetch *fetch, *next;

	if (!fetcher || fetcher->is_closing) {
		return;
	}
	fetcher->is_closing = true;
	DL_FOREACH_SAFE(fetcher->fetches, fetch, next) {
		lt_fetch_cancel(fetch);
	}
	/* a result callback may be on the stack, and its request still in curl's hands */
	lt_loop_defer(fetcher->loop, &fetcher->free_later, free_fetcher, fetcher);
}

/* --- as a table --- */

static struct lt_fetch *start_by_table(
		void *arg, const struct lt_fetch_opts *opts, struct lt_err *err)
{
	return lt_fetch_start(arg, opts, err);
}

static void cancel_by_table(void *arg, struct lt_fetch *fetch)
{
	(void)arg;
	lt_fetch_cancel(fetch);
}

struct lt_requests lt_fetcher_requests(struct lt_fetcher *fetcher)
{
	return (struct lt_requests){ fetcher, start_by_table, cancel_by_table };
}
