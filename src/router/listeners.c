/*
 * Listening sockets and what is refused at the door: the bounds on
 * connections in all and per address. What is accepted goes to the transport.
 */
#include "router/listeners.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/table.h"
#include "router/http_req.h"
#include "router/transport_conn.h"
#include "router/transport_tls.h"

#define BACKLOG         4096
#define ACCEPTS_A_TURN  64
#define ACCEPT_PAUSE_MS 100 /* after the system had no descriptor left */

/* Connections of one network address. */
struct lt_address {
	UT_hash_handle hh;
	uint32_t connections;
	char text[INET6_ADDRSTRLEN];
};

struct listener {
	struct lt_listeners *owner;
	struct listener *next, *prev;
	int fd;
	struct lt_watch watch;
	struct lt_timer pause;
	enum lt_listener_kind kind;
	char *unix_path; /* NULL: TCP */
	char *address;   /* as it can be connected to */
};

struct lt_listeners {
	const struct lt_router_env *env;
	struct lt_transport transport;
	struct lt_http *http;
	struct listener *list;
	struct lt_address *addresses;
	bool told_full;
	uint64_t refused, refused_of_address;

	void (*done)(void *arg); /* of lt_listeners_stop */
	void *done_arg;
	struct lt_timer grace;
	struct lt_deferred all_gone;
};

/* --- connections per address --- */

static struct lt_address *find_address(struct lt_listeners *listeners, const char *text)
{
	struct lt_address *found;

	HASH_FIND_STR(listeners->addresses, text, found);
	return found;
}

/* Count one more; NULL when the address has its share. */
static struct lt_address *count_address(struct lt_listeners *listeners, const char *text)
{
	struct lt_address *from = find_address(listeners, text);

	if (from && from->connections >= listeners->env->limits.connections_per_address) {
		return NULL;
	}
	if (!from) {
		from = lt_zalloc(sizeof(*from));
		snprintf(from->text, sizeof(from->text), "%s", text);
		HASH_ADD_STR(listeners->addresses, text, from);
	}
	from->connections++;
	return from;
}

static void uncount_address(struct lt_listeners *listeners, struct lt_address *from)
{
	if (--from->connections == 0) {
		HASH_DEL(listeners->addresses, from);
		lt_free(from);
	}
}

/* --- accepting --- */

static void on_all_gone(void *arg)
{
	struct lt_listeners *listeners = arg;
	void (*done)(void *arg) = LT_STEAL(listeners->done);

	lt_timer_cancel(&listeners->grace);
	if (done) {
		done(listeners->done_arg);
	}
}

static void check_all_gone(struct lt_listeners *listeners)
{
	if (listeners->done && listeners->transport.conns_n == 0) {
		lt_loop_defer(listeners->env->loop, &listeners->all_gone, on_all_gone, listeners);
	}
}

static void on_conn_gone(void *arg, struct lt_conn *conn)
{
	struct lt_listeners *listeners = arg;

	if (conn->from) {
		uncount_address(listeners, conn->from);
	}
	listeners->told_full = false;
	check_all_gone(listeners);
}

/* The host of a peer into `host`, host and port into `both`. */
static void print_peer(
		const struct sockaddr_storage *peer, char host[INET6_ADDRSTRLEN], char both[64])
{
	if (peer->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)peer;

		inet_ntop(AF_INET, &in->sin_addr, host, INET6_ADDRSTRLEN);
		snprintf(both, 64, "%s:%u", host, ntohs(in->sin_port));
	} else if (peer->ss_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)peer;

		if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
			inet_ntop(AF_INET, &in6->sin6_addr.s6_addr[12], host, INET6_ADDRSTRLEN);
			snprintf(both, 64, "%s:%u", host, ntohs(in6->sin6_port));
		} else {
			inet_ntop(AF_INET6, &in6->sin6_addr, host, INET6_ADDRSTRLEN);
			snprintf(both, 64, "[%s]:%u", host, ntohs(in6->sin6_port));
		}
	} else {
		snprintf(host, INET6_ADDRSTRLEN, "unix");
		snprintf(both, 64, "unix");
	}
}

/* Told once until a place is free again: a flood must not fill the log. */
static void tell_full(struct lt_listeners *listeners, const char *phrase)
{
	if (!listeners->told_full) {
		lt_log(&listeners->env->log, LT_WARN, phrase, "limit=%u",
				listeners->env->limits.connections);
		listeners->told_full = true;
	}
}

