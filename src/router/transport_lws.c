/*
 * libwebsockets as we use it: one context on our loop, one virtual host that
 * does not listen itself (listeners.c accepts and hands sockets over), and the
 * callback that turns its reasons into calls of transport_ws.c and
 * transport_http.c.
 */
#include <assert.h>
#include <sys/resource.h>
#include <unistd.h>

#include <libwebsockets.h>

#include "base/alloc.h"
#include "base/table.h"
#include "router/transport_conn.h"
#include "router/transport_tls.h"

/*
 * A connection's own buffer of lws, and one read. Of the former only the pages
 * that a peer's messages reach cost memory, so the idle many stay small; of the
 * latter the more a publisher's read brings, the more leaves in one write.
 */
#define RX_BYTES      (32 * 1024)
#define TURN_RX_BYTES (128 * 1024)
#define HEADER_BYTES  8192 /* of one request; held while it is read */
#define OTHER_FDS     1024 /* descriptors of the daemon besides its connections */
#define TLS_OPTIONS   (LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT | LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS)
#define RSV1          0x40 /* bit of a frame: compressed */

/* Supported when lt_serializer_find knows them. */
static const char *const subprotocols[] = {
	"wamp.2.json",
	"wamp.2.msgpack",
	"wamp.2.cbor",
	"wamp.2.json.batched",
	"wamp.2.msgpack.batched",
	"wamp.2.cbor.batched",
};

/*
 * What lws keeps pointing at until its context is gone. On a foreign loop that
 * takes two calls of lws_context_destroy: the first closes the handles, the
 * second frees, and between them the loop must have turned. So this outlives
 * the transport by some turns.
 */
struct lt_lws_shared {
	struct lt_loop *loop;
	struct lws_context *context; /* set to NULL by lws at the very end */
	unsigned turns;
	struct lws_protocols protocols[LT_ARRAY_LEN(subprotocols) + 2];
	struct lws_extension extensions[2];
};

#define END_TURNS 4

/*
 * lws has one log hook for the process and passes it no context: the one
 * pointer that cannot be reached from main's tree. Set while a transport runs.
 */
static const struct lt_log *lws_log_target;

static void on_lws_log(int level, const char *line)
{
	struct lt_str text = lt_str_trim(lt_str_from(line));
	char value[LT_LOG_VALUE_MAX];

	if (lws_log_target) {
		lt_log(lws_log_target, level & LLL_ERR ? LT_WARN : LT_DEBUG, "libwebsockets",
				"text=%s", lt_log_value(text, value));
	}
}

static void no_work(void *arg)
{
	(void)arg;
}

static void end_context(void *arg)
{
	struct lt_lws_shared *shared = arg;

	if (++shared->turns < END_TURNS) {
		lt_loop_work(shared->loop, no_work, end_context, shared);
		return;
	}
	if (shared->context) {
		lws_context_destroy(shared->context);
	}
	lt_free(shared);
}

static void destroy_context(struct lt_lws_shared *shared)
{
	lws_context_destroy(shared->context);
	lt_loop_work(shared->loop, no_work, end_context, shared);
}

static int on_receive(struct lt_conn *conn, struct lws *wsi, void *in, size_t len)
{
	return lt_ws_receive(conn,
			&(struct lt_ws_chunk){
					.bytes = { in, len },
					.binary = lws_frame_is_binary(wsi),
					.deflated = lws_get_reserved_bits(wsi) & RSV1,
					.final = lws_is_final_fragment(wsi),
					.rest = lws_remaining_packet_payload(wsi),
			});
}

/* The extension that lws knows of: what it does, we do (transport_deflate.c). */
static int on_extension(struct lws_context *context, const struct lws_extension *extension,
		struct lws *wsi, enum lws_extension_callback_reasons reason, void *user, void *in,
		size_t len)
{
	static const struct lws_ext_options no_options[] = { { NULL, EXTARG_NONE } };

	(void)context;
	(void)extension;
	(void)wsi;
	(void)user;
	(void)len;
	if (reason == LWS_EXT_CB_CONSTRUCT) {
		*(const struct lws_ext_options **)in = no_options;
	}
	return 0;
}

static int on_established(struct lt_conn *conn, struct lws *wsi)
{
	const struct lws_protocols *protocol = lws_get_protocol(wsi);

	return lt_ws_established(conn, lt_serializer_find(lt_str_from(protocol->name)));
}

