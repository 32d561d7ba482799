/*
 * Plain HTTP on the router's listeners (a request that is not a WebSocket
 * upgrade). Modules register routes; a handler answers at once or keeps the
 * request and answers later. Bodies are bounded and complete before the
 * handler is called. HEAD is answered as GET without the body; an unknown path
 * is 404, a wrong method 405 with Allow, both as text/plain sentences.
 *
 * Every reply gets Content-Length, X-Content-Type-Options and Date; a reply
 * with an etag answers If-None-Match with 304. A connection
 * carries one request.
 */
#ifndef LT_ROUTER_HTTP_H
#define LT_ROUTER_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct lt_http;
struct lt_http_req;

typedef void (*lt_http_fn)(void *arg, struct lt_http_req *req);

/*
 * method "GET" or "POST" (GET serves HEAD; OPTIONS is answered for routes with
 * cors); path is exact ("/relays"), or a prefix when it ends in '/' ("/state/").
 * The longest match wins. cors: Access-Control-Allow-Origin: * on every reply.
 */
struct lt_http_route {
	const char *method, *path;
	bool cors;
	size_t body_max; /* POST: larger bodies are refused with 413 */
	lt_http_fn fn;
	void *arg;
};
void lt_http_add(struct lt_http *http, const struct lt_http_route *added); /* strings are copied */
void lt_http_remove(struct lt_http *http, const char *method, const char *path);

/* Of a request; borrowed until it is answered. path is decoded, without query; never has ".."
 * parts. */
struct lt_str lt_http_path(const struct lt_http_req *req);
struct lt_str lt_http_query(
		const struct lt_http_req *req, const char *name); /* decoded; p NULL: absent */
/* The i-th of them, decoded; false: there are not so many. */
bool lt_http_query_at(const struct lt_http_req *req, size_t i, struct lt_str *ret_name,
		struct lt_str *ret_value);
struct lt_str lt_http_header(const struct lt_http_req *req, const char *name); /* host,
	     accept-encoding, if-none-match, authorization, origin, content-type, x-forwarded-proto,
	     x-access-code, range, if-range; p NULL: absent
	     */
struct lt_str lt_http_body(const struct lt_http_req *req);
bool lt_http_is_tls(const struct lt_http_req *req);
struct lt_str lt_http_peer(const struct lt_http_req *req); /* printable address of the client */

/* Does the client sit on this machine: loopback or unix socket, and not through a proxy that says
 * so? */
bool lt_http_is_local(const struct lt_http_req *req);

struct lt_http_reply {
	int status;
	const char *content_type;
	const char *cache_control; /* NULL: no-cache */
	const char *etag;          /* NULL: none; with its quotes */
	const char *encoding;      /* Content-Encoding, NULL: none */
	/* Further headers: name, value, ..., NULL. May be NULL. */
	const char *const *headers;
	struct lt_str body; /* copied */
};

/* Answer once; ends the use of req, also when the client has gone meanwhile. */
void lt_http_reply(struct lt_http_req *req, const struct lt_http_reply *reply);

/* A sentence as text/plain, LF added. */
void lt_http_reply_text(struct lt_http_req *req, int status, const char *sentence);

/*
 * Answer with a file: whole, or the range that was asked for (206; a single
 * range, If-Range respected; several are answered with the whole file; 416 when
 * it is outside). The ETag is made from size and time of change. A file that is
 * not there or not a regular one is 404. The path is trusted: whoever calls has
 * checked that it is meant to be served.
 */
struct lt_http_file {
	const char *path;
	const char *content_type;
	const char *download_name; /* Content-Disposition: attachment; NULL: shown in place */
	const char *cache_control; /* NULL: no-cache */
};
void lt_http_reply_file(struct lt_http_req *req, const struct lt_http_file *file);

/* Called when the client goes away before the answer; req must then not be answered. Optional. */
void lt_http_on_gone(struct lt_http_req *req, void (*fn)(void *arg), void *arg);

#endif
