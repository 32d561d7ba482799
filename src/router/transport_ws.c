/*
 * WebSocket connections: messages in, queued frames out, pings and closing.
 *
 * Output. A message is queued as a reference to its finished frame; the
 * connections with something queued stand in the transport's flush list, which
 * is written at the end of the turn: everything queued for a connection goes
 * into one gathering write, straight from the shared frames. What lws itself
 * has to say (pong, close) must not land inside a frame, so the part of a
 * frame that a socket does not take is handed to lws, whose own buffer orders
 * the two; until that is written the connection is "choked" and waits for the
 * writable callback of lws.
 */
#include <assert.h>
#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <libwebsockets.h>

#include "base/alloc.h"
#include "base/table.h"
#include "router/transport_conn.h"

#define WRITE_BUDGET   (256 * 1024) /* one connection's share of a flush */
#define FLUSH_SHARE_US 4000         /* one flush's share of a turn */
#define FLUSH_CHECK    16           /* connections between two looks at the clock */
#define CLOSE_WAIT_MS  10000
#define PINGS_MAX      2

static void flush_turn(void *arg);

static void flush_add(struct lt_conn *conn)
{
	struct lt_transport *transport = conn->transport;

	if (conn->in_flush || conn->choked) {
		return;
	}
	if (!transport->flush && !lt_timer_is_armed(&transport->flush_again)) {
		lt_loop_defer(transport->env->loop, &transport->flush_end, flush_turn, transport);
	}
	DL_APPEND2(transport->flush, conn, flush_prev, flush_next);
	conn->in_flush = true;
}

static void flush_remove(struct lt_conn *conn)
{
	if (conn->in_flush) {
		DL_DELETE2(conn->transport->flush, conn, flush_prev, flush_next);
		conn->in_flush = false;
	}
}

/* The socket is broken: what is queued is dropped, and lws closes at its next callback. */
static void give_up(struct lt_conn *conn)
{
	conn->dead = true;
	lt_outq_finish(&conn->queue);
	lws_callback_on_writable(conn->wsi);
}

/* Copy what is left of a piece to lws, which buffers and writes it before anything else. */
static bool hand_over(struct lt_conn *conn, const struct lt_outq_piece *piece, size_t written)
{
	unsigned char *at = (unsigned char *)conn->transport->scratch + LWS_PRE;
	size_t n = 0;

	if (written < piece->head_n) {
		n = piece->head_n - written;
		memcpy(at, piece->head + written, n);
		written = 0;
	} else {
		written -= piece->head_n;
	}
	memcpy(at + n, piece->body.p + written, piece->body.n - written);
	n += piece->body.n - written;
	return lws_write(conn->wsi, at, n, LWS_WRITE_RAW) >= 0;
}

