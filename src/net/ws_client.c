#include "net/ws_client.h"

#include <assert.h>
#include <netdb.h>
#include <sys/socket.h>

#include <libwebsockets.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/table.h"
#include "net/backoff.h"
#include "net/resolve.h"
#include "net/watchdog.h"
#include "net/ws_hub.h"
#include "net/ws_url.h"

#define MESSAGE_MAX        ((size_t)4 * 1024 * 1024)
#define SEND_MAX           ((size_t)1024 * 1024)
#define CONNECT_TIMEOUT_MS 10000
#define STALE_MS           10000
#define DEAD_MS            30000
#define CLIENT_MAGIC       0x4c747763u

struct outgoing {
	struct outgoing *prev, *next;
	size_t n;
	bool is_binary;
	unsigned char bytes[]; /* LWS_PRE of room, then the message */
};

enum state { IDLE, RESOLVING, CONNECTING, CONNECTED, WAITING };

struct lt_ws_client {
	uint32_t magic;
	struct lt_ws_hub *hub;
	struct lt_net_env env;
	struct lt_ws_client_opts opts;
	struct lt_ws_url url;
	char *subprotocol;
	struct lt_buf headers; /* each ended with CR LF */
	enum state state;
	struct lt_resolve *resolve; /* RESOLVING */
	struct addrinfo *addresses;
	struct addrinfo *next_address;
	struct lws *wsi;          /* CONNECTING, CONNECTED */
	bool is_in_connect;       /* inside lws_client_connect_via_info */
	struct lt_err last_error; /* why this attempt or connection ends */
	struct lt_timer timer;    /* connect timeout or backoff */
	struct lt_timer ping_timer;
	bool is_ping_due;
	struct lt_backoff backoff;
	struct lt_watchdog watchdog;
	struct lt_buf message; /* fragments so far */
	struct outgoing *queue;
	size_t queued_bytes;
	struct lt_deferred free_later;
};

static void begin(void *arg);
static void try_next_address(struct lt_ws_client *client);

/* --- the end of attempts and connections --- */

static void clear_queue(struct lt_ws_client *client)
{
	struct outgoing *outgoing, *next;

	DL_FOREACH_SAFE(client->queue, outgoing, next) {
		DL_DELETE(client->queue, outgoing);
		lt_free(outgoing);
	}
	client->queued_bytes = 0;
}

static void forget_addresses(struct lt_ws_client *client)
{
	if (client->addresses) {
		freeaddrinfo(client->addresses);
	}
	client->addresses = client->next_address = NULL;
}

/*
 * Give the connection up: from here on its callbacks find no client. The other
 * side sees the connection end without a close frame: lws 4.1 on libuv cuts it
 * before one is out.
 */
static void let_go(struct lt_ws_client *client)
{
	struct lws *wsi = LT_STEAL(client->wsi);

	if (wsi) {
		lws_set_opaque_user_data(wsi, NULL);
		lws_set_timeout(wsi, PENDING_TIMEOUT_CLOSE_SEND, LWS_TO_KILL_ASYNC);
	}
}

static void become_idle(struct lt_ws_client *client)
{
	lt_timer_cancel(&client->timer);
	lt_timer_cancel(&client->ping_timer);
	client->is_ping_due = false;
	forget_addresses(client);
	clear_queue(client);
	lt_buf_clear(&client->message);
}

/* Nothing more to try: report last_error and wait. */
static void fail(struct lt_ws_client *client)
{
	struct lt_err reason = client->last_error;

	let_go(client);
	become_idle(client);
	client->state = WAITING;
	lt_watchdog_link(&client->watchdog, false);
	lt_timer_once(&client->timer, client->env.loop,
			lt_backoff_next_ms(&client->backoff, client->env.random), begin, client);
	if (client->opts.disconnected) {
		client->opts.disconnected(client->opts.arg, lt_str_from(reason.msg));
	}
}

/* lws reports that the connection is no more. */
static void wsi_gone(struct lt_ws_client *client)
{
	lws_set_opaque_user_data(client->wsi, NULL);
	client->wsi = NULL;
	if (client->state == CONNECTING) {
		try_next_address(client);
	} else {
		fail(client);
	}
}

/* --- lws callbacks --- */

static void on_ping_timer(void *arg)
{
	struct lt_ws_client *client = arg;

	client->is_ping_due = true;
	lws_callback_on_writable(client->wsi);
}

