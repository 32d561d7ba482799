/*
 * Plain HTTP through libwebsockets: reads a request with its body into a
 * struct lt_http_req, hands it to its route, and writes the answer in pieces,
 * as fast as the client takes it. Also decides which upgrades go on.
 */
#include <assert.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libwebsockets.h>

#include "base/alloc.h"
#include "router/http_req.h"
#include "router/transport_conn.h"

#define WRITE_BYTES  (64 * 1024)
#define WRITE_WAIT_S 30 /* for a client that takes nothing of an answer */
#define BODY_WAIT_S  20
#define LOOK_MS      500

static const struct {
	enum lws_token_indexes token;
	enum lt_http_method method;
} method_tokens[] = {
	{ WSI_TOKEN_GET_URI, LT_HTTP_GET },
	{ WSI_TOKEN_HEAD_URI, LT_HTTP_HEAD },
	{ WSI_TOKEN_POST_URI, LT_HTTP_POST },
	{ WSI_TOKEN_OPTIONS_URI, LT_HTTP_OPTIONS },
	{ WSI_TOKEN_PUT_URI, LT_HTTP_OTHER },
	{ WSI_TOKEN_PATCH_URI, LT_HTTP_OTHER },
	{ WSI_TOKEN_DELETE_URI, LT_HTTP_OTHER },
};

static const struct {
	enum lws_token_indexes token;
	const char *name;
} header_tokens[] = {
	{ WSI_TOKEN_HOST, "host" },
	{ WSI_TOKEN_HTTP_ACCEPT_ENCODING, "accept-encoding" },
	{ WSI_TOKEN_HTTP_IF_NONE_MATCH, "if-none-match" },
	{ WSI_TOKEN_HTTP_AUTHORIZATION, "authorization" },
	{ WSI_TOKEN_ORIGIN, "origin" },
	{ WSI_TOKEN_HTTP_CONTENT_TYPE, "content-type" },
	{ WSI_TOKEN_HTTP_RANGE, "range" },
	{ WSI_TOKEN_HTTP_IF_RANGE, "if-range" },
};

/* A header's value in a new buffer, or NULL when it is absent. */
static char *copy_token(struct lws *wsi, enum lws_token_indexes token)
{
	int n = lws_hdr_total_length(wsi, token);
	char *value = n > 0 ? lt_alloc((size_t)n + 1) : NULL;

	if (value && lws_hdr_copy(wsi, value, n + 1, token) < 0) {
		lt_free(value);
		return NULL;
	}
	return value;
}

/* Headers that lws has no token for. */
static const char *const custom_headers[] = { "x-forwarded-proto", "x-access-code" };

static void read_custom(struct lws *wsi, struct lt_http_req *req, const char *name)
{
	char text[256], key[32];
	int n;

	snprintf(key, sizeof(key), "%s:", name);
	n = lws_hdr_custom_copy(wsi, text, sizeof(text), key, (int)strlen(key));
	if (n > 0) {
		lt_http_req_add(&req->headers, &req->headers_n, lt_str_from(name),
				lt_str_trim((struct lt_str){ text, (size_t)n }));
	}
}

static void read_headers(struct lws *wsi, struct lt_http_req *req)
{
	for (size_t i = 0; i < LT_ARRAY_LEN(header_tokens); i++) {
		char *value = copy_token(wsi, header_tokens[i].token);

		if (value) {
			lt_http_req_add(&req->headers, &req->headers_n,
					lt_str_from(header_tokens[i].name), lt_str_from(value));
			lt_free(value);
		}
	}
	for (size_t i = 0; i < LT_ARRAY_LEN(custom_headers); i++) {
		read_custom(wsi, req, custom_headers[i]);
	}
}

/* lws has decoded the pairs and gives them as "name=value". */
static void read_query(struct lws *wsi, struct lt_http_req *req)
{
	int size = lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_URI_ARGS) + 1;
	char *text = lt_alloc((size_t)size);

	for (int i = 0;; i++) {
		int n = lws_hdr_copy_fragment(wsi, text, size, WSI_TOKEN_HTTP_URI_ARGS, i);
		if (n < 0) {
			break;
		}
		struct lt_str value = { text, (size_t)n };
		struct lt_str name = lt_str_split(&value, '=');

		lt_http_req_add(&req->queries, &req->queries_n, name, value.p ? value : LT_STR(""));
	}
	lt_free(text);
}