static ssize_t write_pieces(struct lt_conn *conn, const struct lt_outq_piece *pieces, size_t count)
{
	struct iovec iov[2 * LT_OUTQ_PIECES];
	struct msghdr message = { .msg_iov = iov };

	for (size_t i = 0; i < count; i++) {
		if (pieces[i].head_n > 0) {
			iov[message.msg_iovlen++] = (struct iovec){
				.iov_base = (void *)(uintptr_t)pieces[i].head,
				.iov_len = pieces[i].head_n,
			};
		}
		iov[message.msg_iovlen++] = (struct iovec){
			.iov_base = (void *)(uintptr_t)pieces[i].body.p,
			.iov_len = pieces[i].body.n,
		};
	}
	if (message.msg_iovlen == 1) {
		return send(conn->fd, iov[0].iov_base, iov[0].iov_len, MSG_NOSIGNAL | MSG_DONTWAIT);
	}
	return sendmsg(conn->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* One gathering write. False: the socket is full (or broken), nothing more now. */
static bool write_some(struct lt_conn *conn, size_t *budget)
{
	struct lt_outq_piece pieces[LT_OUTQ_PIECES];
	size_t count = lt_outq_peek(&conn->queue, pieces, LT_OUTQ_PIECES, *budget), whole = 0;
	ssize_t written = write_pieces(conn, pieces, count);

	if (written < 0) {
		if (errno == EAGAIN || errno == EINTR || errno == ENOBUFS) {
			conn->choked = true;
			lws_callback_on_writable(conn->wsi);
		} else {
			give_up(conn);
		}
		return false;
	}
	size_t left = (size_t)written;
	*budget -= LT_MIN(*budget, left);
	conn->transport->bytes_sent += left;
	while (whole < count && left >= pieces[whole].head_n + pieces[whole].body.n) {
		left -= pieces[whole].head_n + pieces[whole].body.n;
		whole++;
	}
	if (whole == count) {
		lt_outq_take(&conn->queue, whole);
		return true;
	}
	if (left > 0) {
		conn->transport->bytes_sent += pieces[whole].head_n + pieces[whole].body.n - left;
		if (!hand_over(conn, &pieces[whole], left)) {
			give_up(conn);
			return false;
		}
		whole++;
	}
	lt_outq_take(&conn->queue, whole);
	conn->choked = true;
	lws_callback_on_writable(conn->wsi);
	return false;
}

/*
 * The close frame, written by us: lws 4.1 closes without one when a writable
 * callback asks it to. Its answer, or the timer, ends the connection.
 */
static void send_close(struct lt_conn *conn)
{
	static const uint16_t codes[] = {
		[LT_CLOSE_NORMAL] = 1000,
		[LT_CLOSE_PROTOCOL] = 1002,
		[LT_CLOSE_POLICY] = 1008,
		[LT_CLOSE_TOO_BIG] = 1009,
		[LT_CLOSE_SHUTDOWN] = 1001,
	};
	unsigned char bytes[LWS_PRE + 4 + sizeof(conn->close_text)], *frame = bytes + LWS_PRE;
	size_t text_n = strlen(conn->close_text);

	frame[0] = 0x88;
	frame[1] = (unsigned char)(2 + text_n);
	frame[2] = (unsigned char)(codes[conn->close_code] >> 8);
	frame[3] = (unsigned char)codes[conn->close_code];
	memcpy(frame + 4, conn->close_text, text_n);
	conn->close_sent = true;
	if (lws_write(conn->wsi, frame, 4 + text_n, LWS_WRITE_RAW) < 0) {
		give_up(conn);
	}
}

/* Write this connection's share. True: it has more and the socket would take it. */
static bool write_share(struct lt_conn *conn)
{
	size_t budget = WRITE_BUDGET;

	if (conn->dead || conn->close_sent) {
		return false;
	}
	if (lws_partial_buffered(conn->wsi)) {
		conn->choked = true;
		lws_callback_on_writable(conn->wsi);
		return false;
	}
	while (!lt_outq_is_empty(&conn->queue)) {
		if (budget == 0) {
			return true;
		}
		if (!write_some(conn, &budget)) {
			return false;
		}
	}
	if (conn->closing) {
		send_close(conn);
	}
	return false;
}

static void flush_turn(void *arg)
{
	struct lt_transport *transport = arg;
	struct lt_conn *conn = transport->flush, *last = NULL;
	int64_t end_us = lt_clock_mono().us + FLUSH_SHARE_US;
	unsigned n = 0;

	while (conn && conn != last) {
		flush_remove(conn);
		if (write_share(conn)) {
			if (!last) {
				last = conn; /* who comes back here has had his share */
			}
			DL_APPEND2(transport->flush, conn, flush_prev, flush_next);
			conn->in_flush = true;
		}
		if (++n % FLUSH_CHECK == 0 && lt_clock_mono().us >= end_us) {
			break;
		}
		conn = transport->flush;
	}
	if (transport->flush) {
		lt_timer_once(&transport->flush_again, transport->env->loop, 0, flush_turn,
				transport);
	}
}

/* --- the end of a connection --- */

static void on_farewell(void *arg)
{
	struct lt_conn *conn = arg;
	struct lt_session *session = conn->peer.session;

	conn->peer.session = NULL;
	if (session) {
		lt_session_peer_gone(session);
	}
}

static void on_close_timeout(void *arg)
{
	lt_conn_kill(arg);
}

void lt_ws_close(struct lt_conn *conn, enum lt_close_reason reason, const char *text)
{
	if (conn->closing) {
		return;
	}
	conn->closing = true;
	conn->close_code = (uint8_t)reason;
	snprintf(conn->close_text, sizeof(conn->close_text), "%s", text ? text : "");
	lt_timer_once(&conn->timer, conn->transport->env->loop, CLOSE_WAIT_MS, on_close_timeout,
			conn);
	flush_add(conn);
}

/* Over its bounds: nothing queued will be read, and others must not wait for this peer. */
static void end_slow(struct lt_conn *conn)
{
	conn->transport->slow_peers_ended++;
	lt_outq_finish(&conn->queue);
	lt_ws_close(conn, LT_CLOSE_POLICY, "too slow");
	lt_loop_defer(conn->transport->env->loop, &conn->farewell, on_farewell, conn);
}

static void peer_send(struct lt_peer *peer, struct lt_payload *payload, uint64_t conflate)
{
	struct lt_conn *conn = lt_container_of(peer, struct lt_conn, peer);
	struct lt_transport *transport = conn->transport;
	struct lt_outq_limits limits = {
		.soft_bytes = transport->env->limits.queue_soft_bytes,
		.hard_bytes = transport->env->limits.queue_bytes,
	};

	if (conn->closing || conn->dead) {
		return;
	}
	if (lt_outq_push(&conn->queue, payload, conflate, &limits, &transport->events_conflated)) {
		flush_add(conn);
	} else {
		end_slow(conn);
	}
}

static void peer_close(struct lt_peer *peer, enum lt_close_reason reason, const char *text)
{
	lt_ws_close(lt_container_of(peer, struct lt_conn, peer), reason, text);
}

static const struct lt_peer_ops ws_peer_ops = {
	.send = peer_send,
	.close = peer_close,
};

/* --- callbacks of lws --- */

static void on_ping_time(void *arg)
{
	struct lt_conn *conn = arg;
	const struct lt_router_env *env = conn->transport->env;
	int64_t interval_us = (int64_t)env->limits.ping_interval_ms * LT_US_PER_MS;
	int64_t idle_us = lt_loop_now(env->loop).us - conn->heard_us;
	unsigned char frame[LWS_PRE + 4];

	if (conn->pings == 0 && idle_us < interval_us) {
		lt_timer_once(&conn->timer, env->loop, (interval_us - idle_us) / LT_US_PER_MS + 1,
				on_ping_time, conn);
		return;
	}
	memcpy(frame + LWS_PRE, "ping", 4); /* lws does not report a pong without payload */
	if (conn->pings >= PINGS_MAX ||
			lws_write(conn->wsi, frame + LWS_PRE, 4, LWS_WRITE_PING) < 0) {
		lt_conn_kill(conn);
		return;
	}
	conn->pings++;
	lt_timer_once(&conn->timer, env->loop, env->limits.ping_interval_ms, on_ping_time, conn);
}

int lt_ws_established(struct lt_conn *conn, const struct lt_serializer *serializer)
{
	struct lt_transport *transport = conn->transport;

	lws_set_timeout(conn->wsi, NO_PENDING_TIMEOUT, 0);
	conn->is_ws = true;
	conn->peer.ops = &ws_peer_ops;
	conn->peer.transport = lws_is_ssl(conn->wsi) ? "websocket+tls" : "websocket";
	conn->heard_us = lt_loop_now(transport->env->loop).us;
	lt_timer_once(&conn->timer, transport->env->loop, transport->env->limits.ping_interval_ms,
			on_ping_time, conn);
	conn->peer.session = lt_session_create(transport->router, &conn->peer, serializer);
	return 0;
}

void lt_ws_heard(struct lt_conn *conn)
{
	conn->heard_us = lt_loop_now(conn->transport->env->loop).us;
	conn->pings = 0;
}

int lt_ws_receive(struct lt_conn *conn, struct lt_str chunk, bool binary, bool final, size_t rest)
{
	struct lt_transport *transport = conn->transport;
	size_t max = transport->env->limits.message_bytes;

	lt_ws_heard(conn);
	transport->bytes_received += chunk.n;
	if (conn->closing || conn->dead || !conn->peer.session) {
		return 0;
	}
	if (conn->rx.n + chunk.n + rest > max) {
		lt_buf_finish(&conn->rx);
		lt_ws_close(conn, LT_CLOSE_TOO_BIG, "message too big");
		return 0;
	}
	if (final && !conn->rx_started) {
		lt_session_receive(conn->peer.session, chunk, binary);
		return 0;
	}
	if (!conn->rx_started) {
		conn->rx_started = true;
		lt_buf_reserve(&conn->rx, LT_MIN(chunk.n + rest, (size_t)64 * 1024));
	}
	lt_buf_add(&conn->rx, chunk.p, chunk.n);
	if (final) {
		struct lt_buf message = conn->rx;

		conn->rx = (struct lt_buf){ 0 };
		conn->rx_started = false;
		lt_session_receive(conn->peer.session, lt_buf_str(&message), binary);
		lt_buf_finish(&message);
	}
	return 0;
}

int lt_ws_writable(struct lt_conn *conn)
{
	if (conn->dead) {
		return -1;
	}
	conn->choked = false;
	if (write_share(conn)) {
		flush_add(conn);
	}
	return conn->dead ? -1 : 0;
}

int lt_ws_peer_closes(struct lt_conn *conn)
{
	/* the answer to ours: done; else lws answers, when nothing of ours is in its way */
	return conn->close_sent ? -1 : 0;
}

void lt_ws_finish(struct lt_conn *conn)
{
	flush_remove(conn);
	lt_timer_cancel(&conn->timer);
	lt_deferred_cancel(&conn->farewell);
	on_farewell(conn);
	flush_remove(conn);
	lt_timer_cancel(&conn->timer);
	lt_outq_finish(&conn->queue);
	lt_buf_finish(&conn->rx);
}
