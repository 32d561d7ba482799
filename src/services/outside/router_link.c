#include "services/outside/router_link.h"

#include "base/alloc.h"
#include "base/loop.h"
#include "net/backoff.h"
#include "net/tcp_client.h"
#include "net/ws_client.h"

#define SEND_MAX   ((size_t)32 * 1024 * 1024)
#define FRAME_MAX  ((size_t)16 * 1024 * 1024 - 1) /* RawSocket's length has 24 bits */
#define PING_MS    10000
#define DEAD_MS    35000
#define RAW_MAGIC  0x7f
#define RAW_JSON   1
#define RAW_LENGTH 15 /* 2^24 bytes */
#define RAW_HEAD   4
#define RAW_PORT   8081

enum { FRAME_MESSAGE, FRAME_PING, FRAME_PONG };

struct lt_link {
	struct lt_link_env env;
	struct lt_ws_client *ws; /* one of the two */
	struct lt_tcp_client *tcp;
	bool is_shaken;            /* RawSocket: the handshake is done */
	size_t peer_max;           /* RawSocket: what the router takes */
	struct lt_buf input;       /* RawSocket: not a whole frame yet */
	struct lt_timer ping;      /* RawSocket; WebSocket has its own */
	struct lt_timer again;     /* after lt_link_retry */
	struct lt_backoff backoff; /* of these; the clients have their own */
	unsigned turns;            /* grows with each connection: has it ended in a callback? */
};

/* --- URLs --- */

static bool refuse(struct lt_err *err, const char *why)
{
	return lt_err_set(err, LT_E_INVALID, "not a RawSocket URL: %s", why);
}

/* "unix:/path" and, as some write it, "//unix:/path"; "//host:port". */
bool lt_raw_url_parse(struct lt_str text, struct lt_raw_url *ret_url, struct lt_err *err)
{
	struct lt_str rest = text, host;
	uint64_t port = RAW_PORT;

	*ret_url = (struct lt_raw_url){ 0 };
	if (!lt_str_starts(rest, LT_STR("rs:"))) {
		return refuse(err, "it must begin with rs://");
	}
	rest = lt_str_skip(rest, strlen("rs:"));
	if (lt_str_starts(rest, LT_STR("//"))) {
		rest = lt_str_skip(rest, 2);
	}
	if (lt_str_starts(rest, LT_STR("unix:"))) {
		rest = lt_str_skip(rest, strlen("unix:"));
		if (rest.n < 2 || memchr(rest.p, '\0', rest.n) != NULL) {
			return refuse(err, "the path is missing");
		}
		ret_url->path = lt_str_dup(rest);
		return true;
	}
	if (rest.n > 0 && rest.p[rest.n - 1] == '/') {
		rest.n--;
	}
	host = rest;
	if (rest.n > 0 && rest.p[0] == '[') {
		const char *close = memchr(rest.p, ']', rest.n);

		if (close == NULL) {
			return refuse(err, "the bracket of the address is not closed");
		}
		host = (struct lt_str){ rest.p + 1, (size_t)(close - rest.p) - 1 };
		rest = lt_str_skip(rest, host.n + 2);
	} else {
		const char *colon = rest.n ? memchr(rest.p, ':', rest.n) : NULL;

		host.n = colon ? (size_t)(colon - rest.p) : rest.n;
		rest = lt_str_skip(rest, host.n);
	}
	if (host.n == 0) {
		return refuse(err, "no host");
	}
	if (rest.n > 0 &&
			(rest.p[0] != ':' ||
					!lt_parse_u64(lt_str_skip(rest, 1), UINT16_MAX, &port,
							NULL) ||
					port == 0)) {
		return refuse(err, "bad port");
	}
	ret_url->host = lt_str_dup(host);
	ret_url->port = (uint16_t)port;
	return true;
}

void lt_raw_url_finish(struct lt_raw_url *url)
{
	lt_free(url->host);
	lt_free(url->path);
	*url = (struct lt_raw_url){ 0 };
}

/* --- RawSocket --- */

static void tell_disconnected(struct lt_link *link, struct lt_str reason)
{
	lt_timer_cancel(&link->ping);
	link->is_shaken = false;
	lt_buf_clear(&link->input);
	link->turns++;
	link->env.disconnected(link->env.arg, reason);
}