static int on_established(struct lt_ws_client *client)
{
	int64_t ping_ms = LT_MAX(client->watchdog.dead_ms / 3, 1);

	client->state = CONNECTED;
	lt_timer_cancel(&client->timer);
	forget_addresses(client);
	lt_err_set(&client->last_error, LT_E_UNAVAILABLE, "connection to %s lost",
			client->url.authority);
	lt_watchdog_link(&client->watchdog, true);
	lt_timer_every(&client->ping_timer, client->env.loop, ping_ms, on_ping_timer, client);
	if (client->opts.connected) {
		client->opts.connected(client->opts.arg);
	}
	return 0;
}

static int refuse_message(struct lt_ws_client *client, enum lws_close_status status)
{
	bool is_big = status == LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE;

	if (is_big) {
		lt_err_set(&client->last_error, LT_E_LIMIT, "a message from %s is over %zu bytes",
				client->url.authority, client->opts.message_max);
	} else {
		lt_err_set(&client->last_error, LT_E_FORMAT, "a text from %s is not UTF-8",
				client->url.authority);
	}
	lws_close_reason(client->wsi, status, NULL, 0);
	return -1; /* lws closes, and CLIENT_CLOSED follows */
}

static int on_receive(struct lt_ws_client *client, struct lws *wsi, struct lt_str part)
{
	bool is_binary = lws_frame_is_binary(wsi);

	if (lws_is_first_fragment(wsi)) {
		lt_buf_clear(&client->message);
	}
	lt_watchdog_alive(&client->watchdog);
	if (part.n > client->opts.message_max - client->message.n) {
		return refuse_message(client, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE);
	}
	lt_buf_add_str(&client->message, part);
	if (!lws_is_final_fragment(wsi) || lws_remaining_packet_payload(wsi)) {
		return 0;
	}
	if (!is_binary && !lt_utf8_valid(lt_buf_str(&client->message))) {
		return refuse_message(client, LWS_CLOSE_STATUS_INVALID_PAYLOAD);
	}
	lt_backoff_reset(&client->backoff);
	lt_watchdog_heard(&client->watchdog);
	/* by now, or after the callback, the client may be stopped: its wsi is then another */
	if (client->wsi == wsi && client->opts.message) {
		client->opts.message(client->opts.arg, lt_buf_str(&client->message), is_binary);
	}
	return 0;
}

static int on_writable(struct lt_ws_client *client, struct lws *wsi)
{
	struct outgoing *first = client->queue;
	int written;

	if (client->is_ping_due) {
		unsigned char ping[LWS_PRE + 1] = { 0 };

		client->is_ping_due = false;
		written = lws_write(wsi, ping + LWS_PRE, 0, LWS_WRITE_PING);
	} else if (first) {
		DL_DELETE(client->queue, first);
		client->queued_bytes -= first->n;
		written = lws_write(wsi, first->bytes + LWS_PRE, first->n,
				first->is_binary ? LWS_WRITE_BINARY : LWS_WRITE_TEXT);
		lt_free(first);
	} else {
		return 0;
	}
	if (written < 0) {
		return -1;
	}
	if (client->queue) {
		lws_callback_on_writable(wsi);
	}
	return 0;
}

static int add_headers(struct lt_ws_client *client, unsigned char **at, size_t room)
{
	if (client->headers.n > room) {
		lt_err_set(&client->last_error, LT_E_LIMIT, "the headers for %s are too long",
				client->url.authority);
		return -1;
	}
	if (client->headers.n) {
		memcpy(*at, client->headers.p, client->headers.n);
		*at += client->headers.n;
	}
	return 0;
}

/* The body of a close frame: two bytes of status, then text. */
static void note_close(struct lt_ws_client *client, struct lt_str body)
{
	char shown[LT_LOG_VALUE_MAX];

	if (body.n >= 2) {
		unsigned status =
				(unsigned)(unsigned char)body.p[0] << 8 | (unsigned char)body.p[1];

		lt_err_set(&client->last_error, LT_E_UNAVAILABLE, "%s closed: status %u %.100s",
				client->url.authority, status,
				lt_log_value(lt_str_skip(body, 2), shown));
	} else {
		lt_err_set(&client->last_error, LT_E_UNAVAILABLE, "%s closed",
				client->url.authority);
	}
}

static int on_connection_error(struct lt_ws_client *client, struct lt_str why)
{
	char shown[LT_LOG_VALUE_MAX];

	lt_err_set(&client->last_error, LT_E_UNAVAILABLE, "cannot connect to %s: %.100s",
			client->url.authority,
			why.n ? lt_log_value(why, shown) : "connection failed");
	if (!client->is_in_connect) { /* else the caller sees it */
		wsi_gone(client);
	}
	return 0;
}

