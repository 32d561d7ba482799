/*
 * WebSocket connections: messages in, queued frames out, pings and closing.
 *
 * Output goes straight from the shared frames to the socket. What lws itself
 * has to say (pong, close) must not land inside a frame, so the part of a
 * frame that a socket does not take is handed to lws, whose own buffer orders
 * the two; until that is written the connection is "choked" and waits for the
 * writable callback of lws. With TLS all bytes go through lws: several frames
 * are gathered for one run of records.
 */
#include <assert.h>
#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <libwebsockets.h>

#include "base/alloc.h"
#include "base/table.h"
#include "router/transport_conn.h"

#define WRITE_BUDGET (256 * 1024) /* one connection's share of a flush */
#define TLS_RUN      (32 * 1024)  /* gathered for lws at once */

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

/* Whole frames in one run of records; lws keeps what the socket does not take. */
static bool write_tls(struct lt_conn *conn, size_t *budget)
{
	struct lt_outq_piece pieces[LT_OUTQ_PIECES];
	size_t count = lt_outq_peek(&conn->queue, pieces, LT_OUTQ_PIECES, TLS_RUN), n = 0,
	       whole = 0;
	char *at = conn->transport->scratch + LWS_PRE;

	for (; whole < count && (whole == 0 || n + pieces[whole].body.n <= TLS_RUN); whole++) {
		memcpy(at + n, pieces[whole].head, pieces[whole].head_n);
		n += pieces[whole].head_n;
		memcpy(at + n, pieces[whole].body.p, pieces[whole].body.n);
		n += pieces[whole].body.n;
	}
	lt_outq_take(&conn->queue, whole);
	*budget -= LT_MIN(*budget, n);
	conn->transport->bytes_sent += n;
	if (lws_write(conn->wsi, (unsigned char *)at, n, LWS_WRITE_RAW) < 0) {
		give_up(conn);
		return false;
	}
	if (lws_partial_buffered(conn->wsi)) {
		conn->choked = true;
		lws_callback_on_writable(conn->wsi);
		return false;
	}
	return true;
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
		if (conn->is_tls ? !write_tls(conn, &budget) : !write_some(conn, &budget)) {
			return false;
		}
	}
	if (conn->closing) {
		send_close(conn);
	}
	return false;
}

/* --- callbacks of lws --- */

static bool send_ping(struct lt_conn *conn)
{
	unsigned char frame[LWS_PRE + 4];

	memcpy(frame + LWS_PRE, "ping", 4); /* lws does not report a pong without payload */
	return lws_write(conn->wsi, frame + LWS_PRE, 4, LWS_WRITE_PING) >= 0;
}

static const struct lt_conn_ops ws_ops = {
	.write_share = write_share,
	.ping = send_ping,
};

int lt_ws_established(struct lt_conn *conn, const struct lt_serializer *serializer)
{
	lws_set_timeout(conn->wsi, NO_PENDING_TIMEOUT, 0);
	conn->is_ws = true;
	conn->is_tls = lws_is_ssl(conn->wsi);
	if (lt_deflate_is_agreed(conn->wsi)) {
		conn->queue.framing = LT_FRAMING_WS_DEFLATE;
	}
	lt_out_begin(conn, &ws_ops, conn->is_tls ? "websocket+tls" : "websocket", serializer);
	return 0;
}

static void receive_deflated(struct lt_conn *conn, struct lt_str deflated, bool binary)
{
	struct lt_buf message = { 0 };
	bool too_big = false;

	if (lt_deflate_inflate(conn->transport, deflated, &message, &too_big)) {
		lt_session_receive(conn->peer.session, lt_buf_str(&message), binary);
	} else if (too_big) {
		lt_out_close(conn, LT_CLOSE_TOO_BIG, "message too big");
	} else {
		lt_out_close(conn, LT_CLOSE_PROTOCOL, "not deflated");
	}
	lt_buf_finish(&message);
}

static void receive_whole(
		struct lt_conn *conn, struct lt_str message, const struct lt_ws_chunk *chunk)
{
	if (conn->rx_deflated) {
		receive_deflated(conn, message, chunk->binary);
	} else {
		lt_session_receive(conn->peer.session, message, chunk->binary);
	}
}

int lt_ws_receive(struct lt_conn *conn, const struct lt_ws_chunk *chunk)
{
	struct lt_transport *transport = conn->transport;
	size_t coming = chunk->bytes.n + chunk->rest;

	lt_out_heard(conn);
	transport->bytes_received += chunk->bytes.n;
	if (conn->closing || conn->dead || !conn->peer.session) {
		return 0;
	}
	if (conn->rx.n + coming > transport->env->limits.message_bytes) {
		lt_buf_finish(&conn->rx);
		lt_out_close(conn, LT_CLOSE_TOO_BIG, "message too big");
		return 0;
	}
	if (!conn->rx_started) {
		conn->rx_deflated = chunk->deflated;
		if (chunk->final) {
			receive_whole(conn, chunk->bytes, chunk);
			return 0;
		}
		conn->rx_started = true;
		lt_buf_reserve(&conn->rx, LT_MIN(coming, (size_t)64 * 1024));
	}
	lt_buf_add_str(&conn->rx, chunk->bytes);
	if (chunk->final) {
		struct lt_buf message = conn->rx;

		conn->rx = (struct lt_buf){ 0 };
		conn->rx_started = false;
		receive_whole(conn, lt_buf_str(&message), chunk);
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
		lt_out_add(conn);
	}
	return conn->dead ? -1 : 0;
}

int lt_ws_peer_closes(struct lt_conn *conn)
{
	/* the answer to ours: done; else lws answers, when nothing of ours is in its way */
	return conn->close_sent ? -1 : 0;
}