/* The router broke the framing: begin anew, after a wait as for any failure. */
static void drop(struct lt_link *link, const char *why)
{
	lt_link_retry(link);
	tell_disconnected(link, lt_str_from(why));
}

static bool send_frame(struct lt_link *link, uint8_t type, struct lt_str body, struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf frame = { 0 };
	uint8_t head[RAW_HEAD] = { type, (uint8_t)(body.n >> 16), (uint8_t)(body.n >> 8),
		(uint8_t)body.n };

	lt_buf_reserve(&frame, sizeof(head) + body.n);
	lt_buf_add(&frame, head, sizeof(head));
	lt_buf_add_str(&frame, body);
	return lt_tcp_client_send(link->tcp, lt_buf_str(&frame), err);
}

static void on_ping(void *arg)
{
	struct lt_link *link = arg;

	send_frame(link, FRAME_PING, LT_STR("livetiming"), NULL);
}

static void on_tcp_connected(void *arg)
{
	struct lt_link *link = arg;
	const char hello[RAW_HEAD] = { RAW_MAGIC, (char)(RAW_LENGTH << 4 | RAW_JSON), 0, 0 };

	lt_tcp_client_send(link->tcp, (struct lt_str){ hello, sizeof(hello) }, NULL);
}

static bool shake(struct lt_link *link)
{
	const uint8_t *head = (const uint8_t *)link->input.p;

	if (head[0] != RAW_MAGIC || (head[1] & 0x0f) != RAW_JSON) {
		drop(link,
				head[0] == RAW_MAGIC
						? "the router does not speak JSON over RawSocket"
						: "what listens there is no RawSocket router");
		return false;
	}
	link->peer_max = (size_t)1 << (9 + (head[1] >> 4));
	link->is_shaken = true;
	lt_buf_remove_front(&link->input, RAW_HEAD);
	lt_timer_every(&link->ping, link->env.net.loop, PING_MS, on_ping, link);
	link->env.connected(link->env.arg);
	return true;
}