/* lws decodes %XX and resolves dot segments; what is still suspicious is refused. */
static bool read_path(struct lws *wsi, struct lt_http_req *req)
{
	for (size_t i = 0; i < LT_ARRAY_LEN(method_tokens); i++) {
		if (lws_hdr_total_length(wsi, method_tokens[i].token) > 0) {
			req->method = method_tokens[i].method;
			req->path = copy_token(wsi, method_tokens[i].token);
			break;
		}
	}
	if (!req->path) {
		return false;
	}
	req->path_n = strlen(req->path);
	struct lt_str path = { req->path, req->path_n }, rest = path;

	while (rest.p) {
		struct lt_str part = lt_str_split(&rest, '/');

		if (lt_str_eq_c(part, "..") || lt_str_eq_c(part, ".")) {
			return false;
		}
	}
	for (size_t i = 0; i < path.n; i++) {
		if ((unsigned char)path.p[i] < 0x20 || path.p[i] == 0x7f) {
			return false;
		}
	}
	return path.p[0] == '/' && lt_utf8_valid(path);
}

static void on_ready(void *arg)
{
	struct lt_conn *conn = arg;

	lws_rx_flow_control(conn->wsi, 1);
	lws_set_timeout(conn->wsi, PENDING_TIMEOUT_HTTP_CONTENT, WRITE_WAIT_S);
	lws_callback_on_writable(conn->wsi);
}

/*
 * While a request is being answered lws does not read but is woken again and
 * again by what is there to read. So reading is off while a handler works, and
 * we look ourselves whether the client has gone. lws writes only with reading
 * on: a client that sends more and takes nothing of its answer is ended.
 */
static void on_look(void *arg)
{
	struct lt_conn *conn = arg;
	struct lt_http_req *req = conn->req;
	char c;
	ssize_t n = recv(conn->fd, &c, 1, MSG_PEEK | MSG_DONTWAIT);
	bool gone = n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
	bool stuck = n > 0 && req->answered && req->written == req->looked_at;

	req->looked_at = req->written;
	if (gone || stuck) {
		lt_conn_kill(conn);
	}
}

static void pause_reading(struct lt_conn *conn)
{
	lws_rx_flow_control(conn->wsi, 0);
	lt_timer_every(&conn->timer, conn->transport->env->loop, LOOK_MS, on_look, conn);
}

static void dispatch(struct lt_conn *conn)
{
	struct lt_http_req *req = conn->req;

	lws_set_timeout(conn->wsi, NO_PENDING_TIMEOUT, 0);
	pause_reading(conn);
	req->handed = true;
	req->fn(req->fn_arg, req);
}

