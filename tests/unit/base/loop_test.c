#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/loop.h"
#include "support/test.h"

#define PROBES 8

struct fixture {
	struct lt_loop *loop;
	char order[64]; /* one letter a call */
	struct probe {
		struct fixture *fixture;
		char letter;
		struct lt_timer timer;
		struct lt_deferred deferred;
	} probe[PROBES];
	struct lt_watch watch;
	int pair[2];
	int calls;
	int events;
	int done;
	pthread_t worker;
};

static int setup(void **state)
{
	struct fixture *f = lt_zalloc(sizeof(*f));
	struct lt_err err = { 0 };

	f->loop = lt_loop_create(&err);
	assert_non_null(f->loop);
	for (int i = 0; i < PROBES; i++) {
		f->probe[i].fixture = f;
		f->probe[i].letter = (char)('a' + i);
	}
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, f->pair), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	lt_watch_stop(&f->watch);
	lt_loop_destroy(f->loop);
	close(f->pair[0]);
	close(f->pair[1]);
	lt_free(f);
	return 0;
}

static void note(void *arg)
{
	struct probe *probe = arg;

	probe->fixture->order[strlen(probe->fixture->order)] = probe->letter;
}

static void stop(void *arg)
{
	struct probe *probe = arg;

	lt_loop_stop(probe->fixture->loop);
}

static void note_and_stop(void *arg)
{
	note(arg);
	stop(arg);
}

static void timers_run_in_the_order_of_their_times(void **state)
{
	struct fixture *f = *state;

	lt_timer_once(&f->probe[0].timer, f->loop, 4, note_and_stop, &f->probe[0]);
	lt_timer_once(&f->probe[1].timer, f->loop, 1, note, &f->probe[1]);
	lt_timer_once(&f->probe[2].timer, f->loop, 3, note, &f->probe[2]);
	lt_timer_once(&f->probe[3].timer, f->loop, 2, note, &f->probe[3]);
	lt_loop_run(f->loop);

	assert_string_equal(f->order, "bdca");
}

static void timers_for_the_same_time_run_as_they_were_armed(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 6; i++) {
		lt_timer_once(&f->probe[i].timer, f->loop, 1, note, &f->probe[i]);
	}
	lt_timer_once(&f->probe[7].timer, f->loop, 1, stop, &f->probe[7]);
	lt_loop_run(f->loop);

	assert_string_equal(f->order, "abcdef");
}

static void a_cancelled_timer_does_not_run(void **state)
{
	struct fixture *f = *state;

	lt_timer_once(&f->probe[0].timer, f->loop, 0, note, &f->probe[0]);
	lt_timer_once(&f->probe[1].timer, f->loop, 1, note_and_stop, &f->probe[1]);
	lt_timer_cancel(&f->probe[0].timer);
	lt_timer_cancel(&f->probe[0].timer);
	lt_loop_run(f->loop);

	assert_string_equal(f->order, "b");
	assert_false(lt_timer_is_armed(&f->probe[0].timer));
}

static void arming_again_moves_a_timer(void **state)
{
	struct fixture *f = *state;

	lt_timer_once(&f->probe[0].timer, f->loop, 0, note, &f->probe[0]);
	lt_timer_once(&f->probe[1].timer, f->loop, 1, note, &f->probe[1]);
	lt_timer_once(&f->probe[0].timer, f->loop, 2, note_and_stop, &f->probe[0]);
	lt_loop_run(f->loop);

	assert_string_equal(f->order, "ba");
}

static void note_three_times(void *arg)
{
	struct probe *probe = arg;

	note(arg);
	if (strlen(probe->fixture->order) == 3) {
		lt_timer_cancel(&probe->timer);
		lt_loop_stop(probe->fixture->loop);
	}
}

static void a_repeating_timer_runs_until_it_is_cancelled(void **state)
{
	struct fixture *f = *state;

	lt_timer_every(&f->probe[0].timer, f->loop, 1, note_three_times, &f->probe[0]);
	lt_loop_run(f->loop);

	assert_string_equal(f->order, "aaa");
	assert_false(lt_timer_is_armed(&f->probe[0].timer));
}

struct own_timer {
	struct lt_timer timer;
	struct lt_loop *loop;
};

static void free_own_timer(void *arg)
{
	struct own_timer *own = arg;

	lt_loop_stop(own->loop);
	lt_free(own);
}

static void a_callback_may_free_its_own_timer(void **state)
{
	struct fixture *f = *state;
	struct own_timer *own = lt_zalloc(sizeof(*own));

	own->loop = f->loop;
	lt_timer_once(&own->timer, f->loop, 0, free_own_timer, own);
	lt_loop_run(f->loop);
}