static void welcome(struct listener *listener, int fd, const struct sockaddr_storage *peer)
{
	struct lt_listeners *listeners = listener->owner;
	const struct lt_limits *limits = &listeners->env->limits;
	struct lt_address *from = NULL;
	char host[INET6_ADDRSTRLEN], both[64];
	int one = 1;

	print_peer(peer, host, both);
	if (listeners->transport.conns_n >= limits->connections) {
		tell_full(listeners, "connection refused: too many connections");
		listeners->refused++;
		close(fd);
		return;
	}
	if (limits->connections_per_address > 0 && !listener->unix_path) {
		from = count_address(listeners, host);
		if (!from) {
			listeners->refused_of_address++;
			lt_log(&listeners->env->log, LT_DEBUG,
					"connection refused: too many of this address", "peer=%s",
					both);
			close(fd);
			return;
		}
	}
	if (!listener->unix_path) {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	}
	if (!lt_transport_adopt_take(&listeners->transport, fd, listener->kind, both, from) &&
			from) {
		uncount_address(listeners, from);
	}
}

static void on_acceptable(void *arg, int events);

static void on_pause_over(void *arg)
{
	struct listener *listener = arg;

	lt_watch_start(&listener->watch, listener->owner->env->loop, listener->fd, LT_READABLE,
			on_acceptable, listener, NULL);
}

static void on_acceptable(void *arg, int events)
{
	struct listener *listener = arg;
	struct sockaddr_storage peer = { .ss_family = AF_UNSPEC };

	(void)events;
	for (int i = 0; i < ACCEPTS_A_TURN; i++) {
		socklen_t n = sizeof(peer);
		int fd = accept4(listener->fd, (struct sockaddr *)&peer, &n,
				SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			welcome(listener, fd, &peer);
		} else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
				errno == ENOMEM) {
			tell_full(listener->owner, "the system is out of descriptors; waiting");
			lt_watch_stop(&listener->watch);
			lt_timer_once(&listener->pause, listener->owner->env->loop, ACCEPT_PAUSE_MS,
					on_pause_over, listener);
			return;
		} else if (errno != ECONNABORTED && errno != EINTR) {
			return;
		}
	}
}

/* --- opening --- */

static bool split_address(struct lt_str address, struct lt_str *ret_host, struct lt_str *ret_port)
{
	size_t colon = address.n;

	while (colon > 0 && address.p[colon - 1] != ':') {
		colon--;
	}
	if (colon == 0) {
		return false;
	}
	struct lt_str host = { address.p, colon - 1 };
	if (host.n >= 2 && host.p[0] == '[' && host.p[host.n - 1] == ']') {
		host = (struct lt_str){ host.p + 1, host.n - 2 };
	} else if (memchr(host.p, ':', host.n)) {
		return false; /* IPv6 stands in brackets */
	}
	*ret_host = host;
	*ret_port = lt_str_skip(address, colon);
	return true;
}

static int open_tcp(struct lt_str address, struct lt_err *err)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE }, *found;
	struct lt_str host, port;
	uint64_t number;
	int one = 1, zero = 0;

	if (!split_address(address, &host, &port) || host.n == 0 ||
			!lt_parse_u64(port, 65535, &number, NULL)) {
		lt_err_set(err, LT_E_INVALID,
				"not of the form HOST:PORT, [IPV6]:PORT or unix:PATH");
		return -1;
	}
	char *host_text = lt_str_dup(host), *port_text = lt_str_dup(port);
	int failed = getaddrinfo(host_text, port_text, &hints, &found);
	lt_free(host_text);
	lt_free(port_text);
	if (failed) {
		lt_err_set(err, LT_E_INVALID, "%s", gai_strerror(failed));
		return -1;
	}
	int fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		if (found->ai_family == AF_INET6) {
			setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
		}
	}
	bool ok = fd >= 0 && bind(fd, found->ai_addr, found->ai_addrlen) == 0 &&
			listen(fd, BACKLOG) == 0;
	if (!ok) {
		lt_err_errno(err, "cannot listen");
		if (fd >= 0) {
			close(fd);
		}
	}
	freeaddrinfo(found);
	return ok ? fd : -1;
}

