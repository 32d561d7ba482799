#include "base/alloc.h"
#include "base/random.h"
#include "net/backoff.h"
#include "net/watchdog.h"
#include "support/test.h"
#include "support_fake/loop_fake.h"

struct fixture {
	struct lt_loop *loop;
	struct lt_watchdog watchdog;
	char heard[32]; /* 'S' stale, 'a' alive again, 'D' dead */
};

static void on_stale(void *arg, bool is_stale)
{
	struct fixture *f = arg;

	f->heard[strlen(f->heard)] = is_stale ? 'S' : 'a';
}

static void on_dead(void *arg)
{
	struct fixture *f = arg;

	f->heard[strlen(f->heard)] = 'D';
}

static int setup(void **state)
{
	struct fixture *f = lt_zalloc(sizeof(*f));

	f->loop = lt_loop_create(NULL);
	f->watchdog = (struct lt_watchdog){
		.stale_ms = 100,
		.dead_ms = 300,
		.on_stale = on_stale,
		.on_dead = on_dead,
		.arg = f,
	};
	lt_watchdog_start(&f->watchdog, f->loop);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	lt_watchdog_stop(&f->watchdog);
	assert_int_equal(lt_fake_next_timer_ms(f->loop), -1);
	lt_loop_destroy(f->loop);
	lt_free(f);
	return 0;
}

static void silence_is_stale_even_without_a_connection(void **state)
{
	struct fixture *f = *state;

	lt_fake_advance(f->loop, 99);
	assert_string_equal(f->heard, "");
	lt_fake_advance(f->loop, 1000);

	assert_string_equal(f->heard, "S");
}

static void what_is_heard_in_time_keeps_it_quiet(void **state)
{
	struct fixture *f = *state;

	lt_watchdog_link(&f->watchdog, true);
	for (int i = 0; i < 20; i++) {
		lt_fake_advance(f->loop, 90);
		lt_watchdog_heard(&f->watchdog);
	}

	assert_string_equal(f->heard, "");
}

static void hearing_again_ends_staleness(void **state)
{
	struct fixture *f = *state;

	lt_fake_advance(f->loop, 150);
	lt_watchdog_heard(&f->watchdog);
	lt_watchdog_heard(&f->watchdog);
	assert_string_equal(f->heard, "Sa");
	lt_fake_advance(f->loop, 100);

	assert_string_equal(f->heard, "SaS");
}

static void a_silent_connection_is_dead_once(void **state)
{
	struct fixture *f = *state;

	lt_watchdog_link(&f->watchdog, true);
	lt_fake_advance(f->loop, 299);
	assert_string_equal(f->heard, "S");
	lt_fake_advance(f->loop, 1000);

	assert_string_equal(f->heard, "SD");
}

static void signs_of_life_keep_a_connection_but_not_from_being_stale(void **state)
{
	struct fixture *f = *state;

	lt_watchdog_link(&f->watchdog, true);
	for (int i = 0; i < 10; i++) {
		lt_fake_advance(f->loop, 200);
		lt_watchdog_alive(&f->watchdog);
	}

	assert_string_equal(f->heard, "S");
}

static void the_silence_of_a_connection_counts_from_its_beginning(void **state)
{
	struct fixture *f = *state;

	lt_fake_advance(f->loop, 1000);
	lt_watchdog_link(&f->watchdog, true);
	lt_fake_advance(f->loop, 299);
	assert_string_equal(f->heard, "S");
	lt_watchdog_link(&f->watchdog, false);
	lt_fake_advance(f->loop, 1000);

	assert_string_equal(f->heard, "S");
}

static void waits_grow_along_the_list_and_stay_within_a_fifth(void **state)
{
	static const int64_t expected_ms[] = { 1000, 2000, 5000, 10000, 30000, 30000, 30000 };
	struct lt_random *random = lt_random_create(7, NULL);
	struct lt_backoff backoff = { 0 };

	(void)state;
	for (int round = 0; round < 50; round++) {
		for (size_t i = 0; i < LT_ARRAY_LEN(expected_ms); i++) {
			int64_t ms = lt_backoff_next_ms(&backoff, random);

			assert_in_range(ms, expected_ms[i] * 4 / 5, expected_ms[i] * 6 / 5);
		}
		lt_backoff_reset(&backoff);
	}
	lt_random_destroy(random);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(silence_is_stale_even_without_a_connection),
		TEST(what_is_heard_in_time_keeps_it_quiet),
		TEST(hearing_again_ends_staleness),
		TEST(a_silent_connection_is_dead_once),
		TEST(signs_of_life_keep_a_connection_but_not_from_being_stale),
		TEST(the_silence_of_a_connection_counts_from_its_beginning),
		cmocka_unit_test(waits_grow_along_the_list_and_stay_within_a_fifth),
	};

	return cmocka_run_group_tests_name("net/watchdog", tests, NULL, NULL);
}
