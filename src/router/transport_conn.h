/*
 * Shared by the files that own connections (listeners.c, transport_lws.c,
 * transport_ws.c, transport_http.c) and by nobody else: one accepted
 * connection, and the transport that holds them all.
 *
 * A connection is made when a listener accepts it and handed to libwebsockets,
 * which owns the descriptor from then on. It speaks HTTP first and may become
 * a WebSocket. lt_conn_gone is the one place that frees it.
 */
#ifndef LT_ROUTER_TRANSPORT_CONN_H
#define LT_ROUTER_TRANSPORT_CONN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "router/outq.h"
#include "router/router.h"
#include "router/transport.h"

struct lws;
struct lws_context;
struct lws_vhost;
struct lt_conn;
struct lt_http;
struct lt_http_req;
struct lt_lws_shared;

struct lt_transport {
	struct lt_router *router;
	const struct lt_router_env *env;
	struct lt_http *http;
	struct lws_context *context; /* made when the first listener opens */
	struct lws_vhost *vhost;
	struct lt_lws_shared *shared; /* outlives us until lws has closed everything */
	struct lt_conn *conns;
	uint32_t conns_n;
	bool stopping; /* no new sessions */
	int fd_bound;  /* descriptors from here on do not fit into the tables of lws */

	/* Connections with something to write: appended in this turn, written at its end. */
	struct lt_conn *flush;
	struct lt_deferred flush_end;
	struct lt_timer flush_again; /* when one turn's share of time was used up */
	char *scratch;               /* room for what a socket did not take of a piece */

	/* A connection is gone: told to the listeners, which count addresses. */
	void (*on_gone)(void *arg, struct lt_conn *conn);
	void *on_gone_arg;

	uint64_t bytes_sent, bytes_received, slow_peers_ended, events_conflated;
};

#define LT_CONN_MAGIC 0x6c74636eu

struct lt_conn {
	uint32_t magic;
	int fd; /* owned by lws */
	struct lt_transport *transport;
	struct lws *wsi;
	struct lt_conn *prev, *next;
	struct lt_conn *flush_prev, *flush_next;
	struct lt_http_req *req; /* being read or answered */
	struct lt_address *from; /* the listeners' count of this address; NULL: not counted */

	/* WebSocket only */
	struct lt_peer peer; /* peer.address is set from the start */
	struct lt_outq queue;
	struct lt_buf rx;      /* a message that came in parts */
	struct lt_timer timer; /* first request; look after an HTTP client; next ping; end of a
				  close */
	struct lt_deferred farewell; /* tells the session that its peer is given up */
	int64_t heard_us;
	uint8_t pings;      /* sent since something was heard */
	uint8_t close_code; /* enum lt_close_reason */
	bool is_ws, in_flush, choked, rx_started, closing, close_sent, dead;
	char close_text[48];
};

/* transport_lws.c */

/* Opens nothing. */
void lt_transport_init(struct lt_transport *transport, struct lt_router *router,
		const struct lt_router_env *env, struct lt_http *http);
/* Ends what is left, without waiting for anybody. */
void lt_transport_finish(struct lt_transport *transport);
/* Make the context of libwebsockets; later calls do nothing. */
bool lt_transport_start(struct lt_transport *transport, struct lt_err *err);
/* Takes the descriptor, also on failure. `address` is copied, `from` borrowed. */
bool lt_transport_adopt_take(struct lt_transport *transport, int fd, const char *address,
		struct lt_address *from);
/* Close every connection as soon as what it has queued is written. */
void lt_transport_close_all(struct lt_transport *transport);
void lt_transport_kill_all(struct lt_transport *transport);

/* The connection is over: tells the session or the request, frees. lws may live on a little. */
void lt_conn_gone(struct lt_conn *conn);
/* End it now; not from inside one of its own callbacks. `conn` is gone afterwards. */
void lt_conn_kill(struct lt_conn *conn);

/* transport_ws.c; those with int are results for lws: not 0 closes */

int lt_ws_established(struct lt_conn *conn, const struct lt_serializer *serializer);
int lt_ws_receive(struct lt_conn *conn, struct lt_str chunk, bool binary, bool final, size_t rest);
int lt_ws_writable(struct lt_conn *conn);
int lt_ws_peer_closes(struct lt_conn *conn);
void lt_ws_heard(struct lt_conn *conn);
void lt_ws_close(struct lt_conn *conn, enum lt_close_reason reason, const char *text);
void lt_ws_finish(struct lt_conn *conn); /* part of lt_conn_gone */

/* transport_http.c */

int lt_http_begin(struct lt_conn *conn);
int lt_http_body_part(struct lt_conn *conn, struct lt_str chunk);
int lt_http_body_end(struct lt_conn *conn);
int lt_http_writable(struct lt_conn *conn);
/* May this upgrade go on? 0 yes; else the refusal was written. */
int lt_http_confirm_upgrade(struct lt_conn *conn, struct lws *wsi, const char *kind);
void lt_http_finish(struct lt_conn *conn); /* part of lt_conn_gone */

#endif
