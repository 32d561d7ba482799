/*
 * Name to addresses, off the loop.
 */
#ifndef LT_NET_RESOLVE_H
#define LT_NET_RESOLVE_H

#include <stdint.h>

#include "base/err.h"

struct addrinfo;
struct lt_loop;
struct lt_resolve;

/* addresses: owned by the receiver (freeaddrinfo), or NULL and err says why. */
typedef void (*lt_resolve_fn)(void *arg, struct addrinfo *addresses, const struct lt_err *err);

/* Stream socket addresses of a host; `done` comes once on a later turn, unless cancelled. */
struct lt_resolve *lt_resolve_start(struct lt_loop *loop, const char *host, uint16_t port,
		lt_resolve_fn done, void *arg);

/* `done` will not come. NULL is fine; after `done` there is nothing to cancel. */
void lt_resolve_cancel(struct lt_resolve *resolve);

#endif
