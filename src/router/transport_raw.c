/*
 * RawSocket (WAMP 17.3.2): a handshake of four octets, then frames of a type, a
 * length of 24 bits and a body, over TCP or a unix socket. Nothing of it needs
 * libwebsockets: the socket is watched and written by us.
 *
 * The length that a peer announces in its handshake bounds what it is sent; a
 * message over it ends the connection, because dropping it would be silent.
 */
#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "router/transport_conn.h"

#define MAGIC        0x7f
#define READ_BYTES   (32 * 1024)
#define WRITE_BUDGET (256 * 1024)
#define PING_MAX     (64 * 1024) /* longer ones are no pings; as much waits to be answered */
#define MIN_SHIFT    9           /* the length nibble n stands for 2^(9+n) */
#define MAX_NIBBLE   15

enum { TYPE_MESSAGE, TYPE_PING, TYPE_PONG };
enum { REFUSE_SERIALIZER = 1, REFUSE_RESERVED = 3 };

struct lt_raw {
	struct lt_watch watch;
	uint8_t head[LT_RAW_HEAD]; /* of the handshake, then of each frame */
	uint8_t head_n;
	uint8_t type;          /* of the frame being read */
	bool shaken;           /* the handshake is done */
	bool binary;           /* kind of serializer */
	size_t body_left;      /* of the frame being read; its beginning is in conn->rx */
	struct lt_buf control; /* answered pings and ours: written between two messages */
};

/* --- output --- */

static void wait_writable(struct lt_conn *conn)
{
	conn->choked = true;
	lt_watch_set(&conn->raw->watch, LT_READABLE | LT_WRITABLE);
}

/* Nothing more can be written; the peer's end of file, or the timer, ends the connection. */
static void stop_writing(struct lt_conn *conn)
{
	shutdown(conn->fd, SHUT_WR);
	conn->close_sent = true;
}

static void give_up(struct lt_conn *conn)
{
	conn->dead = true;
	lt_outq_finish(&conn->queue);
	shutdown(conn->fd, SHUT_RDWR); /* so that reading ends at once */
}

static ssize_t check_written(struct lt_conn *conn, ssize_t written)
{
	if (written >= 0) {
		conn->transport->bytes_sent += (size_t)written;
	} else if (errno == EAGAIN || errno == EINTR || errno == ENOBUFS) {
		wait_writable(conn);
	} else {
		give_up(conn);
	}
	return written;
}

/* True: all of it has left. */
static bool write_control(struct lt_conn *conn)
{
	struct lt_buf *control = &conn->raw->control;

	if (control->n == 0 || conn->queue.sent > 0) {
		return true;
	}
	ssize_t written = check_written(
			conn, send(conn->fd, control->p, control->n, MSG_NOSIGNAL | MSG_DONTWAIT));
	if (written < 0) {
		return false;
	}
	lt_buf_remove_front(control, (size_t)written);
	if (control->n > 0) {
		wait_writable(conn);
		return false;
	}
	lt_buf_finish(control);
	return true;
}

/* One gathering write. False: the socket is full (or broken). */
static bool write_messages(struct lt_conn *conn, size_t *budget)
{
	struct lt_outq_piece pieces[LT_OUTQ_PIECES];
	struct iovec iov[2 * LT_OUTQ_PIECES];
	struct msghdr message = { .msg_iov = iov };
	size_t count = lt_outq_peek(&conn->queue, pieces, LT_OUTQ_PIECES, *budget), total = 0;

	for (size_t i = 0; i < count; i++) {
		iov[message.msg_iovlen++] = (struct iovec){ pieces[i].head, pieces[i].head_n };
		iov[message.msg_iovlen++] = (struct iovec){
			.iov_base = (void *)(uintptr_t)pieces[i].body.p,
			.iov_len = pieces[i].body.n,
		};
		total += pieces[i].head_n + pieces[i].body.n;
	}
	ssize_t written = check_written(
			conn, sendmsg(conn->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT));
	if (written < 0) {
		return false;
	}
	lt_outq_take_bytes(&conn->queue, (size_t)written);
	*budget -= LT_MIN(*budget, (size_t)written);
	if ((size_t)written < total) {
		wait_writable(conn);
		return false;
	}
	return true;
}

