/*
 * Private to http.c (routes, what a reply looks like), http_file.c (replies from
 * files) and transport_http.c (its way through libwebsockets): one request from its head to its
 * answer.
 *
 * Owned by the connection while it is read, by the handler while it is
 * answered. A request whose client has gone meanwhile has `ready` NULL and ends
 * at lt_http_reply; one that is answered is freed by the transport when the
 * answer has left.
 */
#ifndef LT_ROUTER_HTTP_REQ_H
#define LT_ROUTER_HTTP_REQ_H

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "router/http.h"

enum lt_http_method {
	LT_HTTP_GET,
	LT_HTTP_HEAD,
	LT_HTTP_POST,
	LT_HTTP_OPTIONS,
	LT_HTTP_OTHER, /* understood, and served by no route */
};

struct lt_http_pair {
	char *name, *value; /* owned */
};

struct lt_http_req {
	enum lt_http_method method;
	bool tls;
	char peer[64];   /* printable address of the client */
	bool handed;     /* a handler has it, or had */
	bool body_ended; /* lws has said so */
	char *path;      /* decoded; owned */
	size_t path_n;
	struct lt_http_pair *queries, *headers;
	size_t queries_n, headers_n;
	struct lt_buf body;
	size_t body_max;
	bool cors;
	lt_http_fn fn; /* of the route that was found */
	void *fn_arg;

	void (*gone)(void *arg);
	void *gone_arg;

	struct lt_loop *loop;
	/* Set by the transport; NULL when the client has gone. Called when `out` is complete. */
	void (*ready)(void *arg);
	void *ready_arg;
	struct lt_buf out; /* `out_at` bytes of room for lws, then head and body of the answer */
	size_t out_at;     /* what has left */
	int file_fd;       /* owned; what follows `out`; -1: nothing does */
	uint64_t file_at, file_left;
	uint64_t written, looked_at; /* in all; when the transport last looked after the client */
	bool answered;
};

struct lt_http *lt_http_create(struct lt_loop *loop);
void lt_http_destroy(struct lt_http *http);

/* `out_room`: free bytes that the transport wants before the answer. */
struct lt_http_req *lt_http_req_create(struct lt_http *http, size_t out_room);
void lt_http_req_free(struct lt_http_req *req); /* NULL is fine */
void lt_http_req_add(struct lt_http_pair **pairs, size_t *count, struct lt_str name,
		struct lt_str value);

/* Find the route for a method and path, or answer (404, 405, OPTIONS). False: it was answered. */
bool lt_http_route_find(struct lt_http *http, struct lt_http_req *req);

/* A head alone, which announces `length` bytes that come from elsewhere; ends the use of req. */
void lt_http_req_answer(
		struct lt_http_req *req, const struct lt_http_reply *reply, uint64_t length);
/* If-None-Match: "*" or a list of tags; the comparison is the weak one. */
bool lt_http_etag_matches(struct lt_str list, const char *etag);
/* As headers have it: "Tue, 24 Nov 2026 10:00:00 GMT". */
void lt_http_print_date(int64_t unix_s, char ret_text[40]);

/* The client has gone: the request belongs to the handler alone, or is freed. */
void lt_http_req_abandon(struct lt_http_req *req);

#endif
