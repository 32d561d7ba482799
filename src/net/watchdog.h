/*
 * Notices silence. Stale: nothing was heard for stale_ms, whether there is a
 * connection or not. Dead: a connection was silent for dead_ms and should be
 * dropped. Hearing something only notes the time; one timer does the rest.
 */
#ifndef LT_NET_WATCHDOG_H
#define LT_NET_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"

/* Set the upper part, leave the rest zero. 0 ms switches a limit off. */
struct lt_watchdog {
	int64_t stale_ms;
	int64_t dead_ms;
	void (*on_stale)(void *arg, bool is_stale); /* changes only */
	void (*on_dead)(void *arg);                 /* once for each connection */
	void *arg;

	struct lt_loop *loop; /* private from here */
	struct lt_timer timer;
	int64_t heard_us;
	int64_t linked_us;
	bool is_linked;
	bool is_stale;
};

/* Silence counts from now. */
void lt_watchdog_start(struct lt_watchdog *watchdog, struct lt_loop *loop);
void lt_watchdog_stop(struct lt_watchdog *watchdog);

void lt_watchdog_heard(struct lt_watchdog *watchdog);

/* The connection itself gave a sign (a pong), though nothing was said on it. */
void lt_watchdog_alive(struct lt_watchdog *watchdog);

/* A connection came up (its silence counts from now) or is gone. */
void lt_watchdog_link(struct lt_watchdog *watchdog, bool is_up);

#endif