static bool write_share(struct lt_conn *conn)
{
	size_t budget = WRITE_BUDGET;

	if (conn->dead || conn->close_sent) {
		return false;
	}
	if (!write_control(conn)) {
		return false;
	}
	while (!lt_outq_is_empty(&conn->queue)) {
		if (budget == 0) {
			return true;
		}
		if (!write_messages(conn, &budget)) {
			return false;
		}
	}
	if (!write_control(conn)) {
		return false;
	}
	if (conn->closing) {
		stop_writing(conn);
	}
	return false;
}

static void add_control(struct lt_conn *conn, uint8_t type, struct lt_str body)
{
	struct lt_buf *control = &conn->raw->control;
	const char head[LT_RAW_HEAD] = { (char)type, (char)(body.n >> 16), (char)(body.n >> 8),
		(char)body.n };

	if (control->n > PING_MAX) {
		return; /* it does not read what it asked for */
	}
	lt_buf_add(control, head, sizeof(head));
	lt_buf_add_str(control, body);
	lt_out_add(conn);
}

static bool send_ping(struct lt_conn *conn)
{
	add_control(conn, TYPE_PING, LT_STR("ping"));
	return true;
}

static const struct lt_conn_ops raw_ops = {
	.write_share = write_share,
	.ping = send_ping,
};

/* --- handshake --- */

/* The largest length that we can announce without promising more than we take. */
static unsigned length_nibble(size_t message_bytes)
{
	unsigned nibble = 0;

	while (nibble < MAX_NIBBLE && ((size_t)1 << (MIN_SHIFT + nibble + 1)) <= message_bytes) {
		nibble++;
	}
	return nibble;
}

static bool send_answer(struct lt_conn *conn, uint8_t second)
{
	const uint8_t answer[LT_RAW_HEAD] = { MAGIC, second, 0, 0 };

	return send(conn->fd, answer, sizeof(answer), MSG_NOSIGNAL | MSG_DONTWAIT) ==
			(ssize_t)sizeof(answer);
}

/* False: the connection is over. */
static bool shake(struct lt_conn *conn)
{
	static const char *const subprotocols[] = { NULL, "wamp.2.json", "wamp.2.msgpack",
		"wamp.2.cbor" };
	const uint8_t *head = conn->raw->head;
	unsigned kind = head[1] & 0x0f, nibble = head[1] >> 4;
	const struct lt_serializer *serializer = NULL;

	if (head[0] != MAGIC) {
		return false;
	}
	if (head[2] != 0 || head[3] != 0) {
		send_answer(conn, REFUSE_RESERVED << 4);
		return false;
	}
	if (kind > 0 && kind < LT_ARRAY_LEN(subprotocols)) {
		serializer = lt_serializer_find(lt_str_from(subprotocols[kind]));
	}
	if (!serializer) {
		send_answer(conn, REFUSE_SERIALIZER << 4);
		return false;
	}
	if (!send_answer(conn,
			    (uint8_t)(length_nibble(conn->transport->env->limits.message_bytes)
							    << 4 |
					    kind))) {
		return false;
	}
	conn->raw->shaken = true;
	conn->raw->binary = lt_serializer_is_binary(serializer);
	conn->queue.framing = LT_FRAMING_RAW;
	/* a length of 2^24 does not fit into the frame's field */
	conn->send_max = LT_MIN((size_t)1 << (MIN_SHIFT + nibble), ((size_t)1 << 24) - 1);
	lt_out_begin(conn, &raw_ops, "rawsocket", serializer);
	return true;
}

/* --- frames --- */

/* A whole frame of the type that stands in raw->type. */
static void receive_frame(struct lt_conn *conn, struct lt_str body)
{
	if (conn->closing || conn->dead || !conn->peer.session) {
		return;
	}
	if (conn->raw->type == TYPE_MESSAGE) {
		lt_session_receive(conn->peer.session, body, conn->raw->binary);
	} else if (conn->raw->type == TYPE_PING) {
		add_control(conn, TYPE_PONG, body);
	}
}

