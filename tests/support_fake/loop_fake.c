#include "support_fake/loop_fake.h"

#include <assert.h>

#include "base/alloc.h"
#include "base/table.h"
#include "base/timer_heap.h"

/* Calls that keep deferring themselves would settle never; the real loop lets others run. */
#define SETTLE_MAX 100000

const int64_t lt_lag_bound_us[LT_LAG_BUCKETS - 1] = { 0 };

struct watched {
	struct lt_watch *watch;
	struct lt_loop *loop;
	int fd;
	int events;
	struct watched *prev, *next;
};

struct work {
	lt_loop_fn fn;
	lt_loop_fn done;
	void *arg;
	struct work *prev, *next;
};

struct lt_loop {
	struct lt_mono now;
	struct lt_wall wall;
	struct lt_timer_heap heap;
	struct lt_deferred *deferred;
	struct work *work;
	struct watched *watched;
	uint64_t turns;
};

struct lt_loop *lt_loop_create(struct lt_err *err)
{
	struct lt_loop *loop = lt_zalloc(sizeof(*loop));

	(void)err;
	loop->now.us = INT64_C(1000) * LT_US_PER_S;
	loop->wall.us = LT_FAKE_START_S * LT_US_PER_S;
	return loop;
}

void lt_loop_destroy(struct lt_loop *loop)
{
	struct watched *watched, *next;

	if (!loop) {
		return;
	}
	lt_fake_settle(loop);
	DL_FOREACH_SAFE(loop->watched, watched, next) {
		lt_watch_stop(watched->watch);
	}
	lt_timer_heap_finish(&loop->heap);
	lt_free(loop);
}

void lt_loop_run(struct lt_loop *loop)
{
	lt_fake_settle(loop);
}

void lt_loop_stop(struct lt_loop *loop)
{
	(void)loop;
}

struct lt_mono lt_loop_now(const struct lt_loop *loop)
{
	return loop->now;
}

struct lt_wall lt_loop_wall(const struct lt_loop *loop)
{
	return loop->wall;
}

void *lt_loop_native(struct lt_loop *loop)
{
	(void)loop;
	return NULL;
}

void lt_loop_report(const struct lt_loop *loop, struct lt_loop_stats *ret_stats)
{
	*ret_stats = (struct lt_loop_stats){ .turns = loop->turns };
}

/* --- timers --- */

static void start_timer(struct lt_timer *timer, struct lt_loop *loop, int64_t delay_us,
		int64_t period_us, lt_loop_fn fn, void *arg)
{
	lt_timer_cancel(timer);
	timer->loop = loop;
	timer->fn = fn;
	timer->arg = arg;
	timer->period_us = period_us;
	lt_timer_heap_add(&loop->heap, timer, loop->now.us + delay_us);
}

void lt_timer_once(struct lt_timer *timer, struct lt_loop *loop, int64_t delay_ms, lt_loop_fn fn,
		void *arg)
{
	start_timer(timer, loop, lt_timer_delay_us(delay_ms), 0, fn, arg);
}

void lt_timer_every(struct lt_timer *timer, struct lt_loop *loop, int64_t period_ms, lt_loop_fn fn,
		void *arg)
{
	int64_t period_us = lt_timer_delay_us(LT_MAX(period_ms, 1));

	start_timer(timer, loop, period_us, period_us, fn, arg);
}

void lt_timer_cancel(struct lt_timer *timer)
{
	if (lt_timer_is_armed(timer)) {
		lt_timer_heap_remove(&timer->loop->heap, timer);
	}
}

/* --- deferred calls and work --- */

void lt_loop_defer(struct lt_loop *loop, struct lt_deferred *deferred, lt_loop_fn fn, void *arg)
{
	lt_deferred_cancel(deferred);
	deferred->loop = loop;
	deferred->fn = fn;
	deferred->arg = arg;
	deferred->queued = true;
	DL_APPEND(loop->deferred, deferred);
}

void lt_deferred_cancel(struct lt_deferred *deferred)
{
	if (deferred->queued) {
		DL_DELETE(deferred->loop->deferred, deferred);
		deferred->queued = false;
	}
}

