/*
 * The one event loop. Implemented by loop_uv.c (libuv; libwebsockets runs on
 * the same loop) and by tests/support_fake/loop_fake.c with a hand-moved clock.
 * Everything here is called on the loop thread, but for the `work` function.
 *
 * Timers, watches and deferred calls are structs owned by the caller, embedded
 * where they are used; zero-initialised is idle. Cancelling an idle one is
 * fine; an armed one must be cancelled before its memory goes. Callbacks may
 * arm, cancel and free anything, also the struct that called them.
 */
#ifndef LT_BASE_LOOP_H
#define LT_BASE_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"

struct lt_loop;
typedef void (*lt_loop_fn)(void *arg);

struct lt_loop *lt_loop_create(struct lt_err *err);
void lt_loop_destroy(struct lt_loop *loop);

/* Run until lt_loop_stop. Handles closed during the turn are waited for by destroy. */
void lt_loop_run(struct lt_loop *loop);
void lt_loop_stop(struct lt_loop *loop);

/* Time of this turn, read once. */
struct lt_mono lt_loop_now(const struct lt_loop *loop);
struct lt_wall lt_loop_wall(const struct lt_loop *loop);

/* The uv_loop_t, for libwebsockets contexts alone. */
void *lt_loop_native(struct lt_loop *loop);

struct lt_timer {
	struct lt_loop *loop; /* NULL: never armed */
	lt_loop_fn fn;
	void *arg;
	int64_t due_us;    /* private */
	int64_t period_us; /* private; 0 is one-shot */
	uint64_t sequence; /* private; equal times run in the order of arming */
	size_t heap_index; /* private; 0 is idle, position + 1 */
};

/* Arm, or re-arm; the callback runs `delay_ms` from the time of this turn. */
void lt_timer_once(struct lt_timer *timer, struct lt_loop *loop, int64_t delay_ms, lt_loop_fn fn,
		void *arg);
void lt_timer_every(struct lt_timer *timer, struct lt_loop *loop, int64_t period_ms, lt_loop_fn fn,
		void *arg);
void lt_timer_cancel(struct lt_timer *timer);
static inline bool lt_timer_is_armed(const struct lt_timer *timer)
{
	return timer->heap_index != 0;
}

/* Call `fn` at the end of this turn, before the loop sleeps. Deferring twice is one call. */
struct lt_deferred {
	struct lt_loop *loop;
	lt_loop_fn fn;
	void *arg;
	struct lt_deferred *prev, *next; /* private */
	bool queued;                     /* private */
};

void lt_loop_defer(struct lt_loop *loop, struct lt_deferred *deferred, lt_loop_fn fn, void *arg);
void lt_deferred_cancel(struct lt_deferred *deferred);

/* Readiness of a descriptor. The caller keeps the descriptor and closes it after lt_watch_stop. */
#define LT_READABLE 1
#define LT_WRITABLE 2
typedef void (*lt_watch_fn)(void *arg, int events);

struct lt_watch {
	void *handle; /* private; NULL is idle */
	lt_watch_fn fn;
	void *arg;
};

bool lt_watch_start(struct lt_watch *watch, struct lt_loop *loop, int fd, int events,
		lt_watch_fn fn, void *arg, struct lt_err *err);
void lt_watch_set(struct lt_watch *watch, int events); /* change what is waited for */
void lt_watch_stop(struct lt_watch *watch);

/*
 * Run fn(arg) on a worker thread, then done(arg) on the loop: exactly once,
 * also while the loop is being destroyed. fn touches nothing but arg.
 */
void lt_loop_work(struct lt_loop *loop, lt_loop_fn fn, lt_loop_fn done, void *arg);

/* Deliver a signal on the loop; replaces an earlier handler for it. */
void lt_loop_on_signal(
		struct lt_loop *loop, int signum, void (*fn)(void *arg, int signum), void *arg);

/*
 * How late the loop was. A turn's lag is the time its callbacks took together:
 * the longest that anything which became ready meanwhile had to wait.
 */
#define LT_LAG_BUCKETS 12 /* upper bounds 1, 2, 5, 10, 20, 50 ... ms; the last is the rest */
struct lt_loop_stats {
	uint64_t turns;
	int64_t lag_max_us, lag_sum_us;
	uint64_t lag_bucket[LT_LAG_BUCKETS];
};
extern const int64_t lt_lag_bound_us[LT_LAG_BUCKETS - 1];
void lt_loop_report(const struct lt_loop *loop, struct lt_loop_stats *ret_stats);

#endif
