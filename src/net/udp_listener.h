/*
 * A bound UDP socket: datagrams in, with the sender's address, and answers out.
 * Addresses are numeric texts: "127.0.0.1:5005", "[::1]:5005".
 */
#ifndef LT_NET_UDP_LISTENER_H
#define LT_NET_UDP_LISTENER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "net/net_env.h"

struct lt_udp_listener;

/* The address is copied. */
struct lt_udp_listener_opts {
	const char *address; /* IPv4 or IPv6; NULL: 127.0.0.1 */
	uint16_t port;       /* 0: a free one */
	/* Both texts are borrowed for the call; it may stop or destroy the listener. */
	void (*datagram)(void *arg, struct lt_str bytes, struct lt_str from);
	void *arg;
};

struct lt_udp_listener *lt_udp_listener_create(
		const struct lt_net_env *env, const struct lt_udp_listener_opts *opts);
/* Stops, and frees at the end of the turn. NULL is fine. */
void lt_udp_listener_destroy(struct lt_udp_listener *listener);

/* Bind. LT_E_INVALID: not an address; otherwise what the system says. */
bool lt_udp_listener_start(struct lt_udp_listener *listener, struct lt_err *err);
void lt_udp_listener_stop(struct lt_udp_listener *listener);

/* The port it is bound to; 0 before start. */
uint16_t lt_udp_listener_port(const struct lt_udp_listener *listener);

/* Send one datagram; what the network cannot take now is an error, not queued. */
bool lt_udp_listener_send_to(struct lt_udp_listener *listener, struct lt_str bytes,
		struct lt_str to, struct lt_err *err);

#endif
