#include "router/http.h"

#include <assert.h>
#include <inttypes.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/loop.h"
#include "base/table.h"
#include "router/http_req.h"

struct route {
	struct route *next, *prev;
	char *method, *path;
	size_t path_n;
	bool cors;
	size_t body_max;
	lt_http_fn fn;
	void *arg;
};

struct lt_http {
	struct lt_loop *loop;
	struct route *routes;
};

struct lt_http *lt_http_create(struct lt_loop *loop)
{
	struct lt_http *http = lt_zalloc(sizeof(*http));

	http->loop = loop;
	return http;
}

static void free_route(struct route *route)
{
	lt_free(route->method);
	lt_free(route->path);
	lt_free(route);
}

void lt_http_destroy(struct lt_http *http)
{
	struct route *route, *next;

	if (!http) {
		return;
	}
	DL_FOREACH_SAFE(http->routes, route, next) {
		free_route(route);
	}
	lt_free(http);
}

/* --- routes --- */

void lt_http_add(struct lt_http *http, const struct lt_http_route *added)
{
	struct route *route = lt_zalloc(sizeof(*route));

	assert(added->path[0] == '/' && added->fn);
	route->method = lt_strdup(added->method);
	route->path = lt_strdup(added->path);
	route->path_n = strlen(added->path);
	route->cors = added->cors;
	route->body_max = added->body_max;
	route->fn = added->fn;
	route->arg = added->arg;
	DL_APPEND(http->routes, route);
}

void lt_http_remove(struct lt_http *http, const char *method, const char *path)
{
	struct route *route, *next;

	DL_FOREACH_SAFE(http->routes, route, next) {
		if (strcmp(route->method, method) == 0 && strcmp(route->path, path) == 0) {
			DL_DELETE(http->routes, route);
			free_route(route);
		}
	}
}

static bool path_matches(const struct route *route, struct lt_str path)
{
	struct lt_str pattern = { route->path, route->path_n };

	if (route->path_n > 1 && route->path[route->path_n - 1] == '/') {
		return lt_str_starts(path, pattern);
	}
	return lt_str_eq(path, pattern);
}

/* Length of the longest path that matches, 0: none. */
static size_t longest_match(const struct lt_http *http, struct lt_str path)
{
	const struct route *route;
	size_t longest = 0;

	DL_FOREACH(http->routes, route) {
		if (route->path_n > longest && path_matches(route, path)) {
			longest = route->path_n;
		}
	}
	return longest;
}

static const struct route *match_method(
		const struct lt_http *http, struct lt_str path, size_t path_n, const char *method)
{
	const struct route *route;

	DL_FOREACH(http->routes, route) {
		if (route->path_n == path_n && path_matches(route, path) &&
				strcmp(route->method, method) == 0) {
			return route;
		}
	}
	return NULL;
}

/* OPTIONS of a route with CORS, and a method that the path does not have. */
static void answer_method(struct lt_http_req *req, bool get, bool post)
{
	const char *allow = get && post ? "GET, HEAD, POST, OPTIONS"
			: get           ? "GET, HEAD, OPTIONS"
					: "POST, OPTIONS";
	const char *const headers[] = {
		"Allow",
		allow,
		req->cors ? "Access-Control-Allow-Methods" : NULL,
		allow,
		"Access-Control-Allow-Headers",
		"Content-Type, If-None-Match, Range, X-Access-Code",
		"Access-Control-Max-Age",
		"86400",
		NULL,
	};
	struct lt_http_reply reply = { .status = 204, .headers = headers };

	if (req->method != LT_HTTP_OPTIONS) {
		reply.status = 405;
		reply.content_type = "text/plain; charset=utf-8";
		reply.body = LT_STR("this method is not allowed here\n");
	}
	lt_http_reply(req, &reply);
}

bool lt_http_route_find(struct lt_http *http, struct lt_http_req *req)
{
	struct lt_str path = lt_http_path(req);
	size_t path_n = longest_match(http, path);
	const struct route *get = match_method(http, path, path_n, "GET");
	const struct route *post = match_method(http, path, path_n, "POST");
	const struct route *route = req->method == LT_HTTP_POST ? post : get;

	if (path_n == 0) {
		lt_http_reply_text(req, 404, "there is nothing at this address");
		return false;
	}
	req->cors = (get && get->cors) || (post && post->cors);
	if (!route || req->method == LT_HTTP_OPTIONS || req->method == LT_HTTP_OTHER) {
		answer_method(req, get != NULL, post != NULL);
		return false;
	}
	req->cors = route->cors;
	req->fn = route->fn;
	req->fn_arg = route->arg;
	req->body_max = route->body_max;
	return true;
}