/* A socket file that nobody listens on is left over from a daemon that was killed. */
static bool is_stale(const struct sockaddr_un *un)
{
	struct stat status;
	bool stale = false;

	if (lstat(un->sun_path, &status) != 0 || !S_ISSOCK(status.st_mode)) {
		return false;
	}
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0) {
		stale = connect(fd, (const struct sockaddr *)un, sizeof(*un)) != 0 &&
				errno == ECONNREFUSED;
		close(fd);
	}
	return stale;
}

static int open_unix(struct lt_str path, struct lt_err *err)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	if (path.n == 0 || path.n >= sizeof(un.sun_path) || memchr(path.p, '\0', path.n)) {
		lt_err_set(err, LT_E_INVALID, "the path of a unix socket has 1 to %zu bytes",
				sizeof(un.sun_path) - 1);
		return -1;
	}
	memcpy(un.sun_path, path.p, path.n);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		lt_err_errno(err, "cannot listen");
		return -1;
	}
	int bound = bind(fd, (struct sockaddr *)&un, sizeof(un));
	if (bound != 0 && errno == EADDRINUSE) {
		if (is_stale(&un)) {
			unlink(un.sun_path);
		}
		bound = bind(fd, (struct sockaddr *)&un, sizeof(un)); /* or fail again, for errno */
	}
	if (bound != 0 || listen(fd, BACKLOG) != 0) {
		lt_err_errno(err, "cannot listen");
		close(fd);
		return -1;
	}
	return fd;
}

/* The address as it was given, but with the port that the system chose. */
static char *bound_address(const struct listener *listener, struct lt_str address)
{
	struct sockaddr_storage bound = { .ss_family = AF_UNSPEC };
	socklen_t n = sizeof(bound);
	char host[INET6_ADDRSTRLEN], both[64];
	struct lt_buf text = { 0 };

	lt_buf_add_c(&text, listener->kind == LT_LISTENER_RAW ? "rs:" : "");
	if (getsockname(listener->fd, (struct sockaddr *)&bound, &n) != 0 ||
			bound.ss_family == AF_UNIX) {
		lt_buf_add_str(&text, address);
	} else {
		print_peer(&bound, host, both);
		lt_buf_add_c(&text, both);
	}
	lt_buf_add_c(&text, listener->kind == LT_LISTENER_TLS ? ",tls" : "");
	return lt_buf_steal(&text);
}

/* "rs:" before and ",tls" behind are taken off. */
static enum lt_listener_kind split_kind(struct lt_str *address)
{
	static const struct lt_str raw = { "rs:", 3 }, tls = { ",tls", 4 };

	if (lt_str_starts(*address, raw)) {
		*address = lt_str_skip(*address, raw.n);
		return LT_LISTENER_RAW;
	}
	if (lt_str_ends(*address, tls) && !lt_str_starts(*address, LT_STR("unix:"))) {
		address->n -= tls.n;
		return LT_LISTENER_TLS;
	}
	return LT_LISTENER_PLAIN;
}

static bool open_listener(struct lt_listeners *listeners, struct lt_str address, struct lt_err *err)
{
	static const struct lt_str unix_prefix = { "unix:", 5 };
	enum lt_listener_kind kind = split_kind(&address);
	bool is_unix = lt_str_starts(address, unix_prefix);
	struct lt_str path = is_unix ? lt_str_skip(address, unix_prefix.n) : address;

	if (!(kind == LT_LISTENER_TLS ? lt_transport_start_tls(&listeners->transport, err)
				      : lt_transport_start(&listeners->transport, err))) {
		return false;
	}
	int fd = is_unix ? open_unix(path, err) : open_tcp(address, err);
	if (fd < 0) {
		return false;
	}
	struct listener *listener = lt_zalloc(sizeof(*listener));
	listener->owner = listeners;
	listener->fd = fd;
	listener->kind = kind;
	listener->unix_path = is_unix ? lt_str_dup(path) : NULL;
	listener->address = bound_address(listener, address);
	if (!lt_watch_start(&listener->watch, listeners->env->loop, fd, LT_READABLE, on_acceptable,
			    listener, err)) {
		close(fd);
		lt_free(listener->unix_path);
		lt_free(listener->address);
		lt_free(listener);
		return false;
	}
	DL_APPEND(listeners->list, listener);
	return true;
}

