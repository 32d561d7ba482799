#include <pthread.h>

#include "base/alloc.h"
#include "base/base.h"
#include "mesh/inbox.h"
#include "support/test.h"

struct number {
	struct lt_note note;
	int value;
};

struct fixture {
	struct lt_loop *loop;
	struct lt_inbox *inbox;
	int seen[1000], count, wanted;
};

static int freed;

static void free_number(struct lt_note *note)
{
	freed++;
	lt_free(lt_container_of(note, struct number, note));
}

static void on_note(void *arg, struct lt_note *note)
{
	struct fixture *f = arg;

	f->seen[f->count++] = lt_container_of(note, struct number, note)->value;
	if (f->count == f->wanted) {
		lt_loop_stop(f->loop);
	}
}

static bool post(struct lt_inbox *inbox, int value, size_t bytes)
{
	struct number *number = lt_zalloc(sizeof(*number));

	number->note.free = free_number;
	number->note.bytes = bytes;
	number->value = value;
	return lt_inbox_post(inbox, &number->note);
}

static int setup(void **state)
{
	struct fixture *f = lt_zalloc(sizeof(*f));
	struct lt_err err;

	freed = 0;
	f->loop = lt_loop_create(&err);
	f->inbox = lt_inbox_create(f->loop, 100, on_note, f, &err);
	assert_non_null(f->inbox);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	lt_inbox_destroy(f->inbox);
	lt_loop_destroy(f->loop);
	lt_free(f);
	return 0;
}

static void run(struct fixture *f, int wanted)
{
	f->wanted = wanted;
	lt_loop_run(f->loop);
}

static void *post_many(void *arg)
{
	struct fixture *f = arg;

	for (int i = 0; i < 1000; i++) {
		post(f->inbox, i, 0);
	}
	return NULL;
}

static void what_another_thread_posts_arrives_in_order(void **state)
{
	struct fixture *f = *state;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, post_many, f), 0);
	run(f, 1000);
	pthread_join(thread, NULL);
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(f->seen[i], i);
	}
	assert_int_equal(freed, 1000);
}

static void what_is_over_the_bound_is_not_taken_until_there_is_room(void **state)
{
	struct fixture *f = *state;

	assert_true(post(f->inbox, 1, 60));
	assert_false(post(f->inbox, 2, 60));
	assert_int_equal(freed, 1);
	assert_int_equal(lt_inbox_bytes(f->inbox), 60);
	assert_true(post(f->inbox, 3, 0)); /* without a size it always is */
	run(f, 2);
	assert_int_equal(f->seen[1], 3);
	assert_true(post(f->inbox, 4, 60));
}

static void what_waits_when_it_ends_is_freed(void **state)
{
	struct fixture *f = *state;

	post(f->inbox, 1, 10);
	post(f->inbox, 2, 0);
	lt_inbox_destroy(LT_STEAL(f->inbox));
	assert_int_equal(freed, 2);
}

int main(void)
{
#define INBOX(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		INBOX(what_another_thread_posts_arrives_in_order),
		INBOX(what_is_over_the_bound_is_not_taken_until_there_is_room),
		INBOX(what_waits_when_it_ends_is_freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