/* A connection that was let go. */
static int on_orphan(enum lws_callback_reasons reason)
{
	switch ((int)reason) {
	case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
	case LWS_CALLBACK_CLIENT_ESTABLISHED:
		return -1;
	default:
		return 0;
	}
}

static int on_lws(
		struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	struct lt_ws_client *client = wsi ? lws_get_opaque_user_data(wsi) : NULL;
	struct lt_str text = { in, in ? len : 0 };

	(void)user;
	if (!client) {
		return wsi ? on_orphan(reason) : 0;
	}
	assert(client->magic == CLIENT_MAGIC);
	switch ((int)reason) {
	case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
		assert(in);
		return add_headers(client, in, len);
	case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
		return on_connection_error(client, text);
	case LWS_CALLBACK_CLIENT_ESTABLISHED:
		return on_established(client);
	case LWS_CALLBACK_CLIENT_RECEIVE:
		return on_receive(client, wsi, text);
	case LWS_CALLBACK_CLIENT_RECEIVE_PONG:
		lt_watchdog_alive(&client->watchdog);
		return 0;
	case LWS_CALLBACK_CLIENT_WRITEABLE:
		return on_writable(client, wsi);
	case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
		note_close(client, text);
		return 0;
	case LWS_CALLBACK_CLIENT_CLOSED:
	case LWS_CALLBACK_WSI_DESTROY:
		if (client->wsi == wsi) {
			wsi_gone(client);
		}
		return 0;
	default:
		return 0;
	}
}

/* --- connecting --- */

static const struct lws_protocols protocols[] = {
	{ .name = LT_WS_PROTOCOL, .callback = on_lws, .rx_buffer_size = LT_WS_RX_BYTES },
	{ 0 },
};

static void on_connect_timeout(void *arg)
{
	struct lt_ws_client *client = arg;

	lt_err_set(&client->last_error, LT_E_TIMEOUT, "cannot connect to %s: no answer in %u ms",
			client->url.authority, client->opts.connect_timeout_ms);
	let_go(client);
	try_next_address(client);
}

static bool connect_to(struct lt_ws_client *client, const struct addrinfo *address)
{
	char numeric[NI_MAXHOST];
	struct lws_client_connect_info info = {
		.context = client->hub->context,
		.vhost = client->hub->vhost,
		.address = numeric, /* so lws, which would ask a name server on the loop, need not
				     */
		.port = client->url.port,
		.ssl_connection = LCCSCF_HTTP_NO_FOLLOW_REDIRECT |
				(client->url.is_tls ? LCCSCF_USE_SSL : 0),
		.path = client->url.path,
		.host = client->url.authority,
		.protocol = client->subprotocol,
		.local_protocol_name = LT_WS_PROTOCOL,
		.alpn = "http/1.1",
		.opaque_user_data = client,
	};

	lt_err_set(&client->last_error, LT_E_UNAVAILABLE, "cannot connect to %s",
			client->url.authority);
	if (getnameinfo(address->ai_addr, address->ai_addrlen, numeric, sizeof(numeric), NULL, 0,
			    NI_NUMERICHOST) != 0) {
		return false;
	}
	client->is_in_connect = true;
	client->wsi = lws_client_connect_via_info(&info);
	client->is_in_connect = false;
	return client->wsi != NULL;
}

static void try_next_address(struct lt_ws_client *client)
{
	client->state = CONNECTING;
	while (client->next_address) {
		struct addrinfo *address = client->next_address;

		client->next_address = address->ai_next;
		if (connect_to(client, address)) {
			lt_timer_once(&client->timer, client->env.loop,
					client->opts.connect_timeout_ms, on_connect_timeout,
					client);
			return;
		}
	}
	fail(client);
}

static void on_resolved(void *arg, struct addrinfo *addresses, const struct lt_err *err)
{
	struct lt_ws_client *client = arg;

	client->resolve = NULL;
	client->addresses = client->next_address = addresses;
	if (!addresses) {
		client->last_error = *err;
		fail(client);
	} else if (!lt_ws_hub_open(client->hub, protocols, &client->last_error)) {
		fail(client);
	} else {
		try_next_address(client);
	}
}

static void begin(void *arg)
{
	struct lt_ws_client *client = arg;

	client->state = RESOLVING;
	client->resolve = lt_resolve_start(
			client->env.loop, client->url.host, client->url.port, on_resolved, client);
}

/* --- life --- */

static void on_stale(void *arg, bool is_stale)
{
	struct lt_ws_client *client = arg;

	if (client->opts.stale) {
		client->opts.stale(client->opts.arg, is_stale);
	}
}

static void on_dead(void *arg)
{
	struct lt_ws_client *client = arg;

	lt_err_set(&client->last_error, LT_E_TIMEOUT, "%s was silent for %lld ms",
			client->url.authority, (long long)client->watchdog.dead_ms);
	fail(client);
}