static void rearm_at_once(void *arg)
{
	struct probe *probe = arg;

	probe->fixture->calls++;
	lt_timer_once(&probe->timer, probe->fixture->loop, 0, rearm_at_once, probe);
}

static void on_readable_stop(void *arg, int events)
{
	struct fixture *f = arg;

	f->calls++;
	f->events = events;
	lt_loop_stop(f->loop);
}

static void a_timer_that_arms_itself_for_now_lets_descriptors_in(void **state)
{
	struct fixture *f = *state;

	assert_true(lt_watch_start(
			&f->watch, f->loop, f->pair[0], LT_READABLE, on_readable_stop, f, NULL));
	assert_int_equal(write(f->pair[1], "x", 1), 1);
	lt_timer_once(&f->probe[0].timer, f->loop, 0, rearm_at_once, &f->probe[0]);
	lt_loop_run(f->loop);

	assert_int_equal(f->events, LT_READABLE);
}

static void defer_b_and_stop(void *arg)
{
	struct probe *probe = arg;
	struct fixture *f = probe->fixture;

	lt_loop_defer(f->loop, &f->probe[1].deferred, note_and_stop, &f->probe[1]);
	lt_loop_defer(f->loop, &f->probe[1].deferred, note_and_stop, &f->probe[1]);
	note(arg);
}

static void a_deferred_call_runs_once_after_its_caller(void **state)
{
	struct fixture *f = *state;

	lt_timer_once(&f->probe[0].timer, f->loop, 0, defer_b_and_stop, &f->probe[0]);
	lt_loop_run(f->loop);

	assert_string_equal(f->order, "ab");
}

static void a_cancelled_deferred_call_does_not_run(void **state)
{
	struct fixture *f = *state;

	lt_loop_defer(f->loop, &f->probe[0].deferred, note, &f->probe[0]);
	lt_loop_defer(f->loop, &f->probe[1].deferred, note_and_stop, &f->probe[1]);
	lt_deferred_cancel(&f->probe[0].deferred);
	lt_loop_run(f->loop);

	assert_string_equal(f->order, "b");
}

static void defer_again(void *arg)
{
	struct probe *probe = arg;

	probe->fixture->calls++;
	lt_loop_defer(probe->fixture->loop, &probe->deferred, defer_again, probe);
}

static void a_call_that_defers_itself_for_ever_does_not_stop_the_loop(void **state)
{
	struct fixture *f = *state;

	lt_loop_defer(f->loop, &f->probe[0].deferred, defer_again, &f->probe[0]);
	lt_timer_once(&f->probe[1].timer, f->loop, 2, note_and_stop, &f->probe[1]);
	lt_loop_run(f->loop);

	assert_string_equal(f->order, "b");
	assert_true(f->calls > 1);
	lt_deferred_cancel(&f->probe[0].deferred);
}

static void a_watch_waits_only_for_what_it_was_set_to(void **state)
{
	struct fixture *f = *state;

	assert_true(lt_watch_start(
			&f->watch, f->loop, f->pair[0], LT_READABLE, on_readable_stop, f, NULL));
	lt_timer_once(&f->probe[0].timer, f->loop, 1, stop, &f->probe[0]);
	lt_loop_run(f->loop);
	assert_int_equal(f->calls, 0); /* writable all the time */

	lt_watch_set(&f->watch, LT_READABLE | LT_WRITABLE);
	lt_loop_run(f->loop);

	assert_int_equal(f->events, LT_WRITABLE);
}

static void stop_and_close(void *arg, int events)
{
	struct fixture *f = arg;

	(void)events;
	f->calls++;
	lt_watch_stop(&f->watch);
	close(f->pair[0]);
	lt_timer_once(&f->probe[0].timer, f->loop, 1, stop, &f->probe[0]);
}

static void a_watch_may_be_stopped_and_its_descriptor_closed_in_the_callback(void **state)
{
	struct fixture *f = *state;

	assert_true(lt_watch_start(
			&f->watch, f->loop, f->pair[0], LT_WRITABLE, stop_and_close, f, NULL));
	lt_loop_run(f->loop);
	f->pair[0] = dup(f->pair[1]);

	assert_int_equal(f->calls, 1);
}

