/*
 * One attempt to post to one network: the requests that it takes, one after the
 * other, until there is a verdict.
 */
#ifndef LT_SERVICES_ANNOUNCE_DELIVERY_H
#define LT_SERVICES_ANNOUNCE_DELIVERY_H

#include "services/announce/announcer.h"

struct lt_delivery;

struct lt_delivery_opts {
	const struct lt_requests *requests; /* borrowed; outlives the delivery */
	struct lt_announcer *announcer;     /* borrowed; outlives the delivery */
	struct lt_post post;                /* its texts are copied */
	/* Once, later: the delivery has ended and is freed. Never with LT_POST_NEXT.
	 * retry_after_s: -1 when the network does not say. */
	void (*done)(void *arg, enum lt_verdict verdict, int64_t retry_after_s,
			const struct lt_err *reason);
	void *arg;
};

/* NULL and err: nothing was sent, done is not called. */
struct lt_delivery *lt_delivery_start(const struct lt_delivery_opts *opts, struct lt_err *err);
void lt_delivery_cancel(struct lt_delivery *delivery); /* no result will come; NULL is fine */

#endif
