/*
 * The loop on libuv. A turn, as libuv runs it:
 *
 *   poll (sleeps; then I/O, signal and work callbacks, ours and lws's)
 *   check    -> on_check: drain what those callbacks deferred
 *   close callbacks
 *   timers   -> on_timer: our heap, by one uv_timer_t
 *   prepare  -> on_prepare: drain again, arm the timer, close the books; then poll
 */
#include <assert.h>
#include <signal.h>
#include <stdlib.h>

#include <uv.h>

#include "base/alloc.h"
#include "base/loop.h"
#include "base/table.h"
#include "base/timer_heap.h"

/* A round runs what was queued at its start; what is left after so many waits for the next turn. */
#define DEFER_ROUNDS_MAX 16
#define TIMER_SLICE_US   2000 /* of timers in one turn */
/* Closing needs a handful of turns; not being done after these means somebody keeps a handle. */
#define DESTROY_TURNS_MAX 10000

const int64_t lt_lag_bound_us[LT_LAG_BUCKETS - 1] = {
	1000,
	2000,
	5000,
	10000,
	20000,
	50000,
	100000,
	200000,
	500000,
	1000000,
	2000000,
};

/* Behind a pointer so that reading the time through a const loop may fill it. */
struct turn {
	bool is_read;
	struct lt_mono mono;
	struct lt_wall wall;
};

struct signal_handler {
	uv_signal_t uv;
	void (*fn)(void *arg, int signum);
	void *arg;
	struct signal_handler *prev, *next;
};

struct lt_loop {
	uv_loop_t uv;
	uv_timer_t timer;
	uv_check_t check;
	uv_prepare_t prepare;
	uv_idle_t idle; /* active: the poll must not sleep */
	struct lt_timer_heap heap;
	int64_t timer_due_us; /* what `timer` is armed for; INT64_MAX: not armed */
	struct lt_deferred *deferred;
	size_t deferred_n;
	size_t work_n; /* handed to workers, not done yet */
	struct signal_handler *signals;
	struct turn *turn;
	struct lt_loop_stats stats;
	uint64_t prepared_ns; /* at the end of the previous turn: the clock, and the time slept */
	uint64_t slept_ns;
	bool stopping;
};

static const struct turn *read_turn(const struct lt_loop *loop)
{
	if (!loop->turn->is_read) {
		*loop->turn = (struct turn){ true, lt_clock_mono(), lt_clock_wall() };
	}
	return loop->turn;
}

struct lt_mono lt_loop_now(const struct lt_loop *loop)
{
	return read_turn(loop)->mono;
}

struct lt_wall lt_loop_wall(const struct lt_loop *loop)
{
	return read_turn(loop)->wall;
}

/* --- deferred calls --- */

static void drain_deferred(struct lt_loop *loop)
{
	for (int round = 0; loop->deferred && round < DEFER_ROUNDS_MAX; round++) {
		for (size_t n = loop->deferred_n; n > 0 && loop->deferred; n--) {
			struct lt_deferred *first = loop->deferred;

			lt_deferred_cancel(first);
			first->fn(first->arg);
		}
	}
}

void lt_loop_defer(struct lt_loop *loop, struct lt_deferred *deferred, lt_loop_fn fn, void *arg)
{
	lt_deferred_cancel(deferred);
	deferred->loop = loop;
	deferred->fn = fn;
	deferred->arg = arg;
	deferred->queued = true;
	DL_APPEND(loop->deferred, deferred);
	loop->deferred_n++;
}

void lt_deferred_cancel(struct lt_deferred *deferred)
{
	if (deferred->queued) {
		DL_DELETE(deferred->loop->deferred, deferred);
		deferred->loop->deferred_n--;
		deferred->queued = false;
	}
}

/* --- timers --- */

static void on_timer(uv_timer_t *handle)
{
	struct lt_loop *loop = handle->data;
	uint64_t armed_before = loop->heap.armed;
	struct lt_timer *timer;
	int64_t now_us;

	loop->timer_due_us = INT64_MAX;
	loop->turn->is_read = false; /* the poll's callbacks may have taken long */
	now_us = lt_loop_now(loop).us;
	while ((timer = lt_timer_heap_take(&loop->heap, now_us, armed_before))) {
		timer->fn(timer->arg);
		/* many that are due at once must not hold up the sockets: the rest is next turn's
		 */
		if (lt_clock_mono().us - now_us > TIMER_SLICE_US) {
			break;
		}
	}
}

/* Once a turn, however often timers were armed in it. */
static void arm_timer(struct lt_loop *loop)
{
	int64_t due_us = lt_timer_heap_next_us(&loop->heap);
	int64_t delay_us;

	if (due_us == loop->timer_due_us) {
		return;
	}
	loop->timer_due_us = due_us;
	if (due_us == INT64_MAX) {
		uv_timer_stop(&loop->timer);
		return;
	}
	uv_update_time(&loop->uv);
	delay_us = due_us - lt_clock_mono().us;
	/* libuv counts whole milliseconds and rounds down: never be early, that would spin */
	uv_timer_start(&loop->timer, on_timer,
			delay_us <= 0 ? 0 : (uint64_t)((delay_us + 999) / LT_US_PER_MS), 0);
}