/* What concerns a connection; `conn` is NULL once it was given up by us. */
static int on_conn(struct lt_conn *conn, struct lws *wsi, enum lws_callback_reasons reason,
		void *in, size_t len)
{
	switch ((int)reason) {
	case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
		return lt_http_confirm_upgrade(conn, wsi, in);
	case LWS_CALLBACK_CONFIRM_EXTENSION_OKAY:
		return !lt_deflate_accepts(wsi);
	case LWS_CALLBACK_ADD_HEADERS:
		return conn->req || lt_deflate_answer(wsi, in) ? 0 : -1;
	case LWS_CALLBACK_ESTABLISHED:
		return on_established(conn, wsi);
	case LWS_CALLBACK_RECEIVE:
		return on_receive(conn, wsi, in, len);
	case LWS_CALLBACK_RECEIVE_PONG:
		lt_out_heard(conn);
		return 0;
	case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
		return lt_ws_peer_closes(conn);
	case LWS_CALLBACK_SERVER_WRITEABLE:
		return lt_ws_writable(conn);
	case LWS_CALLBACK_HTTP:
		return lt_http_begin(conn);
	case LWS_CALLBACK_HTTP_BODY:
		return lt_http_body_part(conn, (struct lt_str){ in, len });
	case LWS_CALLBACK_HTTP_BODY_COMPLETION:
		return lt_http_body_end(conn);
	case LWS_CALLBACK_HTTP_WRITEABLE:
		return lt_http_writable(conn);
	case LWS_CALLBACK_CLOSED:
	case LWS_CALLBACK_CLOSED_HTTP:
	case LWS_CALLBACK_WSI_DESTROY:
		lt_conn_gone(conn);
		return 0;
	default:
		return 0;
	}
}

static int on_lws(
		struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	if (reason == LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS) {
		struct lt_transport *transport = lws_context_user(lws_get_context(wsi));

		lt_tls_attach(transport->tls, user);
		return 0;
	}
	if (!wsi || reason == LWS_CALLBACK_PROTOCOL_INIT ||
			reason == LWS_CALLBACK_PROTOCOL_DESTROY) {
		return 0;
	}
	struct lt_conn *conn = lws_get_opaque_user_data(wsi);
	if (!conn) {
		return 0;
	}
	assert(conn->magic == LT_CONN_MAGIC);
	conn->wsi = wsi;
	return on_conn(conn, wsi, reason, in, len);
}

void lt_transport_init(struct lt_transport *transport, struct lt_router *router,
		const struct lt_router_env *env, struct lt_http *http)
{
	*transport = (struct lt_transport){
		.router = router,
		.env = env,
		.http = http,
	};
}

static struct lt_lws_shared *make_shared(struct lt_loop *loop)
{
	struct lt_lws_shared *shared = lt_zalloc(sizeof(*shared));
	size_t n = 0;

	shared->loop = loop;
	shared->extensions[0] = (struct lws_extension){
		.name = "permessage-deflate",
		.callback = on_extension,
	};
	shared->protocols[n++] = (struct lws_protocols){
		.name = "http",
		.callback = on_lws,
	};
	for (size_t i = 0; i < LT_ARRAY_LEN(subprotocols); i++) {
		if (lt_serializer_find(lt_str_from(subprotocols[i]))) {
			shared->protocols[n++] = (struct lws_protocols){
				.name = subprotocols[i],
				.callback = on_lws,
				.rx_buffer_size = RX_BYTES,
				.tx_packet_size = LT_OUTQ_FRAGMENT_ABOVE + 16,
			};
		}
	}
	return shared;
}

/*
 * lws sizes its tables by RLIMIT_NOFILE, or by a number of ours but then
 * searches them linearly for every event. So the soft limit is what we want
 * while the context is made, and never lower than before afterwards.
 */
static struct lws_context *make_context(
		struct lt_transport *transport, struct lws_context_creation_info *info)
{
	struct rlimit before, wanted;

