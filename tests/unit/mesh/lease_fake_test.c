#include "base/alloc.h"
#include "base/loop.h"
#include "mesh/lease.h"
#include "support/bus_memory.h"
#include "support/test.h"
#include "support_fake/loop_fake.h"

struct holder {
	struct lt_bus *bus;
	struct lt_lease *lease;
	bool is_ours;
	int changes;
};

struct fixture {
	struct lt_loop *loop;
	struct bus_hub *hub;
	struct holder one, two;
};

static void on_changed(void *arg, bool is_ours)
{
	struct holder *holder = arg;

	assert_int_not_equal(holder->is_ours, is_ours);
	holder->is_ours = is_ours;
	holder->changes++;
}

static void on_up(void *arg)
{
	lt_lease_bus(((struct holder *)arg)->lease, true);
}

static void on_down(void *arg, const char *reason)
{
	(void)reason;
	lt_lease_bus(((struct holder *)arg)->lease, false);
}

static void make(struct fixture *f, struct holder *holder, const char *name, bool may_be_twice)
{
	holder->bus = bus_memory_create(f->hub);
	holder->lease = lt_lease_create(&(struct lt_lease_env){
			.loop = f->loop,
			.bus = holder->bus,
			.key = "dvr",
			.holder = name,
			.may_be_twice = may_be_twice,
			.changed = on_changed,
			.arg = holder,
	});
	lt_lease_start(holder->lease);
}

static void connect_bus(struct fixture *f, struct holder *holder)
{
	lt_bus_start(holder->bus,
			&(struct lt_bus_listener){ .up = on_up, .down = on_down, .arg = holder });
	lt_fake_settle(f->loop);
}

static struct fixture *both(void **state, bool may_be_twice)
{
	struct fixture *f = *state;

	make(f, &f->one, "one", may_be_twice);
	make(f, &f->two, "two", may_be_twice);
	connect_bus(f, &f->one);
	connect_bus(f, &f->two);
	return f;
}

static int setup(void **state)
{
	struct fixture *f = lt_zalloc(sizeof(*f));
	struct lt_err err;

	f->loop = lt_loop_create(&err);
	f->hub = bus_hub_create(f->loop);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	lt_lease_destroy(f->one.lease);
	lt_lease_destroy(f->two.lease);
	lt_bus_destroy(f->one.bus);
	lt_bus_destroy(f->two.bus);
	bus_hub_destroy(f->hub);
	lt_loop_destroy(f->loop);
	lt_free(f);
	return 0;
}

static void one_has_it_and_keeps_it(void **state)
{
	struct fixture *f = both(state, true);

	lt_fake_advance(f->loop, 60000);
	assert_true(f->one.is_ours);
	assert_int_equal(f->one.changes, 1);
	assert_int_equal(f->two.changes, 0);
	assert_string_equal(lt_lease_holder(f->two.lease), "one");
}

static void another_takes_over_within_ten_seconds_of_a_death(void **state)
{
	struct fixture *f = both(state, true);

	lt_lease_destroy(f->one.lease); /* without a word */
	f->one.lease = NULL;
	lt_fake_advance(f->loop, LT_BUS_LEASE_MS - LT_LEASE_CLAIM_MS);
	assert_false(f->two.is_ours);
	lt_fake_advance(f->loop, 10000 - LT_BUS_LEASE_MS + LT_LEASE_CLAIM_MS);
	assert_true(f->two.is_ours);
}

static void who_stops_gives_it_up_at_once(void **state)
{
	struct fixture *f = both(state, true);

	lt_lease_stop(f->one.lease);
	lt_fake_advance(f->loop, LT_LEASE_CLAIM_MS);
	assert_true(f->two.is_ours);
}

static void without_the_bus_what_may_be_twice_is_taken_by_everybody(void **state)
{
	struct fixture *f = both(state, true);

	bus_memory_set_up(f->two.bus, false);
	lt_fake_advance(f->loop, 10000);
	assert_true(f->one.is_ours);
	assert_true(f->two.is_ours);
	bus_memory_set_up(f->two.bus, true);
	lt_fake_settle(f->loop);
	assert_true(f->one.is_ours);
	assert_false(f->two.is_ours);
}

static void without_the_bus_what_may_not_be_twice_stays_with_whom_it_was(void **state)
{
	struct fixture *f = both(state, false);

	bus_memory_set_up(f->one.bus, false);
	bus_memory_set_up(f->two.bus, false);
	lt_fake_advance(f->loop, 60000);
	assert_true(f->one.is_ours);
	assert_false(f->two.is_ours);
}

static void one_cut_off_lets_go_when_it_learns_that_another_took_over(void **state)
{
	struct fixture *f = both(state, false);

	bus_memory_set_up(f->one.bus, false);
	lt_fake_advance(f->loop, 10000);
	assert_true(f->one.is_ours);
	assert_true(f->two.is_ours);
	bus_memory_set_up(f->one.bus, true);
	lt_fake_settle(f->loop);
	assert_false(f->one.is_ours);
	assert_true(f->two.is_ours);
}

static void who_never_saw_the_bus_takes_it_after_a_while(void **state)
{
	struct fixture *f = *state;

	make(f, &f->one, "one", false);
	make(f, &f->two, "two", false);
	lt_fake_advance(f->loop, 4000);
	assert_false(f->one.is_ours);
	lt_fake_advance(f->loop, 4000);
	assert_true(f->one.is_ours);
}

int main(void)
{
#define LEASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		LEASE(one_has_it_and_keeps_it),
		LEASE(another_takes_over_within_ten_seconds_of_a_death),
		LEASE(who_stops_gives_it_up_at_once),
		LEASE(without_the_bus_what_may_be_twice_is_taken_by_everybody),
		LEASE(without_the_bus_what_may_not_be_twice_stays_with_whom_it_was),
		LEASE(one_cut_off_lets_go_when_it_learns_that_another_took_over),
		LEASE(who_never_saw_the_bus_takes_it_after_a_while),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
