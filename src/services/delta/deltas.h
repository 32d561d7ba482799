/*
 * The delta stream (docs/live-protocol.md): what every service of the realm
 * publishes, once more as differences.
 *
 *   topic      livetiming.delta.UUID            {"epoch", "seq", "date", "diff"} or
 *                                               {"epoch", "seq", "date", "state"}
 *   procedure  livetiming.delta.keyframe.UUID   {"epoch", "seq", "date", "state"}
 *
 * The states of this daemon's services come from their observers, before
 * they are packed; those of others from their full topics, which are found in
 * the directory. Differences are made on workers, one state of a service at a
 * time; the loop only copies texts. What a late subscriber and the procedure get
 * is one text a state, shared by all who ask.
 */
#ifndef LT_SERVICES_DELTA_DELTAS_H
#define LT_SERVICES_DELTA_DELTAS_H

#include "base/log.h"
#include "base/loop.h"
#include "base/random.h"
#include "services/timing/timing_observer.h"

struct lt_deltas;
struct lt_router;

/* All borrowed; must outlive the deltas. */
struct lt_deltas_env {
	struct lt_loop *loop;
	struct lt_log log;
	struct lt_random *random;
	struct lt_router *router;
};

struct lt_deltas *lt_deltas_create(const struct lt_deltas_env *env);
void lt_deltas_destroy(struct lt_deltas *deltas); /* after the services; stops first */

/* Before the services start. */
bool lt_deltas_start(struct lt_deltas *deltas, struct lt_err *err);
void lt_deltas_stop(struct lt_deltas *deltas);

/* For lt_services_env; borrowed from the deltas. */
struct lt_timing_watcher lt_deltas_watcher(struct lt_deltas *deltas);

/* Figures for Prometheus. */
void lt_deltas_write_metrics(const struct lt_deltas *deltas, struct lt_buf *buf);

#endif
