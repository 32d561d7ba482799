#include "net/watchdog.h"

static void arm(struct lt_watchdog *watchdog);

static int64_t stale_due_us(const struct lt_watchdog *watchdog)
{
	return watchdog->stale_ms > 0 && !watchdog->is_stale
			? watchdog->heard_us + watchdog->stale_ms * LT_US_PER_MS
			: INT64_MAX;
}

static int64_t dead_due_us(const struct lt_watchdog *watchdog)
{
	return watchdog->dead_ms > 0 && watchdog->is_linked
			? LT_MAX(watchdog->heard_us, watchdog->linked_us) +
					watchdog->dead_ms * LT_US_PER_MS
			: INT64_MAX;
}

static void on_timer(void *arg)
{
	struct lt_watchdog *watchdog = arg;
	int64_t now_us = lt_loop_now(watchdog->loop).us;

	if (stale_due_us(watchdog) <= now_us) {
		watchdog->is_stale = true;
		arm(watchdog); /* first: the callback may stop us, or free us */
		watchdog->on_stale(watchdog->arg, true);
		return;
	}
	if (dead_due_us(watchdog) <= now_us) {
		watchdog->is_linked = false;
		arm(watchdog);
		watchdog->on_dead(watchdog->arg);
		return;
	}
	arm(watchdog);
}

static void arm(struct lt_watchdog *watchdog)
{
	int64_t due_us = LT_MIN(stale_due_us(watchdog), dead_due_us(watchdog));
	int64_t now_us = lt_loop_now(watchdog->loop).us;

	if (due_us == INT64_MAX) {
		lt_timer_cancel(&watchdog->timer);
		return;
	}
	lt_timer_once(&watchdog->timer, watchdog->loop,
			due_us <= now_us ? 0 : (due_us - now_us + 999) / LT_US_PER_MS, on_timer,
			watchdog);
}

void lt_watchdog_start(struct lt_watchdog *watchdog, struct lt_loop *loop)
{
	watchdog->loop = loop;
	watchdog->heard_us = lt_loop_now(loop).us;
	watchdog->is_stale = false;
	watchdog->is_linked = false;
	arm(watchdog);
}

void lt_watchdog_stop(struct lt_watchdog *watchdog)
{
	lt_timer_cancel(&watchdog->timer);
}

void lt_watchdog_heard(struct lt_watchdog *watchdog)
{
	watchdog->heard_us = lt_loop_now(watchdog->loop).us;
	if (watchdog->is_stale) {
		watchdog->is_stale = false;
		arm(watchdog);
		watchdog->on_stale(watchdog->arg, false);
	}
}

void lt_watchdog_alive(struct lt_watchdog *watchdog)
{
	watchdog->linked_us = lt_loop_now(watchdog->loop).us;
}

void lt_watchdog_link(struct lt_watchdog *watchdog, bool is_up)
{
	watchdog->is_linked = is_up;
	watchdog->linked_us = lt_loop_now(watchdog->loop).us;
	arm(watchdog);
}