void lt_loop_work(struct lt_loop *loop, lt_loop_fn fn, lt_loop_fn done, void *arg)
{
	struct work *work = lt_zalloc(sizeof(*work));

	work->fn = fn;
	work->done = done;
	work->arg = arg;
	DL_APPEND(loop->work, work);
}

static void run_work(struct lt_loop *loop)
{
	struct work copy = *loop->work;
	struct work *work = loop->work;

	DL_DELETE(loop->work, work);
	lt_free(work);
	copy.fn(copy.arg);
	copy.done(copy.arg);
}

void lt_fake_settle(struct lt_loop *loop)
{
	int calls = 0;

	while (loop->deferred || loop->work) {
		assert(++calls < SETTLE_MAX);
		if (loop->deferred) {
			struct lt_deferred *first = loop->deferred;

			lt_deferred_cancel(first);
			first->fn(first->arg);
		} else {
			run_work(loop);
		}
	}
	loop->turns++;
}

/* --- the clock --- */

static void move_to(struct lt_loop *loop, int64_t us)
{
	if (us > loop->now.us) {
		loop->wall.us += us - loop->now.us;
		loop->now.us = us;
	}
}

void lt_fake_advance(struct lt_loop *loop, int64_t ms)
{
	int64_t target_us = loop->now.us + ms * LT_US_PER_MS;
	int calls = 0;

	lt_fake_settle(loop);
	while (lt_timer_heap_next_us(&loop->heap) <= target_us) {
		struct lt_timer *timer;

		assert(++calls < SETTLE_MAX);
		move_to(loop, lt_timer_heap_next_us(&loop->heap));
		timer = lt_timer_heap_take(&loop->heap, loop->now.us, UINT64_MAX);
		timer->fn(timer->arg);
		lt_fake_settle(loop);
	}
	move_to(loop, target_us);
}

void lt_fake_set_wall(struct lt_loop *loop, struct lt_wall wall)
{
	loop->wall = wall;
}

int64_t lt_fake_next_timer_ms(const struct lt_loop *loop)
{
	int64_t next_us = lt_timer_heap_next_us(&loop->heap);

	return next_us == INT64_MAX ? -1 : (next_us - loop->now.us) / LT_US_PER_MS;
}

/* --- descriptors and signals --- */

bool lt_watch_start(struct lt_watch *watch, struct lt_loop *loop, int fd, int events,
		lt_watch_fn fn, void *arg, struct lt_err *err)
{
	struct watched *watched;

	(void)err;
	lt_watch_stop(watch);
	watched = lt_zalloc(sizeof(*watched));
	watched->watch = watch;
	watched->loop = loop;
	watched->fd = fd;
	watched->events = events;
	DL_APPEND(loop->watched, watched);
	*watch = (struct lt_watch){ watched, fn, arg };
	return true;
}

void lt_watch_set(struct lt_watch *watch, int events)
{
	struct watched *watched = watch->handle;

	assert(watched);
	watched->events = events;
}

void lt_watch_stop(struct lt_watch *watch)
{
	struct watched *watched = watch->handle;

	if (watched) {
		watch->handle = NULL;
		DL_DELETE(watched->loop->watched, watched);
		lt_free(watched);
	}
}

bool lt_fake_ready(struct lt_loop *loop, int fd, int events)
{
	struct watched *watched;

	DL_FOREACH(loop->watched, watched) {
		if (watched->fd == fd) {
			if (events & watched->events) {
				watched->watch->fn(watched->watch->arg, events & watched->events);
			}
			lt_fake_settle(loop);
			return true;
		}
	}
	return false;
}

int lt_fake_watches(const struct lt_loop *loop)
{
	struct watched *watched;
	int n = 0;

	DL_COUNT(loop->watched, watched, n);
	return n;
}

void lt_loop_on_signal(
		struct lt_loop *loop, int signum, void (*fn)(void *arg, int signum), void *arg)
{
	(void)loop;
	(void)signum;
	(void)fn;
	(void)arg;
}
