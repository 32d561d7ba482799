#include "net/udp_listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/loop.h"

#define DATAGRAM_MAX       65536
#define DATAGRAMS_PER_TURN 64

struct lt_udp_listener {
	struct lt_net_env env;
	struct lt_udp_listener_opts opts;
	char *address;
	int fd;
	uint16_t port;
	struct lt_watch watch;
	struct lt_deferred free_later;
	char input[DATAGRAM_MAX];
};

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_storage storage;
};

#define ADDRESS_TEXT (INET6_ADDRSTRLEN + sizeof("[]:65535"))

static uint16_t port_of(const union address *address)
{
	return ntohs(address->any.sa_family == AF_INET6 ? address->v6.sin6_port
							: address->v4.sin_port);
}

static void format_address(const union address *address, char text[ADDRESS_TEXT])
{
	char host[INET6_ADDRSTRLEN] = "";
	bool is_v6 = address->any.sa_family == AF_INET6;

	inet_ntop(address->any.sa_family,
			is_v6 ? (const void *)&address->v6.sin6_addr
			      : (const void *)&address->v4.sin_addr,
			host, sizeof(host));
	snprintf(text, ADDRESS_TEXT, is_v6 ? "[%s]:%u" : "%s:%u", host, port_of(address));
}

/* Numeric only: this never asks a name server, and so never blocks. */
static bool parse_host(
		const char *host, uint16_t port, union address *ret_address, socklen_t *ret_n)
{
	struct addrinfo hints = { .ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICHOST };
	struct addrinfo *found;

	if (getaddrinfo(host, NULL, &hints, &found) != 0) {
		return false;
	}
	memcpy(&ret_address->storage, found->ai_addr, found->ai_addrlen);
	*ret_n = found->ai_addrlen;
	if (found->ai_family == AF_INET6) {
		ret_address->v6.sin6_port = htons(port);
	} else {
		ret_address->v4.sin_port = htons(port);
	}
	freeaddrinfo(found);
	return true;
}

static bool parse_address(struct lt_str text, union address *ret_address, socklen_t *ret_n)
{
	const char *colon = text.n ? memrchr(text.p, ':', text.n) : NULL;
	uint64_t port;

	if (!colon ||
			!lt_parse_u64(lt_str_skip(text, (size_t)(colon - text.p) + 1), UINT16_MAX,
					&port, NULL)) {
		return false;
	}
	struct lt_str host = { text.p, (size_t)(colon - text.p) };
	if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']') {
		host = (struct lt_str){ host.p + 1, host.n - 2 };
	}
	char *copy = lt_str_dup(host);
	bool ok = parse_host(copy, (uint16_t)port, ret_address, ret_n);
	lt_free(copy);
	return ok;
}

struct lt_udp_listener *lt_udp_listener_create(
		const struct lt_net_env *env, const struct lt_udp_listener_opts *opts)
{
	struct lt_udp_listener *listener = lt_zalloc(sizeof(*listener));

	listener->env = *env;
	listener->opts = *opts;
	listener->address = lt_strdup(opts->address ? opts->address : "127.0.0.1");
	listener->opts.address = listener->address;
	listener->fd = -1;
	return listener;
}

static void on_readable(void *arg, int events)
{
	struct lt_udp_listener *listener = arg;

	(void)events;
	/* a fast sender must not keep the loop from the rest */
	for (int i = 0; i < DATAGRAMS_PER_TURN && listener->fd >= 0; i++) {
		union address from = { 0 };
		socklen_t from_n = sizeof(from);
		char text[ADDRESS_TEXT];
		ssize_t n = recvfrom(listener->fd, listener->input, sizeof(listener->input), 0,
				&from.any, &from_n);

		if (n < 0 && errno == EAGAIN) {
			return;
		}
		if (n < 0) {
			continue; /* an earlier answer was refused; the next datagram may be fine */
		}
		format_address(&from, text);
		listener->opts.datagram(listener->opts.arg,
				(struct lt_str){ listener->input, (size_t)n }, lt_str_from(text));
	}
}

static bool bind_socket(struct lt_udp_listener *listener, struct lt_err *err)
{
	union address address = { 0 };
	socklen_t n;

	if (!parse_host(listener->address, listener->opts.port, &address, &n)) {
		char shown[LT_LOG_VALUE_MAX];

		return lt_err_set(err, LT_E_INVALID, "%.100s is not an IP address",
				lt_log_value(lt_str_from(listener->address), shown));
	}
	listener->fd = socket(address.any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (listener->fd < 0) {
		return lt_err_errno(err, "cannot make a UDP socket");
	}
	if (bind(listener->fd, &address.any, n) < 0) {
		return lt_err_errno(err, "cannot listen on UDP %s port %u", listener->address,
				listener->opts.port);
	}
	n = sizeof(address);
	if (getsockname(listener->fd, &address.any, &n) < 0) {
		return lt_err_errno(err, "cannot read the bound port");
	}
	listener->port = port_of(&address);
	return lt_watch_start(&listener->watch, listener->env.loop, listener->fd, LT_READABLE,
			on_readable, listener, err);
}

bool lt_udp_listener_start(struct lt_udp_listener *listener, struct lt_err *err)
{
	if (listener->fd >= 0) {
		return true;
	}
	if (!bind_socket(listener, err)) {
		lt_udp_listener_stop(listener);
		return false;
	}
	return true;
}

void lt_udp_listener_stop(struct lt_udp_listener *listener)
{
	lt_watch_stop(&listener->watch);
	if (listener->fd >= 0) {
		close(listener->fd);
	}
	listener->fd = -1;
	listener->port = 0;
}

static void free_listener(void *arg)
{
	struct lt_udp_listener *listener = arg;

	lt_free(listener->address);
	lt_free(listener);
}

void lt_udp_listener_destroy(struct lt_udp_listener *listener)
{
	if (listener) {
		lt_udp_listener_stop(listener);
		/* our datagram callback may be on the stack */
		lt_loop_defer(listener->env.loop, &listener->free_later, free_listener, listener);
	}
}

uint16_t lt_udp_listener_port(const struct lt_udp_listener *listener)
{
	return listener->port;
}

bool lt_udp_listener_send_to(struct lt_udp_listener *listener, struct lt_str bytes,
		struct lt_str to, struct lt_err *err)
{
	union address address = { 0 };
	socklen_t n;
	char shown[LT_LOG_VALUE_MAX];

	if (listener->fd < 0) {
		return lt_err_set(err, LT_E_UNAVAILABLE, "not listening");
	}
	if (!parse_address(to, &address, &n)) {
		return lt_err_set(err, LT_E_INVALID, "%.100s is not an address and port",
				lt_log_value(to, shown));
	}
	if (sendto(listener->fd, bytes.p, bytes.n, MSG_NOSIGNAL, &address.any, n) < 0) {
		return lt_err_errno(err, "cannot send to %.100s", lt_log_value(to, shown));
	}
	return true;
}