static void start_timer(struct lt_timer *timer, struct lt_loop *loop, int64_t delay_us,
		int64_t period_us, lt_loop_fn fn, void *arg)
{
	lt_timer_cancel(timer);
	timer->loop = loop;
	timer->fn = fn;
	timer->arg = arg;
	timer->period_us = period_us;
	lt_timer_heap_add(&loop->heap, timer, lt_loop_now(loop).us + delay_us);
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

/* --- turns --- */

/*
 * libuv itself counts the time it sleeps in the poll (UV_METRICS_IDLE_TIME), so
 * what remains of the time between two prepares was spent in callbacks.
 */
static void count_turn(struct lt_loop *loop)
{
	uint64_t now_ns = uv_hrtime();
	uint64_t slept_ns = uv_metrics_idle_time(&loop->uv);
	int64_t busy_us =
			(int64_t)(now_ns - loop->prepared_ns - (slept_ns - loop->slept_ns)) / 1000;
	size_t bucket = 0;

	while (bucket < LT_LAG_BUCKETS - 1 && busy_us > lt_lag_bound_us[bucket]) {
		bucket++;
	}
	loop->stats.lag_bucket[bucket]++;
	loop->stats.lag_sum_us += busy_us;
	loop->stats.lag_max_us = LT_MAX(loop->stats.lag_max_us, busy_us);
	loop->stats.turns++;
	loop->prepared_ns = now_ns;
	loop->slept_ns = slept_ns;
}

static void on_check(uv_check_t *handle)
{
	drain_deferred(handle->data);
}

static void on_idle(uv_idle_t *handle)
{
	(void)handle; /* being active is all it is for */
}

static void on_prepare(uv_prepare_t *handle)
{
	struct lt_loop *loop = handle->data;

	drain_deferred(loop);
	arm_timer(loop);
	if (loop->deferred) {
		uv_idle_start(&loop->idle, on_idle);
	} else {
		uv_idle_stop(&loop->idle);
	}
	count_turn(loop);
	loop->turn->is_read = false;
}

struct lt_loop *lt_loop_create(struct lt_err *err)
{
	struct lt_loop *loop = lt_zalloc(sizeof(*loop));
	int failed = uv_loop_init(&loop->uv);

	if (failed) {
		lt_free(loop);
		lt_err_set(err, LT_E_IO, "cannot create an event loop: %s", uv_strerror(failed));
		return NULL;
	}
	loop->turn = lt_zalloc(sizeof(*loop->turn));
	loop->timer_due_us = INT64_MAX;
	/* a peer that went away is an error of the write, not the end of the process */
	signal(SIGPIPE, SIG_IGN);
	uv_loop_configure(&loop->uv, UV_METRICS_IDLE_TIME);
	uv_timer_init(&loop->uv, &loop->timer);
	uv_check_init(&loop->uv, &loop->check);
	uv_prepare_init(&loop->uv, &loop->prepare);
	uv_idle_init(&loop->uv, &loop->idle);
	loop->timer.data = loop->check.data = loop->prepare.data = loop->idle.data = loop;
	uv_check_start(&loop->check, on_check);
	uv_prepare_start(&loop->prepare, on_prepare);
	loop->prepared_ns = uv_hrtime();
	return loop;
}

void lt_loop_run(struct lt_loop *loop)
{
	loop->prepared_ns = uv_hrtime(); /* the time before is nobody's lag */
	loop->turn->is_read = false;
	while (!loop->stopping) {
		uv_run(&loop->uv, UV_RUN_DEFAULT);
	}
	loop->stopping = false;
}

void lt_loop_stop(struct lt_loop *loop)
{
	loop->stopping = true;
	uv_stop(&loop->uv);
}

void *lt_loop_native(struct lt_loop *loop)
{
	return &loop->uv;
}

void lt_loop_report(const struct lt_loop *loop, struct lt_loop_stats *ret_stats)
{
	*ret_stats = loop->stats;
}

/* --- descriptors --- */

/* Outlives its lt_watch until libuv lets go of it. */
struct poll_handle {
	uv_poll_t uv;
	int events;
	struct lt_watch *watch; /* NULL once stopped */
};

static int to_uv(int events)
{
	return (events & LT_READABLE ? UV_READABLE : 0) | (events & LT_WRITABLE ? UV_WRITABLE : 0);
}

static void on_poll(uv_poll_t *uv, int status, int events)
{
	struct poll_handle *handle = lt_container_of(uv, struct poll_handle, uv);
	struct lt_watch *watch = handle->watch;
	int ready = (events & UV_READABLE ? LT_READABLE : 0) |
			(events & UV_WRITABLE ? LT_WRITABLE : 0);

	if (!watch) {
		return;
	}
	if (status < 0) {
		/* An error on the descriptor. libuv has stopped watching; we go on, since the
		 * owner reads the error from its socket and a datagram socket survives it. */
		uv_poll_start(uv, to_uv(handle->events), on_poll);
		ready = handle->events;
	}
	ready &= handle->events;
	if (ready) {
		watch->fn(watch->arg, ready);
	}
}

static void on_poll_closed(uv_handle_t *uv)
{
	lt_free(lt_container_of((uv_poll_t *)uv, struct poll_handle, uv));
}

bool lt_watch_start(struct lt_watch *watch, struct lt_loop *loop, int fd, int events,
		lt_watch_fn fn, void *arg, struct lt_err *err)
{
	struct poll_handle *handle;
	int failed;

	lt_watch_stop(watch);
	handle = lt_zalloc(sizeof(*handle));
	failed = uv_poll_init(&loop->uv, &handle->uv, fd);
	if (failed) {
		lt_free(handle);
		return lt_err_set(err, LT_E_IO, "cannot watch descriptor %d: %s", fd,
				uv_strerror(failed));
	}
	handle->uv.data = NULL;
	handle->watch = watch;
	watch->handle = handle;
	watch->fn = fn;
	watch->arg = arg;
	lt_watch_set(watch, events);
	return true;
}

void lt_watch_set(struct lt_watch *watch, int events)
{
	struct poll_handle *handle = watch->handle;

	assert(handle);
	handle->events = events;
	if (events) {
		uv_poll_start(&handle->uv, to_uv(events), on_poll);
	} else {
		uv_poll_stop(&handle->uv);
	}
}

void lt_watch_stop(struct lt_watch *watch)
{
	struct poll_handle *handle = watch->handle;

	if (handle) {
		watch->handle = NULL;
		handle->watch = NULL;
		uv_close((uv_handle_t *)&handle->uv, on_poll_closed);
	}
}

/* --- work --- */

struct work {
	uv_work_t uv;
	struct lt_loop *loop;
	lt_loop_fn fn;
	lt_loop_fn done;
	void *arg;
};

static void on_work(uv_work_t *uv)
{
	struct work *work = lt_container_of(uv, struct work, uv);

	work->fn(work->arg);
}

static void on_work_done(uv_work_t *uv, int status)
{
	struct work *work = lt_container_of(uv, struct work, uv);
	struct work copy = *work;

	(void)status; /* only cancelling could fail, and we never cancel */
	copy.loop->work_n--;
	lt_free(work);
	copy.done(copy.arg);
}

void lt_loop_work(struct lt_loop *loop, lt_loop_fn fn, lt_loop_fn done, void *arg)
{
	struct work *work = lt_zalloc(sizeof(*work));

	work->loop = loop;
	work->fn = fn;
	work->done = done;
	work->arg = arg;
	loop->work_n++;
	uv_queue_work(&loop->uv, &work->uv, on_work, on_work_done);
}

/* --- signals --- */

static void on_signal(uv_signal_t *uv, int signum)
{
	struct signal_handler *handler = lt_container_of(uv, struct signal_handler, uv);

	handler->fn(handler->arg, signum);
}

static void on_signal_closed(uv_handle_t *uv)
{
	lt_free(lt_container_of((uv_signal_t *)uv, struct signal_handler, uv));
}

void lt_loop_on_signal(
		struct lt_loop *loop, int signum, void (*fn)(void *arg, int signum), void *arg)
{
	struct signal_handler *handler = NULL;

	DL_FOREACH(loop->signals, handler) {
		if (handler->uv.signum == signum) {
			break;
		}
	}
	if (!handler) {
		handler = lt_zalloc(sizeof(*handler));
		uv_signal_init(&loop->uv, &handler->uv);
		DL_APPEND(loop->signals, handler);
		uv_signal_start(&handler->uv, on_signal, signum);
	}
	handler->fn = fn;
	handler->arg = arg;
}

/* --- the end --- */

static void close_handles(struct lt_loop *loop)
{
	struct signal_handler *handler, *next;

	uv_close((uv_handle_t *)&loop->timer, NULL);
	uv_close((uv_handle_t *)&loop->check, NULL);
	uv_close((uv_handle_t *)&loop->prepare, NULL);
	uv_close((uv_handle_t *)&loop->idle, NULL);
	DL_FOREACH_SAFE(loop->signals, handler, next) {
		DL_DELETE(loop->signals, handler);
		uv_close((uv_handle_t *)&handler->uv, on_signal_closed);
	}
}

void lt_loop_destroy(struct lt_loop *loop)
{
	int turns = 0;

	if (!loop) {
		return;
	}
	/* workers cannot be interrupted; while they finish everything else still runs */
	while (loop->work_n > 0) {
		uv_run(&loop->uv, UV_RUN_ONCE);
	}
	drain_deferred(loop);
	close_handles(loop);
	/* close callbacks, also those of lws, which may defer and hand out work again */
	do {
		uv_run(&loop->uv, loop->work_n > 0 ? UV_RUN_ONCE : UV_RUN_NOWAIT);
		loop->turn->is_read = false;
		drain_deferred(loop);
		assert(++turns < DESTROY_TURNS_MAX); /* somebody did not stop a watch or context */
	} while (loop->deferred || loop->work_n > 0 || uv_loop_close(&loop->uv) == UV_EBUSY);
	lt_timer_heap_finish(&loop->heap);
	lt_free(loop->turn);
	lt_free(loop);
}