bool lt_listeners_open(struct lt_listeners *listeners, struct lt_str address, struct lt_err *err)
{
	char shown[LT_LOG_VALUE_MAX];

	return open_listener(listeners, address, err) ||
			lt_err_prefix(err, "%s", lt_log_value(address, shown));
}

bool lt_listeners_reload_tls(struct lt_listeners *listeners, struct lt_err *err)
{
	return lt_transport_reload_tls(&listeners->transport, err);
}

bool lt_listeners_set_tls(struct lt_listeners *listeners, const char *cert, const char *key,
		struct lt_err *err)
{
	struct lt_transport *transport = &listeners->transport;

	return !transport->tls || lt_tls_set(transport->tls, cert, key, err);
}

static void close_listener(struct listener *listener)
{
	lt_watch_stop(&listener->watch);
	lt_timer_cancel(&listener->pause);
	close(listener->fd);
	if (listener->unix_path) {
		unlink(listener->unix_path);
	}
	lt_free(listener->unix_path);
	lt_free(listener->address);
	lt_free(listener);
}

static void close_listeners(struct lt_listeners *listeners)
{
	struct listener *listener, *next;

	DL_FOREACH_SAFE(listeners->list, listener, next) {
		DL_DELETE(listeners->list, listener);
		close_listener(listener);
	}
}

/* --- public --- */

struct lt_listeners *lt_listeners_create(struct lt_router *router, const struct lt_router_env *env)
{
	struct lt_listeners *listeners = lt_zalloc(sizeof(*listeners));

	listeners->env = env;
	listeners->http = lt_http_create(env->loop);
	lt_transport_init(&listeners->transport, router, env, listeners->http);
	listeners->transport.on_gone = on_conn_gone;
	listeners->transport.on_gone_arg = listeners;
	return listeners;
}

void lt_listeners_destroy(struct lt_listeners *listeners)
{
	if (!listeners) {
		return;
	}
	listeners->done = NULL;
	close_listeners(listeners);
	lt_transport_finish(&listeners->transport);
	lt_timer_cancel(&listeners->grace);
	lt_deferred_cancel(&listeners->all_gone);
	lt_http_destroy(listeners->http);
	lt_free(listeners);
}

const char *lt_listeners_address(const struct lt_listeners *listeners, size_t i)
{
	const struct listener *listener;

	DL_FOREACH(listeners->list, listener) {
		if (i-- == 0) {
			return listener->address;
		}
	}
	return NULL;
}

struct lt_http *lt_listeners_http(struct lt_listeners *listeners)
{
	return listeners->http;
}

static void on_grace_over(void *arg)
{
	struct lt_listeners *listeners = arg;

	lt_transport_kill_all(&listeners->transport);
	check_all_gone(listeners);
}

void lt_listeners_stop(struct lt_listeners *listeners, uint32_t grace_ms, void (*done)(void *arg),
		void *arg)
{
	assert(done && !listeners->done);
	listeners->done = done;
	listeners->done_arg = arg;
	close_listeners(listeners);
	lt_transport_close_all(&listeners->transport);
	lt_timer_once(&listeners->grace, listeners->env->loop, grace_ms, on_grace_over, listeners);
	check_all_gone(listeners);
}

void lt_listeners_report(const struct lt_listeners *listeners, struct lt_router_stats *ret_stats)
{
	const struct lt_transport *transport = &listeners->transport;

	ret_stats->connections += transport->conns_n;
	ret_stats->bytes_sent += transport->bytes_sent;
	ret_stats->bytes_received += transport->bytes_received;
	ret_stats->slow_peers_ended += transport->slow_peers_ended;
	ret_stats->events_conflated += transport->events_conflated;
	ret_stats->queue_bytes = transport->queue_bytes;
	ret_stats->fanout_us = transport->fanout_us;
	ret_stats->limit_hits[LT_LIMIT_CONNECTIONS] += listeners->refused;
	ret_stats->limit_hits[LT_LIMIT_CONNECTIONS_PER_ADDRESS] += listeners->refused_of_address;
	ret_stats->limit_hits[LT_LIMIT_HANDSHAKE_TIMEOUT] += transport->handshakes_late;
	ret_stats->limit_hits[LT_LIMIT_PING_TIMEOUT] += transport->pings_unanswered;
	ret_stats->limit_hits[LT_LIMIT_MESSAGE_BYTES] += transport->too_big;
}