	if (getrlimit(RLIMIT_NOFILE, &before) != 0) {
		return NULL;
	}
	wanted = before;
	wanted.rlim_cur = LT_MIN(
			(rlim_t)transport->env->limits.connections + OTHER_FDS, before.rlim_max);
	if (setrlimit(RLIMIT_NOFILE, &wanted) != 0) {
		return NULL;
	}
	transport->fd_bound = (int)wanted.rlim_cur;
	struct lws_context *context = lws_create_context(info);
	if (before.rlim_cur > wanted.rlim_cur) {
		setrlimit(RLIMIT_NOFILE, &before);
	}
	return context;
}

/* What a virtual host is made with; the context takes some of it, too. */
static void fill_info(struct lt_transport *transport, struct lws_context_creation_info *info)
{
	const struct lt_router_env *env = transport->env;

	*info = (struct lws_context_creation_info){
		.port = CONTEXT_PORT_NO_LISTEN_SERVER,
		.options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
				LWS_SERVER_OPTION_UV_NO_SIGSEGV_SIGFPE_SPIN |
				LWS_SERVER_OPTION_NO_LWS_SYSTEM_STATES,
		.gid = (gid_t)-1,
		.uid = (uid_t)-1,
		.pt_serv_buf_size = TURN_RX_BYTES,
		.max_http_header_data = HEADER_BYTES,
		.timeout_secs = LT_MAX(1u, env->limits.hello_timeout_ms / 1000),
		.vhost_name = "livetiming",
		.user = transport,
	};
}

static struct lws_vhost *make_vhost(
		struct lt_transport *transport, struct lws_context_creation_info *info)
{
	info->protocols = transport->shared->protocols;
	info->extensions = transport->shared->extensions;
	return lws_create_vhost(transport->context, info);
}

bool lt_transport_start(struct lt_transport *transport, struct lt_err *err)
{
	const struct lt_router_env *env = transport->env;
	void *loops[] = { lt_loop_native(env->loop) };
	struct lws_context_creation_info info;

	if (transport->context) {
		return true;
	}
	lws_log_target = &env->log;
	lws_set_log_level(LLL_ERR | LLL_WARN, on_lws_log);
	fill_info(transport, &info);
	info.foreign_loops = loops;
	/* what knows of TLS also gets a context for clients, which we are not: only where it must
	 */
	info.options |= env->tls_cert ? TLS_OPTIONS : 0;
	transport->shared = make_shared(env->loop);
	info.pcontext = &transport->shared->context;
	transport->shared->context = transport->context = make_context(transport, &info);
	if (!transport->context) {
		lt_free(LT_STEAL(transport->shared));
		return lt_err_set(err, LT_E_IO, "libwebsockets cannot be started on libuv");
	}
	info.options &= ~(uint64_t)TLS_OPTIONS;
	transport->vhost = make_vhost(transport, &info);
	if (!transport->vhost) {
		transport->context = NULL;
		destroy_context(LT_STEAL(transport->shared));
		return lt_err_set(err, LT_E_IO, "libwebsockets cannot make its virtual host");
	}
	transport->scratch = lt_alloc(LWS_PRE + LT_OUTQ_FRAGMENT_ABOVE + 16);
	return true;
}

bool lt_transport_start_tls(struct lt_transport *transport, struct lt_err *err)
{
	const struct lt_router_env *env = transport->env;
	struct lws_context_creation_info info;

	if (!lt_transport_start(transport, err)) {
		return false;
	}
	if (transport->tls_vhost) {
		return true;
	}
	lt_tls_destroy(transport->tls);
	transport->tls = lt_tls_create(env->tls_cert, env->tls_key, err);
	if (!transport->tls) {
		return false;
	}
	fill_info(transport, &info);
	info.vhost_name = "livetiming-tls";
	info.options |= TLS_OPTIONS;
	lt_tls_fill_info(transport->tls, &info);
	transport->tls_vhost = make_vhost(transport, &info);
	return transport->tls_vhost ||
			lt_err_set(err, LT_E_IO, "libwebsockets cannot make its TLS host");
}

bool lt_transport_reload_tls(struct lt_transport *transport, struct lt_err *err)
{
	return !transport->tls || lt_tls_reload(transport->tls, err);
}

/* lws has its own ideas of how long the first request may take. */
static void on_no_request(void *arg)
{
	struct lt_conn *conn = arg;

	conn->transport->handshakes_late++;
	lt_conn_kill(conn);
}

