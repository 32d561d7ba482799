/*
 * A bus (mesh/bus.h) in memory: what one of a hub publishes arrives at the
 * others at the end of the turn. Faults are made by hand.
 */
#ifndef LT_TESTS_BUS_MEMORY_H
#define LT_TESTS_BUS_MEMORY_H

#include "base/loop.h"
#include "mesh/bus.h"

struct bus_hub;

struct bus_hub *bus_hub_create(struct lt_loop *loop);
void bus_hub_destroy(struct bus_hub *hub); /* its buses are destroyed */

/* Owned by the caller: lt_bus_destroy. Up as soon as it is started. */
struct lt_bus *bus_memory_create(struct bus_hub *hub);

void bus_memory_set_up(struct lt_bus *bus, bool is_up); /* the connection comes and goes */
/* The next n messages to this bus whose subject contains the text do not arrive, or come twice. */
void bus_memory_lose(struct lt_bus *bus, const char *subject, unsigned n);
void bus_memory_double(struct lt_bus *bus, const char *subject, unsigned n);
void bus_memory_limit(struct lt_bus *bus, size_t message_bytes); /* larger ones are refused */
void bus_memory_fill(struct lt_bus *bus, bool is_full);          /* no room, until told otherwise */
/* Put a message on the bus from nowhere. */
void bus_hub_inject(struct bus_hub *hub, const char *subject, struct lt_str body);
size_t bus_hub_stored(const struct bus_hub *hub);
void bus_hub_wipe(struct bus_hub *hub); /* what is stored is lost */

#endif
