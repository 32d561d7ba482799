#include <stdio.h>
#include <unistd.h>

#include "services/manager/start_guard.h"
#include "support/test.h"
#include "support/tmpdir.h"
#include "support_fake/loop_fake.h"

#define LIMIT 3

struct fixture {
	struct lt_loop *loop;
	char dir[TMPDIR_MAX];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct lt_err err;

	f->loop = lt_loop_create(&err);
	tmpdir_make(f->dir);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	lt_loop_destroy(f->loop);
	tmpdir_remove(f->dir);
	free(f);
	return 0;
}

static struct lt_start_guard *make(const struct fixture *f, unsigned limit)
{
	return lt_start_guard_create(&(struct lt_start_guard_env){
			.loop = f->loop, .state_dir = f->dir, .limit = limit, .settle_s = 60 });
}

/* A daemon that starts, and is gone without a word. */
static bool die(const struct fixture *f, const char *starting)
{
	struct lt_start_guard *guard = make(f, LIMIT);
	bool careful = lt_start_guard_begin(guard, false);

	if (starting) {
		lt_start_guard_mark(guard, lt_str_from(starting));
	}
	lt_start_guard_destroy(guard);
	return careful;
}

static void the_start_after_so_many_deaths_is_careful(void **state)
{
	const struct fixture *f = *state;

	for (int i = 0; i < LIMIT; i++) {
		assert_false(die(f, NULL));
	}
	assert_true(die(f, NULL));
}

static void an_orderly_end_is_no_death(void **state)
{
	const struct fixture *f = *state;

	for (int i = 0; i < 2 * LIMIT; i++) {
		struct lt_start_guard *guard = make(f, LIMIT);

		assert_false(lt_start_guard_begin(guard, false));
		lt_start_guard_all_started(guard);
		lt_start_guard_end(guard);
		lt_start_guard_destroy(guard);
	}
}

static void a_start_that_lasts_forgets_the_deaths_before(void **state)
{
	const struct fixture *f = *state;

	die(f, NULL);
	die(f, NULL);
	struct lt_start_guard *guard = make(f, LIMIT);

	lt_start_guard_begin(guard, false);
	lt_start_guard_all_started(guard);
	assert_int_equal(lt_start_guard_deaths(guard), 2);
	lt_fake_advance(f->loop, 60000);
	assert_int_equal(lt_start_guard_deaths(guard), 0);
	lt_start_guard_destroy(guard);
	assert_false(die(f, NULL));
	assert_false(die(f, NULL));
}

static void who_was_being_started_when_it_died_is_left_out_until_forgiven(void **state)
{
	const struct fixture *f = *state;

	die(f, "culprit");
	struct lt_start_guard *guard = make(f, LIMIT);

	lt_start_guard_begin(guard, false);
	assert_true(lt_start_guard_is_left_out(guard, LT_STR("culprit")));
	assert_false(lt_start_guard_is_left_out(guard, LT_STR("other")));
	lt_start_guard_end(guard);
	lt_start_guard_destroy(guard);

	guard = make(f, LIMIT);
	lt_start_guard_begin(guard, false);
	assert_true(lt_start_guard_is_left_out(guard, LT_STR("culprit")));
	lt_start_guard_forgive(guard, LT_STR("culprit"));
	lt_start_guard_destroy(guard);

	guard = make(f, LIMIT);
	lt_start_guard_begin(guard, false);
	assert_false(lt_start_guard_is_left_out(guard, LT_STR("culprit")));
	lt_start_guard_destroy(guard);
}

static void a_fresh_start_forgets_everything(void **state)
{
	const struct fixture *f = *state;

	for (int i = 0; i < LIMIT; i++) {
		die(f, "culprit");
	}
	struct lt_start_guard *guard = make(f, LIMIT);

	assert_false(lt_start_guard_begin(guard, true));
	assert_false(lt_start_guard_is_left_out(guard, LT_STR("culprit")));
	lt_start_guard_destroy(guard);
}

static void a_limit_of_zero_is_never_careful_and_writes_nothing(void **state)
{
	const struct fixture *f = *state;

	for (int i = 0; i < 10; i++) {
		struct lt_start_guard *guard = make(f, 0);

		assert_false(lt_start_guard_begin(guard, false));
		lt_start_guard_destroy(guard);
	}
	assert_int_not_equal(access(in_dir(f->dir, "starts.json"), F_OK), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
				the_start_after_so_many_deaths_is_careful, setup, teardown),
		cmocka_unit_test_setup_teardown(an_orderly_end_is_no_death, setup, teardown),
		cmocka_unit_test_setup_teardown(
				a_start_that_lasts_forgets_the_deaths_before, setup, teardown),
		cmocka_unit_test_setup_teardown(
				who_was_being_started_when_it_died_is_left_out_until_forgiven,
				setup, teardown),
		cmocka_unit_test_setup_teardown(a_fresh_start_forgets_everything, setup, teardown),
		cmocka_unit_test_setup_teardown(a_limit_of_zero_is_never_careful_and_writes_nothing,
				setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
