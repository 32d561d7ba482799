/*
 * Shared by the files that own connections (listeners.c, transport_*.c) and by
 * nobody else: one accepted connection, and the transport that holds them all.
 *
 * A connection is made when a listener accepts it. Most are handed to
 * libwebsockets, which owns the descriptor from then on: they speak HTTP first
 * and may become a WebSocket. A RawSocket is ours alone (transport_raw.c).
 * lt_conn_gone is the one place that frees a connection.
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
struct lt_raw;
struct lt_tls;
struct lt_inflater;

struct lt_transport {
	struct lt_router *router;
	const struct lt_router_env *env;
	struct lt_http *http;
	struct lws_context *context; /* made when the first listener opens */
	struct lws_vhost *vhost;
	struct lws_vhost *tls_vhost;  /* made when the first TLS listener opens */
	struct lt_tls *tls;           /* its certificate */
	struct lt_inflater *inflater; /* made for the first compressed message; serves all */
	struct lt_lws_shared *shared; /* outlives us until lws has closed everything */
	struct lt_conn *conns;
	uint32_t conns_n;
	bool stopping; /* no new sessions */
	int fd_bound;  /* descriptors from here on do not fit into the tables of lws */

	/* Connections with something to write: appended in this turn, written at its end. */
	struct lt_conn *flush;
	struct lt_deferred flush_end;
	struct lt_timer flush_again; /* when one turn's share of time was used up */
	struct lt_timer awake;       /* keeps the loop from sleeping for a moment after a message */
	int64_t awake_until_us;
	char *scratch; /* room for what a socket did not take of a piece */

	/* A connection is gone: told to the listeners, which count addresses. */
	void (*on_gone)(void *arg, struct lt_conn *conn);
	void *on_gone_arg;

	uint64_t bytes_sent, bytes_received, slow_peers_ended, events_conflated;
	uint64_t too_big, handshakes_late, pings_unanswered;
	struct lt_histogram queue_bytes, fanout_us; /* lt_router_stats */
	int64_t fanout_since_us;                    /* the flush list was empty until then */
};

/* What the kinds of connections with sessions do differently. */
struct lt_conn_ops {
	/*
	 * Write what is queued, up to a share; close when all is written and the
	 * connection is closing. True: it has more and the socket would take it.
	 * The connection is still there afterwards.
	 */
	bool (*write_share)(struct lt_conn *conn);
	bool (*ping)(struct lt_conn *conn); /* false: the connection is broken */
};

#define LT_CONN_MAGIC 0x6c74636eu

struct lt_conn {
	uint32_t magic;
	int fd; /* owned by lws, but for a RawSocket */
	struct lt_transport *transport;
	struct lws *wsi;
	struct lt_conn *prev, *next;
	struct lt_conn *flush_prev, *flush_next;
	struct lt_http_req *req; /* being read or answered */
	struct lt_address *from; /* the listeners' count of this address; NULL: not counted */

	/* With a session: WebSocket and RawSocket */
	const struct lt_conn_ops *ops;
	struct lt_raw *raw;  /* NULL: owned by lws */
	size_t send_max;     /* of one message, told by the peer; 0: none */
	struct lt_peer peer; /* peer.address is set from the start */
	struct lt_outq queue;
	struct lt_buf rx;      /* a message that came in parts */
	struct lt_timer timer; /* first request; look after an HTTP client; next ping; end of a
				  close */
	struct lt_deferred farewell; /* tells the session that its peer is given up */
	int64_t heard_us;
	uint8_t pings;      /* sent since something was heard */
	uint8_t close_code; /* enum lt_close_reason */
	bool is_ws, is_tls, in_flush, choked, rx_started, rx_deflated, closing, close_sent, dead;
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
/* As above, and the virtual host with the certificate of the environment. */
bool lt_transport_start_tls(struct lt_transport *transport, struct lt_err *err);
bool lt_transport_reload_tls(struct lt_transport *transport, struct lt_err *err);

enum lt_listener_kind { LT_LISTENER_PLAIN, LT_LISTENER_TLS, LT_LISTENER_RAW };
/* Takes the descriptor, also on failure. `address` is copied, `from` borrowed. */
bool lt_transport_adopt_take(struct lt_transport *transport, int fd, enum lt_listener_kind kind,
		const char *address, struct lt_address *from);
/* Close every connection as soon as what it has queued is written. */
void lt_transport_close_all(struct lt_transport *transport);
void lt_transport_kill_all(struct lt_transport *transport);

/* The connection is over: tells the session or the request, frees. lws may live on a little. */
void lt_conn_gone(struct lt_conn *conn);
/* End it now; not from inside one of its own callbacks. `conn` is gone afterwards. */
void lt_conn_kill(struct lt_conn *conn);

/* transport_ws.c; those with int are results for lws: not 0 closes */

int lt_ws_established(struct lt_conn *conn, const struct lt_serializer *serializer);
struct lt_ws_chunk {
	struct lt_str bytes;
	bool binary, deflated; /* of the whole message */
	bool final;            /* the message ends with it */
	size_t rest;           /* of its frame */
};
int lt_ws_receive(struct lt_conn *conn, const struct lt_ws_chunk *chunk);
int lt_ws_writable(struct lt_conn *conn);
int lt_ws_peer_closes(struct lt_conn *conn);

/* transport_deflate.c: permessage-deflate (RFC 7692) as we agree to it */

/* Is the client's offer one that we take? Asked by lws for each. */
bool lt_deflate_accepts(struct lws *wsi);
/* Complete lws's answer by our parameters. False: that cannot be done. */
bool lt_deflate_answer(struct lws *wsi, void *add_headers);
bool lt_deflate_is_agreed(struct lws *wsi);
/* A whole message; `ret_message` is replaced. False: it is too big, or not deflated. */
bool lt_deflate_inflate(struct lt_transport *transport, struct lt_str deflated,
		struct lt_buf *ret_message, bool *ret_too_big);
void lt_inflater_destroy(struct lt_inflater *inflater); /* NULL is fine */

/* transport_raw.c */

/* Takes the descriptor, also on failure, but not `conn`. */
bool lt_raw_start_take(struct lt_conn *conn, int fd, struct lt_err *err);
void lt_raw_finish(struct lt_conn *conn); /* part of lt_conn_gone */

/* transport_out.c */

/* The handshake is done: make the session, ping from time to time. */
void lt_out_begin(struct lt_conn *conn, const struct lt_conn_ops *ops, const char *transport_name,
		const struct lt_serializer *serializer);
void lt_out_heard(struct lt_conn *conn);  /* something came from the peer */
void lt_out_add(struct lt_conn *conn);    /* to those that are written at the end of the turn */
void lt_out_remove(struct lt_conn *conn); /* from them */
/* Write what is queued, then close; gives up after 10 s. */
void lt_out_close(struct lt_conn *conn, enum lt_close_reason reason, const char *text);
void lt_out_finish(struct lt_conn *conn); /* part of lt_conn_gone */

/* transport_http.c */

int lt_http_begin(struct lt_conn *conn);
int lt_http_body_part(struct lt_conn *conn, struct lt_str chunk);
int lt_http_body_end(struct lt_conn *conn);
int lt_http_writable(struct lt_conn *conn);
/* May this upgrade go on? 0 yes; else the refusal was written. */
int lt_http_confirm_upgrade(struct lt_conn *conn, struct lws *wsi, const char *kind);
void lt_http_finish(struct lt_conn *conn); /* part of lt_conn_gone */

#endif