/* Hand on one frame; false: there is no whole one, or the link has ended meanwhile. */
static bool take_frame(struct lt_link *link)
{
	const uint8_t *head = (const uint8_t *)link->input.p;
	unsigned turns = link->turns;
	size_t n;

	if (link->input.n < RAW_HEAD) {
		return false;
	}
	n = (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
	if (head[0] > FRAME_PONG) {
		drop(link, "the router sent an unknown frame");
		return false;
	}
	if (link->input.n < RAW_HEAD + n) {
		return false;
	}
	LT_AUTO(lt_buf_finish) struct lt_buf body = { 0 };
	uint8_t type = head[0];

	lt_buf_add(&body, link->input.p + RAW_HEAD, n);
	lt_buf_remove_front(&link->input, RAW_HEAD + n);
	if (type == FRAME_PING) {
		send_frame(link, FRAME_PONG, lt_buf_str(&body), NULL);
	} else if (type == FRAME_MESSAGE) {
		link->env.message(link->env.arg, lt_buf_str(&body));
	}
	return link->turns == turns;
}

static void on_tcp_bytes(void *arg, struct lt_str bytes)
{
	struct lt_link *link = arg;
	unsigned turns = link->turns;

	lt_buf_add_str(&link->input, bytes);
	if (!link->is_shaken &&
			(link->input.n < RAW_HEAD || !shake(link) || turns != link->turns)) {
		return;
	}
	while (take_frame(link)) {
	}
}

static void on_tcp_disconnected(void *arg, struct lt_str reason)
{
	tell_disconnected(arg, reason);
}

/* --- WebSocket --- */

static void on_ws_connected(void *arg)
{
	struct lt_link *link = arg;

	link->env.connected(link->env.arg);
}

static void on_ws_message(void *arg, struct lt_str message, bool is_binary)
{
	struct lt_link *link = arg;

	(void)is_binary; /* what is not a WAMP message in JSON is refused as such */
	link->env.message(link->env.arg, message);
}

static void on_ws_disconnected(void *arg, struct lt_str reason)
{
	tell_disconnected(arg, reason);
}

/* --- life --- */

static bool open_raw(struct lt_link *link, struct lt_err *err)
{
	struct lt_raw_url url;
	bool ok = lt_raw_url_parse(lt_str_from(link->env.url), &url, err);

	if (ok) {
		link->tcp = lt_tcp_client_create(&link->env.net,
				&(struct lt_tcp_client_opts){
						.host = url.host,
						.port = url.port,
						.unix_path = url.path,
						.send_max = SEND_MAX,
						.dead_ms = DEAD_MS,
						.backoff_ms = link->env.waits_ms,
						.backoff_n = link->env.waits_n,
						.connected = on_tcp_connected,
						.bytes = on_tcp_bytes,
						.disconnected = on_tcp_disconnected,
						.arg = link,
				},
				err);
		ok = link->tcp != NULL;
	}
	lt_raw_url_finish(&url);
	return ok;
}

static bool open_ws(struct lt_link *link, struct lt_err *err)
{
	link->ws = lt_ws_client_create(link->env.ws_hub,
			&(struct lt_ws_client_opts){
					.url = link->env.url,
					.subprotocol = "wamp.2.json",
					.message_max = FRAME_MAX,
					.send_max = SEND_MAX,
					.dead_ms = DEAD_MS,
					.backoff_ms = link->env.waits_ms,
					.backoff_n = link->env.waits_n,
					.connected = on_ws_connected,
					.message = on_ws_message,
					.disconnected = on_ws_disconnected,
					.arg = link,
			},
			err);
	return link->ws != NULL;
}

struct lt_link *lt_link_create(const struct lt_link_env *env, struct lt_err *err)
{
	struct lt_link *link = lt_zalloc(sizeof(*link));
	struct lt_str url = lt_str_from(env->url);
	bool ok;

	link->env = *env;
	link->backoff = (struct lt_backoff){ .delays_ms = env->waits_ms, .n = env->waits_n };
	if (lt_str_starts(url, LT_STR("ws:")) || lt_str_starts(url, LT_STR("wss:"))) {
		ok = open_ws(link, err);
	} else if (lt_str_starts(url, LT_STR("rs:"))) {
		ok = open_raw(link, err);
	} else {
		char quoted[LT_QUOTE_MAX];

		ok = lt_err_set(err, LT_E_INVALID, "%s: expected a ws://, wss:// or rs:// URL",
				lt_str_quote(url, quoted));
	}
	link->env.url = NULL;
	if (!ok) {
		lt_link_destroy(link);
		return NULL;
	}
	return link;
}

void lt_link_start(struct lt_link *link)
{
	if (link->ws != NULL) {
		lt_ws_client_start(link->ws);
	} else {
		lt_tcp_client_start(link->tcp);
	}
}

void lt_link_stop(struct lt_link *link)
{
	link->turns++;
	lt_timer_cancel(&link->ping);
	lt_timer_cancel(&link->again);
	link->is_shaken = false;
	lt_buf_clear(&link->input);
	if (link->ws != NULL) {
		lt_ws_client_stop(link->ws);
	} else if (link->tcp != NULL) {
		lt_tcp_client_stop(link->tcp);
	}
}

static void on_again(void *arg)
{
	lt_link_start(arg);
}

void lt_link_retry(struct lt_link *link)
{
	lt_link_stop(link);
	lt_timer_once(&link->again, link->env.net.loop,
			lt_backoff_next_ms(&link->backoff, link->env.net.random), on_again, link);
}

void lt_link_good(struct lt_link *link)
{
	lt_backoff_reset(&link->backoff);
}

void lt_link_destroy(struct lt_link *link)
{
	if (link != NULL) {
		lt_link_stop(link);
		lt_ws_client_destroy(link->ws);
		lt_tcp_client_destroy(link->tcp);
		lt_buf_finish(&link->input);
		lt_free(link);
	}
}

bool lt_link_send(struct lt_link *link, struct lt_str message, struct lt_err *err)
{
	if (link->ws != NULL) {
		return lt_ws_client_send(link->ws, message, false, err);
	}
	if (!link->is_shaken) {
		return lt_err_set(err, LT_E_UNAVAILABLE, "not connected");
	}
	if (message.n > LT_MIN(link->peer_max, FRAME_MAX)) {
		return lt_err_set(err, LT_E_LIMIT, "a message of %zu bytes; the router takes %zu",
				message.n, link->peer_max);
	}
	return send_frame(link, FRAME_MESSAGE, message, err);
}

size_t lt_link_queued(const struct lt_link *link)
{
	return link->ws ? lt_ws_client_queued(link->ws) : lt_tcp_client_queued(link->tcp);
}