static void a_descriptor_can_be_watched_again_at_once(void **state)
{
	struct fixture *f = *state;

	assert_true(lt_watch_start(
			&f->watch, f->loop, f->pair[0], LT_READABLE, on_readable_stop, f, NULL));
	lt_watch_stop(&f->watch);
	assert_true(lt_watch_start(
			&f->watch, f->loop, f->pair[0], LT_WRITABLE, on_readable_stop, f, NULL));
	lt_loop_run(f->loop);

	assert_int_equal(f->events, LT_WRITABLE);
}

static void a_bad_descriptor_cannot_be_watched(void **state)
{
	struct fixture *f = *state;
	struct lt_err err = { 0 };

	assert_false(lt_watch_start(
			&f->watch, f->loop, 9999, LT_READABLE, on_readable_stop, f, &err));

	assert_string_equal(err.msg, "cannot watch descriptor 9999: bad file descriptor");
	assert_null(f->watch.handle);
}

static void count_datagram_error(void *arg, int events)
{
	struct fixture *f = arg;
	char byte;

	f->events |= events;
	if (recv(f->done, &byte, 1, MSG_DONTWAIT) == 1) {
		lt_loop_stop(f->loop);
	} else if (errno == ECONNREFUSED) {
		f->calls++;
		lt_loop_stop(f->loop);
	}
}

static void an_error_on_a_datagram_socket_does_not_end_its_watch(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_in nobody = { .sin_family = AF_INET };
	struct sockaddr_in ours;
	socklen_t n = sizeof(nobody);
	int server = socket(AF_INET, SOCK_DGRAM, 0);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	nobody.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(server, (struct sockaddr *)&nobody, n), 0);
	assert_int_equal(getsockname(server, (struct sockaddr *)&nobody, &n), 0);
	close(server); /* nobody listens there now */
	assert_int_equal(connect(fd, (struct sockaddr *)&nobody, n), 0);
	f->done = fd;
	assert_true(lt_watch_start(
			&f->watch, f->loop, fd, LT_READABLE, count_datagram_error, f, NULL));
	assert_int_equal(send(fd, "x", 1, 0), 1);
	lt_loop_run(f->loop);
	assert_int_equal(f->calls, 1);

	server = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(bind(server, (struct sockaddr *)&nobody, n), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&ours, &n), 0);
	assert_int_equal(sendto(server, "y", 1, 0, (struct sockaddr *)&ours, n), 1);
	lt_loop_run(f->loop);

	lt_watch_stop(&f->watch);
	close(server);
	close(fd);
}

static void work_on_thread(void *arg)
{
	struct fixture *f = arg;

	f->worker = pthread_self();
	f->calls++;
}

static void work_done_stop(void *arg)
{
	struct fixture *f = arg;

	f->done++;
	lt_loop_stop(f->loop);
}

static void work_runs_on_another_thread_and_ends_on_the_loop(void **state)
{
	struct fixture *f = *state;

	lt_loop_work(f->loop, work_on_thread, work_done_stop, f);
	lt_loop_run(f->loop);

	assert_int_equal(f->calls, 1);
	assert_int_equal(f->done, 1);
	assert_false(pthread_equal(f->worker, pthread_self()));
}

static void count_done(void *arg)
{
	int *done = arg;

	(*done)++;
}

static void nothing(void *arg)
{
	(void)arg;
}

static void destroying_the_loop_finishes_its_work(void **state)
{
	int done = 0;
	struct lt_loop *loop = lt_loop_create(NULL);

	(void)state;
	for (int i = 0; i < 20; i++) {
		lt_loop_work(loop, nothing, count_done, &done);
	}
	lt_loop_destroy(loop);

	assert_int_equal(done, 20);
}

static void destroying_the_loop_runs_deferred_calls(void **state)
{
	int done = 0;
	struct lt_deferred deferred = { 0 };
	struct lt_loop *loop = lt_loop_create(NULL);

	(void)state;
	lt_loop_defer(loop, &deferred, count_done, &done);
	lt_loop_destroy(loop);

	assert_int_equal(done, 1);
}

static void destroying_the_loop_idles_armed_timers(void **state)
{
	struct lt_timer timer = { 0 };
	struct lt_loop *loop = lt_loop_create(NULL);

	(void)state;
	lt_timer_once(&timer, loop, 1000, nothing, NULL);
	lt_loop_destroy(loop);

	assert_false(lt_timer_is_armed(&timer));
	lt_loop_destroy(NULL);
}

static void on_signal(void *arg, int signum)
{
	struct fixture *f = arg;

	f->events = signum;
	lt_loop_stop(f->loop);
}

static void on_signal_never(void *arg, int signum)
{
	(void)arg;
	(void)signum;
	fail_msg("the replaced handler was called");
}