/* The head of a frame is complete. False: it is refused. */
static bool begin_frame(struct lt_conn *conn)
{
	struct lt_raw *raw = conn->raw;
	size_t n = (size_t)raw->head[1] << 16 | (size_t)raw->head[2] << 8 | raw->head[3];

	raw->type = raw->head[0];
	raw->body_left = n;
	raw->head_n = 0;
	if (raw->type > TYPE_PONG || (raw->type != TYPE_MESSAGE && n > PING_MAX)) {
		lt_out_close(conn, LT_CLOSE_PROTOCOL, "not a frame");
		return false;
	}
	if (n > conn->transport->env->limits.message_bytes) {
		lt_out_close(conn, LT_CLOSE_TOO_BIG, "message too big");
		return false;
	}
	return true;
}

static void read_body(struct lt_conn *conn, struct lt_str *chunk)
{
	struct lt_raw *raw = conn->raw;
	size_t n = LT_MIN(chunk->n, raw->body_left);
	struct lt_str part = { chunk->p, n };

	*chunk = lt_str_skip(*chunk, n);
	raw->body_left -= n;
	if (raw->body_left > 0) {
		lt_buf_add_str(&conn->rx, part);
	} else if (conn->rx.n == 0) {
		receive_frame(conn, part);
	} else {
		struct lt_buf message = conn->rx;

		conn->rx = (struct lt_buf){ 0 };
		lt_buf_add_str(&message, part);
		receive_frame(conn, lt_buf_str(&message));
		lt_buf_finish(&message);
	}
}

/* False: the connection is over. */
static bool receive_chunk(struct lt_conn *conn, struct lt_str chunk)
{
	struct lt_raw *raw = conn->raw;

	while (chunk.n > 0 && !conn->closing) {
		if (raw->body_left > 0) {
			read_body(conn, &chunk);
			continue;
		}
		raw->head[raw->head_n++] = (uint8_t)chunk.p[0];
		chunk = lt_str_skip(chunk, 1);
		if (raw->head_n < LT_RAW_HEAD) {
			continue;
		}
		if (!raw->shaken) {
			raw->head_n = 0;
			if (!shake(conn)) {
				return false;
			}
		} else if (begin_frame(conn) && raw->body_left == 0) {
			receive_frame(conn, LT_STR(""));
		}
	}
	return true;
}

static void on_ready(void *arg, int events)
{
	struct lt_conn *conn = arg;
	struct lt_transport *transport = conn->transport;

	if (events & LT_WRITABLE) {
		conn->choked = false;
		lt_watch_set(&conn->raw->watch, LT_READABLE);
		if (write_share(conn)) {
			lt_out_add(conn);
		}
	}
	if (!(events & LT_READABLE)) {
		return;
	}
	ssize_t n = recv(conn->fd, transport->scratch, READ_BYTES, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		return;
	}
	if (n <= 0) {
		lt_conn_gone(conn);
		return;
	}
	transport->bytes_received += (size_t)n;
	if (conn->raw->shaken) {
		lt_out_heard(conn);
	}
	if (!receive_chunk(conn, (struct lt_str){ transport->scratch, (size_t)n })) {
		lt_conn_gone(conn);
	}
}

bool lt_raw_start_take(struct lt_conn *conn, int fd, struct lt_err *err)
{
	struct lt_raw *raw = lt_zalloc(sizeof(*raw));

	if (!lt_watch_start(&raw->watch, conn->transport->env->loop, fd, LT_READABLE, on_ready,
			    conn, err)) {
		close(fd);
		lt_free(raw);
		return false;
	}
	conn->raw = raw;
	return true;
}

void lt_raw_finish(struct lt_conn *conn)
{
	struct lt_raw *raw = LT_STEAL(conn->raw);

	if (raw) {
		lt_watch_stop(&raw->watch);
		close(conn->fd);
		lt_buf_finish(&raw->control);
		lt_free(raw);
	}
}
