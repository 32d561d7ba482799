/*
 * The port of a standalone service, forwarded from outside by the router of the
 * house (UPnP IGD), found by a question to the network or named by the URL of
 * its description. All of it on workers, for such devices take their time. A
 * mapping is asked for with a lease and again before that ends, so that one
 * that is not taken back ends by itself.
 */
#ifndef LT_SERVICES_OUTSIDE_PORTMAP_H
#define LT_SERVICES_OUTSIDE_PORTMAP_H

#include <stdint.h>

#include "base/log.h"
#include "base/loop.h"

struct lt_portmap;

struct lt_portmap_env {
	struct lt_loop *loop;
	struct lt_log log;
	uint16_t port;
	const char *device_url; /* "http://..."; anything else, or NULL: look for one; copied */
};

struct lt_portmap *lt_portmap_create(const struct lt_portmap_env *env);
void lt_portmap_destroy(struct lt_portmap *portmap); /* NULL is fine; work in flight ends alone */

/* What comes of it is told in the log; nothing else depends on it. */
void lt_portmap_start(struct lt_portmap *portmap);
/* Take the mapping back: `done` is called once, within about 3 s. */
void lt_portmap_stop(struct lt_portmap *portmap, void (*done)(void *arg), void *arg);

#endif