static void a_signal_arrives_at_its_last_handler(void **state)
{
	struct fixture *f = *state;

	lt_loop_on_signal(f->loop, SIGUSR1, on_signal_never, f);
	lt_loop_on_signal(f->loop, SIGUSR1, on_signal, f);
	raise(SIGUSR1);
	lt_loop_run(f->loop);

	assert_int_equal(f->events, SIGUSR1);
}

static void writing_to_a_closed_pipe_is_an_error_and_no_signal(void **state)
{
	int pipe_fd[2];

	(void)state;
	assert_int_equal(pipe(pipe_fd), 0);
	close(pipe_fd[0]);

	assert_int_equal(write(pipe_fd[1], "x", 1), -1);

	assert_int_equal(errno, EPIPE);
	close(pipe_fd[1]);
}

static void burn_12_ms(void *arg)
{
	struct lt_mono start = lt_clock_mono();

	while (lt_clock_mono().us - start.us < 12 * LT_US_PER_MS) {
	}
	lt_timer_once(&((struct probe *)arg)->timer, ((struct probe *)arg)->fixture->loop, 0, stop,
			arg);
}

static void a_long_callback_is_counted_as_lag(void **state)
{
	struct fixture *f = *state;
	struct lt_loop_stats stats;
	uint64_t late = 0;

	lt_timer_once(&f->probe[0].timer, f->loop, 0, burn_12_ms, &f->probe[0]);
	lt_loop_run(f->loop);
	lt_loop_report(f->loop, &stats);

	assert_true(stats.lag_max_us >= 12 * LT_US_PER_MS);
	for (int i = 4; i < LT_LAG_BUCKETS; i++) { /* those over 10 ms */
		late += stats.lag_bucket[i];
	}
	assert_true(late >= 1);
	assert_true(stats.turns >= 2);
}

static void sleeping_is_not_counted_as_lag(void **state)
{
	struct fixture *f = *state;
	struct lt_loop_stats stats;

	lt_timer_once(&f->probe[0].timer, f->loop, 300, stop, &f->probe[0]);
	lt_loop_run(f->loop);
	lt_loop_report(f->loop, &stats);

	assert_true(stats.lag_max_us < 300 * LT_US_PER_MS);
}

static void keep_time(void *arg)
{
	struct probe *probe = arg;
	struct lt_mono before = lt_loop_now(probe->fixture->loop);

	while (lt_clock_mono().us - before.us < 2 * LT_US_PER_MS) {
	}
	probe->fixture->calls = lt_loop_now(probe->fixture->loop).us == before.us;
	lt_loop_stop(probe->fixture->loop);
}

static void time_stands_still_within_a_turn(void **state)
{
	struct fixture *f = *state;

	lt_timer_once(&f->probe[0].timer, f->loop, 0, keep_time, &f->probe[0]);
	lt_loop_run(f->loop);

	assert_true(f->calls);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(timers_run_in_the_order_of_their_times),
		TEST(timers_for_the_same_time_run_as_they_were_armed),
		TEST(a_cancelled_timer_does_not_run),
		TEST(arming_again_moves_a_timer),
		TEST(a_repeating_timer_runs_until_it_is_cancelled),
		TEST(a_callback_may_free_its_own_timer),
		TEST(a_timer_that_arms_itself_for_now_lets_descriptors_in),
		TEST(a_deferred_call_runs_once_after_its_caller),
		TEST(a_cancelled_deferred_call_does_not_run),
		TEST(a_call_that_defers_itself_for_ever_does_not_stop_the_loop),
		TEST(a_watch_waits_only_for_what_it_was_set_to),
		TEST(a_watch_may_be_stopped_and_its_descriptor_closed_in_the_callback),
		TEST(a_descriptor_can_be_watched_again_at_once),
		TEST(a_bad_descriptor_cannot_be_watched),
		TEST(an_error_on_a_datagram_socket_does_not_end_its_watch),
		TEST(work_runs_on_another_thread_and_ends_on_the_loop),
		cmocka_unit_test(destroying_the_loop_finishes_its_work),
		cmocka_unit_test(destroying_the_loop_runs_deferred_calls),
		cmocka_unit_test(destroying_the_loop_idles_armed_timers),
		TEST(a_signal_arrives_at_its_last_handler),
		TEST(writing_to_a_closed_pipe_is_an_error_and_no_signal),
		TEST(a_long_callback_is_counted_as_lag),
		TEST(sleeping_is_not_counted_as_lag),
		TEST(time_stands_still_within_a_turn),
	};

	return cmocka_run_group_tests_name("base/loop", tests, NULL, NULL);
}
