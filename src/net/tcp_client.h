/*
 * Bytes from and to a TCP server, or a server on a unix socket, reconnecting
 * for ever. The name is resolved
 * on a worker and every address of it is tried in turn, each for
 * connect_timeout_ms. After a failure or a lost connection it waits (backoff.h)
 * and begins again; the wait begins from the short end once bytes have come.
 *
 * Silence: after stale_ms without bytes, connected or not, `stale` is called
 * with true, and with false when bytes come again; a connection that is silent
 * for dead_ms is dropped and made anew.
 *
 * Callbacks run on the loop and may stop or destroy the client; after
 * lt_tcp_client_stop none comes any more.
 */
#ifndef LT_NET_TCP_CLIENT_H
#define LT_NET_TCP_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "net/net_env.h"

struct lt_tcp_client;

/* Milliseconds; the texts are copied. */
struct lt_tcp_client_opts {
	const char *host; /* name or address */
	uint16_t port;
	const char *unix_path;       /* NULL: TCP; else host and port are not used */
	size_t send_max;             /* bytes that may wait to be sent; 0: LT_TCP_SEND_MAX */
	uint32_t connect_timeout_ms; /* for each address; 0: 10000 */
	uint32_t stale_ms;           /* 0: 10000 */
	uint32_t dead_ms;            /* 0: 30000 */
	const int64_t *backoff_ms;   /* borrowed; NULL: 1, 2, 5, 10, 30 s */
	size_t backoff_n;
	/* Each may be NULL. */
	void (*connected)(void *arg);
	void (*bytes)(void *arg, struct lt_str bytes); /* borrowed for the call */
	void (*stale)(void *arg, bool is_stale);
	/* A connection ended or an attempt failed; a sentence. The next attempt is scheduled. */
	void (*disconnected)(void *arg, struct lt_str reason);
	void *arg;
};

/* Opens nothing. LT_E_INVALID: no host or no port, a path that is too long. */
struct lt_tcp_client *lt_tcp_client_create(const struct lt_net_env *env,
		const struct lt_tcp_client_opts *opts, struct lt_err *err);
/* Stops, and frees at the end of the turn. NULL is fine. */
void lt_tcp_client_destroy(struct lt_tcp_client *client);

void lt_tcp_client_start(struct lt_tcp_client *client);
/* Closes at once, without a callback. May be started again. */
void lt_tcp_client_stop(struct lt_tcp_client *client);

bool lt_tcp_client_is_connected(const struct lt_tcp_client *client);

/*
 * Queue bytes; what the socket does not take at once waits, up to
 * send_max together. LT_E_UNAVAILABLE: not connected; LT_E_LIMIT: full.
 */
#define LT_TCP_SEND_MAX (256 * 1024)
bool lt_tcp_client_send(struct lt_tcp_client *client, struct lt_str bytes, struct lt_err *err);

/* Bytes that wait to be sent. */
size_t lt_tcp_client_queued(const struct lt_tcp_client *client);

#endif
