#include "base/alloc.h"
#include "support/test.h"
#include "support_fake/loop_fake.h"

struct fixture {
	struct lt_loop *loop;
	struct lt_timer timer;
	struct lt_deferred deferred;
	struct lt_watch watch;
	int calls;
	int done;
	int events;
	int64_t seen_us;
};

static int setup(void **state)
{
	struct fixture *f = lt_zalloc(sizeof(*f));

	f->loop = lt_loop_create(NULL);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	lt_loop_destroy(f->loop);
	lt_free(f);
	return 0;
}

static void on_timer(void *arg)
{
	struct fixture *f = arg;

	f->calls++;
	f->seen_us = lt_loop_now(f->loop).us;
}

static void on_done(void *arg)
{
	struct fixture *f = arg;

	f->done++;
}

static void a_timer_runs_at_its_own_time(void **state)
{
	struct fixture *f = *state;
	int64_t start_us = lt_loop_now(f->loop).us;
	int64_t start_wall_us = lt_loop_wall(f->loop).us;

	lt_timer_once(&f->timer, f->loop, 600000, on_timer, f);
	lt_fake_advance(f->loop, 599999);
	assert_int_equal(f->calls, 0);
	assert_int_equal(lt_fake_next_timer_ms(f->loop), 1);
	lt_fake_advance(f->loop, 1000);

	assert_int_equal(f->calls, 1);
	assert_int_equal(f->seen_us - start_us, 600000 * LT_US_PER_MS);
	assert_int_equal(lt_loop_now(f->loop).us - start_us, 600999 * LT_US_PER_MS);
	assert_int_equal(lt_loop_wall(f->loop).us - start_wall_us, 600999 * LT_US_PER_MS);
	assert_int_equal(lt_fake_next_timer_ms(f->loop), -1);
}

static void a_repeating_timer_runs_each_time_it_is_due(void **state)
{
	struct fixture *f = *state;

	lt_timer_every(&f->timer, f->loop, 100, on_timer, f);
	lt_fake_advance(f->loop, 1000);

	assert_int_equal(f->calls, 10);
}

static void deferred_calls_and_work_wait_for_settle(void **state)
{
	struct fixture *f = *state;

	lt_loop_defer(f->loop, &f->deferred, on_timer, f);
	lt_loop_work(f->loop, on_timer, on_done, f);
	assert_int_equal(f->calls, 0);
	lt_fake_settle(f->loop);

	assert_int_equal(f->calls, 2);
	assert_int_equal(f->done, 1);
}

static void destroying_finishes_work(void **state)
{
	struct fixture f = { .loop = lt_loop_create(NULL) };

	(void)state;
	lt_loop_work(f.loop, on_done, on_done, &f);
	lt_loop_destroy(f.loop);

	assert_int_equal(f.done, 2);
}

static void on_ready(void *arg, int events)
{
	struct fixture *f = arg;

	f->events = events;
}

static void a_watch_hears_what_the_test_says_and_it_waits_for(void **state)
{
	struct fixture *f = *state;

	assert_true(lt_watch_start(&f->watch, f->loop, 5, LT_READABLE, on_ready, f, NULL));
	assert_true(lt_fake_ready(f->loop, 5, LT_WRITABLE));
	assert_int_equal(f->events, 0);
	assert_true(lt_fake_ready(f->loop, 5, LT_READABLE | LT_WRITABLE));
	assert_int_equal(f->events, LT_READABLE);
	assert_int_equal(lt_fake_watches(f->loop), 1);
	lt_watch_stop(&f->watch);

	assert_false(lt_fake_ready(f->loop, 5, LT_READABLE));
	assert_int_equal(lt_fake_watches(f->loop), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_timer_runs_at_its_own_time),
		TEST(a_repeating_timer_runs_each_time_it_is_due),
		TEST(deferred_calls_and_work_wait_for_settle),
		cmocka_unit_test(destroying_finishes_work),
		TEST(a_watch_hears_what_the_test_says_and_it_waits_for),
	};

	return cmocka_run_group_tests_name("base/loop_fake", tests, NULL, NULL);
}
