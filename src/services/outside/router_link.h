/*
 * The connection of a service process to its router: whole WAMP messages in
 * JSON over WebSocket (ws://, wss://) or RawSocket (rs://HOST:PORT,
 * rs://unix:/path), reconnecting for ever with backoff. Callbacks run on the
 * loop; they may stop the link, but it is destroyed outside of them.
 */
#ifndef LT_SERVICES_OUTSIDE_ROUTER_LINK_H
#define LT_SERVICES_OUTSIDE_ROUTER_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "net/net_env.h"

struct lt_link;
struct lt_ws_hub;

struct lt_link_env {
	struct lt_net_env net;
	struct lt_ws_hub *ws_hub;
	const char *url;         /* copied */
	const int64_t *waits_ms; /* borrowed; NULL: those of net/backoff.h */
	size_t waits_n;
	void (*connected)(void *arg);
	void (*message)(void *arg, struct lt_str message); /* borrowed */
	/* A connection ended, or an attempt failed; the next one is scheduled. */
	void (*disconnected)(void *arg, struct lt_str reason);
	void *arg;
};

/* Opens nothing. LT_E_INVALID: no such URL. */
struct lt_link *lt_link_create(const struct lt_link_env *env, struct lt_err *err);
void lt_link_destroy(struct lt_link *link); /* NULL is fine */

void lt_link_start(struct lt_link *link);
void lt_link_stop(struct lt_link *link); /* without a callback; may be started again */

/* The session on this connection cannot go on: close it and connect again after a wait, which
 * grows from time to time until lt_link_good. */
void lt_link_retry(struct lt_link *link);
void lt_link_good(struct lt_link *link);

/* LT_E_UNAVAILABLE not connected; LT_E_LIMIT too much waits, or a message over 16 MiB. */
bool lt_link_send(struct lt_link *link, struct lt_str message, struct lt_err *err);
size_t lt_link_queued(const struct lt_link *link); /* bytes that wait */

/* Where an rs:// URL leads; path NULL: TCP. Pure; texts are owned by the caller. */
struct lt_raw_url {
	char *host, *path;
	uint16_t port;
};
bool lt_raw_url_parse(struct lt_str text, struct lt_raw_url *ret_url, struct lt_err *err);
void lt_raw_url_finish(struct lt_raw_url *url);

#endif