static bool take_headers(
		struct lt_ws_client *client, const char *const *headers, struct lt_err *err)
{
	for (; headers && *headers; headers++) {
		for (const char *c = *headers; *c; c++) {
			if ((unsigned char)*c < 0x20 || *c == 0x7f) {
				return lt_err_set(err, LT_E_INVALID,
						"a header contains control characters");
			}
		}
		if (!strchr(*headers, ':')) {
			return lt_err_set(err, LT_E_INVALID, "a header must be \"Name: value\"");
		}
		lt_buf_add_c(&client->headers, *headers);
		lt_buf_add_c(&client->headers, "\r\n");
	}
	return true;
}

static void free_client(void *arg)
{
	struct lt_ws_client *client = arg;

	client->magic = 0;
	lt_ws_url_finish(&client->url);
	lt_buf_finish(&client->headers);
	lt_buf_finish(&client->message);
	lt_free(client->subprotocol);
	lt_free(client);
}

static void set_limits(struct lt_ws_client *client)
{
	struct lt_ws_client_opts *opts = &client->opts;

	opts->message_max = opts->message_max ? opts->message_max : MESSAGE_MAX;
	opts->send_max = opts->send_max ? opts->send_max : SEND_MAX;
	if (!opts->connect_timeout_ms) {
		opts->connect_timeout_ms = CONNECT_TIMEOUT_MS;
	}
	client->backoff.delays_ms = opts->backoff_ms;
	client->backoff.n = opts->backoff_n;
	client->watchdog = (struct lt_watchdog){
		.stale_ms = opts->stale_ms ? opts->stale_ms : STALE_MS,
		.dead_ms = opts->dead_ms ? opts->dead_ms : DEAD_MS,
		.on_stale = on_stale,
		.on_dead = on_dead,
		.arg = client,
	};
}

struct lt_ws_client *lt_ws_client_create(
		struct lt_ws_hub *hub, const struct lt_ws_client_opts *opts, struct lt_err *err)
{
	struct lt_ws_client *client = lt_zalloc(sizeof(*client));

	client->magic = CLIENT_MAGIC;
	client->hub = hub;
	client->env = hub->env;
	client->opts = *opts;
	set_limits(client);
	if (!lt_ws_url_parse(lt_str_from(opts->url), &client->url, err) ||
			!take_headers(client, opts->headers, err)) {
		free_client(client);
		return NULL;
	}
	client->subprotocol = opts->subprotocol ? lt_strdup(opts->subprotocol) : NULL;
	hub->clients_n++;
	return client;
}

void lt_ws_client_start(struct lt_ws_client *client)
{
	if (client->state == IDLE) {
		lt_backoff_reset(&client->backoff);
		lt_watchdog_start(&client->watchdog, client->env.loop);
		begin(client);
	}
}

void lt_ws_client_stop(struct lt_ws_client *client)
{
	lt_resolve_cancel(LT_STEAL(client->resolve));
	let_go(client);
	become_idle(client);
	lt_watchdog_stop(&client->watchdog);
	client->state = IDLE;
}

void lt_ws_client_destroy(struct lt_ws_client *client)
{
	if (client) {
		lt_ws_client_stop(client);
		client->hub->clients_n--;
		/* a callback of ours may be on the stack */
		lt_loop_defer(client->env.loop, &client->free_later, free_client, client);
	}
}

bool lt_ws_client_is_connected(const struct lt_ws_client *client)
{
	return client->state == CONNECTED;
}

bool lt_ws_client_send(struct lt_ws_client *client, struct lt_str message, bool is_binary,
		struct lt_err *err)
{
	struct outgoing *outgoing;

	if (client->state != CONNECTED) {
		return lt_err_set(err, LT_E_UNAVAILABLE, "not connected");
	}
	if (message.n > client->opts.send_max - client->queued_bytes) {
		return lt_err_set(err, LT_E_LIMIT, "over %zu bytes wait to be sent",
				client->opts.send_max);
	}
	outgoing = lt_alloc(sizeof(*outgoing) + LWS_PRE + message.n);
	outgoing->n = message.n;
	outgoing->is_binary = is_binary;
	if (message.n) {
		memcpy(outgoing->bytes + LWS_PRE, message.p, message.n);
	}
	DL_APPEND(client->queue, outgoing);
	client->queued_bytes += message.n;
	lws_callback_on_writable(client->wsi);
	return true;
}

size_t lt_ws_client_queued(const struct lt_ws_client *client)
{
	return client->queued_bytes;
}
