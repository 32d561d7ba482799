/*
 * Output of all kinds of connections. A message is queued as a reference to
 * shared bytes; the connections with something queued stand in the transport's
 * flush list, which is written at the end of the turn, so that everything
 * queued for a connection goes into one gathering write. How it is written is
 * the business of the connection's kind (struct lt_conn_ops).
 */
#include <stdio.h>

#include "base/alloc.h"
#include "base/table.h"
#include "router/transport_conn.h"

#define FLUSH_SHARE_US 4000 /* one flush's share of a turn */
/*
 * After a message the loop does not sleep for so long: the answer to what it
 * caused often comes at once, and waking up takes longer than that (half of the
 * time of a call). At ten messages a second it costs a thousandth of a core.
 */
#define AWAKE_US      100
#define FLUSH_CHECK   16 /* connections between two looks at the clock */
#define CLOSE_WAIT_MS 10000
#define PINGS_MAX     2

static void flush_turn(void *arg)
{
	struct lt_transport *transport = arg;
	struct lt_conn *conn = transport->flush, *last = NULL;
	int64_t end_us = lt_clock_mono().us + FLUSH_SHARE_US;
	unsigned n = 0;

	while (conn && conn != last) {
		lt_out_remove(conn);
		lt_histogram_add(&transport->queue_bytes, lt_histogram_bytes,
				(int64_t)conn->queue.bytes);
		if (conn->ops->write_share(conn)) {
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
	} else {
		lt_histogram_add(&transport->fanout_us, lt_histogram_us,
				lt_clock_mono().us - transport->fanout_since_us);
	}
}

void lt_out_add(struct lt_conn *conn)
{
	struct lt_transport *transport = conn->transport;

	if (conn->in_flush || conn->choked) {
		return;
	}
	if (!transport->flush && !lt_timer_is_armed(&transport->flush_again)) {
		lt_loop_defer(transport->env->loop, &transport->flush_end, flush_turn, transport);
	}
	if (!transport->flush) {
		transport->fanout_since_us = lt_clock_mono().us;
	}
	DL_APPEND2(transport->flush, conn, flush_prev, flush_next);
	conn->in_flush = true;
}

void lt_out_remove(struct lt_conn *conn)
{
	if (conn->in_flush) {
		DL_DELETE2(conn->transport->flush, conn, flush_prev, flush_next);
		conn->in_flush = false;
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

void lt_out_close(struct lt_conn *conn, enum lt_close_reason reason, const char *text)
{
	if (conn->closing) {
		return;
	}
	conn->closing = true;
	conn->close_code = (uint8_t)reason;
	snprintf(conn->close_text, sizeof(conn->close_text), "%s", text ? text : "");
	if (reason == LT_CLOSE_TOO_BIG) {
		conn->transport->too_big++;
	}
	lt_timer_once(&conn->timer, conn->transport->env->loop, CLOSE_WAIT_MS, on_close_timeout,
			conn);
	lt_out_add(conn);
}

/* Over its bounds: nothing queued will be read, and others must not wait for this peer. */
static void end_slow(struct lt_conn *conn)
{
	conn->transport->slow_peers_ended++;
	lt_outq_finish(&conn->queue);
	lt_out_close(conn, LT_CLOSE_POLICY, "too slow");
	lt_loop_defer(conn->transport->env->loop, &conn->farewell, on_farewell, conn);
}

void lt_out_finish(struct lt_conn *conn)
{
	lt_out_remove(conn);
	lt_timer_cancel(&conn->timer);
	lt_deferred_cancel(&conn->farewell);
	on_farewell(conn);
	lt_out_remove(conn);
	lt_timer_cancel(&conn->timer);
	lt_outq_finish(&conn->queue);
}

/* --- what sessions ask for --- */

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
	if (conn->send_max > 0 && lt_payload_message(payload).n > conn->send_max) {
		lt_out_close(conn, LT_CLOSE_TOO_BIG, "message too big for the peer");
		return;
	}
	if (lt_outq_push(&conn->queue, payload, conflate, &limits, &transport->events_conflated)) {
		lt_out_add(conn);
	} else {
		end_slow(conn);
	}
}

static void peer_close(struct lt_peer *peer, enum lt_close_reason reason, const char *text)
{
	lt_out_close(lt_container_of(peer, struct lt_conn, peer), reason, text);
}

static const struct lt_peer_ops peer_ops = {
	.send = peer_send,
	.close = peer_close,
};

/* --- the beginning, and idle connections --- */

static void on_ping_time(void *arg)
{
	struct lt_conn *conn = arg;
	const struct lt_router_env *env = conn->transport->env;
	int64_t interval_us = (int64_t)env->limits.ping_interval_ms * LT_US_PER_MS;
	int64_t idle_us = lt_loop_now(env->loop).us - conn->heard_us;

	if (conn->pings == 0 && idle_us < interval_us) {
		lt_timer_once(&conn->timer, env->loop, (interval_us - idle_us) / LT_US_PER_MS + 1,
				on_ping_time, conn);
		return;
	}
	if (conn->pings >= PINGS_MAX) {
		conn->transport->pings_unanswered++;
		lt_conn_kill(conn);
		return;
	}
	if (!conn->ops->ping(conn)) {
		lt_conn_kill(conn);
		return;
	}
	conn->pings++;
	lt_timer_once(&conn->timer, env->loop, env->limits.ping_interval_ms, on_ping_time, conn);
}

void lt_out_begin(struct lt_conn *conn, const struct lt_conn_ops *ops, const char *transport_name,
		const struct lt_serializer *serializer)
{
	struct lt_transport *transport = conn->transport;

	conn->ops = ops;
	conn->peer.ops = &peer_ops;
	conn->peer.transport = transport_name;
	conn->heard_us = lt_loop_now(transport->env->loop).us;
	lt_timer_once(&conn->timer, transport->env->loop, transport->env->limits.ping_interval_ms,
			on_ping_time, conn);
	conn->peer.session = lt_session_create(transport->router, &conn->peer, serializer);
}

static void stay_awake(void *arg)
{
	struct lt_transport *transport = arg;

	if (lt_clock_mono().us < transport->awake_until_us) {
		lt_timer_once(&transport->awake, transport->env->loop, 0, stay_awake, transport);
	}
}

void lt_out_heard(struct lt_conn *conn)
{
	struct lt_transport *transport = conn->transport;

	conn->heard_us = lt_loop_now(transport->env->loop).us;
	conn->pings = 0;
	transport->awake_until_us = conn->heard_us + AWAKE_US;
	if (!lt_timer_is_armed(&transport->awake)) {
		lt_timer_once(&transport->awake, transport->env->loop, 0, stay_awake, transport);
	}
}
