/*
 * The timers of a loop, soonest first: a binary heap of the callers' own
 * structs, shared by loop_uv.c and the tests' loop with a hand-moved clock, so
 * that both run timers in the same order (equal times: as they were armed).
 * Pure: time is an argument.
 */
#ifndef LT_BASE_TIMER_HEAP_H
#define LT_BASE_TIMER_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"

/* Zero-initialised is empty. The timers are borrowed. */
struct lt_timer_heap {
	struct lt_timer **at;
	size_t n;
	size_t cap;
	uint64_t armed; /* how often anything was armed: the tie-breaker */
};

/* Idles every timer still in it and frees the array. */
void lt_timer_heap_finish(struct lt_timer_heap *heap);

/* Put an idle timer in, due at due_us. */
void lt_timer_heap_add(struct lt_timer_heap *heap, struct lt_timer *timer, int64_t due_us);
void lt_timer_heap_remove(struct lt_timer_heap *heap, struct lt_timer *timer);

/* When the first one is due, or INT64_MAX. */
int64_t lt_timer_heap_next_us(const struct lt_timer_heap *heap);

/*
 * Take the first timer that is due at now_us and was armed no later than the
 * `armed` count given, or return NULL: a timer that arms itself for "now"
 * waits for the next turn. A repeating one is armed again at once, for its next
 * whole period after now_us: periods missed are skipped, not caught up with.
 */
struct lt_timer *lt_timer_heap_take(
		struct lt_timer_heap *heap, int64_t now_us, uint64_t armed_before);

/* A delay in milliseconds as microseconds, made harmless: not negative, no overflow. */
int64_t lt_timer_delay_us(int64_t delay_ms);

#endif
