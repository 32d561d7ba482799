/*
 * How long to wait before the next attempt: a list of delays, the last one
 * repeated for ever, each moved by up to a fifth either way. Pure.
 */
#ifndef LT_NET_BACKOFF_H
#define LT_NET_BACKOFF_H

#include <stddef.h>
#include <stdint.h>

struct lt_random;

/* Zero-initialised: 1, 2, 5, 10, 30 s. */
struct lt_backoff {
	const int64_t *delays_ms; /* borrowed; NULL: the default list */
	size_t n;
	size_t attempt; /* private */
};

int64_t lt_backoff_next_ms(struct lt_backoff *backoff, struct lt_random *random);

/* Begin the list again: the other side has proved to be there. */
void lt_backoff_reset(struct lt_backoff *backoff);

#endif
