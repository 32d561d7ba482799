/*
 * GET /metrics: the figures of router, loop and process in the text format of
 * Prometheus 0.0.4. Counters end in _total; no label has unbounded values, and
 * none tells an address or a name that a client chose.
 */
#ifndef LT_SERVICES_WEB_METRICS_H
#define LT_SERVICES_WEB_METRICS_H

#include <stdint.h>

#include "base/loop.h"
#include "base/str.h"

struct lt_metrics;
struct lt_router;

enum lt_metrics_for {
	LT_METRICS_LOCAL, /* clients on this machine, not through a proxy that says so */
	LT_METRICS_ALL,
	LT_METRICS_NOBODY,
};

struct lt_metrics_env {
	struct lt_loop *loop;
	struct lt_router *router;
	const char *version; /* static */
	enum lt_metrics_for for_whom;
	/* Appends figures of other modules, in the same format. NULL: none. */
	void (*write_more)(void *arg, struct lt_buf *buf);
	void *arg;
};

struct lt_metrics *lt_metrics_create(const struct lt_metrics_env *env);
void lt_metrics_destroy(struct lt_metrics *metrics); /* NULL is fine */

/* The route is there between start and stop. */
void lt_metrics_start(struct lt_metrics *metrics);
void lt_metrics_stop(struct lt_metrics *metrics);

/* The whole text. */
void lt_metrics_write(const struct lt_metrics *metrics, struct lt_buf *buf);

/* The memory of this process; 0 when the system does not say. */
void lt_metrics_memory(uint64_t *ret_virtual_bytes, uint64_t *ret_resident_bytes);

#endif
