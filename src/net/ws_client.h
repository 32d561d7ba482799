/*
 * WebSocket clients that reconnect for ever, on one libwebsockets context of
 * their own (struct lt_ws_hub, one for the daemon; the context is made when
 * the first client starts). Messages are put together from their fragments;
 * text that is not UTF-8 and messages over the limit end the connection.
 *
 * Names are resolved on a worker and every address is tried in turn; the waits
 * between attempts are those of backoff.h and begin anew with the first
 * message. Silence: `stale` after stale_ms without a message; pings go out
 * three times in dead_ms, and a connection on which not even a pong came for
 * dead_ms is dropped and made anew.
 *
 * Callbacks run on the loop and may stop or destroy the client; after
 * lt_ws_client_stop none comes any more.
 */
#ifndef LT_NET_WS_CLIENT_H
#define LT_NET_WS_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "net/net_env.h"

struct lt_ws_hub;
struct lt_ws_client;

/* ca_file: PEM certificates to trust besides the system's; NULL: none. Copied. */
struct lt_ws_hub *lt_ws_hub_create(const struct lt_net_env *env, const char *ca_file);
/* After all its clients were destroyed. The context ends while the loop goes on, or in its
 * destruction. NULL is fine. */
void lt_ws_hub_destroy(struct lt_ws_hub *hub);

/* Nothing but errors of libwebsockets on standard error: for programs without the router's
 * listeners, which set up its log. */
void lt_ws_hub_silence(void);

/* Texts are copied. */
struct lt_ws_client_opts {
	const char *url;
	const char *subprotocol;     /* one, or several with commas; NULL: none */
	const char *const *headers;  /* "Name: value", ..., NULL; may be NULL */
	size_t message_max;          /* bytes; 0: 4 MiB */
	size_t send_max;             /* bytes that may wait to be sent; 0: 1 MiB */
	uint32_t connect_timeout_ms; /* for each address, handshake included; 0: 10000 */
	uint32_t stale_ms;           /* 0: 10000 */
	uint32_t dead_ms;            /* 0: 30000 */
	const int64_t *backoff_ms;   /* borrowed; NULL: 1, 2, 5, 10, 30 s */
	size_t backoff_n;
	/* Each may be NULL. */
	void (*connected)(void *arg);
	void (*message)(void *arg, struct lt_str message, bool is_binary); /* borrowed */
	void (*stale)(void *arg, bool is_stale);
	/* A connection ended or an attempt failed; a sentence. The next attempt is scheduled. */
	void (*disconnected)(void *arg, struct lt_str reason);
	void *arg;
};

/* Opens nothing. LT_E_INVALID: bad URL or header. */
struct lt_ws_client *lt_ws_client_create(
		struct lt_ws_hub *hub, const struct lt_ws_client_opts *opts, struct lt_err *err);
/* Stops, and frees at the end of the turn. NULL is fine. */
void lt_ws_client_destroy(struct lt_ws_client *client);

void lt_ws_client_start(struct lt_ws_client *client);
/* Ends the connection, without a callback. May be started again. */
void lt_ws_client_stop(struct lt_ws_client *client);

bool lt_ws_client_is_connected(const struct lt_ws_client *client);

/* Queue a message. LT_E_UNAVAILABLE: not connected; LT_E_LIMIT: send_max would be passed. */
bool lt_ws_client_send(struct lt_ws_client *client, struct lt_str message, bool is_binary,
		struct lt_err *err);

/* Bytes that wait to be sent. */
size_t lt_ws_client_queued(const struct lt_ws_client *client);

#endif