static struct lt_conn *make_conn(struct lt_transport *transport, int fd, const char *address,
		struct lt_address *from)
{
	struct lt_conn *conn = lt_zalloc(sizeof(*conn));

	conn->magic = LT_CONN_MAGIC;
	conn->fd = fd;
	conn->transport = transport;
	conn->from = from;
	snprintf(conn->peer.address, sizeof(conn->peer.address), "%s", address);
	DL_APPEND(transport->conns, conn);
	transport->conns_n++;
	return conn;
}

static bool give_to_lws(struct lt_conn *conn, enum lt_listener_kind kind)
{
	struct lt_transport *transport = conn->transport;
	bool is_tls = kind == LT_LISTENER_TLS;
	struct lws_adopt_desc adopt = {
		.vh = is_tls ? transport->tls_vhost : transport->vhost,
		.type = LWS_ADOPT_HTTP | LWS_ADOPT_SOCKET | (is_tls ? LWS_ADOPT_ALLOW_SSL : 0),
		.fd.sockfd = conn->fd,
		.opaque = conn,
	};
	struct lws *wsi = lws_adopt_descriptor_vhost_via_info(&adopt);
	struct lt_conn *each;

	if (wsi) {
		conn->wsi = wsi;
		return true;
	}
	/* lws closed the descriptor; whether it said so to the callback is its secret */
	DL_FOREACH(transport->conns, each) {
		if (each == conn) {
			conn->from = NULL;
			lt_conn_gone(conn);
			break;
		}
	}
	return false;
}

bool lt_transport_adopt_take(struct lt_transport *transport, int fd, enum lt_listener_kind kind,
		const char *address, struct lt_address *from)
{
	if (fd >= transport->fd_bound) {
		close(fd);
		return false;
	}
	struct lt_conn *conn = make_conn(transport, fd, address, from);
	if (kind != LT_LISTENER_RAW) {
		if (!give_to_lws(conn, kind)) {
			return false;
		}
	} else if (!lt_raw_start_take(conn, fd, NULL)) {
		conn->from = NULL;
		lt_conn_gone(conn);
		return false;
	}
	lt_timer_once(&conn->timer, transport->env->loop, transport->env->limits.hello_timeout_ms,
			on_no_request, conn);
	return true;
}

void lt_conn_gone(struct lt_conn *conn)
{
	struct lt_transport *transport = conn->transport;

	if (conn->wsi) {
		lws_set_opaque_user_data(conn->wsi, NULL);
	}
	lt_out_finish(conn);
	lt_buf_finish(&conn->rx);
	lt_http_finish(conn);
	lt_raw_finish(conn);
	DL_DELETE(transport->conns, conn);
	transport->conns_n--;
	if (transport->on_gone) {
		transport->on_gone(transport->on_gone_arg, conn);
	}
	conn->magic = 0;
	lt_free(conn);
}

void lt_conn_kill(struct lt_conn *conn)
{
	struct lws *wsi = conn->wsi;

	lt_conn_gone(conn);
	if (!wsi) {
		return; /* a RawSocket */
	}
	lws_set_timeout(wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_SYNC);
}

void lt_transport_close_all(struct lt_transport *transport)
{
	struct lt_conn *conn, *next;

	transport->stopping = true;
	DL_FOREACH_SAFE(transport->conns, conn, next) {
		if (conn->ops) {
			lt_out_close(conn, LT_CLOSE_SHUTDOWN, "shutting down");
		} else if (!conn->req) {
			lt_conn_kill(conn);
		}
	}
}

void lt_transport_kill_all(struct lt_transport *transport)
{
	while (transport->conns) {
		lt_conn_kill(transport->conns);
	}
}

void lt_transport_finish(struct lt_transport *transport)
{
	lt_transport_kill_all(transport);
	lt_deferred_cancel(&transport->flush_end);
	lt_timer_cancel(&transport->flush_again);
	lt_timer_cancel(&transport->awake);
	if (transport->context) {
		transport->context = NULL;
		destroy_context(LT_STEAL(transport->shared));
	}
	lt_tls_destroy(LT_STEAL(transport->tls));
	lt_inflater_destroy(LT_STEAL(transport->inflater));
	if (lws_log_target == &transport->env->log) {
		lws_log_target = NULL;
	}
	lt_free(LT_STEAL(transport->scratch));
}