/* --- requests --- */

struct lt_http_req *lt_http_req_create(struct lt_http *http, size_t out_room)
{
	struct lt_http_req *req = lt_zalloc(sizeof(*req));

	req->loop = http->loop;
	req->file_fd = -1;
	lt_buf_reserve(&req->out, out_room);
	req->out.n = req->out_at = out_room;
	return req;
}

static void free_pairs(struct lt_http_pair *pairs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		lt_free(pairs[i].name);
		lt_free(pairs[i].value);
	}
	lt_free(pairs);
}

void lt_http_req_free(struct lt_http_req *req)
{
	if (!req) {
		return;
	}
	free_pairs(req->queries, req->queries_n);
	free_pairs(req->headers, req->headers_n);
	lt_free(req->path);
	lt_buf_finish(&req->body);
	lt_buf_finish(&req->out);
	if (req->file_fd >= 0) {
		close(req->file_fd);
	}
	lt_free(req);
}

void lt_http_req_add(
		struct lt_http_pair **pairs, size_t *count, struct lt_str name, struct lt_str value)
{
	*pairs = lt_reallocarray(*pairs, *count + 1, sizeof(**pairs));
	(*pairs)[(*count)++] = (struct lt_http_pair){ lt_str_dup(name), lt_str_dup(value) };
}

static struct lt_str find_pair(const struct lt_http_pair *pairs, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(pairs[i].name, name) == 0) {
			return lt_str_from(pairs[i].value);
		}
	}
	return (struct lt_str){ NULL, 0 };
}

struct lt_str lt_http_path(const struct lt_http_req *req)
{
	return (struct lt_str){ req->path, req->path_n };
}

struct lt_str lt_http_query(const struct lt_http_req *req, const char *name)
{
	return find_pair(req->queries, req->queries_n, name);
}

bool lt_http_query_at(const struct lt_http_req *req, size_t i, struct lt_str *ret_name,
		struct lt_str *ret_value)
{
	if (i >= req->queries_n) {
		return false;
	}
	*ret_name = lt_str_from(req->queries[i].name);
	*ret_value = lt_str_from(req->queries[i].value);
	return true;
}

struct lt_str lt_http_header(const struct lt_http_req *req, const char *name)
{
	return find_pair(req->headers, req->headers_n, name);
}

struct lt_str lt_http_body(const struct lt_http_req *req)
{
	return lt_buf_str(&req->body);
}

bool lt_http_is_local(const struct lt_http_req *req)
{
	struct lt_str peer = lt_str_from(req->peer);

	return !lt_http_header(req, "x-forwarded-proto").p &&
			(lt_str_starts(peer, LT_STR("127.")) ||
					lt_str_starts(peer, LT_STR("[::1]")) ||
					lt_str_eq_c(peer, "unix"));
}

struct lt_str lt_http_peer(const struct lt_http_req *req)
{
	return lt_str_from(req->peer);
}

bool lt_http_is_tls(const struct lt_http_req *req)
{
	return req->tls;
}

void lt_http_on_gone(struct lt_http_req *req, void (*fn)(void *arg), void *arg)
{
	req->gone = fn;
	req->gone_arg = arg;
}

void lt_http_req_abandon(struct lt_http_req *req)
{
	void (*gone)(void *arg) = req->gone;
	void *gone_arg = req->gone_arg;

	if (!req->handed || req->answered || gone) {
		bool waiting = req->handed && !req->answered;

		lt_http_req_free(req);
		if (waiting) {
			gone(gone_arg);
		}
		return;
	}
	req->ready = NULL;
}

/* --- answers --- */

static const char *status_text(int status)
{
	static const struct {
		int status;
		const char *text;
	} texts[] = {
		{ 200, "OK" },
		{ 204, "No Content" },
		{ 206, "Partial Content" },
		{ 301, "Moved Permanently" },
		{ 302, "Found" },
		{ 304, "Not Modified" },
		{ 202, "Accepted" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 307, "Temporary Redirect" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 411, "Length Required" },
		{ 413, "Content Too Large" },
		{ 416, "Range Not Satisfiable" },
		{ 422, "Unprocessable Content" },
		{ 500, "Internal Server Error" },
		{ 503, "Service Unavailable" },
		{ 504, "Gateway Timeout" },
	};

	for (size_t i = 0; i < LT_ARRAY_LEN(texts); i++) {
		if (texts[i].status == status) {
			return texts[i].text;
		}
	}
	return "Status";
}

