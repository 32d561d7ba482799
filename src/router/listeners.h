/*
 * Internal seam between the facade (router.c) and the files that own sockets:
 * all listeners of a router, their connections and the HTTP that is served on
 * them. lt_router_listen and its kin are thin calls to this.
 */
#ifndef LT_ROUTER_LISTENERS_H
#define LT_ROUTER_LISTENERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct lt_http;
struct lt_listeners;
struct lt_router;
struct lt_router_env;
struct lt_router_stats;

/* Opens nothing. `env` has its limits filled in; it is borrowed and outlives the listeners. */
struct lt_listeners *lt_listeners_create(struct lt_router *router, const struct lt_router_env *env);

/*
 * Ends every connection that is left (lt_session_peer_gone for each) and frees.
 * Called before the sessions' realms go. NULL is fine.
 */
void lt_listeners_destroy(struct lt_listeners *listeners);

/* As lt_router_listen. */
bool lt_listeners_open(struct lt_listeners *listeners, struct lt_str address, struct lt_err *err);

/* As lt_router_reload_tls. */
bool lt_listeners_reload_tls(struct lt_listeners *listeners, struct lt_err *err);
bool lt_listeners_set_tls(struct lt_listeners *listeners, const char *cert, const char *key,
		struct lt_err *err);

/* As lt_router_listener. */
const char *lt_listeners_address(const struct lt_listeners *listeners, size_t i);

/* Routes of plain HTTP, owned by the listeners. */
struct lt_http *lt_listeners_http(struct lt_listeners *listeners);

/*
 * Accept no more, let the connections flush what the sessions queued and close
 * (the router said GOODBYE to each before), end what is left after `grace_ms`.
 * `done` is called once, later, when all are gone.
 */
void lt_listeners_stop(struct lt_listeners *listeners, uint32_t grace_ms, void (*done)(void *arg),
		void *arg);

/*
 * Adds connections, bytes_sent, bytes_received, slow_peers_ended,
 * events_conflated and the hits of the limits on connections and messages.
 */
void lt_listeners_report(const struct lt_listeners *listeners, struct lt_router_stats *ret_stats);

#endif