/* Is a body announced that the route can take? False: it was answered. */
static bool expect_body(struct lt_conn *conn, uint64_t *ret_bytes)
{
	struct lt_http_req *req = conn->req;
	char *length = copy_token(conn->wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH);
	bool chunked = lws_hdr_total_length(conn->wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0;
	bool valid = !length || lt_parse_u64(lt_str_from(length), UINT64_MAX, ret_bytes, NULL);

	lt_free(length);
	if (!valid || chunked) {
		lt_http_reply_text(req, chunked ? 411 : 400,
				chunked ? "a body needs a content-length"
					: "the content-length is not a number");
		return false;
	}
	return true;
}

int lt_http_begin(struct lt_conn *conn)
{
	struct lt_transport *transport = conn->transport;
	uint64_t body_bytes = 0;

	if (conn->req) {
		return -1;
	}
	lt_timer_cancel(&conn->timer);
	struct lt_http_req *req = lt_http_req_create(transport->http, LWS_PRE);
	conn->req = req;
	req->ready = on_ready;
	req->ready_arg = conn;
	req->tls = lws_is_ssl(conn->wsi);
	snprintf(req->peer, sizeof(req->peer), "%s", conn->peer.address);
	if (!read_path(conn->wsi, req)) {
		lt_http_reply_text(req, 400, "the path of this request is not valid");
		return 0;
	}
	read_headers(conn->wsi, req);
	read_query(conn->wsi, req);
	if (!expect_body(conn, &body_bytes) || !lt_http_route_find(transport->http, req)) {
		return 0;
	}
	if (req->method == LT_HTTP_POST && body_bytes > req->body_max) {
		lt_http_reply_text(req, 413, "the body of this request is too large");
		return 0;
	}
	if (req->method == LT_HTTP_POST && body_bytes > 0) {
		lws_set_timeout(conn->wsi, PENDING_TIMEOUT_HTTP_CONTENT, BODY_WAIT_S);
		return 0;
	}
	dispatch(conn);
	return 0;
}

int lt_http_body_part(struct lt_conn *conn, struct lt_str chunk)
{
	struct lt_http_req *req = conn->req;

	conn->transport->bytes_received += chunk.n;
	if (!req || req->answered || req->handed) {
		return 0; /* refused already: read and forgotten */
	}
	if (req->body.n + chunk.n > req->body_max) {
		return -1; /* more than was announced */
	}
	lt_buf_add_str(&req->body, chunk);
	return 0;
}

/*
 * Once a request; but when a request that we do not read the body of stands
 * behind another in one segment, lws 4.1 tells without end and does nothing
 * else: then the connection is over.
 */
int lt_http_body_end(struct lt_conn *conn)
{
	struct lt_http_req *req = conn->req;

	if (req && req->body_ended) {
		return -1;
	}
	if (req) {
		req->body_ended = true;
	}
	if (req && !req->answered && !req->handed) {
		dispatch(conn);
	}
	return 0;
}

/*
 * One request a connection: lws 4.1 hands out freed memory as the body of a
 * request that stood in one segment behind another.
 */
static int answer_ends(struct lt_conn *conn)
{
	lt_timer_cancel(&conn->timer);
	lt_http_req_free(LT_STEAL(conn->req));
	return -1;
}

/* The next bytes of the answer, with room for lws before them; 0: the file is shorter than before.
 */
static size_t next_piece(struct lt_conn *conn, char **ret_bytes)
{
	struct lt_http_req *req = conn->req;
	size_t n = LT_MIN(req->out.n - req->out_at, (size_t)WRITE_BYTES);

	if (n > 0) {
		*ret_bytes = req->out.p + req->out_at;
		req->out_at += n;
		return n;
	}
	*ret_bytes = conn->transport->scratch + LWS_PRE;
	ssize_t got = pread(req->file_fd, *ret_bytes, LT_MIN(req->file_left, (uint64_t)WRITE_BYTES),
			(off_t)req->file_at);
	if (got <= 0) {
		return 0;
	}
	req->file_at += (uint64_t)got;
	req->file_left -= (uint64_t)got;
	return (size_t)got;
}

int lt_http_writable(struct lt_conn *conn)
{
	struct lt_http_req *req = conn->req;
	char *bytes;

	if (!req || !req->answered) {
		return 0;
	}
	size_t n = next_piece(conn, &bytes);
	if (n == 0) {
		return -1;
	}
	bool last = req->out_at == req->out.n && req->file_left == 0;
	if (lws_write(conn->wsi, (unsigned char *)bytes, n,
			    last ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) < 0) {
		return -1;
	}
	req->written += n;
	conn->transport->bytes_sent += n;
	if (last) {
		return answer_ends(conn);
	}
	lws_set_timeout(conn->wsi, PENDING_TIMEOUT_HTTP_CONTENT, WRITE_WAIT_S);
	lws_callback_on_writable(conn->wsi);
	return 0;
}

void lt_http_finish(struct lt_conn *conn)
{
	if (conn->req) {
		lt_http_req_abandon(LT_STEAL(conn->req));
	}
}

/* --- upgrades --- */

static bool offers_supported(struct lws *wsi)
{
	char *offer = copy_token(wsi, WSI_TOKEN_PROTOCOL);
	struct lt_str rest = lt_str_from(offer);
	bool found = false;

	while (rest.p && !found) {
		found = lt_serializer_find(lt_str_trim(lt_str_split(&rest, ','))) != NULL;
	}
	lt_free(offer);
	return found;
}

int lt_http_confirm_upgrade(struct lt_conn *conn, struct lws *wsi, const char *kind)
{
	char text[LWS_PRE + 320];
	char *path = copy_token(wsi, WSI_TOKEN_GET_URI);
	char *version = copy_token(wsi, WSI_TOKEN_VERSION);
	struct lt_str at = lt_str_from(path);
	const char *status = "400 Bad Request", *sentence = NULL;

	if (!kind || strcasecmp(kind, "websocket") != 0) {
		sentence = "only websocket upgrades are supported";
	} else if (!lt_str_eq_c(at, "/") && !lt_str_eq_c(at, "/ws")) {
		status = "404 Not Found";
		sentence = "websocket connections are served at /ws";
	} else if (!version || !lt_str_eq_c(lt_str_from(version), "13")) {
		status = "426 Upgrade Required";
		sentence = "the websocket version is 13";
	} else if (lws_hdr_total_length(wsi, WSI_TOKEN_KEY) != 24) {
		sentence = "the websocket key is missing or malformed";
	} else if (!offers_supported(wsi)) {
		sentence = "none of the offered subprotocols is supported";
	} else if (conn->transport->stopping) {
		status = "503 Service Unavailable";
		sentence = "shutting down";
	}
	lt_free(path);
	lt_free(version);
	if (!sentence) {
		return 0;
	}
	int n = snprintf(text + LWS_PRE, sizeof(text) - LWS_PRE,
			"HTTP/1.1 %s\r\nContent-Type: text/plain; charset=utf-8\r\n"
			"Content-Length: %zu\r\nX-Content-Type-Options: nosniff\r\n"
			"Sec-WebSocket-Version: 13\r\nConnection: close\r\n\r\n%s\n",
			status, strlen(sentence) + 1, sentence);
	lws_write(wsi, (unsigned char *)text + LWS_PRE, (size_t)n, LWS_WRITE_HTTP_FINAL);
	return -1;
}