/* A value with a line end would forge headers: it is left out. */
static void add_header(struct lt_buf *out, const char *name, const char *value)
{
	if (value && !strpbrk(value, "\r\n")) {
		lt_buf_printf(out, "%s: %s\r\n", name, value);
	}
}

void lt_http_print_date(int64_t unix_s, char ret_text[40])
{
	time_t seconds = (time_t)unix_s;
	struct tm utc;

	gmtime_r(&seconds, &utc);
	strftime(ret_text, 40, "%a, %d %b %Y %H:%M:%S GMT", &utc);
}

static void add_date(struct lt_buf *out, struct lt_wall wall)
{
	char text[40];

	lt_http_print_date((int64_t)lt_wall_s(wall), text);
	add_header(out, "Date", text);
}

bool lt_http_etag_matches(struct lt_str list, const char *etag)
{
	struct lt_str wanted = lt_str_from(etag);

	if (lt_str_starts(wanted, LT_STR("W/"))) {
		wanted = lt_str_skip(wanted, 2);
	}
	while (list.p) {
		struct lt_str tag = lt_str_trim(lt_str_split(&list, ','));

		if (lt_str_starts(tag, LT_STR("W/"))) {
			tag = lt_str_skip(tag, 2);
		}
		if (lt_str_eq(tag, wanted) || lt_str_eq_c(tag, "*")) {
			return true;
		}
	}
	return false;
}

static void add_head(struct lt_http_req *req, const struct lt_http_reply *reply, int status,
		uint64_t length)
{
	struct lt_buf *out = &req->out;

	lt_buf_printf(out, "HTTP/1.1 %d %s\r\n", status, status_text(status));
	add_date(out, lt_loop_wall(req->loop));
	if (status != 204 && status != 304) {
		add_header(out, "Content-Type", reply->content_type);
		add_header(out, "Content-Encoding", reply->encoding);
		lt_buf_printf(out, "Content-Length: %" PRIu64 "\r\n", length);
	}
	add_header(out, "Cache-Control", reply->cache_control ? reply->cache_control : "no-cache");
	add_header(out, "ETag", reply->etag);
	add_header(out, "X-Content-Type-Options", "nosniff");
	add_header(out, "Referrer-Policy", "same-origin");
	add_header(out, "Access-Control-Allow-Origin", req->cors ? "*" : NULL);
	add_header(out, "Connection", "close");
	for (const char *const *h = reply->headers; h && h[0]; h += 2) {
		add_header(out, h[0], h[1]);
	}
	lt_buf_add_c(out, "\r\n");
}

void lt_http_reply(struct lt_http_req *req, const struct lt_http_reply *reply)
{
	int status = reply->status;

	assert(!req->answered);
	if (!req->ready) {
		lt_http_req_free(req);
		return;
	}
	if (status == 200 && reply->etag && req->method != LT_HTTP_POST &&
			lt_http_etag_matches(lt_http_header(req, "if-none-match"), reply->etag)) {
		status = 304;
	}
	add_head(req, reply, status, reply->body.n);
	if (status != 204 && status != 304 && req->method != LT_HTTP_HEAD) {
		lt_buf_add_str(&req->out, reply->body);
	}
	req->answered = true;
	req->ready(req->ready_arg);
}

void lt_http_req_answer(struct lt_http_req *req, const struct lt_http_reply *reply, uint64_t length)
{
	assert(!req->answered);
	if (!req->ready) {
		lt_http_req_free(req);
		return;
	}
	add_head(req, reply, reply->status, length);
	req->answered = true;
	req->ready(req->ready_arg);
}

void lt_http_reply_text(struct lt_http_req *req, int status, const char *sentence)
{
	struct lt_buf body = { 0 };

	lt_buf_printf(&body, "%s\n", sentence);
	struct lt_http_reply reply = {
		.status = status,
		.content_type = "text/plain; charset=utf-8",
		.body = lt_buf_str(&body),
	};
	lt_http_reply(req, &reply);
	lt_buf_finish(&body);
}
