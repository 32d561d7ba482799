/*
 * A loop with a hand-moved clock behind the functions of base/loop.h. A test
 * file named *_fake_test.c is linked with it in place of loop_uv.c; others get
 * the real loop. Nothing happens between the calls of a test: time stands
 * still until lt_fake_advance, deferred calls and work wait for it or for
 * lt_fake_settle. Watched descriptors are only remembered: lt_fake_ready says
 * when one is ready. There is no native loop (NULL), and signals are ignored.
 */
#ifndef LT_TESTS_SUPPORT_FAKE_LOOP_FAKE_H
#define LT_TESTS_SUPPORT_FAKE_LOOP_FAKE_H

#include "base/loop.h"

/* 2026-05-16T13:00:00Z, the wall clock of a new loop; its monotonic clock starts at 1000 s. */
#define LT_FAKE_START_S INT64_C(1778936400)

/* Runs deferred calls and work (the work itself too, here and now) until there are none. */
void lt_fake_settle(struct lt_loop *loop);

/* Settles, moves both clocks on by ms, each due timer running at its own time; settles after each.
 */
void lt_fake_advance(struct lt_loop *loop, int64_t ms);

/* Moves the wall clock alone, as an operator or NTP may. */
void lt_fake_set_wall(struct lt_loop *loop, struct lt_wall wall);

/* When the next timer is due, in ms from now; -1 when none is armed. */
int64_t lt_fake_next_timer_ms(const struct lt_loop *loop);

/* Calls the watch on fd with those of the events that it waits for, then settles; false when
 * nobody watches it. */
bool lt_fake_ready(struct lt_loop *loop, int fd, int events);

/* How many watches are active. */
int lt_fake_watches(const struct lt_loop *loop);

#endif
